"""Facts become process-local metrics and log lines, and nothing else can."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import pytest
from prometheus_client import CollectorRegistry

from stream.telemetry.process import ProcessMetrics
from stream.telemetry.service import Telemetry, TelemetrySettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.worker import ports


class Batch(NamedTuple):
    """A committed batch, as the worker tells it."""

    applied: int
    duplicates: int
    rejected: int
    recorded_at: Sequence[int | None]
    stored_at: int


def _value(process: ProcessMetrics, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(process)
    return registry.get_sample_value(name, labels)


def test_a_batch_is_counted_once_and_each_record_timed() -> None:
    """Records without a timestamp have no latency; a clock that ran ahead makes 0, not less."""
    process = ProcessMetrics()
    process.batch_stored(Batch(2, 1, 1, (1_000, 1_960, None, 2_500), 2_010))
    assert _value(process, "contact_stream_batch_records_count") == 1
    assert _value(process, "contact_stream_batch_records_sum") == 4
    assert _value(process, "contact_stream_batch_records_bucket", le="5.0") == 1
    assert _value(process, "contact_stream_apply_seconds_count") == 3
    assert _value(process, "contact_stream_apply_seconds_bucket", le="0.005") == 1
    assert _value(process, "contact_stream_apply_seconds_bucket", le="0.05") == 2
    assert _value(process, "contact_stream_apply_seconds_bucket", le="2.5") == 3
    assert _value(process, "contact_stream_apply_seconds_sum") == pytest.approx(1.06)


def test_a_bound_belongs_to_its_bucket() -> None:
    """`le` means less or equal: exactly 50 ms is in the 0.05 bucket."""
    process = ProcessMetrics()
    process.batch_stored(Batch(1, 0, 0, (0,), 50))
    assert _value(process, "contact_stream_apply_seconds_bucket", le="0.05") == 1
    assert _value(process, "contact_stream_apply_seconds_bucket", le="0.025") == 0


def test_facts_of_shards_and_logs_tell_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """One method a fact: the metric rises and one line says it, fields beside the message."""
    process = ProcessMetrics()
    with caplog.at_level(logging.INFO, "stream.worker"):
        process.shard_loaded(1, 3, 120, 0.5)
        process.shard_loaded(1, 4, 30, 0.25)
        process.shard_dropped(1, 3)
        process.producer_fenced(1, 4)
        process.hole_met("calls", 4)
        process.records_lost("calls", 4, 17)
        process.lag_measured("calls", 9)
        process.worker_started("0.1.0", "3.11", "0.15.3", "0.14")
    assert _value(process, "contact_stream_recovered_records_total") == 150
    assert _value(process, "contact_stream_recovery_seconds") == 0.25
    assert _value(process, "contact_stream_fenced_total") == 1
    assert _value(process, "contact_stream_holes_total", topic="calls") == 1
    assert _value(process, "contact_stream_records_lost_total", topic="calls") == 17
    assert _value(process, "contact_stream_records_lost_total", topic="chats") == 0
    assert _value(process, "contact_stream_lag_records", topic="calls") == 9
    build = {"version": "0.1.0", "python": "3.11", "faust": "0.15.3", "kafka": "0.14"}
    assert _value(process, "contact_stream_build_info", **build) == 1
    assert [record.message for record in caplog.records] == [
        "shard loaded",
        "shard loaded",
        "shard dropped",
        "producer fenced",
        "hole met",
        "records lost",
        "worker started",
    ]
    lost = caplog.records[5]
    assert lost.levelno == logging.ERROR
    assert lost.__dict__["fields"] == {"topic": "calls", "shard": 4, "records": 17}


def test_what_was_never_said_is_absent_or_zero() -> None:
    """Gauges are absent before their first fact, counters stand at 0."""
    process = ProcessMetrics()
    assert _value(process, "contact_stream_lag_records", topic="calls") is None
    assert _value(process, "contact_stream_recovery_seconds") is None
    assert _value(process, "contact_stream_fenced_total") == 0
    assert _value(process, "contact_stream_apply_seconds_count") == 0


def test_no_process_series_carries_partition_or_created() -> None:
    """`partition` would make Prometheus drop `instance`; `_created` is off."""
    process = ProcessMetrics()
    process.shard_loaded(1, 3, 120, 0.5)
    for family in process.collect():
        for sample in family.samples:
            assert "partition" not in sample.labels
            assert not sample.name.endswith("_created")


def test_the_worker_is_given_what_it_asks_for() -> None:
    """The protocols of the worker and the classes here fit (mypy checks the assignments)."""
    facts: ports.Facts = ProcessMetrics()
    telemetry: ports.Telemetry = Telemetry(TelemetrySettings(now=lambda: 0))
    assert callable(facts.batch_stored)
    assert telemetry.process is telemetry.process
