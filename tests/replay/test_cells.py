"""Interval cells of a replay and of the topic: of each only the latest counts, and the real month comes to its days."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from stream.core.figures.families import SERVICE
from stream.core.reports.periods import LENGTHS, periods
from stream.core.reports.sheets import CONTACTS, QUEUES, queue_counts
from stream.core.reports.sums import total
from stream.core.trouble import Trouble
from stream.replay.cells import from_lines, from_topic
from stream.replay.lines import records
from stream.replay.run import replay
from stream.wire.cells import read_cell
from stream.wire.json import dumps
from stream.wire.times import parse_time
from tests import bank
from tests.replay.centre import Centre
from tests.reporting import MARCH, POLICY, past, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.core.reports.sums import IntervalCell, Key, RowName


@pytest.fixture(scope="module")
def month() -> list[dict[str, Any]]:
    """The events of the real month; skipped on a laptop without them, failing in CI."""
    return bank.events_or_skip()


@pytest.fixture(scope="module")
def cells(month: list[dict[str, Any]]) -> list[IntervalCell]:
    """Its cells, as `replay --cells` writes them."""
    lines = (json.dumps({"topic": "calls", "event": event}).encode() for event in month)
    written: list[bytes] = []
    until = parse_time("1999-02-01T00:00:00Z")
    replay(records(lines, "the month"), bank.policy(), until, lambda _read, _at: None, written.extend)
    return list(from_lines(written, "the cells", lambda _key: True, lambda _read, _at: None))


def day_of(name: RowName) -> str:
    """The UTC day of a row."""
    return periods("UTC", "day").local(name.period.start).date().isoformat()


def test_the_days_of_the_real_month(cells: list[IntervalCell], month: list[dict[str, Any]]) -> None:
    """R09, R37, R54: the day sums of visits and contacts are the known figures of every day.

    Those are by the arrival of the contact, a visit counts where it began: the few who came to the queue after midnight
    are moved back, as the recording itself tells.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for name, sums in rows(cells, QUEUES, policy=bank.policy()).items():
        day, counts = found[day_of(name)], queue_counts(sums)
        day.update({f"visit_{outcome}": count for outcome, count in counts.outcomes.items()})
        day["answered_in_target"] += counts.answered_in_target
        day["wait_answered_ms"] += sums.get(("contact_wait_seconds_sum", "answered"), 0)
    for name, sums in rows(cells, CONTACTS, policy=bank.policy()).items():
        day = found[day_of(name)]
        day.update({f"contact_{key[1]}": n for key, n in sums.items() if key[0] == "contact_contacts_total"})
        day["arrivals"] += sums.get(("contact_arrivals_total", "inbound"), 0)
    moved = after_midnight(month)
    for began, arrived, visit in moved:
        found[began].subtract(visit)
        found[arrived].update(visit)
    expected = bank.expected()["at"][0]["days"]
    known = {day: {name: n for name, n in counts.items() if name != "handle_ms"} for day, counts in expected.items()}
    assert {day: dict(+counts) for day, counts in found.items()} == known
    assert (len(known), 0 < len(moved) < 20) == (29, True)


def after_midnight(month: list[dict[str, Any]]) -> list[tuple[str, str, dict[str, int]]]:
    """Visits that began on another day than their contact: that day, the contact's day, and what they counted."""
    told: dict[str, dict[str, Any]] = defaultdict(dict)
    for event in month:
        told[event["contact_id"]][event["type"]] = event
    found = []
    for events in told.values():
        arrived, began = (
            events.get(kind, {}).get("occurred_at", "")[:10] for kind in ("contact.started", "queue.entered")
        )
        if began in ("", arrived):
            continue
        answer = events.get("agent.connected")
        wait = (answer or events["queue.left"])["wait_ms"]
        counts = {"visit_abandoned_short" if wait <= 5000 else "visit_abandoned": 1}
        if answer is not None:
            counts = {"visit_answered": 1, "answered_in_target": int(wait <= 20_000), "wait_answered_ms": wait}
        found.append((began, arrived, counts))
    return found


def test_handle_time_of_the_real_month_lies_where_the_call_ended(
    cells: list[IntervalCell], month: list[dict[str, Any]]
) -> None:
    """R31: by the day on which the contact ended; over the month it is the known sum."""
    connected: dict[str, datetime] = {}
    expected: Counter[str] = Counter()
    for event in month:
        at = datetime.fromisoformat(event["occurred_at"])
        if event["type"] == "agent.connected":
            connected[event["contact_id"]] = at
        elif event["type"] == "contact.ended" and event["contact_id"] in connected:
            spent = max(at, connected[event["contact_id"]]) - connected[event["contact_id"]]
            expected[at.astimezone(UTC).date().isoformat()] += round(spent.total_seconds() * 1000)
    found: Counter[str] = Counter()
    for name, sums in rows(cells, QUEUES, policy=bank.policy()).items():
        found[day_of(name)] += sums.get(("contact_handle_seconds_sum",), 0)
    assert +found == +expected
    assert found.total() == sum(day["handle_ms"] for day in bank.expected()["at"][0]["days"].values())


@pytest.mark.parametrize("attribution", ["arrival", "outcome"])
def test_every_length_comes_to_the_month(cells: list[IntervalCell], attribution: str) -> None:
    """R09: quarters, half hours, hours, days and weeks of the real month add up to the month, which is the counters."""
    sums = [
        total(rows(cells, QUEUES, policy=bank.policy(), length=length, attribution=attribution).values())
        for length in LENGTHS
    ]
    assert all(each == sums[0] for each in sums)
    wanted: Counter[str] = Counter()
    for name, value in bank.expected()["at"][0]["counters"].items():
        wanted[name.partition("{")[0]] += round(1000 * value) if "_seconds_sum" in name else value
    assert sums[0]["contact_visits_entered_total",] == wanted["contact_visits_entered_total"]
    assert sums[0]["contact_handle_seconds_sum",] == wanted["contact_handle_seconds_sum"]
    assert sum(queue_counts(sums[0]).outcomes.values()) == wanted["contact_visits_total"]


def test_the_topic_of_a_live_centre() -> None:
    """R54: cells are told again and again while they change; the latest of each, of all shards, are the counters."""
    centre = Centre(POLICY, partitions=3)
    events = past(MARCH, 1).events
    for begin in range(0, len(events), len(events) // 4):
        centre.feed(events[begin : begin + len(events) // 4])
        centre.publish()
    told = [record for part in centre.topics["intervals"] for record in part]
    found = list(from_topic(centre, range(3), lambda _key: True))
    assert len(told) > len(found) == len({record.key for record in told})
    assert summed(found) == net(centre)


def summed(found: list[IntervalCell]) -> dict[Key, int]:
    """The table of queues as a whole, by arrival."""
    return {key: amount for key, amount in total(rows(found, QUEUES).values()).items() if amount}


def net(centre: Centre) -> dict[Key, int]:
    """The same of the counters of all shards."""
    sums: Counter[Key] = Counter()
    for (family, *labels), amount in centre.counters.items():
        name = str(family)
        if SERVICE[name].kind == "histogram":
            name += "_sum" if labels[-1] == "sum" else "_bucket"
        if name in QUEUES.series:
            own = [str(value) for value in labels[2:] if value != "sum"]
            sums[name, *own] += amount
    return dict(sums)


def lines_of(*counts: int) -> Iterator[bytes]:
    """The same cell with other counts, as lines."""
    for number, count in enumerate(counts):
        place = {"stage": 1, "shard": 0, "start": 0, "by": "arrival", "channel": "voice", "queue": "q", "issue": "none"}
        yield dumps({**place, "version": number, "counts": {"contact_handled_total{}": count}})


def test_of_a_file_the_last_line_of_a_cell_counts() -> None:
    """Empty lines are passed over, what is not wanted is left out, and progress is told."""
    seen: list[int] = []
    lines = [*lines_of(3, 5), b"\n"]
    [cell] = from_lines(lines, "x", lambda _key: True, lambda read, _start: seen.append(read))
    assert (cell.counts, seen) == ({"contact_handled_total{}": 5}, [1, 2])
    assert list(from_lines(lines, "x", lambda key: not key.startswith(b"1/"), lambda _read, _start: None)) == []


def test_a_line_that_is_no_cell_is_told_with_its_number() -> None:
    """And with what was expected."""
    with pytest.raises(Trouble, match=r"cannot read line 2 of old\.jsonl; .*replay --cells"):
        list(from_lines([*lines_of(1), b'{"topic": "calls"}'], "old.jsonl", lambda _key: True, lambda _read, _at: None))


def test_cells_of_a_replay_are_those_of_the_shards() -> None:
    """Each cell once, named as on the topic."""
    stages = past(MARCH).known.stages
    written = [read_cell(cell) for cell in stages.cells()]
    keys = [cell.key for cell in written]
    assert len(set(keys)) == len(keys) == len(stages.contacts.book.cells) + len(stages.cases.book.cells)
    assert {cell.stage for cell in written} == {1, 2}
