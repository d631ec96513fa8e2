"""Alerts about those who wait: for an agent, for a reply, for a callback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.deploy.stories import Story, check_alert
from tests.deploy.telling import Ticks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.stories import Labels

BILLING: Labels = {"channel": "voice", "queue": "billing"}
SALES: Labels = {"channel": "voice", "queue": "sales"}
OLDEST = "contact_queue_oldest_entered_timestamp_seconds"


def closed(ticks: Ticks, value: int = 0, queue: str = "billing") -> dict[str, str]:
    """What the calendar of a queue says, on two workers."""
    return ticks.always("contact_queue_open", value, queue=queue)


def test_an_old_wait_pages_without_minimum_volume(promtool: str, tmp_path: Path) -> None:
    """One caller pages after ten minutes or five times the queue's target, whichever is more."""
    ticks = Ticks(40)
    told = ticks.heard("calls")
    for labels, target in ((BILLING, 20), (SALES, 180)):
        told |= ticks.always("contact_target_seconds", target, **labels, kind="service_level")
        # another waits for less long in another shard
        told |= ticks.gauge(OLDEST, (20, 1200), (38, None), **labels, partition="0")
        told |= ticks.gauge(OLDEST, (21, 1260), (38, None), **labels, partition="1")
    moments: dict[str, list[Labels]] = {
        "30m": [],
        "30m30s": [],
        "30m45s": [BILLING],
        "35m30s": [BILLING],
        "35m45s": [BILLING, SALES],
        "37m45s": [BILLING, SALES],
        "38m": [],
    }
    story = Story("old wait", told, moments)
    only_sales = {moment: [SALES] if SALES in firing else [] for moment, firing in moments.items()}
    stories = [
        story,
        story.told("old", ticks.heard("calls", (5, 40))),
        story.told("old until a moment ago", ticks.heard("calls", (10, 29))),
        story.told("closed", closed(ticks), only_sales),
        story.told("open", closed(ticks, 1), moments),
        story.told("not listed", {name: "_" for name in told if "target" in name}),
    ]
    check_alert(promtool, tmp_path, "ContactOldestWaitTooLong", stories)


def test_a_queue_that_nobody_serves_pages(promtool: str, tmp_path: Path) -> None:
    """Somebody waits for two minutes and of the queue's agents nobody is available, busy or in wrap-up."""
    ticks = Ticks(30)
    agents = "contact_queue_agents"
    told = ticks.heard("calls") | ticks.gauge("contact_queue_waiting", (0, 0), (20, 1), **BILLING, partition="0")
    for status in ("available", "busy", "wrapup"):
        told |= ticks.gauge(agents, (0, 1), (20, 0), (25, 1), queue="billing", status=status, partition="1")
    told |= ticks.gauge(agents, (0, 0), (20, 3), (25, 0), queue="billing", status="break", partition="1")
    here: list[Labels] = [{"queue": "billing"}]
    moments: dict[str, list[Labels]] = {"21m45s": [], "22m": here, "24m45s": here, "25m": []}
    story = Story("unattended", told, moments)
    busy = ticks.gauge(agents, (0, 1), queue="billing", status="busy", partition="1")
    nobody = {name: ticks.samples() for name in told if agents in name}
    stories = [
        story,
        story.told("all are busy", busy),
        story.told("nobody tells what agents do", nobody),
        story.told(
            "gone without a word about the queue",
            ticks.gauge(agents, (0, 0), queue="billing", status="break", partition="1"),
            moments,
        ),
        story.told("nobody waits", ticks.gauge("contact_queue_waiting", (0, 0), **BILLING, partition="0")),
        story.told("closed", closed(ticks)),
        story.told("old", ticks.heard("calls", (10, 30))),
    ]
    check_alert(promtool, tmp_path, "ContactQueueUnattended", stories)


def test_unanswered_messages_beyond_the_target_warn(promtool: str, tmp_path: Path) -> None:
    """R41: more of them than the service level goal allows for, a quarter of an hour long."""
    ticks = Ticks(45, 60)
    chat: Labels = {"channel": "chat", "queue": "billing"}
    told = ticks.heard("chats") | ticks.always("contact_target_ratio", 0.8, queue="billing", kind="service_level")
    told |= ticks.gauge("contact_unanswered", (0, 10), **chat, partition="0")
    told |= ticks.gauge("contact_unanswered_beyond_target", (0, 2), (20, 3), (40, 2), **chat, partition="0")
    moments: dict[str, list[Labels]] = {"34m": [], "35m": [chat], "39m": [chat], "40m": []}
    story = Story("breached", told, moments)
    single = ticks.gauge("contact_unanswered", (0, 1), **chat, partition="0")
    single |= ticks.gauge("contact_unanswered_beyond_target", (0, 0), (20, 1), (40, 0), **chat, partition="0")
    stories = [
        story,
        story.told("one alone", single, moments),
        story.told(
            "as many as the goal allows for", {name: ticks.samples(start=2) for name in told if "beyond" in name}
        ),
        story.told("nobody waits", {name: ticks.samples() for name in told if "unanswered" in name}),
        story.told("closed", closed(ticks)),
        story.told("old", ticks.heard("chats", (25, 45))),
    ]
    check_alert(promtool, tmp_path, "ContactResponseBreached", stories, 60)


def test_callbacks_that_are_not_made_warn(promtool: str, tmp_path: Path) -> None:
    """R17: ten minutes after the oldest request is two hours old, or five times what a callback took in the week."""
    ticks = Ticks(200, 60)
    here: list[Labels] = [{"queue": "billing"}]
    told = ticks.heard("calls")
    told |= ticks.gauge(
        "contact_callbacks_oldest_timestamp_seconds", (20, 1200), (170, None), queue="billing", partition="0"
    )
    moments: dict[str, list[Labels]] = {"140m": [], "150m": [], "151m": here, "169m": here, "170m": []}
    story = Story("forgotten", told, moments)

    def usually(seconds: int) -> dict[str, str]:
        wait = "contact_callback_wait_seconds"
        return ticks.gauge(f"{wait}_sum", (0, 0), (10, 10 * seconds), queue="billing", partition="0") | ticks.gauge(
            f"{wait}_count", (0, 0), (10, 10), queue="billing", partition="0"
        )

    stories = [
        story,
        story.told("usually quick", usually(300), moments),
        story.told("usually a little slower", usually(1440), moments),
        story.told("usually slow", usually(1900)),
        story.told("closed", closed(ticks)),
        story.told("old", ticks.heard("calls", (130, 200))),
    ]
    check_alert(promtool, tmp_path, "ContactCallbacksWaitTooLong", stories, 60)
