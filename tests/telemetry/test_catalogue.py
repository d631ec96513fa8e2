"""The catalogue keeps the rules of 3-metrics 3.1 for every family it has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.core.figures.families import SERVICE, bounds_ms
from stream.telemetry.catalogue import CATALOGUE, exposed, series_names, table
from stream.telemetry.document import page

if TYPE_CHECKING:
    from stream.telemetry.catalogue import Exposed

ALLOWED_LABELS = frozenset(
    [
        "channel",
        "direction",
        "queue",
        "issue",
        "rule",
        "outcome",
        "state",
        "reason",
        "cause",
        "step",
        "kind",
        "by",
        "day",
        "age",
        "confirmed",
        "resolved",
        "score",
        "handle_band",
        "menu_steps",
        "team",
        "status",
        "group",
        "site",
        "owner",
        "version",
        "hash",
        "result",
        "family",
        "table",
        "source",
        "topic",
        "stage",
        "shard",
        "partition",
        "python",
        "faust",
        "kafka",
        "le",
        "agent",
    ]
)
HOUR_MS = 3_600_000


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
def test_labels_come_from_the_closed_set(entry: Exposed) -> None:
    """No label outside the list of 3.1, so no customer, contact or case id can become one."""
    assert set(entry.labels) <= ALLOWED_LABELS
    assert ("agent" in entry.labels) is entry.family.opted


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
def test_partition_says_that_a_figure_belongs_to_a_shard(entry: Exposed) -> None:
    """Every figure of the state has `partition`; what a process or the policy says never has."""
    in_state = entry.family.scope in {"service", "program"}
    assert ("partition" in entry.labels) is in_state
    assert ("stage" in entry.labels and in_state) is (entry.family.scope == "program")


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
def test_names_follow_prometheus(entry: Exposed) -> None:
    """Prefix, `_total` on counters alone, base units, a sentence of help."""
    assert entry.name.startswith("contact_stream_" if entry.family.scope in {"program", "process"} else "contact_")
    assert entry.name.endswith("_total") is (entry.family.kind == "counter")
    assert "_ms" not in entry.name
    assert entry.help.endswith(".")


def test_every_service_counter_has_its_twin() -> None:
    """A total without its twin would make a difference in PromQL drop the series (3.1)."""
    for family in SERVICE.values():
        if family.kind == "counter" and family.scope == "service":
            assert family.twin, family.name
            assert exposed(family.twin_name).labels == exposed(family.name).labels
        elif family.name != "contact_stream_quality_total":
            assert not family.twin, family.name
    assert "contact_visits_retracted_total" in series_names()
    assert "contact_talk_seconds_retracted_total" in series_names()
    assert "contact_stream_quality_retracted_total" in series_names()


def test_series_names_are_unique() -> None:
    """No two families are stored under one name."""
    names = [name for entry in CATALOGUE.values() for name in entry.samples]
    assert len(names) == len(set(names))


def test_a_name_outside_the_catalogue_is_refused() -> None:
    """What is not declared cannot be exported."""
    with pytest.raises(KeyError, match="not in the catalogue"):
        exposed("contact_made_up_total")


def test_bounds_are_those_of_the_specification() -> None:
    """Seconds for talking channels, hours for e-mail; R42's edges at 1, 2, 6, 12 and 24 h are among them."""
    seconds = tuple(bound // 1000 for bound in bounds_ms("contact_wait_seconds", "voice"))
    assert seconds == (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 1800, 3600, 7200)
    assert bounds_ms("contact_first_response_seconds", "sms") == bounds_ms("contact_handle_seconds", "chat")
    hours = tuple(bound // HOUR_MS for bound in bounds_ms("contact_next_response_seconds", "email"))
    assert hours == (1, 2, 3, 4, 5, 6, 12, 24, 48, 72, 168)
    with pytest.raises(KeyError):
        bounds_ms("contact_visits_total", "voice")


def test_handle_time_has_no_email() -> None:
    """R32: there is no handle time of e-mail."""
    for name in ("contact_handle_seconds", "contact_handled_total", "contact_talk_seconds_total"):
        assert "email" not in SERVICE[name].values["channel"]


def test_the_page_has_every_family_once() -> None:
    """`docs/metrics.md` is made from the table, so nothing exported is undocumented."""
    text = page()
    assert len(table()) == sum(not entry.retracted for entry in CATALOGUE.values())
    for entry in CATALOGUE.values():
        if not entry.retracted:
            assert text.count(f"\n| `{entry.name}`") == 1, entry.name


def test_the_page_is_in_step() -> None:
    """`docs/metrics.md` is what `python -m stream.telemetry.document` writes."""
    assert (Path(__file__).parents[2] / "docs" / "metrics.md").read_text() == page()
