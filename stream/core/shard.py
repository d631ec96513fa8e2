"""The engine: one partition of one stage. `apply` a batch, get what changed.

Laws, each a test:

* deterministic: the same state, records, positions and now give the same changes;
* any order and any repetition of accepted events gives the same contacts and net figures;
* a cut anywhere, with the changelog stored and loaded again, equals no cut;
* the sum of the contributions of all rows ever seen = counters; entered = outcomes + waiting;
* applied + duplicate + rejected = records; the watermark never falls.

No I/O, no clock, no logging. If the transaction that should store the changes fails, the shard must
be thrown away and loaded again. Source: 4-architecture 4.3.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from stream.core import ledger
from stream.core.batch import Changes, Codec, Output, Record, ShardId
from stream.core.book import Book
from stream.core.cells import Figures
from stream.core.events import FUTURE_MS, LAST_CONTACT_RANK, RESTARTED, Event, Rejection
from stream.core.pages import PAGED_FROM, Pages
from stream.core.row import Row
from stream.core.timers import Timers
from stream.core.view import ShardView
from stream.core.waiting import open_now
from stream.core.watermark import Watermark

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from stream.core.batch import RowTimes
    from stream.core.cells import Contributions
    from stream.core.policy import Policy
    from stream.core.view import Open

__all__ = ["STAGE_ONE_SOURCES", "Changes", "Codec", "Output", "Record", "Shard", "ShardId", "ShardView"]

STAGE_ONE_SOURCES = ("calls", "chats", "emails")  # those that hold the watermark back
HOT_ROWS = 1_000  # rows kept as objects; the others stay bytes until they are touched
TICK_MS = 1_000  # an idle shard looks at the clock so often
_LONG_AGO = -(1 << 62)
Arrivals = list[tuple[Event, int]]  # events of one contact as they came, each with the oldest time its copy is known by
_TOPICS = {"voice": "calls", "email": "emails"}  # by default channel; the chat family came by chats


class Shard:
    """One partition of stage one. See the module for its laws."""

    def __init__(
        self, identity: ShardId, policy: Policy, codec: Codec, sources: tuple[str, ...] = STAGE_ONE_SOURCES
    ) -> None:
        """Empty; `load` what the changelog holds, then `loaded`."""
        self.id = identity
        self.policy = policy
        self.codec = codec
        self.definition = codec.definition(policy)
        self.figures = Figures(policy)
        self.next: dict[str, int] = {}
        self.clock = Watermark(sources, policy.disorder_ms)
        self.hot: dict[str, Row] = {}
        self.frozen: dict[str, bytes] = {}
        self.pages = Pages()
        self.book = Book(self.figures)
        self.restarts: list[Event] = []
        self.view = ShardView(identity.stage, identity.partition)
        self.open: dict[str, tuple[Open, ...]] = {}
        self.told_watermark: tuple[int, int] = (0, 0)  # value, wall clock
        self.timers = Timers()
        self._now = 0

    @property
    def watermark(self) -> int | None:
        """How far event time has come (ms), or None."""
        return self.clock.value

    def load(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the changelog, in its order; rows stay bytes."""
        ledger.load(self, key, value)

    def loaded(self) -> None:
        """The changelog has been read: set timers and show the figures.

        Raises:
            Trouble: the figures were counted under another policy.
        """
        ledger.loaded(self)

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
        changes = Changes()
        self.next.update(positions)
        self._now = now
        self.clock.rest(idle, now)
        for contact_id, events in self._sort_out(records, changes).items():
            self._apply_to(contact_id, events, changes, records)
        self._fire_timers(changes)
        ledger.settle(self, changes, now)
        self._cool()
        return changes

    def advance(self, to: int, now: int = 0) -> Changes:
        """Put the watermark at ``to`` and do what falls due (replay and tests)."""
        self.clock.advance(to)
        return self.apply((), {}, now)

    def due(self, now: int) -> bool:
        """Whether an empty `apply` would do something."""
        return now - self._now >= TICK_MS or ledger.owes(self, now)

    def publish(self, changes: Changes) -> None:
        """The transaction of ``changes`` has committed: show it."""
        self.view.show(changes)

    def row(self, contact_id: str) -> Row | None:
        """The row of a contact as an object, or None."""
        row = self.hot.pop(contact_id, None)
        if row is None:
            packed = self.frozen.pop(contact_id, None)
            if packed is None:
                return None
            row = self.codec.unpack_row(packed, self.pages.of(contact_id))
            row.packed = packed
            times = self.codec.row_times(packed)
            row.home = (times.channel, times.first_at)
            row.fold(self.policy)
            row.booked = row.book(self.figures, row.known_at)
        self.hot[contact_id] = row
        return row

    def find_open(self, contact_id: str) -> None:
        """After loading: see what of a row waits."""
        row = self.row(contact_id)
        if row is not None and (entries := open_now(row.contacts, self.figures, row.known_at)):
            self.open[contact_id] = entries

    def _cool(self) -> None:
        """Keep only the rows touched last as objects."""
        for coldest in list(islice(self.hot, max(0, len(self.hot) - HOT_ROWS))):
            self.frozen[coldest] = self.hot.pop(coldest).packed

    def rows(self) -> int:
        """How many rows the shard holds."""
        return len(self.hot) + len(self.frozen)

    def _sort_out(self, records: Sequence[Record], changes: Changes) -> dict[str, Arrivals]:
        """Decode, reject what must be, move event time, and group the rest by contact."""
        grouped: dict[str, Arrivals] = {}
        decode, clock, lateness = self.codec.decode, self.clock, self.policy.lateness_ms
        spoken: dict[tuple[str, str], list[int]] = {}  # (topic, source) -> records, newest
        for record in records:
            topic = record[0]
            event = decode(topic, record[3], record[4])
            cutoff = _LONG_AGO if clock.value is None else clock.value - lateness
            if isinstance(event, Rejection):
                self._reject(record, event, changes)
                continue
            untimely = _untimely(event, record[2], cutoff)
            if untimely is not None:
                self._reject(record, untimely, changes)
                continue
            at = event[0]
            if topic in clock.sources:
                clock.observe(topic, at)
            told = spoken.setdefault((topic, event[4]), [0, at])
            told[0] += 1
            told[1] = max(told[1], at)
            if event[2] <= LAST_CONTACT_RANK:
                grouped.setdefault(event[5].contact_id, []).append((event, cutoff))
            elif event[2] == RESTARTED:
                self._restarted(event, grouped)
        for (topic, source), (count, newest) in spoken.items():
            changes.count(topic, "applied", count)
            changes.seen[topic, source] = newest
        return grouped

    def _restarted(self, event: Event, grouped: dict[str, Arrivals]) -> None:
        """Remember a restart and touch every row it may end."""
        if any(known[:5] == event[:5] for known in self.restarts):
            return
        self.restarts.append(event)
        touched = set(self.open)
        touched |= {name for name, row in self.hot.items() if row.contacts and row.contacts[-1].last_at >= event[0]}
        touched |= {name for name, packed in self.frozen.items() if self.codec.row_times(packed).last_at >= event[0]}
        for contact_id in touched:
            grouped.setdefault(contact_id, [])

    def _apply_to(self, contact_id: str, events: Arrivals, changes: Changes, records: Sequence[Record]) -> None:
        """Fold a contact's events, book the difference, and say what became of it."""
        if self.restarts:
            events = events + self._restarts_for(contact_id, events)
        try:
            row, worth, duplicates, changed = self._fold(contact_id, events)
        except Exception:  # noqa: BLE001  a defect met by an event must cost that event, not the shard (1-events 1.6)
            events = self._without_bugs(contact_id, events, changes, records)
            if not events:
                return
            row, worth, duplicates, changed = self._fold(contact_id, events)
        if duplicates:
            topic = _TOPICS.get(events[0][0][5].default_channel, "chats")
            changes.count(topic, "applied", -duplicates)
            changes.count(topic, "duplicate", duplicates)
        if changed:
            self._rebook(contact_id, row, worth, changes, events[-1][0][3] if events else "tick")

    def _fold(self, contact_id: str, events: Arrivals) -> tuple[Row, Contributions, int, bool]:
        """The row with ``events``, what it is worth, the duplicates, and whether it changed; books nothing."""
        row = self.row(contact_id)
        if row is None:
            row = self.hot[contact_id] = Row()
        duplicates, changed = row.add(events, self.policy)
        if self.clock.value is not None:
            row.trim(self.clock.value - self.policy.lateness_ms, self.policy)
        return row, row.book(self.figures, self.clock.value) if changed else {}, duplicates, changed

    def _without_bugs(self, contact_id: str, events: Arrivals, changes: Changes, records: Sequence[Record]) -> Arrivals:
        """The events that can be folded; the record of any other is rejected as ``bug``."""
        good: Arrivals = []
        for pair in events:
            self._forget(contact_id)
            try:
                self._fold(contact_id, [*good, pair])
            except Exception as bug:  # noqa: BLE001  as above
                event = pair[0]
                for record in records:
                    found = self.codec.decode(record.topic, record.key, record.value)
                    if not isinstance(found, Rejection) and found[:5] == event[:5]:
                        changes.count(record.topic, "applied", -1)
                        self._reject(record, Rejection("bug", f"{type(bug).__name__}: {bug}", str(found[3])), changes)
                        break
            else:
                good.append(pair)
        self._forget(contact_id)
        return good

    def _forget(self, contact_id: str) -> None:
        """Back to the row as stored."""
        row = self.hot.pop(contact_id, None)
        if row is not None and row.packed:
            self.frozen[contact_id] = row.packed

    def _restarts_for(self, contact_id: str, events: Arrivals) -> Arrivals:
        row = self.row(contact_id)
        known = [event[0] for event, _ in events]
        ids = row.ids if row is not None else {}
        known += [contact.first_at for contact in row.contacts[:1]] if row is not None else []
        first = min(known, default=0)
        return [(e, _LONG_AGO) for e in self.restarts if first < e[0] and (e[4], e[3]) not in ids]

    def _rebook(self, contact_id: str, row: Row, worth: Contributions, changes: Changes, cause: str) -> None:
        """Book what the row is worth now; write it, its outcome and its corrections."""
        watermark, policy = self.clock.value, self.policy
        fallen = self.book.differ(row.booked, worth)
        row.booked = worth
        row.known_at = watermark
        row.revision += 1
        entries = open_now(row.contacts, self.figures, watermark)
        if entries or contact_id in self.open:
            changes.open[contact_id] = entries
            if entries:
                self.open[contact_id] = entries
            else:
                del self.open[contact_id]
        ledger.tell(self, contact_id, row, changes)
        if fallen:
            ledger.correct(self, contact_id, row, fallen, (cause, changes))
        self._store(contact_id, row, row.times(watermark, policy, waits=bool(entries)), changes)

    def _store(self, contact_id: str, row: Row, times: RowTimes, changes: Changes) -> None:
        home = (times.channel, times.first_at)
        if row.home != home:
            if row.home is not None:
                self.book.end(*row.home)
            self.book.begin(*home)
            row.home = home
        self.timers.arm(contact_id, times.due)
        if len(row.tail) >= PAGED_FROM or row.paged:
            row.paged, written = self.pages.store(contact_id, row.tail, self.codec.pack_events)
            changes.changelog += written
        row.packed = self.codec.pack_row(row, times)
        changes.changelog.append((b"c/" + contact_id.encode(), row.packed))

    def _fire_timers(self, changes: Changes) -> None:
        """Look at every row whose time has come: infer its end, or let it leave."""
        watermark = self.clock.value
        while watermark is not None and (contact_id := self.timers.pop(watermark)) is not None:
            row = self.hot.get(contact_id)
            packed = self.frozen.get(contact_id) if row is None else row.packed
            if packed is None:
                continue
            times = self.codec.row_times(packed)
            if times.due > watermark:
                self.timers.arm(contact_id, times.due)
            elif times.ended:
                self.book.end(times.channel, times.first_at)
                self.hot.pop(contact_id, None)
                self.frozen.pop(contact_id, None)
                changes.changelog += self.pages.store(contact_id, [], self.codec.pack_events)[1]
                changes.changelog.append((b"c/" + contact_id.encode(), None))
            elif (row := self.row(contact_id)) is not None:
                row.trim(watermark - self.policy.lateness_ms, self.policy)
                self._rebook(contact_id, row, row.book(self.figures, watermark), changes, "tick")

    def _reject(self, record: Record, rejection: Rejection, changes: Changes) -> None:
        changes.count(record.topic, "rejected")
        self.book.count(self.figures.get(("contact_stream_rejected_total", record.topic, rejection.reason)))
        changes.outputs.append(ledger.rejected(self.id, record, rejection, self._now))


def _untimely(event: Event, recorded_at: int | None, cutoff: int) -> Rejection | None:
    """Whether an event comes from the future, or too late to count (1-events 1.3 and 1.5)."""
    at = event[0]
    if recorded_at is not None and at - recorded_at > FUTURE_MS:
        detail = f"occurred_at is {at - recorded_at} ms after the record's timestamp, more than {FUTURE_MS} ms"
        return Rejection("future", detail, event[3])
    if at < cutoff:
        return Rejection("late", f"occurred_at is {cutoff - at} ms older than the lateness allows", event[3])
    return None
