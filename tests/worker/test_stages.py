"""What a second stage asks of the worker: who may rest, who stands still, and in which order a batch is written."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream.cli.worker import shard_factory
from stream.core.cases.shard import CaseShard
from stream.core.contacts.shard import Shard
from stream.core.engine.batch import Output, Record
from stream.core.partitions import partition_of
from stream.core.policy import Policy
from stream.core.topics import topic_name
from stream.wire.broker import Broker
from stream.worker.intervals import Chunk, Reading
from stream.worker.loading import Loader
from stream.worker.ownership import Ownership
from stream.worker.ports import Bounds, Loaded, ShardKey
from stream.worker.settings import CASES, CONTACTS, Timing, WorkerSettings
from stream.worker.shards import Around, ShardTask
from stream.worker.watchdog import Watchdog
from tests.faults.counting import CountedChanges, CountingShard
from tests.faults.facts import KeptFacts
from tests.worker.houses import QUICK, SMALL, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tests.conftest import MakeTopics

PARTITIONS = 3
SETTINGS = WorkerSettings(limits=SMALL, timing=QUICK)
WATERMARK = b"~watermark"


class QuietReader:
    """Topics that nobody writes to: read to their end, which may lie beyond the last record."""

    def __init__(self, markers: int = 0) -> None:
        self.reading = Reading()
        self.markers = markers

    async def seek(self, positions: Mapping[tuple[str, int], int]) -> None:
        """Read on from there."""
        await asyncio.sleep(0)
        for (topic, partition), offset in positions.items():
            self.reading.sought(topic, partition, offset)

    async def bounds(self, sources: Collection[tuple[str, int]]) -> dict[tuple[str, int], Bounds]:
        """Nothing but what ends transactions."""
        await asyncio.sleep(0)
        self.markers += 1
        return {source: Bounds(0, self.markers) for source in sources}

    def epoch(self, topic: str, partition: int) -> int:
        """Number of the latest seek."""
        return self.reading.epoch(topic, partition)

    def end(self, topic: str, partition: int) -> int | None:
        """End of the latest chunk handed on."""
        return self.reading.end(topic, partition)

    def silent_since(self, _topic: str, _partition: int) -> float | None:
        """For a long time."""
        return time.monotonic() - 100


class DueShard(CountingShard):
    """Always has something to do."""

    def due(self, now: int) -> bool:
        """At any time."""
        return now > 0


class Loads:
    """Shards of both stages that are always there."""

    async def load(self, keys: Collection[ShardKey]) -> dict[ShardKey, Loaded]:
        """Fence and read nothing."""
        return {key: Loaded(CountingShard(*key), await MemoryStore(SETTINGS).writer(), 0, 0.0) for key in keys}


async def idle_of(stage: int) -> set[str]:
    """The sources that a shard of a stage is told are idle, when all are silent."""
    shard = DueShard(stage, 0)
    writer = await MemoryStore(SETTINGS).writer()
    sources = SETTINGS.stage(stage).sources
    around = Around(SETTINGS, QuietReader(), KeptFacts())
    task = ShardTask(ShardKey(stage, 0), Loaded(shard, writer, 0, 0.0), dict.fromkeys(sources, 0), around)
    running = asyncio.create_task(task.run())
    await asyncio.sleep(4 * (QUICK.idle_after or 0.0))
    task.stop()
    await running
    return shard.idle_seen


async def test_only_what_the_world_writes_may_rest() -> None:
    """A stage that is silent may be a worker that is down: its topics hold time back for ever."""
    assert await idle_of(1) == {"calls", "chats", "emails", "agents"}
    assert await idle_of(2) == {"cases"}


async def test_each_stage_has_its_own_shards() -> None:
    """What comes for one stage of a partition reaches no other, and a stage may be ours without the other."""
    reader, facts = QuietReader(), KeptFacts()
    failures: list[BaseException] = []
    ownership = Ownership(SETTINGS, Loads(), reader, facts, failures.append)
    running = asyncio.create_task(ownership.run())
    ownership.assigned([ShardKey(1, 0), ShardKey(2, 0), ShardKey(2, 1)], 1)
    async with asyncio.timeout(5):
        while not ownership.settled:  # noqa: ASYNC110  it has no event to wait for
            await asyncio.sleep(0.01)
    counting = {task.key: task for task in ownership.shards}
    record = Record("outcomes", 0, None, b"k", b"x", ())
    ownership.route(Chunk("outcomes", 0, 0, 1, reader.epoch("outcomes", 0), [record]), 2)
    async with asyncio.timeout(5):
        while counting[ShardKey(2, 0)].following["outcomes"] < 1:  # noqa: ASYNC110  the same
            await asyncio.sleep(0.01)
    assert facts.counted["records"] == 1
    ownership.assigned([ShardKey(2, 0)], 2)
    async with asyncio.timeout(5):
        while len(ownership.shards) > 1:  # noqa: ASYNC110  the same
            await asyncio.sleep(0.01)
    assert ownership.shards == [counting[ShardKey(2, 0)]]
    await ownership.close()
    running.cancel()
    assert failures == []


async def test_topics_that_only_grow_markers_are_no_standstill_and_no_lag() -> None:
    """A transaction leaves a mark in each partition it wrote to, which is no record: a quiet shard does not stand."""
    settings = WorkerSettings(limits=SMALL, timing=Timing(stall_after=0.1, idle_after=0.1))
    reader = QuietReader()
    lags: dict[str, int] = {}

    class Lags(KeptFacts):
        def lag_measured(self, topic: str, records: int) -> None:
            lags[topic] = records

    facts = Lags()
    ownership = Ownership(settings, Loads(), reader, facts, lambda _error: None)
    running = asyncio.create_task(ownership.run())
    ownership.assigned([ShardKey(2, 0)], 1)
    async with asyncio.timeout(5):
        while not ownership.settled:  # noqa: ASYNC110  it has no event to wait for
            await asyncio.sleep(0.01)
    watchdog = Watchdog(settings, ownership, reader, facts)
    for _ in range(4):
        await watchdog.look()
        await asyncio.sleep(0.1)
    assert lags == {"cases": 0, "outcomes": 0, "identities": 0}
    await ownership.close()
    running.cancel()


async def test_the_watermark_is_the_last_of_its_transaction(kafka: str, make_topics: MakeTopics) -> None:
    """In every partition, also when a batch is too large for one request: who reads it has read what it is about."""
    layout = make_topics(partitions=PARTITIONS)
    settings = WorkerSettings(Broker(kafka), layout.app_id, layout.prefix, stages=(CONTACTS,), timing=QUICK)
    counts = dict.fromkeys((*CONTACTS.sources, *CONTACTS.outputs), PARTITIONS)
    [loaded] = (await Loader(settings, CountingShard, counts).load([ShardKey(1, 0)])).values()
    for batch in range(3):
        facts = [
            Output("outcomes", b"customer-%d" % number, b"%d" % batch + b"x" * 300_000, [], None)
            for number in range(20)
        ]
        rows: list[tuple[bytes, bytes | None]] = [(b"row", b"%d" % batch)]
        mark = Output("outcomes", WATERMARK, b"%d" % batch, [], -1)
        await loaded.writer.begin()
        await loaded.writer.send(CountedChanges(rows, [*facts, mark]))
        await loaded.writer.commit()
    await loaded.writer.close()
    read = await outcomes_of(kafka, topic_name(layout.prefix, "outcomes"))
    expected: dict[int, list[bytes]] = defaultdict(list)
    for number in range(20):
        expected[partition_of(b"customer-%d" % number, PARTITIONS)].append(b"customer-%d" % number)
    assert read == {each: [*expected[each], WATERMARK] * 3 for each in range(PARTITIONS)}


async def outcomes_of(kafka: str, topic: str) -> dict[int, list[bytes | None]]:
    """The keys of a topic's partitions, in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, each) for each in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: dict[int, list[bytes | None]] = defaultdict(list)
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for partition, records in (await consumer.getmany(timeout_ms=200)).items():
                found[partition.partition] += [record.key for record in records]
    finally:
        await consumer.stop()
    return dict(found)


def test_the_stages_read_what_the_other_writes() -> None:
    """The case stage reads the outcomes of the first and its own messages, and writes no source of another."""
    assert set(CASES.upstream) == set(CASES.sources) & {*CONTACTS.outputs, *CASES.outputs}
    assert not set(CONTACTS.sources) & {*CONTACTS.outputs, *CASES.outputs}
    assert not set(CONTACTS.sources) & set(CASES.sources)


def test_every_partition_has_a_shard_of_each_stage() -> None:
    """A shard of the case stage waits for as many others as there are partitions."""
    make = shard_factory(Policy(), historic=True)
    contacts, cases = make(1, 2, 3), make(2, 2, 3)
    assert isinstance(contacts, Shard)
    assert isinstance(cases, CaseShard)
    assert contacts.view.historic
    assert cases.view.historic
    for shard in range(3):
        assert cases.clock.settled is None
        cases.clock.hear("identities", shard, 7_000)
    assert cases.clock.settled == 7_000
