"""Records no reader can use, each with the one reason for which it must be rejected.

Every record is a function of (seed, number, time, topic), so that a test can look for it byte for byte. None of them
may ever move a figure: their contact ids and customers begin with `poison`, so one that got through is seen at once.

Left out on purpose: what depends on when it is read (`late`, `future`), and JSON that is deep but well-formed in an
ignored field.

Source: 1-events 1.3 and 1.6 (reasons and the order in which they are checked), 4-architecture 4.6.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

from stream.demo.centre.world import SOURCES, stamp

Record = tuple[bytes | None, bytes | None, str]
"""Key, value, reason."""

_DEPTH: Final = 10_000
_MEGABYTE: Final = 1_000_000
_OVERSIZE: Final = 1_200_000
_LARGE_EVERY: Final = 40
"""One large record in so many."""
_LONGEST_ID: Final = 128


def poison(seed: int, number: int, at: int, topic: str = "calls") -> Record:
    """Return the poison record with a number.

    Args:
        seed: of the run.
        number: counted from 0; the kinds take turns, the largest ones come rarely.
        at: simulated time, ms since the epoch, for those that are nearly events.
        topic: short name of a topic of contacts, or `cases`.

    Returns:
        Record key (None = none), value (None = none) and the reason of 1-events 1.6.
    """
    rng = Random(f"{seed}/poison/{number}")  # noqa: S311 - a simulation
    near = _near(f"poison-{seed}-{number}", at, topic)
    if number % _LARGE_EVERY == _LARGE_EVERY // 2:
        return _LARGE[number // _LARGE_EVERY % len(_LARGE)](near, rng)
    return _SMALL[number % len(_SMALL)](near, rng)


def _near(name: str, at: int, topic: str) -> dict[str, Any]:
    """An event that could be applied, to be spoiled in one place."""
    event = {"event_id": name, "occurred_at": stamp(at), "source": SOURCES[0]}
    if topic == "cases":
        return event | {"type": "case.opened", "case_id": name, "customer": name}
    return event | {"type": "contact.started", "contact_id": name}


def _owner(event: dict[str, Any]) -> str:
    """The field the record is keyed by."""
    return "contact_id" if "contact_id" in event else "customer"


def _key(event: dict[str, Any]) -> bytes:
    return str(event[_owner(event)]).encode()


def _written(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def _random_bytes(event: dict[str, Any], rng: Random) -> Record:
    return _key(event), b"\xff" + rng.randbytes(rng.randrange(1, 300)), "undecodable"


def _truncated(event: dict[str, Any], rng: Random) -> Record:
    text = _written(event)
    return _key(event), text[: rng.randrange(1, len(text))], "undecodable"


def _not_an_object(event: dict[str, Any], rng: Random) -> Record:
    return _key(event), rng.choice((b"[1, 2]", b"42", b'"contact.started"', b"null", b"true", b"")), "undecodable"


def _null_value(event: dict[str, Any], _rng: Random) -> Record:
    return _key(event), None, "undecodable"


def _deep(event: dict[str, Any], rng: Random) -> Record:
    opening = rng.choice((b"[", b'{"a":'))
    closing = {b"[": b"]", b'{"a":': b""}[opening]
    return _key(event), opening * _DEPTH + closing * _DEPTH, "undecodable"


def _not_a_number(event: dict[str, Any], _rng: Random) -> Record:
    spoiled = event | {"type": "agent.connected", "agent": "nobody", "wait_ms": float("nan")}
    return _key(event), _written(spoiled), "undecodable"


def _lone_surrogate(event: dict[str, Any], rng: Random) -> Record:
    surrogate = rng.choice((b"\xed\xa0\x80", b"\\ud800"))
    return _key(event), _written(event).replace(b'"event_id":"poison', b'"event_id":"' + surrogate), "undecodable"


def _null_key(event: dict[str, Any], _rng: Random) -> Record:
    return None, _written(event), "no_key"


def _other_key(event: dict[str, Any], _rng: Random) -> Record:
    return _key(event) + b"-other", _written(event), "invalid"


def _unknown_type(event: dict[str, Any], rng: Random) -> Record:
    kind = rng.choice(("contact.teleported", "Contact.Started", "contact.started.v2"))
    return _key(event), _written(event | {"type": kind}), "unknown_type"


def _wrong_type(event: dict[str, Any], rng: Random) -> Record:
    spoiled = rng.choice(
        (
            {"occurred_at": 1_700_000_000},
            {"occurred_at": "yesterday"},
            {"occurred_at": str(event["occurred_at"]).rstrip("Z")},
            {"event_id": 7},
            {"source": None},
            {"source_seq": -1},
            {"channel": "fax"},
            {"direction": ["inbound"]},
            {"customer": {"name": "nobody"}},
            {"type": "queue.entered"},
            {"type": "queue.left", "queue": "billing", "reason": "bored"},
            {"type": "agent.connected", "agent": "nobody", "wait_ms": "12"},
            {"type": "agent.connected", "agent": "nobody", "wait_ms": True},
            {"type": "contact.ended", "by": 3},
        )
    )
    return _key(event), _written(event | spoiled), "invalid"


def _missing_field(event: dict[str, Any], rng: Random) -> Record:
    lost = rng.choice(("event_id", "occurred_at", "source", _owner(event)))
    return _key(event), _written({name: value for name, value in event.items() if name != lost}), "invalid"


def _long_id(event: dict[str, Any], rng: Random) -> Record:
    name = "poison-" + "x" * rng.randrange(_LONGEST_ID, 2000)
    return name.encode(), _written(event | {_owner(event): name}), "invalid"


def _megabyte_id(event: dict[str, Any], _rng: Random) -> Record:
    name = "poison-" + "x" * _MEGABYTE
    return name.encode(), _written(event | {_owner(event): name}), "invalid"


def _oversize(event: dict[str, Any], _rng: Random) -> Record:
    return _key(event), _written(event | {"attributes": {"note": "x" * _OVERSIZE}}), "oversize"


_Maker = Callable[[dict[str, Any], Random], Record]

_SMALL: Final[tuple[_Maker, ...]] = (
    _random_bytes,
    _truncated,
    _wrong_type,
    _not_an_object,
    _null_value,
    _deep,
    _null_key,
    _not_a_number,
    _lone_surrogate,
    _unknown_type,
    _wrong_type,
    _missing_field,
    _other_key,
    _long_id,
)
_LARGE: Final[tuple[_Maker, ...]] = (_megabyte_id, _oversize)
