"""Two houses for the same tests of one partition: an in-memory twin of Kafka, and Kafka itself.

In both, the source is a list in memory read by `MemoryReader` (the transport has its own tests); what differs is where
batches are stored: `MemoryStore` fences, keeps open transactions apart and shows only committed ones, as Kafka does.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from stream.core.engine.batch import Record
from stream.worker.intervals import Chunk, Reading, cut
from stream.worker.loading import Loader
from stream.worker.ports import Bounds, Loaded, ShardKey
from stream.worker.producer import Fenced
from stream.worker.settings import CONTACTS, Limits, Timing, WorkerSettings
from stream.worker.shards import Around, ShardTask
from tests.faults.counting import CountingShard
from tests.faults.facts import KeptFacts
from tests.faults.harness import Recount, stored

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from stream.core.topics import Layout
    from stream.wire.broker import Broker
    from stream.worker.ports import ChangesLike, ShardLike, Writer

KEY = ShardKey(1, 0)
SOURCES = CONTACTS.sources
QUICK = Timing(pace_short=0.0, pace_long=0.0, tick=0.02, idle_after=0.1)
SMALL = Limits(chunk_records=50, batch_records=200)


class MemoryReader:
    """The source partitions as a list of records each, read by position like a consumer."""

    def __init__(self) -> None:
        self.log: dict[str, list[Record]] = {topic: [] for topic in SOURCES}
        self.starts: dict[str, int] = dict.fromkeys(SOURCES, 0)
        self.reading = Reading()
        self.positions: dict[str, int] = {}
        self.lose_next = False
        self.silent = False

    def write(self, topic: str, count: int, value: bytes = b"x", keys: int = 7) -> None:
        """Append records; each fifth offset is a control record, so that offsets have gaps."""
        log = self.log[topic]
        for _ in range(count):
            offset = log[-1].offset + 1 if log else 0
            offset += offset % 5 == 4
            log.append(Record(topic, offset, None, b"contact-%d" % (offset % keys), value, ()))

    def everything(self, topic: str) -> Chunk:
        """The whole log as one chunk."""
        log = self.log[topic]
        return Chunk(topic, KEY.partition, 0, log[-1].offset + 1, self.epoch(topic, KEY.partition), list(log))

    def end(self, topic: str, partition: int) -> int | None:
        """End of the latest chunk handed on."""
        return self.reading.end(topic, partition)

    def epoch(self, topic: str, partition: int) -> int:
        """Number of the latest seek."""
        return self.reading.epoch(topic, partition)

    def silent_since(self, topic: str, _partition: int) -> float | None:
        """Silent when the test says so and everything was read."""
        log = self.log[topic]
        read = not log or self.positions.get(topic, 0) > log[-1].offset
        return time.monotonic() - 100 if self.silent and read else None

    async def seek(self, positions: Mapping[tuple[str, int], int]) -> None:
        """Read on from there."""
        await asyncio.sleep(0)
        for (topic, partition), offset in positions.items():
            self.positions[topic] = offset
            self.reading.sought(topic, partition, offset)

    async def bounds(self, sources: Collection[tuple[str, int]]) -> dict[tuple[str, int], Bounds]:
        """What the lists hold."""
        await asyncio.sleep(0)
        ends = {topic: (log[-1].offset + 1 if log else self.starts[topic]) for topic, log in self.log.items()}
        return {(topic, n): Bounds(self.starts[topic], ends[topic]) for topic, n in sources}

    async def feed(self, task: ShardTask) -> None:
        """Hand chunks to a shard until cancelled."""
        while True:
            for topic in SOURCES:
                if topic not in self.positions or task.full:
                    continue
                held = [each for each in self.log[topic] if each.offset >= self.positions[topic]][:120]
                if held:
                    self.positions[topic] = held[-1].offset + 1
                chunk = self.reading.chunk(topic, KEY.partition, held, self.positions[topic])
                for piece in cut(chunk, SMALL.chunk_records) if chunk else ():
                    if self.lose_next:
                        self.lose_next = False
                    else:
                        task.offer(piece)
            await asyncio.sleep(0.001)


class House(Protocol):
    """Where one shard can be owned, and what it stored can be read."""

    settings: WorkerSettings

    async def writer(self) -> Writer:
        """Fence: a new owner's writer."""
        ...

    async def load(self, shard: CountingShard) -> Writer:
        """Fence, then read: return the new owner's writer."""
        ...

    async def stored(self) -> Recount:
        """What a read_committed reader sees."""
        ...


class MemoryWriter:
    """A transactional producer of the twin."""

    def __init__(self, store: MemoryStore, epoch: int) -> None:
        self._store = store
        self._epoch = epoch
        self._open: list[ChangesLike] = []

    def _check(self) -> None:
        if self._epoch != self._store.epoch:
            raise Fenced("a newer owner was here")

    async def begin(self) -> None:
        """As in aiokafka, beginning asks nobody."""
        await asyncio.sleep(0)
        self._open = []

    async def send(self, changes: ChangesLike) -> None:
        """Write into the open transaction."""
        await asyncio.sleep(0)
        self._check()
        self._open.append(changes)

    async def commit(self) -> None:
        """Show all of it."""
        await asyncio.sleep(0)
        self._check()
        self._store.committed += self._open

    async def close(self) -> None:
        """Nothing to close."""


class MemoryStore:
    """The twin: a changelog and output topics that know transactions and fencing."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self.epoch = 0
        self.committed: list[ChangesLike] = []
        self.targets: Counter[tuple[str, int]] = Counter()

    async def writer(self) -> Writer:
        """Fence."""
        await asyncio.sleep(0)
        self.epoch += 1
        return MemoryWriter(self, self.epoch)

    async def load(self, shard: CountingShard) -> Writer:
        """Fence, then read."""
        writer = await self.writer()
        for changes in self.committed:
            for key, value in changes.changelog:
                shard.load(key, value)
        shard.loaded()
        return writer

    async def stored(self) -> Recount:
        """Read everything committed."""
        await asyncio.sleep(0)
        found = Recount()
        shard = CountingShard(*KEY)
        for changes in self.committed:
            for key, value in changes.changelog:
                shard.load(key, value)
            for output in changes.outputs:
                place = dict(output.headers).get("x-id", output.value)
                assert place is not None
                (found.rejected if output.topic == "rejected" else found.outputs)[place] += 1
        found.counts = {(KEY.partition, key): count for key, count in shard.counts.items()}
        found.ends = {(topic, KEY.partition): offset for topic, offset in shard.next.items()}
        return found


class KafkaStore:
    """Kafka, through the worker's own loader and writer."""

    def __init__(self, broker: Broker, layout: Layout) -> None:
        self.settings = WorkerSettings(
            broker, layout.app_id, layout.prefix, stages=(CONTACTS,), limits=SMALL, timing=QUICK
        )
        self.layout = layout
        self.counts = dict.fromkeys((*CONTACTS.sources, *CONTACTS.outputs), layout.partitions)

    async def _loaded(self, make: Any) -> Loaded:  # noqa: ANN401  a factory of shards
        return (await Loader(self.settings, make, self.counts).load([KEY]))[KEY]

    async def writer(self) -> Writer:
        """Fence."""
        return (await self._loaded(CountingShard)).writer

    async def load(self, shard: CountingShard) -> Writer:
        """Fence, then read."""
        return (await self._loaded(lambda _stage, _partition: shard)).writer

    async def stored(self) -> Recount:
        """Read everything committed."""
        return await stored(self.settings.broker.bootstrap_servers, self.layout)


class Owner:
    """A running owner of the shard: its task, its feed, and its facts."""

    def __init__(self, house: House, reader: MemoryReader, shard: ShardLike, writer: Writer) -> None:
        self.facts = KeptFacts()
        self.shard = shard
        following = {topic: shard.next.get(topic, reader.starts[topic]) for topic in SOURCES}
        around = Around(house.settings, reader, self.facts)
        self.task = ShardTask(KEY, Loaded(shard, writer, 0, 0.0), following, around)
        self._reader = reader
        self.running: asyncio.Task[None] | None = None
        self._feeding: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Seek, then run and feed."""
        await self._reader.seek({(topic, KEY.partition): at for topic, at in self.task.following.items()})
        self.running = asyncio.create_task(self.task.run())
        self._feeding = asyncio.create_task(self._reader.feed(self.task))

    async def until_read(self, seconds: float = 20.0) -> None:
        """Wait until everything in the source was applied."""
        deadline = time.monotonic() + seconds
        while any(log and self.task.following[topic] <= log[-1].offset for topic, log in self._reader.log.items()):
            assert time.monotonic() < deadline, f"stands at {self.task.following}"
            assert self.running is not None
            if self.running.done():
                await self.running
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """End in order."""
        self.task.stop()
        await self.end_feed()
        if self.running is not None:
            await asyncio.wait([self.running])
            if not self.running.cancelled():
                self.running.exception()
        await self.task.close()

    async def end_feed(self) -> None:
        """Feed this owner no more."""
        if self._feeding is not None:
            self._feeding.cancel()
            await asyncio.gather(self._feeding, return_exceptions=True)


def wanted(reader: MemoryReader) -> Recount:
    """Recount the source in one loop."""
    found = Recount()
    for topic, log in reader.log.items():
        for record in log:
            place = f"{topic}:{KEY.partition}:{record.offset}".encode()
            if record.value is None or record.value.startswith(b"!"):
                found.rejected[place] += 1
                continue
            found.outputs[place] += 1
            assert record.key is not None
            key = (KEY.partition, record.key)
            found.counts[key] = found.counts.get(key, 0) + 1
    return found


def check_equal(found: Recount, expected: Recount) -> None:
    """Integers equal, each output once."""
    assert found.outputs == expected.outputs
    assert found.rejected == expected.rejected
    assert found.counts == expected.counts


__all__ = ["KEY", "KafkaStore", "MemoryReader", "MemoryStore", "Owner", "check_equal", "wanted"]
