"""The ledger of one shard: counters with what was taken back, and interval cells.

A difference of contributions is booked once: a rise to the total, a fall to the retracted twin, and both
to the cells of its intervals (2-numbers 2.1, 3-metrics 3.4). A cell lives while a row of its channel that began no
later is in the state, because only such a row can still correct it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from stream.core.figures.figures import INTERVAL_MS, NEVER, Cell
from stream.core.policy import NONE

if TYPE_CHECKING:
    from stream.core.figures.figures import CellKey, Contributions, Figure, Figures, Place

DAY_INTERVALS = 96


class Book:
    """Counters and cells, and which of them a batch has touched."""

    __slots__ = ("_alive", "_swept_at", "cells", "changed_cells", "changed_figures", "dirty", "figures")

    def __init__(self, figures: Figures) -> None:
        """Nothing booked."""
        self.figures = figures
        self.cells: dict[CellKey, Cell] = {}
        self.changed_cells: set[Cell] = set()
        self.changed_figures: set[Figure] = set()
        self.dirty: set[Cell] = set()  # to be published
        self._alive: dict[str, dict[int, int]] = defaultdict(dict)  # channel -> first day -> rows
        self._swept_at = -1

    def count(self, figure: Figure, amount: int = 1) -> None:
        """Raise (or, below 0, take back from) a counter."""
        if amount > 0:
            figure.total += amount
        else:
            figure.retracted -= amount
        self.changed_figures.add(figure)

    def differ(self, old: Contributions, new: Contributions) -> list[tuple[Figure, int]]:
        """Book ``new`` in place of ``old`` (which is used up); the figures that fell, with by how much."""
        if not old:
            for (figure, _, _), amount in new.items():
                figure.base.total += amount
                self.changed_figures.add(figure.base)
            self._lay(new)
            return []
        moved = {} if old == new else _moved(old, new)
        nets: dict[Figure, int] = {}
        for (figure, _, _), amount in moved.items():
            nets[figure.base] = nets.get(figure.base, 0) + amount
        self._lay(moved)
        fallen: list[tuple[Figure, int]] = []
        for figure, amount in nets.items():
            if amount:
                self.count(figure, amount)
                if amount < 0:
                    fallen.append((figure, -amount))
        return fallen

    def _lay(self, moved: Contributions) -> None:
        """Put into the cells what has changed."""
        changed_cells = self.changed_cells
        for (figure, arrival, outcome), amount in moved.items():
            base, place = figure.base, figure.place
            if place is None:
                continue
            if arrival != NEVER:
                cell = place.arrivals.get(arrival) or self.cell(place, arrival, "arrival")
                cell.counts[base] = cell.counts.get(base, 0) + amount
                changed_cells.add(cell)
            if outcome != NEVER:
                cell = place.outcomes.get(outcome) or self.cell(place, outcome, "outcome")
                cell.counts[base] = cell.counts.get(base, 0) + amount
                changed_cells.add(cell)

    def begin(self, channel: str, first_at: int) -> None:
        """A row of ``channel`` that began at ``first_at`` (ms) is in the state."""
        day = first_at // (INTERVAL_MS * DAY_INTERVALS)
        alive = self._alive[channel]
        alive[day] = alive.get(day, 0) + 1

    def end(self, channel: str, first_at: int) -> None:
        """It has left."""
        day = first_at // (INTERVAL_MS * DAY_INTERVALS)
        alive = self._alive[channel]
        alive[day] -= 1
        if not alive[day]:
            del alive[day]

    def spent(self, watermark: int, lateness_ms: int) -> list[CellKey]:
        """Once an event-time day: forget the cells nothing can correct any more; their keys."""
        today = (watermark - lateness_ms) // (INTERVAL_MS * DAY_INTERVALS)
        if today == self._swept_at:
            return []
        self._swept_at = today
        oldest = {channel: min(days, default=today) for channel, days in self._alive.items()}
        any_channel, every = oldest.get("*", today), min(oldest.values(), default=today)
        gone = []
        for key, cell in self.cells.items():
            rows = every if key[2] == NONE else oldest.get(key[2], today)  # no channel: a row of any may correct it
            if cell not in self.dirty and key[0] // DAY_INTERVALS < min(today, any_channel, rows):
                gone.append(key)
        for key in gone:
            self.forget(self.cells[key])
        return gone

    def forget(self, cell: Cell) -> None:
        """Drop a cell from the state."""
        self.cells.pop(cell.key, None)
        cell.place.cells(cell.by).pop(cell.interval, None)
        self.changed_cells.discard(cell)
        self.dirty.discard(cell)

    def cell(self, place: Place, interval: int, by: str) -> Cell:
        """The cell at a place, made if it is not there."""
        cells = place.cells(by)
        cell = cells.get(interval)
        if cell is None:
            cell = cells[interval] = Cell(interval, by, place)
            self.cells[cell.key] = cell
        return cell


def _moved(old: Contributions, new: Contributions) -> Contributions:
    """By how much each contribution rose or fell; uses ``old`` up."""
    moved: Contributions = {}
    for key, amount in new.items():
        before = old.pop(key, 0)
        if amount != before:
            moved[key] = amount - before
    for key, amount in old.items():
        moved[key] = -amount
    return moved
