"""Telemetry of the worker's tests: keeps the facts, and tells them to a parent process when asked to."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stream.worker.ports import BatchStored, Health


class KeptFacts:
    """Facts as numbers; `tell` also writes each as a JSON line on standard output."""

    def __init__(self, *, tell: bool = False) -> None:
        self.counted: Counter[str] = Counter()
        self.latencies: list[int] = []
        self._tell = tell
        self._telling: asyncio.TimerHandle | None = None

    def worker_started(self, version: str, python: str, faust: str, kafka: str) -> None:
        """Which build."""
        self._say("worker_started", version=version, python=python, faust=faust, kafka=kafka)

    def batch_stored(self, batch: BatchStored) -> None:
        """One transaction was committed."""
        self.counted["batches"] += 1
        self.counted["records"] += batch.applied + batch.duplicates + batch.rejected
        self.latencies.extend(batch.stored_at - at for at in batch.recorded_at if at is not None)
        if self._tell and self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(0.1, self._tell_stored)

    def _tell_stored(self) -> None:
        self._telling = None
        self._say("batch_stored", stored=self.counted["records"])

    def shard_loaded(self, stage: int, partition: int, records: int, seconds: float) -> None:
        """A shard runs."""
        self.counted["loaded"] += 1
        self._say("shard_loaded", stage=stage, partition=partition, records=records, seconds=seconds)

    def shard_dropped(self, stage: int, partition: int) -> None:
        """A shard is no longer ours."""
        self._say("shard_dropped", stage=stage, partition=partition)

    def producer_fenced(self, stage: int, partition: int) -> None:
        """Another owner took it."""
        self.counted["fenced"] += 1
        self._say("producer_fenced", stage=stage, partition=partition)

    def hole_met(self, topic: str, partition: int) -> None:
        """The interval rule met a hole."""
        self.counted["holes"] += 1
        self._say("hole_met", topic=topic, partition=partition)

    def records_lost(self, topic: str, partition: int, count: int) -> None:
        """Retention was faster."""
        self.counted["lost"] += count
        self._say("records_lost", topic=topic, partition=partition, count=count)

    def lag_measured(self, topic: str, records: int) -> None:
        """How far behind."""
        self._say("lag_measured", topic=topic, records=records)

    def summed_up(self) -> None:
        """Tell the counts and the latencies in ms."""
        ordered = sorted(self.latencies) or [0]
        share = {f"p{at}": ordered[min(len(ordered) - 1, len(ordered) * at // 100)] for at in (50, 90, 99)}
        self._say("summed_up", **self.counted, **share, worst=ordered[-1])

    def _say(self, fact: str, **values: Any) -> None:  # noqa: ANN401  JSON values
        if self._tell:
            sys.stdout.write(json.dumps({"fact": fact, "at": time.time(), **values}) + "\n")
            sys.stdout.flush()


class KeptTelemetry:
    """The `Telemetry` port without metrics and HTTP."""

    def __init__(self, *, tell: bool = False) -> None:
        self.process = KeptFacts(tell=tell)
        self.views: Callable[[], Iterable[Any]] = list
        self.health: Callable[[], Health] | None = None

    async def start(self, views: Callable[[], Iterable[Any]], health: Callable[[], Health]) -> None:
        """Remember what could be asked."""
        self.views, self.health = views, health

    async def stop(self) -> None:
        """Say how long records took from their timestamp to being stored."""
        self.process.summed_up()
