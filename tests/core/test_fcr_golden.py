"""First contact resolution by hand: what the customer's documents say, each in a few contacts.

Times are ms since `START`; the window is 7 d, one of a refund 1 d.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from stream.core.figures.case_families import CAUSES
from stream.core.policy import DAY_MS, HOUR_MS
from stream.telemetry.declared import definition_version
from tests.core.case_histories import MINUTE, START
from tests.core.case_scripts import Script, contacts_of, net, state_of, world_of

WEEK = 7 * DAY_MS
DONE = START + 3 * WEEK


def test_the_worked_example() -> None:
    """R02: of 180 cases handled in a month 100 are resolved at once: 0.5556, shown as 56 %, kept as two counts."""
    script, world = Script(), world_of(partitions=2)
    for number in range(180):
        contact_id, at = f"c{number}", number * HOUR_MS
        said = script.verdict(contact_id, at + 6 * MINUTE, "resolved" if number < 100 else "follow_up")
        world.feed([*script.call(contact_id, at, f"u{number}"), said])
    world.feed([], START + 180 * HOUR_MS + WEEK)
    found = Fraction(state_of(world, "settled"), state_of(world, "settled") + state_of(world, "failed"))
    assert (net(world, "contact_cases_handled_total"), found) == (180, Fraction(100, 180))
    assert (f"{float(found):.4f}", f"{float(found):.0%}") == ("0.5556", "56%")


def test_each_denominator_is_a_count_of_its_own() -> None:
    """R01: five cases received, four handled, three resolved, two of them at the first contact."""
    script, world = Script(), world_of()
    calls = [script.call(f"c{number}", number * HOUR_MS, f"u{number}") for number in range(4)]
    said = [script.verdict("c2", 3 * HOUR_MS, "unresolved"), script.verdict("c3", 4 * HOUR_MS, "unresolved")]
    again = [*script.call("again", 5 * HOUR_MS, "u2"), script.verdict("again", 6 * HOUR_MS, "resolved")]
    ticket = [script.ticket("opened", HOUR_MS, "T", "u4")]  # nobody was spoken to
    world.feed([event for call in calls for event in call] + said + again + ticket, DONE)
    counts = {name: net(world, f"contact_cases_{name}_total") for name in ("opened", "handled", "resolved")}
    assert counts == {"opened": 5, "handled": 4, "resolved": 3}
    assert (state_of(world, "settled"), state_of(world, "failed")) == (2, 2)
    first = state_of(world, "settled")
    assert [Fraction(first, amount) for amount in counts.values()] == [Fraction(2, 5), Fraction(1, 2), Fraction(2, 3)]


@pytest.mark.parametrize(("first", "resolved"), list(product((True, False), repeat=2)))
def test_first_and_resolved(*, first: bool, resolved: bool) -> None:
    """R03: of the four combinations of a first contact and a resolved one, only the one of both counts."""
    script, world = Script(), world_of()
    before = [] if first else [*script.call("before", 0), script.verdict("before", 6 * MINUTE, "unresolved")]
    said = script.verdict("c", DAY_MS + 6 * MINUTE, "resolved" if resolved else "unresolved")
    world.feed([*before, *script.call("c", DAY_MS), said], DONE)
    assert state_of(world, "credited") == state_of(world, "settled") == int(first and resolved)
    assert state_of(world, "failed") == 1 - int(first and resolved)


def test_what_resolved_means_is_a_policy() -> None:
    """R04: the same three cases under each source of resolution; every other meaning is another version."""
    found, versions = {}, set()
    for resolution in ("auto", "disposition", "case", "confirmed", "no_repeat"):
        script, world = Script(), world_of(cases={"resolution": resolution})
        world.feed(script.call("silent", 0, "u1"))
        world.feed([*script.call("said", 0, "u2"), script.verdict("said", HOUR_MS, "resolved", confirmed=True)])
        world.feed([*script.call("undone", 0, "u3"), script.verdict("undone", HOUR_MS, "unresolved")])
        world.feed([], DONE)
        found[resolution] = state_of(world, "settled")
        versions.add(definition_version(world.policy, "contact"))
    assert found == {"auto": 2, "disposition": 1, "case": 0, "confirmed": 1, "no_repeat": 3}
    assert len(versions) == 5


@pytest.mark.parametrize(("issue", "window"), [("", WEEK), ("refund", DAY_MS)])
def test_the_window_is_half_open(issue: str, window: int) -> None:
    """R05, R06: back at W - 1 ms fails the case with one retraction, at W it is a new case; W is that of the issue."""
    end = 5 * MINUTE
    about = {"issue": issue} if issue else {}
    for late in (0, 1):
        script, world = Script(), world_of()
        world.feed(script.call("c1", 0, **about), START + end + window - HOUR_MS)
        assert (state_of(world, "credited"), state_of(world, "failed")) == (1, 0)
        world.feed(script.call("c2", end + window - 1 + late, **about), DONE)
        credited, failed = state_of(world, "credited"), state_of(world, "failed")
        assert (net(world, "contact_cases_opened_total"), credited, failed) == ((1, 0, 1) if not late else (2, 2, 0))
        taken_back = sum(fell for series, fell in world.fallen.items() if "contact_fcr_cases_total" in series)
        headline = [
            fell for series, fell in world.fallen.items() if 'rule="contact"' in series and "credited" in series
        ]
        assert (bool(taken_back), headline) == ((True, [1]) if not late else (False, []))


def test_an_owed_follow_up_and_an_escalation_fail() -> None:
    """R07: both are said to be resolved later, by the same agent, and neither is resolved at the first contact."""
    for resolution, reason in (("follow_up", "follow_up"), ("escalated", "escalated")):
        script, world = Script(), world_of()
        world.feed([*script.call("c", 0), script.verdict("c", 6 * MINUTE, resolution)], DONE)
        assert (state_of(world, "credited"), state_of(world, "failed")) == (0, 1)
        assert world.counters()["contact_fcr_failed_total", "contact", "voice", reason, "none"] == 1


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_its_place(cause: str) -> None:
    """R13, R24: what an agent gives as the cause stands beside the one reason; where nothing is given it is none."""
    script, world = Script(), world_of()
    said = {} if cause == "none" else {"cause": cause}
    world.feed([*script.call("c", 0), script.verdict("c", 6 * MINUTE, "escalated", **said)], DONE)
    failed = {key: n for key, n in world.counters().items() if key[:2] == ("contact_fcr_failed_total", "contact")}
    assert failed == {("contact_fcr_failed_total", "contact", "voice", "escalated", cause): 1}


def test_the_parts_add_up_to_the_whole() -> None:
    """R12, R25: billing is better within each issue and worse over all, which the figures by queue and issue show."""
    queues: dict[str, object] = {"billing": {}, "tech": {}}
    issues: dict[str, object] = {"invoice": {}, "login": {}}
    script, world = Script(), world_of(partitions=3, queues=queues, issues=issues)
    share = {
        ("billing", "invoice"): (2, 2),
        ("billing", "login"): (4, 9),
        ("tech", "invoice"): (6, 8),
        ("tech", "login"): (0, 2),
    }
    for (queue, issue), (good, cases) in share.items():
        for number in range(cases):
            name = f"{queue}-{issue}-{number}"
            said = script.verdict(name, 6 * MINUTE, "resolved" if number < good else "follow_up")
            world.feed([*script.call(name, 0, name, queue=queue, issue=issue), said])
    world.feed([], DONE)

    def rate(**labels: str) -> Fraction:
        settled, failed = (state_of(world, state, **labels) for state in ("settled", "failed"))
        return Fraction(settled, settled + failed)

    for (queue, issue), (good, cases) in share.items():
        assert rate(queue=queue, issue=issue) == Fraction(good, cases)
    for issue in ("invoice", "login"):
        assert rate(queue="billing", issue=issue) > rate(queue="tech", issue=issue)
    assert rate(queue="billing") == Fraction(6, 11) < rate(queue="tech") == Fraction(6, 10)
    for state in ("credited", "settled", "failed"):
        whole = state_of(world, state)
        assert whole == sum(state_of(world, state, queue=queue) for queue in ("billing", "tech"))
        assert whole == sum(state_of(world, state, issue=issue) for issue in ("invoice", "login"))
        assert whole == state_of(world, state, channel="voice")


def test_two_ids_of_a_person_are_one_case() -> None:
    """R19: a link that comes late takes the second credit back; the two calls are one case of one person."""
    script, world = Script(), world_of(partitions=4)
    world.feed([*script.call("c1", 0, "tel:1"), *script.call("c2", DAY_MS, "mail:1")], START + 2 * DAY_MS)
    assert (state_of(world, "credited"), state_of(world, "failed")) == (2, 0)
    world.feed([script.link("tel:1", "mail:1")], START + 3 * DAY_MS)
    assert (state_of(world, "credited"), state_of(world, "failed")) == (0, 1)
    [case] = {case for _, case in world.current()}
    assert contacts_of(world, case) == ["c1", "c2"]


def test_another_channel_is_a_repeat_by_contact_and_not_by_channel() -> None:
    """R10: opened by chat and repeated by phone: failed over all channels, untouched where only chats are looked at."""
    script, world = Script(), world_of()
    chat = [
        script.say("chats", "contact.started", 0, contact_id="h1", customer="u", queue="billing"),
        script.say("chats", "message.sent", MINUTE, contact_id="h1", by="agent", agent="anna"),
        script.say("chats", "contact.ended", 5 * MINUTE, contact_id="h1", by="customer"),
    ]
    world.feed([*chat, *script.call("c1", DAY_MS)], DONE)
    assert (state_of(world, "failed", channel="chat"), state_of(world, "settled")) == (1, 0)
    assert (state_of(world, "settled", rule="channel", channel="chat"), state_of(world, "failed", rule="channel")) == (
        1,
        0,
    )


def test_the_channels_in_scope_are_a_rule() -> None:
    """R11: the same call and chat under a rule of voice alone and of all channels are two figures side by side."""
    script, world = Script(), world_of(rules={"voice_only": {"channels": ["voice"]}})
    chat = [
        script.say("chats", "message.received", 0, contact_id="h1", customer="u1", queue="billing"),
        script.say("chats", "message.sent", MINUTE, contact_id="h1", by="agent", agent="anna"),
        script.say("chats", "contact.ended", 5 * MINUTE, contact_id="h1", by="customer"),
    ]
    world.feed([*chat, *script.call("c1", 0, "u2")], DONE)
    assert (state_of(world, "settled"), state_of(world, "settled", rule="voice_only")) == (2, 1)


@pytest.mark.parametrize("kind", ["blind", "consult", "conference", "queue", "external"])
def test_whether_a_transfer_fails_is_a_policy(kind: str) -> None:
    """R15, R16: inside a contact it is no repeat and fails only where the rule forbids transfers, whatever its kind."""
    script, world = Script(), world_of(rules={"strict": {"transfers": "forbid"}})
    moved = script.say("calls", "transfer.completed", 2 * MINUTE, contact_id="c", kind=kind)
    world.feed([*script.call("c", 0), moved], DONE)
    assert (state_of(world, "settled"), state_of(world, "failed")) == (1, 0)
    assert (state_of(world, "settled", rule="strict"), state_of(world, "failed", rule="strict")) == (0, 1)
    assert net(world, "contact_repeat_contacts_total") == 0


def test_whether_an_escalation_fails_is_a_policy() -> None:
    """R07, R15: it does by the headline rule; by one that allows it, whoever calls back does what was owed."""
    script, world = Script(), world_of(rules={"mild": {"escalation": "allow"}})
    back = script.call("back", HOUR_MS, direction="outbound", previous_contact_id="c")
    said = [script.verdict("c", 6 * MINUTE, "escalated"), script.verdict("back", 2 * HOUR_MS, "resolved")]
    world.feed([*script.call("c", 0), *back, *said], DONE)
    assert (state_of(world, "failed"), state_of(world, "settled", rule="mild")) == (1, 1)
    assert (state_of(world, "settled"), state_of(world, "failed", rule="mild")) == (0, 0)


@pytest.mark.parametrize("abandoned", ["exclude", "fail"])
def test_whether_an_abandoned_call_counts_is_a_policy(abandoned: str) -> None:
    """R18: the call before the handled one is a prior attempt, or the first contact, which resolved nothing."""
    script, world = Script(), world_of(cases={"abandoned": abandoned})
    gave_up = [
        script.say("calls", "queue.entered", 0, contact_id="c0", customer="u", queue="billing"),
        script.say("calls", "contact.ended", MINUTE, contact_id="c0", by="customer"),
    ]
    world.feed([*gave_up, *script.call("c1", HOUR_MS)], DONE)
    [told] = world.current().values()
    attempts = [attempt["contact_id"] for attempt in told["prior_attempts"]]
    found = (state_of(world, "settled"), state_of(world, "failed"), attempts)
    assert found == ((1, 0, ["c0"]) if abandoned == "exclude" else (0, 1, []))


def test_the_call_back_is_no_repeat() -> None:
    """R17: the agent's call to who left a message decides the case, and who calls first does so as well."""
    for direction in ("outbound", "inbound"):
        script, world = Script(), world_of()
        message = [
            script.say("calls", "queue.entered", 0, contact_id="c0", customer="u", queue="billing"),
            script.say("calls", "voicemail.left", MINUTE, contact_id="c0"),
            script.say("calls", "contact.ended", 2 * MINUTE, contact_id="c0", by="customer"),
        ]
        world.feed([*message, *script.call("c1", HOUR_MS, direction=direction, previous_contact_id="c0")], DONE)
        assert (state_of(world, "settled"), state_of(world, "failed")) == (1, 0), direction
        assert net(world, "contact_cases_opened_total") == 1
