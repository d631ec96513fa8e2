"""One line of a recording: which topic, which key, and the event's bytes as they stand."""

from typing import Literal, NamedTuple

import msgspec

from stream.wire.times import parse_time

Topic = Literal["calls", "chats", "emails", "cases", "agents"]


class Line(NamedTuple):
    """A recorded source record. ``recorded_at`` in ms, None where the line does not say."""

    topic: str
    key: bytes | None
    value: bytes
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
    event: msgspec.Raw
    key: str | None = None
    recorded_at: str | None = None


_DECODER = msgspec.json.Decoder(_Line)
_OWNER = msgspec.json.Decoder(_Owner)


def read_line(text: bytes) -> Line:
    """The record in one line.

    Raises:
        ValueError: it is not ``{"topic": …, "event": {…}}``, or ``recorded_at`` is no time.
    """
    try:
        line = _DECODER.decode(text)
        value = bytes(line.event)
        key = line.key if line.key is not None else _key(line.topic, value)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
        raise ValueError(str(problem)) from None
    recorded = None if line.recorded_at is None else parse_time(line.recorded_at)
    return Line(line.topic, key.encode(), value, recorded)


def _key(topic: str, value: bytes) -> str:
    event = _OWNER.decode(value)
    if isinstance(event.type, str) and event.type.startswith("source."):
        owner = event.source
    elif topic == "cases":
        owner = event.alias if event.type == "identity.linked" else event.customer
    else:
        owner = event.agent if topic == "agents" else event.contact_id
    return owner if isinstance(owner, str) and owner else "x"
