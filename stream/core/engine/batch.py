"""What goes into a shard and what comes out of it, as values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from stream.core.events import Event, Rejection
from stream.core.figures.view import Counters, Open, Present

if TYPE_CHECKING:
    from stream.core.policies.adoption import Adopted
    from stream.core.policy import Policy


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


class Codec(Protocol):
    """Bytes to values and back, of both stages; ``wire`` implements it and what a stage adds to it."""

    def decode(self, topic: str, key: bytes | None, value: bytes | None) -> Event | Rejection:
        """The event in a source record, or why it is none."""

    def definition(self, policy: "Policy") -> str:
        """A name for exactly what a policy says: equal only for policies that count alike."""

    def write_policy(self, policy: "Policy") -> str:
        """A policy as text."""

    def read_policy(self, text: str) -> "Policy":
        """The policy of `write_policy`."""

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
