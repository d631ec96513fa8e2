"""Rows and outputs as bytes: the codec a shard is given.

A contact's row is ``[due, last_at, first_at, channel, flags, known_at, revision, sent, prefix, tail]``. The first five
can be read without parsing the rest, so that a shard may keep hundreds of thousands of rows as bytes.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Union

import msgspec
import orjson

from stream.core.contacts.contact import Contact
from stream.core.contacts.row import Row, RowTimes
from stream.core.contacts.state import freeze, thaw
from stream.wire import events as kinds
from stream.wire import outcomes
from stream.wire.decode import decode
from stream.wire.outcomes import event_of
from stream.wire.policy import policy_hash, read_policy_text, write_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.core.events import Event, Rejection
    from stream.core.policy import Policy

_Any = Union[kinds.ALL_EVENTS]  # type: ignore[valid-type]  # noqa: UP007  made of a tuple
_ROW = msgspec.json.Decoder(
    tuple[int, int, int, str, int, int | None, int, dict[int, list[Any]], list[Any], list[_Any]]
)
_PAGE = msgspec.json.Decoder(list[_Any])
_ENCODER = msgspec.json.Encoder()
_BODY = itemgetter(5)


class JsonCodec:
    """Events, rows and outputs as JSON; stateless."""

    def decode(self, topic: str, key: bytes | None, value: bytes | None) -> Event | Rejection:
        """The event in a source record, or why it is none."""
        return decode(topic, key, value)

    def definition(self, policy: Policy) -> str:
        """The policy's hash."""
        return policy_hash(policy)

    write_policy = staticmethod(write_policy)
    read_policy = staticmethod(read_policy_text)

    def pack_row(self, row: Row, times: RowTimes) -> bytes:
        """A row as stored; not its folded contacts, which `Row.fold` makes again."""
        prefix = [freeze(contact) for contact in row.prefix] if row.prefix else row.prefix
        bodies = list(map(_BODY, row.tail[row.paged :] if row.paged else row.tail))
        flags = times.waits + 2 * times.ended
        return _ENCODER.encode((*times[:4], flags, row.known_at, row.revision, row.sent, prefix, bodies))

    def pack_events(self, events: list[Event]) -> bytes:
        """One page of a tail."""
        return _ENCODER.encode([event[5] for event in events])

    def unpack_row(self, packed: bytes, pages: Sequence[bytes]) -> Row:
        """The row of `pack_row` with the pages of its tail; not yet folded."""
        row = Row()
        _, _, _, _, _, row.known_at, row.revision, row.sent, prefix, bodies = _ROW.decode(packed)
        row.prefix = [thaw(Contact, state) for state in prefix]
        row.tail = [event_of(body) for page in pages for body in _PAGE.decode(page)]
        row.paged = len(row.tail)
        row.tail += [event_of(body) for body in bodies]
        row.ids = {(event[4], event[3]): event for event in row.tail}
        return row

    def row_times(self, packed: bytes) -> RowTimes:
        """What of a packed row can be read without unpacking it."""
        due, last_at, first_at, channel, flags, _ = packed[1:128].split(b",", 5)
        return RowTimes(int(due), int(last_at), int(first_at), channel[1:-1].decode(), flags in b"13", flags in b"23")

    def body(self, event: Event) -> str:
        """The body of an event as JSON."""
        return _ENCODER.encode(event[5]).decode()

    def pack(self, value: object) -> bytes:
        """Plain values as JSON, in no more memory than they need: what orjson returns holds 4 KiB and more."""
        return bytes(memoryview(orjson.dumps(value)))

    def unpack(self, packed: bytes) -> object:
        """The values of `pack`."""
        return orjson.loads(packed)

    decode_outcome = staticmethod(outcomes.decode_outcome)
    decode_watermark = staticmethod(outcomes.decode_watermark)
    decode_message = staticmethod(outcomes.decode_message)
    encode_message = staticmethod(outcomes.encode_message)
    encode_facts = staticmethod(outcomes.encode_facts)
    decode_facts = staticmethod(outcomes.decode_facts)
    encode_heard = staticmethod(outcomes.encode_heard)
    decode_heard = staticmethod(outcomes.decode_heard)
