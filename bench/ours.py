"""One run of the product's worker over a filled topic."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bench.changelog import await_stored
from bench.result import Run
from bench.worker import Worker

if TYPE_CHECKING:
    from bench.load import Loaded, Target

NAME: Final = "contact-stream worker, exactly once"
_LEAD_SECONDS: Final = 0.1
_LIMIT_SECONDS: Final = 180.0


def contact_stream(target: Target, loaded: Loaded, app_id: str) -> Run:
    """Run a worker without state over the topic until everything is stored, then read what it stored.

    The time runs from 0.1 s before the first stored batch to the last one, by the broker's clock.

    Args:
        target: whose calls are read.
        loaded: what they hold.
        app_id: a new one, so that the worker begins at the log's beginning.
    """
    mine = replace(target, app_id=app_id)
    mine.create_topics()
    with Worker(mine) as worker:
        worker.await_ready()
        history = await_stored(mine, loaded.events, _LIMIT_SECONDS)
        worker.stop()
        first = history.moment(1) - _LEAD_SECONDS
        half, last = history.moment(loaded.events // 2), history.moment(loaded.events)
        return Run(
            name=NAME,
            events=history.applied,
            wall_seconds=last - first,
            cpu_seconds=worker.cpu_at(last) - worker.cpu_at(first),
            warm_events=loaded.events - loaded.events // 2,
            warm_cpu_seconds=worker.cpu_at(last) - worker.cpu_at(half),
            process_cpu_seconds=worker.cpu,
            peak_mb=worker.peak_mb,
            exact=history.figures() == loaded.figures,
        )
