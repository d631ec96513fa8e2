"""The laws of agents, for any statuses in any order (6-craft 6.5)."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.agents.staff import KEPT_STATUSES
from stream.core.policy import DAY_MS, HOUR_MS
from stream.wire.times import parse_time
from tests.core.recount_staff import doing, spent_ms, unlisted
from tests.core.staff_worlds import LISTED, NOBODY, SECONDS, known, net, policy_of, sent, shown, status
from tests.core.worlds import START, record, staffs
from tests.vectors.world import World, shuffled

if TYPE_CHECKING:
    from stream.core.engine.batch import Record
    from stream.core.policy import Policy
    from tests.core.recount_staff import Names

SEEDS = st.integers(0, 2**32)


def played(records: list[Record], size: int, policy: Policy, *, reload: bool = False) -> World:
    """A world that has been fed ``records`` in batches of ``size``, and crashed after each of them or not."""
    world = World(policy)
    for start in range(0, len(records), size):
        world.feed(records[start : start + size], size)
        if reload:
            world.reload()
    return world


@given(staffs(), SEEDS)
def test_any_order_and_any_repetition_gives_the_same(records: list[Record], seed: int) -> None:
    """R27: what is known of agents is a function of the set of their statuses, also of copies that differ."""
    policy = policy_of(LISTED)
    assert known(played(shuffled(records, seed), 1, policy)) == known(played(records, 10_000, policy))


@given(staffs(), SEEDS, st.integers(1, 5))
def test_a_cut_anywhere_equals_no_cut(records: list[Record], seed: int, size: int) -> None:
    """Stored and loaded again after every batch, the agents are the same."""
    order = shuffled(records, seed)
    policy = policy_of(LISTED)
    again = played(order, size, policy, reload=True)
    assert known(again) == known(played(order, size, policy))
    assert again.shard.rows() == len({one["agent"] for one in sent(records)})


@given(staffs(), SEEDS, st.sampled_from((LISTED, NOBODY)))
def test_seconds_and_gauges_are_those_of_a_plain_recount(records: list[Record], seed: int, names: Names) -> None:
    """R27: seconds of each team, and of each agent that the policy names; and who does what now."""
    order = shuffled(records, seed)
    world = played(order, 3, policy_of(names))
    assert net(world, *SECONDS) == spent_ms(sent(records), names)
    assert shown(world) == doing(sent(records), names)
    odd = net(world, "contact_stream_quality_total").get(("contact_stream_quality_total", "unlisted_label"), 0)
    assert odd == unlisted(sent(records), names)
    assert world.applied + world.duplicates == len(order)
    assert world.duplicates == len(order) - len(
        {(one["agent"], one["source"], one["event_id"]) for one in sent(records)}
    )


@given(staffs(), SEEDS)
def test_no_time_is_lost_or_made(records: list[Record], seed: int) -> None:
    """The seconds of an agent over all statuses are the time from its first status to its last, less long silences."""
    world = played(shuffled(records, seed), 2, policy_of(LISTED))
    lasted = 0
    for statuses in world.shard.staff.agents.values():
        times = [one[0] for one in statuses.told]
        silences = (b - a for a, b in pairwise(times) if b - a >= 7 * DAY_MS)
        lasted += times[-1] - times[0] - sum(silences)
    by_team, by_agent = (sum(net(world, family).values()) for family in SECONDS)
    assert by_team == by_agent == lasted
    cells = [cell for cell in world.shard.book.cells.values() if cell.by == "outcome"]
    assert lasted == sum(n for cell in cells for f, n in cell.counts.items() if f.family == SECONDS[0])
    assert not [cell for cell in world.shard.book.cells.values() if cell.by == "arrival"]


def a_week(dice: random.Random) -> list[tuple[int, dict[str, Any]]]:
    """Some hundred statuses of three agents over a week, some told twice: (read so many ms after START, event)."""
    told = []
    for number in range(250):
        at = dice.randrange(7 * DAY_MS)
        words = dice.choice(("available", "busy", "break", "wrapup", "offline"))
        one = status(at, number, agent=dice.choice(("anna", "ben", "cleo")), status=words, team="night")
        told += [(at + dice.randrange(4 * HOUR_MS), one) for _ in range(dice.choice((1, 1, 1, 2)))]
    return sorted(told, key=lambda each: each[0])


@settings(max_examples=20)  # each is hundreds of batches
@given(SEEDS)
def test_what_is_forgotten_stays_counted(seed: int) -> None:
    """R27: whatever time has let go and whoever crashed, seconds are those of all accepted statuses; few are kept."""
    dice = random.Random(seed)  # noqa: S311  a seed, not a secret
    lateness = 3 * HOUR_MS
    policy = policy_of(LISTED, lateness_ms=lateness)
    world = World(policy)
    accepted, late = [], 0
    for read_at, one in a_week(dice):
        cutoff = world.now - lateness
        world.feed([record("agents", one)], 1)
        if parse_time(one["occurred_at"]) < cutoff:
            late += 1
        else:
            accepted.append(one)
        assert len(world.rejected) == late
        world.advance(START + read_at - HOUR_MS // 2)
        if dice.random() < 0.1:
            world.reload()
    assert net(world, *SECONDS) == spent_ms(accepted, LISTED)
    for statuses in world.shard.staff.agents.values():
        assert sorted(statuses.ids.values()) == statuses.told
        assert len(statuses.told) <= KEPT_STATUSES + 1 + sum(one[0] >= world.now - lateness for one in statuses.told)
    kept = sum(len(statuses.told) for statuses in world.shard.staff.agents.values())
    assert len([key for key in world.changelogs[0] if key.startswith(b"a/")]) == kept
    world.advance(world.now + 2 * lateness)
    assert [len(statuses.told) for statuses in world.shard.staff.agents.values()] == [1, 1, 1]
    assert len([key for key in world.changelogs[0] if key.startswith(b"a/")]) == 3
    assert net(world, *SECONDS) == spent_ms(accepted, LISTED)


def test_a_long_life_is_kept_small() -> None:
    """Ten thousand statuses in twenty days: what is kept, in memory and in the changelog, is one day and a few."""
    policy = policy_of(LISTED)
    world = World(policy)
    gap = 20 * DAY_MS // 10_000
    told = [status(n * gap, n, status=("available", "busy")[n % 2], team="night") for n in range(10_000)]
    for start in range(0, len(told), 500):
        world.feed([record("agents", one) for one in told[start : start + 500]], 500)
        world.advance(START + (start + 500) * gap)
    assert len(world.shard.staff.agents["anna"].told) <= DAY_MS // gap + 501
    assert len([key for key in world.changelogs[0] if key.startswith(b"a/")]) <= DAY_MS // gap + 501
    assert net(world, *SECONDS) == spent_ms(told, LISTED)
