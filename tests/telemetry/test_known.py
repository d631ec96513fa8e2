"""The label sets a policy declares are exactly those that stand at 0."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from stream.core.figures.case_families import CAUSES, CREDITS
from stream.core.figures.families import CONTACT_OUTCOMES, GOAL_KINDS, SERVICE, VISIT_OUTCOMES
from stream.core.policies.reader import read_policy
from stream.telemetry.collector import ShardCollector
from stream.telemetry.declared import declared_by, definition_version, policy_figures
from stream.telemetry.figures import PlainShard
from stream.telemetry.known import Declared, RuleNames, known_by_stage, known_series, series_lines

if TYPE_CHECKING:
    from stream.core.policy import Policy

TWO_QUEUES = Declared({"billing": ("voice",), "care": ("voice", "email")}, ("welcome", "menu:main"))


CASES = Declared(
    {"billing": ("voice", "chat"), "care": ("voice",)},
    (),
    {"billing": ("invoice", "refund"), "care": ("login",)},
    {"contact": RuleNames(("voice", "chat", "email"), ("repeat",)), "voice_only": RuleNames(("voice",), ("repeat",))},
)


def _of(name: str, declared: Declared = TWO_QUEUES, stage: int = 1) -> set[tuple[str, ...]]:
    return {key[1:] for key in known_series(declared, stage) if key[0] == name}


def test_a_queue_is_known_with_its_own_channels_only() -> None:
    """The product of channels and queues the policy declares, not of all."""
    assert _of("contact_visits_entered_total") == {("voice", "billing"), ("voice", "care"), ("email", "care")}
    assert len(_of("contact_visits_total")) == 3 * len(VISIT_OUTCOMES)
    assert _of("contact_unaccounted") == {("billing",), ("care",)}


def test_families_without_a_queue_take_the_declared_channels() -> None:
    """A channel that no queue serves makes no series."""
    assert len(_of("contact_contacts_total")) == 2 * len(CONTACT_OUTCOMES)
    assert {step for step, _ in _of("contact_steps_total")} == {"welcome", "menu:main"}


def test_handle_time_is_known_for_talking_channels_only() -> None:
    """R32 holds for known series too."""
    assert _of("contact_handle_seconds") == {("voice", "billing"), ("voice", "care")}


def test_timestamps_are_never_known() -> None:
    """A timestamp is absent while nothing is open, never 0."""
    assert not [key for key in known_series(TWO_QUEUES) if SERVICE[key[0]].timestamp]


def test_each_stage_knows_its_topics() -> None:
    """Stage 1 never reads the topic of cases, stage 2 nothing else of the sources."""
    assert {key[1] for key in known_series(TWO_QUEUES) if key[0] == "contact_stream_rejected_total"} == {
        "calls",
        "chats",
        "emails",
        "agents",
    }
    assert {key[1] for key in known_series(TWO_QUEUES, 2) if key[0] == "contact_stream_records_total"} == {"cases"}


def test_cases_are_known_where_the_policy_declares_them() -> None:
    """R12: a queue with its own channels and issues, and `none`; what is undeclared appears when it is met."""
    places = {(channel, "billing", issue) for channel in ("voice", "chat") for issue in ("invoice", "refund", "none")}
    places |= {("voice", "care", "login"), ("voice", "care", "none")}
    assert _of("contact_cases_opened_total", CASES, 2) == places
    assert _of("contact_cases_open", CASES, 2) == places
    rules = {("contact", *place, state) for place in places for state in CREDITS}
    rules |= {("voice_only", *place, state) for place in places if place[0] == "voice" for state in CREDITS}
    assert _of("contact_fcr_cases_total", CASES, 2) == rules
    assert _of("contact_resolution_seconds", CASES, 2) == {(channel, issue) for channel, _, issue in places}
    assert _of("contact_survey_offered_total", CASES, 2) == {("voice",), ("chat",)}
    failed = _of("contact_fcr_failed_total", CASES, 2)
    assert failed == {
        (rule, channel, "repeat", cause)
        for rule, channel in (("contact", "voice"), ("contact", "chat"), ("voice_only", "voice"))
        for cause in CAUSES
    }


def test_one_more_issue_costs_what_the_page_says() -> None:
    """Thirteen lines and six a rule; voice knows refunds already, so its resolution times have their buckets."""
    more = replace(CASES, issues={**CASES.issues, "care": ("login", "refund")})
    assert series_lines(more, 1) - series_lines(CASES, 1) == 13 + 6 * len(CASES.rules)
    example = Declared(
        {f"queue{n}": ("voice", "chat") for n in range(10)},
        (),
        {f"queue{n}": tuple(f"issue{m}" for m in range(10)) for n in range(10)},
        {name: RuleNames(("voice", "chat"), ()) for name in ("contact", "channel", "one_touch", "survey")},
    )
    placed = [key for key in known_series(example, 2) if {"queue", "issue"} <= set(SERVICE[key[0]].labels)]
    assert sum(2 if SERVICE[key[0]].twin else 1 for key in placed) == 8_140


def test_each_stage_has_families_of_its_own() -> None:
    """Both stages have a shard of each number: a family of the service belongs to exactly one of them."""
    first, second = ({key[0] for key in known_series(CASES, stage)} for stage in (1, 2))
    assert all(name.startswith("contact_stream_") for name in first & second)
    assert "contact_unaccounted" in first - second
    assert "contact_resolutions_total" in first - second
    assert "contact_fcr_cases_total" in second - first
    assert set(known_by_stage(CASES)) == {1, 2}


def test_a_stage_knows_the_corrections_of_its_own_families() -> None:
    """Gauges and what is only stored cannot be corrected."""
    first, second = ({name for (name,) in _of("contact_stream_corrections_total", CASES, stage)} for stage in (1, 2))
    assert "contact_visits_total" in first - second
    assert second >= {"contact_fcr_cases_total", "contact_resolution_seconds", "contact_survey_offered_total"}
    assert not {"contact_cases_open", "contact_fcr_cohort_cases", "~cohort"} & (first | second)


def test_what_comes_and_goes_and_what_is_only_stored_is_never_known() -> None:
    """Days and ages pass; the stored tallies are no figures."""
    for stage in (1, 2):
        for key in known_series(CASES, stage):
            assert not {"day", "age"} & set(SERVICE[key[0]].labels)
            assert not key[0].startswith("~")


def test_the_line_count_is_what_a_scrape_shows() -> None:
    """`policy check` prints the same number that Prometheus will store."""
    shards = [PlainShard(1, 0), PlainShard(2, 0)]
    blocks, _ = ShardCollector(lambda: shards, lambda: 0, known_by_stage(CASES)).scrape()
    lines = sum(one.texts[place].count("\n") for _, place, series in blocks for one in series)
    assert lines == series_lines(CASES, partitions=1)
    assert series_lines(CASES, partitions=8) == 8 * lines
    assert sum(series_lines(CASES, 1, (stage,)) for stage in (1, 2)) == lines


def test_targets_and_definitions_are_data() -> None:
    """R08, R26, R41: a queue shows its own target where it has one, else its channel's; goals and rules beside it."""
    policy = read_policy(
        tomllib.loads(
            '[queues]\nbilling = { channels = ["voice"], target_ms = 30000 }\ncare = {}\n[steps]\nmenu = ["m"]'
        )
    )
    figures = policy_figures(policy, "abc")
    assert figures["contact_target_seconds", "service_level", "voice", "billing"] == 30_000
    assert figures["contact_target_seconds", "service_level", "email", "care"] == 86_400_000
    assert figures["contact_target_seconds", "response", "voice", "billing"] == 180_000
    assert figures["contact_target_seconds", "short_abandon", "chat", "care"] == 5_000
    assert figures["contact_target_ratio", "care", "abandonment"] == pytest.approx(0.05)
    assert figures["contact_definition_info", "one_touch", definition_version(policy, "one_touch"), "abc"] == 1
    assert figures["contact_queue_info", "billing", "", "", ""] == 1
    assert declared_by(policy).queues == {"billing": ("voice",), "care": ()}
    assert "menu:m" in declared_by(policy).steps


def _policy(text: str) -> Policy:
    return read_policy(tomllib.loads(text))


def test_a_queue_without_issues_is_known_with_all_of_them() -> None:
    """Its own list is what keeps the number small; `none` is known everywhere."""
    declared = declared_by(
        _policy('[queues]\nbilling = { issues = ["refund"] }\ncare = {}\n[issues]\nrefund = {}\nlogin = {}')
    )
    assert declared.issues == {"billing": ("refund",), "care": ("refund", "login")}
    assert declared.issues_of(["billing"]) == ("refund", "none")
    assert declared.issues_of(["billing", "care"]) == ("refund", "none", "login")


def test_a_rule_is_known_with_the_reasons_it_has() -> None:
    """R13, R16, R20: an allowed transfer fails nothing, and where the survey decides nothing else does."""
    declared = declared_by(
        _policy('[rules.contact]\nfollow_up = "allow"\n[rules.alone]\nagents = "one"\nchannels = ["voice"]')
    )
    always = ("unresolved", "later_contact", "reopened", "repeat")
    assert declared.rules["contact"].reasons == ("escalated", *always)
    assert declared.rules["one_touch"].reasons == ("escalated", "transfer", *always)
    assert declared.rules["survey"].reasons == ("survey",)
    assert declared.rules["alone"] == (("voice",), ("escalated", "transfer", *always))


def test_a_definition_has_a_version_of_its_own() -> None:
    """R28: it changes with the rule, the grouping or an issue's window; not with a name, a target or another rule."""
    plain = _policy("")
    versions = {name: definition_version(plain, name) for name in plain.rules}
    assert len(set(versions.values())) == len(versions)
    for text, same in (
        ("[queues]\nbilling = { target_ms = 30000 }\n[issues]\nrefund = {}", {"contact", "channel", "one_touch"}),
        ('[rules.channel]\ntransfers = "forbid"', {"contact", "one_touch", "survey"}),
        ("[cases]\nwindow_ms = 86400000", set()),
        ("[issues]\nrefund = { window_ms = 86400000 }", set()),
    ):
        changed = _policy(text)
        found = {name for name, version in versions.items() if definition_version(changed, name) == version}
        assert found >= same, text
        assert bool(found) is bool(same), text
    assert {key[2] for key in policy_figures(plain, "abc") if key[0] == "contact_definition_info"} == set(
        versions.values()
    )
    assert all(len(version) == 8 and int(version, 16) >= 0 for version in versions.values())


def test_a_queue_s_own_goal_is_shown() -> None:
    """R08, R26: goals and bands are data, those shipped too, also those of one queue."""
    figures = policy_figures(_policy("[queues]\ncare = {}\nbilling = {}\n[goals.queues.care]\nfcr = 0.8"), "abc")
    assert figures["contact_target_ratio", "billing", "fcr"] == pytest.approx(0.65)
    assert figures["contact_target_ratio", "care", "fcr"] == pytest.approx(0.8)
    assert figures["contact_target_ratio", "care", "fcr_high"] == pytest.approx(0.9)
    assert figures["contact_target_ratio", "care", "fcr_low"] == pytest.approx(0.4)
    assert {key[2] for key in figures if key[0] == "contact_target_ratio"} == set(GOAL_KINDS)
