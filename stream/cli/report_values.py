"""Values of a report as text, as JSON and as columns of CSV; a denominator of 0 is no value, never 0 or 100 %.

For people shares are percent and times seconds, both to a tenth. Programs get numerator and denominator as well, times
in seconds, so that rows can be added up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stream.cli.tables import Right
from stream.wire.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.core.reports.periods import Bound, Periods
    from stream.core.reports.sheets import Column, Value

_SCALE = {"count": 1.0, "share": 100.0, "seconds": 1.0}
_TITLES = {"count": "", "share": " %", "seconds": " s"}


def title(column: Column) -> str:
    """The head of a column for people, with its unit."""
    return column.title + _TITLES[column.unit]


def exact(value: Value, unit: str) -> float | int | None:
    """A count; a share from 0 to 1; seconds; None = no value."""
    if isinstance(value, int):
        return value
    part, whole = value
    return None if not whole else (part / 1000 if unit == "seconds" else part) / whole


def delta(now: Value, before: Value, unit: str) -> float | int | None:
    """By how much it is more now; None where either has no value."""
    ends = exact(now, unit), exact(before, unit)
    return None if ends[0] is None or ends[1] is None else ends[0] - ends[1]


def shown(value: Value, unit: str) -> float | int | None:
    """For people."""
    return rounded(exact(value, unit), unit)


def rounded(number: float | None, unit: str) -> float | int | None:
    """A number of `exact` for people."""
    return number if number is None or isinstance(number, int) else round(number * _SCALE[unit], 1)


def signed(number: float | None, unit: str) -> Right:
    """A number of `delta` for people."""
    short = rounded(number, unit)
    return Right("" if short is None else f"{short:+,}")


def plain(value: Value, unit: str) -> int | dict[str, Any]:
    """For programs: a count, or an object."""
    if isinstance(value, int):
        return value
    part, whole = value
    return {
        "numerator": part / 1000 if unit == "seconds" else part,
        "denominator": whole,
        "value": exact(value, unit),
    }


def csv_titles(column: Column, suffix: str = "") -> list[str]:
    """The columns of CSV that one value takes."""
    if column.unit == "count":
        return [column.name + suffix]
    name = column.name + ("_seconds" if column.unit == "seconds" else "")
    return [f"{name}{suffix}", f"{name}_numerator{suffix}", f"{name}_denominator{suffix}"]


def csv_values(value: Value, unit: str) -> list[float | int | None]:
    """What stands in them; None = an empty one."""
    told = plain(value, unit)
    return [told] if isinstance(told, int) else [told["value"], told["numerator"], told["denominator"]]


def bound_texts(span: Iterable[Bound]) -> list[str]:
    """Bounds as they are given on the command line."""
    return [format_time(bound) if isinstance(bound, int) else bound.isoformat() for bound in span]


def starts(at: int, own: Periods) -> tuple[str, str]:
    """Where something begins, in UTC and in local time, for programs."""
    return format_time(at), own.local(at).isoformat()


def starts_shown(at: int, own: Periods) -> tuple[str, str]:
    """The same for people."""
    utc, local = format_time(at), own.local(at)
    offset = local.strftime("%z")
    return f"{utc[:10]} {utc[11:16]}", f"{local:%Y-%m-%d %H:%M} {offset[:3]}:{offset[3:5]}"
