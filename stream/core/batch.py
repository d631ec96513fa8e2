"""What goes into a shard and what comes out of it, as values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from stream.core.events import Event, Rejection
from stream.core.view import Counters, Open, Present

if TYPE_CHECKING:
    from stream.core.adoption import Adopted
    from stream.core.fact import Fact
    from stream.core.links import Message
    from stream.core.person import Heard
    from stream.core.policy import Policy
    from stream.core.row import Row


class ShardId(NamedTuple):
    """Which shard."""

    stage: int
    partition: int


class Record(NamedTuple):
    """One source record as fetched. ``recorded_at`` in ms, None = unknown (nothing is future)."""

    topic: str
    offset: int
    recorded_at: int | None
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Output(NamedTuple):
    """One record for an output topic; partition None = by key, -1 = every partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    partition: int | None


class RowTimes(NamedTuple):
    """What a shard must know of every row, also of those it keeps as bytes. Times in ms."""

    due: int  # when the watermark must look at it
    last_at: int
    first_at: int
    channel: str
    waits: bool  # something waits in it
    ended: bool  # at ``due`` it leaves


class CaseCodec(Protocol):
    """Bytes to values and back, of the case stage; ``wire`` implements it."""

    def decode_outcome(self, value: bytes | None) -> "Fact | Rejection":
        """The contact in an outcome record."""

    def decode_watermark(self, value: bytes | None) -> tuple[int, int, int | None] | Rejection:
        """Which shard told which watermark, and since when it counts, ms."""

    def decode_message(self, value: bytes | None) -> "Message | Rejection":
        """What the home of another id tells."""

    def encode_message(self, message: "Message") -> bytes:
        """The message as a record's value."""

    def encode_facts(self, told: "dict[str, Fact]") -> bytes:
        """What the ids of a person told of one contact; begins with ``{``."""

    def decode_facts(self, packed: bytes) -> "dict[str, Fact]":
        """The facts of `encode_facts`."""

    def encode_heard(self, heard: "Heard") -> bytes:
        """An event and the ids that told it; begins with ``[``."""

    def decode_heard(self, packed: bytes) -> "Heard":
        """The event of `encode_heard`."""


class Codec(CaseCodec, Protocol):
    """Bytes to values and back; ``wire`` implements it."""

    def decode(self, topic: str, key: bytes | None, value: bytes | None) -> Event | Rejection:
        """The event in a source record, or why it is none."""

    def definition(self, policy: "Policy") -> str:
        """A name for exactly what a policy says: equal only for policies that count alike."""

    def write_policy(self, policy: "Policy") -> str:
        """A policy as text."""

    def read_policy(self, text: str) -> "Policy":
        """The policy of `write_policy`."""

    def pack_row(self, row: "Row", times: "RowTimes") -> bytes:
        """A row as stored, ``times`` readable without unpacking."""

    def unpack_row(self, packed: bytes, pages: "Sequence[bytes]") -> "Row":
        """The row of `pack_row` with the pages of its tail; not yet folded."""

    def pack_events(self, events: list[Event]) -> bytes:
        """One page of a tail."""

    def row_times(self, packed: bytes) -> "RowTimes":
        """What of a packed row can be read without unpacking it."""

    def body(self, event: Event) -> str:
        """The body of an event as JSON."""

    def pack(self, value: object) -> bytes:
        """Plain values as JSON."""

    def unpack(self, packed: bytes) -> object:
        """The values of `pack`."""


@dataclass(slots=True)
class Changes:
    """What one batch changed: rows for the changelog, outputs, and what the view needs."""

    changelog: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    applied: int = 0
    duplicates: int = 0
    rejected: int = 0
    tally: dict[tuple[str, str], int] = field(default_factory=dict)  # (topic, result) -> records
    counters: Counters = field(default_factory=dict)
    open: dict[str, tuple[Open, ...]] = field(default_factory=dict)
    staff: dict[str, Present | None] = field(default_factory=dict)  # what an agent is doing now; None = it has left
    seen: dict[tuple[str, str], int] = field(default_factory=dict)  # (topic, source) -> its newest word, ms
    watermark: int | None = None
    since: int | None = None  # when counting began, ms
    rows: int = 0
    adopted: "Adopted | None" = None  # the policy that was put in place of another

    @property
    def records(self) -> int:
        """How many records the batch read."""
        return self.applied + self.duplicates + self.rejected

    def count(self, topic: str, result: str, amount: int = 1) -> None:
        """Tally records of ``topic``."""
        self.tally[topic, result] = self.tally.get((topic, result), 0) + amount
