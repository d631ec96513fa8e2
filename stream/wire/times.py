"""RFC 3339 to milliseconds and back. Finer than ms is cut off, never rounded."""

import re
from datetime import UTC, date, datetime

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")
_MINUTES: dict[str, int] = {}  # "2026-03-02T10:00:" -> ms; bounded
_MINUTES_KEPT = 50_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 time with an offset.

    Raises:
        ValueError: it is none, lacks its offset, or names no real moment.
    """
    minute = _MINUTES.get(text[:17])
    if minute is not None and text.isascii():
        if len(text) == len("2026-03-02T10:00:00.000Z"):
            point, digits = text[19] + text[23], text[17:19] + text[20:23]
        else:
            point, digits = "." + text[19:], text[17:19] + "000"
        if point == ".Z" and digits.isdecimal() and digits < "60":
            return minute + int(digits)
    return _parse_slowly(text)


def _parse_slowly(text: str) -> int:
    match = _RFC3339.fullmatch(text)
    if match is None or not text.isascii():
        raise ValueError(f"expected a time such as 2026-03-02T10:00:00Z, with an offset, got {text[:40]!r}")
    day, clock, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in 'Zz' else offset}")
    except ValueError as problem:
        raise ValueError(f"expected a time that exists, got {text[:40]!r}: {problem}") from None
    whole = ms_of(moment)
    if offset in "Zz" and text[10] == "T":
        if len(_MINUTES) >= _MINUTES_KEPT:
            _MINUTES.clear()
        _MINUTES[text[:17]] = whole - int(clock[6:]) * 1000
    return whole + int((fraction or "0")[:3].ljust(3, "0"))


def parse_bound(text: str) -> int | date:
    """Milliseconds of an ISO 8601 time, in UTC unless it has an offset; of a plain day the day.

    Raises:
        ValueError: it is neither.
    """
    try:
        if len(text) == len("2026-03-02"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        expected = "a day such as 2026-03-02 or a time such as 2026-03-02T10:15Z"
        raise ValueError(f"expected {expected}, got {text[:40]!r}") from None
    return ms_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def ms_of(moment: datetime) -> int:
    """A moment with its zone in milliseconds since the epoch."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def format_time(at: int) -> str:
    """``at`` (ms) as RFC 3339 in UTC, with ms where there are any."""
    whole, ms = divmod(at, 1000)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{ms:03d}Z" if ms else f"{text}Z"
