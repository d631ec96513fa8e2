"""What only this process knows: facts, turned into metrics and log lines in one place.

Each public method states one fact, past tense, and is all a caller has to know of metrics. Values live here under a
lock and are read by the scrape. They keep the label `instance` and never carry `partition`: they say `shard` where
they must (3-metrics 3.3).

Never in this module: a figure of the service, an event loop, a default registry of the client library.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from itertools import accumulate, product
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from prometheus_client.utils import floatToGoString

from stream.telemetry.catalogue import BOUNDS, PROCESS, exposed
from stream.telemetry.collector import metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.core import Metric

_LOG: Final = logging.getLogger("stream.worker")


class StoredBatch(Protocol):
    """What a committed batch says of itself; records add up, times are ms since the epoch."""

    @property
    def applied(self) -> int:
        """Records applied."""

    @property
    def duplicates(self) -> int:
        """Records the shard had counted before."""

    @property
    def rejected(self) -> int:
        """Records rejected."""

    @property
    def recorded_at(self) -> Sequence[int | None]:
        """Timestamps of the records; None where a record has none."""

    @property
    def stored_at(self) -> int:
        """When the transaction was committed."""


class Buckets:
    """A process-local histogram: counts per bucket and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """Upper bounds, inclusive and ascending, +Inf left out."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class ProcessMetrics:
    """The process-local families of the catalogue; a name or label that is not there cannot be set."""

    def __init__(self) -> None:
        """Counters and histograms stand at 0, gauges are absent until a fact sets them."""
        self._lock = Lock()
        self._values: dict[str, dict[tuple[str, ...], float]] = {}
        self._buckets = {name: Buckets(bounds) for name, bounds in BOUNDS.items()}
        for name, family in PROCESS.items():
            if family.kind == "counter":
                self._values[name] = dict.fromkeys(product(*(family.values[label] for label in family.labels)), 0)

    def worker_started(self, version: str, python: str, faust: str, kafka: str) -> None:
        """Which build runs: versions of the program, the interpreter, Faust and the Kafka client."""
        self._set("contact_stream_build_info", (version, python, faust, kafka), 1)
        _say(logging.INFO, "worker started", version=version, python=python, faust=faust, kafka=kafka)

    def batch_stored(self, batch: StoredBatch) -> None:
        """One transaction was committed."""
        apply = self._buckets["contact_stream_apply_seconds"]
        with self._lock:
            self._buckets["contact_stream_batch_records"].observe(batch.applied + batch.duplicates + batch.rejected)
            for recorded_at in batch.recorded_at:
                if recorded_at is not None:
                    apply.observe(max(0, batch.stored_at - recorded_at) / 1000)

    def shard_loaded(self, stage: int, partition: int, records: int, seconds: float) -> None:
        """A shard was read from its changelog: how many records, and how long it took from the assignment on."""
        self._set("contact_stream_recovery_seconds", (), seconds)
        self._add("contact_stream_recovered_records_total", (), records)
        _say(logging.INFO, "shard loaded", stage=stage, shard=partition, records=records, seconds=round(seconds, 3))

    def shard_dropped(self, stage: int, partition: int) -> None:
        """A shard was given away at a rebalance or at the end."""
        _say(logging.INFO, "shard dropped", stage=stage, shard=partition)

    def producer_fenced(self, stage: int, partition: int) -> None:
        """Another owner took a shard while this worker wrote."""
        self._add("contact_stream_fenced_total", (), 1)
        _say(logging.WARNING, "producer fenced", stage=stage, shard=partition)

    def hole_met(self, topic: str, partition: int) -> None:
        """The interval rule met a hole and read it again."""
        self._add("contact_stream_holes_total", (topic,), 1)
        _say(logging.INFO, "hole met", topic=topic, shard=partition)

    def records_lost(self, topic: str, partition: int, count: int) -> None:
        """Retention deleted records before they were read: nothing brings them back, raise retention or add workers."""
        self._add("contact_stream_records_lost_total", (topic,), count)
        _say(logging.ERROR, "records lost", topic=topic, shard=partition, records=count)

    def lag_measured(self, topic: str, records: int) -> None:
        """Records of a source topic (its short name) that this worker has still to apply."""
        self._set("contact_stream_lag_records", (topic,), records)

    def metrics_rendered(self, seconds: float) -> None:
        """A scrape was rendered."""
        self._set("contact_stream_scrape_seconds", (), seconds)

    def collect(self) -> Iterator[Metric]:
        """The families that have a value, in the order of the catalogue."""
        with self._lock:
            values = {name: dict(samples) for name, samples in self._values.items()}
            buckets = {name: (list(one.counts), one.total) for name, one in self._buckets.items()}
        for name, family in PROCESS.items():
            shown = metric(exposed(name))
            if name in buckets:
                _add_buckets(shown, BOUNDS[name], *buckets[name])
            for labels, value in sorted(values.get(name, {}).items()):
                shown.add_sample(name, dict(zip(family.labels, labels, strict=True)), value)
            if shown.samples:
                yield shown

    def _set(self, name: str, labels: tuple[str, ...], value: float) -> None:
        _check(name, labels)
        with self._lock:
            self._values.setdefault(name, {})[labels] = value

    def _add(self, name: str, labels: tuple[str, ...], value: float) -> None:
        _check(name, labels)
        with self._lock:
            samples = self._values.setdefault(name, {})
            samples[labels] = samples.get(labels, 0) + value


def _check(name: str, labels: tuple[str, ...]) -> None:
    """Refuse what the catalogue does not have.

    Raises:
        KeyError: no such family.
        ValueError: other labels than the family's.
    """
    family = PROCESS[name]
    if len(labels) != len(family.labels):
        message = f"{name} takes {len(family.labels)} label values, got {len(labels)}"
        raise ValueError(message)


def _add_buckets(shown: Metric, bounds: tuple[float, ...], counts: list[int], total: float) -> None:
    """Cumulative buckets, count and sum of a process-local histogram."""
    cumulative = list(accumulate(counts))
    for upper, count in zip((*map(floatToGoString, bounds), "+Inf"), cumulative, strict=True):
        shown.add_sample(f"{shown.name}_bucket", {"le": upper}, count)
    shown.add_sample(f"{shown.name}_count", {}, cumulative[-1])
    shown.add_sample(f"{shown.name}_sum", {}, total)


def _say(level: int, message: str, **fields: float | str) -> None:
    """One log line for a fact; `stream.telemetry.logs` writes the fields beside the message."""
    _LOG.log(level, message, extra={"fields": fields})
