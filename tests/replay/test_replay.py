"""Recordings: the real month gives its known figures; a bad line is told with its number."""

import json
from pathlib import Path
from typing import Any

import pytest

from stream.core.trouble import Trouble
from stream.replay.lines import records
from stream.replay.run import Figures, replay
from stream.wire.times import parse_time
from tests import bank
from tests.vectors.waiting import waits
from tests.vectors.world import by_labels

FEBRUARY = parse_time("1999-02-01T00:00:00Z")


def lines(events: list[dict[str, Any]]) -> list[bytes]:
    """Events as the lines of a recording."""
    return [json.dumps({"topic": "calls", "event": event}).encode() for event in events]


def figures_of(events: list[dict[str, Any]], until: int | None) -> Figures:
    """What a replay of the events says."""
    return replay(records(lines(events), "a test"), bank.policy(), until, lambda _read, _at: None)


@pytest.fixture(scope="module")
def month() -> list[dict[str, Any]]:
    """The events of the real month; skipped on a laptop without them, failing in CI."""
    return bank.events_or_skip()


def test_the_real_month(month: list[dict[str, Any]]) -> None:
    """Every visit, step, wait, service level, handle and contact figure of January 1999 is exact."""
    expected = by_labels(bank.expected()["at"][0]["counters"])
    own = {name: value for name, value in expected.items() if not waits(name)}
    found = figures_of(month, FEBRUARY)
    families = {name.partition("{")[0] for name in own}
    counted = {n: v for n, v in by_labels(found.net).items() if n.partition("{")[0] in families and v}
    assert counted == own
    assert (found.applied, found.duplicates, found.rejected) == (len(month), 0, {})
    assert len(own) > 90


def test_the_order_of_a_recording_does_not_matter(month: list[dict[str, Any]]) -> None:
    """Backwards, with every third line twice, the figures are the same."""
    part = month[:6_000]
    found = figures_of([*reversed(part), *part[::3]], FEBRUARY)
    plain = figures_of(part, FEBRUARY)
    told = {
        name: value
        for name, value in found.net.items()
        if not name.startswith(("contact_stream_records", "contact_stream_corr"))
    }
    assert told == {name: value for name, value in plain.net.items() if not name.startswith("contact_stream_records")}
    assert found.duplicates == len(part[::3])


def test_without_until_the_newest_event_is_now() -> None:
    """Who waits at the newest event waits."""
    waiting = {
        "event_id": "1",
        "type": "queue.entered",
        "occurred_at": "1999-01-01T10:00:00Z",
        "source": "bank",
        "contact_id": "c1",
        "queue": "PS",
    }
    assert figures_of([waiting], None).net['contact_queue_waiting{channel="voice",queue="PS"}'] == 1
    assert 'contact_queue_waiting{channel="voice",queue="PS"}' not in figures_of([waiting], FEBRUARY).net


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b'{"topic": "faxes", "event": {}}', b'{"topic": "calls"}', b'{"event": {}}']
)
def test_a_line_that_is_none(text: bytes) -> None:
    """The message names the line and says what was expected."""
    good = lines([{"event_id": "1"}])[0]
    with pytest.raises(Trouble, match=r"cannot read line 3 of calls\.jsonl; .*; expected"):
        list(records([good, b"\n", text], "calls.jsonl"))


def test_a_recording_may_tell_key_and_time(tmp_path: Path) -> None:
    """``key`` and ``recorded_at`` of a line are those of the record."""
    line = {"topic": "calls", "event": {"contact_id": "c1"}, "key": "k", "recorded_at": "1999-01-01T00:00:00Z"}
    path = tmp_path / "lines"
    path.write_text(json.dumps(line) + "\n")
    with path.open("rb") as file:
        [record] = records(file, "lines")
    assert (record.key, record.recorded_at, record.offset) == (b"k", parse_time("1999-01-01T00:00:00Z"), 1)
