"""The way to Kafka loses nothing and invents nothing but what it owns up to."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.events import Rejection
from stream.demo.centre.simulator import Simulator
from stream.demo.disturbance import POISONED, Disturber
from stream.demo.poison import poison
from stream.demo.scenario import Disturbance
from stream.wire.decode import decode
from stream.wire.json import dumps
from tests.demo.worlds import ROUGH, START, deliveries, moments, scenario

DISTURBANCES = st.builds(
    Disturbance,
    duplicates=st.sampled_from((0.0, 0.05, 1.0)),
    disorder_ms=st.sampled_from((0, 1, 60_000, 7_200_000)),
    delayed=st.sampled_from((0.0, 0.3, 1.0)),
    poison=st.sampled_from((0, 7, 90)),
)


@given(DISTURBANCES, st.integers(0, 9))
@settings(max_examples=20)
def test_every_event_arrives_and_nothing_else_does(plan: Disturbance, seed: int) -> None:
    """Delivered events are those said, plus the copies and the poison that were counted."""
    said = Counter(
        (event.topic or "calls", event.key, dumps(event.event))
        for moment in moments(Simulator(scenario("calm"), seed, START, 600_000), 60)
        for event in moment.events
    )
    disturber = Disturber(plan, seed, 700)
    arrived = deliveries(Simulator(scenario("calm"), seed, START, 600_000), disturber, 60)
    delivered = disturber.delivered
    events = Counter(
        (one.topic, (one.key or b"").decode(), dumps(one.event)) for one in arrived if one.event is not None
    )
    assert events.keys() == said.keys()
    assert (events - said).total() == delivered.duplicates.total()
    assert delivered.events.total() + delivered.heartbeats.total() == said.total()
    assert [one for one in arrived if one.event is None] == delivered.rejected
    assert len(delivered.rejected) == plan.poison
    assert len(arrived) == sum(delivered.results(1).values()) == delivered.records(1).total()


def test_nothing_is_later_than_promised() -> None:
    """No event comes after one that happened more than `disorder_ms` later; undisturbed ones come as they happened."""
    for plan in (Disturbance(), ROUGH):
        newest: int = 0
        disturber = Disturber(plan, 1, 3_000)
        for moment in moments(Simulator(scenario("calm"), 1, START), 200):
            for delivery in disturber.feed(moment):
                if delivery.event is None:
                    continue
                decoded = decode(delivery.topic, delivery.key, dumps(delivery.event))
                assert not isinstance(decoded, Rejection)
                assert decoded[0] >= newest - plan.disorder_ms
                newest = max(newest, decoded[0])


def test_the_shares_are_those_asked_for() -> None:
    """About 5 % come twice, about 30 % late."""
    disturber = Disturber(ROUGH, 2, 12_000)
    deliveries(Simulator(scenario("calm"), 2, START), disturber, 1_000)
    delivered = disturber.delivered
    assert 0.04 < delivered.duplicates.total() / delivered.events.total() < 0.06
    assert delivered.duplicates["cases"] > 0


def test_every_topic_with_events_is_disturbed() -> None:
    """Calls, chats, e-mails and cases come late, twice and with poison between them, agents late and twice."""
    disturber = Disturber(ROUGH, 4, 9_000)
    arrived = deliveries(Simulator(scenario("calm"), 4, START), disturber, 700)
    topics = {"calls", "chats", "emails", "cases"}
    assert topics | {"agents"} == disturber.delivered.events.keys() == disturber.delivered.duplicates.keys()
    assert topics == {one.topic for one in disturber.delivered.rejected}
    assert disturber.delivered.records(1) == Counter(one.topic for one in arrived)


def test_the_same_seed_disturbs_alike() -> None:
    """A run can be repeated, poison included."""
    runs = [deliveries(Simulator(scenario("calm"), 3, START), Disturber(ROUGH, 3, 900), 80) for _ in range(2)]
    assert runs[0] == runs[1]


def test_heartbeats_go_everywhere_in_every_topic_asked_for() -> None:
    """Each heartbeat is said once in each topic, to all partitions, and is never doubled or held back."""
    disturber = Disturber(ROUGH, 1, 100, ("calls", "chats"))
    arrived = deliveries(Simulator(scenario("calm"), 1, START, 600_000), disturber, 20)
    beats = [delivery for delivery in arrived if delivery.everywhere]
    assert Counter(delivery.topic for delivery in beats) == disturber.delivered.heartbeats
    assert len({(beat.topic, str(beat.event)) for beat in beats}) == len(beats) > 0
    assert all(
        beat.key is not None and beat.event is not None and beat.key.decode() == beat.event["source"] for beat in beats
    )


@pytest.mark.parametrize("number", range(90))
def test_poison_is_refused_for_its_reason(number: int) -> None:
    """The decoder of the product refuses every kind for the reason the poison was made for."""
    for topic in POISONED:
        key, value, reason = poison(5, number, START, topic)
        assert poison(5, number, START, topic) == (key, value, reason)
        decoded = decode(topic, key, value)
        assert isinstance(decoded, Rejection), decoded
        assert decoded.reason == reason


def test_poison_is_of_many_kinds() -> None:
    """Every reason a record carries in itself occurs, and so do the largest records a topic takes."""
    made = [poison(5, number, START) for number in range(200)]
    assert {reason for _, _, reason in made} == {"undecodable", "no_key", "oversize", "unknown_type", "invalid"}
    assert max(len(value or b"") + len(key or b"") for key, value, _ in made) > 2_000_000
    assert any(value is None for _, value, _ in made)
    assert any(key is None for key, _, _ in made)
