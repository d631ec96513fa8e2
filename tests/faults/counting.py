"""A small, durable shard whose results anybody can compute again: how often was each key seen, and where do we stand.

It has the methods of `stream.core.contacts.shard.Shard` and none of its rules. Each record gives one output whose id is
the record's place in its source, so that a lost or doubled transaction shows in three ways: counts, positions, outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.core.engine.batch import Output

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from stream.core.engine.batch import Record

SHARD_ROW = b"~shard"
POISON = b"!"


@dataclass(slots=True)
class CountedChanges:
    """What a batch changed; the shape of `stream.core.engine.batch.Changes`."""

    changelog: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    applied: int = 0
    duplicates: int = 0
    rejected: int = 0


@dataclass(slots=True)
class CountedView:
    """Committed figures."""

    stage: int
    partition: int
    records: int = 0


class CountingShard:
    """Counts records per key."""

    def __init__(self, stage: int, partition: int, *, outputs: bool = True, pad: int = 0) -> None:
        self.view = CountedView(stage, partition)
        self.next: dict[str, int] = {}
        self.counts: dict[bytes, int] = {}
        self.idle_seen: set[str] = set()
        self._outputs = outputs
        self._pad = b" " * pad
        self._partition = partition

    def load(self, key: bytes, value: bytes | None) -> None:
        """Take one changelog record."""
        if value is None:
            self.counts.pop(key, None)
        elif key == SHARD_ROW:
            self.next = positions_of(value)
        else:
            self.counts[key] = int(value)

    def loaded(self) -> None:
        """Nothing to prepare."""
        self.view.records = sum(self.counts.values())

    def redecide(self) -> bool:
        """It has no policy."""
        return False

    def apply(
        self, records: Sequence[Record], positions: Mapping[str, int], now: int, idle: Collection[str] = ()
    ) -> CountedChanges:
        """Count."""
        assert now > 0
        self.idle_seen.update(idle)
        changes = CountedChanges()
        touched: dict[bytes, None] = {}
        for record in records:
            place = f"{record.topic}:{self._partition}:{record.offset}".encode()
            if record.key is None or record.value is None or record.value.startswith(POISON):
                changes.rejected += 1
                headers = [*record.headers, ("x-id", place)]
                changes.outputs.append(Output("rejected", record.key, record.value, headers, None))
                continue
            self.counts[record.key] = self.counts.get(record.key, 0) + 1
            touched[record.key] = None
            if self._outputs:
                changes.outputs.append(Output("outcomes", record.key, place, [], None))
        changes.applied = len(records) - changes.rejected
        changes.changelog = [(key, b"%d" % self.counts[key] + self._pad) for key in touched]
        self.next.update(positions)
        if positions:
            changes.changelog.append((SHARD_ROW, packed_positions(self.next)))
        return changes

    def due(self, now: int) -> bool:
        """Never: it has no timers."""
        return now < 0

    def publish(self, changes: CountedChanges) -> None:
        """Show what was committed."""
        self.view.records += changes.applied


def packed_positions(positions: Mapping[str, int]) -> bytes:
    """Positions as one row."""
    return ",".join(f"{topic}={offset}" for topic, offset in sorted(positions.items())).encode()


def positions_of(row: bytes) -> dict[str, int]:
    """The positions of a row."""
    pairs = (pair.split("=") for pair in row.decode().split(",") if pair)
    return {topic: int(offset) for topic, offset in pairs}
