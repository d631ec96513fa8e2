"""Scores by handle time, credits by agent, resolution in business hours: each as short as it can be told.

Times are ms since `START`, which is Monday 2 March 2026, 10:00 UTC; every world is run to its end before it is asked.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.figures.series import net_figures
from stream.core.policies.reader import read_policy
from stream.core.policy import DAY_MS, HOUR_MS
from stream.wire.times import parse_time
from tests.core.case_checks import DONE, dice_of, played
from tests.core.case_histories import MINUTE, START, history
from tests.core.case_policies import AGENTS, AGES_MS, OFFICE, policy_of
from tests.core.case_scripts import Script
from tests.core.case_worlds import CaseWorld, Schedule
from tests.core.recount_rules import recount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.core.case_histories import Told

CSAT = "contact_csat_total"


def world_of(**tables: object) -> CaseWorld:
    """A world in which a shard reads all it has at once."""
    base = {"lateness_ms": AGES_MS, "queues": {"billing": {}}, "issues": {"refund": {}}}
    return CaseWorld(read_policy({**base, **tables}), Schedule(whole=True), dice_of(0))


def figures(world: CaseWorld, prefix: str) -> dict[str, float]:
    """The net figures whose names begin so, by series."""
    return {name: value for name, value in net_figures(world.counters()).items() if name.startswith(prefix)}


def survey(script: Script, contact_id: str, at: int, score: int | None, **fields: object) -> Told:
    """An answer with a score, or without one."""
    fields = {"customer": "u", **fields}
    named = {} if score is None else {"csat": score}
    return script.say("cases", "survey.answered", at, contact_id=contact_id, **named, **fields)


def bands(world: CaseWorld) -> list[str]:
    """The handle bands under which a score stands now."""
    return [name.rpartition('handle_band="')[2].rstrip('"}') for name in figures(world, CSAT)]


def test_the_last_score_counts_once() -> None:
    """R34: of several scores about a contact the last by its time is counted; an answer without one takes nothing."""
    script, world = Script(), world_of()
    world.feed([*script.call("c", 0), survey(script, "c", DAY_MS, 2), survey(script, "c", HOUR_MS, 5)], DONE)
    world.feed([survey(script, "c", 2 * DAY_MS, None, resolved="yes")], DONE)
    assert figures(world, CSAT) == {f'{CSAT}{{channel="voice",score="2",handle_band="2-5m"}}': 1}


@pytest.mark.parametrize(
    ("talk_ms", "band"),
    [
        (119_999, "0-2m"),
        (120_000, "2-5m"),
        (299_999, "2-5m"),
        (300_000, "5-10m"),
        (599_999, "5-10m"),
        (600_000, "10m+"),
    ],
)
def test_the_upper_end_of_a_band_is_in_the_next(talk_ms: int, band: str) -> None:
    """R34: handle times of 2, 5 and 10 minutes sharp belong to the longer band."""
    script, world = Script(), world_of()
    call = [
        script.say("calls", "queue.entered", 0, contact_id="c", customer="u", queue="billing"),
        script.say("calls", "agent.connected", 10_000, contact_id="c", agent="anna"),
        script.say("calls", "contact.ended", 10_000 + talk_ms, contact_id="c", by="customer"),
    ]
    world.feed([*call, survey(script, "c", DAY_MS, 4)], DONE)
    assert bands(world) == [band]


def test_a_handle_time_moves_with_whatever_is_told_late() -> None:
    """R34: a wrap-up begun, a wrap-up ended before events already known, a contact that goes on and ends anew."""
    script, world = Script(), world_of()
    steps: list[tuple[list[Told], str]] = [
        ([*script.call("c", 0), survey(script, "c", DAY_MS, 4)], "2-5m"),
        ([script.say("calls", "contact.dispositioned", HOUR_MS, contact_id="c", resolution="resolved")], "2-5m"),
        ([script.say("calls", "wrapup.started", 5 * MINUTE, contact_id="c", agent="anna")], "none"),
        ([script.say("calls", "wrapup.ended", 5 * MINUTE + 20_000, contact_id="c", agent="anna")], "5-10m"),
        ([script.say("calls", "agent.connected", 2 * HOUR_MS, contact_id="c", agent="ben")], "none"),
        ([script.say("calls", "contact.ended", 2 * HOUR_MS + 5 * MINUTE, contact_id="c", by="agent")], "10m+"),
        ([script.say("calls", "hold.started", MINUTE, contact_id="c", agent="anna")], "10m+"),
    ]
    for told, band in steps:
        world.feed(told)
        assert bands(world) == [band]


def test_what_has_no_handle_time_has_no_band() -> None:
    """R34: an e-mail, a caller who gave up, and a contact that nobody knows are none; the channel is the contact's."""
    script, world = Script(), world_of()
    mail = [
        script.say("emails", "message.received", 0, contact_id="m", customer="u"),
        script.say("emails", "message.sent", HOUR_MS, contact_id="m", by="agent", agent="anna"),
        script.say("emails", "contact.ended", HOUR_MS, contact_id="m", by="agent"),
    ]
    gone = [
        script.say("calls", "queue.entered", 0, contact_id="g", customer="u", queue="billing"),
        script.say("calls", "contact.ended", MINUTE, contact_id="g", by="customer"),
    ]
    world.feed([*mail, *gone, *(survey(script, name, DAY_MS, 1) for name in ("m", "g", "x"))], DONE)
    assert figures(world, CSAT) == {
        f'{CSAT}{{channel="{channel}",score="1",handle_band="none"}}': 1 for channel in ("email", "voice", "none")
    }


def test_a_name_used_again_is_another_contact() -> None:
    """Each survey is about the generation that had begun; the same id after a long silence has a score of its own."""
    script, world = Script(), world_of()
    later = [
        script.say("calls", "queue.entered", 20 * DAY_MS, contact_id="c", customer="u", queue="billing"),
        script.say("calls", "agent.connected", 20 * DAY_MS, contact_id="c", agent="ben"),
        script.say("calls", "contact.ended", 20 * DAY_MS + MINUTE, contact_id="c", by="customer"),
    ]
    told = [*script.call("c", 0), survey(script, "c", DAY_MS, 5), *later, survey(script, "c", 21 * DAY_MS, 5)]
    world.feed(told, DONE)
    assert sorted(bands(world)) == ["0-2m", "2-5m"]
    assert sum(figures(world, "contact_survey_offered_total").values()) == 2


def test_nobody_is_named_unless_the_policy_does() -> None:
    """R26: without agents in the policy there is no series by agent; with one, the others are other."""
    script = Script()
    told = [*script.call("c", 0), *script.call("d", 30 * DAY_MS)]
    plain = world_of()
    plain.feed(told, DONE)
    assert not figures(plain, "contact_agent_")
    named = world_of(agents={"ben": {}})
    named.feed(told, DONE)
    assert figures(named, "contact_agent_fcr") == {
        f'contact_agent_fcr_{kind}_total{{agent="other",channel="voice"}}': 2 for kind in ("eligible", "credited")
    }


def test_the_first_agent_of_the_first_contact_has_the_credit() -> None:
    """R26: anna, who began, has it, not ben who ended it; whoever comes back takes it from her, and gives ben none."""
    script, world = Script(), world_of(agents=AGENTS)
    second = script.say("calls", "agent.connected", 4 * MINUTE, contact_id="c", agent="ben")
    world.feed([*script.call("c", 0), second], START + HOUR_MS)
    named = {name: f'{{agent="{name}",channel="voice"}}' for name in ("anna", "ben")}
    family = "contact_agent_fcr_credited_total"
    assert figures(world, family) == {family + named["anna"]: 1}
    again = [
        script.say("calls", "queue.entered", DAY_MS, contact_id="d", customer="u", queue="billing"),
        script.say("calls", "agent.connected", DAY_MS, contact_id="d", agent="ben"),
        script.say("calls", "contact.ended", DAY_MS + MINUTE, contact_id="d", by="customer"),
    ]
    world.feed(again, DONE)
    assert not figures(world, family)
    assert figures(world, "contact_agent_fcr_eligible_total") == {"contact_agent_fcr_eligible_total" + named["anna"]: 1}
    assert figures(world, "contact_agent_contacts_total") == {
        "contact_agent_contacts_total" + named["anna"]: 1,
        "contact_agent_contacts_total" + named["ben"]: 2,
    }
    assert figures(world, "contact_agent_repeats_total") == {
        "contact_agent_repeats_total" + label: 1 for label in named.values()
    }


def test_a_voicemail_is_nobodys_credit() -> None:
    """R46: who calls back resolved the case, and has the time from the message on; of first contacts it is none."""
    script, world = Script(), world_of(agents=AGENTS)
    message = [
        script.say("calls", "queue.entered", 0, contact_id="v", customer="u", queue="billing"),
        script.say("calls", "queue.left", 10_000, contact_id="v", queue="billing", reason="voicemail"),
        script.say("calls", "voicemail.left", 20_000, contact_id="v"),
        script.say("calls", "contact.ended", 30_000, contact_id="v", by="customer"),
    ]
    world.feed([*message, *script.call("c", HOUR_MS, direction="outbound", previous_contact_id="v")], DONE)
    label = '{agent="anna",channel="voice"}'
    assert world.current()["u", f"contact:v/{START}/u"]["rules"]["contact"]["state"] == "settled"
    assert figures(world, "contact_agent_") == {
        f"contact_agent_resolutions_total{label}": 1,
        f"contact_agent_resolution_seconds_total{label}": (HOUR_MS + 5 * MINUTE) / 1000,
    }


def test_resolution_in_business_hours() -> None:
    """R14, R45: from Friday 16:55 to Monday 09:20 in Berlin, the clock put forward between, 25 minutes are open."""
    script = Script()
    world = world_of(queues={"billing": {"zone": "Europe/Berlin", "hours": OFFICE}, "sales": {}})
    friday, monday = (parse_time(at) - START for at in ("2026-03-27T15:55:00Z", "2026-03-30T07:20:00Z"))
    told = [
        *script.call("c", friday, case_id="T"),
        script.ticket("opened", friday, "T"),
        script.ticket("resolved", monday, "T"),
        script.say("calls", "queue.entered", 0, contact_id="s", customer="v", queue="sales"),
        script.say("calls", "agent.connected", 1, contact_id="s", agent="anna"),
        script.say("calls", "contact.ended", MINUTE, contact_id="s", by="customer"),
    ]
    world.feed(told, DONE)
    label = '{channel="voice",issue="none"}'
    found = figures(world, "contact_resolution_")
    assert found[f"contact_resolution_seconds_count{label}"] == 2
    assert found[f"contact_resolution_open_seconds_count{label}"] == 1
    assert found[f"contact_resolution_open_seconds_sum{label}"] == 25 * 60


def test_a_case_has_a_first_and_a_last_resolution() -> None:
    """R45: reopened and resolved again, the time to the last resolution is measured anew, that to the first stands."""
    script, world = Script(), world_of()
    label = '{channel="voice",issue="none"}'
    told = [script.ticket("opened", 0, "T"), *script.call("c", 0, case_id="T")]
    words = [("resolved", DAY_MS, DAY_MS), ("reopened", 2 * DAY_MS, None), ("closed", 3 * DAY_MS, 3 * DAY_MS)]
    world.feed(told, START)
    for word, at, last in words:
        world.feed([script.ticket(word, at, "T")], START + at)
        verdict = world.current()["u", "T"]
        assert (verdict["first_resolution_ms"], verdict["last_resolution_ms"]) == (DAY_MS, last)
        full = figures(world, "contact_full_resolution_seconds_")
        assert full.get(f"contact_full_resolution_seconds_count{label}", 0) == (last is not None)
        assert full.get(f"contact_full_resolution_seconds_sum{label}", 0) == (last or 0) / 1000
    assert figures(world, "contact_resolution_seconds_sum") == {
        'contact_resolution_seconds_sum{channel="voice",issue="none"}': DAY_MS / 1000
    }


def total(amounts: Mapping[Any, int], family: str) -> dict[str, int]:
    """What the series by agent of a family add up to, by channel."""
    found: dict[str, int] = defaultdict(int)
    for key, amount in amounts.items():
        if key[0] == family:
            found[key[2]] += amount
    return {channel: amount for channel, amount in found.items() if amount}


def summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Amounts by channel."""
    found: dict[str, int] = defaultdict(int)
    for channel, amount in pairs:
        found[channel] += amount
    return {channel: amount for channel, amount in found.items() if amount}


@settings(derandomize=True, max_examples=30)
@given(st.integers(0, 2**32))
def test_agents_add_up_to_the_centre(seed: int) -> None:
    """R26, R46: credits are those of cases with a handled first contact, times those of cases that anybody served."""
    told, policy = history(seed), policy_of(seed, agents=AGENTS)
    world = played(told, policy, seed)
    amounts, verdicts = world.counters(), world.current()
    cases = recount(told, policy, DONE, world.case_shards[0].clock.settled).cases
    headlines = [one for _, said in cases if (one := said["contact"]) is not None and one.first.outcome == "handled"]
    credited = [one for one in headlines if one.state in ("settled", "provisional")]
    assert total(amounts, "contact_agent_fcr_eligible_total") == summed((one.first.channel, 1) for one in headlines)
    assert total(amounts, "contact_agent_fcr_credited_total") == summed((one.first.channel, 1) for one in credited)
    counted = [case for case, _ in cases if case.person is not None or policy.cases.unidentified == "count"]
    served = [
        (told_of["channel"], told_of["first_resolution_ms"] or 0)
        for case in counted
        if any(one.outcome == "handled" for one in case.contacts)
        for told_of in [verdicts[case.person, case.name]]
    ]
    assert total(amounts, "contact_agent_resolution_seconds_total") == summed(served)
