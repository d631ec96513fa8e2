"""What may happen to the logs themselves: retention overtakes the reader, a topic is made again, records are poison."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from stream.admin import topics as admin_topics
from stream.core.topics import topic_name
from stream.wire.broker import Broker
from tests.faults.harness import Source, check_exact, environment_seed, stored, until, workers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeTopics


async def test_retention_overtakes_the_reader(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """Records deleted while no worker ran are counted as lost, loudly, and the worker goes on with the rest."""
    layout = make_topics(partitions=1)
    calls = topic_name(layout.prefix, "calls")
    with workers(kafka, layout, tmp_path) as start:
        async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
            for number in range(100):
                await producer.send(calls, b"x", key=b"k%d" % number)
            await producer.flush()
            first = start()
            await until(lambda: any(each["stored"] == 100 for each in first.told("batch_stored")), 20, "counted")
            assert await asyncio.to_thread(first.terminate) == 0
            for number in range(100, 200):
                await producer.send(calls, b"x", key=b"k%d" % number)
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.delete_records({TopicPartition(calls, 0): RecordsToDelete(before_offset=130)})
        await admin.close()
        second = start()
        await until(
            lambda: any(each["stored"] == 70 for each in second.told("batch_stored")), 20, "the rest is counted"
        )
        assert [each["count"] for each in second.told("records_lost")] == [30]
        assert "records were deleted before they were read" in second.said
        assert sum((await stored(kafka, layout)).counts.values()) == 170
        assert await asyncio.to_thread(second.terminate) == 0


async def test_a_topic_made_again_is_refused(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """Offsets that were counted do not exist any more: one clear message, exit code 1."""
    layout = make_topics(partitions=1)
    calls = topic_name(layout.prefix, "calls")
    with workers(kafka, layout, tmp_path) as start:
        async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
            for number in range(50):
                await producer.send(calls, b"x", key=b"k%d" % number)
        first = start()
        await until(lambda: any(each["stored"] == 50 for each in first.told("batch_stored")), 20, "counted")
        assert await asyncio.to_thread(first.terminate) == 0
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.delete_topics([calls])
        await asyncio.sleep(1)
        await admin.close()
        admin_topics.create(Broker(kafka), layout)
        second = start(level="WARNING")
        assert await asyncio.to_thread(second.wait, 20) == 1
        assert "was deleted and created again" in second.said
        assert "Traceback" not in second.said


async def test_poison_passes_through_byte_for_byte(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """Values of 1.5 MB, no key, no value, megabyte keys: each rejected once, and the worker lives."""
    layout = make_topics(partitions=2)
    seed = environment_seed()
    chance = random.Random(seed)  # noqa: S311  a seeded test, no secret
    poison = [
        (b"k1", b"!" + chance.randbytes(1_500_000)),
        (b"k2", b"!" + chance.randbytes(900_000)),
        (None, b"!" + chance.randbytes(10)),
        (b"k3", None),
        (chance.randbytes(1_000_000), b"!long key"),
    ]
    with workers(kafka, layout, tmp_path) as start:
        worker = start()
        async with AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=4_000_000) as producer:
            for key, value in poison * 4:
                await producer.send_and_wait(topic_name(layout.prefix, "calls"), value, key=key)
        await Source(kafka, layout, seed).flow(seconds=1.0, rate=500)
        found = await check_exact(kafka, layout)
        assert sum(found.rejected.values()) >= 20
        assert await asyncio.to_thread(worker.terminate) == 0
