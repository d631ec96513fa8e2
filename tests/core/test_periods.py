"""Local periods: each quarter of an hour is in exactly one, whatever the clock does."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from stream.core.figures.figures import INTERVAL_MS
from stream.core.reports.periods import LENGTHS, Period, Periods
from tests.reporting import wall

BERLIN, KATHMANDU = "Europe/Berlin", "Asia/Kathmandu"
ZONES = ("UTC", BERLIN, KATHMANDU, "Australia/Lord_Howe", "Asia/Beirut", "America/St_Johns", "Pacific/Apia")
HOUR_MS = 3_600_000
FIRST, LAST = 1_300_000_000_000 // INTERVAL_MS, 1_800_000_000_000 // INTERVAL_MS  # 2011 to 2027


def ms(text: str) -> int:
    """Milliseconds of an ISO time in UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def starts(zone: str, length: str, begin: str, end: str) -> list[str]:
    """Where the periods of a span begin, in local time."""
    own = Periods(zone, length)
    return [own.local(period.start).isoformat(timespec="minutes") for period in own.between(ms(begin), ms(end))]


def hours_of(zone: str, day: str) -> int:
    """How long a local day is."""
    period = Periods(zone, "day").of(ms(f"{day}T12:00"))
    return (period.end - period.start) // HOUR_MS


def test_days_of_23_and_25_hours() -> None:
    """R09: a day is a local day; in Berlin that of 29 March 2026 has 23 hours, that of 25 October 25."""
    assert [hours_of(BERLIN, day) for day in ("2026-03-28", "2026-03-29", "2026-10-25", "2026-10-26")] == [
        24,
        23,
        25,
        24,
    ]
    march = starts(BERLIN, "hour", "2026-03-29T00:00", "2026-03-29T03:00")
    assert march == ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00", "2026-03-29T04:00+02:00"]
    october = starts(BERLIN, "hour", "2026-10-25T00:00", "2026-10-25T02:00")
    assert october == ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    """R09: ISO weeks and calendar months, in local time, across the end of a year."""
    weeks = starts(BERLIN, "week", "2025-12-29T12:00", "2026-01-12T00:00")
    assert weeks == ["2025-12-29T00:00+01:00", "2026-01-05T00:00+01:00", "2026-01-12T00:00+01:00"]
    months = starts(BERLIN, "month", "2025-12-31T22:59", "2026-05-01T00:00")
    assert [month[:10] for month in months] == [
        "2025-12-01",
        "2026-01-01",
        "2026-02-01",
        "2026-03-01",
        "2026-04-01",
        "2026-05-01",
    ]
    march = Periods(BERLIN, "month").of(ms("2026-03-15T00:00"))
    assert (march.end - march.start) // HOUR_MS == 31 * 24 - 1


def test_hours_of_zones_between_the_hours() -> None:
    """R38: an hour of Kathmandu begins at a quarter past one of UTC; on Lord Howe the clock moves by half an hour."""
    own = Periods(KATHMANDU, "hour")
    assert own.of(ms("2026-03-02T10:14")) == Period(ms("2026-03-02T09:15"), ms("2026-03-02T10:15"))
    assert starts(KATHMANDU, "day", "2026-03-02T18:15", "2026-03-02T18:30") == ["2026-03-03T00:00+05:45"]
    autumn = starts("Australia/Lord_Howe", "hour", "2026-04-04T14:00", "2026-04-04T16:30")
    assert [start[11:] for start in autumn] == ["01:00+11:00", "01:30+10:30", "02:00+10:30"]


def test_a_day_without_midnight_begins_with_its_first_quarter() -> None:
    """In Beirut the clock went from midnight to one; Samoa left a whole day out."""
    assert starts("Asia/Beirut", "day", "2026-03-29T12:00", "2026-03-29T12:15") == ["2026-03-29T01:00+03:00"]
    assert hours_of("Asia/Beirut", "2026-03-29") == 23
    apia = Periods("Pacific/Apia", "day")
    assert apia.moment(date(2011, 12, 30)) == apia.moment(date(2011, 12, 31)) == ms("2011-12-30T10:00")
    assert starts("Pacific/Apia", "day", "2011-12-30T09:45", "2011-12-30T10:15") == [
        "2011-12-29T00:00-10:00",
        "2011-12-31T00:00+14:00",
    ]


@given(st.sampled_from(ZONES), st.sampled_from(LENGTHS), st.integers(FIRST, LAST))
def test_every_quarter_is_in_one_period(zone: str, length: str, number: int) -> None:
    """Its ends are in it and the next begins where it ends; its quarters share what the wall shows of the length."""
    own = Periods(zone, length)
    at = number * INTERVAL_MS
    period = own.of(at)
    assert period.start <= at < period.end
    assert own.of(period.start) == own.of(period.end - INTERVAL_MS) == period
    assert own.of(period.end).start == period.end
    assert own.of(period.start - INTERVAL_MS).end == period.start
    assert wall(zone, length, period.start) == wall(zone, length, at) == wall(zone, length, period.end - INTERVAL_MS)
    assert wall(zone, length, period.end) != wall(zone, length, at) != wall(zone, length, period.start - INTERVAL_MS)
    assert list(own.between(period.start, period.end)) == [period]
    assert own.before(at, 1) == own.of(period.start - 1).start
