"""Weekday by hour: every visit and every arrival is in the one hour that its clock on the wall shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from stream.core.contacts.outcome import GIVEN_UP, home_queue
from stream.core.policies.reader import read_policy
from stream.core.reports.heat import Heat, Hour, by_weekday, overall
from stream.core.reports.sums import IntervalCell, Selection
from stream.replay.recorded import from_recording
from stream.wire.cells import read_cell
from tests.reporting import MARCH, OCTOBER, POLICY, past

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.core.policy import Policy
    from stream.core.reports.heat import Matrix
    from stream.replay.known import Known

WEEKDAYS = [["09:00", "17:30"]]
OPENING = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), WEEKDAYS)


def matrix(cells: Iterable[IntervalCell], kind: str, policy: Policy = POLICY, **chosen: Any) -> Matrix:  # noqa: ANN401  fields
    """What a heat map shows."""
    heat = Heat(kind, Selection(policy=policy, series=frozenset(), rows=(), length="hour", **chosen))
    for cell in cells:
        heat.tally.add(cell)
    return heat.matrix()


def clock(at: int, zone: str) -> datetime:
    """The clock on the wall, by the standard library."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone))


def visits(known: Known) -> list[dict[str, Any]]:
    """Every visit, as the contact stage reports it."""
    contacts = [(name, contact) for name, row in known.rows() for contact in row.contacts]
    found: list[dict[str, Any]] = []
    for name, contact in contacts:
        report: Any = known.report_of(name, contact)
        if report["direction"] == "inbound":
            found += report["visits"]
    return found


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu"])
@pytest.mark.parametrize("begin", [MARCH, OCTOBER])
def test_arrivals_by_weekday_and_hour(zone: str, begin: tuple[int, int, int]) -> None:
    """R38: each inbound contact counts in the local hour of its arrival; an hour that comes twice is one."""
    world = past(begin)
    expected: Counter[Hour] = Counter()
    for _, row in world.known.rows():
        for contact in row.contacts:
            if contact.direction in (None, "inbound"):
                local = clock(contact.arrived_at, zone)
                expected[Hour(local.weekday(), local.hour)] += 1
    found = matrix(world.cells, "arrivals", zone=zone)
    assert found.all == expected
    assert found.zones == (zone,)
    assert overall(found.all, "arrivals") == expected.total()
    assert [name for name, _, _ in by_weekday(found)] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert sum(day for _, _, day in by_weekday(found) if isinstance(day, int)) == expected.total()


def test_abandonment_by_weekday_and_hour_within_and_outside_opening_hours() -> None:
    """R38, R48: net abandonment by the local hour in which visits began, told apart by the queue's opening hours."""
    world = past(MARCH)
    policy = read_policy({"queues": {name: {"zone": "Europe/Berlin", "hours": OPENING} for name in POLICY.queues}})
    expected: dict[tuple[Hour, bool], list[int]] = {}
    for visit in visits(world.known):
        if visit["outcome"] not in ("waiting", "abandoned_short"):
            local = clock(visit["entered_at"], "Europe/Berlin")
            inside = local.weekday() < 5 and (9, 0) <= (local.hour, local.minute) < (17, 30)
            counts = expected.setdefault((Hour(local.weekday(), local.hour), inside), [0, 0])
            counts[0] += visit["outcome"] in GIVEN_UP
            counts[1] += 1
    found = matrix(world.cells, "abandonment", policy)
    for inside, half in ((True, found.inside), (False, found.outside)):
        shown = {hour: value for hour, value in half.items() if isinstance(value, tuple) and value[1]}
        assert shown == {hour: tuple(counts) for (hour, when), counts in expected.items() if when == inside}
        assert len(shown) > 5
    assert overall(found.all, "abandonment") == tuple(map(sum, zip(*expected.values(), strict=True)))
    assert overall({}, "abandonment") == (0, 0)


def test_arrivals_of_a_queue_are_its_visits() -> None:
    """R38: within and outside its opening hours, by the quarter in which they began."""
    world = past(MARCH)
    hours = {"queues": {"billing": {"zone": "Europe/Berlin", "hours": OPENING}}}
    found = matrix(world.cells, "arrivals", read_policy(hours), queues=frozenset(("billing",)))
    began = [
        clock(visit["entered_at"], "Europe/Berlin") for visit in visits(world.known) if visit["queue"] == "billing"
    ]
    weekend = [local for local in began if local.weekday() >= 5]
    assert overall(found.all, "arrivals") == len(began)
    assert all(hour.weekday < 5 for hour in found.inside)
    outside = overall(found.outside, "arrivals")
    assert isinstance(outside, int)
    assert outside > len(weekend) > 0
    assert matrix(world.cells, "outside", read_policy(hours), queues=frozenset(("billing",))).all == found.outside


def test_arrivals_outside_opening_hours_by_weekday_and_hour() -> None:
    """R38: each inbound contact by the opening hours of its home queue, and what is left is within them."""
    policy = read_policy({"zone": "Europe/Berlin", "queues": {name: {"hours": OPENING} for name in POLICY.queues}})
    known = from_recording(past(MARCH, 1).events, policy, None, lambda _read, _newest: None)
    found = matrix([read_cell(cell) for cell in known.stages.cells()], "arrivals", policy)
    expected: tuple[Counter[Hour], Counter[Hour]] = (Counter(), Counter())
    for _, row in known.rows():
        for contact in row.contacts:
            local = clock(contact.arrived_at, "Europe/Berlin")
            listed = home_queue(contact) in policy.queues
            inside = not listed or (local.weekday() < 5 and (9, 0) <= (local.hour, local.minute) < (17, 30))
            if contact.direction in (None, "inbound"):
                expected[inside][Hour(local.weekday(), local.hour)] += 1
    assert {hour: count for hour, count in found.outside.items() if count} == expected[False]
    assert {hour: count for hour, count in found.inside.items() if count} == expected[True]
    assert min(half.total() for half in expected) > 20


def test_arrivals_outside_opening_hours_are_taken_from_their_own_counter() -> None:
    """R38: what the contact stage found to be outside is outside, and the rest within."""
    inbound = 'contact_arrivals_total{channel="voice",direction="inbound"}'
    outbound = 'contact_arrivals_total{channel="voice",direction="outbound"}'
    outside = 'contact_arrivals_outside_opening_total{channel="voice"}'
    monday = IntervalCell(
        1, 0, 1_772_442_000_000, "arrival", "voice", "none", "none", {inbound: 7, outbound: 4, outside: 2}
    )
    cells = [monday, replace(monday, shard=1, counts={inbound: 1})]
    found = matrix(cells, "arrivals")
    nine = Hour(0, 9)
    assert (found.all, found.inside, found.outside) == ({nine: 8}, {nine: 6}, {nine: 2})
    assert matrix(cells, "outside").all == {nine: 2}
