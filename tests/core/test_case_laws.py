"""The laws of the case stage: any history, any schedule, any number of partitions, any policy.

A failing seed gives the same history, policy and schedule again. The recount in `recount` is another program that
reads all events at once; everything else here compares the product with itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.engine.ledger import WATERMARK_KEY
from stream.core.policy import DAY_MS, HOUR_MS
from tests.core.case_checks import (
    DONE,
    brief_epochs,
    check_compacted,
    check_corrections,
    check_recount,
    check_states,
    check_stored,
    closed,
    dice_of,
    epochs,
    one_id_each,
    played,
    rounded,
    same,
    schedule_of,
    told_by,
    waiting_tickets,
    window_ends,
)
from tests.core.case_histories import START, Shape, history
from tests.core.case_policies import AGES_MS, policy_of
from tests.core.case_worlds import CaseWorld, Schedule

if TYPE_CHECKING:
    from stream.core.policy import Policy
    from tests.core.case_histories import Told

SEEDS = st.integers(0, 2**32)
LAW = settings(derandomize=True, max_examples=50)
BRIEF = {
    "lateness_ms": 6 * HOUR_MS,
    "issues": {"invoice": {}, "refund": {"window_ms": 12 * HOUR_MS}},
    "channels": {"chat": {"timeout_ms": 12 * HOUR_MS}, "email": {"timeout_ms": 20 * HOUR_MS}},
}
NEAR = Shape(contacts=6, days=10, windows=(DAY_MS, 12 * HOUR_MS), reach=8 * HOUR_MS)


def check_recounted(told: list[Told], policy: Policy, seed: int) -> None:
    """Half of the events, then all, then at the edges of the windows: each time what a recount of all so far gives."""
    dice = dice_of(seed)
    world = CaseWorld(policy, Schedule(whole=True), dice)
    early = [one for one in told if dice_of(f"{seed}/{one.event['event_id']}").random() < 0.5]
    at = START + dice.randrange(10) * DAY_MS
    world.feed(early, at)
    check_recount(world, early, at)
    world.feed([one for one in told if one not in early], at)
    check_recount(world, told, at)
    edges = [edge for edge in window_ends(told, policy, at) if edge > at]
    for edge in [*sorted(dice.sample(edges, min(4, len(edges)))), DONE]:
        world.feed([], edge)
        check_recount(world, told, edge)


def check_scheduled(told: list[Told], policy: Policy, seed: int) -> None:
    """By whatever schedule: at each watermark what a recount of all so far gives, and nothing was refused."""
    world = CaseWorld(policy, schedule_of(seed), dice_of(seed))
    known: list[Told] = []
    for piece, tick in epochs(told, policy, seed):
        world.feed(piece, tick)
        known += [one for one in piece if one not in known]
        assert not world.rejected
        assert not world.quality("dropped_case")
        check_recount(world, known, tick)
        check_compacted(world)


def check_conserved(told: list[Told], policy: Policy, seed: int) -> None:
    """After every batch each case is in one state; what fell was said."""
    by_topic = {"calls": "voice", "chats": "chat", "emails": "email"}
    channels = {one.event["contact_id"]: by_topic[one.topic] for one in told if one.topic != "cases"}
    world = CaseWorld(policy, schedule_of(seed), dice_of(seed))
    world.after = lambda world: check_states(world, channels)
    for piece, tick in epochs(told, policy, seed):
        world.feed(piece, tick)
    check_corrections(world)


def check_reloaded(told: list[Told], policy: Policy, seed: int) -> None:
    """Everybody crashes: nothing is told again, and rows, counters and cells agree."""
    world = CaseWorld(policy, schedule_of(seed), dice_of(seed))
    for piece, tick in epochs(told, policy, seed):
        world.feed(piece, tick)
        before = world.counters()
        world.reload_all()
        for shard in world.case_shards:
            assert not [one for one in shard.apply((), {}, 0).outputs if one.key != WATERMARK_KEY]
        check_stored(world)
        world.reload_all()
        assert same(world.counters(), before)


def check_canonical(told: list[Told], policy: Policy, seed: int) -> None:
    """With ids and links, or with one id for each person from the start."""
    world = played(told, policy, seed)
    simple = CaseWorld(policy, Schedule(whole=True), dice_of(seed))
    simple.feed(one_id_each(told), DONE)
    assert same(told_by(world), told_by(simple))
    assert same(world.counters(), simple.counters())
    assert same(world.cells(), simple.cells())


def check_left(told: list[Told], policy: Policy, seed: int) -> None:
    """A world that forgets beside one that does not."""
    world = CaseWorld(policy, schedule_of(seed, barrier=True), dice_of(seed))
    keeping = CaseWorld(replace(policy, lateness_ms=AGES_MS), Schedule(whole=True), dice_of(seed))
    now = START
    for piece, tick in brief_epochs(told, policy, seed):
        now = tick
        world.feed(piece, now)
        keeping.feed(piece, now)
        assert same(told_by(world), told_by(keeping))
        assert same(closed(world), closed(keeping))
        assert same(rounded(world.gauges()), rounded(keeping.gauges()))
    check_recount(keeping, told, now)
    world.feed([], now + 3 * policy.identity_ttl_ms)
    assert same(closed(world), closed(keeping))
    assert not world.rejected
    assert not world.quality("dropped_case")
    if not waiting_tickets(told, policy):
        assert not sum(shard.rows() for shard in world.case_shards)
        assert not [key for key in world.stored(2) if key[:2] in (b"h/", b"f/", b"v/")]
        assert not [key for key in world.counters() if key[0] == "contact_cases_open"]


def check_settled(told: list[Told], policy: Policy, seed: int) -> None:
    """Contacts in the order of their times, on any number of partitions: time moves on in each by itself."""
    world = CaseWorld(policy, schedule_of(seed), dice_of(seed))
    spans: dict[str, list[int]] = {}
    for one in told:
        spans.setdefault(one.event["contact_id"], []).append(one.at)
    due = list(told)
    for _, tick in brief_epochs(told, policy, seed):
        if any(min(times) <= tick < max(times) for times in spans.values()):
            continue  # who arrived in the window and is served after it takes a settled credit back, openly
        world.feed([one for one in due if one.at <= tick], tick)
        due = [one for one in due if one.at > tick]
    assert not [series for series in world.fallen if 'state="settled"' in series]


def settled_inputs(seed: int) -> tuple[list[Told], Policy]:
    """Contacts alone, of people with one id, nothing told of them days later, no issue that joins them anew."""
    plain = one_id_each(history(seed, NEAR))
    told = [one for one in plain if one.topic != "cases" and one.event["type"] != "hold.ended"]
    untied = [
        one._replace(event={name: value for name, value in one.event.items() if name not in ("case_id", "issue")})
        for one in told
    ]
    return untied, policy_of(seed, **BRIEF, window_ms=DAY_MS)


def left_inputs(seed: int) -> tuple[list[Told], Policy]:
    """A history in which what refers back does so in time, and a policy that forgets soon."""
    return history(seed, NEAR), policy_of(seed, **BRIEF, window_ms=DAY_MS)


@LAW
@given(SEEDS)
def test_the_product_is_the_recount(seed: int) -> None:
    """R01, R03, R05, R13: cases, verdicts, net figures, cohorts are those of a plain recount at every watermark."""
    check_recounted(history(seed), policy_of(seed), seed)


@LAW
@given(SEEDS)
def test_any_schedule_gives_the_same(seed: int) -> None:
    """Any order, batches, partitions and crashes: at every watermark the figures are those of the recount."""
    check_scheduled(history(seed), policy_of(seed), seed)


@LAW
@given(SEEDS)
def test_every_case_is_in_one_state(seed: int) -> None:
    """R12, R13: after every batch S + P + F + O = N, credited = S + P, and what fell is said in the open."""
    check_conserved(history(seed), policy_of(seed), seed)


@LAW
@given(SEEDS)
def test_what_is_told_is_what_is_stored(seed: int) -> None:
    """After a reload nothing is told again, and the rows are worth what was booked."""
    check_reloaded(history(seed), policy_of(seed), seed)


@LAW
@given(SEEDS)
def test_ids_that_are_one_person_are_one(seed: int) -> None:
    """R19: the figures are those of the same history with one id for each person."""
    check_canonical(history(seed), policy_of(seed), seed)


@LAW
@given(SEEDS)
def test_what_leaves_changes_nothing(seed: int) -> None:
    """A shard that forgets says what one that keeps everything says; in the end nothing is left but the counters."""
    check_left(*left_inputs(seed), seed)


@LAW
@given(SEEDS)
def test_what_is_settled_stays_settled(seed: int) -> None:
    """R05: however far one partition is ahead of another, nothing settles while a repeat of it is on its way."""
    check_settled(*settled_inputs(seed), seed)
