"""Interval cells as bytes, and the names of series in them; bounds of a report as people write them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.figures.series import parse_series, series
from stream.core.reports.sums import IntervalCell
from stream.wire.cells import read_cell, stage_and_start
from stream.wire.json import dumps
from stream.wire.times import parse_bound, parse_time

CELL = {"stage": 1, "shard": 3, "start": 900_000, "by": "arrival", "channel": "voice", "queue": "a/b", "issue": "none"}


def test_a_cell_is_read_and_named() -> None:
    """Whatever else stands in the value; a queue may hold the mark that divides keys."""
    cell = read_cell(dumps({**CELL, "id": "x", "version": 7, "counts": {"contact_handled_total{}": 2}}))
    assert cell == IntervalCell(**CELL, counts={"contact_handled_total{}": 2})  # type: ignore[arg-type]  # as above
    assert cell.key == b"1/3/900000/arrival/voice/a/b/none"
    assert stage_and_start(cell.key) == (1, 900_000)


@pytest.mark.parametrize("value", [b"", b"{}", b'{"stage": 1}', b"[" * 100_000, dumps({**CELL, "counts": {"a": 1.5}})])
def test_what_is_no_cell_is_refused(value: bytes) -> None:
    """With what is wrong, never with another exception."""
    with pytest.raises(ValueError, match=r"\S"):
        read_cell(value)


@pytest.mark.parametrize("key", [b"", b"~watermark", b"a/b/c/d", b"1/2", b"1/2/x/arrival"])
def test_the_key_of_no_cell(key: bytes) -> None:
    """Says neither stage nor start."""
    assert stage_and_start(key) is None


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(max_size=8), max_size=4))
def test_a_series_is_read_back(labels: dict[str, str]) -> None:
    """Its name and its labels, whatever stands in them."""
    assert parse_series(series("contact_x_total", labels)) == ("contact_x_total", labels)


def test_bounds_are_days_or_moments() -> None:
    """A time is in UTC unless it has an offset; a day stays a day; anything else is refused."""
    assert parse_bound("2026-03-02") == date(2026, 3, 2)
    assert (
        parse_bound("2026-03-02T10:15") == parse_bound("2026-03-02T11:15+01:00") == parse_time("2026-03-02T10:15:00Z")
    )
    for wrong in ("", "today", "2026-13-01", "2026-03-02T25:00"):
        with pytest.raises(ValueError, match="expected a day such as"):
            parse_bound(wrong)
