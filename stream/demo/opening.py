"""When the simulated centre is open, by the clock on the wall of its zone, and how long between two moments.

Weekly hours, holidays and the days on which the clock is put forward or back, read from the time zone database and from
nothing of the program under test. Never in this module: a clock, or a figure.

    2026-03-29 Europe/Berlin   01:59:59 -> 03:00:00   a day of 23 hours; hours from 01:30 to 03:30 last one hour

Source: 2-numbers 2.9.
"""

from bisect import bisect_right
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

Spans = tuple[tuple[int, int], ...]
"""Half-open spans of a local day, minutes since midnight, multiples of 15."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_QUARTER_MS: Final = 900_000
_QUARTER_MIN: Final = 15
_LOOKS_AHEAD: Final = 10 * 96


class Opening:
    """The hours of a centre, or of one of its queues.

    Attributes:
        zone: IANA name.
        week: spans by weekday as `WEEKDAYS` spells it; a day that is not named is closed.
        holidays: local days, `2026-04-03`, closed all day.
    """

    __slots__ = ("_clock", "_first", "_sums", "holidays", "week", "zone")

    def __init__(self, zone: str, week: "Mapping[str, Spans]", holidays: tuple[str, ...] = ()) -> None:
        """Put up the hours; nothing has been asked yet.

        Raises:
            ValueError: a span is no multiple of a quarter of an hour.
        """
        if any(minute % _QUARTER_MIN for spans in week.values() for span in spans for minute in span):
            msg = "hours begin and end on a quarter of an hour"
            raise ValueError(msg)
        self.zone = zone
        self.week = MappingProxyType(dict(week))
        self.holidays = holidays
        self._clock = ZoneInfo(zone)
        self._first = 0  # the quarter the sums begin with
        self._sums: list[int] = []  # open quarters before each quarter

    def local(self, ms: int) -> datetime:
        """Return what the clock on the wall shows at `ms` since the epoch, to the second."""
        return datetime.fromtimestamp(ms // 1000, UTC).astimezone(self._clock)

    def day(self, ms: int) -> str:
        """Return the local day of a moment."""
        return self.local(ms).date().isoformat()

    def is_open(self, ms: int) -> bool:
        """Tell whether it is open at `ms` since the epoch."""
        return self._quarter(ms // _QUARTER_MS)

    def between(self, begin: int, end: int) -> int:
        """Return for how many ms it is open in [begin, end); 0 where the end is not after the beginning."""
        return max(0, self._until(end) - self._until(begin)) if end > begin else 0

    def opens_at(self, ms: int) -> int:
        """Return the first moment from `ms` on at which it is open, ms since the epoch; within ten days."""
        quarter = ms // _QUARTER_MS
        if self._quarter(quarter):
            return ms
        ahead = range(quarter + 1, quarter + _LOOKS_AHEAD)
        return next((found for found in ahead if self._quarter(found)), ahead.stop) * _QUARTER_MS

    def _quarter(self, number: int) -> bool:
        """Whether it is open in a quarter of an hour; the offsets of all zones of our time are multiples of that."""
        return self._sum(number + 1) > self._sum(number)

    def _until(self, ms: int) -> int:
        """How long it was open until `ms`, counted from somewhere."""
        quarter, rest = divmod(ms, _QUARTER_MS)
        whole = self._sum(quarter)
        return whole * _QUARTER_MS + (rest if self._sum(quarter + 1) > whole else 0)

    def _sum(self, quarter: int) -> int:
        """How many quarters were open before one, counted from somewhere."""
        if not self._sums:
            self._first, self._sums = quarter, [0]
        if quarter < self._first:
            before = range(self._first - 1, quarter - 1, -1)
            missing = [self._look(number) for number in before]
            head = [self._sums[0]]
            for opened in missing:
                head.append(head[-1] - opened)
            self._sums[:1] = reversed(head)
            self._first = quarter
        while len(self._sums) <= quarter - self._first:
            self._sums.append(self._sums[-1] + self._look(self._first + len(self._sums) - 1))
        return self._sums[quarter - self._first]

    def _look(self, quarter: int) -> bool:
        local = self.local(quarter * _QUARTER_MS)
        if local.date().isoformat() in self.holidays:
            return False
        spans = self.week.get(WEEKDAYS[local.weekday()], ())
        minute = local.hour * 60 + local.minute
        place = bisect_right(spans, (minute, 24 * 60))
        return place > 0 and minute < spans[place - 1][1]


class Hours:
    """Which queue is open when, and what day it is there.

    Attributes:
        zone: IANA name, of the whole centre.
    """

    __slots__ = ("_of", "_plain", "zone")

    def __init__(self, zone: str = "UTC", of: "Mapping[str, Opening] | None" = None) -> None:
        """Know the hours of some queues; the others never close."""
        self.zone = zone
        self._of = dict(of or {})
        self._plain = Opening(zone, {})

    @property
    def any(self) -> bool:
        """Whether any queue has hours."""
        return bool(self._of)

    def of(self, queue: str) -> Opening | None:
        """Return the hours of a queue; None = it never closes."""
        return self._of.get(queue)

    def is_open(self, queue: str, ms: int) -> bool:
        """Tell whether a queue is open at `ms` since the epoch."""
        opening = self._of.get(queue)
        return opening is None or opening.is_open(ms)

    def day(self, ms: int) -> str:
        """Return the local day of a moment."""
        return self._plain.day(ms)

    def local(self, ms: int) -> datetime:
        """Return what the clock on the wall shows."""
        return self._plain.local(ms)
