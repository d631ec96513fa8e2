"""Another system's report beside ours: which of our definitions it follows, and what differs under them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from stream.cli.report_table import START_NAMES, START_TITLES, Report, named, own
from stream.cli.report_values import rounded, signed, starts, starts_shown
from stream.cli.tables import table
from stream.core.reports.nearest import match
from stream.core.reports.sheets import QUEUES
from stream.core.reports.sums import ATTRIBUTIONS, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.cli.report_table import Row
    from stream.core.reports.nearest import Difference, Match, Nearest
    from stream.core.reports.sums import IntervalCell, Selection
    from stream.wire.other_report import OtherReport

_UNITS: Final = {column.name: column.unit for column in QUEUES.columns} | {"abandonment": "share"}
_HIDDEN: Final = {
    "share": 0.0005,
    "seconds": 1.0,
    "count": 0.0,
}  # by rounding to a tenth of a percent, by cutting off to a second
_SLACK: Final = 1e-9
_SAID: Final = {"share": " %", "seconds": " s", "count": ""}


class Against(Report):
    """Their report, and our rows of the same intervals by arrival and by outcome."""

    def __init__(self, selection: Selection, theirs: OtherReport) -> None:
        """Nothing has been added.

        Args:
            selection: for the policy, and what is chosen of queues and channels.
            theirs: read already; its span, zone and interval hold. What it does not name is not compared.
        """
        found = [row.period for row in theirs.rows]
        self._labels = {row.labels for row in theirs.rows}
        begin, end = min(found).start, max(period.end for period in found)
        same = replace(
            selection,
            series=QUEUES.series,
            rows=theirs.labels,
            length=theirs.interval,
            zone=theirs.zone,
            begin=begin,
            end=end,
        )
        super().__init__(same)
        self._theirs = theirs
        self._ours = {by: rows_of(replace(same, attribution=by)) for by in ATTRIBUTIONS}

    def add(self, cell: IntervalCell) -> None:
        """Add one cell to both."""
        for tally in self._ours.values():
            tally.add(cell)

    def match(self) -> Match:
        """The nearest definitions, and what differs under them."""
        ours = {
            by: {row: sums for row, sums in tally.groups.items() if row.labels in self._labels}
            for by, tally in self._ours.items()
        }
        return match(self._theirs.rows, ours)

    def lines(self) -> list[str]:
        """A sentence for each choice, then what differs by more than rounding hides."""
        found = self.match()
        apart = [each for each in found.differences if _differs(each)]
        rows = [
            [
                *starts_shown(each.row.period.start, own(each.row, self.selection.length)),
                *each.row.labels,
                each.column.replace("_", " ") + _SAID[_UNITS[each.column]],
                rounded(each.theirs, _UNITS[each.column]),
                rounded(each.ours, _UNITS[each.column]),
                signed(_difference(each), _UNITS[each.column]),
            ]
            for each in apart
        ]
        equal = len(found.differences) - len(apart)
        titles = (*START_TITLES, *self.selection.rows, "column", "theirs", "ours", "±")
        return [
            *(_sentence(choice) for choice in (found.attribution, found.service_level, found.abandonment)),
            f"{equal:,} of {len(found.differences):,} values are equal under these definitions, but for rounding",
            *table(titles, rows),
        ]

    def answer(self) -> dict[str, Any]:
        """The choices with all distances, and every value beside ours."""
        found = self.match()
        length, labels = self.selection.length, self.selection.rows
        return {
            "by": length,
            "nearest": {
                choice.about: {"names": choice.names, "distances": choice.distances, "compared": choice.compared}
                for choice in (found.attribution, found.service_level, found.abandonment)
            },
            "values": [
                named(each.row, length, labels)
                | {"column": each.column, "theirs": each.theirs, "ours": each.ours, "difference": _difference(each)}
                for each in found.differences
            ],
        }

    def records(self) -> Iterator[Row]:
        """One line for each value."""
        yield [*START_NAMES, *self.selection.rows, "column", "theirs", "ours", "difference"]
        for each in self.match().differences:
            where = starts(each.row.period.start, own(each.row, self.selection.length))
            yield [*where, *each.row.labels, each.column, each.theirs, each.ours, _difference(each)]


def _difference(each: Difference) -> float | None:
    """By how much ours is more."""
    return None if each.theirs is None or each.ours is None else each.ours - each.theirs


def _differs(each: Difference) -> bool:
    more = _difference(each)
    if more is None:
        return (each.theirs or 0) != (each.ours or 0)
    return abs(more) > _HIDDEN[_UNITS[each.column]] + _SLACK


def _sentence(choice: Nearest) -> str:
    if not choice.names:
        return f"{choice.about}: nothing to compare"
    order = sorted(choice.distances.items(), key=lambda each: each[1])
    nearest = " and ".join(choice.names)
    verb = "is nearest" if len(choice.names) == 1 else "are equally near"
    others = ", ".join(f"{name} {_far(far, choice)}" for name, far in order if name not in choice.names)
    points = " percentage points" if choice.rate else ""
    apart = f"{_far(order[0][1], choice)}{points} apart over {choice.compared:,} values"
    return f"{choice.about}: {nearest} {verb}, {apart}" + (f"; {others}" if others else "")


def _far(distance: float, choice: Nearest) -> str:
    return f"{100 * distance:,.1f}" if choice.rate else f"{distance:,.0f}"
