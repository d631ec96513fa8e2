"""Another policy: what is different, what a worker may do about it, and that the figures are those of a new start."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.adoption import changed
from stream.core.policy import DAY_MS, HOUR_MS
from stream.core.policy_reader import read_policy
from stream.core.series import series_of
from stream.core.trouble import Trouble
from stream.wire import json
from stream.wire.policy import policy_hash, read_policy_text, write_policy
from tests.core.adopting import (
    BASE,
    DEFINITIONS,
    NAMES,
    POLICIES,
    AdoptingWorld,
    AdoptingWorlds,
    cells,
    net,
    over,
    said,
    waiting,
)
from tests.core.case_histories import START, Shape, history
from tests.core.case_worlds import Schedule
from tests.core.worlds import histories
from tests.wire.test_policy import FULL

if TYPE_CHECKING:
    from stream.core.batch import Changes, Record
    from stream.core.engine import Engine
    from stream.core.policy import Policy
    from tests.core.case_histories import Told

SEEDS = st.integers(0, 2**32)
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
        "cases": said(world.told),
        "gauges": gauges,
    }


def known(world: AdoptingWorld) -> dict[str, Any]:
    """The same of one partition."""
    shards = (world.shard, world.cases)
    return {"net": net(shards), "cells": cells(shards), "open": waiting(shards), "cases": said(world.verdicts)}


@given(SEEDS, PAIRS)
def test_the_figures_are_those_of_a_start_under_the_new_policy(seed: int, pair: list[str]) -> None:
    """For any history, change, moment, partitions and crashes; and going back gives the figures of before."""
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


@given(histories(), SEEDS, PAIRS, st.lists(st.integers(0, 300), min_size=2, max_size=2))
def test_every_kind_of_event_counts_as_under_the_new_policy(
    records: list[Record], seed: int, pair: list[str], hours: list[int]
) -> None:
    """Stage one with every type of event, generations and restarts; the watermark anywhere."""
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


def lived(seed: int, policy: Policy) -> AdoptingWorld:
    """A world that has seen a history, and some time after it."""
    world = AdoptingWorld(policy)
    feed(world, history(seed, Shape(days=20)))
    world.advance(START + 30 * DAY_MS)
    return world


def feed(world: AdoptingWorld, told: list[Told]) -> None:
    """Give a world these events."""
    world.feed([one.record for one in told], 50)


def outputs(changes: Changes, topic: str) -> list[dict[str, Any]]:
    """What a batch told on a topic."""
    return [json.loads(output.value or b"") for output in changes.outputs if output.topic == topic]


def counters(shard: Engine) -> dict[Any, tuple[int, int]]:
    """What a shard shows, but how often it corrected."""
    shown = shard.view.counters.items()
    return {key: value for key, value in shown if key[0] != "contact_stream_corrections_total"}


@given(SEEDS, PAIRS)
def test_what_falls_is_said_once_and_nothing_else_is_taken_back(seed: int, pair: list[str]) -> None:
    """A twin rises by what its series lost in net over the shard; corrections name those series, each once."""
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
            if fell > was_fell and not str(key[0]).startswith(("~", "contact_cases_open", "contact_stream_")):
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
    assert [(c.changelog, c.outputs) for c in first] == [(c.changelog, c.outputs) for c in again]
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


@pytest.mark.parametrize("name", NAMES)
def test_names_calendars_and_goals_are_adopted_without_asking(name: str) -> None:
    """They change no definition, in either direction."""
    change = changed(POLICIES["base"], POLICIES[name])
    assert change.names
    assert not change.definitions
    assert not changed(POLICIES[name], POLICIES["base"]).definitions
    world = lived(1, POLICIES["base"])
    world.redefines = False
    for changes in world.adopt(POLICIES[name]):
        assert changes.adopted is not None
        assert changes.adopted.change == change


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definitions_are_refused_by_name_unless_told(name: str) -> None:
    """The message lists every one with its old and new value, and what to do; nothing is stored."""
    world = lived(1, POLICIES["base"])
    world.redefines = False
    stored = [dict(changelog) for changelog in world.changelogs]
    change = changed(POLICIES["base"], POLICIES[name])
    with pytest.raises(Trouble, match="--adopt") as trouble:
        world.restart(POLICIES[name])
    assert trouble.value.exit_code == 2
    assert change.definitions
    assert all(line in str(trouble.value) for line in change.definitions)
    assert [dict(changelog) for changelog in world.changelogs] == stored


def policy(**own: Any) -> Policy:  # noqa: ANN401  any value of a policy file
    """The base with ``own`` laid over it."""
    return read_policy(over(BASE, own))


def test_every_difference_is_named_by_its_path() -> None:
    """With what was and what is; a new or gone table is one line, and what it brings another where that counts."""
    old = policy(queues={"gone": {"short_abandon_ms": 1, "group": "a"}}, rules={"mine": {}})
    new = policy(
        queues={
            "billing": {"target_ms": 30_000, "group": "money"},
            "sales": {"channels": ["voice"], "target_ms": 30_000},
            "plain": {"site": "x"},
            "like voice": {"channels": ["voice"], "target_ms": 20_000},
            "slow": {"target_ms": 60_000},
        },
        issues={"refund": {"window_ms": 3_600_000}, "week": {"window_ms": 7 * DAY_MS}, "day": {"window_ms": DAY_MS}},
        calendars={"de": {"hours": {"mon": [["09:00", "12:00"]]}}},
        goals={"fcr": 0.7, "queues": {"sales": {"fcr": 0.9}}},
        steps={"menu": ["lost"]},
        zone="Europe/Berlin",
        cases={"match": "issue"},
        disorder_ms=1,
    )
    change = changed(old, new)
    assert change.names == (
        "calendars.de: new",
        "goals.fcr: 0.65 -> 0.7",
        "goals.queues.sales.fcr: not set -> 0.9",
        "issues.day: new",
        "issues.week: new",
        "queues.billing.group: not set -> money",
        "queues.gone: gone",
        "queues.like voice: new",
        "queues.plain: new",
        "queues.sales.channels: [] -> [voice]",
        "queues.slow: new",
        "steps.menu.lost: new",
        "steps.menu.main: gone",
        "zone: UTC -> Europe/Berlin",
    )
    assert change.definitions == (
        "cases.match: issue_if_known -> issue",
        "disorder_ms: 60000 -> 1",
        "issues.day.window_ms: not set -> 86400000",
        "issues.refund.window_ms: 86400000 -> 3600000",
        "queues.billing.target_ms: not set -> 30000",
        "queues.gone.short_abandon_ms: 1 -> not set",
        "queues.slow.target_ms: not set -> 60000",
        "rules.mine: gone",
    )
    assert change.recounts


def test_the_same_policy_is_no_change() -> None:
    """Nor is one that was stored and read again; hours are too long for a line."""
    stored = read_policy_text(write_policy(read_policy(FULL)))
    assert changed(stored, read_policy(FULL)) == ((), (), False)
    assert policy_hash(stored) == policy_hash(read_policy(FULL))
    assert stored.calendar("billing").in_hours(START) == read_policy(FULL).calendar("billing").in_hours(START)
    assert changed(POLICIES["base"], POLICIES["hours"]).names == ("queues.billing.hours: changed",)


def test_goals_decide_no_row_again() -> None:
    """What no contribution depends on costs nothing but the policy's own row."""
    world = lived(3, POLICIES["base"])
    world.shard.book.dirty.clear()
    for changes in world.adopt(POLICIES["goals"]):
        assert changes.adopted is not None
        assert changes.adopted.rows == 0
        assert {key for key, _ in changes.changelog} == {b"s", b"p"}


def test_only_rows_that_change_are_written() -> None:
    """A new queue concerns no row's bytes; a short abandon those whose outcome is another, told again as such."""
    world = lived(4, POLICIES["base"])
    contacts, _ = world.adopt(POLICIES["a queue"])
    assert contacts.counters
    assert not [key for key, _ in contacts.changelog if key[:2] == b"c/"]
    other = replace(POLICIES["a queue"], short_abandon_ms=60_000)
    contacts, _ = world.adopt(other)
    told = outputs(contacts, "outcomes")
    assert told
    assert {one["outcome"] for one in told} <= {"abandoned_short", "handled"}
    assert all(one["cause"] == "definition" and not one["first"] and not one["withdrawn"] for one in told)
    written = {key for key, _ in contacts.changelog if key[:2] == b"c/"}
    assert written == {f"c/{one['contact_id']}".encode() for one in told}
    assert len(written) < world.shard.rows()


def test_a_contact_is_told_again_where_its_calendar_speaks_of_it() -> None:
    """The local day of an arrival is part of what is told, though no case depends on it."""
    world = lived(4, POLICIES["base"])
    contacts, _ = world.adopt(POLICIES["the zone of a queue"])
    told = outputs(contacts, "outcomes")
    assert told
    assert {one["queue"] for one in told} == {"billing"}


def test_what_has_left_keeps_its_figures() -> None:
    """A contact that is no longer in the state is not decided again."""
    old = policy(lateness_ms=DAY_MS)
    world = AdoptingWorld(old)
    feed(world, history(5, Shape(days=3)))
    world.advance(START + 90 * DAY_MS)
    assert world.shard.rows() == 0
    figures = net((world.shard, world.cases))
    contacts, _ = world.adopt(policy(lateness_ms=DAY_MS, short_abandon_ms=60_000, channels={"voice": {"target_ms": 1}}))
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


def test_a_changelog_without_its_policy_goes_on_only_under_the_same() -> None:
    """What a former version counted under is not known beyond its hash; under the same it is stored from now on."""
    world = lived(1, POLICIES["base"])
    for changelog in world.changelogs:
        del changelog[b"p"]
    with pytest.raises(Trouble, match=policy_hash(POLICIES["base"])):
        world.restart(POLICIES["goals"])
    world.restart(POLICIES["base"])
    feed(world, history(2, Shape(days=2)))
    assert b"p" in world.changelogs[0]


def test_the_policy_is_stored_with_the_first_batch_and_at_each_adoption() -> None:
    """Once; the number says how often another one was put in its place."""
    world = AdoptingWorld(POLICIES["base"])
    told = [one.record for one in history(1, Shape(days=2)) if one.topic != "cases"]
    written = [changes.changelog for one in told for changes in [world.shard.apply([one], {"calls": 1}, 0)]]
    assert [key for rows in written for key, _ in rows].count(b"p") == 1
    world = lived(1, POLICIES["base"])
    for number, name in enumerate(("goals", "transfers", "base"), 1):
        world.adopt(POLICIES[name])
        for changelog in world.changelogs:
            adopted, text = json.loads(changelog[b"p"])
            assert adopted == number
            assert policy_hash(read_policy_text(text)) == policy_hash(POLICIES[name])


def test_pieces_are_the_whole() -> None:
    """Deciding some rows at a time gives the batch that deciding all at once gives."""
    world, other = lived(7, POLICIES["base"]), lived(7, POLICIES["base"])
    world.restart(POLICIES["a short window"])
    other.restart(POLICIES["a short window"])
    while world.shard.redecide() or world.cases.redecide():
        assert not other.shard.view.unaccounted.get(("contact_unaccounted", "billing"), 0)
    assert not world.shard.redecide()
    first, again = world.first_batches(), other.first_batches()
    assert [(c.changelog, c.outputs) for c in first] == [(c.changelog, c.outputs) for c in again]
