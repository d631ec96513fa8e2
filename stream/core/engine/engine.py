"""The engine under both stages: one partition's figures, cells, timers and positions, applied batch by batch.

A stage says what its rows are (`ContactShard` in `shard`, `CaseShard` in `case_shard`); what is the same stands here:
positions, the ledger of figures, pacing, and what is shown. Laws, each a test:

* deterministic: the same state, records, positions and now give the same changes;
* a cut anywhere, with the changelog stored and loaded again, equals no cut;
* the sum of the contributions of all rows ever seen = counters;
* applied + duplicate + rejected = records; the watermark never falls.

No I/O, no clock, no logging. If the transaction that should store the changes fails, the shard must
be thrown away and loaded again. Source: 4-architecture 4.3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from stream.core.engine import ledger, redecide
from stream.core.engine.batch import Changes
from stream.core.engine.redecide import Former
from stream.core.engine.timers import Timers
from stream.core.figures.book import Book
from stream.core.figures.figures import Figures

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from stream.core.engine.batch import Codec, Output, Record, ShardId
    from stream.core.engine.redecide import Redecision
    from stream.core.engine.watermark import Watermark
    from stream.core.events import Rejection
    from stream.core.figures.view import ShardView
    from stream.core.policies.adoption import Adopted
    from stream.core.policy import Policy

TICK_MS = 1_000  # an idle shard looks at the clock so often


class Engine(ABC):
    """One partition of a stage. See the module for its laws."""

    def __init__(self, identity: ShardId, policy: Policy, codec: Codec, clock: Watermark) -> None:
        """Empty; `load` what the changelog holds, then `loaded`."""
        self.id = identity
        self.policy = policy
        self.codec = codec
        self.clock = clock
        self.definition = codec.definition(policy)
        self.figures = self.new_figures(policy)
        self.next: dict[str, int] = {}
        self.book = Book(self.figures)
        self.timers = Timers()
        self.told_watermark: tuple[tuple[int | None, int | None], int] = ((0, 0), 0)  # what was told, wall clock
        self.now = 0
        self.former = Former()
        self.redefines = False  # whether it may go on under other definitions than those it counted under
        self.on_adopted: Callable[[ShardId, Adopted], None] | None = None  # called once that is committed
        self._redecision: Redecision | None = None
        self.view = self.new_view()

    def new_figures(self, policy: Policy) -> Figures:
        """The series a shard of this stage counts on: none yet."""
        return Figures(policy)

    @abstractmethod
    def new_view(self) -> ShardView:
        """What may be shown of the shard: nothing yet."""

    @abstractmethod
    def load_row(self, key: bytes, value: bytes | None) -> None:
        """Take one changelog record that is a row."""

    @abstractmethod
    def load_state(self, state: Mapping[str, object]) -> None:
        """Take what `state` said."""

    @abstractmethod
    def rows_loaded(self) -> None:
        """The changelog has been read: set timers, begin what the rows keep alive."""

    @abstractmethod
    def work(self, records: Sequence[Record], changes: Changes) -> None:
        """Apply the records and whatever is due by now; the watermark has not moved for them yet."""

    @abstractmethod
    def state(self) -> dict[str, object]:
        """What the shard row holds beside positions and watermark, as plain values."""

    @abstractmethod
    def broadcast(self, watermark: int) -> Output:
        """The record that tells ``watermark`` (ms) downstream."""

    @abstractmethod
    def rows(self) -> int:
        """How many rows the shard holds."""

    @abstractmethod
    def held(self) -> list[str]:
        """The names of all rows, each at rest as bytes."""

    @abstractmethod
    def decide_again(self, name: str, redecision: Redecision) -> None:
        """Decide a row that rests, counted under the policy of before, under the policy in force."""

    def shown_watermark(self) -> int | None:
        """What the figures are known at (ms)."""
        return self.clock.value

    def cells_known_at(self) -> int | None:
        """How far the events have come that count in cells (ms), or None."""
        return self.clock.value

    @property
    def cells_kept_ms(self) -> int:
        """How long after its interval a cell may still change, whatever is in the state."""
        return self.policy.lateness_ms

    @property
    def watermark(self) -> int | None:
        """How far event time has come (ms), or None."""
        return self.clock.value

    def load(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the changelog, in its order; rows stay bytes."""
        ledger.load(self, key, value)

    def loaded(self) -> None:
        """The changelog has been read: set timers and show the figures, as they were counted.

        Raises:
            Trouble: they were counted under other definitions, and the shard may not adopt others.
        """
        after = self.figures
        redecision = self._redecision = redecide.begin(self)
        if redecision is not None:
            self._count_under(redecision.before)
            self.clock.close(self.policy.lateness_ms)
        self.rows_loaded()
        ledger.show(self)
        self._count_under(after)
        if redecision is not None:
            redecision.take(self.held())

    def _count_under(self, figures: Figures) -> None:
        self.figures, self.policy = figures, figures.policy

    def redecide(self) -> bool:
        """After `loaded`, where the policy is another one: decide some more rows again; whether any are left.

        Whoever cannot wait long calls it until none are; else the first `apply` does. Its transaction holds all.
        """
        return self._redecision is not None and self._redecision.go_on()

    def apply(
        self, records: Sequence[Record], positions: Mapping[str, int], now: int, idle: Collection[str] = ()
    ) -> Changes:
        """Apply a batch and say what changed.

        Args:
            records: each topic's in offset order.
            positions: the new ``next`` of each topic this batch touches.
            now: wall clock, ms; paces publishing and stands in for idle sources.
            idle: sources read to their end and silent.
        """
        changes = self._begun()
        self.next.update(positions)
        self.now = now
        self.clock.rest(idle, now)
        self.work(records, changes)
        ledger.settle(self, changes, now)
        return changes

    def _begun(self) -> Changes:
        """The changes of a batch: none yet, but what another policy made of the rows."""
        while self.redecide():
            pass
        redecision, self._redecision = self._redecision, None
        return Changes() if redecision is None else redecision.close()

    def advance(self, to: int, now: int = 0) -> Changes:
        """Put the watermark at ``to`` and do what falls due (replay and tests)."""
        self.clock.advance(to)
        return self.apply((), {}, now)

    def due(self, now: int) -> bool:
        """Whether an empty `apply` would do something."""
        return now - self.now >= TICK_MS or ledger.owes(self, now)

    def publish(self, changes: Changes) -> None:
        """The transaction of ``changes`` has committed: show it."""
        self.view.show(changes)
        if changes.adopted is not None and self.on_adopted is not None:
            self.on_adopted(self.id, changes.adopted)

    def reject(self, record: Record, rejection: Rejection, changes: Changes) -> None:
        """Keep a record out, and say so."""
        changes.count(record.topic, "rejected")
        self.book.count(self.figures.get(("contact_stream_rejected_total", record.topic, rejection.reason)))
        changes.outputs.append(ledger.rejected(self.id, record, rejection, self.now))
