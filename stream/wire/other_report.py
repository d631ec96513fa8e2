"""Another system's report: a CSV file, and a TOML file that says what its columns are.

Every key of the map stands in an example in `docs/reports.md`. A line of an hour that comes twice is the first of the
two when it is met first. Never in this module: our figures.

Source: 5-operating 5.4 (`--against`).
"""

import csv
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from stream.core.policies.calendar_reader import take_zone
from stream.core.policies.tables import Problem, Table, TableReader, string
from stream.core.reports.nearest import COLUMNS, Given
from stream.core.reports.periods import LENGTHS, periods
from stream.core.reports.sums import RowName
from stream.core.trouble import Trouble
from stream.wire.times import ms_of

_LABELS: Final = ("channel", "queue")
_SHARES: Final = ("service_level", "abandonment")
_TIMES: Final = ("speed_of_answer", "handle_time")
_BLANK: Final = frozenset(("", "-", "--", "n/a", "na", "null"))
_CLOCK: Final = re.compile(r"(?:(\d+):)?(\d+):(\d\d(?:\.\d+)?)")
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]*)?")
_USAGE: Final = 2


class ColumnMap(NamedTuple):
    """What the columns of another report are; see the module."""

    zone: str
    interval: str
    start_format: str
    delimiter: str
    decimal: str
    percent: bool
    fixed: Mapping[str, str]  # channel and queue of every line
    start: tuple[str, ...]
    columns: Mapping[str, str]  # ours -> theirs
    names: Mapping[str, Mapping[str, str]]  # channel, queue -> theirs -> ours

    @property
    def labels(self) -> tuple[str, ...]:
        """What a line is told apart by, beside its start."""
        return tuple(label for label in _LABELS if label in self.columns or label in self.fixed)


class OtherReport(NamedTuple):
    """What another report says: rows by period in its zone and by `labels`."""

    zone: str
    interval: str
    labels: tuple[str, ...]
    rows: Mapping[RowName, Given]


def read_other_report(report: Path, column_map: Path) -> OtherReport:
    """Read a report with its map.

    Args:
        report: CSV with a line of titles.
        column_map: TOML; see the module.

    Raises:
        Trouble: a file cannot be read, or says what cannot be understood; the message names the line.
    """
    columns = read_map(column_map)
    return OtherReport(columns.zone, columns.interval, columns.labels, _read_rows(report, columns))


def read_map(path: Path) -> ColumnMap:
    """Read what the columns of another report are.

    Raises:
        Trouble: the file cannot be read, or something in it is wrong; all problems at once.
    """
    attempted = f'cannot use the map file "{path}"'
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as problem:
        raise Trouble(attempted, str(problem), exit_code=_USAGE) from None
    problems: list[Problem] = []
    columns = _map(tables, problems)
    if problems:
        detail = "; ".join(f"{'.'.join(problem.path) or 'the file'} {problem.message}" for problem in problems)
        raise Trouble(attempted, detail, exit_code=_USAGE)
    return columns


def _map(tables: Table, problems: list[Problem]) -> ColumnMap:
    root = TableReader(tables, (), problems)
    zone = take_zone(root)
    if zone is None:
        root.say("is missing: the zone of the other report's times, such as Europe/Berlin", "zone")
    columns = root.table("columns")
    nothing: tuple[str, ...] = ()
    start = columns.take("start", nothing, _titles, 'a column, or two such as ["Date", "Time"]')
    if not start:
        columns.say("is missing: the column that says when an interval begins", "start")
    named = {name: columns.take(name, "", string, "the title of a column") for name in (*_LABELS, *COLUMNS)}
    columns.done("[columns]")
    fixed = {label: root.take(label, "", string, f"the {label} of every line") for label in _LABELS}
    found = ColumnMap(
        zone=zone or "UTC",
        interval=root.take("interval", LENGTHS[0], _one_of(LENGTHS), f"one of {', '.join(LENGTHS)}"),
        start_format=root.take("start_format", "", string, "a form such as %d.%m.%Y %H:%M"),
        delimiter=root.take("delimiter", ",", _one_of((",", ";", "\t", "|")), "one of , ; | and a tab"),
        decimal=root.take("decimal", ".", _one_of((".", ",")), "a point or a comma"),
        percent=root.take("shares", "percent", _one_of(("percent", "ratio")), "percent or ratio") == "percent",
        fixed={label: name for label, name in fixed.items() if name},
        start=start,
        columns={name: title for name, title in named.items() if title},
        names={label: _names(root.table(f"{label}s")) for label in _LABELS},
    )
    if not set(COLUMNS) & found.columns.keys():
        columns.say(f"has nothing to compare; name one of {', '.join(COLUMNS)}")
    root.done("the map")
    return found


def _names(table: TableReader) -> dict[str, str]:
    return {theirs: table.take(theirs, "", string, "one of our names") for theirs in list(table.left)}


def _one_of(words: tuple[str, ...]) -> Callable[[object], str | None]:
    return lambda value: value if isinstance(value, str) and value in words else None


def _titles(value: object) -> tuple[str, ...] | None:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(title, str) for title in found):
        return None
    return tuple(found) or None


class _Line(NamedTuple):
    """One line of the report: where it stands, and its columns by title."""

    place: str
    texts: Mapping[str, str]

    def trouble(self, detail: str) -> Trouble:
        """It cannot be understood."""
        return Trouble(f"cannot read {self.place}", detail, exit_code=_USAGE)


def _read_rows(report: Path, columns: ColumnMap) -> dict[RowName, Given]:
    attempted = f'cannot use the report "{report}"'
    try:
        reader = csv.DictReader(
            StringIO(report.read_text(encoding="utf-8-sig"), newline=""), delimiter=columns.delimiter, restval=""
        )
        there = reader.fieldnames or ()
        for title in (*columns.start, *columns.columns.values()):
            if title not in there:
                detail = f'there is no column "{title}", only {", ".join(there) or "an empty file"}'
                raise Trouble(attempted, detail, exit_code=_USAGE)
        lines = (_Line(f"line {reader.line_num} of {report}", texts) for texts in reader)
        rows = _Rows(columns).read(lines)
    except (OSError, ValueError, csv.Error) as problem:
        raise Trouble(attempted, str(problem), exit_code=_USAGE) from None
    if not rows:
        raise Trouble(attempted, "it has no lines", exit_code=_USAGE)
    return rows


class _Rows:
    """The rows of a report while its lines are read."""

    def __init__(self, columns: ColumnMap) -> None:
        self._columns = columns
        self._periods = periods(columns.zone, columns.interval)
        self._zone = ZoneInfo(columns.zone)
        self._told: set[tuple[str, ...]] = set()  # start and labels as written
        self._rows: dict[RowName, dict[str, float]] = {}

    def read(self, lines: Iterable[_Line]) -> dict[RowName, Given]:
        """All lines; counts of several lines that are one row of ours are added up."""
        for line in lines:
            name = self._name(line)
            given = {column: value for column in COLUMNS if (value := self._value(line, column)) is not None}
            known = self._rows.setdefault(name, {})
            for column, value in given.items():
                if column in known and column in (*_SHARES, *_TIMES):
                    raise line.trouble(f"a second line of the same interval: {column} cannot be added up")
                known[column] = known.get(column, 0) + value
        return dict(self._rows)

    def _name(self, line: _Line) -> RowName:
        columns = self._columns
        text = " ".join(line.texts[title] or "" for title in columns.start).strip()
        theirs = [line.texts[columns.columns[label]] for label in columns.labels if label in columns.columns]
        again = (text, *theirs) in self._told
        self._told.add((text, *theirs))
        at = self._moment(line, text, again=again)
        period = self._periods.of(at)
        if period.start != at:
            raise line.trouble(f"no {columns.interval} begins at {text} in {columns.zone}")
        return RowName(period, tuple(self._label(line, label) for label in columns.labels), columns.zone)

    def _moment(self, line: _Line, text: str, *, again: bool) -> int:
        form = self._columns.start_format
        try:
            told = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007  see below
        except ValueError as problem:
            raise line.trouble(str(problem)) from None
        if told.tzinfo is not None:
            return ms_of(told)
        if not self._periods.shorter_than_a_day:
            return self._periods.moment(told.date())
        first, second = (told.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        if first.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != told:
            raise line.trouble(f"{text} does not exist in {self._columns.zone}")
        return ms_of(second if again and first.utcoffset() != second.utcoffset() else first)

    def _label(self, line: _Line, label: str) -> str:
        theirs = line.texts[self._columns.columns[label]] if label in self._columns.columns else ""
        return self._columns.names[label].get(theirs, theirs) or self._columns.fixed.get(label, "")

    def _value(self, line: _Line, column: str) -> float | None:
        """A count, a share from 0 to 1 or a time in seconds; None where the line leaves it blank."""
        title = self._columns.columns.get(column)
        text = "" if title is None else (line.texts[title] or "").strip()
        if text.lower() in _BLANK:
            return None
        clock = _CLOCK.fullmatch(text) if column in _TIMES else None
        if clock is not None:
            hours, minutes, seconds = clock.groups()
            return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
        plain = re.sub(r"[\s'%]", "", text).replace("," if self._columns.decimal == "." else ".", "")
        plain = plain.replace(",", ".")
        if not _NUMBER.fullmatch(plain):
            raise line.trouble(f"expected a number as {column}, got {text!r}")
        number = float(plain)
        if column in _SHARES:
            return number / 100 if self._columns.percent or "%" in text else number
        return round(number) if number.is_integer() else number
