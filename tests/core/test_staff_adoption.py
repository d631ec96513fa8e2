"""Agents after another policy was adopted: teams, names and queues as it says, from the lateness on."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.policy import DAY_MS, HOUR_MS
from stream.wire.times import parse_time
from tests.core.adopting import AdoptingWorld, outputs
from tests.core.recount_staff import Names, doing, spent_ms
from tests.core.staff_worlds import LISTED, NOBODY, SECONDS, net, policy_of, shown, status
from tests.core.worlds import START, record

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHERS = Names(frozenset(("day",)), frozenset(("smoke",)), frozenset(("sales",)), {"ben": "day"})
LATENESS = 6 * HOUR_MS


def a_week(seed: int) -> Iterator[dict[str, Any]]:
    """Statuses of three agents, in the order of time."""
    dice = random.Random(seed)  # noqa: S311  a seed, not a secret
    for number in range(120):
        said = {
            "agent": dice.choice(("anna", "ben", "cleo")),
            "status": dice.choice(("available", "busy", "offline")),
            "team": dice.choice(("night", "day")),
            "queues": [dice.choice(("billing", "sales"))],
        }
        if dice.random() < 0.5:
            del said["team"]
        yield status(number * HOUR_MS + dice.randrange(HOUR_MS), number, **said)


def adopted(seed: int, old: Names, new: Names, size: int) -> AdoptingWorld:
    """A world that was told a week in batches of ``size`` under one policy, then goes on under another."""
    world = AdoptingWorld(policy_of(old, lateness_ms=LATENESS))
    told = list(a_week(seed))
    for start in range(0, len(told), size):
        batch = told[start : start + size]
        world.feed([record("agents", one) for one in batch], size)
        world.advance(parse_time(batch[-1]["occurred_at"]))
        if size % 2:
            world.reload()
    world.adopt(policy_of(new, lateness_ms=LATENESS))
    return world


@settings(max_examples=20)  # each is hundreds of batches
@given(st.integers(0, 2**32), st.permutations((LISTED, NOBODY, OTHERS)), st.sampled_from((1, 2, 7, 120)))
def test_what_may_still_change_is_decided_again(seed: int, policies: list[Names], size: int) -> None:
    """R28: spells that ended within the lateness count as the new policy says, older ones keep their figures."""
    old, new = policies[:2]
    world = adopted(seed, old, new, size)
    told = list(a_week(seed))
    cutoff = world.now - LATENESS
    expected: Counter[Any] = Counter()
    for agent in ("anna", "ben", "cleo"):
        own = [one for one in told if one["agent"] == agent]
        left = max(0, sum(parse_time(one["occurred_at"]) < cutoff for one in own) - 1)
        expected.update(spent_ms(own[: left + 1], old))
        expected.update(spent_ms(own[left:], new))
    assert net(world, *SECONDS) == expected
    assert shown(world) == doing(told, new)
    before = net(world, *SECONDS)
    world.reload()
    assert (net(world, *SECONDS), shown(world)) == (before, doing(told, new))


def test_an_agent_moves_to_its_team() -> None:
    """R27: what fell is said, and the gauge moves in the batch that stores the counters."""
    world = AdoptingWorld(policy_of(NOBODY))
    world.feed([record("agents", status(n * HOUR_MS, n, team="day", queues=["billing"])) for n in range(3)], 1)
    world.restart(policy_of(OTHERS))
    assert shown(world)["contact_agents", "other", "available", "none"] == 1
    contacts, _ = world.first_batches()
    assert {key: count for key, count in shown(world).items() if count} == {
        ("contact_agents", "day", "available", "none"): 1,
        ("contact_queue_agents", "other", "available"): 1,
    }
    assert [one["cell"] for one in outputs(contacts, "corrections")] == [
        'contact_team_status_seconds_total{team="other",status="available"}'
    ]
    assert net(world, *SECONDS) == {
        (SECONDS[0], "day", "available"): 2 * HOUR_MS,
        (SECONDS[1], "other", "available"): 2 * HOUR_MS,
    }


def test_a_shorter_lateness_lets_agents_go_at_once() -> None:
    """They are decided again first; their seconds stay."""
    world = AdoptingWorld(policy_of(NOBODY, lateness_ms=DAY_MS))
    world.feed([record("agents", status(n * HOUR_MS, n)) for n in range(3)], 1)
    world.advance(START + 2 * HOUR_MS + 7 * DAY_MS + HOUR_MS)
    assert world.shard.rows() == 1
    world.adopt(policy_of(NOBODY, lateness_ms=HOUR_MS))
    assert world.shard.rows() == 0
    assert net(world, *SECONDS) == {(SECONDS[0], "none", "available"): 2 * HOUR_MS}
