"""Alerts about the way to the queues: a step that loses callers, a line on which nobody arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.deploy.stories import Story, check_alert
from tests.deploy.telling import Ticks, fewest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.stories import Labels, Series

MENU: Labels = {"step": "menu:main"}
DAY = (1000, 30)
"""Entered and abandoned of each step in the day before: 3 %."""
MANY = fewest(100, 2 * 0.03)


def steps(ticks: Ticks, step: str, day: tuple[int, int], spike: tuple[int, int]) -> Series:
    """A step's day, and what happens in it an hour later."""
    return {
        name: samples
        for outcome, before, now in zip(("entered", "abandoned"), day, spike, strict=True)
        for name, samples in ticks.counter(
            "contact_steps", (5, before), (60, before + now), step=step, outcome=outcome
        ).items()
    }


def closed(ticks: Ticks, **opened: int) -> Series:
    """Two listed queues and what the calendars say of some."""
    told: Series = {}
    for queue in ("billing", "sales"):
        told |= ticks.always("contact_queue_info", 1, queue=queue, group="", site="", owner="")
    for queue, value in opened.items():
        told |= ticks.always("contact_queue_open", value, queue=queue)
    return told


def test_a_step_that_loses_callers_is_named(promtool: str, tmp_path: Path) -> None:
    """R50: a menu on which callers hang up pages, it alone: not its neighbour, nor a step that always loses many."""
    ticks = Ticks(75, 60)
    told = ticks.heard("calls") | steps(ticks, "menu:main", DAY, (100, MANY))
    told |= steps(ticks, "welcome", DAY, (100, 3)) | steps(ticks, "hold_message", (1000, 300), (100, 30))
    moments: dict[str, list[Labels]] = {"60m": [], "61m": [], "62m": [MENU], "69m": [MENU], "70m": []}
    story = Story("menu spike", told, moments)
    stories = [
        story,
        story.told("one fewer", steps(ticks, "menu:main", DAY, (100, MANY - 1))),
        story.told("nineteen entered", steps(ticks, "menu:main", DAY, (19, 19))),
        story.told("four hung up", steps(ticks, "menu:main", (1000, 0), (100, 4))),
        story.told("five hung up", steps(ticks, "menu:main", (1000, 0), (100, 5)), moments),
        story.told("hardly a day", steps(ticks, "menu:main", (199, 6), (100, MANY))),
        story.told("all closed", closed(ticks, billing=0, sales=0)),
        story.told("one closed", closed(ticks, billing=0), moments),
        story.told("one open", closed(ticks, billing=0, sales=1), moments),
        story.told("old", ticks.heard("calls", (50, 75))),
    ]
    check_alert(promtool, tmp_path, "ContactStepAbandonmentSpike", stories, 60)


def test_a_line_on_which_nobody_arrives_pages(promtool: str, tmp_path: Path) -> None:
    """R37: less than a fifth of what is usual at this hour, where that is ten or more, five minutes long."""
    ticks = Ticks(240, 60)
    voice: Labels = {"channel": "voice"}

    def arriving(*jumps: tuple[float, float]) -> Series:
        return ticks.counter("contact_arrivals", *jumps, channel="voice", direction="inbound")

    def usual(arrivals: float) -> Series:
        return ticks.gauge("channel:contact_arrivals:usual1h", (0, arrivals), channel="voice")

    # one a minute until 100, two more at 130; then as ever from 180 on
    steady = tuple((minute, minute) for minute in range(100))
    told = ticks.heard("calls") | usual(60) | arriving(*steady, (180, 112), *((m, m - 68) for m in range(181, 240)))
    # the hour holds twelve arrivals until 147, then eleven; from 180 on thirteen
    moments: dict[str, list[Labels]] = {"147m": [], "152m": [], "153m": [voice], "179m": [voice], "180m": []}
    story = Story("dead line", told, moments)
    silent = [(0.0, 0.0)]
    stories = [
        story,
        story.told("a quiet hour", usual(9) | arriving(*silent)),
        story.told("just enough to tell", usual(10) | arriving(*silent), {"5m": [], "6m": [voice]}),
        story.told("no past", dict.fromkeys(usual(60), "_")),
        story.told("closed", closed(ticks, billing=0, sales=0)),
        story.told("nothing comes in at all", ticks.heard("calls", (100, 240))),
        story.told("chats come in", ticks.heard("calls", (100, 240)) | ticks.heard("chats"), moments),
    ]
    check_alert(promtool, tmp_path, "ContactLineDown", stories, 60)
