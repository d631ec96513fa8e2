"""Bytes to values and back, of the contact stage; ``wire`` implements it."""

from collections.abc import Sequence
from typing import Protocol

from stream.core.contacts.row import Row, RowTimes
from stream.core.engine.batch import Codec
from stream.core.events import Event


class ContactCodec(Codec, Protocol):
    """What stage one stores beside what both do."""

    def pack_row(self, row: Row, times: RowTimes) -> bytes:
        """A row as stored, ``times`` readable without unpacking."""

    def unpack_row(self, packed: bytes, pages: Sequence[bytes]) -> Row:
        """The row of `pack_row` with the pages of its tail; not yet folded."""

    def pack_events(self, events: list[Event]) -> bytes:
        """One page of a tail."""

    def row_times(self, packed: bytes) -> RowTimes:
        """What of a packed row can be read without unpacking it."""

    def body(self, event: Event) -> str:
        """The body of an event as JSON."""
