"""Outcomes of contacts as the case stage reads them, and what the homes of linked ids tell each other.

`Outcome` has the fields of an outcome record (1-events 1.7) that cases depend on; the others are ignored. A record that
takes an outcome back has only its names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Union, cast

import msgspec

from stream.core.cases.links import Message
from stream.core.cases.person import Heard
from stream.core.events import Rejection
from stream.wire import events as kinds
from stream.wire.times import parse_time

if TYPE_CHECKING:
    from stream.core.cases.fact import Fact
    from stream.core.events import Body, Event

_CaseEvent = Union[kinds.CASE_EVENTS]  # type: ignore[valid-type]  # noqa: UP007  made of a tuple


class Disposition(msgspec.Struct, gc=False):
    """One verdict of the agent, or of the customer."""

    at: int
    resolution: str
    cause: str | None = None
    confirmed: bool | None = None


class Outcome(msgspec.Struct, omit_defaults=True, gc=False):
    """A contact as stage one told it; see `stream.core.cases.fact.Fact`."""

    contact_id: str
    generation: int
    revision: int
    outcome: str = "open"
    decided_at: int = 0
    channel: str = "voice"
    direction: str = "inbound"
    customer: str | None = None
    case_id: str | None = None
    previous_contact_id: str | None = None
    issue: str | None = None
    queue: str = ""
    arrived_at: int = 0
    begins_at: int = 0
    ended_at: int | None = None
    last_at: int | None = None
    pauses: list[tuple[int, int]] = []
    agents: list[str] = []
    handle_ms: int | None = None
    transfers: list[str] = []
    reopens: list[tuple[int, int]] = []
    dispositions: list[Disposition] = []
    withdrawn: bool = False
    first: bool = False
    cause: str = ""


class _Message(msgspec.Struct, omit_defaults=True):
    id: str
    kind: str
    to: str
    sender: str
    cause: str
    leader: str = ""
    at: int = 0
    fact: Outcome | None = None
    first: bool = True
    event: _CaseEvent | None = None
    key: tuple[str, str] = ("", "")
    revision: int = 0


class _Watermark(msgspec.Struct):
    shard: int
    watermark: int
    since: int | None = None


_OUTCOME = msgspec.json.Decoder(Outcome)
_FACTS = msgspec.json.Decoder(dict[str, Outcome])
_HEARD = msgspec.json.Decoder(tuple[list[str], _CaseEvent])
_MESSAGE = msgspec.json.Decoder(_Message)
_WATERMARK = msgspec.json.Decoder(_Watermark)
_ENCODER = msgspec.json.Encoder()


def decode_outcome(value: bytes | None) -> Fact | Rejection:
    """The outcome in a record, or why there is none."""
    try:
        return cast("Fact", _OUTCOME.decode(value or b""))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        return Rejection("undecodable", f"not an outcome of a contact: {problem}")


def decode_watermark(value: bytes | None) -> tuple[int, int, int | None] | Rejection:
    """Which shard told which watermark, and since when it counts (ms)."""
    try:
        told = _WATERMARK.decode(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        return Rejection("undecodable", f"not a watermark: {problem}")
    return told.shard, told.watermark, told.since


def decode_message(value: bytes | None) -> Message | Rejection:
    """What the home of another id tells."""
    try:
        told = _MESSAGE.decode(value or b"")
        body = cast("kinds.Envelope | None", told.event)
        event = None if body is None else event_of(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as problem:
        return Rejection("undecodable", f"not a message between homes: {problem}")
    fact = cast("Fact | None", told.fact)
    rest = (told.leader, told.at, fact, told.first, event, told.key, told.revision)
    return Message(told.kind, told.to, told.sender, told.cause, *rest)


def encode_message(message: Message) -> bytes:
    """The message as stored."""
    said = message._asdict()
    said["event"] = None if message.event is None else message.event[5]
    said["id"] = message.name
    return _ENCODER.encode({name: value for name, value in said.items() if value is not None})


def encode_facts(told: dict[str, Fact]) -> bytes:
    """What the ids of a person told of one contact."""
    return _ENCODER.encode(told)


def decode_facts(packed: bytes) -> dict[str, Fact]:
    """The facts of `encode_facts`."""
    return cast("dict[str, Fact]", _FACTS.decode(packed))


def encode_heard(heard: Heard) -> bytes:
    """An event and the ids that told it."""
    return _ENCODER.encode((sorted(heard.origins), heard.event[5]))


def decode_heard(packed: bytes) -> Heard:
    """The event of `encode_heard`."""
    origins, body = _HEARD.decode(packed)
    return Heard(event_of(body), set(origins))


def event_of(body: kinds.Envelope) -> Event:
    """The event of a typed body."""
    at = parse_time(body.occurred_at)
    return (at, body.source_seq, kinds.RANK_OF[type(body)], body.event_id, body.source, cast("Body", body))
