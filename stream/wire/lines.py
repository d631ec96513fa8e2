"""One line of a recording: which topic, which key, and the value's bytes as they stand.

    {"topic": "calls", "event": {…}}                 a canonical event; its key is what 1-events 1.2 says
    {"topic": "calls", "key": "c1", "raw": "…"}      a value that is no event; ``raw`` null = the record has no value
    {"topic": "calls", "key": "c1", "raw_base64": "…"}   the same where the value is not UTF-8

``key`` null = the record has no key; ``recorded_at`` may stand in any of them.
"""

from base64 import b64decode
from typing import Literal, NamedTuple

import msgspec

from stream.wire.times import parse_time

Topic = Literal["calls", "chats", "emails", "cases", "agents"]


class Line(NamedTuple):
    """A recorded source record. ``recorded_at`` in ms, None where the line does not say."""

    topic: str
    key: bytes | None
    value: bytes | None
    recorded_at: int | None


class _Owner(msgspec.Struct):
    type: object = None
    contact_id: object = None
    customer: object = None
    alias: object = None
    agent: object = None
    source: object = None


class _Line(msgspec.Struct):
    topic: Topic
    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    raw: str | msgspec.UnsetType | None = msgspec.UNSET
    raw_base64: str | msgspec.UnsetType = msgspec.UNSET
    key: str | msgspec.UnsetType | None = msgspec.UNSET
    recorded_at: str | None = None


_DECODER = msgspec.json.Decoder(_Line)
_OWNER = msgspec.json.Decoder(_Owner)


def read_line(text: bytes) -> Line:
    """The record in one line.

    Raises:
        ValueError: it is none of the forms above, or ``recorded_at`` is no time.
    """
    try:
        line = _DECODER.decode(text)
        value = _value(line)
        if line.key is msgspec.UNSET:
            key: bytes | None = b"x" if value is None else _key(line.topic, value).encode()
        else:
            key = None if line.key is None else line.key.encode()
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
        raise ValueError(str(problem)) from None
    recorded = None if line.recorded_at is None else parse_time(line.recorded_at)
    return Line(line.topic, key, value, recorded)


def _value(line: _Line) -> bytes | None:
    if isinstance(line.event, msgspec.Raw):
        return bytes(line.event)
    if isinstance(line.raw_base64, str):
        return b64decode(line.raw_base64)
    if line.raw is msgspec.UNSET:
        raise ValueError("the line has no event")
    return None if line.raw is None else line.raw.encode()


def _key(topic: str, value: bytes) -> str:
    try:
        event = _OWNER.decode(value)
    except (msgspec.MsgspecError, RecursionError):
        return "x"
    if isinstance(event.type, str) and event.type.startswith("source."):
        owner = event.source
    elif topic == "cases":
        owner = event.alias if event.type == "identity.linked" else event.customer
    else:
        owner = event.agent if topic == "agents" else event.contact_id
    return owner if isinstance(owner, str) and owner else "x"
