"""Starting and stopping a worker process: what a person sees, and how fast."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from stream.admin import topics as admin_topics
from stream.core.topics import Layout
from stream.wire.broker import Broker
from tests.faults.harness import Source, check_exact, until, workers

if TYPE_CHECKING:
    from pathlib import Path

    from stream.demo.kafka import EmbeddedKafka
    from tests.conftest import MakeTopics
    from tests.faults.harness import WorkerProcess


async def ended(worker: WorkerProcess, seconds: float = 20) -> int:
    """Wait for its exit code."""
    return await asyncio.to_thread(worker.wait, seconds)


async def test_an_unreachable_broker_is_one_message(tmp_path: Path) -> None:
    """The worker waits, says so, then gives up: no traceback, exit code 1."""
    with workers("127.0.0.1:9", Layout(), tmp_path) as start:
        worker = start(broker_patience=1.5, level="WARNING")
        assert await ended(worker) == 1
        assert "trying again in" in worker.said
        assert "cannot reach Kafka at 127.0.0.1:9" in worker.said.splitlines()[-1]
        assert "Traceback" not in worker.said


async def test_missing_topics_are_one_message(kafka: str, tmp_path: Path) -> None:
    """Each missing topic is named, and what to do."""
    with workers(kafka, Layout(app_id="none", prefix="none."), tmp_path) as start:
        worker = start(level="WARNING")
        assert await ended(worker) == 1
        assert "these topics do not exist: none-stage1-changelog, none.agents.v1" in worker.said
        assert "Traceback" not in worker.said


async def test_joined_topics_must_agree(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """A changed number of partitions would separate keys from their state: refused, with the numbers."""
    layout = make_topics(partitions=2)
    calls = f"{layout.prefix}calls.v1"
    with workers(kafka, layout, tmp_path) as start:
        running = start(level="ERROR", metadata_age=1.0)
        await until(lambda: len(running.told("shard_loaded")) == 2, 20, "the worker runs")
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.create_partitions({calls: NewPartitions(total_count=3)})
        await admin.close()
        assert await ended(running) == 1
        assert "no longer has 2 partitions" in running.said
        again = start(level="WARNING")
        assert await ended(again) == 1
        assert f"{calls} has 3" in again.said
        assert "stage1-changelog has 2" in again.said
        assert "Traceback" not in running.said + again.said


async def test_sigterm_ends_a_busy_worker_quickly(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """It finishes the batch it is storing, leaves the group, exits 0 in under three seconds; the next one goes on."""
    layout = make_topics(partitions=2)
    source = Source(kafka, layout, seed=1)
    with workers(kafka, layout, tmp_path) as start:
        flow = asyncio.create_task(source.flow(seconds=6.0, rate=2_000))
        first = start(level="WARNING")
        await until(lambda: bool(first.told("batch_stored")), 20, "the first worker counts")
        began = time.monotonic()
        assert await asyncio.to_thread(first.terminate) == 0
        assert time.monotonic() - began < 3
        second = start(level="WARNING")
        await flow
        await check_exact(kafka, layout)
        await until(lambda: len(second.told("shard_loaded")) == 2, 20, "the second worker runs")
        assert await asyncio.to_thread(second.terminate) == 0
        assert "Traceback" not in first.said + second.said


async def test_a_broker_that_comes_late_is_waited_for(
    own_kafka: EmbeddedKafka, fresh_prefix: str, tmp_path: Path
) -> None:
    """A worker started while the broker is down begins when it comes up."""
    layout = Layout(prefix=fresh_prefix, app_id=f"{fresh_prefix}app", partitions=2)
    admin_topics.create(Broker(own_kafka.bootstrap_servers), layout)
    own_kafka.kill()
    with workers(own_kafka.bootstrap_servers, layout, tmp_path) as start:
        worker = start(level="WARNING")
        await asyncio.sleep(2)
        await asyncio.to_thread(own_kafka.restart)
        await until(lambda: len(worker.told("shard_loaded")) == 2, 30, "the worker takes its shards")
        assert "trying again in" in worker.said
        assert await asyncio.to_thread(worker.terminate) == 0
