"""What Prometheus sees of the shards, on plain values and a registry of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from stream.core.figures.families import SERVICE
from stream.telemetry.catalogue import MAX_SOURCES
from stream.telemetry.collector import ShardCollector
from stream.telemetry.figures import PlainShard
from stream.telemetry.process import ProcessMetrics
from stream.telemetry.rendering import Renderer

Encode = Callable[[CollectorRegistry], bytes]
GOLDEN = Path(__file__).parent / "golden"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
POLICY = {
    ("contact_target_seconds", "service_level", "voice", "billing"): 20_000.0,
    ("contact_queue_info", "billing", "money", "", 'the "back" office'): 1.0,
}


def _registry(*shards: PlainShard, known: tuple[tuple[str, ...], ...] = ()) -> CollectorRegistry:
    """A registry of its own with one collector over the shards."""
    registry = CollectorRegistry()
    registry.register(ShardCollector(lambda: shards, lambda: 0, {1: known, 2: known}, POLICY))
    return registry


def _samples(registry: CollectorRegistry) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """One scrape: (name, labels) -> value."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


def _find(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """One scrape, one sample."""
    return _samples(registry).get((name, frozenset(labels.items())))


@pytest.mark.parametrize(("file", "encode"), [("text.prom", generate_latest), ("open.prom", generate_openmetrics)])
def test_the_exposition_is_the_golden_one(file: str, encode: Encode, two_shards: list[PlainShard]) -> None:
    """Every byte of a small exposition, checked by hand once; `le` are floats, no `_created` anywhere."""
    assert encode(_registry(*two_shards)).decode() == (GOLDEN / file).read_text()


@pytest.mark.parametrize(("accept", "encode"), [("", generate_latest), (OPENMETRICS, generate_openmetrics)])
def test_the_own_writer_equals_the_client_library(accept: str, encode: Encode, two_shards: list[PlainShard]) -> None:
    """The service part of a rendering is byte for byte what the client library writes of the same figures."""
    collector = ShardCollector(lambda: two_shards, lambda: 0, {}, POLICY)
    body = Renderer(collector, ProcessMetrics()).render(accept).body
    expected = encode(_registry(*two_shards)).removesuffix(b"# EOF\n")
    assert body.startswith(expected)
    assert body.endswith(b"# EOF\n") is bool(accept)


LABEL = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
AMOUNT = st.integers(0, 2**53)
COUNTERS = st.one_of(
    st.tuples(st.just("contact_visits_total"), st.sampled_from(["voice", "email"]), LABEL, LABEL),
    st.tuples(st.just("contact_hold_seconds_total"), st.just("chat"), LABEL),
    st.tuples(st.just("contact_stream_quality_total"), LABEL),
    st.tuples(st.just("contact_handle_seconds"), st.just("voice"), LABEL, st.integers(0, 16) | st.just("sum")),
)
SHARDS = st.lists(
    st.builds(
        PlainShard,
        st.just(1),
        st.integers(0, 31),
        st.dictionaries(COUNTERS, st.tuples(AMOUNT, AMOUNT), max_size=12),
        st.dictionaries(st.tuples(st.just("contact_unanswered"), st.just("voice"), LABEL), AMOUNT, max_size=3),
    ),
    max_size=4,
    unique_by=lambda shard: shard.partition,
)


@given(SHARDS)
def test_any_figures_are_written_as_the_client_library_writes_them(shards: list[PlainShard]) -> None:
    """Any labels, any amounts, both formats, also at the second scrape, when lines are kept from the first."""
    collector = ShardCollector(lambda: shards, lambda: 0)
    renderer = Renderer(collector, ProcessMetrics())
    for encode, accept in ((generate_latest, ""), (generate_openmetrics, OPENMETRICS)) * 2:
        assert renderer.render(accept).body.startswith(encode(_registry_of(collector)).removesuffix(b"# EOF\n"))
        for shard in shards:
            for key, (total, retracted) in shard.counters.items():
                shard.counters[key] = (total + 1, retracted)


def _registry_of(collector: ShardCollector) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


@given(SHARDS)
def test_the_sum_over_partitions_is_the_sum_of_the_views(shards: list[PlainShard]) -> None:
    """Nothing is lost or invented between the state and the exposition: totals, twins, buckets and sums."""
    expected: dict[tuple[str, ...], float] = defaultdict(float)
    for shard in shards:
        for key, (total, retracted) in shard.counters.items():
            family = SERVICE[key[0]]
            labels = tuple(map(str, key[1 : 1 + len(family.labels)]))
            if family.kind == "histogram":
                suffix = "sum" if key[-1] == "sum" else "count"
                expected[f"{family.name}_{suffix}", *labels] += total / 1000 if suffix == "sum" else total
            else:
                divisor = 1000 if family.unit == "seconds" else 1
                expected[family.name, *labels] += total / divisor
                expected[family.twin_name, *labels] += retracted / divisor
    found: dict[tuple[str, ...], float] = defaultdict(float)
    for shown in _registry(*shards).collect():
        for sample in shown.samples:
            base = sample.name.removesuffix("_count").removesuffix("_sum").replace("_retracted_total", "_total")
            if (
                not sample.name.endswith("_bucket")
                and base in SERVICE
                and SERVICE[base].kind in {"counter", "histogram"}
            ):
                found[sample.name, *(sample.labels[label] for label in SERVICE[base].labels)] += sample.value
    assert {key: value for key, value in found.items() if value} == pytest.approx(
        {key: value for key, value in expected.items() if value}
    )


@given(st.integers(0, 2**53))
def test_seconds_are_exact_to_the_millisecond(duration_ms: int) -> None:
    """The seconds shown are the float nearest to the milliseconds kept: nothing adds up beside them."""
    key = ("contact_talk_seconds_total", "voice", "billing")
    shown = _find(
        _registry(PlainShard(1, 0, {key: (duration_ms, 0)})), key[0], channel="voice", queue="billing", partition="0"
    )
    assert shown == duration_ms / 1000


def test_buckets_are_cumulative_and_inclusive(two_shards: list[PlainShard]) -> None:
    """The state counts a bucket for itself; the exposition adds up to +Inf, and falls of a histogram are not shown."""
    registry = _registry(*two_shards)
    labels = {"channel": "voice", "queue": "billing", "outcome": "answered", "partition": "0"}
    found = [
        _find(registry, "contact_wait_seconds_bucket", **labels, le=upper)
        for upper in ("5.0", "10.0", "15.0", "7200.0", "+Inf")
    ]
    assert found == [3, 3, 4, 4, 5]
    assert _find(registry, "contact_wait_seconds_count", **labels) == 5
    assert _find(registry, "contact_wait_seconds_sum", **labels) == pytest.approx(9012.345, abs=0)


def test_known_series_stand_at_zero_with_their_twins() -> None:
    """Before the first event both twins are there, so `increase()` and differences work from the first count on."""
    known = (("contact_visits_total", "voice", "billing", "abandoned"), ("contact_queue_waiting", "voice", "billing"))
    samples = _samples(_registry(PlainShard(1, 3), known=known))
    labels = {"channel": "voice", "queue": "billing", "outcome": "abandoned", "partition": "3"}
    assert samples["contact_visits_total", frozenset(labels.items())] == 0
    assert samples["contact_visits_retracted_total", frozenset(labels.items())] == 0
    del labels["outcome"]
    assert samples["contact_queue_waiting", frozenset(labels.items())] == 0


def test_an_undeclared_series_is_at_zero_one_scrape_before_its_value() -> None:
    """Prometheus must see the 0 to see the rise; a declared one shows its value at once."""
    shard = PlainShard(1, 0)
    known = ("contact_visits_entered_total", "voice", "billing")
    registry = _registry(shard, known=(known,))
    labels = {"channel": "voice", "partition": "0"}
    assert _find(registry, known[0], **labels, queue="other") is None
    shard.counters[known] = (2, 0)
    shard.counters["contact_visits_entered_total", "voice", "other"] = (3, 1)
    first = _samples(registry)
    assert first[known[0], frozenset({**labels, "queue": "billing"}.items())] == 2
    assert first[known[0], frozenset({**labels, "queue": "other"}.items())] == 0
    assert first["contact_visits_entered_retracted_total", frozenset({**labels, "queue": "other"}.items())] == 0
    second = _samples(registry)
    assert second[known[0], frozenset({**labels, "queue": "other"}.items())] == 3
    assert second["contact_visits_entered_retracted_total", frozenset({**labels, "queue": "other"}.items())] == 1


def test_what_a_shard_brings_is_shown_at_its_value_at_once() -> None:
    """Its former owner has shown the series already: a 0 here would be a reset and count everything again."""
    key = ("contact_visits_entered_total", "voice", "other")
    labels = {"channel": "voice", "queue": "other", "partition": "0"}
    owned = [PlainShard(1, 0, {key: (5, 0)})]
    registry = CollectorRegistry()
    registry.register(ShardCollector(lambda: owned, lambda: 0))
    assert _find(registry, key[0], **labels) == 5
    returned = PlainShard(1, 0, {key: (9, 0), ("contact_visits_entered_total", "chat", "new"): (1, 0)})
    owned[:] = [returned]
    samples = _samples(registry)
    assert samples[key[0], frozenset(labels.items())] == 9
    assert samples[key[0], frozenset({"channel": "chat", "queue": "new", "partition": "0"}.items())] == 1


def test_a_dropped_shard_disappears_and_only_it() -> None:
    """A worker that lost a shard must not stand beside its successor."""
    key = ("contact_visits_entered_total", "voice", "billing")
    owned = [PlainShard(1, partition, {key: (partition, 0)}) for partition in (1, 2)]
    registry = CollectorRegistry()
    registry.register(ShardCollector(lambda: owned, lambda: 0))
    assert len([name for name, _ in _samples(registry) if name == key[0]]) == 2
    del owned[0]
    left = [dict(labels)["partition"] for name, labels in _samples(registry) if name == key[0]]
    assert left == ["2"]
    assert _find(registry, "contact_stream_shard_owned", stage="1", shard="2") == 1
    assert _find(registry, "contact_stream_shard_owned", stage="1", shard="1") is None


def test_timestamps_are_absent_while_nothing_is_open(two_shards: list[PlainShard]) -> None:
    """`time() - min(...)` works only if no 0 stands there; the number waiting is 0, and stays as a series."""
    registry = _registry(*two_shards)
    labels = {"channel": "voice", "queue": "billing", "partition": "0"}
    name = "contact_queue_oldest_entered_timestamp_seconds"
    assert _find(registry, name, **labels) == pytest.approx(1_772_445_600.123, abs=0)
    two_shards[0].open_figures.clear()
    assert _find(registry, name, **labels) is None
    assert _find(registry, "contact_queue_waiting", **labels) == 0


def test_process_local_figures_are_joined_without_partition(two_shards: list[PlainShard]) -> None:
    """Rows add up, of times the newest counts, a shard is named by `shard`; none has `partition`."""
    registry = _registry(*two_shards)
    assert _find(registry, "contact_stream_rows", table="stage1") == 7
    assert _find(registry, "contact_stream_event_time_seconds", topic="calls") == 1_772_445_700
    assert _find(registry, "contact_stream_watermark_seconds", stage="1", shard="0") == 1_772_445_540
    assert _find(registry, "contact_stream_watermark_seconds", stage="1", shard="1") is None


def test_sources_with_a_timestamp_are_bounded() -> None:
    """A sender cannot make series at will: 32 sources, the same on every worker."""
    figures = {("contact_stream_source_timestamp_seconds", f"pbx{number:03}"): 1000.0 for number in range(100)}
    samples = _samples(_registry(PlainShard(1, 0, open_figures=dict(figures))))
    shown = sorted(dict(labels)["source"] for name, labels in samples if name.endswith("source_timestamp_seconds"))
    assert shown == [f"pbx{number:03}" for number in range(MAX_SOURCES)]


def test_policy_series_have_no_partition_and_are_there_without_a_shard() -> None:
    """Targets and definitions are the same on every worker."""
    registry = _registry()
    assert _find(registry, "contact_target_seconds", kind="service_level", channel="voice", queue="billing") == 20


@pytest.mark.parametrize("key", [("contact_made_up_total", "voice"), ("contact_visits_total", "voice")])
def test_a_key_outside_the_catalogue_cannot_be_exported(key: tuple[str, ...]) -> None:
    """Neither a name nor a number of labels that the catalogue does not have."""
    with pytest.raises((KeyError, ValueError)):
        _samples(_registry(PlainShard(1, 0, {key: (1, 0)})))
