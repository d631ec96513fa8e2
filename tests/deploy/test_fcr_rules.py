"""The recorded figures of first contact resolution, by hand: cohorts, survival and projection, live FCR, surveys."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Labels = dict[str, str]
Point = tuple[str, Labels, float]
"""A series' name, its labels and its value."""

RULE = {"rule": "contact"}
TWO_DAYS = (
    # S, P, F, O by channel and day: one cohort in the middle of its week, one that is complete
    ("voice", "2026-03-08", {"settled": 10, "provisional": 50, "failed": 20, "open": 20}),
    ("chat", "2026-03-08", {"settled": 5, "provisional": 10}),
    ("voice", "2026-03-01", {"settled": 30, "failed": 20}),
    ("email", "2026-03-08", {"open": 3}),
)
AT_RISK = {"0": (100, 10), "1": (80, 8), "2": (50, 0), "6": (20, 5)}
"""Age in days -> cases at risk, of them repeated: hazards 0.1, 0.1, 0 and 0.25."""
COHORTS: tuple[Point, ...] = (
    *(
        ("contact_fcr_cohort_cases", {**RULE, "channel": channel, "day": day, "state": state}, value)
        for channel, day, states in TWO_DAYS
        for state, value in states.items()
    ),
    # 8 March: 15 settled, 20 failed and 60 provisional of which a quarter of the window has passed: 1.75 days
    ("contact_fcr_cohort_elapsed_cases", {**RULE, "day": "2026-03-08"}, 15 + 20 + 60 / 4),
    ("contact_fcr_cohort_elapsed_cases", {**RULE, "day": "2026-03-01"}, 50),
    # counting began in the night to 1 March: who came then may have come before
    ("contact_fcr_cohort_warming_cases", {**RULE, "day": "2026-03-01"}, 50),
    ("contact_fcr_queue_warming_cases", {**RULE, "channel": "voice", "queue": "billing", "age": "settled"}, 4),
    *(("contact_fcr_at_risk_cases", {**RULE, "age": age}, at_risk) for age, (at_risk, _) in AT_RISK.items()),
    *(("contact_fcr_repeated_cases", {**RULE, "age": age}, n) for age, (_, n) in AT_RISK.items() if n),
    (
        "contact_fcr_queue_cases",
        {**RULE, "channel": "voice", "queue": "billing", "state": "settled", "age": "settled"},
        3,
    ),
    (
        "contact_fcr_queue_cases",
        {**RULE, "channel": "voice", "queue": "billing", "state": "failed", "age": "settled"},
        1,
    ),
    (
        "contact_fcr_queue_cases",
        {**RULE, "channel": "voice", "queue": "billing", "state": "provisional", "age": "0"},
        4,
    ),
)


def _by(**labels: str) -> Labels:
    return {**RULE, **labels}


MARCH_8, MARCH_1 = "2026-03-08", "2026-03-01"
VOICE, CHAT, MAIL = ({"channel": channel, "day": MARCH_8} for channel in ("voice", "chat", "email"))
COMPLETE = {"channel": "voice", "day": MARCH_1}
NEWEST = {"channel": "voice", "queue": "billing", "age": "settled"}
TODAY = {**NEWEST, "age": "0"}
FIGURES: dict[str, list[tuple[Labels, float]]] = {
    "rule_channel_day:contact_fcr_provisional:ratio": [
        (_by(**VOICE), 60 / 80),
        (_by(**CHAT), 15 / 15),
        (_by(**COMPLETE), 30 / 50),
    ],
    "rule_channel_day:contact_fcr_low:ratio": [
        (_by(**VOICE), 10 / 100),
        (_by(**CHAT), 5 / 15),
        (_by(**MAIL), 0 / 3),
        (_by(**COMPLETE), 30 / 50),
    ],
    "rule_channel_day:contact_fcr_high:ratio": [
        (_by(**VOICE), 80 / 100),
        (_by(**CHAT), 15 / 15),
        (_by(**MAIL), 3 / 3),
        (_by(**COMPLETE), 30 / 50),
    ],
    "rule_channel_day:contact_fcr_settled:ratio": [(_by(**COMPLETE), 30 / 50)],
    "rule_day:contact_fcr_cohort_cases:sum": [(_by(day=MARCH_8), 118), (_by(day=MARCH_1), 50)],
    "rule_day:contact_fcr_provisional:ratio": [(_by(day=MARCH_8), 75 / 95), (_by(day=MARCH_1), 30 / 50)],
    "rule_day:contact_fcr_low:ratio": [(_by(day=MARCH_8), 15 / 118), (_by(day=MARCH_1), 30 / 50)],
    "rule_day:contact_fcr_high:ratio": [(_by(day=MARCH_8), 98 / 118), (_by(day=MARCH_1), 30 / 50)],
    "rule_day:contact_fcr_settled:ratio": [(_by(day=MARCH_1), 30 / 50)],
    "rule_day:contact_fcr_maturity:ratio": [(_by(day=MARCH_8), 50 / 118), (_by(day=MARCH_1), 50 / 50)],
    "rule_day:contact_fcr_warming:ratio": [(_by(day=MARCH_8), 0 / 118), (_by(day=MARCH_1), 50 / 50)],
    "rule_channel_queue_age:contact_fcr_warming:ratio": [(_by(**NEWEST), 4 / 4), (_by(**TODAY), 0 / 4)],
    "rule_channel_queue_age:contact_fcr_settled:ratio": [(_by(**NEWEST), 3 / 4)],
    "rule_channel_queue_age:contact_fcr_provisional:ratio": [(_by(**NEWEST), 3 / 4), (_by(**TODAY), 4 / 4)],
    "rule_channel_queue_age:contact_fcr_low:ratio": [(_by(**NEWEST), 3 / 4), (_by(**TODAY), 0 / 4)],
    "rule_channel_queue_age:contact_fcr_high:ratio": [(_by(**NEWEST), 3 / 4), (_by(**TODAY), 4 / 4)],
    "rule_age:contact_fcr_repeat_hazard:ratio": [(_by(age=age), n / risk) for age, (risk, n) in AT_RISK.items()],
    "rule_age:contact_fcr_survival:ratio": [
        (_by(age="0"), 0.9 * 0.9 * 0.75),
        (_by(age="1"), 0.9 * 0.75),
        *((_by(age=str(age)), 0.75) for age in range(2, 7)),
    ],
    "rule_day:contact_fcr_provisional_age_days:mean": [(_by(day=MARCH_8), 1.75)],
    # a day old on the mean: survival of age 1
    "rule_day:contact_fcr_projected:ratio": [
        (_by(day=MARCH_8), (15 + 60 * 0.675) / 95),
        (_by(day=MARCH_1), 30 / 50),
    ],
}

PLACE = {"channel": "voice", "queue": "billing", "issue": "refund"}
ELSEWHERE = {"channel": "chat", "queue": "care", "issue": "login"}
RISES: tuple[tuple[str, Labels, int, int], ...] = (
    # family, labels, total, taken back
    ("contact_fcr_cases", {**RULE, **PLACE, "state": "credited"}, 140, 20),
    ("contact_fcr_cases", {**RULE, **PLACE, "state": "settled"}, 70, 0),
    ("contact_fcr_cases", {**RULE, **PLACE, "state": "failed"}, 82, 2),
    ("contact_fcr_cases", {**RULE, **ELSEWHERE, "state": "failed"}, 40, 0),
    ("contact_fcr_failed", {**RULE, "channel": "voice", "reason": "repeat", "cause": "skill"}, 31, 1),
    ("contact_cases_opened", PLACE, 200, 0),
    ("contact_cases_handled", PLACE, 181, 1),
    ("contact_cases_resolved", PLACE, 150, 0),
    ("contact_cases_reopened", PLACE, 10, 0),
    ("contact_eligible_contacts", PLACE, 210, 10),
    ("contact_eligible_contacts", ELSEWHERE, 40, 0),
    ("contact_repeat_contacts", PLACE, 55, 5),
    ("contact_survey_offered", {"channel": "voice"}, 100, 0),
    ("contact_survey_offered", {"channel": "chat"}, 4, 0),
    ("contact_survey_answered", {"channel": "voice", "resolved": "yes"}, 31, 1),
    ("contact_survey_answered", {"channel": "voice", "resolved": "no"}, 10, 0),
    ("contact_survey_answered", {"channel": "voice", "resolved": "none"}, 20, 0),
    ("contact_survey_disagreements", {"channel": "voice"}, 4, 0),
    ("contact_resolutions", {"channel": "voice", "confirmed": "yes"}, 20, 5),
    ("contact_resolutions", {"channel": "voice", "confirmed": "unasked"}, 45, 0),
)
WEEK: dict[str, list[tuple[Labels, float]]] = {
    "rule_state:contact_fcr_cases:net_increase7d": [
        (_by(state="credited"), 120),
        (_by(state="settled"), 70),
        (_by(state="failed"), 120),
    ],
    # settled cases are among the credited, never beside them
    "rule:contact_fcr_live:ratio7d": [(RULE, 120 / 240)],
    "rule_channel:contact_fcr_live:ratio7d": [(_by(channel="voice"), 120 / 200), (_by(channel="chat"), 0 / 40)],
    "rule_channel_queue:contact_fcr_live:ratio7d": [
        (_by(channel="voice", queue="billing"), 120 / 200),
        (_by(channel="chat", queue="care"), 0 / 40),
    ],
    "rule_issue:contact_fcr_live:ratio7d": [(_by(issue="refund"), 120 / 200), (_by(issue="login"), 0 / 40)],
    "rule_channel_reason_cause:contact_fcr_failed:net_increase7d": [
        (_by(channel="voice", reason="repeat", cause="skill"), 30)
    ],
    "channel_queue_issue:contact_cases_opened:net_increase7d": [(PLACE, 200)],
    "channel_queue_issue:contact_cases_handled:net_increase7d": [(PLACE, 180)],
    "channel_queue_issue:contact_cases_resolved:net_increase7d": [(PLACE, 150)],
    "channel_queue_issue:contact_cases_reopened:net_increase7d": [(PLACE, 10)],
    "channel:contact_repeat_contacts:ratio7d": [({"channel": "voice"}, 50 / 200), ({"channel": "chat"}, 0 / 40)],
    "channel_queue:contact_repeat_contacts:ratio7d": [
        ({"channel": "voice", "queue": "billing"}, 50 / 200),
        ({"channel": "chat", "queue": "care"}, 0 / 40),
    ],
    "issue:contact_repeat_contacts:ratio7d": [({"issue": "refund"}, 50 / 200), ({"issue": "login"}, 0 / 40)],
    "channel:contact_survey_response:ratio7d": [({"channel": "voice"}, 60 / 100), ({"channel": "chat"}, 0 / 4)],
    "channel:contact_fcr_survey:ratio7d": [({"channel": "voice"}, 30 / 40)],
    "channel:contact_survey_disagreements:ratio7d": [({"channel": "voice"}, 4 / 40)],
    "channel:contact_resolutions_confirmed:ratio7d": [({"channel": "voice"}, 15 / 60)],
}


def _series(name: str, labels: Labels) -> str:
    """As PromQL writes it."""
    pairs = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{pairs}}}"


def _expected(figures: dict[str, list[tuple[Labels, float]]], at: str) -> list[dict[str, object]]:
    """Each record whole, in billionths: a series that is not listed must not be there."""
    return [
        {
            "expr": f"round(1e9 * {record})",
            "eval_time": at,
            "exp_samples": [{"labels": _series("", labels), "value": round(1e9 * value)} for labels, value in samples],
        }
        for record, samples in figures.items()
    ]


def _vector(step: str, rules: list[Path], series: dict[str, str], expected: list[dict[str, object]]) -> str:
    """A test file for promtool; JSON is YAML too."""
    test = {
        "interval": step,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": expected,
    }
    return json.dumps({"rule_files": [str(path) for path in rules], "evaluation_interval": step, "tests": [test]})


def _cohort_series() -> dict[str, str]:
    """Two partitions: the second has one case of everything, the first the rest."""
    series = {}
    for name, labels, value in COHORTS:
        series[_series(name, {**labels, "partition": "0"})] = f"{value - 1}x4"
        series[_series(name, {**labels, "partition": "1"})] = "1x4"
    return series


def _week_series() -> dict[str, str]:
    """Everything rises once, in the first of fourteen half days."""
    return {
        _series(f"{name}_{kind}", {**labels, "partition": "0"}): f"0 {value}x14"
        for name, labels, total, retracted in RISES
        for kind, value in (("total", total), ("retracted_total", retracted))
    }


def _check(promtool: str, at: Path, text: str, *, passes: bool = True) -> None:
    """Run promtool on a test file."""
    at.write_text(text)
    done = subprocess.run([promtool, "test", "rules", str(at)], capture_output=True, timeout=120, check=False)
    assert (done.returncode == 0) is passes, (done.stdout + done.stderr).decode()


def test_the_cohorts_are_those_of_the_formulas(promtool: str, deploy: Path, tmp_path: Path) -> None:
    """2-numbers 2.8: bounds, provisional, settled only where P = O = 0, maturity, projection; 0/0 is absent."""
    rules = [deploy / "rules" / "fcr_now.yml"]
    text = _vector("1m", rules, _cohort_series(), _expected(FIGURES, "2m"))
    _check(promtool, tmp_path / "cohorts.yml", text)
    _check(promtool, tmp_path / "wrong.yml", text.replace('"49x4"', '"48x4"'), passes=False)


def test_the_week_is_that_of_the_formulas(promtool: str, deploy: Path, tmp_path: Path) -> None:
    """R01, R12, R13, R20, R21, R22, R25: net, by channel, queue, issue; a queue that only fails stands at 0."""
    rules = [deploy / "rules" / "fcr_7d.yml"]
    text = _vector("12h", rules, _week_series(), _expected(WEEK, "7d"))
    _check(promtool, tmp_path / "week.yml", text)
    _check(promtool, tmp_path / "wrong.yml", text.replace('"0 140x14"', '"0 141x14"'), passes=False)


def test_nobody_left_at_an_age_is_no_survival(promtool: str, deploy: Path, tmp_path: Path) -> None:
    """A hazard of 1 makes the survival 0, not an error; without cases at risk there is no figure at all."""
    series = {
        'contact_fcr_at_risk_cases{rule="contact", age="0"}': "4x4",
        'contact_fcr_repeated_cases{rule="contact", age="0"}': "4x4",
        'contact_fcr_at_risk_cases{rule="quiet", age="0"}': "0x4",
        'contact_fcr_repeated_cases{rule="quiet", age="0"}': "0x4",
    }
    expected = _expected({"rule_age:contact_fcr_survival:ratio": [(_by(age="0"), 0.0)]}, "2m")
    _check(promtool, tmp_path / "all.yml", _vector("1m", [deploy / "rules" / "fcr_now.yml"], series, expected))


def test_net_figures_by_rule_and_state(promtool: str, deploy: Path, tmp_path: Path) -> None:
    """3-metrics 3.2: the net of each state, read from the net rules."""
    figures: dict[str, list[tuple[Labels, float]]] = {
        "rule_state:contact_fcr_cases:net": [
            (_by(state="credited"), 120),
            (_by(state="settled"), 70),
            (_by(state="failed"), 120),
        ]
    }
    rules = [deploy / "rules" / name for name in ("net.yml", "fcr_now.yml")]
    _check(promtool, tmp_path / "net.yml", _vector("1m", rules, _week_series(), _expected(figures, "10m")))


def test_live_figures_have_no_shorter_range(deploy: Path) -> None:
    """Over less than W old failures outweigh new credits, so no rule rates first contact resolution over less."""
    for path in (deploy / "rules").glob("*.yml"):
        for expression in re.findall(
            r"increase\(contact_(?:fcr|cases|repeat|eligible|agent_(?:fcr|contacts|repeats|resolution))\w*\[(\w+)\]\)",
            path.read_text(),
        ):
            assert expression == "7d", path.name
