"""Business hours of the recount: read off the wall every quarter of an hour (2-numbers 2.9). Times in ms.

The policies of the laws open and close on quarters of an hour, and no zone is off by anything else.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from stream.core.calendar import Hours
    from stream.core.policy import Policy

QUARTER = 900_000


def closes(policy: Policy, queue: str) -> bool:
    """Whether a queue is ever closed."""
    _, hours, holidays = _calendar(policy, queue)
    return bool(hours or holidays)


def time_open(policy: Policy, queue: str, start: int, end: int) -> int:
    """How much of the time from ``start`` to ``end`` a queue was open."""
    calendar, total = _calendar(policy, queue), 0
    for quarter in range(start // QUARTER, -(-end // QUARTER)):
        if _is_open(*calendar, quarter * QUARTER):
            total += min(end, (quarter + 1) * QUARTER) - max(start, quarter * QUARTER)
    return total


def _calendar(policy: Policy, queue: str) -> tuple[str, tuple[Hours, ...], tuple[str, ...]]:
    """Zone, versions of the hours, holidays: the queue's own, else those of the calendar it names."""
    own = policy.queues.get(queue)
    if own is None:
        return policy.zone, (), ()
    named = policy.calendars.get(own.calendar or "")
    zone = own.zone or (named.zone if named is not None else None) or policy.zone
    hours = own.hours if own.hours is not None or named is None else named.hours
    holidays = own.holidays if own.holidays is not None or named is None else named.holidays
    return zone, hours or (), holidays or ()


@lru_cache(maxsize=50_000)
def _is_open(zone: str, hours: tuple[Hours, ...], holidays: tuple[str, ...], at: int) -> bool:
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    day = f"{local:%Y-%m-%d}"
    if day in holidays:
        return False
    if not hours:
        return True
    week = hours[0].week
    for version in hours:
        if version.effective_from <= day:
            week = version.week
    minute = local.hour * 60 + local.minute
    return any(begin <= minute < end for begin, end in week[local.weekday()])
