"""Figures, cells, cases and open things after another policy was adopted are those of a start under it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.engine import redecide
from stream.core.engine.ledger import UNPUBLISHED
from stream.core.figures.series import series_of
from stream.core.policy import DAY_MS, HOUR_MS
from stream.wire.policy import policy_hash
from stream.wire.times import format_time
from tests.core.adopting import (
    POLICIES,
    AdoptingWorld,
    AdoptingWorlds,
    cells,
    feed,
    laid,
    lived,
    net,
    outputs,
    said,
    waiting,
)
from tests.core.case_histories import START, Shape, history
from tests.core.case_worlds import Schedule
from tests.core.worlds import histories, record, staffs

if TYPE_CHECKING:
    from stream.core.engine.batch import Changes, Record
    from stream.core.engine.engine import Engine
    from stream.core.policy import Policy
    from tests.core.case_histories import Told

SEEDS = st.integers(0, 2**32)
EVENTS = st.builds(list.__add__, histories(), staffs())
PAIRS = st.lists(st.sampled_from(sorted(POLICIES)), min_size=2, max_size=2, unique=True)


def dice_of(seed: int) -> random.Random:
    """The dice of a seed."""
    return random.Random(seed)  # noqa: S311  a seed, not a secret


def everything(world: AdoptingWorlds) -> dict[str, Any]:
    """What a world says, all partitions together."""
    shards = [seat.shard for seat in world.seats.values()]
    gauges = {key: round(amount, 6) for key, amount in world.gauges().items()}  # shares add up in any order
    return {
        "net": net(shards),
        "cells": cells(shards),
        "open": waiting(shards),
        "cases": said(world.current()),
        "gauges": gauges,
    }


def known(world: AdoptingWorld) -> dict[str, Any]:
    """The same of one partition."""
    shards = (world.shard, world.cases)
    return {"net": net(shards), "cells": cells(shards), "open": waiting(shards), "cases": said(world.current())}


@given(SEEDS, PAIRS)
def test_the_figures_are_those_of_a_start_under_the_new_policy(seed: int, pair: list[str]) -> None:
    """R28: any history, change, moment, partitions and crashes; going back gives the figures of before."""
    dice = dice_of(seed)
    told = history(seed, Shape(days=20))
    cut = dice.randint(0, len(told))
    after = (told[-1].at if told else START) + dice.choice((0, HOUR_MS, 3 * DAY_MS, 10 * DAY_MS, 50 * DAY_MS))
    schedule = Schedule(dice.choice((1, 1, 2, 3)), dice.choice((0.0, 0.2)))
    parts: list[tuple[list[Told], int | None]] = [
        (told[:cut], told[cut - 1].at if cut else None),
        (told[cut:], after),
        ([], after + 1),
    ]

    def run(*policies: Policy) -> AdoptingWorlds:
        world = AdoptingWorlds(policies[0], schedule, dice_of(seed))
        for policy, (piece, tick) in zip(policies, parts, strict=True):
            if policy is not world.policy:
                world.policy = policy
                world.reload_all()
            world.feed(piece, tick)
        return world

    old, new = (POLICIES[name] for name in pair)
    assert everything(run(old, new, new)) == everything(run(new, new, new))
    assert everything(run(old, new, old)) == everything(run(old, old, old))


@given(
    st.builds(list.__add__, histories(), staffs()), SEEDS, PAIRS, st.lists(st.integers(0, 300), min_size=2, max_size=2)
)
def test_every_kind_of_event_counts_as_under_the_new_policy(
    records: list[Record], seed: int, pair: list[str], hours: list[int]
) -> None:
    """R28: stage one with every type of event, generations, restarts and agents; the watermark anywhere."""
    dice_of(seed).shuffle(records)
    cut = dice_of(seed).randint(0, len(records))
    old, new = (POLICIES[name] for name in pair)
    worlds = AdoptingWorld(old), AdoptingWorld(new)
    for world in worlds:
        world.feed(records[:cut], 5)
        world.advance(START + min(hours) * HOUR_MS)
        world.adopt(new)
        world.feed(records[cut:], 5)
        world.advance(START + max(hours) * HOUR_MS)
    assert known(worlds[0]) == known(worlds[1])


def stored(changes: Changes) -> Any:  # noqa: ANN401  only compared
    """Everything a batch writes; cells and counters stand in any order, and in any order inside."""
    unordered = (b"n/", b"i/")
    rows = {key: sorted(value) if value and key[:2] in unordered else value for key, value in changes.changelog}
    return rows, sorted((output.topic, output.key, output.value) for output in changes.outputs)


def counters(shard: Engine) -> dict[Any, tuple[int, int]]:
    """What a shard shows, but how often it corrected."""
    shown = shard.view.counters.items()
    return {key: value for key, value in shown if key[0] != "contact_stream_corrections_total"}


@given(SEEDS, PAIRS)
def test_what_falls_is_said_once_and_nothing_else_is_taken_back(seed: int, pair: list[str]) -> None:
    """R28: a twin rises by what its series lost in net over the shard; corrections name those series, each once."""
    old, new = (POLICIES[name] for name in pair)
    world = lived(seed, old)
    world.restart(new)
    shards = (world.shard, world.cases)
    before = [counters(shard) for shard in shards]
    for shard, known_before in zip(shards, before, strict=True):
        changes = shard.apply((), {}, 0)
        shard.publish(changes)
        fallen = {}
        for key, (total, fell) in counters(shard).items():
            was_total, was_fell = known_before.get(key, (0, 0))
            assert (total == was_total) or (fell == was_fell), key
            if fell > was_fell and key[0] not in UNPUBLISHED:
                fallen[series_of(key)] = (was_total - was_fell, total - fell)
        told = outputs(changes, "corrections")
        assert {one["cell"]: (one["old"], one["new"]) for one in told} == fallen
        assert len(told) == len(fallen)
        assert all(one["cause"] == "definition" and one["policy"] == policy_hash(new) for one in told)


@given(SEEDS, PAIRS)
def test_a_crash_changes_nothing(seed: int, pair: list[str]) -> None:
    """Before the first batch is stored all of it is done again in the same way; after it nothing is."""
    old, new = (POLICIES[name] for name in pair)
    world, other = lived(seed, old), lived(seed, old)
    world.restart(new)
    world.shard.apply((), {}, 0)
    world.reload()
    first, again = world.first_batches(), other.adopt(new)
    assert list(map(stored, first)) == list(map(stored, again))
    assert known(world) == known(other)
    world.reload()
    for changes in world.first_batches():
        assert changes.adopted is None
        assert not outputs(changes, "corrections") + outputs(changes, "outcomes") + outputs(changes, "verdicts")
        assert not [key for key, _ in changes.changelog if key[:2] not in (b"s", b"i/", b"n/")]
    assert known(world) == known(other)


@given(SEEDS, PAIRS)
def test_there_and_back_again(seed: int, pair: list[str]) -> None:
    """Going back gives the figures, the cases and the open things of before, and every correction an id of its own."""
    old, new = (POLICIES[name] for name in pair)
    world = lived(seed, old)
    before = known(world)
    batches = [changes for policy in (new, old, new, old) for changes in world.adopt(policy)]
    assert known(world) == before
    ids = [one["id"] for changes in batches for one in outputs(changes, "corrections")]
    assert len(ids) == len(set(ids))


def calls() -> AdoptingWorld:
    """Three calls to as many queues that gave up after 20 s, and one that was answered."""
    world = AdoptingWorld(POLICIES["base"])
    for number, queue in enumerate(("billing", "sales", "quux", "billing")):
        name, answered = f"c{number}", number == len("abc")
        told = [("queue.entered", 0, {"queue": queue}), ("contact.ended", 20, {"by": "customer"})]
        if answered:
            told.insert(1, ("agent.connected", 9, {"agent": "anna"}))
        for kind, seconds, fields in told:
            at = format_time(START + seconds * 1_000)
            event = {"event_id": f"{name}-{kind}", "type": kind, "occurred_at": at, "source": "s", **fields}
            world.feed([record("calls", {**event, "contact_id": name, "customer": "k"})], 1)
    return world


def rows(changes: Changes) -> set[bytes]:
    """The rows of contacts and persons that a batch wrote."""
    return {key for key, _ in changes.changelog if key[:2] in (b"c/", b"h/", b"f/", b"v/")}


def test_only_rows_that_change_are_written() -> None:
    """A new queue concerns no row's bytes; short abandons those whose outcome is another, and these are told again."""
    world = calls()
    contacts, cases = world.adopt(POLICIES["a queue"])
    assert contacts.counters["contact_visits_entered_total", "voice", "quux"] == (1, 0)
    assert contacts.counters["contact_visits_entered_total", "voice", "other"] == (1, 1)
    assert not rows(contacts) | rows(cases)
    assert not outputs(contacts, "outcomes")
    contacts, cases = world.adopt(replace(POLICIES["a queue"], short_abandon_ms=60_000))
    told = outputs(contacts, "outcomes")
    assert {(one["contact_id"], one["outcome"]) for one in told} == {(f"c{n}", "abandoned_short") for n in range(3)}
    assert all(one["cause"] == "definition" and not one["first"] and not one["withdrawn"] for one in told)
    assert rows(contacts) == {b"c/c0", b"c/c1", b"c/c2"}
    assert not rows(cases)


def test_what_is_told_of_a_contact_is_told_again_where_its_calendar_speaks_of_it() -> None:
    """The local day of an arrival is part of it, though no case depends on it."""
    contacts, _ = calls().adopt(POLICIES["the zone of a queue"])
    told = outputs(contacts, "outcomes")
    assert {one["contact_id"] for one in told} == {"c0", "c3"}
    assert {one["local_hour"] for one in told} == {"Mon 19"}


def test_agents_may_be_named_and_unnamed() -> None:
    """R26: opting in counts what is in the state by agent and writes no case's row; opting out takes all of it back."""
    world = calls()
    _, cases = world.adopt(POLICIES["agents"])
    credited = {
        key: amount for key, amount in net((world.cases,)).items() if key[0] == "contact_agent_fcr_credited_total"
    }
    assert credited == {("contact_agent_fcr_credited_total", "anna", "voice"): 1}
    assert not rows(cases)
    assert not outputs(cases, "verdicts") + outputs(cases, "corrections")
    _, cases = world.adopt(POLICIES["base"])
    assert not [key for key in net((world.cases,)) if "_agent_" in key[0]]
    assert {one["cause"] for one in outputs(cases, "corrections")} == {"definition"}


def waiting_call() -> AdoptingWorld:
    """A call that waits in a queue without a name of its own."""
    world = AdoptingWorld(POLICIES["base"])
    at = format_time(START)
    event = {"event_id": "e", "type": "queue.entered", "occurred_at": at, "source": "s", "queue": "quux"}
    world.feed([record("calls", {**event, "contact_id": "c1"})], 1)
    return world


def test_what_waits_moves_with_its_queue() -> None:
    """From other to its own name, in the batch that stores the counters."""
    world = waiting_call()
    world.restart(POLICIES["a queue"])
    shown = world.shard.view
    assert ("contact_queue_waiting", "voice", "other") in shown.gauges(START)
    assert not any(shown.unaccounted.values())
    world.first_batches()
    assert ("contact_queue_waiting", "voice", "quux") in shown.gauges(START)
    assert not any(shown.unaccounted.values())


def test_time_changes_things_when_the_new_policy_says() -> None:
    """R06, R28: a shorter window ends sooner, and a shorter timeout infers an end sooner, to the millisecond."""
    world = calls()
    world.advance(START + DAY_MS)
    world.adopt(POLICIES["a short window"])
    for after, state in ((-1, "provisional"), (0, "settled")):
        world.advance(START + 20_000 + 2 * DAY_MS + after)
        [case] = world.current().values()
        assert case["rules"]["contact"]["state"] == state
    world = waiting_call()
    world.advance(START + HOUR_MS // 2)
    world.adopt(POLICIES["timeouts"])
    for after, waits in ((-1, 1), (0, 0)):
        world.advance(START + HOUR_MS + after)
        assert len(world.shard.view.open) == waits


def test_what_has_left_keeps_its_figures() -> None:
    """R28: a contact that is no longer in the state is not decided again."""
    old = laid(lateness_ms=DAY_MS)
    world = AdoptingWorld(old)
    feed(world, history(5, Shape(days=3)))
    world.advance(START + 90 * DAY_MS)
    assert world.shard.rows() == 0
    figures = net((world.shard, world.cases))
    contacts, _ = world.adopt(laid(lateness_ms=DAY_MS, short_abandon_ms=60_000, channels={"voice": {"target_ms": 1}}))
    assert figures
    assert net((world.shard, world.cases)) == figures
    assert contacts.adopted is not None
    assert not outputs(contacts, "corrections")


def test_rows_may_leave_at_once_under_a_shorter_lateness() -> None:
    """What the new policy would have let go goes in the first batch, and stays counted as it says."""
    world = lived(6, POLICIES["base"])
    shorter = replace(POLICIES["targets"], lateness_ms=HOUR_MS)
    reference = lived(6, POLICIES["targets"])
    world.adopt(shorter)
    assert world.shard.rows() < reference.shard.rows()
    assert net((world.shard,)) == net((reference.shard,))


@pytest.mark.parametrize("topic", ["calls", "agents", "cases"])
def test_a_longer_lateness_lets_nothing_in_that_was_too_late_before(topic: str) -> None:
    """What was folded away stays so: late is what was late under either, and the longer one holds from then on."""

    def late(hours: float) -> int:
        """How many of the events so many hours after the start are late: 0 or 1."""
        own: dict[str, dict[str, Any]] = {
            "calls": {"type": "contact.started", "contact_id": f"c{hours}"},
            "agents": {"type": "agent.status", "agent": "anna", "status": "busy"},
            "cases": {"type": "survey.answered", "customer": "u", "contact_id": "u", "csat": 5},
        }
        at = format_time(START + int(hours * HOUR_MS))
        before = len(world.rejected)
        told = {"event_id": f"e{hours}", "occurred_at": at, "source": "acd", **own[topic]}
        world.feed([record(topic, told)], 1)
        world.reload()
        assert all(one["reason"] == "late" for one in world.rejected), world.rejected
        return len(world.rejected) - before

    world = AdoptingWorld(laid(lateness_ms=HOUR_MS))
    world.advance(START + 10 * HOUR_MS)
    world.first_batches()
    assert [late(hours) for hours in (9, 8.9)] == [0, 1]
    world.adopt(laid(lateness_ms=DAY_MS))
    assert [late(hours) for hours in (9.1, 8.9, 9.2)] == [0, 1, 0]
    world.adopt(laid(lateness_ms=2 * DAY_MS))
    assert [late(hours) for hours in (9.3, 8.8)] == [0, 1]
    world.advance(START + 60 * HOUR_MS)
    world.first_batches()
    assert [late(hours) for hours in (12, 11.9)] == [0, 1]


def test_pieces_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deciding one row at a time gives the batch that deciding all at once gives."""
    world, other = lived(7, POLICIES["base"]), lived(7, POLICIES["base"])
    world.restart(POLICIES["a short window"])
    other.restart(POLICIES["a short window"])
    again = other.first_batches()
    monkeypatch.setattr(redecide, "PIECE", 1)
    for shard in (world.shard, world.cases):
        pieces = 1
        while shard.redecide():
            pieces += 1
        assert pieces == shard.rows()
    first = world.first_batches()
    assert list(map(stored, first)) == list(map(stored, again))
