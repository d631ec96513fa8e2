"""A report by weekday and hour of local time, as text, JSON and CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stream.cli.report_table import Report
from stream.cli.report_values import csv_values, plain, shown
from stream.cli.tables import table
from stream.core.calendar import WEEKDAYS
from stream.core.reports.heat import HOURS, Heat, by_weekday, overall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.cli.report_table import Row
    from stream.core.reports.heat import Hour, Matrix
    from stream.core.reports.sheets import Unit, Value
    from stream.core.reports.sums import IntervalCell, Selection

_SAYS: Final = {
    "arrivals": "inbound contacts that arrived",
    "outside": "inbound contacts that arrived outside opening hours",
    "abandonment": "visits abandoned, % of those that ended, short abandons left out",
}
_OF_QUEUES: Final = {
    "arrivals": "visits that began",
    "outside": "visits that began outside opening hours",
}


class HeatMap(Report):
    """Arrivals, arrivals outside opening hours, or net abandonment by weekday and hour."""

    def __init__(self, kind: str, selection: Selection) -> None:
        """Nothing has been added.

        Args:
            kind: one of `stream.core.reports.heat.KINDS`.
            selection: what of the cells.
        """
        self.heat = Heat(kind, selection)
        super().__init__(self.heat.tally.selection)
        self.unit: Unit = "share" if kind == "abandonment" else "count"

    def add(self, cell: IntervalCell) -> None:
        """Add one cell."""
        self.heat.tally.add(cell)

    @property
    def says(self) -> str:
        """What is shown."""
        kind = self.heat.kind
        says = _OF_QUEUES.get(kind, _SAYS[kind]) if self.selection.queues else _SAYS[kind]
        return says + (f", {', '.join(sorted(self.selection.queues))}" if self.selection.queues else "")

    def lines(self) -> list[str]:
        """Seven weekdays of twenty-four hours, what is outside opening hours, and how much that is in all."""
        matrix = self.heat.matrix()
        local = f"by weekday and hour of local time ({', '.join(matrix.zones) or 'nothing yet'})"
        lines = [f"{self.says}, {local}", *self._rows(matrix)]
        if self.heat.kind == "outside":
            return lines
        halves = {"within opening hours": matrix.inside, "outside opening hours": matrix.outside}
        parts = (f"{name} {self._said(overall(half, self.heat.kind))}" for name, half in halves.items())
        return [*lines, "; ".join(parts)]

    def answer(self) -> dict[str, Any]:
        """Every hour of the week that has anything, within and outside opening hours."""
        matrix = self.heat.matrix()
        return {
            "heat": matrix.kind,
            "zones": list(matrix.zones),
            "hours": [
                {
                    "weekday": WEEKDAYS[hour.weekday],
                    "hour": hour.hour,
                    "in_hours": inside,
                    "value": plain(value, self.unit),
                }
                for hour, inside, value in self._split(matrix)
            ],
            "all": plain(overall(matrix.all, matrix.kind), self.unit),
        }

    def records(self) -> Iterator[Row]:
        """One line for each hour of the week, within and outside opening hours."""
        yield ["weekday", "hour", "in_hours", *self._csv_titles()]
        for hour, inside, value in self._split(self.heat.matrix()):
            yield [WEEKDAYS[hour.weekday], hour.hour, "yes" if inside else "no", *csv_values(value, self.unit)]

    def _csv_titles(self) -> list[str]:
        name = self.heat.kind
        return [name] if self.unit == "count" else [name, f"{name}_numerator", f"{name}_denominator"]

    def _split(self, matrix: Matrix) -> Iterator[tuple[Hour, bool, Value]]:
        halves = [(False, matrix.outside)]
        halves += [] if matrix.kind == "outside" else [(True, matrix.inside)]
        found = [(hour, inside, value) for inside, half in halves for hour, value in half.items()]
        yield from sorted(found, key=lambda each: (each[0], not each[1]))

    def _rows(self, matrix: Matrix) -> list[str]:
        titles = ("", *(f"{hour:02d}" for hour in HOURS), "all")
        rows = [
            [name, *(None if value is None else shown(value, self.unit) for value in hours), shown(day, self.unit)]
            for name, hours, day in by_weekday(matrix)
        ]
        return table(titles, rows)

    def _said(self, value: Value) -> str:
        number = shown(value, self.unit)
        if number is None:
            return "none"
        return f"{number:,}" + (" %" if self.unit == "share" else "")
