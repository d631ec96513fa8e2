"""Holidays from an iCalendar file: the days of its all-day events, those that come again until the end of `LAST_DAY`.

The range is fixed, because holidays are part of the policy's hash: the same file says the same on every day. Events at
a time of day and cancelled ones close nothing. The libraries read RFC 5545 and work out what comes again.

Source: 2-numbers 2.11.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import recurring_ical_events
from icalendar import Calendar

from stream.core.policies.tables import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2050, 12, 31)
MOST_DAYS: Final = 2_000
"""More than this in one file are no holidays, and would stand in every changelog."""
_FREQUENCIES: Final = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
_DAY: Final = timedelta(days=1)


def take_files(tables: Mapping[str, Any], folder: Path) -> list[Problem]:
    """Put the days of every `ics` of `[calendars.X]` beside its `holidays`, in place of the key.

    Args:
        tables: of a policy file, as parsed; the tables of calendars are changed.
        folder: of the policy file, from where a path begins.

    Returns:
        What is wrong with a file, at its key.
    """
    problems: list[Problem] = []
    calendars = tables.get("calendars")
    for name, own in calendars.items() if isinstance(calendars, dict) else ():
        if not isinstance(own, dict) or "ics" not in own:
            continue
        said, listed = own.pop("ics"), own.get("holidays", [])
        try:
            days = holidays_in(folder / said) if isinstance(said, str) else None
        except ValueError as wrong:
            problems.append(Problem(("calendars", name, "ics"), f'"{said}": {wrong}'))
            continue
        if days is None:
            problems.append(Problem(("calendars", name, "ics"), f"expected the name of an .ics file, got {said!r}"))
        elif isinstance(listed, list):
            own["holidays"] = [*listed, *days]
    return problems


def holidays_in(path: Path) -> tuple[str, ...]:
    """The days of the all-day events of an iCalendar file, in order.

    Args:
        path: of the file.

    Returns:
        Local days such as `2026-12-25`, each once, from `FIRST_DAY` to `LAST_DAY`.

    Raises:
        ValueError: it cannot be read or is not such a file, or its days are none or too many.
    """
    try:
        calendars = Calendar.from_ical(path.read_bytes(), multiple=True)
    except OSError as problem:
        raise ValueError(problem.strerror or "cannot be read") from None
    except ValueError as wrong:
        raise ValueError(f"is not an iCalendar file: {wrong}") from None
    days = {day for calendar in calendars for day in _days_of(calendar)}
    if not days:
        raise ValueError(f"has no all-day event from {FIRST_DAY} to {LAST_DAY}")
    if len(days) > MOST_DAYS:
        raise ValueError(f"has {len(days):,} days until {LAST_DAY}, at most {MOST_DAYS:,} are allowed")
    return tuple(sorted(day.isoformat() for day in days))


def _days_of(calendar: Any) -> Iterator[date]:  # noqa: ANN401  a component of the library, of whatever kind
    for event in calendar.walk("VEVENT"):
        for key, error in event.errors:
            raise ValueError(f"an event has a wrong {key}: {error}")
        if event.get("DTSTART") is None:
            raise ValueError("an event has no DTSTART")
        rule = event.get("RRULE", {})
        for rule_of in rule if isinstance(rule, list) else [rule]:
            if not {str(one).upper() for one in rule_of.get("FREQ", ())} <= set(_FREQUENCIES):
                raise ValueError(f"an event comes {rule_of['FREQ'][0]}, expected {', '.join(_FREQUENCIES)}")
    for event in recurring_ical_events.of(calendar).between(FIRST_DAY, LAST_DAY + _DAY):
        if isinstance(event.start, datetime) or event.get("STATUS") == "CANCELLED":
            continue
        day = max(event.start, FIRST_DAY)
        while day <= LAST_DAY and (day < event.end or day == event.start):
            yield day
            day += _DAY
