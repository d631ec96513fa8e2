"""Any bytes to an event or a rejection (1-events 1.3 and 1.6). Never raises.

The good path is one typed decode. Only what fails is looked at again, to name the reason in the
order of 1.6: undecodable, no_key, oversize, unknown_type, invalid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import msgspec

from stream.core.events import DEFAULT_CHANNEL, RANKS, Rejection
from stream.wire import events as kinds
from stream.wire.times import parse_time

if TYPE_CHECKING:
    from stream.core.events import Event

OVERSIZE_BYTES = 1_048_576
RAW_REASON_KEPT = 256  # characters: the only text of an event without a limit is kept so far
_BY_TOPIC: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "calls": (*kinds.CONTACT_EVENTS, *kinds.SOURCE_EVENTS),
    "chats": (*kinds.CONTACT_EVENTS, *kinds.SOURCE_EVENTS),
    "emails": (*kinds.CONTACT_EVENTS, *kinds.SOURCE_EVENTS),
    "cases": (*kinds.CASE_EVENTS, *kinds.SOURCE_EVENTS),
    "agents": (kinds.AgentStatus, *kinds.SOURCE_EVENTS),
}
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    topic: msgspec.json.Decoder(Union[members])  # noqa: UP007  made of a tuple
    for topic, members in _BY_TOPIC.items()
}
_ANY = msgspec.json.Decoder()
_ERRORS = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def decode(topic: str, key: bytes | None, value: bytes | None) -> Event | Rejection:
    """The event in a record of ``topic`` (short name), or the reason it is none."""
    if value is None:
        return Rejection("undecodable", "the record has no value")
    try:
        body = _DECODERS[topic].decode(value)
        at = parse_time(body.occurred_at)
    except (*_ERRORS, ValueError, OverflowError) as problem:
        return _explain(topic, key, value, problem)
    if key is None or len(value) > OVERSIZE_BYTES:
        return _explain(topic, key, value, ValueError())
    kind = type(body)
    owner, rank = _KINDS[kind]
    try:
        named = key.decode()
    except UnicodeDecodeError:
        named = ""
    if named != getattr(body, owner):
        return Rejection("invalid", f"the record's key is not the event's {owner}", body.event_id)
    if kind is kinds.ContactEnded and body.raw_reason is not None:
        body.raw_reason = body.raw_reason[:RAW_REASON_KEPT]
    body.default_channel = DEFAULT_CHANNEL.get(topic, "voice")
    return (at, body.source_seq, rank, body.event_id, body.source, body)


def _owner(kind: type) -> str:
    if kind in kinds.CONTACT_EVENTS:
        return "contact_id"
    if kind is kinds.IdentityLinked:
        return "alias"
    if kind is kinds.AgentStatus:
        return "agent"
    return "source" if kind in kinds.SOURCE_EVENTS else "customer"


_KINDS = {kind: (_owner(kind), rank) for kind, rank in kinds.RANK_OF.items()}


def _explain(topic: str, key: bytes | None, value: bytes, problem: Exception) -> Rejection:
    try:
        raw = _ANY.decode(value)
    except _ERRORS as why:
        return Rejection("undecodable", f"the value is not JSON: {why}")
    if not isinstance(raw, dict):
        return Rejection("undecodable", "the value is JSON but not an object")
    found = raw.get("event_id")
    event_id = found if isinstance(found, str) else None
    if key is None:
        return Rejection("no_key", "the record has no key", event_id)
    if len(value) > OVERSIZE_BYTES:
        return Rejection("oversize", f"the value has {len(value)} bytes, at most {OVERSIZE_BYTES} are read", event_id)
    return _misread(topic, raw.get("type"), event_id, problem)


def _misread(topic: str, kind: object, event_id: str | None, problem: Exception) -> Rejection:
    if isinstance(kind, str) and kind not in RANKS:
        return Rejection("unknown_type", f"no event type is called {kind[:80]!r}", event_id)
    if isinstance(kind, str) and all(kind != kinds.tag_of(member) for member in _BY_TOPIC[topic]):
        return Rejection("invalid", f"{kind} does not belong on this topic", event_id)
    return Rejection("invalid", str(problem), event_id)
