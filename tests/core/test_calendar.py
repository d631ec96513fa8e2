"""Local days, hours of the week and business hours are those of plain date arithmetic, on days of any length."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.calendar import WEEKDAYS, Calendar, Hours, WallClock
from stream.core.policies.reader import read_policy
from stream.core.policy import Policy

if TYPE_CHECKING:
    from stream.core.calendar import Week

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUARTER_MS = 900_000
DAY_MS = 86_400_000
NINE_TO_FIVE: Week = (*(((540, 1020),),) * 5, (), ())
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",  # 5:45, and 5:30 before 1986
    "Australia/Lord_Howe",  # puts its clock forward by half an hour
    "Pacific/Apia",  # has no 30 December 2011
    "Africa/Monrovia",  # 44 min 30 s behind until 1972
    "Africa/Casablanca",  # back in Ramadan
)


def ms(text: str) -> int:
    """Milliseconds of an ISO time with an offset."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def local(at: int, zone: str) -> datetime:
    """The same moment by plain arithmetic."""
    return (EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(zone))


def expect_plain(calendar: Calendar, at: int, hours: tuple[Hours, ...], holidays: tuple[str, ...]) -> None:
    """Check one moment against plain arithmetic."""
    there = local(at, calendar.zone)
    day = there.strftime("%Y-%m-%d") if there.year > 999 else there.date().isoformat()
    assert calendar.local_day(at) == day
    assert calendar.local_hour(at) == f"{WEEKDAYS[there.weekday()]} {there.hour:02d}"
    version = hours[0] if hours else None
    for candidate in hours:
        if candidate.effective_from <= day:
            version = candidate
    minute = there.hour * 60 + there.minute
    spans = version.week[there.weekday()] if version else ((0, 1440),)
    assert calendar.in_hours(at) is (day not in holidays and any(a <= minute < b for a, b in spans))


def weeks() -> st.SearchStrategy[Week]:
    """Weeks of up to two spans a day that do not overlap."""
    cuts = st.sets(st.integers(0, 1440), max_size=4).map(sorted)
    days = cuts.map(lambda c: tuple((c[i], c[i + 1]) for i in range(0, len(c) - 1, 2)))
    return st.tuples(days, days, days, days, days, days, days)


def moments() -> st.SearchStrategy[int]:
    """Any moment of 1960 to 2050, and moments around changes of clocks and the middle of nights."""
    edges = ["2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00", "2026-03-08T07:00:00+00:00"]
    edges += ["2026-11-01T06:00:00+00:00", "2026-10-03T15:30:00+00:00", "2026-04-04T15:00:00+00:00"]
    edges += ["2011-12-30T10:00:00+00:00", "1972-01-07T00:44:30+00:00", "2026-02-15T02:00:00+00:00"]
    near = st.builds(int.__add__, st.sampled_from([ms(edge) for edge in edges]), st.integers(-DAY_MS, DAY_MS))
    close = st.builds(int.__add__, st.sampled_from([ms(edge) for edge in edges]), st.integers(-2, 2))
    return st.one_of(near, close, st.integers(ms("1960-01-01T00:00+00:00"), ms("2050-01-01T00:00+00:00")))


@given(st.sampled_from(ZONES), st.lists(weeks(), max_size=3), st.lists(moments(), min_size=1, max_size=30))
def test_it_is_plain_arithmetic(zone: str, versions: list[Week], at: list[int]) -> None:
    """R09, R14, R38: whatever was asked before, any zone, days of any length, any versions and a holiday."""
    days = sorted({local(moment, zone).date().isoformat() for moment in at})
    begun = ("2026-04-01", "2026-10-25", "2030-01-01")
    hours = tuple(Hours(day, week) for day, week in zip(begun, versions, strict=False))
    calendar = Calendar(zone, hours, (days[len(days) // 2],))
    for moment in (*at, *at):
        expect_plain(calendar, moment, hours, (days[len(days) // 2],))


@pytest.mark.parametrize("zone", ZONES)
def test_every_minute_around_a_change_is_plain_arithmetic(zone: str) -> None:
    """R09, R38: also where an hour begins, or a clock changes, within a quarter of an hour."""
    hours = (Hours("", (((7, 601), (1200, 1440)),) * 7),)
    for around in ("1972-01-07T00:44:30+00:00", "2026-10-25T01:00:00+00:00", "2026-04-04T15:00:00+00:00"):
        calendar = Calendar(zone, hours)
        for at in range(ms(around) - 3 * 3_600_000, ms(around) + 3 * 3_600_000, 30_000):
            expect_plain(calendar, at, hours, ())
            expect_plain(calendar, at - 1, hours, ())


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_has_as_many_hours_as_it_has(day: str, hours: int) -> None:
    """R09: every ms of a local day is in it, and the day is told to the ms."""
    calendar = Calendar("Europe/Berlin")
    noon = ms(f"{day}T12:00+01:00")
    inside = [at for at in range(noon - DAY_MS, noon + DAY_MS, QUARTER_MS) if calendar.local_day(at) == day]
    assert len(inside) * QUARTER_MS == hours * 3_600_000
    assert calendar.local_day(inside[0] - 1) < day < calendar.local_day(inside[-1] + QUARTER_MS)
    assert calendar.local_day(inside[-1] + QUARTER_MS - 1) == day


def test_the_hour_that_comes_twice_is_one_hour_of_the_week() -> None:
    """R38, R48: and an hour that does not come is in no cell."""
    calendar = Calendar("Europe/Berlin")
    autumn = [calendar.local_hour(ms(f"2026-10-25T0{hour}:30+00:00")) for hour in range(3)]
    spring = [calendar.local_hour(ms(f"2026-03-29T0{hour}:30+00:00")) for hour in range(3)]
    assert (autumn, spring) == (["Sun 02", "Sun 02", "Sun 03"], ["Sun 01", "Sun 03", "Sun 04"])


def test_spans_are_half_open_on_the_clock_on_the_wall() -> None:
    """R14, R38: nine to five is in hours at nine sharp, not at five sharp, in summer as in winter."""
    calendar = Calendar("Europe/Berlin", (Hours("", NINE_TO_FIVE),))
    for offset, day in (("+01:00", "2026-03-27"), ("+02:00", "2026-03-30")):
        times = ("08:59:59.999", "09:00:00", "16:59:59.999", "17:00:00")
        assert [calendar.in_hours(ms(f"{day}T{time}{offset}")) for time in times] == [False, True, True, False]


def test_a_holiday_is_a_local_day() -> None:
    """R14, R38: closed from local midnight to local midnight, with hours or without."""
    for hours in ((), (Hours("", (((0, 1440),),) * 7),)):
        calendar = Calendar("Europe/Berlin", hours, ("2026-03-03",))
        times = ("2026-03-02T22:59:59.999", "2026-03-02T23:00", "2026-03-03T22:59:59.999", "2026-03-03T23:00")
        assert [calendar.in_hours(ms(f"{time}+00:00")) for time in times] == [True, False, False, True]


def test_a_version_holds_from_its_local_day_on() -> None:
    """R14, R38: before the first one's day the first one holds."""
    closed: Week = ((),) * 7
    calendar = Calendar("Europe/Berlin", (Hours("2026-03-03", NINE_TO_FIVE), Hours("2026-03-05", closed)))
    assert [calendar.in_hours(ms(f"2026-03-0{day}T10:00+01:00")) for day in range(2, 7)] == [True] * 3 + [False] * 2


def test_any_time_has_a_local_day() -> None:
    """Also the first and the last moment that an event can name, in any zone."""
    for zone in ZONES:
        calendar = Calendar(zone)
        first = calendar.local_day(ms("0001-01-01T00:00:00+00:00"))
        last = calendar.local_day(ms("9999-12-31T23:59:59+00:00"))
        assert (first[:7], last[:7]) == ("0001-01", "9999-12")


def test_what_is_remembered_is_bounded() -> None:
    """Years of quarters of an hour do not stay, and are right all the same."""
    clock, calendar = WallClock("Europe/Berlin"), Calendar("Europe/Berlin", (Hours("", NINE_TO_FIVE),))
    for at in range(0, 2_000 * DAY_MS, 6 * 3_600_000):
        assert clock.at(at).day == local(at, "Europe/Berlin").date().isoformat()
        calendar.in_hours(at)
    assert len(clock._quarters) <= 4096
    assert len(calendar._open) <= 512


def test_every_queue_has_its_calendar() -> None:
    """R09, R14: its own zone, hours and holidays, else its calendar's, else the policy's zone, always open."""
    policy = read_policy(
        {
            "zone": "America/New_York",
            "calendars": {
                "de": {
                    "zone": "Europe/Berlin",
                    "hours": {"mon": [["09:00", "17:00"]]},
                    "holidays": ["2026-03-09"],
                }
            },
            "queues": {
                "named": {"calendar": "de"},
                "mixed": {"calendar": "de", "zone": "UTC", "holidays": []},
                "plain": {},
                "own": {"calendar": "de", "hours": {"tue": [["09:00", "17:00"]]}},
            },
        }
    )
    monday, holiday, tuesday = (ms(f"2026-03-{day}T08:30+00:00") for day in ("02", "09", "03"))
    names = ("named", "mixed", "plain", "own", "unlisted")
    zones = ["Europe/Berlin", "UTC", "America/New_York", "Europe/Berlin", "America/New_York"]
    assert [policy.calendar(name).zone for name in names] == zones
    opened = [[policy.calendar(name).in_hours(at) for at in (monday, holiday, tuesday)] for name in names]
    assert opened == [[True, False, False], [False] * 3, [True] * 3, [False, False, True], [True] * 3]
    assert policy.calendar("mixed").in_hours(ms("2026-03-09T09:00+00:00"))


def test_a_calendar_is_made_once() -> None:
    """Whoever asks again gets the same one, with what it remembers; unlisted queues share one."""
    policy = read_policy({"queues": {"billing": {}}})
    assert policy.calendar("billing") is policy.calendar("billing")
    assert policy.calendar("a") is policy.calendar("b")
    assert Policy() == Policy()


def test_days_follow_one_another() -> None:
    """R09: no local day is left out or comes back, but the one that Samoa left out."""
    for zone in ("Europe/Berlin", "Pacific/Apia"):
        calendar = Calendar(zone)
        days = [calendar.local_day(ms("2011-12-01T00:00+00:00") + n * QUARTER_MS) for n in range(96 * 60)]
        steps = {(a, b) for a, b in pairwise(days) if a != b}
        far = {(a, b) for a, b in steps if datetime.fromisoformat(b) - datetime.fromisoformat(a) != timedelta(days=1)}
        assert far == ({("2011-12-29", "2011-12-31")} if zone == "Pacific/Apia" else set())


def open_by_the_minute(calendar: Calendar, start: int, end: int) -> int:
    """Business time between two moments, asked at every minute and added up."""
    edges = [start, *range(start - start % 60_000 + 60_000, end, 60_000), end]
    return sum(b - a for a, b in pairwise(edges) if calendar.in_hours(a))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"])
@given(st.data())
def test_business_time_is_what_every_minute_says(zone: str, data: st.DataObject) -> None:
    """R14, R38: the time in hours between two moments, across changes of the clock, holidays and versions."""
    week = data.draw(weeks())
    holiday = data.draw(st.sampled_from(["2026-03-29", "2026-03-30", "2026-10-25", "2026-11-01"]))
    calendar = Calendar(zone, (Hours("", week), Hours("2026-03-30", NINE_TO_FIVE)), (holiday,))
    base = data.draw(
        st.sampled_from([ms("2026-03-28T00:00:00Z"), ms("2026-10-24T00:00:00Z"), ms("2026-03-07T09:00:00Z")])
    )
    start = base + data.draw(st.integers(0, 2 * DAY_MS))
    end = start + data.draw(st.integers(-60_000, DAY_MS))
    assert calendar.open_ms(start, end) == (open_by_the_minute(calendar, start, end) if end > start else 0)


def test_business_time_of_a_day_that_is_longer() -> None:
    """R14: 25 October 2026 in Berlin, open 01:00 to 04:00 by the clock on the wall, is open for four hours."""
    night: Week = (((60, 240),),) * 7
    calendar = Calendar("Europe/Berlin", (Hours("", night),))
    begin, end = ms("2026-10-25T00:00:00+02:00"), ms("2026-10-26T00:00:00+01:00")
    assert calendar.open_ms(begin, end) == 4 * 3_600_000
    assert calendar.open_ms(ms("2026-03-29T00:00:00+01:00"), ms("2026-03-30T00:00:00+02:00")) == 2 * 3_600_000


def test_what_never_closes_is_always_open() -> None:
    """Without hours and holidays every moment counts, and no time runs backwards."""
    assert Calendar("UTC").open_ms(5, 90_005) == 90_000
    assert Calendar("UTC").open_ms(90_005, 5) == 0
