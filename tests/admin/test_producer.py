"""The producer on a real broker: where records land, and what it survives."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import crc32c
import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.record import util

from stream.admin.connection import open_admin
from stream.admin.producer import EventProducer, Outgoing, partition_of, write_all
from stream.core.topics import topic_name
from stream.core.trouble import Trouble
from stream.wire.broker import Broker

if TYPE_CHECKING:
    from stream.demo.kafka import EmbeddedKafka
    from tests.conftest import MakeTopics

HOUR_MS = 3_600_000


def read_committed(servers: str, topic: str) -> dict[int, list[bytes | None]]:
    """Return every committed value of a topic, by partition, in offset order."""
    consumer = KafkaConsumer(bootstrap_servers=servers, isolation_level="read_committed", enable_auto_commit=False)
    partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    found: dict[int, list[bytes | None]] = {partition.partition: [] for partition in partitions}
    deadline = time.monotonic() + 30
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        assert time.monotonic() < deadline, "the topic cannot be read to its end"
        for partition, records in consumer.poll(timeout_ms=500).items():
            found[partition.partition] += [record.value for record in records]
    consumer.close()
    return found


def values(servers: str, topic: str) -> list[bytes | None]:
    """Return every committed value of a topic in any order of partitions."""
    return [value for part in read_committed(servers, topic).values() for value in part]


@pytest.mark.parametrize(
    ("key", "hashed"), [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)]
)
def test_a_key_lands_where_java_puts_it(key: bytes, hashed: int) -> None:
    """The hashes of Kafka's own UtilsTest, made positive and modulo the partitions."""
    assert partition_of(key, 8) == (hashed & 0x7FFFFFFF) % 8


def test_keys_keep_their_order_in_their_partition(kafka: str, make_topics: MakeTopics) -> None:
    """Records of one key stand in one partition, in the order they were sent."""
    topic = topic_name(make_topics().prefix, "calls")
    records = [Outgoing(topic, f"contact-{i % 50}".encode(), f"{i:05}".encode()) for i in range(5_000)]
    producer = write_all(Broker(kafka), records)
    found = read_committed(kafka, topic)
    assert producer.refused == []
    assert sum(len(part) for part in found.values()) == 5_000
    for number in range(50):
        home = partition_of(f"contact-{number}".encode(), 8)
        assert [value for value in found[home] if value is not None and int(value) % 50 == number] == [
            f"{i:05}".encode() for i in range(number, 5_000, 50)
        ]


def test_a_source_event_reaches_every_partition(kafka: str, make_topics: MakeTopics) -> None:
    """`send_everywhere` writes one copy to each partition, whatever the key."""
    topic = topic_name(make_topics(partitions=3).prefix, "chats")
    with EventProducer(Broker(kafka)) as producer:
        producer.send_everywhere(Outgoing(topic, b"sim:1", b"heartbeat"))
    assert read_committed(kafka, topic) == {0: [b"heartbeat"], 1: [b"heartbeat"], 2: [b"heartbeat"]}


def test_refused_records_cost_nobody_else(kafka: str, make_topics: MakeTopics) -> None:
    """Records too far in the future, too large for the topic and too large to send are listed; all others stored."""
    topic = topic_name(make_topics(timestamps="CreateTime").prefix, "calls")
    now = int(time.time() * 1000)
    bad = {
        700: Outgoing(topic, b"future", b"future", timestamp_ms=now + 3 * HOUR_MS),
        701: Outgoing(topic, b"future too", b"future", timestamp_ms=now + 9 * HOUR_MS),
        1500: Outgoing(topic, b"large", b"x" * 3_000_000),
        2500: Outgoing(topic, b"huge", b"x" * 5_000_000),
    }
    good = [Outgoing(topic, f"contact-{i % 30}".encode(), f"{i:05}".encode()) for i in range(4_000)]
    stream = [part for i, record in enumerate(good) for part in ([bad[i], record] if i in bad else [record])]
    producer = write_all(Broker(kafka), stream)
    assert {refused.record.key: refused.reason for refused in producer.refused} == {
        b"future": "InvalidTimestampError",
        b"future too": "InvalidTimestampError",
        b"large": "MessageSizeTooLargeError",
        b"huge": "MessageSizeTooLargeError",
    }
    assert sorted(values(kafka, topic), key=str) == [record.value for record in good]


def test_an_aborted_transaction_stays_hidden(kafka: str, make_topics: MakeTopics) -> None:
    """Only what was committed is read by a read_committed reader."""
    topic = topic_name(make_topics(partitions=1).prefix, "calls")
    with EventProducer(Broker(kafka), transactional_id=f"{topic}-writer") as producer:
        producer.begin()
        producer.send(Outgoing(topic, b"k", b"seen"))
        producer.commit()
        producer.begin()
        producer.send(Outgoing(topic, b"k", b"hidden"))
        producer.abort()
        producer.begin()
        producer.send(Outgoing(topic, b"k", b"seen too"))
        producer.commit()
    assert values(kafka, topic) == [b"seen", b"seen too"]


def test_a_refused_record_ends_its_transaction_and_no_other(kafka: str, make_topics: MakeTopics) -> None:
    """The commit says so; after an abort the next transaction is as good as new."""
    topic = topic_name(make_topics(partitions=1).prefix, "calls")
    with EventProducer(Broker(kafka), transactional_id=f"{topic}-writer") as producer:
        producer.begin()
        producer.send(Outgoing(topic, b"k", b"never seen"))
        producer.send(Outgoing(topic, b"k", b"x" * 3_000_000))
        with pytest.raises(Trouble, match="abort and begin again"):
            producer.commit()
        producer.abort()
        producer.begin()
        producer.send(Outgoing(topic, b"k", b"seen"))
        producer.commit()
    assert values(kafka, topic) == [b"seen"]


def test_a_broker_killed_and_restarted_loses_nothing(own_kafka: EmbeddedKafka) -> None:
    """Records sent while the broker is dead are stored once it is back."""
    with open_admin(Broker(own_kafka.bootstrap_servers)) as client:
        client.create_topics({"t": {"num_partitions": 2}}, wait_for_metadata=True)
    with EventProducer(Broker(own_kafka.bootstrap_servers)) as producer:
        for i in range(2_000):
            producer.send(Outgoing("t", str(i % 7).encode(), f"{i:05}".encode()))
            if i == 1_000:
                own_kafka.kill()
            if i == 1_500:
                own_kafka.restart()
    assert sorted(set(values(own_kafka.bootstrap_servers, "t")), key=str) == [f"{i:05}".encode() for i in range(2_000)]


def test_a_missing_topic_is_said_in_one_message(kafka: str, fresh_prefix: str) -> None:
    """The message names the topic and the command that creates it."""
    with EventProducer(Broker(kafka)) as producer, pytest.raises(Trouble, match="topics create"):
        producer.send(Outgoing(f"{fresh_prefix}calls.v1", b"k", b"v"))


def test_checksums_are_computed_in_c() -> None:
    """In pure Python they would cost more than everything else together."""
    assert util._crc32c is crc32c.crc32c
