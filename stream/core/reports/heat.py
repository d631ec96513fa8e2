"""Weekday by hour in local time: when people come, and when they give up waiting (R38, R48).

Every count is split by whether the queue was open then by its calendar. Of visits the quarter in which they began
decides; arrivals have no queue in their cells, theirs were told apart one by one when they were counted
(`contact_arrivals_outside_opening_total`). Always by arrival. An hour that comes twice is one hour of the week.

Source: 2-numbers 2.5 and 2.9.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from stream.core.calendar import WEEKDAYS
from stream.core.figures.ratios import abandonment
from stream.core.reports.sheets import Value, queue_counts
from stream.core.reports.sums import IntervalCell, Labels, Selection, Sums, Tally, total

KINDS: Final = ("arrivals", "abandonment", "outside")
HOURS: Final = tuple(range(24))
_INBOUND: Final = ("contact_arrivals_total", "inbound")
_OUTSIDE: Final = ("contact_arrivals_outside_opening_total",)
_OFFERED: Final = ("contact_visits_entered_total",)
_VISITS: Final = "contact_visits_total"


class Hour(NamedTuple):
    """One hour of the week; 0 is Monday, and midnight."""

    weekday: int
    hour: int


class Matrix(NamedTuple):
    """A count, or a share as (numerator, denominator), of each hour of the week that has any.

    Attributes:
        kind: one of `KINDS`.
        zones: the local times it is made of.
        all: inside and outside business hours together; of the kind `outside` only what was outside.
        inside: within business hours.
        outside: the rest.
    """

    kind: str
    zones: tuple[str, ...]
    all: Mapping[Hour, Value]
    inside: Mapping[Hour, Value]
    outside: Mapping[Hour, Value]


class Heat:
    """A matrix while cells are added."""

    def __init__(self, kind: str, selection: Selection) -> None:
        """Nothing has been added.

        Args:
            kind: one of `KINDS`.
            selection: what of the cells; attribution and series are given by the kind.
        """
        self.kind = kind
        self._of_visits = kind == "abandonment" or bool(selection.queues)
        names = (_VISITS, _OFFERED[0]) if self._of_visits else (_INBOUND[0], _OUTSIDE[0])
        own = replace(selection, series=frozenset(names), rows=(), attribution="arrival", length="hour")
        self.tally: Tally[tuple[Hour, bool, str]] = Tally(own, self._place)

    def matrix(self) -> Matrix:
        """What has been added."""
        outside: dict[Hour, Sums] = {}
        inside: dict[Hour, Sums] = {}
        for (hour, was_open, _), sums in self.tally.groups.items():
            half = inside if was_open else outside
            half[hour] = total((half.get(hour, {}), sums))
        if not self._of_visits:
            outside, inside = _told_apart(inside)
        zones = tuple(sorted({zone for _, _, zone in self.tally.groups}))
        halves = [self._values(half) for half in (inside, outside)]
        both = {hour: total((outside.get(hour, {}), inside.get(hour, {}))) for hour in outside.keys() | inside.keys()}
        return Matrix(self.kind, zones, halves[1] if self.kind == "outside" else self._values(both), *halves)

    def _place(self, cell: IntervalCell, _labels: Labels) -> tuple[Hour, bool, str]:
        selection = self.tally.selection
        own = selection.periods_of(cell.queue)
        clock = own.local(cell.start)
        inside = not self._of_visits or selection.policy.calendar(cell.queue).in_hours(cell.start)
        return Hour(clock.weekday(), clock.hour), inside, own.zone

    def _values(self, sums_of: Mapping[Hour, Sums]) -> dict[Hour, Value]:
        if self.kind == "abandonment":
            return {hour: abandonment(queue_counts(sums))["net"] for hour, sums in sums_of.items()}
        name = _OFFERED if self._of_visits else _INBOUND
        return {hour: sums[name] for hour, sums in sums_of.items() if sums.get(name)}


def overall(matrix: Mapping[Hour, Value], kind: str) -> Value:
    """All hours as one."""
    if kind != "abandonment":
        return sum(value for value in matrix.values() if isinstance(value, int))
    shares = [value for value in matrix.values() if not isinstance(value, int)]
    return sum(part for part, _ in shares), sum(whole for _, whole in shares)


def by_weekday(matrix: Matrix) -> list[tuple[str, list[Value | None], Value]]:
    """Each weekday with its hours (None = nothing at all) and all of them as one."""
    found = []
    for number, name in enumerate(WEEKDAYS):
        day = {hour: value for hour, value in matrix.all.items() if hour.weekday == number}
        found.append((name, [day.get(Hour(number, hour)) for hour in HOURS], overall(day, matrix.kind)))
    return found


def _told_apart(arrivals: Mapping[Hour, Sums]) -> tuple[dict[Hour, Sums], dict[Hour, Sums]]:
    """Arrivals outside and inside business hours, of all and how many of them were outside."""
    outside: dict[Hour, Sums] = {hour: {_INBOUND: sums.get(_OUTSIDE, 0)} for hour, sums in arrivals.items()}
    inside: dict[Hour, Sums] = {
        hour: {_INBOUND: sums.get(_INBOUND, 0) - outside[hour][_INBOUND]} for hour, sums in arrivals.items()
    }
    return outside, inside
