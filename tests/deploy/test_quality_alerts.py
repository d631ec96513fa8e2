"""Less talk that solves less warns; first contact resolution alone never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.deploy.stories import Figures, Story, alerts, check_alert, check_figures, shipped_rules
from tests.deploy.telling import Ticks, wilson_upper

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.stories import Labels, Series

BILLING: Labels = {"channel": "voice", "queue": "billing"}
DAY = 24 * 60
HALF_A_DAY = 12 * 60
FELL = "ContactHandleTimeAndFcrFell"


class Week:
    """What a queue did in a week.

    Attributes:
        handled: contacts with handle time.
        seconds: of handle time each.
        credited: cases resolved at the first contact.
        failed: cases that were not.
    """

    def __init__(self, handled: int, seconds: float, credited: int, failed: int) -> None:
        self.handled = handled
        self.seconds = seconds
        self.credited = credited
        self.failed = failed


def two_weeks(ticks: Ticks, before: Week, now: Week) -> Series:
    """Everything of a week is booked at its first noon."""

    def booked(name: str, first: float, second: float, **labels: str) -> Series:
        return ticks.counter(name, (HALF_A_DAY, first), (7 * DAY + HALF_A_DAY, first + second), **BILLING, **labels)

    talk = booked("contact_talk_seconds", before.handled * before.seconds, now.handled * now.seconds)
    told = talk | booked("contact_hold_seconds", 0, 0) | booked("contact_wrapup_seconds", 0, 0)
    told |= booked("contact_handled", before.handled, now.handled)
    for state, first, second in (
        ("credited", before.credited, now.credited),
        ("failed", before.failed, now.failed),
    ):
        told |= booked("contact_fcr_cases", first, second, rule="contact", issue="refund", state=state)
    return told


def test_shorter_talks_that_solve_less_warn(promtool: str, tmp_path: Path) -> None:
    """R23: both beyond their margins warn after an hour; neither alone does, nor what chance explains."""
    ticks = Ticks(15 * DAY, 3600)
    before = Week(1000, 300, 700, 300)
    noon: dict[str, list[Labels]] = {"180h": [], "181h": [BILLING], "347h": [BILLING], "348h": []}
    story = Story("both fell", two_weeks(ticks, before, Week(1000, 280, 620, 380)), noon)
    many, few = Week(100_000, 300, 70_000, 30_000), Week(20, 300, 14, 6)
    assert wilson_upper(620, 1000) < 0.7 < wilson_upper(12, 20)
    stories = [
        story,
        story.told("only handle time fell", two_weeks(ticks, before, Week(1000, 280, 700, 300))),
        story.told("handle time rose", two_weeks(ticks, before, Week(1000, 320, 620, 380))),
        story.told("handle time within its margin", two_weeks(ticks, before, Week(1000, 285, 620, 380))),
        story.told("handle time beyond it", two_weeks(ticks, before, Week(1000, 284, 620, 380)), noon),
        story.told("resolution within its margin", two_weeks(ticks, many, Week(100_000, 280, 68_000, 32_000))),
        story.told("resolution beyond it", two_weeks(ticks, many, Week(100_000, 280, 67_900, 32_100)), noon),
        story.told("chance explains it", two_weeks(ticks, few, Week(20, 280, 12, 8))),
        story.told("no week before", two_weeks(ticks, Week(0, 0, 0, 0), Week(1000, 280, 620, 380))),
    ]
    check_alert(promtool, tmp_path, FELL, stories, 3600)


def test_both_figures_are_recorded_by_queue_and_agent(promtool: str, tmp_path: Path) -> None:
    """R23, R35: the pair as 1 or 0, what changed against the week before, the upper bounds; for agents too."""
    ticks = Ticks(15 * DAY, 3600)
    told = two_weeks(ticks, Week(1000, 300, 700, 300), Week(1000, 280, 620, 380))
    for agent, second in (("anna", 124), ("bert", 140)):
        own = {"agent": agent, "channel": "voice"}
        for name, first, then in (
            ("handled", 200, 200),
            ("handle_seconds", 60_000, 56_000),
            ("fcr_eligible", 200, 200),
            ("fcr_credited", 140, second),
        ):
            told |= ticks.counter(
                f"contact_agent_{name}", (HALF_A_DAY, first), (7 * DAY + HALF_A_DAY, first + then), **own
            )
    at, rule = "14d", {"rule": "contact"}
    check_figures(
        promtool,
        tmp_path,
        told,
        [
            Figures("channel_queue:contact_handle_time_and_fcr_fell:bool7d", at, [(BILLING, 1)]),
            Figures("channel_queue:contact_handle_seconds:change7d", at, [(BILLING, -20)]),
            Figures("rule_channel_queue:contact_fcr_live:change7d", at, [({**rule, **BILLING}, -0.08)]),
            Figures(
                "agent:contact_handle_time_and_fcr_fell:bool7d", at, [({"agent": "anna"}, 1), ({"agent": "bert"}, 0)]
            ),
            Figures(
                "agent:contact_agent_handle_seconds:change7d", at, [({"agent": "anna"}, -20), ({"agent": "bert"}, -20)]
            ),
            Figures("agent:contact_agent_fcr:change7d", at, [({"agent": "anna"}, -0.08), ({"agent": "bert"}, 0)]),
            Figures(
                "round(rule_channel_queue:contact_fcr_live_upper:ratio7d, 0.0001)",
                at,
                [({**rule, **BILLING}, round(wilson_upper(620, 1000), 4))],
            ),
            Figures(
                "round(agent:contact_agent_fcr_upper:ratio7d, 0.0001)",
                at,
                [
                    ({"agent": agent}, round(wilson_upper(hits, 200), 4))
                    for agent, hits in (("anna", 124), ("bert", 140))
                ],
            ),
            Figures("channel_queue:contact_handle_time_and_fcr_fell:bool7d", "6d", []),
        ],
        3600,
    )


def test_no_alert_looks_at_first_contact_resolution_alone(promtool: str, tmp_path: Path) -> None:
    """R08: one alert reads such a figure, and handle time with it; nobody is alarmed while nothing is ever solved."""
    reading = {name for name in alerts() if any("_fcr" in read for read in read_by(name))}
    assert reading == {FELL}
    assert "contact_handled_total" in read_by(FELL)
    ticks = Ticks(15 * DAY, 3600)
    nothing_solved = two_weeks(ticks, Week(1000, 300, 0, 1000), Week(1000, 280, 0, 1000))
    silent: dict[str, list[Labels]] = {f"{hour}h": [] for hour in (13, 100, 181, 300)}
    for name in alerts():
        if name != "ContactStreamAbsent":
            check_alert(promtool, tmp_path, name, [Story("nothing solved", nothing_solved, silent)], 3600)


def read_by(alert: str) -> set[str]:
    """Every name that an alert reads, directly or in what is recorded for it."""
    recorded = {rule.name: rule.names for rule in shipped_rules()}
    found: set[str] = set()
    names = {alert}
    while names:
        name = names.pop()
        found.add(name)
        names |= recorded.get(name, set()) - found
    return found
