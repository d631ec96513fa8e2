"""Tables of a report: the rows of one span, or beside those of an earlier one; as text, JSON and CSV.

A kind of report is told everything when it is made, so that wrong usage is known before anything is read; then it takes
cells. Sums are made by `stream.core`; here they are only said.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stream.cli.report_values import (
    bound_texts,
    csv_titles,
    csv_values,
    delta,
    plain,
    shown,
    signed,
    starts,
    starts_shown,
    title,
)
from stream.cli.tables import table
from stream.core.reports.comparison import Span, paired, pairing, span_before
from stream.core.reports.periods import periods
from stream.core.reports.sums import rows_of, total
from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.core.reports.comparison import Pair
    from stream.core.reports.periods import Bound, Periods
    from stream.core.reports.sheets import Sheet
    from stream.core.reports.sums import IntervalCell, RowName, Selection, Sums

Row = list[Any]
START_TITLES = ("start (UTC)", "local start")
START_NAMES = ("start_utc", "start_local")


class Report(ABC):
    """One report, while cells are added."""

    def __init__(self, selection: Selection) -> None:
        """Nothing has been added."""
        self.selection = selection

    @property
    def bounds(self) -> list[tuple[Bound | None, Bound | None]]:
        """The spans that are needed; None = whatever there is."""
        return [(self.selection.begin, self.selection.end)]

    @abstractmethod
    def add(self, cell: IntervalCell) -> None:
        """Add one cell."""

    @abstractmethod
    def lines(self) -> list[str]:
        """For people."""

    @abstractmethod
    def answer(self) -> dict[str, Any]:
        """For `--json`."""

    @abstractmethod
    def records(self) -> Iterator[Row]:
        """For `--csv`: the titles, then the rows; never a sum of rows."""

    def notes(self) -> list[str]:
        """What must be known to read it right, where the rows alone do not tell."""
        return []


class Table(Report):
    """The rows of one span."""

    def __init__(self, selection: Selection, sheet: Sheet) -> None:
        """Nothing has been added."""
        super().__init__(selection)
        self.sheet = sheet
        self._tally = rows_of(selection)

    def add(self, cell: IntervalCell) -> None:
        """Add one cell."""
        self._tally.add(cell)

    @property
    def rows(self) -> list[tuple[RowName, Sums]]:
        """In order of time, then of labels."""
        return sorted(self._tally.groups.items())

    def lines(self) -> list[str]:
        """The rows, and their sum."""
        rows = [[*_named_shown(name, self.selection.length), *self._shown(sums)] for name, sums in self.rows]
        if rows:
            nothing = [""] * len(self.sheet.rows)
            rows.append(["", "all", *nothing, *self._shown(total(sums for _, sums in self.rows))])
        titles = (*START_TITLES, *self.sheet.rows, *map(title, self.sheet.columns))
        return [attributed(self.selection, self.sheet), *table(titles, rows)]

    def answer(self) -> dict[str, Any]:
        """Rows with their values, and the same of all together."""
        length = self.selection.length
        rows = [named(name, length, self.sheet.rows) | self._plain(sums) for name, sums in self.rows]
        return about(self.selection, self.sheet) | {
            "rows": rows,
            "all": self._plain(total(sums for _, sums in self.rows)),
        }

    def records(self) -> Iterator[Row]:
        """One line a row."""
        columns = self.sheet.columns
        yield [*START_NAMES, *self.sheet.rows, *(text for column in columns for text in csv_titles(column))]
        for name, sums in self.rows:
            values = self.sheet.of(sums)
            told = (value for column in columns for value in csv_values(values[column.name], column.unit))
            yield [*starts(name.period.start, own(name, self.selection.length)), *name.labels, *told]

    def notes(self) -> list[str]:
        """Which rows are cut by the span asked for."""
        length, notes = self.selection.length, []
        zones = sorted({name.zone for name in self._tally.groups})
        for option, bound in (("--from", self.selection.begin), ("--to", self.selection.end)):
            for each in (periods(zone, length) for zone in zones):
                at = None if bound is None else each.moment(bound)
                if at is not None and each.of(at).start != at:
                    notes.append(f"{option} cuts through a {length} of {each.zone}: that row is not complete")
        return notes

    def _shown(self, sums: Sums) -> Row:
        values = self.sheet.of(sums)
        return [shown(values[column.name], column.unit) for column in self.sheet.columns]

    def _plain(self, sums: Sums) -> dict[str, Any]:
        values = self.sheet.of(sums)
        return {column.name: plain(values[column.name], column.unit) for column in self.sheet.columns}


class Compared(Report):
    """The rows of one span beside those of an earlier one of equal length."""

    def __init__(self, selection: Selection, sheet: Sheet, before: Span | None, zones: frozenset[str]) -> None:
        """Nothing has been added.

        Args:
            selection: with both bounds.
            sheet: of both spans.
            before: the earlier span; None = the one just before.
            zones: that rows may have.

        Raises:
            Trouble: a span does not begin and end with a period, or they are not of equal length.
        """
        super().__init__(selection)
        self.sheet = sheet
        now = _span_of(selection)
        self.before = before or span_before(now, selection.length, min(zones))
        self._beside = {zone: pairing(now, self.before, selection.length, zone) for zone in zones}
        self._now = rows_of(selection)
        self._earlier = rows_of(replace(selection, begin=self.before.begin, end=self.before.end))

    @property
    def bounds(self) -> list[tuple[Bound | None, Bound | None]]:
        """Both spans."""
        return [*super().bounds, (self.before.begin, self.before.end)]

    def add(self, cell: IntervalCell) -> None:
        """Add one cell to the span it lies in; to both where they overlap."""
        self._now.add(cell)
        self._earlier.add(cell)

    @property
    def rows(self) -> list[tuple[RowName, Pair]]:
        """In order of time, then of labels."""
        return sorted(paired(self._now.groups, self._earlier.groups, self._beside).items())

    @property
    def all(self) -> tuple[Sums, Sums]:
        """Both spans as a whole."""
        return total(self._now.groups.values()), total(self._earlier.groups.values())

    def lines(self) -> list[str]:
        """Each value with how much more it is than before: counts, percentage points, seconds."""
        rows = [[*_named_shown(name, self.selection.length), *self._shown(*pair)] for name, pair in self.rows]
        if rows:
            rows.append(["", "all", *([""] * len(self.sheet.rows)), *self._shown(*self.all)])
        heads = (text for column in self.sheet.columns for text in (title(column), "±"))
        said = f"{attributed(self.selection, self.sheet)}; ± against {'..'.join(bound_texts(self.before))}"
        return [said, *table((*START_TITLES, *self.sheet.rows, *heads), rows)]

    def answer(self) -> dict[str, Any]:
        """Rows with their values now and before, and the differences."""
        length = self.selection.length
        rows = [named(name, length, self.sheet.rows) | self._plain(*pair) for name, pair in self.rows]
        return about(self.selection, self.sheet) | {
            "before": bound_texts(self.before),
            "rows": rows,
            "all": self._plain(*self.all),
        }

    def records(self) -> Iterator[Row]:
        """One line a row: now, before, difference."""
        columns = self.sheet.columns
        heads = [
            text
            for column in columns
            for text in (
                *csv_titles(column),
                *csv_titles(column, "_before"),
                f"{csv_titles(column)[0]}_difference",
            )
        ]
        yield [*START_NAMES, *self.sheet.rows, *heads]
        for name, pair in self.rows:
            now, before = map(self.sheet.of, pair)
            told = (
                value
                for c in columns
                for value in (
                    *csv_values(now[c.name], c.unit),
                    *csv_values(before[c.name], c.unit),
                    delta(now[c.name], before[c.name], c.unit),
                )
            )
            yield [*starts(name.period.start, own(name, self.selection.length)), *name.labels, *told]

    def _shown(self, now: Sums, before: Sums) -> Row:
        ours, theirs = self.sheet.of(now), self.sheet.of(before)
        return [
            text
            for c in self.sheet.columns
            for text in (shown(ours[c.name], c.unit), signed(delta(ours[c.name], theirs[c.name], c.unit), c.unit))
        ]

    def _plain(self, now: Sums, before: Sums) -> dict[str, Any]:
        ours, theirs = self.sheet.of(now), self.sheet.of(before)
        return {
            c.name: {
                "now": plain(ours[c.name], c.unit),
                "before": plain(theirs[c.name], c.unit),
                "difference": delta(ours[c.name], theirs[c.name], c.unit),
            }
            for c in self.sheet.columns
        }


def own(name: RowName, length: str) -> Periods:
    """The periods that a row is one of."""
    return periods(name.zone, length)


def named(name: RowName, length: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """Where a row is, for programs."""
    utc, local = starts(name.period.start, own(name, length))
    where = dict(zip(labels, name.labels, strict=True))
    return {"start": utc, "local_start": local, "zone": name.zone, **where}


def about(selection: Selection, sheet: Sheet) -> dict[str, Any]:
    """What a table is about, for programs; `attribution` says of each column where it was taken from."""
    return {"table": sheet.name, "by": selection.length, "attribution": sheet.sides(selection.attribution)}


def attributed(selection: Selection, sheet: Sheet) -> str:
    """From which attribution the columns are taken, for people."""
    sides: dict[str, list[str]] = {}
    titles = {column.name: column.title for column in sheet.columns}
    for column, side in sheet.sides(selection.attribution).items():
        sides.setdefault(side, []).append(titles[column])
    most = max(sides, key=lambda side: len(sides[side]))
    rest = "".join(f"; {', '.join(names)} by {side}" for side, names in sides.items() if side != most)
    return f"{sheet.name} by {selection.length}, attributed by {most}{rest}"


def _named_shown(name: RowName, length: str) -> Row:
    return [*starts_shown(name.period.start, own(name, length)), *name.labels]


def _span_of(selection: Selection) -> Span:
    if selection.begin is None or selection.end is None:
        raise Trouble("cannot compare without a span", "--compare needs --from and --to", exit_code=2)
    return Span(selection.begin, selection.end)
