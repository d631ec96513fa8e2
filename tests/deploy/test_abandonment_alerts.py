"""Alerts about abandonment: silent just before, firing just after, over when it is over; mute where they must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.deploy.stories import Figures, Story, check_alert, check_figures
from tests.deploy.telling import Ticks, fewest, wilson_lower

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.stories import Labels, Series

GOAL = 0.05
BILLING: Labels = {"channel": "voice", "queue": "billing"}
ENOUGH = fewest(100, GOAL)
"""Of a hundred: with one fewer, chance explains it."""


DAY = 24 * 60
"""In minutes."""


def ended(abandoned: int, of: int = 100) -> dict[str, int]:
    """So many abandoned of so many; the others answered."""
    return {"answered": of - abandoned, "abandoned": abandoned}


def frame(ticks: Ticks, **goals: float) -> Series:
    """Fresh calls, and the abandonment goals of the queues."""
    told = ticks.heard("calls")
    for queue, goal in goals.items():
        told |= ticks.always("contact_target_ratio", goal, queue=queue, kind="abandonment")
    return told


def test_a_spike_pages_for_its_queue(promtool: str, tmp_path: Path) -> None:
    """R47: pages two minutes after the lower bound of the net rate passed the goal, and holds five minutes more."""
    ticks = Ticks(31, 30)
    quiet = frame(ticks, billing=GOAL, sales=0.2)
    # the same in a queue with another goal
    spike = quiet | ticks.visits(20, ended(ENOUGH)) | ticks.visits(20, ended(ENOUGH), queue="sales")
    moments: dict[str, list[Labels]] = {"20m": [], "21m30s": [], "22m": [BILLING], "29m30s": [BILLING], "30m": []}
    story = Story("spike", spike, moments)
    closed = ticks.gauge("contact_queue_open", (0, 0), queue="billing", instance="a")
    opened = ticks.gauge("contact_queue_open", (0, 1), queue="billing", instance="a")
    short = {"answered": 100 - ENOUGH, "abandoned_short": ENOUGH}
    stories = [
        story,
        story.told("one fewer", ticks.visits(20, ended(ENOUGH - 1))),
        story.told("nineteen offered", ticks.visits(20, ended(19, 19))),
        story.told("twenty offered", ticks.visits(20, ended(19, 20)), moments),
        story.told("short ones do not count", ticks.visits(20, short)),
        story.told(
            "those who chose to leave do", ticks.visits(20, {**short, "abandoned_short": 0, "exited": ENOUGH}), moments
        ),
        story.told("closed", closed),
        story.told("open", opened, moments),
        story.told("old a quarter of an hour ago", ticks.heard("calls", (1, 9))),
        story.told("old a while ago", ticks.heard("calls", (1, 5.75)), moments),
        story.told("old now", ticks.heard("calls", (14, 31))),
        story.told("not told of", dict.fromkeys(ticks.heard("calls"), "_")),
        story.told("no goal", {name: "_" for name in frame(ticks, billing=GOAL) if "ratio" in name}),
    ]
    check_alert(promtool, tmp_path, "ContactAbandonmentSpike", stories, 30)


def test_a_spike_that_is_over_does_not_page(promtool: str, tmp_path: Path) -> None:
    """A quarter of an hour beyond the goal is not enough when the last five minutes are within it."""
    ticks = Ticks(45, 60)
    old_wave = frame(ticks, billing=GOAL) | ticks.visits(20, ended(50))
    answered = 'contact_visits_total{channel="voice", queue="billing", outcome="answered", partition="0"}'
    assert answered in old_wave
    # Kept silent by the gate until 27:00, when the wave is still in the quarter of an hour; meanwhile all are answered.
    well = ticks.samples((20, 50), *((minute, 50 + 10 * (minute - 21)) for minute in range(22, 46)))
    hidden = old_wave | ticks.heard("calls", (5, 12)) | {answered: well}
    moments: dict[str, list[Labels]] = {f"{minute}m": [] for minute in range(20, 45)}
    check_alert(promtool, tmp_path, "ContactAbandonmentSpike", [Story("over", hidden, moments)], 60)


def test_the_lower_bound_is_wilsons(promtool: str, tmp_path: Path) -> None:
    """The recorded lower bounds are those found by halving what Wilson's interval means, in every window."""
    ticks = Ticks(24, 60)
    for hits, of in ((0, 20), (1, 20), (ENOUGH, 100), (300, 1000), (40, 40)):
        told = ticks.visits(20, ended(hits, of))
        for outcome, number in (("entered", of), ("abandoned", hits)):
            told |= ticks.counter("contact_steps", (20, number), step="menu:main", outcome=outcome)
        bound = round(wilson_lower(hits, of), 4)
        # 1.96 stands for 1.95996...
        figures = [
            Figures(f"round({level}_lower:ratio{window}, 0.0001)", "24m", [(labels, bound)])
            for window in ("5m", "15m", "1h", "1d", "7d")
            for level, labels in (
                ("channel_queue:contact_abandonment_net", BILLING),
                ("step:contact_step_abandonment", {"step": "menu:main"}),
            )
        ]
        check_figures(promtool, tmp_path, told, figures, 60)


def test_a_slow_burn_warns(promtool: str, tmp_path: Path) -> None:
    """Half an hour after the lower bounds of hour and day passed the goal; it ends with the hour."""
    ticks, day = Ticks(DAY + 240, 300), DAY + 120
    burning = frame(ticks, billing=GOAL) | ticks.visits(day, ended(ENOUGH))
    moments: dict[str, list[Labels]] = {
        f"{day + 25}m": [],
        f"{day + 30}m": [BILLING],
        f"{day + 55}m": [BILLING],
        f"{day + 60}m": [],
    }
    story = Story("burn", burning, moments)
    answered = 'contact_visits_total{channel="voice", queue="billing", outcome="answered", partition="0"}'
    stories = [
        story,
        story.told("one fewer", ticks.visits(day, ended(ENOUGH - 1))),
        story.told("nineteen offered", ticks.visits(day, ended(19, 19))),
        story.told("a good day", {answered: ticks.samples((DAY - 30, 1000), (day, 1000 + 100 - ENOUGH))}),
        story.told("closed", ticks.gauge("contact_queue_open", (0, 0), queue="billing")),
        story.told("old", ticks.heard("calls", (day + 5, day + 60))),
        Story(
            "nobody knows the day yet",
            frame(ticks, billing=GOAL) | ticks.visits(120, ended(ENOUGH)),
            {f"{minute}m": [] for minute in range(120, 200, 5)},
        ),
    ]
    check_alert(promtool, tmp_path, "ContactAbandonmentSlowBurn", stories, 300)


WEEK = 7 * DAY
USUAL = 0.04
MANY = fewest(100, 2 * USUAL)


def test_usual_is_the_median_of_the_same_hour_of_three_weeks(promtool: str, tmp_path: Path) -> None:
    """R48: by queue its abandonment, by channel its arrivals; of two weeks while there are no three."""
    ticks = Ticks(3 * WEEK + 120, 1200)
    hours = [60 + week * WEEK for week in range(4)]
    told = ticks.counter(
        "contact_arrivals", *zip(hours, (10, 50, 70, 71), strict=True), channel="voice", direction="inbound"
    )
    told |= ticks.counter(
        "contact_arrivals", *zip(hours, (99, 198, 297, 396), strict=True), channel="voice", direction="outbound"
    )
    for outcome, counts in {"answered": (96, 194, 288), "abandoned": (4, 6, 12), "abandoned_short": (0, 0, 0)}.items():
        told |= ticks.counter("contact_visits", *zip(hours, counts, strict=False), **BILLING, outcome=outcome)
    arrivals, abandonment = "channel:contact_arrivals:usual1h", "channel_queue:contact_abandonment_net:usual1h"
    check_figures(
        promtool,
        tmp_path,
        told,
        [
            # 10, 40 and 20 arrivals, 4, 2 and 6 % abandoned
            Figures(arrivals, "21d1h20m", [({"channel": "voice"}, 20)]),
            Figures(abandonment, "21d1h20m", [(BILLING, 0.04)]),
            Figures(arrivals, "14d1h20m", [({"channel": "voice"}, 25)]),
            Figures(abandonment, "14d1h20m", [(BILLING, 0.03)]),
            Figures(arrivals, "1h20m", []),
        ],
        1200,
    )


def test_more_than_usual_at_this_hour_warns(promtool: str, tmp_path: Path) -> None:
    """R48: the lower bound of the hour is above twice what is usual at this hour."""
    ticks = Ticks(180, 300)
    usual = ticks.gauge("channel_queue:contact_abandonment_net:usual1h", (0, USUAL), **BILLING)
    moments: dict[str, list[Labels]] = {"60m": [], "65m": [], "70m": [BILLING], "115m": [BILLING], "120m": []}
    story = Story("unusual", frame(ticks) | usual | ticks.visits(60, ended(MANY)), moments)
    none_usual = {name: ticks.samples() for name in usual}
    stories = [
        story,
        story.told("one fewer", ticks.visits(60, ended(MANY - 1))),
        story.told("nineteen offered", ticks.visits(60, ended(19, 19))),
        story.told("four gave up where nobody does", none_usual | ticks.visits(60, ended(4))),
        story.told("five gave up where nobody does", none_usual | ticks.visits(60, ended(5)), moments),
        story.told("no past", dict.fromkeys(usual, "_")),
        story.told("closed", ticks.gauge("contact_queue_open", (0, 0), queue="billing")),
        story.told("old", ticks.heard("calls", (50, 180))),
    ]
    check_alert(promtool, tmp_path, "ContactAbandonmentUnusual", stories, 300)
