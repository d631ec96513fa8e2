"""Fills a source topic with generated calls, as fast as it goes or at a given rate.

Run `python -m bench.load --bootstrap-server HOST:PORT --events 400000 --prefix bench.` to fill one by hand. Records are
partitioned as every Kafka client partitions them (murmur2 of the key); they carry no headers.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from bench.calls import Plan, lines
from bench.truth import Truth
from stream.admin.topics import create
from stream.core.topics import Layout, topic_name
from stream.wire.broker import Broker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiokafka.structs import RecordMetadata

    from bench.calls import Line
    from bench.truth import Figures

PARTITIONS: Final = 8
_BATCH_BYTES: Final = 500_000
_TICK_SECONDS: Final = 0.01


class Loaded(NamedTuple):
    """What a topic now holds: its name, the number of events and bytes, and the right figures of the small job."""

    topic: str
    events: int
    size_bytes: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Target:
    """Where to write: bootstrap servers, topic prefix and application id of one measurement."""

    bootstrap: str
    prefix: str = "bench."
    app_id: str = "bench"

    def create_topics(self) -> None:
        """Create every topic of this deployment that is missing, as `contact-stream topics create` does."""
        create(Broker(self.bootstrap), Layout(prefix=self.prefix, app_id=self.app_id, partitions=PARTITIONS))

    @property
    def calls(self) -> str:
        """Name of the topic of calls."""
        return topic_name(self.prefix, "calls")


def fill(target: Target, events: int, plan: Plan) -> Loaded:
    """Create the topics and write `events` generated events into the calls, then return what they add up to."""
    target.create_topics()
    return asyncio.run(_fill(target, events, plan))


async def _fill(target: Target, events: int, plan: Plan) -> Loaded:
    truth = Truth()
    size_bytes = 0
    async with AIOKafkaProducer(
        bootstrap_servers=target.bootstrap, max_batch_size=_BATCH_BYTES, max_request_size=4_194_304, linger_ms=0
    ) as producer:
        source = itertools.islice(lines(plan), events)
        while chunk := list(itertools.islice(source, 8_000)):
            for line in chunk:
                truth.add(line)
                size_bytes += len(line.value)
            await _send_batches(producer, target.calls, chunk)
    return Loaded(target.calls, events, size_bytes, truth.figures)


async def _send_batches(producer: AIOKafkaProducer, topic: str, chunk: Iterable[Line]) -> None:
    """Write one chunk in a batch for each partition, and wait until all are stored."""
    partitions: dict[int, list[tuple[bytes, bytes]]] = {}
    for line in chunk:
        key = line.contact_id.encode()
        partitions.setdefault(partition_of(key), []).append((key, line.value))
    stored = []
    for partition, pairs in partitions.items():
        batch = producer.create_batch()
        for key, value in pairs:
            if batch.append(key=key, value=value, timestamp=None) is None:
                stored.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        stored.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*stored)


class Sent(NamedTuple):
    """One record that the broker stored: its place, and the broker's time of it in ms."""

    partition: int
    offset: int
    stored_at: int


async def trickle(target: Target, per_second: float, seconds: float, seed: int) -> Sequence[Sent]:
    """Write generated events at an even rate and return where each was stored.

    The calls began so long ago that the last event lies before now; nothing is `future` and nothing late.
    """
    events = int(per_second * seconds)
    plan = _past(Plan(seed=seed, between_ms=7_600.0 / per_second), events)
    source = itertools.islice(lines(plan), events)
    pending: list[asyncio.Future[RecordMetadata]] = []
    async with AIOKafkaProducer(bootstrap_servers=target.bootstrap, max_batch_size=_BATCH_BYTES) as producer:
        began = time.monotonic()
        while len(pending) < events:
            due = min(events, int((time.monotonic() - began) * per_second) + 1)
            for line in itertools.islice(source, due - len(pending)):
                key = line.contact_id.encode()
                pending.append(await producer.send(target.calls, line.value, key, partition_of(key)))
            await asyncio.sleep(_TICK_SECONDS)
        stored = await asyncio.gather(*pending)
    return [Sent(record.partition, record.offset, record.timestamp) for record in stored]


def _past(plan: Plan, events: int) -> Plan:
    """Move a plan so that its last event happened a second ago."""
    last = max(line.at for line in itertools.islice(lines(plan), events))
    return replace(plan, start_ms=plan.start_ms + int(time.time() * 1000) - 1_000 - last)


def partition_of(key: bytes) -> int:
    """Return the partition that every Kafka client's default partitioner chooses for a key."""
    return int(murmur2(key) & 0x7FFFFFFF) % PARTITIONS


def main() -> None:
    """Fill one topic and print what it holds as JSON."""
    parser = argparse.ArgumentParser(description="fill a topic with generated calls")
    parser.add_argument("-b", "--bootstrap-server", required=True)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--prefix", default="bench.")
    parser.add_argument("--app-id", default="bench")
    arguments = parser.parse_args()
    target = Target(arguments.bootstrap_server, arguments.prefix, arguments.app_id)
    print(json.dumps(fill(target, arguments.events, Plan())._asdict()))


if __name__ == "__main__":
    main()
