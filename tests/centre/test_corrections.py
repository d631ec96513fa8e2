"""A figure that was settled and falls all the same is said in the open: one record for each series that fell."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from stream.admin.producer import Outgoing
from stream.core.policy import DAY_MS, HOUR_MS
from stream.wire.times import format_time
from tests.centre.history import START, History
from tests.centre.house import House
from tests.faults.harness import read_all

if TYPE_CHECKING:
    from pathlib import Path

    from stream.admin.producer import EventProducer
    from tests.centre.history import Told
    from tests.conftest import MakeTopics

WINDOW_MS = 7 * DAY_MS
DISORDER_MS = 60_000
CUSTOMERS = [f"u{number}" for number in range(9)]
CALLED_AGAIN = CUSTOMERS[:4]
CHATTED = CUSTOMERS[4:6]  # in another channel: no repeat where only the first contact's channel counts
OVERALL = ("contact", "one_touch")
FALLING = ("contact_fcr_cases_total", "contact_full_resolution_seconds")
POLICY = """\
[queues.care]
channels = ["voice", "chat"]
"""


async def test_a_late_repeat_of_a_settled_case_is_a_correction(
    kafka: str, make_topics: MakeTopics, tmp_path: Path
) -> None:
    """R05: settled cases that fail by a repeat told late (within the lateness) are corrected, once, and no others."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    layout = make_topics(partitions=4)
    house = House(kafka, layout, tmp_path, CONTACT_STREAM_POLICY=str(policy), CONTACT_STREAM_IDLE_AFTER="never")
    with house.open(), house.producer() as producer:
        tell(house, producer, contacts("first", CUSTOMERS, "calls", START))
        tick = START + WINDOW_MS + HOUR_MS
        house.heartbeat(producer, format_time(tick + DISORDER_MS), 1)
        house.until(
            lambda f: f.total("contact_fcr_cases_total", rule="contact", state="settled") == len(CUSTOMERS),
            60,
            "every case is settled",
        )
        assert await corrections(house) == []
        at = START + WINDOW_MS - HOUR_MS
        late = [*contacts("again", CALLED_AGAIN, "calls", at), *contacts("chat", CHATTED, "chats", at)]
        tell(house, producer, late)
        repeated = len(CALLED_AGAIN) + len(CHATTED)
        figures = house.until(
            lambda f: (
                f.total("contact_fcr_cases_total", rule="contact", state="failed") == repeated
                and f.total("contact_contacts_total", outcome="handled") == len(CUSTOMERS) + repeated
            ),
            60,
            "the late repeats are counted",
        )
        told = await corrections(house)
        fell = sum(figures.total("contact_stream_corrections_total", family=family) for family in FALLING)
    check_corrections(told, {(one.event["event_id"], one.key.partition("-")[2]) for one in late})
    assert fell == len(told)
    assert figures.total("contact_fcr_cases_total", rule="channel", state="settled") == 5
    assert figures.total("contact_fcr_cases_total", rule="contact", state="settled") == 3


def check_corrections(told: list[dict[str, Any]], late: set[tuple[str, str]]) -> None:
    """Each case fell once in each series that had it as credited, as settled, or as resolved within the hour.

    Each record says so, and by what.

    Args:
        told: corrections.
        late: event and customer of everything that came late.
    """
    expected: Counter[tuple[str, str]] = Counter()
    for customer in (*CALLED_AGAIN, *CHATTED):
        case = f"contact:first-{customer}/{START}/{customer}"
        expected[f'{FALLING[1]}_bucket{{channel="voice",issue="none",le="3600.0"}}', case] += 1  # resolved anew
        rules = (*OVERALL, "channel") if customer in CALLED_AGAIN else OVERALL
        for rule in rules:
            for state in ("credited", "settled"):
                labels = f'rule="{rule}",channel="voice",queue="care",issue="none",state="{state}"'
                expected[f"{FALLING[0]}{{{labels}}}", case] += 1
    assert Counter((each["cell"], each["case_id"]) for each in told) == expected
    assert all(each["old"] - each["new"] == 1 for each in told)
    assert len({each["id"] for each in told}) == len(told)
    assert {(each["cause"], each["case_id"].split("-")[1].partition("/")[0]) for each in told} <= late


def contacts(name: str, customers: list[str], topic: str, at: int) -> list[Told]:
    """One handled contact of each customer."""
    history = History(0)
    for customer in customers:
        contact_id = f"{name}-{customer}"
        events = (
            (0, "contact.started", {"customer": customer}),
            (1_000, "queue.entered", {"queue": "care"}),
            (9_000, "agent.connected", {"agent": "anna", "queue": "care"}),
            (300_000, "contact.ended", {"by": "customer"}),
        )
        for after, what, fields in events:
            history.tell(topic, contact_id, at + after, what, contact_id=contact_id, **fields)
    return history.told


def tell(house: House, producer: EventProducer, told: list[Told]) -> None:
    """Write it."""
    for one in told:
        producer.send(Outgoing(house.topic(one.topic), one.key.encode(), one.value))
    producer.flush()


async def corrections(house: House) -> list[dict[str, Any]]:
    """What the case stage said of published figures that fell."""
    told = [json.loads(record.value) async for record in read_all(house.kafka, [house.topic("corrections")])]
    return [each for each in told if each["stage"] == 2]
