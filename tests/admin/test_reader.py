"""The reader on a real broker: committed records only, up to where the topics ended when it was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.admin.producer import EventProducer, Outgoing, write_all
from stream.admin.reader import open_reader
from stream.core.partitions import partition_of
from stream.core.topics import topic_name
from stream.core.trouble import Trouble
from stream.wire.broker import Broker

if TYPE_CHECKING:
    from tests.conftest import MakeTopics


def quiet(_read: int, _newest: int) -> None:
    """Nobody watches."""


def test_only_what_was_there_and_is_committed(kafka: str, make_topics: MakeTopics) -> None:
    """Neither an aborted record, nor one that came later; the same topic may be read again."""
    prefix = make_topics(partitions=3).prefix
    topic, broker = topic_name(prefix, "calls"), Broker(kafka)
    write_all(broker, [Outgoing(topic, f"c{i}".encode(), b"%d" % i) for i in range(40)])
    with EventProducer(broker, transactional_id=f"{prefix}x") as producer:
        producer.begin()
        producer.send(Outgoing(topic, b"c1", b"aborted"))
        producer.flush()
        producer.abort()
        producer.begin()
        producer.send(Outgoing(topic, b"c1", b"committed", (("kind", b"x"),)))
        producer.commit()
    seen: list[int] = []
    with open_reader(broker, prefix, lambda read, _newest: seen.append(read)) as reader:
        write_all(broker, [Outgoing(topic, b"c1", b"later")])
        values = [record.value for record in reader.read(("calls", "chats"))]
        assert {*values} == {*(b"%d" % i for i in range(40)), b"committed"}
        assert len(values) == 41
        [last] = [record for record in reader.read(("calls",), {b"c1"}) if record.value == b"committed"]
        assert (last.topic, last.key, list(last.headers)) == ("calls", b"c1", [("kind", b"x")])
        assert last.recorded_at is not None
        assert reader.looked["chats"] == ({0, 1, 2}, None)
        assert reader.partitions == 3
    assert seen == sorted(seen)


def test_only_the_partitions_of_the_keys_are_read(kafka: str, make_topics: MakeTopics) -> None:
    """And of them only the records asked for."""
    prefix = make_topics(partitions=4).prefix
    topic, broker = topic_name(prefix, "emails"), Broker(kafka)
    write_all(broker, [Outgoing(topic, f"m{i % 20}".encode(), b"%d" % i) for i in range(200)])
    with open_reader(broker, prefix, quiet) as reader:
        found = [record.value for record in reader.read(("emails",), {b"m7"})]
        assert found == [b"%d" % i for i in range(7, 200, 20)]
        assert reader.looked["emails"][0] == {partition_of(b"m7", 4)}
        odd = list(
            reader.read(("emails",), partitions={0, 1}, wanted=lambda _key, value: (value or b"").endswith(b"1"))
        )
        assert {partition_of(record.key or b"", 4) for record in odd} <= {0, 1}


def test_topics_that_are_not_there(kafka: str, fresh_prefix: str) -> None:
    """One message with what to do."""
    with (
        pytest.raises(Trouble, match=f"cannot read topic {fresh_prefix}calls.v1.*--prefix"),
        open_reader(Broker(kafka), fresh_prefix, quiet),
    ):
        pass
