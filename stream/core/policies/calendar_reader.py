"""Zone, weekly hours and holidays from the tables of a policy file (2-numbers 2.9, 2.11).

    hours = { mon = [["09:00", "12:00"], ["13:00", "17:00"]], tue = [["09:00", "24:00"]] }
    hours = [{ effective_from = "2026-04-01", week = { mon = [["09:00", "17:00"]] } }]

Days may be TOML dates or strings. Versions, spans and holidays may stand in any order.
"""

import re
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

from stream.core.calendar import Hours, Spans, Week
from stream.core.policies.tables import TableReader

WEEK_KEYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_EXAMPLE = 'hours such as { mon = [["09:00", "17:00"]] }, or a list of { effective_from = "2026-04-01", week = {...} }'


def take_zone(reader: TableReader) -> str | None:
    """The key ``zone``: an IANA name; None = the file says nothing."""
    return reader.take("zone", None, _zone, "an IANA zone such as Europe/Berlin")


def take_holidays(reader: TableReader) -> tuple[str, ...] | None:
    """The key ``holidays``: local days in order, each once; None = the file says nothing."""
    return reader.take("holidays", None, _days, "a list of dates such as 2026-12-25")


def take_hours(reader: TableReader) -> tuple[Hours, ...] | None:
    """The key ``hours``: versions in order; None = the file says nothing, or what it says is wrong (reported)."""
    value = reader.left.pop("hours", None)
    if isinstance(value, Mapping):
        before = len(reader.problems)
        week = _week(TableReader(value, (*reader.path, "hours"), reader.problems))
        if not any(week) and len(reader.problems) == before:
            reader.say("open on no day; leave hours out for a queue that is always open", "hours")
        return (Hours("", week),)
    if isinstance(value, list) and value:
        places = [(*reader.path, "hours", str(number)) for number in range(1, len(value) + 1)]
        versions = [_version(TableReader(v, at, reader.problems), v) for v, at in zip(value, places, strict=True)]
        for number, version in enumerate(versions):
            if version.effective_from and version.effective_from in {v.effective_from for v in versions[:number]}:
                reader.say(f"a second version from {version.effective_from} on", "hours", str(number + 1))
        return tuple(sorted(versions, key=lambda version: version.effective_from))
    if value is not None:
        reader.say(f"expected {_EXAMPLE}, got {value!r}", "hours")
    return None


def _version(reader: TableReader, table: object) -> Hours:
    if isinstance(table, Mapping) and "effective_from" not in table:
        reader.say("effective_from is missing: the local day from which this version holds")
    if isinstance(table, Mapping) and "week" not in table:
        reader.say("week is missing; { } is closed on every day")
    day = reader.take("effective_from", "", _day, "a date such as 2026-04-01")
    hours = Hours(day, _week(reader.table("week")))
    reader.done()
    return hours


def _week(reader: TableReader) -> Week:
    week = tuple(_spans(reader, key) for key in WEEK_KEYS)
    for key in reader.left:
        reader.say("is not a day; days are " + ", ".join(WEEK_KEYS), key)
    return week


def _spans(reader: TableReader, key: str) -> Spans:
    value = reader.left.pop(key, [])
    if not isinstance(value, list):
        reader.say(f'expected a list of spans such as [["09:00", "17:00"]], got {value!r}', key)
        return ()
    spans = sorted(span for item in value if (span := _span(reader, key, item)))
    for (_, end), (begin, _) in pairwise(spans):
        if begin < end:
            reader.say(f"spans overlap: one ends at {clock_text(end)}, the next begins at {clock_text(begin)}", key)
    return tuple(spans)


def _span(reader: TableReader, key: str, value: object) -> tuple[int, int] | None:
    match value:
        case [str() as first, str() as last]:
            begin, end = _minutes(first), _minutes(last)
            if begin is None or end is None:
                wrong = last if end is None else first
                reader.say(f"expected a time from 00:00 to 24:00, got {wrong!r}", key)
                return None
            if begin < end:
                return begin, end
            reader.say(f"a span ends after it begins, got {value!r}; past midnight it goes on in the next day", key)
        case _:
            reader.say(f'expected a span such as ["09:00", "17:00"], got {value!r}', key)
    return None


def clock_text(minutes: int) -> str:
    """Minutes since midnight as ``HH:MM``; the end of the day is 24:00."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _minutes(text: str) -> int | None:
    match = re.fullmatch(r"(\d\d):([0-5]\d)", text, re.ASCII)
    total = int(match[1]) * 60 + int(match[2]) if match else _DAY_MINUTES + 1
    return total if total <= _DAY_MINUTES else None


def _zone(value: object) -> str | None:
    try:
        return ZoneInfo(value).key if isinstance(value, str) else None
    except (OSError, ValueError, KeyError):
        return None


def _days(value: object) -> tuple[str, ...] | None:
    days = [_day(item) for item in value] if isinstance(value, list) else [None]
    return None if None in days else tuple(sorted({day for day in days if day}))


def _day(value: object) -> str | None:
    """An ISO day; TOML's dates are dates, its times of a day are not."""
    if type(value) is date:
        return value.isoformat()
    try:
        plain = isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII)
        return date.fromisoformat(value).isoformat() if isinstance(value, str) and plain else None
    except ValueError:
        return None
