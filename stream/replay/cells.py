"""Interval cells from where they are stored: the interval topic, or the lines that `replay --cells` writes.

Of each key only the latest value counts. One partition's cells are held in memory at a time, of a file all.
Never in this module: a sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.core.trouble import Trouble
from stream.wire.cells import read_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stream.core.reports.sums import IntervalCell
    from stream.replay.archive import Archive

    Progress = Callable[[int, int], None]


def from_topic(archive: Archive, partitions: Iterable[int], wanted: Callable[[bytes], bool]) -> Iterator[IntervalCell]:
    """The cells on the interval topic, partition by partition.

    Args:
        archive: where the topic is.
        partitions: of the interval topic, all of them.
        wanted: says of a key whether its cell is wanted.

    Raises:
        Trouble: a record is no cell.
    """
    for number in partitions:
        newest: dict[bytes, bytes] = {}
        records = archive.read(
            ("intervals",), partitions={number}, wanted=lambda key, _value: key is not None and wanted(key)
        )
        for record in records:
            key = record.key or b""
            if record.value is None:
                newest.pop(key, None)
            else:
                newest[key] = record.value
        for key, value in newest.items():
            yield _read(value, f"the cell {key.decode(errors='replace')} on the interval topic")


def from_lines(
    lines: Iterable[bytes], name: str, wanted: Callable[[bytes], bool], progress: Progress
) -> Iterator[IntervalCell]:
    """The cells in a file.

    Args:
        lines: of the file; empty ones are passed over.
        name: of the file, for messages.
        wanted: says of a key whether its cell is wanted.
        progress: called with the lines read and where the last cell begins, ms.

    Raises:
        Trouble: a line is no cell.
    """
    newest: dict[bytes, tuple[int, bytes]] = {}
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        cell = _read(text, f"line {number} of {name}")
        progress(number, cell.start)
        if wanted(cell.key):
            newest[cell.key] = (number, text)
    for number, text in newest.values():
        yield _read(text, f"line {number} of {name}")


def _read(value: bytes, place: str) -> IntervalCell:
    try:
        return read_cell(value)
    except ValueError as problem:
        hint = "expected interval cells as replay --cells writes them"
        raise Trouble(f"cannot read {place}", str(problem), hint) from None
