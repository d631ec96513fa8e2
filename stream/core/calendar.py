"""Local days, hours of the week and business hours of a queue (2-numbers 2.9; R09, R14, R38).

A day is a local day, so there are days of 23 and of 25 hours; the hour that comes twice is one hour of the week, and
business hours are read off the clock on the wall:

    UTC      00:30          01:30          02:30
    Berlin   02:30 Sun 02   02:30 Sun 02   03:30 Sun 03      25 October 2026

What is met is remembered in quarters of an hour, because a calendar is asked about every contact; a quarter in which
the clock is put forward or back, or which lies across two local hours, is read anew each time. Reads no clock.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MINUTE_MS = 60_000
_DAY_MS = 24 * 60 * _MINUTE_MS
_QUARTER_MS = 15 * _MINUTE_MS
_QUARTERS_KEPT = 4096  # six weeks of one zone
_DAYS_KEPT = 512
# Two days inside what a date can say, so that no offset leads out of it; times beyond are taken for these.
_FIRST_S, _LAST_S = -62_135_424_000, 253_402_128_000

Spans = tuple[tuple[int, int], ...]
"""Half-open spans of one weekday, in minutes since local midnight, in order; ``(540, 1020)`` is 09:00 to 17:00."""
Week = tuple[Spans, ...]
"""The spans of the seven weekdays, Monday first; a day without spans is closed."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly business hours from a local day on."""

    effective_from: str  # "2026-04-01"; empty = there is only this version
    week: Week


class Wall(NamedTuple):
    """What a clock and a calendar on the wall show."""

    day: str  # "2026-03-02"
    hour: str  # "Mon 23"
    offset_ms: int  # local time minus UTC


class WallClock:
    """The wall clock of one IANA zone.

    Raises:
        ZoneInfoNotFoundError: there is no such zone.
    """

    __slots__ = ("_quarters", "_zone")

    def __init__(self, zone: str) -> None:
        """Nothing has been read off it."""
        self._zone = ZoneInfo(zone)
        self._quarters: dict[int, Wall] = {}

    def at(self, ms: int) -> Wall:
        """What it shows at ``ms`` since the epoch."""
        return self._quarters.get(ms // _QUARTER_MS) or self._meet(ms)

    def same_until(self, ms: int, end: int) -> int:
        """How far the clock goes from ``ms`` to ``end`` without being put forward or back."""
        offset = self.at(ms).offset_ms
        if self.at(end - 1).offset_ms == offset:
            return end
        last, first = ms, end - 1  # the offset is still the same, is another one
        while first - last > 1:
            middle = (last + first) // 2
            if self._read(middle).offset_ms == offset:
                last = middle
            else:
                first = middle
        return first

    def _meet(self, ms: int) -> Wall:
        begin = ms - ms % _QUARTER_MS
        wall = self._read(ms)
        if self._read(begin) == wall == self._read(begin + _QUARTER_MS - 1):
            if len(self._quarters) >= _QUARTERS_KEPT:
                self._quarters.clear()
            self._quarters[ms // _QUARTER_MS] = wall
        return wall

    def _read(self, ms: int) -> Wall:
        local = datetime.fromtimestamp(min(max(ms // 1000, _FIRST_S), _LAST_S), self._zone)
        offset = (local.utcoffset() or timedelta()) // timedelta(milliseconds=1)
        return Wall(local.date().isoformat(), f"{WEEKDAYS[local.weekday()]} {local.hour:02d}", offset)


_clock_of = cache(WallClock)


class Calendar:
    """Local time and business hours of one queue."""

    __slots__ = ("_clock", "_holidays", "_hours", "_open", "zone")

    def __init__(self, zone: str, hours: tuple[Hours, ...] = (), holidays: tuple[str, ...] = ()) -> None:
        """Make the calendar of a zone.

        Args:
            zone: an IANA zone, for example ``Europe/Berlin``.
            hours: versions by ``effective_from``; none = always open. Each holds from its local day on, the first one
                before its day, too.
            holidays: local days that are closed all day.
        """
        self.zone = zone
        self._clock = _clock_of(zone)
        self._hours = hours
        self._holidays = frozenset(holidays)
        self._open: dict[str, Spans] = {}  # by local day

    @property
    def closes(self) -> bool:
        """Whether there are hours or holidays at all, so that it is not always open."""
        return bool(self._hours or self._holidays)

    def wall(self, ms: int) -> Wall:
        """What the clock of the zone shows at a moment."""
        return self._clock.at(ms)

    def local_day(self, ms: int) -> str:
        """The local day of a moment, for example ``2026-03-02``."""
        return self._clock.at(ms).day

    def local_hour(self, ms: int) -> str:
        """The local hour of the week of a moment, for example ``Mon 23``."""
        return self._clock.at(ms).hour

    def in_hours(self, ms: int) -> bool:
        """Whether business hours are on: spans are half-open, a holiday is closed all day."""
        if not self.closes:
            return True
        wall = self._clock.at(ms)
        spans = self._open.get(wall.day)
        if spans is None:
            spans = self._meet(wall.day)
        minute = (ms + wall.offset_ms) % _DAY_MS // _MINUTE_MS
        return any(begin <= minute < end for begin, end in spans)

    def open_ms(self, start: int, end: int) -> int:
        """How much of the time from ``start`` to ``end`` (ms since the epoch, half-open) business hours were on.

        Walks from one local midnight, or change of the clock, to the next. Source: 2-numbers 2.6, 2.9.
        """
        if not self.closes:
            return max(0, end - start)
        total, at = 0, start
        while at < end:
            wall = self._clock.at(at)
            since_midnight = (at + wall.offset_ms) % _DAY_MS
            until = self._clock.same_until(at, min(end, at + _DAY_MS - since_midnight))
            to = since_midnight + until - at
            for begin, over in self._open.get(wall.day) or self._meet(wall.day):
                total += max(0, min(over * _MINUTE_MS, to) - max(begin * _MINUTE_MS, since_midnight))
            at = until
        return total

    def _meet(self, day: str) -> Spans:
        if len(self._open) >= _DAYS_KEPT:
            self._open.clear()
        return self._open.setdefault(day, self._spans(day))

    def _spans(self, day: str) -> Spans:
        if day in self._holidays:
            return ()
        if not self._hours:
            return ((0, _DAY_MS // _MINUTE_MS),)
        begun = [version for version in self._hours if version.effective_from <= day]
        return (begun or self._hours[:1])[-1].week[date.fromisoformat(day).weekday()]
