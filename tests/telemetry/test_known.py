"""The label sets a policy declares are exactly those that stand at 0."""

from __future__ import annotations

import tomllib

import pytest

from stream.core.families import CONTACT_OUTCOMES, SERVICE, VISIT_OUTCOMES
from stream.core.policy_reader import read_policy
from stream.telemetry.collector import ShardCollector
from stream.telemetry.declared import declared_by, policy_figures
from stream.telemetry.figures import PlainShard
from stream.telemetry.known import Declared, known_series, series_lines

TWO_QUEUES = Declared({"billing": ("voice",), "care": ("voice", "email")}, ("welcome", "menu:main"))


def _of(name: str, declared: Declared = TWO_QUEUES) -> set[tuple[str, ...]]:
    return {key[1:] for key in known_series(declared) if key[0] == name}


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


def test_the_line_count_is_what_a_scrape_shows() -> None:
    """`policy check` prints the same number that Prometheus will store."""
    shard = PlainShard(1, 0)
    blocks, _ = ShardCollector(lambda: [shard], lambda: 0, known_series(TWO_QUEUES)).scrape()
    lines = sum(one.texts[place].count("\n") for _, place, series in blocks for one in series)
    assert lines == series_lines(TWO_QUEUES, partitions=1)
    assert series_lines(TWO_QUEUES, partitions=8) == 8 * lines


def test_targets_and_definitions_are_data() -> None:
    """R08, R26: each queue shows its own target where it has one, else its channel's; goals and rules beside it."""
    policy = read_policy(
        tomllib.loads(
            '[queues]\nbilling = { channels = ["voice"], target_ms = 30000 }\ncare = {}\n[steps]\nmenu = ["m"]'
        )
    )
    figures = policy_figures(policy, "1.0", "abc")
    assert figures["contact_target_seconds", "service_level", "voice", "billing"] == 30_000
    assert figures["contact_target_seconds", "service_level", "email", "care"] == 86_400_000
    assert figures["contact_target_seconds", "response", "voice", "billing"] == 180_000
    assert figures["contact_target_seconds", "short_abandon", "chat", "care"] == 5_000
    assert figures["contact_target_ratio", "care", "abandonment"] == pytest.approx(0.05)
    assert figures["contact_definition_info", "one_touch", "1.0", "abc"] == 1
    assert figures["contact_queue_info", "billing", "", "", ""] == 1
    assert declared_by(policy).queues == {"billing": ("voice",), "care": ()}
    assert "menu:m" in declared_by(policy).steps
