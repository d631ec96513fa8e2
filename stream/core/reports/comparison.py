"""Period over period: each row beside the row of an earlier span of equal length (R35).

Equal length is so many periods of the report: three months before three months, although they are not as many days.
Periods shorter than a day are set beside each other by the clock on the wall where both spans are whole local days, so
that 10:00 stands beside 10:00 also when the clock was changed in between; an hour that only the earlier day had is
added to the hour before it. Nothing is lost: the earlier figures add up to the earlier span.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from stream.core.reports.periods import Bound, Period, Periods, periods
from stream.core.reports.sums import RowName, Sums
from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from stream.core.reports.sums import Key

_Place = tuple[int, int]  # number of the period; or of the day, and the minute of the day


class Span(NamedTuple):
    """From a bound on, to another one that does not belong to it."""

    begin: Bound
    end: Bound

    def in_zone(self, zone: str) -> str:
        """Its ends on the clock of a zone, for messages."""
        own = periods(zone, "day")
        return " to ".join(own.local(own.moment(bound)).isoformat(" ", "minutes") for bound in self)


class Pair(NamedTuple):
    """A row now and the same row before."""

    now: Sums
    before: Sums


def span_before(span: Span, length: str, zone: str) -> Span:
    """The span of equal length that ends where ``span`` begins.

    Args:
        span: that begins and ends with a period; of days, so that it is the same in every zone, or of moments.
        length: of the periods.
        zone: that the moments belong to.
    """
    begin, end = span
    if isinstance(begin, date) and isinstance(end, date):
        if length != "month":
            return Span(begin - (end - begin), begin)
        months = 2 * _months(begin) - _months(end)
        return Span(date(months // 12, months % 12 + 1, begin.day), begin)
    own = periods(zone, length)
    count = sum(1 for _ in own.between(own.moment(begin), own.moment(end)))
    return Span(own.before(own.moment(begin), count), begin)


def pairing(now: Span, before: Span, length: str, zone: str) -> dict[Period, Period]:
    """Each period of ``before`` -> the one of ``now`` that it stands beside.

    Args:
        now: what the report is about.
        before: what it is compared with; of equal length.
        length: of the periods.
        zone: an IANA zone.

    Raises:
        Trouble: a span does not begin and end with a period, or they are not of equal length.
    """
    own = periods(zone, length)
    shown, earlier = _periods_in(now, own), _periods_in(before, own)
    days = (_days_in(now, zone), _days_in(before, zone))
    by_clock = own.shorter_than_a_day and None not in days
    sizes = days if by_clock else (len(shown), len(earlier))
    if sizes[0] != sizes[1]:
        unit = "day" if by_clock else length
        detail = f"by {unit} the one has {sizes[0]} periods, the other {sizes[1]}"
        raise Trouble(f"cannot compare {now.in_zone(zone)} with {before.in_zone(zone)}", detail, exit_code=2)
    first: dict[_Place, Period] = {}
    for place, period in zip(_places(shown, own, by_clock=by_clock), shown, strict=True):
        first.setdefault(place, period)
    order = sorted(first)
    return {
        period: first[order[max(0, bisect_right(order, place) - 1)]]
        for place, period in zip(_places(earlier, own, by_clock=by_clock), earlier, strict=True)
    }


def paired(
    now: Mapping[RowName, Sums], before: Mapping[RowName, Sums], beside: Mapping[str, Mapping[Period, Period]]
) -> dict[RowName, Pair]:
    """Rows beside earlier rows; one that is missing on a side counted nothing there.

    Args:
        now: the rows of the span that the report is about.
        before: those of the earlier span.
        beside: zone -> `pairing`.
    """
    earlier: dict[RowName, dict[Key, int]] = defaultdict(lambda: defaultdict(int))
    for name, sums in before.items():
        into = earlier[name._replace(period=beside[name.zone][name.period])]
        for key, amount in sums.items():
            into[key] += amount
    return {name: Pair(now.get(name, {}), earlier.get(name, {})) for name in now.keys() | earlier.keys()}


def _periods_in(span: Span, own: Periods) -> list[Period]:
    begin, end = own.moment(span.begin), own.moment(span.end)
    found = list(own.between(begin, end))
    if not found or found[0].start != begin or found[-1].end != end:
        hint = f"choose spans that begin and end with a {own.length} in {own.zone}"
        raise Trouble(
            f"cannot compare {span.in_zone(own.zone)}", "it cuts through a period, or is empty", hint, exit_code=2
        )
    return found


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1


def _days_in(span: Span, zone: str) -> int | None:
    """How many local days a span is, where it is whole days."""
    days = periods(zone, "day")
    begin, end = days.moment(span.begin), days.moment(span.end)
    found = list(days.between(begin, end))
    return len(found) if found and found[0].start == begin and found[-1].end == end else None


def _places(found: list[Period], own: Periods, *, by_clock: bool) -> list[_Place]:
    if not by_clock:
        return [(number, 0) for number in range(len(found))]
    clocks = [own.local(period.start) for period in found]
    first = clocks[0].toordinal()
    return [(clock.toordinal() - first, clock.hour * 60 + clock.minute) for clock in clocks]
