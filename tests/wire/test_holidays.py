"""Holidays from an iCalendar file: which days it closes, and what is said of a file that cannot be used."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from stream.core.policy import Policy
from stream.wire.holidays import LAST_DAY, MOST_DAYS, holidays_in
from stream.wire.policy import examine, load_policy, policy_hash
from stream.wire.times import parse_time

if TYPE_CHECKING:
    from pathlib import Path

YEARLY = ("DTSTART;VALUE=DATE:20481225", "RRULE:FREQ=YEARLY")


def written(path: Path, *events: tuple[str, ...]) -> Path:
    """An iCalendar file with events of these lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for number, event in enumerate(events):
        uid = () if any(line.startswith("UID:") for line in event) else (f"UID:{number}",)
        lines += ["BEGIN:VEVENT", *uid, *event, "END:VEVENT"]
    path.write_bytes("\r\n".join([*lines, "END:VCALENDAR", ""]).encode())
    return path


@pytest.mark.parametrize(
    ("events", "days"),
    [
        ([("DTSTART;VALUE=DATE:20261225",)], ["2026-12-25"]),
        ([("DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261227")], ["2026-12-25", "2026-12-26"]),
        ([("DTSTART;VALUE=DATE:20261225", "DURATION:P2D")], ["2026-12-25", "2026-12-26"]),
        ([("DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261225")], ["2026-12-25"]),
        ([("DTSTART;VALUE=DATE:20270101",), ("DTSTART;VALUE=DATE:20261225",)], ["2026-12-25", "2027-01-01"]),
        ([("DTSTART;VALUE=DATE:20261225",), ("DTSTART;VALUE=DATE:20261225",)], ["2026-12-25"]),
        ([YEARLY], ["2048-12-25", "2049-12-25", "2050-12-25"]),
        # the last Monday of May
        (
            [("DTSTART;VALUE=DATE:20480525", "RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO")],
            ["2048-05-25", "2049-05-31", "2050-05-30"],
        ),
        ([("DTSTART;VALUE=DATE:20250101", "RRULE:FREQ=YEARLY;UNTIL=20260101")], ["2025-01-01", "2026-01-01"]),
        ([(*YEARLY, "EXDATE;VALUE=DATE:20491225")], ["2048-12-25", "2050-12-25"]),
        ([("DTSTART;VALUE=DATE:20501231", "DTEND;VALUE=DATE:20510103")], ["2050-12-31"]),
        ([("DTSTART;VALUE=DATE:19691231", "DTEND;VALUE=DATE:19700102")], ["1970-01-01"]),
        # one of them moved to another day
        (
            [("UID:x", *YEARLY), ("UID:x", "RECURRENCE-ID;VALUE=DATE:20491225", "DTSTART;VALUE=DATE:20491227")],
            ["2048-12-25", "2049-12-27", "2050-12-25"],
        ),
        # at a time of day, and cancelled
        ([YEARLY, ("DTSTART:20261224T120000", "DTEND:20261224T180000")], ["2048-12-25", "2049-12-25", "2050-12-25"]),
        ([("DTSTART;VALUE=DATE:20261225",), ("DTSTART;VALUE=DATE:20270101", "STATUS:CANCELLED")], ["2026-12-25"]),
    ],
)
def test_all_day_events_are_holidays(events: list[tuple[str, ...]], days: list[str], tmp_path: Path) -> None:
    """Each of their days, those that come again until the end of 2050, and nothing else of the file."""
    assert holidays_in(written(tmp_path / "a.ics", *events)) == tuple(days)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], "has no all-day event from 1970-01-01 to 2050-12-31"),
        ([("DTSTART:20261224T120000",)], "has no all-day event"),
        ([("SUMMARY:none",)], "an event has no DTSTART"),
        ([("DTSTART;VALUE=DATE:20261399",)], "an event has a wrong DTSTART: "),
        ([("DTSTART;VALUE=DATE:20261225", "RRULE:FREQ=NEVER")], "an event has a wrong RRULE: "),
        ([("DTSTART;VALUE=DATE:20261225", "RRULE:FREQ=HOURLY")], "an event comes HOURLY, expected YEARLY"),
        ([("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=DAILY")], "has 9,131 days until 2050-12-31, at most 2,000"),
    ],
)
def test_a_file_that_says_nothing_of_use_is_refused(events: list[tuple[str, ...]], words: str, tmp_path: Path) -> None:
    """With what is wrong with it."""
    with pytest.raises(ValueError, match=words):
        holidays_in(written(tmp_path / "a.ics", *events))
    assert (LAST_DAY - date(2025, 12, 31)).days > MOST_DAYS


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe\x00", b"BEGIN:VCALENDAR\r\nEND:VEVENT\r\n"])
def test_any_other_file_is_refused(content: bytes, tmp_path: Path) -> None:
    """Whatever bytes it holds."""
    (tmp_path / "a.ics").write_bytes(content)
    with pytest.raises(ValueError, match=r"is not an iCalendar file|has no all-day event"):
        holidays_in(tmp_path / "a.ics")


def test_a_calendar_may_name_a_file(tmp_path: Path) -> None:
    """R14, R38: the queue is closed on the days of a file beside the policy, whose hash is that of the days listed."""
    (tmp_path / "days").mkdir()
    written(tmp_path / "days" / "de.ics", YEARLY, ("DTSTART;VALUE=DATE:20261003",))
    queue = '[queues]\ncare = { calendar = "de" }\n[calendars.de]\nzone = "Europe/Berlin"\n'
    named, listed = tmp_path / "named.toml", tmp_path / "listed.toml"
    named.write_text(queue + 'ics = "days/de.ics"\nholidays = [2026-12-24]\n', encoding="utf-8")
    days = '["2026-10-03", "2026-12-24", "2048-12-25", "2049-12-25", "2050-12-25"]'
    listed.write_text(f"{queue}holidays = {days}\n", encoding="utf-8")
    policy = load_policy(named)
    assert policy_hash(policy) == policy_hash(load_policy(listed))
    calendar = policy.calendar("care")
    noons = ("2026-10-02T12:00:00+02:00", "2026-10-03T12:00:00+02:00", "2049-12-25T12:00:00+01:00")
    assert [calendar.in_hours(parse_time(noon)) for noon in noons] == [True, False, False]
    written(tmp_path / "days" / "de.ics", YEARLY)
    assert policy_hash(load_policy(named)) != policy_hash(policy)


def test_what_is_wrong_with_a_file_is_told_at_its_key(tmp_path: Path) -> None:
    """Beside everything else that is wrong with the policy, in the order of the file."""
    file = tmp_path / "policy.toml"
    file.write_text(
        'zone = "Berlin"\n[calendars.de]\nics = "none.ics"\n[calendars.at]\nics = 5\n[calendars.ch]\nics = "ch.ics"\n'
        '[queues]\ncare = { ics = "ch.ics" }\n',
        encoding="utf-8",
    )
    written(tmp_path / "ch.ics")
    found = examine(file)
    assert not isinstance(found, Policy)
    assert [str(finding) for finding in found] == [
        "line 1: zone expected an IANA zone such as Europe/Berlin, got 'Berlin'",
        'line 3: calendars.de.ics "none.ics": No such file or directory',
        "line 5: calendars.at.ics expected the name of an .ics file, got 5",
        'line 7: calendars.ch.ics "ch.ics": has no all-day event from 1970-01-01 to 2050-12-31',
        "line 9: queues.care.ics is not a setting of the policy",
    ]
