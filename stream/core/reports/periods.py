"""Local periods, made of whole quarters of an hour: where the quarter that begins at a moment is reported.

Days, weeks (ISO: from Monday) and months begin at local midnight, or with the first quarter that the clock has of
them, so there are days of 23 and of 25 hours. An hour that comes twice is two periods; no quarter is in two, none is
left out, so the sums of any periods that cover a span are the same:

    UTC      23:45          00:00          00:45          01:00          02:00
    Berlin   01:45          02:00 +02:00   02:45 +02:00   02:00 +01:00   03:00 +01:00    25 October 2026
    hour     01             02 +02:00      02 +02:00      02 +01:00      03

Reads no clock. Source: 2-numbers 2.9.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from stream.core.calendar import WallClock
from stream.core.figures.figures import INTERVAL_MS

LENGTHS: Final = ("15m", "30m", "hour", "day", "week", "month")
_MINUTES: Final = {"15m": 15, "30m": 30, "hour": 60}
_DAY_MS: Final = 96 * INTERVAL_MS
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HIGHEST_MONTH: Final = 12

Bound = int | date
"""A moment (ms), or a local day: where that day begins in the zone of whatever it bounds."""
_Name = tuple[str, int, int]  # first local day, minute of the day, offset in ms; only the first counts from a day on


class Period(NamedTuple):
    """A stretch of time, in ms since the epoch; `end` is the beginning of the next one."""

    start: int
    end: int


class Periods:
    """The periods of one length in one zone."""

    def __init__(self, zone: str, length: str) -> None:
        """Begin to remember those that are met.

        Args:
            zone: an IANA zone.
            length: one of `LENGTHS`.

        Raises:
            ZoneInfoNotFoundError: there is no such zone.
        """
        self.zone = zone
        self.length = length
        self._zone = ZoneInfo(zone)
        self._clock = WallClock(zone)
        self._minutes = _MINUTES.get(length, 0)
        self._met: dict[int, Period] = {}
        self._by_name: dict[_Name, Period] = {}

    @property
    def shorter_than_a_day(self) -> bool:
        """Whether a day has several of them."""
        return bool(self._minutes)

    def of(self, at: int) -> Period:
        """The period in which the quarter that holds ``at`` (ms) is reported."""
        quarter = at - at % INTERVAL_MS
        period = self._met.get(quarter)
        if period is None:
            name = self._name(quarter)
            period = self._by_name.get(name) or self._find(quarter, name)
            self._met[quarter] = self._by_name[name] = period
        return period

    def between(self, begin: int, end: int) -> Iterator[Period]:
        """The periods that hold any of the time from ``begin`` to ``end`` (ms), in order."""
        while begin < end:
            period = self.of(begin)
            yield period
            begin = period.end

    def before(self, at: int, count: int) -> int:
        """Where the ``count`` periods begin that lie before the one of ``at``; ms."""
        start = self.of(at).start
        for _ in range(count):
            start = self.of(start - INTERVAL_MS).start
        return start

    def moment(self, bound: Bound) -> int:
        """A bound in ms; a day begins with its first quarter here."""
        return bound if isinstance(bound, int) else self._first_quarter(bound)

    def local(self, at: int) -> datetime:
        """What the clock on the wall shows at ``at``, with its offset."""
        return (_EPOCH + timedelta(milliseconds=at)).astimezone(self._zone)

    def _name(self, quarter: int) -> _Name:
        wall = self._clock.at(quarter)
        if self._minutes:
            minute = (quarter + wall.offset_ms) % _DAY_MS // 60_000
            return wall.day, minute - minute % self._minutes, wall.offset_ms
        return _first_day(self.length, wall.day), 0, 0

    def _find(self, quarter: int, name: _Name) -> Period:
        if not self._minutes:
            first = date.fromisoformat(name[0])
            return Period(self._first_quarter(first), self._first_quarter(_next_day(self.length, first)))
        start, end = quarter, quarter + INTERVAL_MS
        while self._name(start - INTERVAL_MS) == name:
            start -= INTERVAL_MS
        while self._name(end) == name:
            end += INTERVAL_MS
        return Period(start, end)

    def _first_quarter(self, day: date) -> int:
        """The first quarter that begins on a local day, or after it where the zone leaves the day out."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        at = -(-round(midnight.timestamp()) * 1000 // INTERVAL_MS) * INTERVAL_MS
        wanted = day.isoformat()
        while self._clock.at(at).day < wanted:
            at += INTERVAL_MS
        while self._clock.at(at - INTERVAL_MS).day >= wanted:
            at -= INTERVAL_MS
        return at


@cache
def periods(zone: str, length: str) -> Periods:
    """The periods of a zone, the same object each time."""
    return Periods(zone, length)


@cache
def _first_day(length: str, day: str) -> str:
    """The local day with which the period of a local day begins."""
    if length == "day":
        return day
    found = date.fromisoformat(day)
    first = found - timedelta(days=found.weekday()) if length == "week" else found.replace(day=1)
    return first.isoformat()


def _next_day(length: str, first: date) -> date:
    if length == "month":
        over = first.month == _HIGHEST_MONTH
        return date(first.year + over, 1 if over else first.month + 1, 1)
    return first + timedelta(days=7 if length == "week" else 1)
