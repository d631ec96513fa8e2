"""Alerts about the program itself and what feeds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.deploy.stories import Figures, Story, check_alert, check_figures, series
from tests.deploy.telling import Ticks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.stories import Labels

SHARD: Labels = {"stage": "1", "shard": "3"}
CALLS: Labels = {"topic": "calls"}
THERE: list[Labels] = [{}]


def test_no_worker_at_all_pages(promtool: str, tmp_path: Path) -> None:
    """Two minutes after the last worker was seen; one of two is enough."""
    ticks = Ticks(20)

    def seen(worker: str, *jumps: tuple[float, float | None]) -> dict[str, str]:
        return ticks.gauge("contact_stream_build_info", *jumps, version="1", instance=worker)

    away = (5.0, None), (10.0, 1.0)
    moments: dict[str, list[Labels]] = {"6m45s": [], "7m": THERE, "9m45s": THERE, "10m": []}
    story = Story("absent", seen("a", (0, 1), *away) | seen("b", (0, 1), (4, None), (11, 1)), moments)
    check_alert(promtool, tmp_path, "ContactStreamAbsent", [story, story.told("one is there", seen("b", (0, 1)))])


def test_a_shard_that_stands_still_pages(promtool: str, tmp_path: Path) -> None:
    """Its watermark has not moved for five minutes, and a minute longer; moving to another worker is no standstill."""

    def marks(worker: str, *until: float, since: float = 0) -> dict[str, str]:
        stands = until[0] if until else 99
        goes_on = until[1] if len(until) > 1 else 99
        values = [
            str(60 * round(stands) if stands <= minute < goes_on else round(60 * minute))
            if minute >= since
            else "stale"
            for minute in (tick / 4 for tick in range(121))
        ]
        return {series("contact_stream_watermark_seconds", **SHARD, instance=worker): " ".join(values)}

    moments: dict[str, list[Labels]] = {"15m45s": [], "16m": [SHARD], "19m45s": [SHARD], "20m": []}
    story = Story("stalled", marks("a", 10, 20), moments)
    moved = marks("a", 10) | marks("b", since=12)
    stories = [
        story,
        story.told("goes on in time", marks("a", 10, 15.75)),
        story.told("goes on at another worker", moved),
        story.told("goes on all the time", marks("a")),
    ]
    check_alert(promtool, tmp_path, "ContactStreamStalled", stories)


def test_old_data_warn_for_their_topic(promtool: str, tmp_path: Path) -> None:
    """Two minutes after the newest word of a topic is five minutes old; also while no worker is there to say so."""
    ticks = Ticks(30)
    moments: dict[str, list[Labels]] = {"16m45s": [], "17m": [CALLS], "19m45s": [CALLS], "20m": []}
    story = Story("old", ticks.heard("calls", (10, 20)) | ticks.heard("chats"), moments)
    [[name, values]] = ticks.heard("calls").items()
    gone = " ".join(value if not 600 <= int(value) < 1200 else "stale" for value in values.split())
    stories = [
        story,
        story.told("nobody says so", {name: gone}, {"16m30s": [], "16m45s": [CALLS], "19m45s": [CALLS], "20m": []}),
        story.told("not for long", ticks.heard("calls", (10, 16.75))),
        story.told("cases may rest", ticks.heard("cases", (10, 20)) | ticks.heard("calls")),
    ]
    check_alert(promtool, tmp_path, "ContactStreamDataOld", stories)


def test_a_source_that_falls_silent_pages(promtool: str, tmp_path: Path) -> None:
    """Two minutes without a word of a source that speaks around the clock; one that has pauses may have them."""
    ticks = Ticks(60)

    def says(source: str, *pauses: tuple[float, float]) -> dict[str, str]:
        [values] = ticks.heard("calls", *pauses).values()
        return {series("contact_stream_source_timestamp_seconds", source=source, instance="a"): values}

    here: list[Labels] = [{"source": "pbx"}]
    moments: dict[str, list[Labels]] = {"42m": [], "42m15s": here, "44m45s": here, "45m": []}
    story = Story("silent", says("pbx", (40, 45)) | says("desk", (5, 10), (20, 28), (30, 38), (41, 58)), moments)
    stories = [story, story.told("a short pause", says("pbx", (40, 42)))]
    check_alert(promtool, tmp_path, "ContactSourceSilent", stories)


def test_a_lag_that_does_not_shrink_warns(promtool: str, tmp_path: Path) -> None:
    """More than a thousand records, not fewer than five and ten minutes ago, five minutes long; catching up is none."""
    ticks = Ticks(40)

    def lag(*jumps: tuple[float, float]) -> dict[str, str]:
        return ticks.gauge("contact_stream_lag_records", (0, 0), *jumps, topic="calls", instance="a")

    moments: dict[str, list[Labels]] = {"14m45s": [], "15m": [CALLS], "29m45s": [CALLS], "30m": []}
    story = Story("behind", lag((10, 1001), (30, 900)), moments)
    stories = [
        story,
        story.told("a thousand", lag((10, 1000))),
        story.told("catching up", lag((10, 90_000), (14, 80_000), (20, 70_000), (25, 60_000), (30, 500))),
    ]
    check_alert(promtool, tmp_path, "ContactStreamLag", stories)


def records(ticks: Ticks, applied: int, rejected: int) -> dict[str, str]:
    """Records of a topic in one minute, by result."""
    told = {"applied": applied, "rejected": rejected}
    return {
        series("contact_stream_records_total", topic="calls", result=result, partition="0"): ticks.samples((10, number))
        for result, number in told.items()
    }


def test_many_rejected_records_warn(promtool: str, tmp_path: Path) -> None:
    """More than one of a hundred in a quarter of an hour, and at least ten."""
    ticks = Ticks(30)
    moments: dict[str, list[Labels]] = {"11m45s": [], "12m": [CALLS], "24m45s": [CALLS], "25m": []}
    story = Story("rejected", records(ticks, 980, 10), moments)
    stories = [
        story,
        story.told("one of a hundred", records(ticks, 990, 10)),
        story.told("nine", records(ticks, 20, 9)),
    ]
    check_alert(promtool, tmp_path, "ContactStreamRejected", stories)


def test_lost_records_page(promtool: str, tmp_path: Path) -> None:
    """At once, also when the worker had never lost any before, so that the counter is born with them."""
    ticks = Ticks(40)

    def lost(*jumps: tuple[float, float]) -> dict[str, str]:
        return ticks.gauge("contact_stream_records_lost_total", *jumps, topic="calls", instance="a")

    moments: dict[str, list[Labels]] = {"9m45s": [], "10m": [CALLS], "24m45s": [CALLS], "25m": []}
    story = Story("born", lost((10, 7)), moments)
    stories = [story, story.told("more", lost((0, 0), (10, 7)), moments), story.told("none", lost((0, 0)))]
    check_alert(promtool, tmp_path, "ContactStreamRecordsLost", stories)


def owned(ticks: Ticks, worker: str, *jumps: tuple[float, float | None]) -> dict[str, str]:
    """Which worker shows the shard."""
    return ticks.gauge("contact_stream_shard_owned", *jumps, **SHARD, instance=worker)


def test_a_shard_that_two_show_pages(promtool: str, tmp_path: Path) -> None:
    """Sums over workers must be 1; a minute of two is more than a move."""
    ticks = Ticks(20)
    moments: dict[str, list[Labels]] = {"5m45s": [], "6m": [SHARD], "7m45s": [SHARD], "8m": []}
    both = owned(ticks, "a", (0, 1), (8, None)) | owned(ticks, "b", (5, 1))
    story = Story("twice", both, moments)
    moved = owned(ticks, "a", (0, 1), (5.75, None)) | owned(ticks, "b", (5, 1))
    check_alert(promtool, tmp_path, "ContactShardOwnedTwice", [story, story.told("moved", moved)])


def test_a_shard_that_nobody_shows_pages(promtool: str, tmp_path: Path) -> None:
    """Two minutes after it was there last, for as long as an hour, or until somebody takes it."""
    ticks = Ticks(20)
    moments: dict[str, list[Labels]] = {"6m45s": [], "7m": [SHARD], "9m45s": [SHARD], "10m": []}
    story = Story("nobody", owned(ticks, "a", (0, 1), (5, None)) | owned(ticks, "b", (10, 1)), moments)
    stories = [
        story,
        story.told("moved", owned(ticks, "b", (6.75, 1))),
        story.told("given up, and said so", owned(ticks, "a", (0, 1), (5, 0)), moments),
    ]
    check_alert(promtool, tmp_path, "ContactShardUnowned", stories)


def test_a_queue_that_does_not_add_up_pages(promtool: str, tmp_path: Path) -> None:
    """R54: `contact_unaccounted` other than 0 for a minute, also where two shards would cancel out."""
    ticks = Ticks(20)

    def unaccounted(partition: str, *jumps: tuple[float, float]) -> dict[str, str]:
        return ticks.gauge("contact_unaccounted", (0, 0), *jumps, queue="billing", partition=partition)

    here: list[Labels] = [{"queue": "billing"}]
    moments: dict[str, list[Labels]] = {"5m45s": [], "6m": here, "7m45s": here, "8m": []}
    story = Story("unaccounted", unaccounted("0", (5, 1), (8, 0)) | unaccounted("1", (5, -1), (8, 0)), moments)
    cut = unaccounted("0", (5, 1), (5.75, 0)) | unaccounted("1")
    check_alert(promtool, tmp_path, "ContactUnaccounted", [story, story.told("cut by a commit", cut)])


def test_the_gates_are_those_of_the_channels(promtool: str, tmp_path: Path) -> None:
    """A channel is fresh while its topic is, the centre while any is; it is closed when all queues are."""
    ticks = Ticks(30, 60)
    told = ticks.heard("calls") | ticks.heard("chats", (5, 30)) | ticks.always("contact_queue_open", 0, queue="billing")
    told |= ticks.always("contact_queue_info", 1, queue="billing", group="", site="", owner="")
    fresh: list[tuple[Labels, float]] = [({"channel": "voice"}, 1)]
    fresh += [({"channel": channel}, 0) for channel in ("chat", "messaging", "sms", "social")]
    figures = [
        Figures("channel:contact_data_fresh:gate", "10m", fresh),
        Figures("channel:contact_data_fresh:gate", "20m", fresh),
        Figures("channel:contact_data_fresh:gate", "9m", [(labels, 1) for labels, _ in fresh]),
        Figures("centre:contact_data_fresh:gate", "20m", [({}, 1)]),
        Figures("centre:contact_closed:bool", "20m", [({}, 1)]),
    ]
    check_figures(promtool, tmp_path, told, figures, 60)
