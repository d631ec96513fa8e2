"""`topics create|check` on a real broker: what is missing is made, what differs is named, nothing is altered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from stream.admin import topics
from stream.admin.connection import open_admin
from stream.core.topics import Layout
from stream.core.trouble import Trouble
from stream.wire.broker import Broker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import MakeTopics

T = TypeVar("T")


def eventually(found: Callable[[], T]) -> T:
    """Return what is found once it is something: a broker answers from its own copy of the metadata."""
    deadline = time.monotonic() + 10
    while not (something := found()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return something


def test_create_makes_what_check_wants(kafka: str, fresh_prefix: str) -> None:
    """A broker without our topics gets all thirteen; the second time there is nothing to do."""
    broker, layout = Broker(kafka), Layout(prefix=fresh_prefix, app_id=fresh_prefix.strip("."), partitions=3)
    assert len(topics.check(broker, layout).missing) == 13
    assert len(topics.create(broker, layout)) == 13
    assert topics.check(broker, layout).right
    assert topics.create(broker, layout) == ()


def test_a_grown_topic_is_named_exactly(kafka: str, make_topics: MakeTopics) -> None:
    """Another number of partitions of a topic that a worker joins is refused with both numbers."""
    layout = make_topics(partitions=2)
    with open_admin(Broker(kafka)) as client:
        client.create_partitions({f"{layout.prefix}calls.v1": 5, f"{layout.prefix}verdicts.v1": 5})
    differences = eventually(lambda: topics.check(Broker(kafka), layout).differences)
    assert [str(difference) for difference in differences] == [f"{layout.prefix}calls.v1: partitions is 5, expected 2"]


def test_a_mismatch_stops_create_before_it_changes_anything(kafka: str, make_topics: MakeTopics) -> None:
    """With one topic wrong and one missing, nothing is created and the exact difference is said."""
    layout = make_topics(partitions=2)
    wrong = Layout(prefix=layout.prefix, app_id=f"{layout.app_id}-2", partitions=2, timestamps="CreateTime")
    with pytest.raises(Trouble, match=r"calls\.v1: message\.timestamp\.type is LogAppendTime, expected CreateTime"):
        topics.create(Broker(kafka), wrong)
    assert len(topics.check(Broker(kafka), wrong).missing) == 2


def test_more_retention_than_asked_for_is_right(kafka: str, make_topics: MakeTopics) -> None:
    """Limits are lower bounds: a longer retention is no difference, a shorter one is."""
    layout = make_topics(partitions=1)
    name = f"{layout.prefix}emails.v1"
    for milliseconds, right in (("-1", True), ("99999999999", True), ("60000", False)):
        with open_admin(Broker(kafka)) as client:
            client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"retention.ms": milliseconds})])
        assert eventually(lambda: topics.check(Broker(kafka), layout).right is right)  # noqa: B023  called at once


def test_an_unreachable_broker_is_one_message() -> None:
    """The address and what to check; no traceback, no secret."""
    broker = Broker("127.0.0.1:1", sasl_password="hunter2")
    with pytest.raises(Trouble, match=r"cannot reach Kafka at 127\.0\.0\.1:1") as caught:
        topics.check(broker, Layout())
    assert "hunter2" not in str(caught.value) + repr(broker)
