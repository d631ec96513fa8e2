"""January 1999 of a real call centre through the whole product, with three workers killed in the middle: exact."""

from __future__ import annotations

import asyncio
import json
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from stream.admin.producer import Outgoing
from tests import bank
from tests.centre.house import House, histograms, series_of_page
from tests.centre.scraper import prometheus
from tests.vectors.waiting import waits
from tests.vectors.world import by_labels

if TYPE_CHECKING:
    from pathlib import Path

    from stream.admin.producer import EventProducer
    from stream.demo.scrape import Figures
    from tests.centre.scraper import Scraper
    from tests.conftest import MakeTopics

FEBRUARY = "1999-02-01T00:01:00Z"  # with the disorder of a minute the watermark stands at 1 February
FEBRUARY_SECONDS = 917_827_200.0
POLICY = """\
short_abandon_ms = 5001
[queues]
IN = {}
NE = {}
NW = {}
PE = {}
PS = {}
TT = {}
[steps]
menu = ["vru"]
"""


async def test_the_real_month_through_three_kills(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """Every visit, step, wait, service level, handle and contact figure is the known one; Prometheus saw no reset."""
    events = bank.events_or_skip()
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    layout = make_topics(partitions=8)
    house = House(kafka, layout, tmp_path, CONTACT_STREAM_POLICY=str(policy), CONTACT_STREAM_IDLE_AFTER="never")
    with house.open(), prometheus(house.ports, tmp_path) as scraper, house.producer() as producer:
        house.until(lambda _: True, 60, "both workers share the shards")
        feeding = threading.Thread(target=feed, args=(house, producer, events))
        feeding.start()
        for number, share in enumerate((0.15, 0.4, 0.7)):
            house.until(partial(applied_more_than, share * len(events)), 120, "the month goes on")
            house.kill(number)
        feeding.join()
        beats = house.heartbeat(producer, FEBRUARY, 1)
        figures = house.until(lambda f: applied(f) == len(events) + beats, 120, "everything is applied")
        figures = house.until(at_february, 30, "every watermark stands at 1 February")
        expected = by_labels(bank.expected()["at"][0]["counters"])
        own = {name: value for name, value in expected.items() if not waits(name)}
        check_pages(figures, own)
        await asyncio.sleep(2.5)  # cells are published at most once a second, and Prometheus scrapes every second
        assert {n: v for n, v in histograms(await house.cells("outcome")).items() if n in own} == {
            name: value for name, value in own.items() if name.partition("{")[0].endswith(("_count", "_sum"))
        }
        check_prometheus(scraper, own)
        assert house.supervisor.restarts == 3


def feed(house: House, producer: EventProducer, events: list[dict[str, Any]]) -> None:
    """Write the month, in the order of time."""
    calls = house.topic("calls")
    for event in events:
        producer.send(Outgoing(calls, event["contact_id"].encode(), json.dumps(event).encode()))
    producer.flush()


def applied(figures: Figures) -> float:
    """Records applied by all shards."""
    return float(figures.total("contact_stream_records_total", result="applied"))


def applied_more_than(records: float, figures: Figures) -> bool:
    """Whether so many are."""
    return applied(figures) > records


def at_february(figures: Figures) -> bool:
    """Whether every shard has come to the end of January."""
    watermarks = figures.family("contact_stream_watermark_seconds")
    return bool(watermarks) and set(watermarks.values()) == {FEBRUARY_SECONDS}


def check_pages(figures: Figures, own: dict[str, float]) -> None:
    """Counters and gauges, family by family: what is not expected is 0."""
    families = {name.partition("{")[0] for name in own}
    for family in {name for name in families if not name.endswith(("_count", "_sum", "_bucket"))}:
        wanted = {name: value for name, value in own.items() if name.partition("{")[0] == family}
        assert series_of_page(figures, family) == wanted, family
    assert not any(figures.family("contact_unaccounted").values())


def check_prometheus(scraper: Scraper, own: dict[str, float]) -> None:
    """It ends with the same totals, and no service counter ever went back."""
    for name, value in own.items():
        family, _, labels = name.partition("{")
        if not family.endswith("_total"):
            continue
        twin = f"{family.removesuffix('_total')}_retracted_total"
        [(_, net)] = scraper.query(f"sum({family}{{{labels}) - sum({twin}{{{labels})")
        assert net == value, name
    shown = scraper.query('count by (__name__) ({__name__=~"contact_.*_total",partition!=""})')
    counters = [labels["__name__"] for labels, _ in shown]
    assert len(counters) > 20
    for counter in counters:
        assert scraper.query(f'resets({counter}{{partition!=""}}[30m]) > 0') == [], counter
