"""What a contact or a case counted, line by line, and the names of interval cells (2-numbers 2.1, 3-metrics 3.4).

A line is one figure, an amount, and the intervals and the place of the cells it is in. Amounts are as the net figures:
seconds where the name says so, every bucket of a histogram counted for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stream.core.figures.families import SERVICE
from stream.core.figures.figures import INTERVAL_MS, NEVER
from stream.core.figures.series import family_of, series_of
from stream.core.reports.sums import ATTRIBUTIONS
from stream.wire.times import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.core.figures.figures import Contributions

CELL_FORMS: Final = "STAGE/SHARD/START_MS/BY/CHANNEL/QUEUE/ISSUE or START,BY,CHANNEL,QUEUE[,ISSUE]"
_KEY_PARTS: Final = 7


class Counted(NamedTuple):
    """One line. ``arrival`` and ``outcome``: starts of intervals, ms; None = no cell on that side."""

    series: str
    amount: int | float
    arrival: int | None
    outcome: int | None
    place: tuple[str, str, str] | None

    @property
    def plain(self) -> dict[str, object]:
        """As `--json` prints it."""
        names = {} if self.place is None else dict(zip(("channel", "queue", "issue"), self.place, strict=True))
        starts = {"arrival": self.arrival, "outcome": self.outcome}
        cell = {name: None if at is None else format_time(at) for name, at in starts.items()}
        return {"figure": self.series, "amount": self.amount, **cell, **names}


class Cell(NamedTuple):
    """An interval cell; ``stage`` and ``shard`` None = of every shard, added up. ``start`` in ms."""

    start: int
    by: str
    channel: str
    queue: str
    issue: str = "none"
    stage: int | None = None
    shard: int | None = None

    def key(self, stage: int, shard: int) -> bytes:
        """Its key on the interval topic."""
        return f"{stage}/{shard}/{self.start}/{self.by}/{self.channel}/{self.queue}/{self.issue}".encode()

    def __str__(self) -> str:
        """Say it for people."""
        shard = "" if self.shard is None else f"stage {self.stage}, shard {self.shard}: "
        return f"{shard}{format_time(self.start)} by {self.by}, {self.channel}, {self.queue}, issue {self.issue}"


def parse_cell(name: str) -> Cell:
    """A cell by its key on the interval topic, or by its start and labels.

    Raises:
        ValueError: it is neither; the message says what was expected.
    """
    slashed, commas = name.split("/"), name.split(",")
    if len(slashed) == _KEY_PARTS and all(part.isascii() and part.isdecimal() for part in slashed[:3]):
        stage, shard, start = map(int, slashed[:3])
        by, channel, queue, issue = slashed[3:]
        cell = Cell(start, by, channel, queue, issue, stage, shard)
    elif len(commas) in (_KEY_PARTS - 3, _KEY_PARTS - 2):
        start_at, by, channel, queue, issue = (*commas, "none")[: _KEY_PARTS - 2]
        cell = Cell(parse_time(start_at), by, channel, queue, issue)
    else:
        raise ValueError(f"expected {CELL_FORMS}, got {name!r}")
    if cell.by not in ATTRIBUTIONS:
        raise ValueError(f"expected arrival or outcome, got {cell.by!r}")
    return cell._replace(start=cell.start - cell.start % INTERVAL_MS)


def lines_of(worth: Contributions) -> list[Counted]:
    """What contributions say, in the order of the figures' names; nothing that is kept for gauges alone."""
    found = []
    for (figure, arrival, outcome), amount in worth.items():
        if amount and SERVICE[figure.family].scope != "state":
            place = None if figure.place is None else figure.place.name
            series = series_of(figure.base.key)
            begun, ended = (None if at == NEVER or place is None else at * INTERVAL_MS for at in (arrival, outcome))
            found.append(Counted(series, shown(series, amount), begun, ended, place))
    return sorted(found, key=lambda line: (line.series, line.arrival or 0, line.outcome or 0))


def in_cell(worth: Contributions, cell: Cell) -> dict[str, int]:
    """What of the contributions lies in a cell: series -> amount as stored (ms, buckets for themselves)."""
    found: dict[str, int] = {}
    number = cell.start // INTERVAL_MS
    for (figure, arrival, outcome), amount in worth.items():
        if figure.place is None or figure.place.name != (cell.channel, cell.queue, cell.issue):
            continue
        if number == (arrival if cell.by == "arrival" else outcome):
            series = series_of(figure.base.key)
            found[series] = found.get(series, 0) + amount
    return {series: amount for series, amount in found.items() if amount}


def shown(series: str, amount: int) -> int | float:
    """A stored amount as people see it: seconds where the series' name says so."""
    base = family_of(series)
    whole, rest = divmod(amount, 1000)
    if SERVICE[base].unit != "seconds" or series.partition("{")[0].endswith("_bucket"):
        return amount
    return amount / 1000 if rest else whole


def named(counts: Mapping[str, int], figure: str | None) -> dict[str, int]:
    """Of a cell's counts those of one family or one series; None = all."""
    if figure is None:
        return dict(counts)
    return {series: amount for series, amount in counts.items() if figure in (series, family_of(series))}
