"""Any bytes give an event or a rejection; times are cut, never rounded."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events import Rejection
from stream.wire.decode import OVERSIZE_BYTES, decode
from stream.wire.times import format_time, parse_time

GOOD = {
    "event_id": "e1",
    "type": "queue.entered",
    "occurred_at": "2026-03-02T10:00:00Z",
    "source": "s",
    "contact_id": "c1",
    "queue": "q",
}
TOPICS = st.sampled_from(("calls", "chats", "emails", "cases", "agents"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(TOPICS, st.none() | st.binary(max_size=8), st.none() | st.binary(max_size=80))
def test_any_bytes_are_decided(topic: str, key: bytes | None, value: bytes | None) -> None:
    """No key and no value makes the decoder raise."""
    assert isinstance(decode(topic, key, value), (tuple, Rejection))


@given(st.dictionaries(st.sampled_from([*GOOD, "wait_ms", "resumes"]), JSON))
def test_any_fields_are_decided(fields: dict[str, object]) -> None:
    """Neither does any value of any field."""
    found = decode("calls", b"c1", json.dumps({**GOOD, **fields}).encode())
    assert isinstance(found, Rejection) or found[3] == {**GOOD, **fields}["event_id"]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"c1", None, "undecodable"),
        (b"c1", b"", "undecodable"),
        (b"c1", b"\xff\xfe", "undecodable"),
        (b"c1", b'{"event_id": NaN}', "undecodable"),
        (b"c1", b"[" * 10_000, "undecodable"),
        (b"c1", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "undecodable"),
        (b"c1", b'{"event_id": "\\ud800"}', "undecodable"),
        (None, b"{", "undecodable"),
        (None, b"{}", "no_key"),
        (None, b'{"event_id": "' + b"x" * OVERSIZE_BYTES + b'"}', "no_key"),
        (b"c1", b'{"type": "x", "event_id": "' + b"x" * OVERSIZE_BYTES + b'"}', "oversize"),
        (b"c1", b'{"type": "contact.teleported"}', "unknown_type"),
        (b"c1", b'{"type": 7}', "invalid"),
        (b"c1", json.dumps({**GOOD, "type": "case.opened"}).encode(), "invalid"),
        (b"c2", json.dumps(GOOD).encode(), "invalid"),
        (b"\xff", json.dumps(GOOD).encode(), "invalid"),
        (b"c1", json.dumps({**GOOD, "occurred_at": "2026-02-30T10:00:00Z"}).encode(), "invalid"),
    ],
)
def test_reasons_in_their_order(key: bytes | None, value: bytes | None, reason: str) -> None:
    """undecodable, no_key, oversize, unknown_type, invalid: the first that applies."""
    found = decode("calls", key, value)
    assert isinstance(found, Rejection), found
    assert found.reason == reason
    assert found.detail


def test_a_good_event_of_the_largest_size_is_read() -> None:
    """1 MiB is allowed; attributes count and are not kept."""
    event = {**GOOD, "attributes": {"a": ""}}
    room = OVERSIZE_BYTES - len(json.dumps(event))
    event["attributes"] = {"a": "x" * room}
    value = json.dumps(event).encode()
    assert len(value) == OVERSIZE_BYTES
    assert not isinstance(decode("calls", b"c1", value), Rejection)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001  zones come below
def test_times_are_read_as_they_come(moment: datetime, offset: int) -> None:
    """Any offset, any fraction: what the standard library reads, cut to ms."""
    local = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    expected = (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert parse_time(local.isoformat()) == expected
    assert parse_time(format_time(expected)) == expected
    assert parse_time(format_time(expected)) == expected  # now by the kept minute


@pytest.mark.parametrize(
    "text", ["2026-03-02T10:00:60Z", "2026-03-02T10:00:0٣Z", "2026-03-02T10:00:00.Z", "", "Z", "2026-03-02T10:00Z"]
)
def test_what_is_no_time(text: str) -> None:
    """The kept minute lets nothing through that the slow way refuses."""
    parse_time("2026-03-02T10:00:00Z")
    with pytest.raises(ValueError, match="expected a time"):
        parse_time(text)
