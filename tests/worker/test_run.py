"""What a running worker shows of itself, and when it shows nothing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from stream.core.topics import topic_name
from stream.wire.broker import Broker
from stream.worker.run import STOPPED, Worker
from stream.worker.settings import Timing, WorkerSettings
from tests.faults.counting import CountingShard
from tests.faults.facts import KeptTelemetry

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import MakeTopics

TIMING = Timing(session_timeout=6.0, heartbeat=0.5, rebalance_timeout=6.0)


def silent_shard(stage: int, partition: int, _partitions: int, /) -> CountingShard:
    """A counting shard without outputs: what one stage counts, the other does not read."""
    return CountingShard(stage, partition, outputs=False)


async def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_views_health_and_group_offsets(kafka: str, make_topics: MakeTopics) -> None:
    """Ready once all shards run and the group answers; figures are shown while that is so; the group sees the lag."""
    layout = make_topics(partitions=2)
    settings = WorkerSettings(broker=Broker(kafka), app_id=layout.app_id, prefix=layout.prefix, timing=TIMING)
    telemetry = KeptTelemetry()
    worker = Worker(settings, silent_shard, telemetry)
    running = asyncio.create_task(worker.run())
    assert not worker.health().ready
    assert list(worker.views()) == []
    await until(lambda: worker.health().ready)
    assert worker.health().healthy
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for number in range(40):
            await producer.send(topic_name(layout.prefix, "calls"), b"x", key=b"k%d" % number)
    await until(lambda: sum(view.records for view in telemetry.views()) == 40)

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    told = 0
    deadline = time.monotonic() + 20
    while told < 40:
        assert time.monotonic() < deadline
        offsets = await admin.list_consumer_group_offsets(layout.app_id)
        told = sum(each.offset for partition, each in offsets.items() if partition.topic.endswith("calls.v1"))
        await asyncio.sleep(0.2)
    await admin.close()

    worker.stop()
    assert await asyncio.wait_for(running, 10) == STOPPED
    assert list(worker.views()) == []


async def test_a_cut_off_worker_shows_nothing(kafka: str, make_topics: MakeTopics) -> None:
    """A worker the group has not answered for a session's time does not stand beside its successor."""
    layout = make_topics(partitions=1)
    timing = replace(TIMING, session_timeout=6.0)
    settings = WorkerSettings(broker=Broker(kafka), app_id=layout.app_id, prefix=layout.prefix, timing=timing)
    worker = Worker(settings, silent_shard, KeptTelemetry())
    running = asyncio.create_task(worker.run())
    await until(lambda: len(list(worker.views())) == 2)
    app = worker._app
    assert app is not None
    app.chunk_consumer.thread.heard_at = time.monotonic() - 6.1
    assert list(worker.views()) == []
    assert not worker.health().ready
    worker.stop()
    assert await asyncio.wait_for(running, 10) == STOPPED
