"""Period over period: what stands beside what, and that nothing of the earlier span is lost."""

from __future__ import annotations

from datetime import date

import pytest

from stream.core.reports.comparison import Span, paired, pairing, span_before
from stream.core.reports.periods import Periods
from stream.core.reports.sheets import QUEUES
from stream.core.reports.sums import total
from stream.core.trouble import Trouble
from stream.wire.times import parse_time
from tests.reporting import MARCH, past, rows

BERLIN = "Europe/Berlin"


def days(begin: str, end: str) -> Span:
    """A span of local days."""
    return Span(date.fromisoformat(begin), date.fromisoformat(end))


def beside(now: Span, before: Span, length: str) -> dict[str, str]:
    """Where the earlier periods begin -> where those begin that they stand beside, on the clock of Berlin."""
    own = Periods(BERLIN, length)
    return {
        own.local(earlier.start).isoformat(timespec="minutes"): own.local(later.start).isoformat(timespec="minutes")
        for earlier, later in pairing(now, before, length, BERLIN).items()
    }


@pytest.mark.parametrize(
    ("span", "length", "before"),
    [
        (days("2026-03-02", "2026-03-09"), "day", days("2026-02-23", "2026-03-02")),
        (days("2026-03-02", "2026-03-09"), "hour", days("2026-02-23", "2026-03-02")),
        (days("2026-03-01", "2026-04-01"), "month", days("2026-02-01", "2026-03-01")),
        (days("2026-01-01", "2026-03-01"), "month", days("2025-11-01", "2026-01-01")),
        (days("2026-03-30", "2026-04-13"), "week", days("2026-03-16", "2026-03-30")),
    ],
)
def test_the_span_before_is_as_many_periods_long(span: Span, length: str, before: Span) -> None:
    """R35: a month before a month, whatever their days; days before days, also across a change of the clock."""
    assert span_before(span, length, BERLIN) == before
    assert pairing(span, before, length, BERLIN)


def test_moments_have_a_span_before_as_well() -> None:
    """R35: two hours before two hours."""
    span = Span(parse_time("2026-03-02T10:00:00Z"), parse_time("2026-03-02T12:00:00Z"))
    before = span_before(span, "30m", BERLIN)
    assert before == Span(parse_time("2026-03-02T08:00:00Z"), parse_time("2026-03-02T10:00:00Z"))
    assert next(iter(beside(span, before, "30m").items())) == ("2026-03-02T09:00+01:00", "2026-03-02T11:00+01:00")


def test_ten_o_clock_stands_beside_ten_o_clock() -> None:
    """R35: an hour that only the earlier day had is added to the one before it; nothing stands beside a missing one."""
    forward = beside(days("2026-03-29", "2026-03-30"), days("2026-03-22", "2026-03-23"), "hour")
    assert forward["2026-03-22T10:00+01:00"] == "2026-03-29T10:00+02:00"
    assert forward["2026-03-22T02:00+01:00"] == forward["2026-03-22T01:00+01:00"] == "2026-03-29T01:00+01:00"
    back = beside(days("2026-10-18", "2026-10-19"), days("2026-10-25", "2026-10-26"), "hour")
    assert back["2026-10-25T02:00+02:00"] == back["2026-10-25T02:00+01:00"] == "2026-10-18T02:00+02:00"
    assert len(back) == 25
    twice = beside(days("2026-10-25", "2026-10-26"), days("2026-10-18", "2026-10-19"), "hour")
    assert twice["2026-10-18T02:00+02:00"] == "2026-10-25T02:00+02:00"


@pytest.mark.parametrize(
    ("now", "before", "length", "words"),
    [
        (days("2026-03-02", "2026-03-09"), days("2026-02-23", "2026-03-01"), "day", "7 periods, the other 6"),
        (days("2026-03-02", "2026-03-09"), days("2026-02-23", "2026-03-01"), "15m", "by day the one has 7"),
        (days("2026-03-03", "2026-03-10"), days("2026-02-24", "2026-03-03"), "week", "cuts through a period"),
        (days("2026-03-03", "2026-03-03"), days("2026-02-24", "2026-02-24"), "day", "is empty"),
        (Span(0, 86_400_000), Span(0, 86_400_000), "day", "begin and end with a day in Europe/Berlin"),
    ],
)
def test_spans_that_cannot_be_compared(now: Span, before: Span, length: str, words: str) -> None:
    """Whole periods, and equally many."""
    with pytest.raises(Trouble, match=words) as refused:
        pairing(now, before, length, BERLIN)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("length", ["15m", "hour", "day"])
def test_nothing_is_lost(length: str) -> None:
    """R35: the earlier figures of all rows add up to those of the earlier span, on a day of 23 hours as well."""
    world = past(MARCH)
    now, before = days("2026-03-29", "2026-03-30"), days("2026-03-28", "2026-03-29")
    shown = rows(world.cells, QUEUES, length=length, zone=BERLIN, begin=now.begin, end=now.end)
    earlier = rows(world.cells, QUEUES, length=length, zone=BERLIN, begin=before.begin, end=before.end)
    pairs = paired(shown, earlier, {BERLIN: pairing(now, before, length, BERLIN)})
    assert total(pair.before for pair in pairs.values()) == total(earlier.values())
    assert total(pair.now for pair in pairs.values()) == total(shown.values())
    assert total(earlier.values())
    own = Periods(BERLIN, "day")
    assert {own.local(name.period.start).day for name in pairs} == {29}
