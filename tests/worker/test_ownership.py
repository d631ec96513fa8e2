"""Who owns a shard, generation by generation, on the in-memory twin."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from stream.core.trouble import Trouble
from stream.worker.intervals import Chunk
from stream.worker.ownership import Ownership
from stream.worker.ports import Loaded, ShardKey
from stream.worker.producer import Fenced
from stream.worker.settings import WorkerSettings
from stream.worker.watchdog import StoodStillError, Watchdog
from tests.faults.counting import CountingShard
from tests.faults.facts import KeptFacts
from tests.worker.houses import QUICK, SMALL, MemoryReader, MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

ONE, TWO = ShardKey(1, 0), ShardKey(1, 1)
SETTINGS = WorkerSettings(limits=SMALL, timing=replace(QUICK, reacquire_after=0.05, fenced_window=0.5, stall_after=0.2))


class MemoryLoads:
    """Fences and reads on the twin, as slowly as a test wants."""

    def __init__(self) -> None:
        self.stores = {key: MemoryStore(SETTINGS) for key in (ONE, TWO)}
        self.loads: list[set[ShardKey]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def load(self, keys: Collection[ShardKey]) -> dict[ShardKey, Loaded]:
        """Fence, then read."""
        self.loads.append(set(keys))
        await self.go_on.wait()
        loaded = {}
        for key in keys:
            shard = CountingShard(*key)
            loaded[key] = Loaded(shard, await self.stores[key].load(shard), 0, 0.0)
        return loaded


class Worker:
    """An ownership with what it touches."""

    def __init__(self) -> None:
        self.reader = MemoryReader()
        self.loads = MemoryLoads()
        self.facts = KeptFacts()
        self.failures: list[BaseException] = []
        self.ownership = Ownership(SETTINGS, self.loads, self.reader, self.facts, self.failures.append)

    def tasks(self) -> dict[ShardKey, object]:
        """The running shards."""
        return {shard.key: shard for shard in self.ownership.shards}

    def write(self, key: ShardKey, count: int) -> None:
        """Put records before a shard, as the consumer would."""
        topic = "calls"
        log = self.reader.log[topic]
        start = log[-1].offset + 1 if log else 0
        self.reader.write(topic, count)
        fresh = [record for record in log if record.offset >= start]
        epoch = self.reader.epoch(topic, key.partition)
        self.ownership.route(Chunk(topic, key.partition, start, log[-1].offset + 1, epoch, fresh), key.stage)


@asynccontextmanager
async def working() -> AsyncIterator[Worker]:
    """Run an ownership and end it."""
    worker = Worker()
    running = asyncio.create_task(worker.ownership.run())
    try:
        yield worker
    finally:
        await worker.ownership.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    """Wait a little."""
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def test_a_shard_is_kept_from_one_generation_to_the_next() -> None:
    """Only what is missing is loaded; what is no longer ours is dropped."""
    async with working() as worker:
        worker.ownership.assigned([ONE], 1)
        await until(lambda: worker.ownership.settled)
        before = worker.tasks()
        worker.ownership.assigned([ONE, TWO], 2)
        await until(lambda: worker.ownership.settled)
        assert worker.tasks()[ONE] is before[ONE]
        assert worker.loads.loads == [{ONE}, {TWO}]
        worker.ownership.assigned([TWO], 3)
        await until(lambda: set(worker.tasks()) == {TWO})


async def test_a_generation_that_was_missed_drops_everything() -> None:
    """In between, another worker may have owned the shard."""
    async with working() as worker:
        worker.ownership.assigned([ONE], 1)
        await until(lambda: worker.ownership.settled)
        before = worker.tasks()
        worker.ownership.assigned([ONE], 3)
        await until(lambda: worker.ownership.settled and worker.loads.loads == [{ONE}, {ONE}])
        await until(lambda: worker.tasks().get(ONE) not in (None, before[ONE]))
        assert not worker.failures


async def test_a_generation_in_which_it_was_not_ours_drops_it() -> None:
    """Two quick rebalances, before the first one was settled."""
    async with working() as worker:
        worker.ownership.assigned([ONE], 1)
        await until(lambda: worker.ownership.settled)
        before = worker.tasks()
        worker.ownership.assigned([TWO], 2)
        worker.ownership.assigned([ONE], 3)
        await until(lambda: worker.tasks().get(ONE) not in (None, before[ONE]))
        assert not worker.failures


async def test_a_newer_assignment_ends_a_loading() -> None:
    """Nothing of the old one is installed."""
    async with working() as worker:
        worker.loads.go_on.clear()
        worker.ownership.assigned([ONE, TWO], 1)
        await until(lambda: len(worker.loads.loads) == 1)
        worker.ownership.assigned([TWO], 2)
        worker.loads.go_on.set()
        await until(lambda: worker.ownership.settled)
        assert set(worker.tasks()) == {TWO}
        assert worker.loads.loads == [{ONE, TWO}, {TWO}]
        assert not worker.failures


async def test_a_fenced_shard_is_taken_again_once() -> None:
    """A zombie may fence its successor once; twice in a short time is a quarrel that a restart settles."""
    async with working() as worker:
        worker.ownership.assigned([ONE], 1)
        await until(lambda: worker.ownership.settled)
        await worker.loads.stores[ONE].writer()
        worker.write(ONE, 3)
        await until(lambda: worker.facts.counted["fenced"] == 1)
        assert worker.tasks() == {}
        await until(lambda: worker.ownership.settled)
        assert not worker.failures
        await worker.loads.stores[ONE].writer()
        worker.reader.log["calls"].clear()
        worker.write(ONE, 3)
        await until(lambda: bool(worker.failures))
        assert isinstance(worker.failures[0], Fenced)


async def test_any_other_error_ends_the_process() -> None:
    """Nothing is known of a shard that failed otherwise."""
    async with working() as worker:
        worker.ownership.assigned([ONE], 1)
        await until(lambda: worker.ownership.settled)
        worker.reader.write("calls", 1)
        broken = worker.reader.log["calls"][0]._replace(value="no bytes")  # type: ignore[arg-type]  # on purpose
        worker.ownership.route(Chunk("calls", 0, 0, 1, 1, [broken]), 1)
        await until(lambda: bool(worker.failures))
        assert isinstance(worker.failures[0], TypeError)


async def test_a_position_beyond_the_log_is_refused() -> None:
    """The topic was made again while the worker was away."""
    async with working() as worker:
        worker.ownership.assigned([ONE], 1)
        await until(lambda: worker.ownership.settled)
        worker.write(ONE, 30)
        await until(lambda: worker.facts.counted["records"] == 30)
        worker.reader.log["calls"] = worker.reader.log["calls"][:3]
        worker.ownership.assigned([], 2)
        worker.ownership.assigned([ONE], 3)
        running = next(each for each in asyncio.all_tasks() if "Ownership.run" in repr(each))
        with pytest.raises(Trouble, match="deleted and created again"):
            await asyncio.wait_for(asyncio.shield(running), 5)


async def test_the_watchdog_ends_a_worker_that_stands_still() -> None:
    """The log grows, the shard does not move."""
    async with working() as worker:
        worker.ownership.assigned([ONE], 1)
        await until(lambda: worker.ownership.settled)
        watchdog = Watchdog(SETTINGS, worker.ownership, worker.reader, worker.facts)
        worker.reader.write("calls", 3)
        await watchdog.look()
        await asyncio.sleep(0.3)
        await watchdog.look()
        worker.reader.write("calls", 3)
        with pytest.raises(StoodStillError, match="calls partition 0 grew from 3 to 7"):
            await watchdog.look()


async def test_the_watchdog_leaves_an_idle_worker_alone() -> None:
    """Nothing to do is no standstill."""
    async with working() as worker:
        worker.ownership.assigned([ONE], 1)
        await until(lambda: worker.ownership.settled)
        watchdog = Watchdog(SETTINGS, worker.ownership, worker.reader, worker.facts)
        worker.write(ONE, 5)
        await until(lambda: worker.facts.counted["records"] == 5)
        for _ in range(3):
            await watchdog.look()
            await asyncio.sleep(0.15)
        assert not worker.failures
