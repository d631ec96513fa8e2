"""The interval rule: nothing is skipped, nothing is counted twice. Pure; 4-architecture 4.4.

Faust acknowledges and commits past records that were never applied, and its queues lose what they hold when a
rebalance clears them. So no offset of Faust's is believed here. A chunk says between which two read positions it was
fetched, a shard knows the offset it applies next, and the two decide together:

    log        ...  4   5   6   7   8   9  10  11 ...
    next                        ^ 7
    [3, 7)     |-----------|              DUPLICATE  all of it was applied
    [5, 9)         |---------------|      APPLY      from 7 on; next becomes 9
    [9, 12)                        |---   HOLE       7 and 8 are missing: look at the log, then seek
                                          STALE      the same, but read before the latest seek: drop

This module must never guess and never wait.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.core.engine.batch import Record


class Chunk(NamedTuple):
    """Records of one source partition and the read positions between which they were fetched.

    Attributes:
        topic: short source name.
        partition: its number.
        start: read position before the fetch; every record of the log in `[start, end)` that exists is in here.
        end: read position after it; may lie beyond the last record (control records, aborted batches).
        epoch: number of the latest seek of this partition before the fetch.
        records: in offset order, all with `start <= offset < end`.
    """

    topic: str
    partition: int
    start: int
    end: int
    epoch: int
    records: Sequence[Record]


class Ruling(Enum):
    """What becomes of a chunk."""

    DUPLICATE = "duplicate"
    APPLY = "apply"
    STALE = "stale"
    HOLE = "hole"


def judge(start: int, end: int, following: int, *, current: bool) -> Ruling:
    """Decide what becomes of a chunk `[start, end)` in front of a shard.

    Args:
        start: the chunk's first read position.
        end: its last read position, exclusive.
        following: the offset that the shard applies next.
        current: whether the chunk was read after the latest seek of its partition.
    """
    if end <= following:
        return Ruling.DUPLICATE
    if start <= following:
        return Ruling.APPLY
    return Ruling.HOLE if current else Ruling.STALE


class Remedy(NamedTuple):
    """How a hole is closed.

    Attributes:
        following: the offset to seek to and to apply next.
        lost: records' offsets that the log no longer holds; 0 when all can be read again.
    """

    following: int
    lost: int


def close_hole(following: int, log_start: int) -> Remedy:
    """Return where to read on after a hole at `following`, given the first offset that the log still holds."""
    return Remedy(max(following, log_start), max(0, log_start - following))


class Reading:
    """The read positions of one consumer: where each partition's next chunk starts, and the seek epochs.

    Lives in the consumer's thread, where seeks and drains happen one after the other; other threads may only look at
    `epoch` and `end`. A partition that was not sought since the latest assignment has no start: nothing can be said
    about what was read before it, so such records are dropped and the seek that follows reads them again.
    """

    def __init__(self) -> None:
        self._starts: dict[tuple[str, int], int] = {}
        self._epochs: dict[tuple[str, int], int] = {}

    def sought(self, topic: str, partition: int, offset: int) -> None:
        """Note that the consumer was told to read on from `offset`."""
        source = (topic, partition)
        self._epochs[source] = self._epochs.get(source, 0) + 1
        self._starts[source] = offset

    def forget(self) -> None:
        """Note that a new assignment replaced all positions."""
        self._starts.clear()

    def chunk(self, topic: str, partition: int, records: Sequence[Record], position: int) -> Chunk | None:
        """Return what was drained as a chunk, or None when there is nothing to hand on.

        A drain without records that moved the position (over control records or an aborted batch) hands its start
        to the following one.

        Args:
            topic: short source name.
            partition: its number.
            records: what was drained, in offset order.
            position: the consumer's read position right after the drain.
        """
        source = (topic, partition)
        start = self._starts.get(source)
        if start is None or not records:
            return None
        self._starts[source] = position
        return Chunk(topic, partition, start, position, self._epochs[source], records)

    def open(self, topic: str, partition: int) -> bool:
        """Tell whether the partition was sought since the latest assignment."""
        return (topic, partition) in self._starts

    def epoch(self, topic: str, partition: int) -> int:
        """Return the number of the latest seek; 0 before the first."""
        return self._epochs.get((topic, partition), 0)

    def end(self, topic: str, partition: int) -> int | None:
        """Return the end of the latest chunk handed on (or the seek's target); None before a seek."""
        return self._starts.get((topic, partition))


def cut(chunk: Chunk, most: int) -> list[Chunk]:
    """Divide a chunk into consecutive ones of at most `most` records; together they cover the same positions."""
    pieces: list[Chunk] = []
    start = chunk.start
    for first in range(0, len(chunk.records), most):
        records = chunk.records[first : first + most]
        last = first + most >= len(chunk.records)
        end = chunk.end if last else records[-1].offset + 1
        pieces.append(chunk._replace(start=start, end=end, records=records))
        start = end
    return pieces


def fresh(chunk: Chunk, following: int) -> Sequence[Record]:
    """Return the chunk's records from `following` on."""
    if not chunk.records or chunk.records[0].offset >= following:
        return chunk.records
    return [record for record in chunk.records if record.offset >= following]
