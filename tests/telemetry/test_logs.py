"""Log lines hold one fact each, for people or for programs."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import TYPE_CHECKING

import pytest

from stream.telemetry.logs import Lines, facts, set_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def _encode(fields: Mapping[str, object]) -> bytes:
    """An encoder, as the one `stream.wire` gives."""
    return json.dumps(fields).encode()


def _record(message: str = "shard loaded", **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("stream.worker", logging.INFO, __file__, 1, message, None, None)
    record.created = 1_772_445_600.123
    record.__dict__["fields"] = fields
    return record


@pytest.fixture
def restored() -> Iterator[None]:
    """Put the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_logfmt_quotes_what_needs_it() -> None:
    """One line whatever is in a value: spaces, quotes, line ends, nothing."""
    line = Lines().format(_record(shard=3, detail='a "b"\nc', empty=""))
    assert line == (
        'at=2026-03-02T10:00:00.123Z level=info logger=stream.worker message="shard loaded" shard=3'
        r' detail="a \"b\"\nc" empty=""'
    )


def test_json_says_the_same() -> None:
    """The same fields by the encoder given, one object a line."""
    record = _record(shard=3)
    assert json.loads(Lines(_encode).format(record)) == facts(record)
    assert facts(record)["shard"] == 3


def test_an_exception_stays_on_one_line() -> None:
    """A traceback is a field, not twenty lines."""
    try:
        int("no\nway")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "broke", None, sys.exc_info())
    line = Lines().format(record)
    assert "\n" not in line
    assert "ValueError" in line


@pytest.mark.usefixtures("restored")
def test_set_up_leaves_one_place_for_all_lines() -> None:
    """Ours from the level on, libraries from warning on; standard output is not touched."""
    sink = io.StringIO()
    set_up(logging.INFO, to=io.StringIO())
    set_up(logging.INFO, to=sink)
    logging.getLogger("stream.worker").info("ready")
    logging.getLogger("aiokafka.consumer").info("chatter")
    logging.getLogger("aiokafka.consumer").warning("trouble")
    lines = sink.getvalue().splitlines()
    assert [line.split("message=")[1] for line in lines] == ["ready", "trouble"]
