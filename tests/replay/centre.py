"""A deployment in memory: shards of both stages over several partitions, and every topic as Kafka would hold it.

It is fed as a scenario says; what the shards write lands in the topics, and what travels between them arrives. It can
be asked like the archive that `explain` reads, or be written to a real Kafka.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from stream.admin.producer import Outgoing
from stream.core.cases.shard import CaseShard
from stream.core.contacts.shard import Shard
from stream.core.engine.batch import Record, ShardId
from stream.core.figures.families import SERVICE
from stream.core.partitions import partition_of
from stream.core.topics import topic_name
from stream.wire.rows import JsonCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from stream.core.engine.batch import Changes, Output
    from stream.core.engine.engine import Engine
    from stream.core.figures.figures import CounterKey
    from stream.core.policy import Policy

    Wanted = Callable[[bytes | None, bytes | None], bool]

SILENT = ("nobody",)  # a source that never speaks: only `advance` moves time
TICK_MS = 20_000  # of the wall clock, between two batches


class Centre:
    """Shards and topics of one deployment."""

    def __init__(self, policy: Policy, partitions: int = 2) -> None:
        self.policy = policy
        self.partitions = partitions
        self.topics: dict[str, list[list[Record]]] = defaultdict(lambda: [[] for _ in range(partitions)])
        codec = JsonCodec()
        self.contacts = [Shard(ShardId(1, number), policy, codec, SILENT) for number in range(partitions)]
        self.cases = [CaseShard(ShardId(2, number), policy, codec, partitions) for number in range(partitions)]
        for shard in self.cases:
            shard.clock.sources = SILENT
        self._now = 0
        self._told: dict[tuple[str, int], int] = defaultdict(int)  # topic, partition -> read by its shard

    def feed(self, records: Sequence[Record]) -> None:
        """Store source records, and let the shards take them one by one."""
        for record in records:
            self._now += TICK_MS
            for number in self._where(record):
                self._store(record.topic, number, record)
            self._work()

    def advance(self, to: int) -> None:
        """Put every watermark at ``to``."""
        for shards in (self.contacts, self.cases):
            self._now += TICK_MS
            for shard in shards:
                self._write(shard, shard.advance(to, self._now))
            self._work()

    def publish(self) -> None:
        """Whatever waits for its pace, cells above all, is told."""
        self._now += TICK_MS
        for shard in (*self.contacts, *self.cases):
            self._write(shard, shard.apply((), {}, self._now))
        self._work()

    @property
    def counters(self) -> dict[CounterKey, int]:
        """Net, of all shards together, as stored; not what only the program or a gauge needs."""
        found: dict[CounterKey, int] = defaultdict(int)
        for shard in (*self.contacts, *self.cases):
            for key, (total, retracted) in shard.view.counters.items():
                family = SERVICE[str(key[0])]
                if family.scope == "service" or family.name == "contact_stream_quality_total":
                    found[key] += total - retracted
        return {key: amount for key, amount in found.items() if amount}

    def read(
        self,
        topics: Sequence[str],
        keys: Collection[bytes] | None = None,
        *,
        partitions: Collection[int] | None = None,
        wanted: Wanted | None = None,
    ) -> Iterator[Record]:
        """As `stream.replay.archive.Archive`."""
        where = partitions
        if where is None:
            where = range(self.partitions) if keys is None else {partition_of(key, self.partitions) for key in keys}
        for short in topics:
            for number in sorted(where):
                for record in self.topics[short][number]:
                    if wanted(record.key, record.value) if wanted else keys is None or record.key in keys:
                        yield record

    def outgoing(self, prefix: str) -> Iterator[Outgoing]:
        """Every record of every topic, to be written to a real Kafka."""
        for short, stored in self.topics.items():
            for number, records in enumerate(stored):
                for record in records:
                    name = topic_name(prefix, short)
                    yield Outgoing(name, record.key, record.value, tuple(record.headers), number)

    def _where(self, record: Record) -> Sequence[int]:
        if record.value is not None and b'"source.' in record.value:
            return range(self.partitions)
        return [partition_of(record.key or b"", self.partitions)]

    def _store(self, short: str, number: int, record: Record) -> None:
        stored = self.topics[short][number]
        stored.append(record._replace(topic=short, offset=len(stored)))

    def _work(self) -> None:
        """Let every shard read its topics to the end, until nobody writes for another any more."""
        moved = True
        while moved:
            moved = False
            for shards, topics in (
                (self.contacts, ("calls", "chats", "emails", "agents")),
                (self.cases, ("outcomes", "cases", "identities")),
            ):
                for shard in shards:
                    moved = self._step(shard, topics) or moved

    def _step(self, shard: Engine, topics: Sequence[str]) -> bool:
        number, moved = shard.id.partition, False
        for short in topics:
            fresh = self.topics[short][number][self._told[short, number] :]
            self._told[short, number] += len(fresh)
            if fresh:
                moved = True
                self._write(shard, shard.apply(fresh, {}, self._now))
        return moved

    def _write(self, shard: Engine, changes: Changes) -> None:
        shard.publish(changes)
        for output in changes.outputs:
            for number in self._home(output):
                self._store(output.topic, number, Record("", 0, None, output.key, output.value, output.headers))

    def _home(self, output: Output) -> Sequence[int]:
        if output.partition == -1:
            return range(self.partitions)
        return [partition_of(output.key or b"", self.partitions)]
