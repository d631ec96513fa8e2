"""Another system's report, made by each of our definitions in turn: the definition is found again."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import pytest

from stream.core.reports.nearest import COLUMNS, match
from stream.core.reports.sheets import QUEUES
from stream.core.reports.sums import ATTRIBUTIONS
from tests.reporting import BUSY, MARCH, past, recount, rows, wall

if TYPE_CHECKING:
    from collections import Counter

    from stream.core.reports.sums import Key, RowName, Sums
    from tests.reporting import Counts, Past

ZONE, LENGTH = "Europe/Berlin", "30m"
LEVELS = ("SL1", "SL2", "SL3", "SL4", "SL5", "SL6")


def busy() -> Past:
    """A day on which many give up, some at once."""
    return past(MARCH, 1, BUSY)


@cache
def counted(attribution: str) -> Counts:
    """What our contacts say, one by one."""
    return recount(busy().known, ZONE, LENGTH, attribution)


@cache
def ours() -> dict[str, dict[RowName, Sums]]:
    """Our rows under both attributions."""
    cells = busy().cells
    return {by: rows(cells, QUEUES, length=LENGTH, zone=ZONE, attribution=by) for by in ATTRIBUTIONS}


def level(name: str, counts: Counter[str], abandoned_in_target: int) -> tuple[int, int]:
    """The formulas of 2-numbers 2.3, written out once more."""
    answered, within, short = counts["answered"], counts["in_target"], counts["short"]
    gross = counts["abandoned"] + short
    return {
        "SL1": (within + abandoned_in_target, answered + gross),
        "SL2": (within, answered),
        "SL3": (within, answered + gross),
        "SL4": (within, answered + gross - abandoned_in_target),
        "SL5": (within + short, answered + gross),
        "SL6": (within, answered + gross - short),
    }[name]


def theirs(service_level: str, given_up: str, attribution: str) -> dict[RowName, dict[str, float]]:
    """A report of the same hours by these definitions, rounded as such reports are: 0.1 %, whole seconds."""
    found = {}
    for name, sums in ours()[attribution].items():
        counts = counted(attribution)[(wall(ZONE, LENGTH, name.period.start), name.labels[0], name.labels[1])]
        ended = sum(counts[each] for each in ("answered", "abandoned", "short", "lost", "other"))
        given: dict[str, float] = {each: counts[each] for each in ("offered", "answered", "lost", "handled")}
        part, whole = level(service_level, counts, sums.get(("contact_abandoned_in_target_total",), 0))
        if whole:
            given["service_level"] = round(part / whole, 3)
        short = counts["short"]
        left, of = (counts["abandoned"], ended - short) if given_up == "net" else (counts["abandoned"] + short, ended)
        given["abandoned"] = left
        if of:
            given["abandonment"] = round(left / of, 3)
        if counts["answered"]:
            given["speed_of_answer"] = counts["wait_ms"] // counts["answered"] / 1000
        found[name] = given
    return found


@pytest.mark.parametrize(
    ("service_level", "given_up", "attribution"), list(product(LEVELS, ("gross", "net"), ATTRIBUTIONS))
)
def test_a_report_by_our_own_definitions_is_recognised(service_level: str, given_up: str, attribution: str) -> None:
    """Each of the six service levels, gross and net, by arrival and by outcome; what is left is rounding."""
    found = match(theirs(service_level, given_up, attribution), ours())
    assert (found.service_level.names, found.abandonment.names) == ((service_level,), (given_up,))
    assert (found.attribution.names, found.attribution.distances[attribution]) == ((attribution,), 0)
    assert found.service_level.compared > 20
    for each in found.differences:
        if each.theirs is not None:
            assert each.ours is not None
            near = 0.0005 if each.column in ("service_level", "abandonment") else 0.001
            assert abs(each.theirs - each.ours) <= near + 1e-9, each
    assert {each.column for each in found.differences} < set(COLUMNS)


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_rates_alone_decide_where_no_count_does(attribution: str) -> None:
    """A report of nothing but rates is recognised too, its attribution by the rates."""
    rates = {
        name: {column: value for column, value in given.items() if column in ("service_level", "abandonment")}
        for name, given in theirs("SL6", "net", attribution).items()
    }
    found = match(rates, ours())
    assert (found.service_level.name, found.abandonment.name, found.attribution.name) == ("SL6", "net", attribution)
    assert found.attribution.rate
    counts = {name: {"abandoned": given["abandoned"]} for name, given in theirs("SL1", "gross", attribution).items()}
    found = match(counts, ours())
    assert (found.abandonment.names, found.abandonment.rate) == (("gross",), False)
    assert (found.service_level.names, found.service_level.compared) == ((), 0)


def test_what_the_data_cannot_tell_apart_is_said() -> None:
    """Without short abandons SL3, SL5 and SL6 are one, and so are gross and net; without anything nothing is chosen."""
    sums: dict[Key, int] = {("contact_visits_total", "answered"): 8, ("contact_visits_total", "abandoned"): 2}
    sums |= {("contact_answered_in_target_total",): 6, ("contact_abandoned_in_target_total",): 1}
    [name, *_] = ours()["arrival"]
    same: dict[str, dict[RowName, Sums]] = {by: {name: sums} for by in ATTRIBUTIONS}
    found = match({name: {"service_level": 0.6, "abandonment": 0.2, "answered": 8}}, same)
    assert found.service_level.names == ("SL3", "SL5", "SL6")
    assert found.abandonment.names == ("gross", "net")
    assert found.attribution.names == ATTRIBUTIONS
    nothing = match({name: {"handled": 5}}, same)
    assert (nothing.service_level.names, nothing.attribution.names) == ((), ())
    assert [(each.column, each.theirs, each.ours) for each in nothing.differences] == [("handled", 5, 0)]


def test_intervals_that_only_one_side_has() -> None:
    """Theirs without ours differ from 0; ours without theirs are shown without a value of theirs."""
    [first, second, *_] = sorted(ours()["arrival"])
    sums: Sums = {("contact_visits_total", "answered"): 3}
    found = match({first: {"answered": 4}}, {by: {second: sums} for by in ATTRIBUTIONS})
    assert [(each.row, each.theirs, each.ours) for each in found.differences] == [(first, 4, 0), (second, None, 3)]
    assert found.attribution.distances == {"arrival": 7, "outcome": 7}
    assert (found.attribution.names, found.attribution.rate) == (ATTRIBUTIONS, False)
