"""A house in which nothing happens: time moves on by the wall clock, but never past a worker that says nothing."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from tests.centre.house import House

if TYPE_CHECKING:
    from pathlib import Path

    from tests.centre.house import Sight
    from tests.conftest import MakeTopics

DISORDER_SECONDS = 60.0
FROZEN = 1  # its page is asked for last: what the other shows is fresh


def behind(sight: Sight) -> float:
    """How many seconds the slowest shard of both stages is behind the wall clock; none may be without a watermark."""
    if sight.watermarks.keys() != sight.owners.keys():
        return float("inf")
    return time.time() - min(sight.watermarks.values())


def of_stage(sight: Sight, stage: int) -> dict[int, float]:
    """The watermarks of the shards of a stage that are shown."""
    return {shard: mark for (of, shard), mark in sight.watermarks.items() if of == stage}


def test_time_moves_on_but_not_past_a_silent_worker(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """Idle sources follow the clock in both stages; the shards of a frozen worker hold every settlement back."""
    layout = make_topics(partitions=4)
    settings = {"CONTACT_STREAM_IDLE_AFTER": "1s", "CONTACT_STREAM_SESSION_TIMEOUT": "12s"}
    house = House(kafka, layout, tmp_path, **settings)
    with house.open():
        house.until_seen(lambda sight: behind(sight) < DISORDER_SECONDS + 15, 60, "time moves on by itself")
        frozen = house.supervisor.pids[FROZEN]
        os.kill(frozen, signal.SIGSTOP)
        try:
            time.sleep(3.0)  # what it said before is heard
            before = house.look()
            time.sleep(0.5)
            after = house.look()
        finally:
            os.kill(frozen, signal.SIGCONT)
        assert before.owners.keys() == after.owners.keys()
        assert 0 < len(of_stage(after, 2)) < layout.partitions
        assert of_stage(after, 2) == of_stage(before, 2)
        assert all(mark > of_stage(before, 1)[shard] for shard, mark in of_stage(after, 1).items())
        held = max(after.watermarks.values())
        house.until_seen(lambda sight: min(sight.watermarks.values()) > held, 60, "the woken worker speaks again")
        assert house.supervisor.restarts == 0
