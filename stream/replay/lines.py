"""Recorded events as JSON lines: ``{"topic": "calls", "event": {...}, "recorded_at": "..."}``.

A line may carry ``key`` and ``recorded_at``; without the second nothing is ``future``. Without the first the key is
what 1-events 1.2 says it must be. A line that is not one is told with its number, never skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.core.engine.batch import Record
from stream.core.trouble import Trouble
from stream.wire.lines import read_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stream.wire.lines import Line


def records(lines: Iterable[bytes], name: str) -> Iterator[Record]:
    """The records in ``lines``; ``offset`` is the line number from 1.

    Args:
        lines: of the file, with or without their line ends; empty ones are passed over.
        name: of the file, for messages.

    Raises:
        Trouble: a line is not a recorded event.
    """
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line: Line = read_line(text)
        except ValueError as problem:
            hint = 'expected {"topic": "calls", "event": {...}}'
            raise Trouble(f"cannot read line {number} of {name}", str(problem), hint) from None
        yield Record(line.topic, number, line.recorded_at, line.key, line.value, ())
