"""Whole workers on a real Kafka: killed, frozen, restarted, and the broker with them. Figures stay exact."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from tests.faults.harness import Source, check_exact, environment_seed, until, workers

if TYPE_CHECKING:
    from pathlib import Path

    from stream.demo.kafka import EmbeddedKafka
    from tests.conftest import MakeTopics
    from tests.faults.conftest import MakeTopicsOn
    from tests.faults.harness import WorkerProcess


def shards_of(worker: WorkerProcess) -> int:
    """How many shards a worker runs by its own account."""
    return len(worker.told("shard_loaded")) - len(worker.told("shard_dropped"))


async def test_three_workers_killed_under_load(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """Two workers, three kill -9 (one while its successor loads), a transactional source with aborts: exact."""
    seed = environment_seed()
    chance = random.Random(seed)  # noqa: S311  a seeded test, no secret
    layout = make_topics(partitions=4)
    with workers(kafka, layout, tmp_path) as start:
        source = Source(kafka, layout, seed)
        flow = asyncio.create_task(source.flow(seconds=24.0, rate=2_500))
        pair = [start(), start()]
        await until(lambda: sum(map(shards_of, pair)) == 4, 20, "both workers share the shards")
        for _ in range(3):
            await asyncio.sleep(chance.uniform(1.0, 2.5))
            victim = chance.randrange(2)
            pair[victim].kill()
            pair[victim] = start()
            await until(lambda: bool(pair[victim].told("shard_loaded")), 20, "the new worker loads")  # noqa: B023  awaited at once
        await flow
        found = await check_exact(kafka, layout)
        print(source.written, "written,", sum(found.outputs.values()), "counted")
        assert [worker.terminate() for worker in pair] == [0, 0]


async def test_a_worker_frozen_beyond_its_session(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """A worker stops between building and committing a batch, is replaced, and wakes: its batch never counts."""
    layout = make_topics(partitions=2)
    with workers(kafka, layout, tmp_path) as start:
        source = Source(kafka, layout, environment_seed())
        flow = asyncio.create_task(source.flow(seconds=22.0, rate=1_500))
        zombie = start(freeze_after=3_000)
        await until(lambda: zombie.stopped, 20, "the worker freezes itself inside a batch")
        successor = start()
        await until(lambda: shards_of(successor) == 2, 25, "the successor takes both shards")
        await asyncio.sleep(1.5)
        zombie.thaw()
        await until(lambda: bool(zombie.told("producer_fenced")), 15, "the woken worker is fenced")
        await flow
        await check_exact(kafka, layout)
        assert [zombie.terminate(), successor.terminate()] == [0, 0]


async def test_the_broker_is_killed_under_load(
    own_kafka: EmbeddedKafka, make_topics_on: MakeTopicsOn, tmp_path: Path
) -> None:
    """The broker dies with kill -9 while transactions are open, comes back, and nothing is lost or doubled."""
    layout = make_topics_on(own_kafka.bootstrap_servers, 2)
    with workers(own_kafka.bootstrap_servers, layout, tmp_path) as start:
        source = Source(own_kafka.bootstrap_servers, layout, environment_seed())
        pair = [start(), start()]
        await until(lambda: sum(map(shards_of, pair)) == 2, 20, "both workers share the shards")
        flow = asyncio.create_task(source.flow(seconds=14.0, rate=1_500))
        await asyncio.sleep(3)
        await asyncio.to_thread(own_kafka.kill)
        await asyncio.sleep(1)
        await asyncio.to_thread(own_kafka.restart)
        await flow
        await check_exact(own_kafka.bootstrap_servers, layout, 60)
        assert [worker.terminate() for worker in pair] == [0, 0]
