"""The small job in its shortest form: what every program that reads the generated calls must have counted.

Per queue: offered, answered, abandoned, and the sum of waits in milliseconds. Pure; no clock, no I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.calls import Line

Figures = dict[str, list[int]]
"""Queue -> [offered, answered, abandoned, wait in ms]."""


class Truth:
    """Counts generated lines as they are handed out, in order."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self.figures: Figures = {}
        self._waiting: dict[str, tuple[str, int]] = {}

    def add(self, line: Line) -> None:
        """Count one event."""
        if line.type == "queue.entered":
            self._waiting[line.contact_id] = (line.queue, line.at)
            self._row(line.queue)[0] += 1
        elif line.type in {"agent.connected", "contact.ended"}:
            entered = self._waiting.pop(line.contact_id, None)
            if entered is None:
                return
            row = self._row(entered[0])
            row[1 if line.type == "agent.connected" else 2] += 1
            row[3] += line.at - entered[1]

    def _row(self, queue: str) -> list[int]:
        return self.figures.setdefault(queue, [0, 0, 0, 0])
