"""Interval cells added up: what a report's rows are made of, before anything is divided.

A row is a local period and the labels that the report goes by; it holds sums of the counts as they stand in the cells
(time in ms). Every fact stands once by arrival and once by outcome, some only on one side (3-metrics 3.4): each is
taken from the side that was asked for, or from the one that has it, never from both.

Never in this module: a quotient, or a policy's judgement; it reads no clock. Source: 3-metrics 3.4, 2-numbers 2.9.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeVar

from stream.core.figures.families import SERVICE
from stream.core.figures.family import CASE_STAGE
from stream.core.figures.series import family_of, parse_series
from stream.core.policy import Policy
from stream.core.reports.periods import Bound, Period, Periods, periods

ATTRIBUTIONS: Final = ("arrival", "outcome")
_AT_ARRIVAL: Final = frozenset(
    ("contact_arrivals_total", "contact_arrivals_outside_opening_total", "contact_visits_entered_total")
)
_BEGINNINGS: Final = frozenset((("contact_steps_total", "entered"), ("contact_callbacks_total", "requested")))
_AT_OUTCOME: Final = frozenset(
    (
        "contact_handled_total",
        "contact_handle_seconds",
        "contact_talk_seconds_total",
        "contact_hold_seconds_total",
        "contact_wrapup_seconds_total",
        "contact_agent_handled_total",
        "contact_agent_handle_seconds_total",
        "contact_agent_status_seconds_total",
        "contact_team_status_seconds_total",
    )
)
_PLACE: Final = ("channel", "queue", "issue")

Key = tuple[str, ...]
"""The name of a series and the values of its labels, those left out that say where it is or which row it belongs to."""
Sums = Mapping[Key, int]
Labels = Mapping[str, str]
G = TypeVar("G")


@dataclass(frozen=True, slots=True)
class IntervalCell:
    """The counts of one quarter of an hour of one shard; `counts` by series, as on the interval topic."""

    stage: int
    shard: int
    start: int  # ms
    by: str
    channel: str
    queue: str
    issue: str
    counts: Mapping[str, int]

    @property
    def key(self) -> bytes:
        """Its key on the interval topic: what of a later record takes its place."""
        place = (self.stage, self.shard, self.start, self.by, self.channel, self.queue, self.issue)
        return "/".join(map(str, place)).encode()

    def label(self, name: str, labels: Labels) -> str:
        """A label of a series in it: its own, else that of the place where the cell lies."""
        return labels.get(name) or str(getattr(self, name))


class RowName(NamedTuple):
    """Where something is added up; sorts by time, then by labels."""

    period: Period
    labels: tuple[str, ...]
    zone: str


@dataclass(frozen=True)
class Selection:
    """What of the cells is added up, and by what.

    Attributes:
        policy: for the zones of the queues.
        series: names of the series that count.
        rows: the labels that a row goes by, for example channel and queue.
        length: of the periods, one of `periods.LENGTHS`.
        attribution: `arrival` or `outcome`, where a fact stands on both sides.
        zone: of every row; None = each queue's own, by its calendar.
        begin: of what counts; None = whatever there is.
        end: the first that does not count any more; None = whatever there is.
        channels: only these; empty = all.
        queues: only these; empty = all.
    """

    policy: Policy
    series: frozenset[str]
    rows: tuple[str, ...]
    length: str
    attribution: str = "arrival"
    zone: str | None = None
    begin: Bound | None = None
    end: Bound | None = None
    channels: frozenset[str] = field(default_factory=frozenset)
    queues: frozenset[str] = field(default_factory=frozenset)

    def periods_of(self, queue: str) -> Periods:
        """The periods in which a queue is reported; `none` is no queue and has the policy's zone."""
        return periods(self.zone or self.policy.calendar(queue).zone, self.length)

    def holds(self, cell: IntervalCell) -> bool:
        """Whether the cell is among what was asked for."""
        if (self.channels and cell.channel not in self.channels) or (self.queues and cell.queue not in self.queues):
            return False
        own = self.periods_of(cell.queue)
        if self.begin is not None and cell.start < own.moment(self.begin):
            return False
        return self.end is None or cell.start < own.moment(self.end)

    @property
    def stages(self) -> frozenset[int]:
        """The stages whose cells hold what counts."""
        return frozenset(SERVICE[family_of(name)].stage for name in self.series)


class Tally(Generic[G]):
    """Sums of one selection by group, while cells are added."""

    def __init__(self, selection: Selection, group: Callable[[IntervalCell, Labels], G]) -> None:
        """Nothing has been added.

        Args:
            selection: what of the cells.
            group: where a series of a cell, given by its labels, is added to.
        """
        self.selection = selection
        self.groups: dict[G, dict[Key, int]] = {}
        self._group = group
        self._met: dict[str, tuple[str, Key, Labels] | None] = {}

    def add(self, cell: IntervalCell) -> None:
        """Add what of a cell was asked for."""
        if not self.selection.holds(cell):
            return
        for series, amount in cell.counts.items():
            met = self._met[series] if series in self._met else self._meet(series)
            if met is None or met[0] != cell.by:
                continue
            _, key, labels = met
            self.groups.setdefault(self._group(cell, labels), defaultdict(int))[key] += amount

    def _meet(self, series: str) -> tuple[str, Key, Labels] | None:
        name, labels = parse_series(series)
        met = None
        if name in self.selection.series:
            inside = {*_PLACE, *self.selection.rows}
            key = (name, *(value for label, value in labels.items() if label not in inside))
            met = side(key, self.selection.attribution), key, labels
        self._met[series] = met
        return met


def rows_of(selection: Selection) -> Tally[RowName]:
    """A tally by local period and by the labels of the rows."""

    def row(cell: IntervalCell, labels: Labels) -> RowName:
        own = selection.periods_of(cell.queue)
        place = tuple(cell.label(name, labels) for name in selection.rows)
        return RowName(own.of(cell.start), place, own.zone)

    return Tally(selection, row)


def side(key: Key, attribution: str) -> str:
    """By which attribution a figure is taken: as asked, or as it can be had.

    Args:
        key: of the figure.
        attribution: asked for.
    """
    family = family_of(key[0])
    if family in _AT_OUTCOME:
        return "outcome"
    if key in _BEGINNINGS or family in _AT_ARRIVAL or SERVICE[family].stage == CASE_STAGE:
        return "arrival"
    return attribution


def total(rows: Iterable[Sums]) -> Sums:
    """All of them as one."""
    found: dict[Key, int] = defaultdict(int)
    for sums in rows:
        for key, amount in sums.items():
            found[key] += amount
    return found
