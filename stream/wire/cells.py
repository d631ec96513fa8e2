"""Interval cells as the interval topic and the lines of `replay --cells` hold them: JSON to `IntervalCell`."""

import msgspec

from stream.core.reports.sums import IntervalCell

_START_PART = 2  # of a key: stage/shard/start/by/channel/queue/issue
_DECODER = msgspec.json.Decoder(IntervalCell)


def read_cell(value: bytes) -> IntervalCell:
    """The cell that a value tells.

    Raises:
        ValueError: it is none; the message says what is wrong.
    """
    try:
        return _DECODER.decode(value)
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise ValueError(str(problem)) from None


def stage_and_start(key: bytes) -> tuple[int, int] | None:
    """Which stage a key's cell is of and where it begins, ms; None = it is the key of no cell."""
    parts = key.split(b"/", _START_PART + 1)
    if len(parts) <= _START_PART or not (parts[0].isdigit() and parts[_START_PART].isdigit()):
        return None
    return int(parts[0]), int(parts[_START_PART])
