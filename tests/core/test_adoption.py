"""Another policy: what is different, whether it is only names, and what a shard does about it when it starts."""

from __future__ import annotations

import pytest

from stream.core.policies.adoption import changed
from stream.core.policies.reader import read_policy
from stream.core.policy import DAY_MS
from stream.core.trouble import Trouble
from stream.wire import json
from stream.wire.policy import policy_hash, read_policy_text, write_policy
from tests.core.adopting import DEFINITIONS, NAMES, POLICIES, AdoptingWorld, feed, laid, lived
from tests.core.case_histories import START, Shape, history
from tests.wire.test_policy import FULL


@pytest.mark.parametrize("name", NAMES)
def test_names_calendars_and_goals_are_adopted_without_asking(name: str) -> None:
    """R28: they change no definition, in either direction."""
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
    """R28: the message lists every one with its old and new value, and what to do; nothing is stored."""
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


def test_every_difference_is_named_by_its_path() -> None:
    """R28: what was and what is; a new or gone table is one line, what it brings another where that counts."""
    old = laid(queues={"gone": {"short_abandon_ms": 1, "group": "a"}}, rules={"mine": {}})
    new = laid(
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


def test_a_changelog_without_its_policy_goes_on_only_under_the_same() -> None:
    """R28: what a former version counted under is known by its hash alone; under the same it is stored from now on."""
    world = lived(1, POLICIES["base"])
    for changelog in world.changelogs:
        del changelog[b"p"]
    with pytest.raises(Trouble, match=policy_hash(POLICIES["base"])):
        world.restart(POLICIES["goals"])
    world.restart(POLICIES["base"])
    feed(world, history(2, Shape(days=2)))
    assert b"p" in world.changelogs[0]


def test_the_policy_is_stored_with_the_first_batch_and_at_each_adoption() -> None:
    """R28: once; the number says how often another one was put in its place."""
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
