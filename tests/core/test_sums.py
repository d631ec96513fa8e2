"""Interval cells added up: any periods that cover a span come to the same, and that is what the contacts say."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from stream.core.figures.families import SERVICE
from stream.core.reports.periods import LENGTHS
from stream.core.reports.sheets import QUEUES, SHEETS, sheet
from stream.core.reports.sums import ATTRIBUTIONS, side, total
from tests.reporting import MARCH, OCTOBER, past, recount, rows, wall

if TYPE_CHECKING:
    from stream.replay.known import Known

ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe")
COUNTS = ("offered", "answered", "in_target", "abandoned", "short", "lost", "other", "handled")
COLUMNS = (*COUNTS, "wait_ms", "handle_ms")


@pytest.mark.parametrize("begin", [MARCH, OCTOBER], ids=["forward", "back"])
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_every_row_is_what_its_contacts_say(begin: tuple[int, int, int], zone: str, attribution: str) -> None:
    """R09, R37, R54: rows of every length are a recount contact by contact, over both changes of the clock."""
    world = past(begin)
    for length in LENGTHS:
        counted = recount(world.known, zone, length, attribution)
        found = {}
        for name, sums in rows(world.cells, QUEUES, length=length, zone=zone, attribution=attribution).items():
            values = QUEUES.of(sums)
            counts = {column: values[column] for column in COUNTS}
            counts["wait_ms"] = numerator(values["speed_of_answer"])
            counts["handle_ms"] = numerator(values["handle_time"])
            place = (wall(zone, length, name.period.start), *name.labels)
            found[place] = {column: count for column, count in counts.items() if count}
        assert found == {place: dict(+counts) for place, counts in counted.items()}
        assert {column for counts in found.values() for column in counts} == set(COLUMNS)


def numerator(value: object) -> int:
    """The sum of a mean."""
    assert isinstance(value, tuple)
    return int(value[0])


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_neighbours_add_up_to_the_whole(name: str, attribution: str) -> None:
    """R09, R39: quarters, hours, days, weeks and months of a table all come to the counters, whatever the zone."""
    world = past(MARCH)
    table = sheet(name, "contact")
    expected = counters(world.known, table.series)
    for length in LENGTHS:
        for zone in ZONES[1:3]:
            found: Counter[str] = Counter()
            for sums in rows(world.cells, table, length=length, zone=zone, attribution=attribution).values():
                for (series, *_), amount in sums.items():
                    found[series] += amount
            assert +found == expected


def counters(known: Known, series: frozenset[str]) -> Counter[str]:
    """What both stages have counted of these series, net, by name."""
    found: Counter[str] = Counter()
    for (family, *labels), (amount, fell) in known.stages.counters.items():
        name = str(family)
        if SERVICE[name].kind == "histogram":
            name += "_sum" if labels[-1] == "sum" else "_bucket"
        if name in series:
            found[name] += amount - fell
    return +found


def test_a_fact_is_taken_from_one_side_only() -> None:
    """What stands by arrival only or by outcome only is taken from there, all else from where it was asked for."""
    for attribution in ATTRIBUTIONS:
        assert side(("contact_visits_total", "answered"), attribution) == attribution
        assert side(("contact_visits_entered_total",), attribution) == "arrival"
        assert side(("contact_handle_seconds_sum",), attribution) == "outcome"
        assert side(("contact_steps_total", "entered"), attribution) == "arrival"
        assert side(("contact_steps_total", "abandoned"), attribution) == attribution
        assert side(("contact_callbacks_total", "requested"), attribution) == "arrival"
        assert side(("contact_callbacks_total", "reached"), attribution) == attribution
        assert side(("contact_cases_opened_total",), attribution) == "arrival"
    assert QUEUES.sides("outcome")["offered"] == "arrival"
    assert QUEUES.sides("arrival")["handle_time"] == "outcome"
    assert QUEUES.sides("arrival")["service_level"] == "arrival"


def test_a_selection_takes_whole_quarters_of_what_was_asked_for() -> None:
    """Spans put end to end come to the whole, and so do channels, and queues."""
    world = past(MARCH)
    whole = total(rows(world.cells, QUEUES).values())
    middle = world.cells[len(world.cells) // 2].start
    halves = [rows(world.cells, QUEUES, end=middle), rows(world.cells, QUEUES, begin=middle)]
    assert total(sums for half in halves for sums in half.values()) == whole
    places = {(cell.channel, cell.queue) for cell in world.cells}
    for number, label in enumerate(("channels", "queues")):
        parts = [rows(world.cells, QUEUES, **{label: frozenset((place[number],))}) for place in places]
        assert len(parts) > 1
        names = {place[number] for place in places}
        single = [rows(world.cells, QUEUES, **{label: frozenset((name,))}) for name in names]
        assert total(sums for part in single for sums in part.values()) == whole
