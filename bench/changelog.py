"""Reads a worker's changelog as its successor would: committed records only, into shards.

From it follow, without asking the worker, when which source offset was stored (the broker's own time of the shard
row) and whether the figures are right.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.load import PARTITIONS
from bench.shards import new_shard
from stream.core.topics import changelog_name

if TYPE_CHECKING:
    from bench.load import Target
    from bench.truth import Figures
    from stream.core.contacts.shard import Shard

SOURCE: Final = "calls"
_POLL_MS: Final = 200
_LOOK_SECONDS: Final = 0.25
_REST_SECONDS: Final = 1.5


class Mark(NamedTuple):
    """One stored batch: source offset to be applied next, broker's time of it (ms), when we saw it (s, wall clock)."""

    next: int
    stored_at: int
    seen_at: float


@dataclass(slots=True)
class History:
    """What a changelog tells.

    Attributes:
        shards: one a partition, loaded as far as read.
        marks: of each partition, in order.
        records: read.
        first_at: broker's time of the earliest record, ms.
    """

    shards: list[Shard] = field(default_factory=lambda: [new_shard(number) for number in range(PARTITIONS)])
    marks: list[list[Mark]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    records: int = 0
    first_at: int = 0

    def add(self, partition: int, key: bytes, value: bytes | None, stored_at: int) -> None:
        """Take one record, in log order."""
        shard, marks = self.shards[partition], self.marks[partition]
        shard.load(key, value)
        self.records += 1
        self.first_at = min(self.first_at or stored_at, stored_at)
        position = shard.next.get(SOURCE, 0)
        if position > (marks[-1].next if marks else 0):
            marks.append(Mark(position, stored_at, time.time()))

    @property
    def applied(self) -> int:
        """Source records stored, all partitions."""
        return sum(marks[-1].next for marks in self.marks if marks)

    def moment(self, count: int) -> float:
        """Return when (seconds since the epoch, the broker's clock) `count` source records were stored.

        Raises:
            ValueError: fewer are.
        """
        steps = []
        for marks in self.marks:
            before = 0
            for mark in marks:
                steps.append((mark.stored_at, mark.next - before))
                before = mark.next
        done = 0
        for stored_at, added in sorted(steps):
            done += added
            if done >= count:
                return stored_at / 1_000
        raise ValueError(f"cannot tell when {count} records were stored: {done} are")

    def figures(self) -> Figures:
        """Return the figures of the small job out of the product's own counters (net)."""
        found: Figures = {}
        for shard in self.shards:
            for key, (total, retracted) in shard.view.counters.items():
                place = _place(key)
                if place is not None:
                    queue, column = place
                    found.setdefault(queue, [0, 0, 0, 0])[column] += total - retracted
        return found


def _place(key: tuple[object, ...]) -> tuple[str, int] | None:
    """Say which of the small job's figures a counter belongs to."""
    family, *labels = key
    if family == "contact_visits_entered_total":
        return str(labels[1]), 0
    if family == "contact_visits_total" and labels[2] == "answered":
        return str(labels[1]), 1
    if family == "contact_visits_total" and labels[2] in {"abandoned", "abandoned_short"}:
        return str(labels[1]), 2
    if family == "contact_wait_seconds" and labels[-1] == "sum":
        return str(labels[1]), 3
    return None


def await_stored(target: Target, count: int, seconds: float) -> History:
    """Wait until `count` source records are stored; return the whole changelog.

    It looks at the changelog's end offsets only, which costs the worker nothing, and reads once they stand still.

    Raises:
        SystemExit: they were not stored in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        asyncio.run(_await_rest(target, deadline))
        history = read_history(target)
        if history.applied >= count:
            return history
        if time.monotonic() > deadline:
            raise SystemExit(f"only {history.applied:,} of {count:,} records were stored in {seconds:.0f} s")


async def _await_rest(target: Target, deadline: float) -> None:
    """Return once the changelog has grown and then not grown for a while, or time is up."""
    async with _consumer(target, "latest") as consumer:
        parts = _assign(consumer, target)
        end, since = 0, time.monotonic()
        while time.monotonic() < deadline and not (end and time.monotonic() - since > _REST_SECONDS):
            await asyncio.sleep(_LOOK_SECONDS)
            now = sum((await consumer.end_offsets(parts)).values())
            if now != end:
                end, since = now, time.monotonic()


def read_history(target: Target) -> History:
    """Read the whole changelog of stage 1 and make its figures ready."""
    history = History()
    asyncio.run(_read(target, history))
    for shard in history.shards:
        shard.loaded()
    return history


async def _read(target: Target, history: History) -> None:
    async with _consumer(target, "earliest") as consumer:
        parts = _assign(consumer, target)
        ends = await consumer.end_offsets(parts)
        while any([await consumer.position(part) < ends[part] for part in parts]):
            await _poll(consumer, history)


async def follow(target: Target, history: History, ready: asyncio.Event, stop: asyncio.Event) -> None:
    """Read the changelog from its end on, until told to stop.

    Args:
        target: whose changelog.
        history: receives what is read.
        ready: set once reading stands at the end.
        stop: ends it.
    """
    async with _consumer(target, "latest") as consumer:
        for part in _assign(consumer, target):
            await consumer.position(part)
        ready.set()
        while not stop.is_set():
            await _poll(consumer, history)


async def _poll(consumer: AIOKafkaConsumer, history: History) -> None:
    for part, records in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
        for record in records:
            history.add(part.partition, record.key, record.value, record.timestamp)


def _consumer(target: Target, begin: str) -> AIOKafkaConsumer:
    """Open a reader whose first position is the log's `earliest` or `latest`; a seek would race with that."""
    return AIOKafkaConsumer(
        bootstrap_servers=target.bootstrap,
        isolation_level="read_committed",
        auto_offset_reset=begin,
        fetch_max_wait_ms=20,
        max_partition_fetch_bytes=8_388_608,
        enable_auto_commit=False,
    )


def _assign(consumer: AIOKafkaConsumer, target: Target) -> list[TopicPartition]:
    name = changelog_name(target.app_id, 1)
    parts = [TopicPartition(name, number) for number in range(PARTITIONS)]
    consumer.assign(parts)
    return parts
