"""What Prometheus sees of the case stage, beside the contact stage: hand-made views of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from stream.core.figures.case_families import CASE_STATES, CAUSES, FCR_REASONS, STORED_TALLIES
from stream.core.figures.families import SERVICE, bounds_ms
from stream.telemetry.catalogue import CATALOGUE, exposed, series_names
from stream.telemetry.collector import ShardCollector
from stream.telemetry.document import page
from stream.telemetry.figures import PlainShard
from stream.telemetry.known import Declared, RuleNames, known_by_stage
from stream.telemetry.process import ProcessMetrics
from stream.telemetry.rendering import Renderer
from stream.wire.events import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

DECLARED = Declared(
    {"billing": ("voice",)}, (), {"billing": ("refund",)}, {"contact": RuleNames(("voice",), FCR_REASONS[:-1])}
)
OPEN = ("contact_cases_open", "voice", "billing", "refund")
CREDITED = ("contact_fcr_cases_total", "contact", "voice", "billing", "refund", "credited")
RECORDS = "contact_stream_records_total"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
Labels = frozenset[tuple[str, str]]


def _cohort(state: str, day: str) -> tuple[str, ...]:
    return ("contact_fcr_cohort_cases", "contact", "voice", state, day)


def _pair_of_shards() -> list[PlainShard]:
    """Shard 0 of each stage."""
    contacts = PlainShard(
        1,
        0,
        counters={
            ("contact_resolutions_total", "voice", "yes"): (4, 1),
            (RECORDS, "calls", "applied"): (9, 0),
            ("contact_stream_quality_total", "contradiction"): (1, 0),
        },
        unaccounted={("contact_unaccounted", "billing"): 0},
        watermark=1_772_445_540_000,
        rows=3,
    )
    cases = PlainShard(
        2,
        0,
        counters={
            OPEN: (5, 3),
            CREDITED: (7, 2),
            (RECORDS, "cases", "applied"): (2, 0),
            ("contact_stream_quality_total", "contradiction"): (2, 0),
            ("contact_resolution_seconds", "voice", "refund", 0): (1, 0),
            ("contact_resolution_seconds", "voice", "refund", "sum"): (1_800_000, 0),
            ("~cohort", "contact", "2026-03-02", "voice", "billing", "provisional"): (5, 0),
            ("~running", "contact", "2026-03-02", "492345", "604800000", "n"): (5, 0),
            ("~repeated", "contact", "2026-03-02", "1"): (1, 0),
        },
        open_figures={
            _cohort("provisional", "2026-03-02"): 5,
            ("contact_fcr_cohort_elapsed_cases", "contact", "2026-03-02"): 1.25,
            ("contact_fcr_at_risk_cases", "contact", "0"): 6,
            ("contact_fcr_repeated_cases", "contact", "0"): 1,
            ("contact_fcr_queue_cases", "contact", "voice", "billing", "provisional", "0"): 5,
        },
        watermark=1_772_445_530_000,
        rows=2,
    )
    return [contacts, cases]


def _page(collector: ShardCollector, accept: str = "") -> str:
    return Renderer(collector, ProcessMetrics()).render(accept).body.decode()


def _samples(text: str) -> dict[tuple[str, Labels], float]:
    """The page as Prometheus reads it; no series may stand there twice."""
    found: dict[tuple[str, Labels], float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


def _value(text: str, name: str, **labels: str) -> float | None:
    return _samples(text).get((name, frozenset(labels.items())))


def test_both_stages_stand_on_one_page() -> None:
    """Shards of one number in both stages: no series is there twice, those of the program say their stage."""
    shards = _pair_of_shards()
    text = _page(ShardCollector(lambda: shards, lambda: 0, known_by_stage(DECLARED)))
    places = {"channel": "voice", "queue": "billing", "issue": "refund", "partition": "0"}
    credited = {**places, "rule": "contact", "state": "credited"}
    assert _value(text, "contact_fcr_cases_total", **credited) == 7
    assert _value(text, "contact_fcr_cases_retracted_total", **credited) == 2
    assert _value(text, "contact_resolutions_total", channel="voice", confirmed="yes", partition="0") == 4
    quality = {"kind": "contradiction", "partition": "0"}
    assert _value(text, "contact_stream_quality_total", **quality, stage="1") == 1
    assert _value(text, "contact_stream_quality_total", **quality, stage="2") == 2
    shown = {dict(labels)["topic"]: dict(labels)["stage"] for name, labels in _samples(text) if name == RECORDS}
    assert shown == {"calls": "1", "chats": "1", "emails": "1", "agents": "1", "cases": "2"}
    for stage, seconds in (("1", 1_772_445_540), ("2", 1_772_445_530)):
        assert _value(text, "contact_stream_shard_owned", stage=stage, shard="0") == 1
        assert _value(text, "contact_stream_watermark_seconds", stage=stage, shard="0") == seconds
    assert _value(text, "contact_stream_rows", table="stage1") == 3
    assert _value(text, "contact_stream_rows", table="stage2") == 2


def test_unaccounted_visits_are_of_the_contact_stage() -> None:
    """A shard of cases has no visits, so it has no proof of them either."""
    shards = _pair_of_shards()[1:]
    text = _page(ShardCollector(lambda: shards, lambda: 0, known_by_stage(DECLARED)))
    assert "contact_unaccounted{" not in text
    assert "contact_cases_opened_total{" in text


@pytest.mark.parametrize(("stage", "key"), [(1, CREDITED), (2, ("contact_contacts_total", "voice", "handled"))])
def test_a_figure_of_the_other_stage_is_refused(stage: int, key: tuple[str, ...]) -> None:
    """It would stand on the page twice, and Prometheus would refuse the whole page."""
    shard = PlainShard(stage, 0, {key: (1, 0)})
    collector = ShardCollector(lambda: [shard], lambda: 0)
    with pytest.raises(ValueError, match=rf"is counted by stage \d, not by a shard of stage {stage}"):
        collector.scrape()


@pytest.mark.parametrize(("accept", "encode"), [("", generate_latest), (OPENMETRICS, generate_openmetrics)])
def test_the_own_writer_equals_the_client_library(accept: str, encode: Callable[[CollectorRegistry], bytes]) -> None:
    """Byte for byte, for every kind of figure the case stage has."""
    shards = _pair_of_shards()
    collector = ShardCollector(lambda: shards, lambda: 0, known_by_stage(DECLARED))
    registry = CollectorRegistry()
    registry.register(collector)
    expected = encode(registry).decode().removesuffix("# EOF\n")
    assert "contact_cases_open{" in expected
    assert _page(collector, accept).startswith(expected)


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_a_stored_gauge_is_what_is_left(accept: str) -> None:
    """Cases open now = opened less closed; one series, no twin, at its value as soon as it is there."""
    shards = _pair_of_shards()
    collector = ShardCollector(lambda: shards, lambda: 0, known_by_stage(DECLARED))
    line = 'contact_cases_open{channel="voice",issue="refund",partition="0",queue="billing"} '
    assert f"{line}2.0\n" in _page(collector, accept)
    shards[1].counters[OPEN] = (6, 6)
    shards[1].counters["contact_cases_open", "none", "unassigned", "other"] = (1, 0)
    text = _page(collector, accept)
    assert f"{line}0.0\n" in text
    assert 'contact_cases_open{channel="none",issue="other",partition="0",queue="unassigned"} 1.0\n' in text
    assert text.count("# TYPE contact_cases_open gauge\n") == 1
    assert "contact_cases_open_retracted" not in text
    assert "contact_cases_open" in series_names()


def test_a_known_stored_gauge_stands_at_zero() -> None:
    """Before the first case."""
    text = _page(ShardCollector(lambda: [PlainShard(2, 4)], lambda: 0, known_by_stage(DECLARED)))
    assert 'contact_cases_open{channel="voice",issue="none",partition="4",queue="billing"} 0.0\n' in text


def test_what_is_only_stored_is_shown_nowhere() -> None:
    """Neither on the page nor in the catalogue, the documentation or the corrections; also when it comes later."""
    shards = _pair_of_shards()
    collector = ShardCollector(lambda: shards, lambda: 0, known_by_stage(DECLARED))
    first = _page(collector)
    shards[1].counters["~repeated", "contact", "2026-03-03", "0"] = (1, 0)
    assert _page(collector).count("\n") == first.count("\n")
    for family in STORED_TALLIES:
        assert SERVICE[family.name] is family
        assert family.name not in first
        assert family.name not in page()
        assert family.name not in SERVICE["contact_stream_corrections_total"].values["family"]
        with pytest.raises(KeyError, match="not in the catalogue"):
            exposed(family.name)
    assert not [name for name in CATALOGUE if name.startswith("~")]


def test_days_come_and_go() -> None:
    """A day that is over leaves no series behind, neither at 0 nor in memory; nor does a state that nothing is in."""
    shards = _pair_of_shards()
    figures = shards[1].open_figures
    collector = ShardCollector(lambda: shards, lambda: 0, known_by_stage(DECLARED))
    text = _page(collector)
    labels = {"rule": "contact", "channel": "voice", "partition": "0"}
    assert _value(text, "contact_fcr_cohort_cases", **labels, state="provisional", day="2026-03-02") == 5
    assert _value(text, "contact_fcr_cohort_elapsed_cases", rule="contact", day="2026-03-02", partition="0") == 1.25
    for day in range(3, 30):
        figures.clear()
        figures[_cohort("failed", f"2026-03-{day:02}")] = day
        text = _page(collector)
        assert text.count("contact_fcr_cohort_cases{") == 1
        assert _value(text, "contact_fcr_cohort_cases", **labels, state="failed", day=f"2026-03-{day:02}") == day
    assert "contact_fcr_cohort_elapsed_cases" not in text
    figures[_cohort("provisional", "2026-03-02")] = 1
    assert _value(_page(collector), "contact_fcr_cohort_cases", **labels, state="provisional", day="2026-03-02") == 1


def test_resolution_times_are_measured_in_hours_everywhere() -> None:
    """R45: from an hour to a week on every channel, a ticket without a contact included."""
    for channel in ("voice", "email", "none"):
        assert bounds_ms("contact_resolution_seconds", channel)[0] == 3_600_000
        assert bounds_ms("contact_resolution_seconds", channel)[-1] == 604_800_000
    text = _page(ShardCollector(lambda: _pair_of_shards()[1:], lambda: 0))
    labels = {"channel": "voice", "issue": "refund", "partition": "0"}
    assert _value(text, "contact_resolution_seconds_bucket", **labels, le="3600.0") == 1
    assert _value(text, "contact_resolution_seconds_bucket", **labels, le="604800.0") == 1
    assert _value(text, "contact_resolution_seconds_sum", **labels) == 1_800


LABELS = {
    "contact_resolution_seconds": ("channel", "issue"),
    "contact_full_resolution_seconds": ("channel", "issue"),
    "contact_resolution_open_seconds": ("channel", "issue"),
    "contact_cases_open": ("channel", "queue", "issue"),
    "contact_cases_opened_total": ("channel", "queue", "issue"),
    "contact_cases_handled_total": ("channel", "queue", "issue"),
    "contact_cases_resolved_total": ("channel", "queue", "issue"),
    "contact_cases_reopened_total": ("channel", "queue", "issue"),
    "contact_repeat_contacts_total": ("channel", "queue", "issue"),
    "contact_eligible_contacts_total": ("channel", "queue", "issue"),
    "contact_fcr_cases_total": ("rule", "channel", "queue", "issue", "state"),
    "contact_fcr_failed_total": ("rule", "channel", "reason", "cause"),
    "contact_fcr_cohort_cases": ("rule", "channel", "state", "day"),
    "contact_fcr_cohort_elapsed_cases": ("rule", "day"),
    "contact_fcr_at_risk_cases": ("rule", "age"),
    "contact_fcr_repeated_cases": ("rule", "age"),
    "contact_fcr_queue_cases": ("rule", "channel", "queue", "state", "age"),
    "contact_fcr_cohort_warming_cases": ("rule", "day"),
    "contact_fcr_queue_warming_cases": ("rule", "channel", "queue", "age"),
    "contact_counting_since_timestamp_seconds": (),
    "contact_survey_offered_total": ("channel",),
    "contact_survey_answered_total": ("channel", "resolved"),
    "contact_csat_total": ("channel", "score", "handle_band"),
    "contact_survey_disagreements_total": ("channel",),
    "contact_agent_fcr_eligible_total": ("agent", "channel"),
    "contact_agent_fcr_credited_total": ("agent", "channel"),
    "contact_agent_contacts_total": ("agent", "channel"),
    "contact_agent_repeats_total": ("agent", "channel"),
    "contact_agent_resolutions_total": ("agent", "channel"),
    "contact_agent_resolution_seconds_total": ("agent", "channel"),
}
"""3-metrics 3.2, read once more from its table."""


def test_the_families_are_those_of_the_table() -> None:
    """Every family of the case stage, with its labels in their order; counters and only they have a twin."""
    found = {name: family.labels for name, family in SERVICE.items() if family.stage == 2 and family.scope == "service"}
    assert found == LABELS
    assert list(found) == list(LABELS)
    for name in LABELS:
        family = SERVICE[name]
        assert family.twin is name.endswith("_total")
        assert family.twin is (family.kind == "counter")
        if "channel" in family.values and not family.opted:
            assert family.values["channel"][-1] == "none"
    assert SERVICE["contact_resolutions_total"].labels == ("channel", "confirmed")
    assert SERVICE["contact_resolutions_total"].stage == 1


def test_the_closed_sets_are_those_of_the_events_and_of_the_verdicts() -> None:
    """R13, R24: causes as a disposition names them, reasons in the order in which they are asked."""
    assert (*get_args(Cause), "none") == CAUSES
    order = "escalated follow_up transfer unresolved later_contact reopened repeat survey"
    assert " ".join(FCR_REASONS) == order
    assert set(CASE_STATES) == {"settled", "provisional", "failed", "open"}


def test_a_worker_says_how_far_behind_it_is_on_what_its_stages_tell_each_other() -> None:
    """Holes and losses stand at 0 for every topic a worker reads, so the first one is a rise."""
    names = {"contact_stream_holes_total", "contact_stream_records_lost_total"}
    found = {
        (sample.name, sample.labels["topic"])
        for family in ProcessMetrics().collect()
        for sample in family.samples
        if sample.name in names
    }
    topics = {"calls", "chats", "emails", "agents", "cases", "outcomes", "identities"}
    assert found == {(name, topic) for name in names for topic in topics}
