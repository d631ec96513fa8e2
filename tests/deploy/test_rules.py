"""The shipped configuration and rules: valid, about catalogued metrics only, and right to the last digit."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from stream.core.figures.families import SERVICE
from stream.telemetry.catalogue import CATALOGUE, series_names
from stream.telemetry.collector import ShardCollector
from stream.telemetry.figures import PlainShard
from stream.telemetry.known import Declared, RuleNames, known_by_stage
from stream.telemetry.process import ProcessMetrics
from stream.telemetry.rendering import Renderer
from tests.deploy.stories import alerts, shipped_rules

if TYPE_CHECKING:
    from pathlib import Path

WINDOWS = {"5m": "20s", "15m": "1m", "1h": "4m", "1d": "96m", "7d": "672m"}
"""Window of each rule file -> a fifteenth of it, the distance of the samples in the tests."""

ICMI = """
rule_files: [{rules}]
evaluation_interval: {step}
tests:
  - interval: {step}
    input_series:
      # two partitions; the second has taken ten answers and five in target back
      - series: contact_visits_total{{channel="voice", queue="billing", outcome="answered", partition="0"}}
        values: 0 600x20
      - series: contact_visits_retracted_total{{channel="voice", queue="billing", outcome="answered", partition="0"}}
        values: 0 0x20
      - series: contact_visits_total{{channel="voice", queue="billing", outcome="answered", partition="1"}}
        values: 0 410x20
      - series: contact_visits_retracted_total{{channel="voice", queue="billing", outcome="answered", partition="1"}}
        values: 0 10x20
      - series: contact_answered_in_target_total{{channel="voice", queue="billing", partition="0"}}
        values: 0 500x20
      - series: contact_answered_in_target_retracted_total{{channel="voice", queue="billing", partition="0"}}
        values: 0 0x20
      - series: contact_answered_in_target_total{{channel="voice", queue="billing", partition="1"}}
        values: 0 365x20
      - series: contact_answered_in_target_retracted_total{{channel="voice", queue="billing", partition="1"}}
        values: 0 5x20
{outcomes}
      - series: contact_abandoned_in_target_total{{channel="voice", queue="billing", partition="0"}}
        values: 0 20x20
      - series: contact_abandoned_in_target_retracted_total{{channel="voice", queue="billing", partition="0"}}
        values: 0 0x20
      # a quiet queue, and one with an outcome that nobody declared and no other
      - series: contact_visits_total{{channel="voice", queue="quiet", outcome="answered", partition="0"}}
        values: 0x20
      - series: contact_visits_retracted_total{{channel="voice", queue="quiet", outcome="answered", partition="0"}}
        values: 0x20
      - series: contact_visits_total{{channel="voice", queue="other", outcome="exited", partition="0"}}
        values: 0 4x20
      - series: contact_visits_retracted_total{{channel="voice", queue="other", outcome="exited", partition="0"}}
        values: 0 0x20
      # handle time: 30 contacts, 300 s of talk less 30 s taken back, 60 s of hold, 30 s of wrap-up
      - series: contact_handled_total{{channel="voice", queue="billing", partition="0"}}
        values: 0 32x20
      - series: contact_handled_retracted_total{{channel="voice", queue="billing", partition="0"}}
        values: 0 2x20
{times}
      - series: contact_wait_seconds_sum{{channel="voice", queue="billing", outcome="answered", partition="0"}}
        values: 0 700x20
      - series: contact_wait_seconds_count{{channel="voice", queue="billing", outcome="answered", partition="0"}}
        values: 0 50x20
      - series: contact_steps_total{{step="menu:main", outcome="entered", partition="0"}}
        values: 0 40x20
      - series: contact_steps_retracted_total{{step="menu:main", outcome="entered", partition="0"}}
        values: 0 0x20
      - series: contact_steps_total{{step="menu:main", outcome="abandoned", partition="0"}}
        values: 0 12x20
      - series: contact_steps_retracted_total{{step="menu:main", outcome="abandoned", partition="0"}}
        values: 0 2x20
    promql_expr_test:
{expected}
"""
OUTCOMES = {"abandoned": 45, "abandoned_short": 10, "exited": 5, "callback": 20, "timeout": 10}
TIMES = {"talk": (300, 30), "hold": (60, 0), "wrapup": (30, 0)}
BILLING = '{channel="voice", queue="billing"}'
OTHER = '{channel="voice", queue="other"}'
EXPECTED: dict[str, list[tuple[str, float]]] = {
    # 2-numbers 2.3: answered 1000, in target 860, abandoned 60 (20 in target, 10 short)
    "channel_queue:contact_service_level_1:ratio": [(BILLING, 880 / 1060), (OTHER, 0 / 4)],
    "channel_queue:contact_service_level_2:ratio": [(BILLING, 860 / 1000)],
    "channel_queue:contact_service_level_3:ratio": [(BILLING, 860 / 1060), (OTHER, 0 / 4)],
    "channel_queue:contact_service_level_4:ratio": [(BILLING, 860 / 1040), (OTHER, 0 / 4)],
    "channel_queue:contact_service_level_5:ratio": [(BILLING, 870 / 1060), (OTHER, 0 / 4)],
    "channel_queue:contact_service_level_6:ratio": [(BILLING, 860 / 1050), (OTHER, 0 / 4)],
    # 2-numbers 2.2: entered and finished = 1000 + 45 + 10 + 5 + 20 + 10 = 1090
    "channel_queue:contact_abandonment_gross:ratio": [(BILLING, 60 / 1090), (OTHER, 4 / 4)],
    "channel_queue:contact_abandonment_net:ratio": [(BILLING, 50 / 1080), (OTHER, 4 / 4)],
    "channel_queue:contact_handle_seconds:mean": [(BILLING, 360 / 30)],
    "channel_queue:contact_speed_of_answer_seconds:mean": [(BILLING, 700 / 50)],
    "step:contact_step_abandonment:ratio": [('{step="menu:main"}', 10 / 40)],
    "channel_queue:contact_visits_lost:net_increase": [
        (BILLING, 10),
        (OTHER, 0),
        ('{channel="voice", queue="quiet"}', 0),
    ],
}


def _pair(name: str, labels: str, total: int, retracted: int) -> str:
    """A counter and its twin that rise once, in partition 0."""
    return "\n".join(
        f'      - series: {family}{{{labels}partition="0"}}\n        values: 0 {value}x20'
        for family, value in ((f"{name}_total", total), (f"{name}_retracted_total", retracted))
    )


def _vector(window: str, rules: Path) -> str:
    """The test file of one window for promtool."""
    billing = 'channel="voice", queue="billing", '
    expected = [
        f"      - expr: {record}{window}\n        eval_time: {window}\n        exp_samples:\n"
        + "\n".join(
            f"          - labels: '{record}{window}{place}'\n            value: {value!r}" for place, value in values
        )
        for record, values in EXPECTED.items()
    ]
    return ICMI.format(
        rules=rules,
        step=WINDOWS[window],
        outcomes="\n".join(
            _pair("contact_visits", f'{billing}outcome="{name}", ', n, 0) for name, n in OUTCOMES.items()
        ),
        times="\n".join(_pair(f"contact_{name}_seconds", billing, *pair) for name, pair in TIMES.items()),
        expected="\n".join(expected),
    )


def _run(*command: str | Path, given: bytes = b"") -> str:
    """Run a check; what it printed. A failure shows it."""
    done = subprocess.run([str(word) for word in command], input=given, capture_output=True, timeout=120, check=False)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said


def test_the_configuration_and_every_rule_are_valid(promtool: str, deploy: Path) -> None:
    """`promtool check config` reads the shipped file and every rule file it names."""
    said = _run(promtool, "check", "config", deploy / "prometheus.yml")
    files = [path for folder in ("rules", "alerts") for path in (deploy / folder).glob("*.yml")]
    assert said.count("rules found") == len(files)
    read = [int(number) for number in re.findall(r"(\d+) rules found", said)]
    assert sum(read) == len(shipped_rules())


def test_no_group_pauses_longer_than_a_sample_is_seen(deploy: Path) -> None:
    """Prometheus looks back five minutes for a sample; a group that is slower would record figures with gaps."""
    for path in (deploy / "rules").glob("*.yml"):
        for number, unit in re.findall(r"interval: (\d+)(\w+)", path.read_text()):
            assert int(number) * {"s": 1, "m": 60}[unit] <= 240, path.name


@pytest.mark.parametrize("window", WINDOWS)
def test_the_service_levels_are_those_of_the_vector(window: str, promtool: str, deploy: Path, tmp_path: Path) -> None:
    """R31, R47, R49: ICMI's six formulas, both abandonment rates, means, steps; a queue without visits has no ratio.

    83.02 %, 86.00 %, 81.13 %, 82.69 %, 82.08 % and 81.90 % in 2-numbers 2.3.
    """
    test = tmp_path / "rules_test.yml"
    test.write_text(_vector(window, deploy / "rules" / f"window_{window}.yml"))
    assert "SUCCESS" in _run(promtool, "test", "rules", test)


def test_the_vector_can_fail(promtool: str, deploy: Path, tmp_path: Path) -> None:
    """One answer more and promtool objects: the test above is no formality."""
    test = tmp_path / "rules_test.yml"
    test.write_text(_vector("15m", deploy / "rules" / "window_15m.yml").replace("0 600x20", "0 601x20"))
    done = subprocess.run([promtool, "test", "rules", str(test)], capture_output=True, timeout=120, check=False)
    assert done.returncode != 0


def test_the_windows_differ_in_their_length_only(deploy: Path) -> None:
    """What is tested of one window holds for all."""
    texts = set()
    for window in WINDOWS:
        text = (deploy / "rules" / f"window_{window}.yml").read_text()
        text = re.sub(r"interval: \w+", "interval: -", text)
        texts.add(re.sub(rf"(?<=[a-z\[\- ]){window}(?![0-9a-z])", "WINDOW", text))
    assert len(texts) == 1


def test_expressions_use_catalogued_metrics_only() -> None:
    """Every name in a rule or an alert is exported, or recorded by a rule."""
    recorded = {rule.name for rule in shipped_rules() if not rule.alert}
    used = {name for rule in shipped_rules() for name in rule.names}
    assert used - recorded <= series_names()
    assert "contact_visits_retracted_total" in used


def test_every_alert_compares_with_the_policy_not_with_a_literal() -> None:
    """R08, R26: no goal or target stands in an alert; what it compares with is recorded from the policy."""
    goals = {
        "ContactAbandonmentSpike": "queue:contact_goal_abandonment:ratio",
        "ContactAbandonmentSlowBurn": "queue:contact_goal_abandonment:ratio",
        "ContactResponseBreached": "queue:contact_goal_service_level:ratio",
        "ContactOldestWaitTooLong": "channel_queue:contact_target_service_level_seconds:max",
    }
    for name, goal in goals.items():
        expression = alerts()[name].expression
        assert goal in expression
        assert not re.search(r"[<>]=? *0\.\d", expression), name


def test_every_twin_has_a_net_rule(deploy: Path) -> None:
    """Nobody writes the difference by hand (3-metrics 3.1)."""
    text = (deploy / "rules" / "net.yml").read_text()
    for entry in CATALOGUE.values():
        if entry.retracted:
            level, labels = "_".join(entry.family.labels), ", ".join(entry.family.labels)
            assert f"record: {level}:{entry.family.name.removesuffix('_total')}:net\n" in text
            assert f"sum by ({labels}) ({entry.family.name})\n" in text
            assert f"- sum by ({labels}) ({entry.name})\n" in text


def test_promtool_finds_nothing_in_a_scrape_with_every_family(promtool: str) -> None:
    """`promtool check metrics` is silent on an exposition that shows the whole catalogue."""
    declared = Declared(
        {"billing": ("voice", "email"), "care": ("chat",)},
        ("welcome", "menu:main"),
        {"billing": ("refund",)},
        {"contact": RuleNames(("voice", "chat"), ("repeat",))},
        frozenset(("billing",)),
        ("anna", "other"),
        ("first-line",),
        ("none", "lunch"),
    )
    figures: dict[tuple[str, ...], float] = {
        ("contact_callbacks_oldest_timestamp_seconds", "billing"): 1_772_445_600_123,
    }
    figures |= {
        (f"contact_{name}_timestamp_seconds", "voice", "billing"): 1_772_445_600_123
        for name in ("queue_oldest_entered", "unanswered_oldest")
    }
    began = {("contact_counting_since_timestamp_seconds",): 1_772_445_600_123}
    figures["contact_stream_source_timestamp_seconds", "asterisk:pbx1"] = 1_772_445_600_123
    figures["contact_stream_event_time_seconds", "calls"] = 1_772_445_600_123
    policy = {
        ("contact_target_seconds", "service_level", "voice", "billing"): 20_000.0,
        ("contact_target_ratio", "billing", "fcr"): 0.65,
        ("contact_queue_info", "billing", "", "", ""): 1.0,
        ("contact_queue_open", "billing"): 1.0,
        ("contact_agent_info", "anna", "first-line"): 1.0,
        ("contact_definition_info", "contact", "1", "abc"): 1.0,
    }
    cohorts = {(name, *("0" for _ in family.labels)): 1.0 for name, family in SERVICE.items() if family.rolling}
    shards = [
        PlainShard(1, 0, open_figures=dict(figures), watermark=1_772_445_600_123),
        PlainShard(2, 0, open_figures=cohorts | began, watermark=1_772_445_600_123),
    ]
    process = ProcessMetrics()
    process.worker_started("0.1.0", "3.11", "0.15.3", "0.14")
    process.shard_loaded(1, 0, 10, 0.1)
    process.lag_measured("calls", 3)
    renderer = Renderer(ShardCollector(lambda: shards, lambda: 0, known_by_stage(declared), policy), process)
    renderer.render("")
    body = renderer.render("").body
    shown = set(re.findall(r"^# TYPE (\S+)", body.decode(), re.MULTILINE))
    assert shown == set(CATALOGUE)
    assert _run(promtool, "check", "metrics", given=body) == ""
