"""Corners of the case stage that a random history seldom meets, each as short as it can be told.

Times are ms since `START`; every world is run to its end before it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.core.contacts.shard import ShardId
from stream.core.partitions import partition_of
from stream.core.policy import DAY_MS, HOUR_MS
from stream.wire.times import format_time
from tests.core.case_checks import played, told_by
from tests.core.case_histories import MINUTE, START
from tests.core.case_scripts import Script, contacts_of, net, state_of, world_of

if TYPE_CHECKING:
    from tests.core.case_worlds import CaseWorld

WEEK = 7 * DAY_MS
OPENED = "contact_cases_opened_total"
ELIGIBLE = "contact_eligible_contacts_total"


def day_of(days: int) -> str:
    """The local day so many days after `START`."""
    return format_time(START + days * DAY_MS)[:10]


def warming(world: CaseWorld) -> list[str]:
    """The days whose cohorts the headline rule marks as warming."""
    found = {str(key[2]) for key in world.gauges() if key[:2] == ("contact_fcr_cohort_warming_cases", "contact")}
    return sorted(found)


def warming_now(world: CaseWorld) -> dict[str, float]:
    """Cases of the cohorts of today, yesterday and the newest complete one that are marked, by age."""
    family = ("contact_fcr_queue_warming_cases", "contact", "voice", "billing")
    return {str(key[4]): amount for key, amount in world.gauges().items() if key[:4] == family}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_copy_of_a_survey_that_says_something_else_is_a_duplicate(order: tuple[int, int]) -> None:
    """R54: the same source, id and time with another score is no defect; the copy whose words read first counts."""
    script, world = Script(), world_of()
    first = script.say("cases", "survey.answered", 10 * MINUTE, contact_id="c1", customer="u", csat=5)
    other = first._replace(event={**first.event, "csat": 1})
    world.feed(script.call("c1", 0), START + HOUR_MS)
    for place in order:
        world.feed([(first, other)[place]], START + HOUR_MS)
        world.reload_all()
    assert not world.rejected
    assert {key[2]: amount for key, amount in world.counters().items() if key[0] == "contact_csat_total"} == {"1": 1}


def test_a_merge_is_remembered_while_its_ticket_is_open() -> None:
    """The contacts of a merged ticket stay with the survivor, however long that is open."""
    script, world = Script(), world_of(6 * HOUR_MS)
    merged = script.ticket("merged", 2 * HOUR_MS, "T2", into="T1")
    world.feed([script.ticket("opened", 0, "T1"), *script.call("c1", HOUR_MS, case_id="T2"), merged], START + DAY_MS)
    world.feed([], START + 30 * DAY_MS)
    world.feed(script.call("c2", 30 * DAY_MS, case_id="T1"), START + 31 * DAY_MS)
    assert contacts_of(world, "T1") == ["c1", "c2"]
    assert net(world, ELIGIBLE) == 2


@pytest.mark.parametrize("early_first", [True, False])
def test_of_two_copies_the_one_that_sorts_first_counts(*, early_first: bool) -> None:
    """Also after a crash, and where another id leads."""
    script, world = Script(), world_of()
    late = script.ticket("opened", HOUR_MS, "T", customer="b")
    early = late._replace(event={**late.event, "occurred_at": format_time(START)}, at=START)
    world.feed([script.link("b", "a")], START)
    for copy in (early, late) if early_first else (late, early):
        world.feed([copy], START)
        world.reload_all()
    world.feed([script.ticket("resolved", DAY_MS, "T", customer="a")], START + DAY_MS)
    assert world.verdicts["T"]["arrived_at"] == START


def test_a_contact_is_taken_back_from_the_leader_after_it_has_left_elsewhere() -> None:
    """The id that told it remembers it no more; the leader does, because the ticket is open."""
    script, world = Script(), world_of(6 * HOUR_MS)
    thread = [
        script.say("emails", "message.received", HOUR_MS, contact_id="m", customer="b", case_id="T"),
        script.say("emails", "message.sent", 2 * HOUR_MS, contact_id="m", by="agent", agent="anna"),
        script.say("emails", "contact.ended", 3 * HOUR_MS, contact_id="m", by="agent"),
    ]
    world.feed([script.link("b", "a"), script.ticket("opened", 0, "T", customer="a"), *thread], START + DAY_MS)
    world.feed([], START + 12 * DAY_MS)
    world.feed([script.named("m", 12 * DAY_MS, "z", "emails")], START + 13 * DAY_MS)
    assert net(world, ELIGIBLE) == 1


def test_a_relay_that_was_overtaken_is_taken_back() -> None:
    """C relays to b, b to a; c's news is slow while the contact goes from c to b, and from b to a stranger."""
    letters = {partition_of(letter.encode(), 4): letter for letter in "zyxwvutsrqponmlkjihgfedcba"}
    first, second, third = sorted(letters.values())[:3]
    script, world = Script(), world_of(partitions=4)
    world.feed([*script.call("x", HOUR_MS, third), script.link(third, second)], START)
    slow = ShardId(2, partition_of(third.encode(), 4))
    world.asleep.add(slow)
    for one in (
        script.link(second, first),
        script.named("x", 3 * HOUR_MS, second),
        script.say("calls", "contact.dispositioned", 4 * HOUR_MS, contact_id="x", resolution="resolved"),
        script.named("x", 5 * HOUR_MS, "stranger"),
    ):
        world.feed([one])
    world.asleep.clear()
    world.run()
    assert net(world, ELIGIBLE) == 1
    assert [customer for customer, _ in world.current()] == ["stranger"]


def test_nothing_is_left_with_a_former_leader() -> None:
    """C follows b, then a: what b was told by c is taken back, and a hears it from c alone."""
    script, world = Script(), world_of()
    world.feed([*script.call("x", HOUR_MS, "c"), script.link("c", "b")], START)
    world.feed([script.link("c", "a")], START)
    world.feed([script.named("x", 5 * HOUR_MS, "stranger")], START + DAY_MS)
    assert net(world, ELIGIBLE) == 1


def test_no_case_leaves_undecided() -> None:
    """R05: a restart ends a contact hours after its last word; its window ends later than a short lateness keeps."""
    script, world = Script(), world_of(HOUR_MS)
    world.feed(
        [
            script.say("chats", "message.received", 0, contact_id="h", customer="u", issue="refund"),
            script.say("chats", "message.sent", MINUTE, contact_id="h", by="agent", agent="anna"),
            script.say("chats", "queue.entered", 2 * MINUTE, contact_id="h", queue="billing"),
        ],
        START + HOUR_MS,
    )
    world.feed([script.say("chats", "source.restarted", 11 * HOUR_MS)], START + 12 * HOUR_MS)
    for hour in range(24, 60):
        world.feed([], START + hour * HOUR_MS)
    assert world.current()["u", f"contact:h/{START}/u"]["rules"]["contact"]["state"] == "settled"
    assert not world.case_shards[0].rows()


@pytest.mark.parametrize("seed", range(6))
def test_a_ticket_opened_late_was_always_there(seed: int) -> None:
    """A ticket's opening told after its other events places anew whoever could have joined it."""
    script = Script()
    told = [
        script.ticket("escalated", 0, "T"),
        *script.call("c0", HOUR_MS),
        *script.call("o", DAY_MS, case_id="T", direction="outbound"),
        *script.call("c1", 2 * DAY_MS),
        *script.call("c2", 3 * DAY_MS, case_id="T"),
        script.ticket("opened", 9 * DAY_MS, "T"),
        script.ticket("reopened", 10 * DAY_MS, "T"),
    ]
    world = played(told, world_of().policy, seed)
    assert contacts_of(world, "T") == ["c0", "o", "c1", "c2"]
    assert len(told_by(world)) == 1


def test_cohorts_of_the_first_window_are_warming() -> None:
    """3-metrics 3.2: days that began less than W after the first event are marked, on every shard, no later ones."""
    script, world = Script(), world_of(partitions=3)
    calls = [script.call(f"c{day}", day * DAY_MS, f"u{day}") for day in range(1, 11)]
    world.feed([event for call in calls for event in call], START + 11 * DAY_MS)
    assert warming(world) == [day_of(day) for day in range(2, 9)]  # the first day is shown no more
    late = script.call("late", -DAY_MS, "u")  # within the lateness, from two days before the first
    world.feed(late, START + 12 * DAY_MS)
    world.reload_all()
    assert warming(world) == [day_of(day) for day in range(3, 7)]
    world.feed([], START + 40 * DAY_MS)
    assert warming(world) == []


def test_a_young_centre_is_warming_now() -> None:
    """3-metrics 3.2: in the first week today's and yesterday's cohort, in the second the newest complete one."""
    script, world = Script(), world_of()
    calls = [script.call(f"c{day}", day * DAY_MS, f"u{day}") for day in range(3)]
    world.feed([event for call in calls for event in call], START + 2 * DAY_MS + HOUR_MS)
    assert warming_now(world) == {"0": 1, "1": 1}
    assert [shard.view.since for shard in world.case_shards] == [START]
    world.feed([], START + 9 * DAY_MS)
    assert warming_now(world) == {"settled": 1}


def test_who_comes_back_after_the_window_has_not_reopened() -> None:
    """R05, R06: served again at W - 1 ms counts, at W it does not; W is that of the issue."""
    script = Script()
    for gap, reopened in ((DAY_MS - 1, 1), (DAY_MS, 0)):
        world = world_of()
        thread = [
            script.say("emails", "message.received", 0, contact_id="m", customer="u", issue="refund"),
            script.say("emails", "message.sent", HOUR_MS, contact_id="m", by="agent", agent="anna"),
            script.say("emails", "contact.ended", HOUR_MS, contact_id="m", by="agent"),
            script.say("emails", "message.received", 2 * HOUR_MS, contact_id="m"),
            script.say("emails", "message.sent", HOUR_MS + gap, contact_id="m", by="agent", agent="anna"),
        ]
        world.feed(thread, START + WEEK)
        assert net(world, "contact_cases_reopened_total") == reopened


@pytest.mark.parametrize(("told_until", "failed"), [(WEEK + 23 * HOUR_MS, 0), (WEEK + DAY_MS, 1)])
def test_a_thread_that_was_only_called_resolved_had_not_ended(told_until: int, failed: int) -> None:
    """R13: the verdict was taken back and the customer served again: the case fails W after the end, not after that."""
    script, world = Script(), world_of()
    named = {"contact_id": "m", "queue": "billing"}
    thread = [
        script.say("emails", "message.received", 0, **named, customer="u"),
        script.say("emails", "message.sent", HOUR_MS, **named, by="agent", agent="anna"),
        script.say("emails", "contact.dispositioned", 2 * HOUR_MS, **named, resolution="resolved"),
        script.say("emails", "contact.dispositioned", 3 * HOUR_MS, **named, resolution="unresolved"),
        script.say("emails", "message.received", 4 * HOUR_MS, **named),
        script.say("emails", "message.sent", 5 * HOUR_MS, **named, by="agent", agent="anna"),
        script.say("emails", "contact.ended", DAY_MS, **named, by="agent"),
    ]
    world.feed(thread, START + DAY_MS)
    world.feed([], START + told_until)
    assert state_of(world, "failed") == failed
