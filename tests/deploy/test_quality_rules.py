"""Recorded figures beside the waits, by hand: steps, misroutes, excess, callbacks, scores, opening, agents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.deploy.stories import Figures, Labels, check_figures
from tests.deploy.telling import Ticks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.stories import Series

QUALITY = {"1h": 240, "1d": 5_760, "7d": 40_320}
"""Window of each file -> a fifteenth of it, s."""
AGENTS = {"1d": 5_760, "7d": 40_320}
Rise = tuple[str, Labels, float, float]
"""A counter's name, its labels, what was counted and what of it was taken back."""

VOICE: Labels = {"channel": "voice"}
BILLING: Labels = {"channel": "voice", "queue": "billing"}
SALES: Labels = {"channel": "voice", "queue": "sales"}
MENU: Labels = {"step": "menu:main"}
RISES: tuple[Rise, ...] = (
    ("contact_contacts", {**VOICE, "outcome": "handled"}, 210, 10),
    ("contact_contacts", {**VOICE, "outcome": "abandoned"}, 50, 0),
    ("contact_misroutes", BILLING, 12, 2),
    ("contact_misroutes", SALES, 0, 0),
    ("contact_visits_entered", BILLING, 100, 0),
    ("contact_visits_entered", SALES, 50, 0),
    ("contact_steps", {**MENU, "outcome": "entered"}, 100, 0),
    ("contact_steps", {**MENU, "outcome": "continued"}, 70, 0),
    ("contact_steps", {**MENU, "outcome": "abandoned"}, 12, 2),
    ("contact_step_seconds", MENU, 1_000, 200),
    ("contact_step_repeats", MENU, 6, 1),
    ("contact_response_excess_seconds", {**VOICE, "issue": "refund"}, 330, 30),
    ("contact_response_excess_seconds", {**VOICE, "issue": "login"}, 100, 0),
    ("contact_escalated_contacts", BILLING, 11, 1),
    ("contact_escalated_wait_seconds", BILLING, 320, 20),
    ("contact_escalated_handle_seconds", BILLING, 4_100, 100),
    ("contact_callbacks", {"queue": "billing", "outcome": "requested"}, 20, 0),
    ("contact_callbacks", {"queue": "billing", "outcome": "reached"}, 9, 0),
    ("contact_callbacks", {"queue": "billing", "outcome": "expired"}, 4, 1),
    ("contact_callbacks", {"queue": "sales", "outcome": "reached"}, 0, 0),
    ("contact_callbacks", {"queue": "sales", "outcome": "expired"}, 0, 0),
    *(
        ("contact_csat", {**VOICE, "score": score, "handle_band": band}, number, taken)
        for score, band, number, taken in (
            ("1", "0-2m", 3, 1),
            ("3", "0-2m", 2, 0),
            ("5", "0-2m", 4, 0),
            ("4", "2-5m", 2, 0),
            ("5", "10m+", 0, 0),
        )
    ),
    ("contact_arrivals", {**VOICE, "direction": "inbound"}, 400, 0),
    ("contact_arrivals", {**VOICE, "direction": "outbound"}, 70, 0),
    ("contact_arrivals_outside_opening", VOICE, 31, 1),
)
PLAIN: tuple[tuple[str, Labels, float], ...] = (
    ("contact_first_response_seconds_count", BILLING, 60),
    ("contact_first_response_seconds_count", SALES, 20),
    ("contact_wait_seconds_sum", {**BILLING, "outcome": "answered"}, 600),
    ("contact_wait_seconds_count", {**BILLING, "outcome": "answered"}, 40),
    ("contact_wait_seconds_sum", {"channel": "email", "queue": "billing", "outcome": "answered"}, 7_200_000),
    ("contact_wait_seconds_count", {"channel": "email", "queue": "billing", "outcome": "answered"}, 100),
    ("contact_callback_wait_seconds_sum", {"queue": "billing"}, 9_000),
    ("contact_callback_wait_seconds_count", {"queue": "billing"}, 10),
)
"""Series of histograms; they have no twin."""
QUALITY_FIGURES: dict[str, list[tuple[Labels, float]]] = {
    "channel:contact_misroutes:ratio": [(VOICE, 10 / 200)],
    "channel_queue:contact_misroutes:ratio": [(BILLING, 10 / 100), (SALES, 0 / 50)],
    # over are 70 and 10; 20 are still in the menu
    "step:contact_step_seconds:mean": [(MENU, 800 / 80)],
    "step:contact_step_repeats:ratio": [(MENU, 5 / 100)],
    # 80 first responses on voice: of 5 s excess each, refunds bring 3.75 s
    "channel_issue:contact_response_excess_seconds:mean": [
        ({**VOICE, "issue": "refund"}, 300 / 80),
        ({**VOICE, "issue": "login"}, 100 / 80),
    ],
    "channel_issue:contact_response_excess_seconds:ratio": [
        ({**VOICE, "issue": "refund"}, 300 / 400),
        ({**VOICE, "issue": "login"}, 100 / 400),
    ],
    "channel_queue:contact_escalated_wait_seconds:mean": [(BILLING, 300 / 10)],
    "channel_queue:contact_escalated_handle_seconds:mean": [(BILLING, 4_000 / 10)],
    "queue:contact_callbacks_reached:ratio": [({"queue": "billing"}, 9 / 12)],
    "queue:contact_callback_wait_seconds:mean": [({"queue": "billing"}, 900)],
    "queue:contact_voice_answer_seconds:mean": [({"queue": "billing"}, 600 / 40)],
    "queue:contact_voice_answer_with_callbacks_seconds:mean": [({"queue": "billing"}, 9_600 / 50)],
    "channel_handle_band:contact_csat:mean": [
        ({**VOICE, "handle_band": "0-2m"}, (2 * 1 + 2 * 3 + 4 * 5) / 8),
        ({**VOICE, "handle_band": "2-5m"}, 4),
    ],
    "channel:contact_csat:mean": [(VOICE, (2 * 1 + 2 * 3 + 4 * 5 + 2 * 4) / 10)],
    "channel:contact_arrivals_outside_opening:ratio": [(VOICE, 30 / 400)],
}

ANNA, OTHER = ({"agent": agent, "channel": "voice"} for agent in ("anna", "other"))
WORK: tuple[tuple[str, Labels, tuple[float, float], float], ...] = (
    # name, labels, what was counted in the period before and in this one, what of the latter was taken back
    ("contact_team_status_seconds", {"team": "first-line", "status": "available"}, (0, 500), 100),
    ("contact_team_status_seconds", {"team": "first-line", "status": "busy"}, (0, 500), 0),
    ("contact_team_status_seconds", {"team": "first-line", "status": "wrapup"}, (0, 100), 0),
    ("contact_team_status_seconds", {"team": "first-line", "status": "break"}, (0, 900), 0),
    ("contact_agent_status_seconds", {"agent": "anna", "status": "available"}, (0, 30), 0),
    ("contact_agent_status_seconds", {"agent": "anna", "status": "busy"}, (0, 90), 0),
    ("contact_agent_handled", ANNA, (20, 11), 1),
    ("contact_agent_handle_seconds", ANNA, (6_000, 2_600), 100),
    ("contact_agent_handled", {**ANNA, "channel": "chat"}, (0, 10), 0),
    ("contact_agent_handle_seconds", {**ANNA, "channel": "chat"}, (0, 500), 0),
    ("contact_agent_handled", OTHER, (0, 4), 0),
    ("contact_agent_handle_seconds", OTHER, (0, 400), 0),
    ("contact_agent_first_responses", ANNA, (10, 10), 0),
    ("contact_agent_first_response_seconds", ANNA, (100, 130), 10),
)
AGENT_FIGURES: dict[str, list[tuple[Labels, float]]] = {
    "team:contact_occupancy:ratio": [({"team": "first-line"}, 600 / 1_000)],
    "agent:contact_agent_occupancy:ratio": [({"agent": "anna"}, 90 / 120)],
    "agent_channel:contact_agent_handled:net_increase": [(ANNA, 10), ({**ANNA, "channel": "chat"}, 10), (OTHER, 4)],
    "agent_channel:contact_agent_handle_seconds:mean": [(ANNA, 250), ({**ANNA, "channel": "chat"}, 50), (OTHER, 100)],
    # 300 s before; a period without work has no change
    "agent_channel:contact_agent_handle_seconds:change": [(ANNA, -50)],
    "agent:contact_agent_handle_seconds:mean": [({"agent": "anna"}, 3_000 / 20), ({"agent": "other"}, 100)],
    "agent:contact_agent_handle_seconds:change": [({"agent": "anna"}, 150 - 300)],
    "team_channel:contact_agent_handle_seconds:mean": [
        ({"team": "first-line", "channel": "voice"}, 250),
        ({"team": "first-line", "channel": "chat"}, 50),
    ],
    "agent_channel:contact_agent_first_response_seconds:mean": [(ANNA, 12)],
    "agent_channel:contact_agent_first_response_seconds:change": [(ANNA, 2)],
}
CASES: tuple[tuple[str, Labels, tuple[float, float], float], ...] = (
    ("contact_agent_fcr_eligible", ANNA, (10, 22), 2),
    ("contact_agent_fcr_credited", ANNA, (8, 14), 2),
    ("contact_agent_fcr_eligible", OTHER, (0, 0), 0),
    ("contact_agent_fcr_credited", OTHER, (0, 0), 0),
    ("contact_agent_contacts", ANNA, (20, 40), 0),
    ("contact_agent_repeats", ANNA, (2, 11), 1),
    ("contact_agent_resolutions", ANNA, (10, 10), 0),
    ("contact_agent_resolution_seconds", ANNA, (36_000, 19_000), 1_000),
)
ONLY_ANNA: Labels = {"agent": "anna"}
CASE_FIGURES: dict[str, list[tuple[Labels, float]]] = {
    "agent:contact_agent_fcr:ratio7d": [(ONLY_ANNA, 12 / 20)],
    "agent:contact_agent_fcr:change7d": [(ONLY_ANNA, 0.6 - 0.8)],
    "agent:contact_agent_fcr_eligible:net_increase7d": [(ONLY_ANNA, 20), ({"agent": "other"}, 0)],
    "agent:contact_agent_repeats:ratio7d": [(ONLY_ANNA, 10 / 40)],
    "agent:contact_agent_repeats:change7d": [(ONLY_ANNA, 0.25 - 0.1)],
    "agent:contact_agent_contacts:net_increase7d": [(ONLY_ANNA, 40)],
    "agent:contact_agent_resolution_seconds:mean7d": [(ONLY_ANNA, 1_800)],
    "agent:contact_agent_resolution_seconds:change7d": [(ONLY_ANNA, 1_800 - 3_600)],
}


def rising(ticks: Ticks, rises: tuple[Rise, ...], minute: float) -> Series:
    """Everything rises once, in one minute."""
    told: Series = {}
    for name, labels, total, retracted in rises:
        told |= ticks.counter(name, (minute, total), **labels)
        told |= {
            f"{series_name}": ticks.samples((minute, retracted))
            for series_name in ticks.counter(name, **labels)
            if "_retracted_total" in series_name
        }
    return told


def in_two_periods(
    ticks: Ticks, work: tuple[tuple[str, Labels, tuple[float, float], float], ...], minutes: float
) -> Series:
    """Everything rises once in each of two periods of so many minutes, and in the second something is taken back."""
    told: Series = {}
    for name, labels, (before, now), retracted in work:
        half = minutes / 2
        told |= ticks.counter(name, (half, before), (minutes + half, before + now), **labels)
        [twin] = [one for one in ticks.counter(name, **labels) if "_retracted_total" in one]
        told[twin] = ticks.samples((minutes + half, retracted))
    return told


def expected(figures: dict[str, list[tuple[Labels, float]]], window: str, at: str) -> list[Figures]:
    """The figures of one window: each whole, so a series that is not listed must not be there."""
    return [Figures(f"{record}{window}", at, samples) for record, samples in figures.items()]


@pytest.mark.parametrize("window", QUALITY)
def test_quality_is_that_of_the_formulas(window: str, promtool: str, tmp_path: Path) -> None:
    """R17, R34, R36, R38, R43, R52: net, and no value where there is nothing to divide by."""
    step = QUALITY[window]
    ticks = Ticks(step / 4, step)
    told = rising(ticks, RISES, step / 60)
    for name, labels, value in PLAIN:
        told |= ticks.gauge(name, (0, 0), (step / 60, value), **labels, partition="0")
    check_figures(promtool, tmp_path, told, expected(QUALITY_FIGURES, window, window), step)


def test_quality_can_fail(promtool: str, tmp_path: Path) -> None:
    """One score more and promtool objects: the test above is no formality."""
    step = QUALITY["1h"]
    ticks = Ticks(step / 4, step)
    told = rising(ticks, RISES, step / 60) | rising(
        ticks, (("contact_csat", {**VOICE, "score": "5", "handle_band": "0-2m"}, 5, 0),), step / 60
    )
    figures = expected({name: QUALITY_FIGURES[name] for name in ("channel:contact_csat:mean",)}, "1h", "1h")
    with pytest.raises(AssertionError, match="got"):
        check_figures(promtool, tmp_path, told, figures, step)


@pytest.mark.parametrize("window", AGENTS)
def test_agents_and_teams_are_those_of_the_formulas(window: str, promtool: str, tmp_path: Path) -> None:
    """R23, R27, R35, R44: occupancy of a team, means of an agent and what changed against the period before."""
    step = AGENTS[window]
    period = 15 * step / 60
    ticks = Ticks(2 * period, step)
    told = in_two_periods(ticks, WORK, period)
    told |= ticks.always("contact_agent_info", 1, agent="anna", team="first-line")
    twice = {"1d": "2d", "7d": "14d"}[window]
    check_figures(promtool, tmp_path, told, expected(AGENT_FIGURES, window, twice), step)


def test_agents_cases_are_those_of_the_formulas(promtool: str, tmp_path: Path) -> None:
    """R26, R35, R46: resolution at the first contact, repeats and resolution times by agent, each with its sample."""
    step = AGENTS["7d"]
    ticks = Ticks(30 * step / 60, step)
    told = in_two_periods(ticks, CASES, 15 * step / 60)
    check_figures(promtool, tmp_path, told, expected(CASE_FIGURES, "", "14d"), step)


def test_the_mix_is_that_of_the_centre(promtool: str, tmp_path: Path) -> None:
    """R25: two queues with the same issues solved equally well differ as they are, and not with the centre's mix."""
    step = AGENTS["7d"]
    ticks = Ticks(15 * step / 60, step)
    decided = {
        # queue, issue: credited, failed. Refunds are easy (80 %), logins hard (40 %), wherever they come.
        ("billing", "refund"): (80, 20),
        ("billing", "login"): (8, 12),
        ("sales", "refund"): (8, 2),
        ("sales", "login"): (40, 60),
        ("care", "login"): (4, 6),
    }
    rises = tuple(
        (
            "contact_fcr_cases",
            {"rule": "contact", "channel": "voice", "queue": queue, "issue": issue, "state": state},
            n,
            0.0,
        )
        for (queue, issue), counts in decided.items()
        for state, n in zip(("credited", "failed"), counts, strict=True)
    )

    def by(**queues: float) -> list[tuple[Labels, float]]:
        return [({"rule": "contact", "queue": queue}, value) for queue, value in queues.items()]

    # the centre has 110 refunds and 130 logins
    even = (110 * 0.8 + 130 * 0.4) / 240
    figures = {
        "rule_queue:contact_fcr_live:ratio7d": by(billing=88 / 120, sales=48 / 110, care=0.4),
        "rule_queue:contact_fcr_mix_adjusted:ratio7d": by(billing=even, sales=even, care=0.4),
        "rule_queue:contact_fcr_mix_covered:ratio7d": by(billing=1, sales=1, care=130 / 240),
    }
    check_figures(promtool, tmp_path, rising(ticks, rises, step / 60), expected(figures, "", "7d"), step)


@pytest.mark.parametrize("family", ["contact_resolution_seconds", "contact_full_resolution_seconds"])
def test_resolution_times_by_issue(family: str, promtool: str, tmp_path: Path) -> None:
    """R45, R46: mean, median and ninth decile of the time to the first resolution of a case, and to the last."""
    step = AGENTS["7d"]
    ticks = Ticks(15 * step / 60, step)
    place = {"channel": "voice", "issue": "refund"}
    told: Series = {}
    for name, extra, value in (
        ("sum", {}, 36_000),
        ("count", {}, 10),
        *(
            ("bucket", {"le": bound}, count)
            for bound, count in (("3600.0", 5), ("7200.0", 9), ("10800.0", 10), ("+Inf", 10))
        ),
    ):
        told |= ticks.gauge(f"{family}_{name}", (0, 0), (step / 60, value), **place, **extra, partition="0")
    figures = {
        f"channel_issue:{family}:mean7d": [(place, 3_600.0)],
        f"channel_issue:{family}:median7d": [(place, 3_600.0)],
        f"channel_issue:{family}:ninetieth7d": [(place, 7_200.0)],
    }
    check_figures(promtool, tmp_path, told, expected(figures, "", "7d"), step)


@pytest.mark.parametrize(("kind", "windows"), [("quality", QUALITY), ("agents", AGENTS)])
def test_files_of_a_kind_differ_in_their_window_only(kind: str, windows: dict[str, int], deploy: Path) -> None:
    """What is tested of one window holds for all."""
    texts = set()
    for window in windows:
        text = re.sub(r"interval: \w+", "interval: -", (deploy / "rules" / f"{kind}_{window}.yml").read_text())
        texts.add(re.sub(rf"(?<=[a-z\[\- ]){window}(?![0-9a-z])", "WINDOW", text))
    assert len(texts) == 1
