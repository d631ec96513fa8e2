"""January 1999 of a real call centre through the whole product, with three workers killed in the middle: exact.

Two states of knowledge are checked, the watermark at 1 and at 9 February: what time alone settles must be settled by
the right watermark, and not before.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter, defaultdict
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from stream.admin.producer import Outgoing
from tests import bank
from tests.centre.house import House, histograms, series_of_page
from tests.centre.scraper import prometheus
from tests.vectors.world import by_labels

if TYPE_CHECKING:
    from pathlib import Path

    from stream.admin.producer import EventProducer
    from stream.demo.scrape import Figures, Labels
    from tests.centre.house import Sight
    from tests.centre.scraper import Scraper
    from tests.conftest import MakeTopics

DAY_SECONDS = 86_400.0
FEBRUARY_SECONDS = 917_827_200.0  # 1 February
# What is sent, and where the watermarks stand then: a minute of disorder lies between.
MOMENTS = (("1999-02-01T00:01:00Z", FEBRUARY_SECONDS), ("1999-02-09T00:01:00Z", FEBRUARY_SECONDS + 8 * DAY_SECONDS))
KILLED = ((0.15, (2, 0)), (0.4, (1, 0)), (0.7, (2, 5)))  # at which share of the month the owner of which shard dies
CASE_FAMILIES = ("contact_cases_opened_total", "contact_eligible_contacts_total", "contact_repeat_contacts_total")
RULES = ("contact", "one_touch")  # those of which the figures are known
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
    """R03, R13, R47: every figure is the known one, at both watermarks; Prometheus saw no reset."""
    events = bank.events_or_skip()
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    layout = make_topics(partitions=8)
    house = House(kafka, layout, tmp_path, CONTACT_STREAM_POLICY=str(policy), CONTACT_STREAM_IDLE_AFTER="never")
    with house.open(), prometheus(house.ports, tmp_path) as scraper, house.producer() as producer:
        house.until(lambda _: True, 60, "both workers share the shards")
        feeding = threading.Thread(target=feed, args=(house, producer, events))
        feeding.start()
        for share, place in KILLED:
            sight = house.until_seen(partial(applied_more_than, share * len(events)), 120, "the month goes on")
            house.kill_owner(place, sight)
        feeding.join()
        told = len(events)
        for number, ((sent, watermark), expected) in enumerate(zip(MOMENTS, bank.expected()["at"], strict=True)):
            told += house.heartbeat(producer, sent, number)
            house.until(partial(applied_all, told), 120, "everything is applied")
            house.until_seen(partial(stands_at, watermark), 60, f"every watermark stands at {sent}")
            # Cells are published at most once a second, Prometheus scrapes every second, and a series that nobody
            # declared stands at 0 in the first scrape that has it.
            await asyncio.sleep(2.5)
            figures = house.look().figures
            own = by_labels(expected["counters"])
            check_pages(figures, own)
            check_rules(figures, expected)
            await check_cells(house, own)
            await check_verdicts(house, expected)
            check_prometheus(scraper, own)
        assert house.supervisor.restarts == len(KILLED)


def feed(house: House, producer: EventProducer, events: list[dict[str, Any]]) -> None:
    """Write the month, in the order of time."""
    calls = house.topic("calls")
    for event in events:
        producer.send(Outgoing(calls, event["contact_id"].encode(), json.dumps(event).encode()))
    producer.flush()


def applied(figures: Figures) -> float:
    """Records applied by all shards."""
    return float(figures.total("contact_stream_records_total", result="applied"))


def applied_all(records: int, figures: Figures) -> bool:
    """Whether so many are, exactly."""
    return applied(figures) == records


def applied_more_than(records: float, sight: Sight) -> bool:
    """Whether so many are, and the case stage has seen something of them."""
    return applied(sight.figures) > records and sight.figures.total("contact_cases_opened_total") > 0


def stands_at(seconds: float, sight: Sight) -> bool:
    """Whether every shard of both stages has come so far."""
    return sight.stands_at(seconds)


def of_known_rules(series: dict[str, float]) -> dict[str, float]:
    """Without the rules of which nothing is known."""
    known = tuple(f'rule="{rule}"' for rule in RULES)
    return {name: value for name, value in series.items() if "rule=" not in name or any(k in name for k in known)}


def check_pages(figures: Figures, own: dict[str, float]) -> None:
    """Counters and gauges, family by family: what is not expected is 0."""
    families = {name.partition("{")[0] for name in own}
    for family in {name for name in families if not name.endswith(("_count", "_sum", "_bucket"))}:
        wanted = {name: value for name, value in own.items() if name.partition("{")[0] == family}
        assert of_known_rules(series_of_page(figures, family)) == wanted, family
    assert not any(figures.family("contact_unaccounted").values())
    assert not figures.total("contact_cases_open")


def check_rules(figures: Figures, expected: dict[str, Any]) -> None:
    """S, P, F and O of each rule, why cases failed, and the cohorts of the last W and two days."""
    shown_from = (date.fromisoformat(expected["watermark"][:10]) - timedelta(days=7 + 2)).isoformat()
    for rule in RULES:
        credited, settled, failed = (
            figures.total("contact_fcr_cases_total", rule=rule, state=state)
            for state in ("credited", "settled", "failed")
        )
        waiting = figures.total("contact_cases_opened_total") - credited - failed
        states = {"settled": settled, "provisional": credited - settled, "failed": failed, "open": waiting}
        assert {state: count for state, count in states.items() if count} == expected["fcr_states"][rule]
        reasons = summed_by("reason", figures.family("contact_fcr_failed_total"), rule)
        assert reasons == expected["fcr_reasons"][rule]
        cohorts = figures.family("contact_fcr_cohort_cases")
        for state in states:
            found = summed_by("day", {labels: n for labels, n in cohorts.items() if ("state", state) in labels}, rule)
            known = expected["fcr_cohorts"][rule].items()
            assert found == {day: counts[state] for day, counts in known if day >= shown_from and state in counts}


def summed_by(label: str, family: dict[Labels, float], rule: str) -> dict[str, float]:
    """What a rule's series add up to, by one of their labels; zeros left out."""
    found: dict[str, float] = defaultdict(float)
    for labels, amount in family.items():
        if ("rule", rule) in labels and amount:
            found[dict(labels)[label]] += amount
    return dict(found)


async def check_cells(house: House, own: dict[str, float]) -> None:
    """Histograms, and the case families by the arrival of the first contact, are in the cells."""
    outcome = histograms(await house.cells("outcome"))
    wanted = {n: value for n, value in own.items() if n.partition("{")[0].endswith(("_count", "_sum"))}
    assert {name: value for name, value in outcome.items() if name in own} == wanted
    arrival = of_known_rules(by_labels(await house.cells("arrival")))
    cases = ("contact_fcr_", *CASE_FAMILIES)
    wanted = {name: value for name, value in own.items() if name.startswith(cases)}
    assert {name: value for name, value in arrival.items() if name.startswith(cases) and value} == wanted


async def check_verdicts(house: House, expected: dict[str, Any]) -> None:
    """The newest verdict of each case: how many cases, of how many contacts, in which cohorts and states."""
    told = await house.verdicts()
    assert len(told) == expected["cases"]
    several = sum(each["contacts_total"] > 1 for each in told.values())
    assert several == expected["cases_with_more_than_one_contact"]
    for rule in RULES:
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for each in told.values():
            said = each["rules"][rule]
            if said is not None:
                found[said["cohort"]][said["state"]] += 1
        assert found == expected["fcr_cohorts"][rule]


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
