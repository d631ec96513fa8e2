"""The full matrix of 4-architecture 4.6 as far as whole workers go: minutes, not part of the short lane."""

from __future__ import annotations

import asyncio
import random
import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults.harness import Source, check_exact, environment_seed, until, workers

if TYPE_CHECKING:
    from pathlib import Path

    from stream.demo.kafka import EmbeddedKafka
    from tests.conftest import MakeTopics
    from tests.faults.conftest import MakeTopicsOn
    from tests.faults.harness import WorkerProcess

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]


def shards_of(*running: WorkerProcess) -> int:
    """How many shards workers run by their own account."""
    return sum(len(worker.told("shard_loaded")) - len(worker.told("shard_dropped")) for worker in running)


async def test_ten_kills_one_of_them_while_loading(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """Kill -9 of a random worker ten times; one dies right after it was given its shards."""
    seed = environment_seed()
    chance = random.Random(seed)  # noqa: S311  a seeded test, no secret
    layout = make_topics(partitions=4)
    with workers(kafka, layout, tmp_path) as start:
        flow = asyncio.create_task(Source(kafka, layout, seed).flow(seconds=100.0, rate=1_500))
        pair = [start(), start()]
        await until(lambda: shards_of(*pair) == 4, 30, "both workers share the shards")
        for kill in range(10):
            await asyncio.sleep(chance.uniform(0.5, 3.0))
            victim = chance.randrange(2)
            pair[victim].kill()
            pair[victim] = start()
            if kill == 5:
                await until(lambda: "shards are ours" in pair[victim].said, 30, "it is given shards")  # noqa: B023  awaited at once
                pair[victim].kill()
                pair[victim] = start()
            await until(lambda: bool(pair[victim].told("shard_loaded")), 40, "the new worker loads")  # noqa: B023  awaited at once
        await flow
        await check_exact(kafka, layout, 60)


async def test_rolling_sigterm(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """Each worker is replaced in order, twice."""
    seed = environment_seed()
    layout = make_topics(partitions=4)
    with workers(kafka, layout, tmp_path) as start:
        flow = asyncio.create_task(Source(kafka, layout, seed).flow(seconds=25.0, rate=1_500))
        pair = [start(), start()]
        await until(lambda: shards_of(*pair) == 4, 30, "both workers share the shards")
        for turn in range(4):
            assert await asyncio.to_thread(pair[turn % 2].terminate) == 0
            pair[turn % 2] = start()
            await until(lambda: shards_of(*pair) == 4, 30, "all shards run again")
        await flow
        await check_exact(kafka, layout)


async def test_a_rebalance_storm(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """One worker, then four, then one, faster than a generation settles."""
    seed = environment_seed()
    chance = random.Random(seed)  # noqa: S311  a seeded test, no secret
    layout = make_topics(partitions=8)
    with workers(kafka, layout, tmp_path) as start:
        flow = asyncio.create_task(Source(kafka, layout, seed).flow(seconds=30.0, rate=1_500))
        running = [start()]
        await until(lambda: shards_of(*running) == 8, 30, "one worker has all")
        for _ in range(3):
            running.append(start())
            await asyncio.sleep(chance.uniform(0.1, 2.0))
        await asyncio.sleep(2)
        for worker in running[:3]:
            # One that has only just been started has no signal handler yet.
            assert await asyncio.to_thread(worker.terminate) in (0, -signal.SIGTERM)
            await asyncio.sleep(chance.uniform(0.0, 0.5))
        await until(lambda: shards_of(running[3]) == 8, 30, "the last one has all")
        await flow
        await check_exact(kafka, layout)


async def test_the_successor_of_a_frozen_worker_is_killed(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """A freezes inside a batch, B takes over and is killed with -9, A wakes and has everything again."""
    layout = make_topics(partitions=2)
    with workers(kafka, layout, tmp_path) as start:
        flow = asyncio.create_task(Source(kafka, layout, environment_seed()).flow(seconds=30.0, rate=1_500))
        zombie = start(freeze_after=3_000)
        await until(lambda: zombie.stopped, 30, "the worker freezes itself inside a batch")
        successor = start()
        await until(lambda: shards_of(successor) == 2, 30, "the successor takes both shards")
        await asyncio.sleep(1.0)
        successor.kill()
        zombie.thaw()
        await flow
        await check_exact(kafka, layout, 60)
        assert zombie.terminate() == 0


async def test_the_broker_is_killed_three_times(
    own_kafka: EmbeddedKafka, make_topics_on: MakeTopicsOn, tmp_path: Path
) -> None:
    """Three kill -9 of the broker under load."""
    seed = environment_seed()
    chance = random.Random(seed)  # noqa: S311  a seeded test, no secret
    layout = make_topics_on(own_kafka.bootstrap_servers, 4)
    with workers(own_kafka.bootstrap_servers, layout, tmp_path) as start:
        pair = [start(), start()]
        await until(lambda: shards_of(*pair) == 4, 30, "both workers share the shards")
        flow = asyncio.create_task(Source(own_kafka.bootstrap_servers, layout, seed).flow(seconds=40.0, rate=1_500))
        for _ in range(3):
            await asyncio.sleep(chance.uniform(2.0, 5.0))
            await asyncio.to_thread(own_kafka.kill)
            await asyncio.sleep(chance.uniform(0.2, 3.0))
            await asyncio.to_thread(own_kafka.restart)
        await flow
        await check_exact(own_kafka.bootstrap_servers, layout, 90)
