"""What waits for one shard, and what of it makes the next batch. Pure: no clock, no I/O.

Chunks come in the order in which they were read, per topic; the interval rule decides on each when its turn comes,
against the offset that its topic applies next at that point of the batch.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.worker.intervals import Ruling, fresh, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stream.core.engine.batch import Record
    from stream.worker.intervals import Chunk
    from stream.worker.settings import Limits


@dataclass(slots=True)
class Batch:
    """Records for one transaction.

    Attributes:
        records: of all topics; each topic's in offset order.
        positions: topic -> the offset to apply next once this batch is stored, for each topic it touches.
        hole: topic and start of a chunk that lies beyond the next offset; the batch ends before it.
    """

    records: list[Record] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    hole: tuple[str, int] | None = None


class Inbox:
    """Chunks waiting for one shard."""

    def __init__(self, limits: Limits, rule: Callable[..., Ruling] = judge) -> None:
        """Start empty; only a test that shows what happens without the interval rule gives another one."""
        self._limits = limits
        self._rule = rule
        self._chunks: deque[Chunk] = deque()
        self.records = 0
        """How many records wait."""

    def put(self, chunk: Chunk) -> None:
        """Add a chunk behind the others."""
        self._chunks.append(chunk)
        self.records += len(chunk.records)

    def __len__(self) -> int:
        """Count the chunks; one may be without records, to show a hole."""
        return len(self._chunks)

    def gather(self, following: dict[str, int], epoch: Callable[[str], int]) -> Batch:
        """Take the next batch out.

        Args:
            following: topic -> the offset to apply next; not changed.
            epoch: topic -> number of its latest seek.

        Returns:
            A batch within the limits, perhaps empty. A hole ends it, and the chunk beyond the hole is gone.
        """
        batch = Batch()
        size = 0
        while self._chunks and size < self._limits.batch_bytes:
            chunk = self._chunks[0]
            at = batch.positions.get(chunk.topic, following[chunk.topic])
            ruling = self._rule(chunk.start, chunk.end, at, current=chunk.epoch == epoch(chunk.topic))
            if ruling is Ruling.APPLY:
                records = fresh(chunk, at)
                if batch.records and len(batch.records) + len(records) > self._limits.batch_records:
                    break
                kept, size = _within(records, self._limits.batch_bytes, size)
                batch.records.extend(kept)
                if len(kept) < len(records):
                    batch.positions[chunk.topic] = records[len(kept)].offset
                    break
                batch.positions[chunk.topic] = chunk.end
            self._chunks.popleft()
            self.records -= len(chunk.records)
            if ruling is Ruling.HOLE:
                batch.hole = (chunk.topic, chunk.start)
                break
        return batch


def _within(records: Sequence[Record], most: int, size: int) -> tuple[Sequence[Record], int]:
    """Return as many leading records as fit into `most` bytes, at least one into an empty batch, and the new size."""
    for count, record in enumerate(records):
        weight = len(record.value or b"") + len(record.key or b"")
        if size and size + weight > most:
            return records[:count], most
        size += weight
    return records, size
