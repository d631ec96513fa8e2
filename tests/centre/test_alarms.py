"""The shipped alerts on a real Kafka and a real Prometheus, in front of the simulated centre at a hurried pace.

An outage floods two queues of the centre: the alert about abandonment fires for these two while the flood lasts, for no
other, and is over when the flood is. On a calm day nothing fires.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from stream.cli.simulate import KafkaSink
from stream.demo.scenario import SCENARIOS
from tests.centre.house import House
from tests.centre.hurried import IDLE_AFTER, HurriedCentre, hurried_copy, hurried_policy, hurry, without_durations
from tests.centre.scraper import SHIPPED, prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.centre.scraper import Scraper
    from tests.conftest import MakeTopics

SPIKE = "ContactAbandonmentSpike"
OUTAGE = SCENARIOS["outage-spike"]
FLOODED = {surge.queue for surge in OUTAGE.surges}
FLOOD_BEGINS = min(surge.starts_ms for surge in OUTAGE.surges) / 60_000
FLOOD_ENDS = max(surge.ends_ms for surge in OUTAGE.surges) / 60_000
CALM_MINUTES = 40
LONGEST_MINUTES = 140


@contextmanager
def centre(scenario: str, kafka: str, make_topics: MakeTopics, folder: Path) -> Iterator[tuple[HurriedCentre, Scraper]]:
    """Two workers, Prometheus with the shipped rules at the hurried pace, and a centre that has just opened."""
    layout = make_topics(partitions=2)
    policy = folder / "policy.toml"
    policy.write_text(hurried_policy(SCENARIOS[scenario]))
    house = House(kafka, layout, folder, CONTACT_STREAM_POLICY=str(policy), CONTACT_STREAM_IDLE_AFTER=IDLE_AFTER)
    shipped = hurried_copy(SHIPPED, folder / "shipped")
    (folder / "prometheus").mkdir()
    with house.open(), house.producer() as producer:
        house.until_seen(lambda _: True, 90, "the workers show every shard")
        with prometheus(house.ports, folder / "prometheus", shipped) as scraper:
            yield HurriedCentre(scenario, KafkaSink(producer, layout.prefix)), scraper


def firing(scraper: Scraper) -> list[dict[str, Any]]:
    """The alerts that fire now."""
    return [alert for alert in scraper.alerts() if alert["state"] == "firing"]


def fresh(scraper: Scraper) -> set[str]:
    """The channels whose gate is open: what does not fire there does not fire because nothing is wrong."""
    return {labels["channel"] for labels, value in scraper.query("channel:contact_data_fresh:gate") if value == 1}


def test_only_durations_change() -> None:
    """At another pace every rule is the shipped one byte for byte, but for its durations."""
    changed = 0
    for path in (*(SHIPPED / "rules").glob("*.yml"), *(SHIPPED / "alerts").glob("*.yml")):
        text = path.read_text()
        hurried = hurry(text)
        assert without_durations(hurried) == without_durations(text), path.name
        changed += sum(one != other for one, other in zip(text.splitlines(), hurried.splitlines(), strict=True))
    assert changed > 300
    assert (
        hurry("[15m] offset 1w\nfor: 2m\n > 10 * 60", 60)
        == "[15000ms] offset 10080000ms\nfor: 2000ms\n > 0.166667 * 60"
    )


@pytest.mark.timeout(240)
def test_an_outage_pages_for_the_flooded_queues(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """R47: abandonment pages while the flood lasts, for its queues alone, with words for a person; then it is over."""
    told: dict[str, dict[str, Any]] = {}
    with centre("outage-spike", kafka, make_topics, tmp_path) as (house, scraper):
        over = False
        for minute in house.live(LONGEST_MINUTES):
            now = [alert for alert in firing(scraper) if alert["labels"]["alertname"] == SPIKE]
            told |= {alert["labels"]["queue"]: alert for alert in now}
            over = minute > FLOOD_ENDS and not now and fresh(scraper) >= {"voice", "chat"}
            if over:
                break
        fired = scraper.history('ALERTS{alertstate="firing"}', house.start / 1000, house.start / 1000 + 300)
    assert over
    about_abandonment = [
        (labels, moments) for labels, moments in fired if labels["alertname"].startswith("ContactAbandonment")
    ]
    assert {labels["queue"] for labels, _ in about_abandonment} == FLOODED
    began = {
        labels["queue"]: house.minute(moments[0])
        for labels, moments in about_abandonment
        if labels["alertname"] == SPIKE and labels["channel"] == "voice"
    }
    assert began.keys() == FLOODED
    assert all(FLOOD_BEGINS < minute < FLOOD_ENDS for minute in began.values()), began
    assert min(began.values()) < FLOOD_BEGINS + 25
    assert told.keys() == FLOODED
    for queue, alert in told.items():
        said = alert["annotations"]
        assert queue in said["summary"]
        assert "%" in said["description"]
        assert said["runbook_url"] == f"deploy/runbooks/{SPIKE}.md"


@pytest.mark.timeout(180)
def test_a_calm_day_alarms_nobody(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """Callers come and are served, the gates are open, and not one alert of any kind fires."""
    was_fresh = 0
    with centre("calm", kafka, make_topics, tmp_path) as (house, scraper):
        for _ in house.live(CALM_MINUTES):
            assert firing(scraper) == []
            was_fresh += fresh(scraper) >= {"voice", "chat"}
        fired = scraper.history('ALERTS{alertstate="firing"}', house.start / 1000, house.start / 1000 + 300)
        [(_, answered)] = scraper.query('sum(last_over_time(contact_visits_total{outcome="answered"}[10s]))')
        [(_, behind)] = scraper.query("time() - min(last_over_time(contact_stream_watermark_seconds[10s]))")
    assert fired == []
    assert answered > 80
    assert behind < 10  # there is an event time, which the workers take for now
    assert was_fresh > 10
