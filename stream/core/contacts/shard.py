"""Stage one: contacts, and what agents are doing. `apply` a batch of events, get what changed.

Laws beside those of `engine`, each a test:

* any order and any repetition of accepted events gives the same contacts and net figures;
* entered = outcomes + waiting;
* the time of an agent in all statuses = from its first status to its last; agents never move the watermark.

Source: 1-events 1.5, 4-architecture 4.3.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, cast

from stream.core.agents.staff import Staff
from stream.core.contacts import redecide
from stream.core.contacts.outcomes import tell
from stream.core.contacts.pages import PAGED_FROM, Pages
from stream.core.contacts.row import Row
from stream.core.contacts.waiting import open_now
from stream.core.engine import ledger
from stream.core.engine.batch import Changes, Output, Record, ShardId
from stream.core.engine.engine import Engine
from stream.core.engine.watermark import LONG_AGO, NO_LIMIT, StageOneClock, untimely
from stream.core.events import AGENT_STATUS, LAST_CONTACT_RANK, RESTARTED, Event, Rejection
from stream.core.figures.view import ShardView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.core.contacts.codec import ContactCodec
    from stream.core.contacts.row import RowTimes
    from stream.core.engine.redecide import Redecision
    from stream.core.figures.figures import Contributions, Figures
    from stream.core.figures.view import Open
    from stream.core.policy import Policy

__all__ = ["STAGE_ONE_SOURCES", "Changes", "Output", "Record", "Shard", "ShardId", "ShardView"]

STAGE_ONE_SOURCES = ("calls", "chats", "emails")  # those that hold the watermark back
HOT_ROWS = 1_000  # rows kept as objects; the others stay bytes until they are touched
Arrivals = list[tuple[Event, int]]  # events of one contact as they came, each with the oldest time its copy is known by
_TOPICS = {"voice": "calls", "email": "emails"}  # by default channel; the chat family came by chats


class Shard(Engine):
    """One partition of stage one. See the module and `engine` for its laws."""

    clock: StageOneClock
    codec: ContactCodec

    def __init__(
        self, identity: ShardId, policy: Policy, codec: ContactCodec, sources: tuple[str, ...] = STAGE_ONE_SOURCES
    ) -> None:
        """Empty; `load` what the changelog holds, then `loaded`."""
        super().__init__(identity, policy, codec, StageOneClock(sources, policy.disorder_ms))
        self.hot: dict[str, Row] = {}
        self.frozen: dict[str, bytes] = {}
        self.pages = Pages()
        self.restarts: list[Event] = []
        self.open: dict[str, tuple[Open, ...]] = {}
        self.staff = Staff()

    def new_view(self) -> ShardView:
        """What may be shown of the shard: nothing yet."""
        return ShardView(*self.id)

    def load_row(self, key: bytes, value: bytes | None) -> None:
        """Take a contact's row, or a page of one, which stay bytes, or a status of an agent."""
        if key[:2] == b"a/":
            self.staff.load(key, value)
        elif key[:2] == b"t/":
            self.pages.load(key, value)
        elif value is None:
            self.frozen.pop(key[2:].decode(), None)
        else:
            self.frozen[key[2:].decode()] = value

    def rows_loaded(self) -> None:
        """Set timers, and find what is open."""
        self.timers.fill({name: self.codec.row_times(packed).due for name, packed in self.frozen.items()})
        for name, packed in list(self.frozen.items()):
            times = self.codec.row_times(packed)
            self.book.begin(times.channel, times.first_at)
            if times.waits:
                self._find_open(name)
        self.view.open = dict(self.open)
        self.view.staff = self.staff.loaded(self.codec, self.policy)

    def work(self, records: Sequence[Record], changes: Changes) -> None:
        """Fold the records' contacts and agents, then look at those whose time has come."""
        contacts, agents = self._sort_out(records, changes)
        for contact_id, events in contacts.items():
            self._apply_to(contact_id, events, changes, records)
        for agent, events in agents.items():
            self._turn(agent, events, changes, records)
        self._fire_timers(changes)
        if self.clock.value is not None and self.restarts:
            oldest = self.clock.value - self.policy.lateness_ms
            self.restarts = [event for event in self.restarts if event[0] >= oldest]
        self._cool()

    def cells_known_at(self) -> int | None:
        """Agents count in cells too."""
        return self.clock.staff

    def state(self) -> dict[str, object]:
        """The restarts that events still to come must hear of, and how far agents have come."""
        agents = self.clock.agents
        restarts = [["calls", event[4], self.codec.body(event)] for event in self.restarts]
        return {"restarts": restarts, "agents": [agents.value, agents.seen, agents.closed]}

    def load_state(self, state: Mapping[str, object]) -> None:
        """Take what `state` said."""
        told = cast("list[tuple[str, str, str]]", state["restarts"])
        events = (self.codec.decode(topic, key.encode(), body.encode()) for topic, key, body in told)
        self.restarts = [event for event in events if not isinstance(event, Rejection)]
        agents = self.clock.agents
        told_of_agents = state.get("agents", (None, {}, LONG_AGO))  # a former version did not know
        agents.value, agents.seen, agents.closed = cast("tuple[int | None, dict[str, int], int]", told_of_agents)

    def broadcast(self, watermark: int) -> Output:
        """To every partition of the case stage."""
        return ledger.watermark_record(self, "outcomes", watermark)

    def row(self, contact_id: str) -> Row | None:
        """The row of a contact as an object, or None."""
        row = self.hot.pop(contact_id, None)
        if row is None:
            packed = self.frozen.pop(contact_id, None)
            if packed is None:
                return None
            row = self.wake(contact_id, packed, self.figures)
        self.hot[contact_id] = row
        return row

    def wake(self, contact_id: str, packed: bytes, figures: Figures) -> Row:
        """The row of a contact that rests, booked as it was counted in ``figures``."""
        row = self.codec.unpack_row(packed, self.pages.of(contact_id))
        row.packed = packed
        times = self.codec.row_times(packed)
        row.home = (times.channel, times.first_at)
        row.fold(figures.policy)
        row.booked = row.book(figures, row.known_at)
        return row

    def _find_open(self, contact_id: str) -> None:
        """After loading: see what of a row waits."""
        row = self.row(contact_id)
        if row is not None and (entries := open_now(row.contacts, self.figures, row.known_at)):
            self.open[contact_id] = entries

    def _cool(self) -> None:
        """Keep only the rows touched last as objects."""
        for coldest in list(islice(self.hot, max(0, len(self.hot) - HOT_ROWS))):
            self.frozen[coldest] = self.hot.pop(coldest).packed

    def rows(self) -> int:
        """How many contacts and agents the shard holds."""
        return len(self.hot) + len(self.frozen) + len(self.staff)

    def held(self) -> list[str]:
        """Every contact, its row at rest, and every agent, named as in the changelog."""
        self.frozen |= {name: row.packed for name, row in self.hot.items()}
        self.hot.clear()
        return [*(f"c/{name}" for name in self.frozen), *(f"a/{agent}" for agent in self.staff.agents)]

    def decide_again(self, name: str, redecision: Redecision) -> None:
        """What a contact is worth and tells, or an agent is worth and shows, under the policy in force."""
        (redecide.agent if name[:2] == "a/" else redecide.contact)(self, name[2:], redecision)

    def _sort_out(self, records: Sequence[Record], changes: Changes) -> tuple[dict[str, Arrivals], dict[str, Arrivals]]:
        """Decode, reject what must be, move event time, and group the rest by contact and by agent."""
        grouped: dict[str, Arrivals] = {}
        agents: dict[str, Arrivals] = {}
        decode, clock, lateness = self.codec.decode, self.clock, self.policy.lateness_ms
        spoken: dict[tuple[str, str], list[int]] = {}  # (topic, source) -> records, newest
        oldest = NO_LIMIT
        for record in records:
            topic = record[0]
            event = decode(topic, record[3], record[4])
            if isinstance(event, Rejection):
                self.reject(record, event, changes)
                continue
            cutoff = clock.staff_cutoff(lateness) if topic == "agents" else clock.cutoff(lateness)
            refused = untimely(event, record[2], cutoff)
            if refused is not None:
                self.reject(record, refused, changes)
                continue
            at = event[0]
            (clock.agents if topic == "agents" else clock).observe(topic, at)
            told = spoken.get((topic, event[4]))
            if told is None:
                spoken[topic, event[4]] = [1, at]
            else:
                told[0] += 1
                told[1] = max(told[1], at)
            if event[2] <= LAST_CONTACT_RANK:
                oldest = min(oldest, at)
                grouped.setdefault(event[5].contact_id, []).append((event, cutoff))
            elif event[2] == AGENT_STATUS:
                agents.setdefault(event[5].agent or "", []).append((event, cutoff))
            elif event[2] == RESTARTED:
                self._restarted(event, grouped)
        if oldest != NO_LIMIT:
            clock.begin(oldest)
        for (topic, source), (count, newest) in spoken.items():
            changes.count(topic, "applied", count)
            changes.seen[topic, source] = newest
        return grouped, agents

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
                self._cost(pair[0], bug, changes, records)
            else:
                good.append(pair)
        self._forget(contact_id)
        return good

    def _cost(self, event: Event, bug: Exception, changes: Changes, records: Sequence[Record]) -> None:
        """A defect met by an event, which was counted as applied, costs its record."""
        for record in records:
            found = self.codec.decode(record.topic, record.key, record.value)
            if not isinstance(found, Rejection) and found[:5] == event[:5]:
                changes.count(record.topic, "applied", -1)
                self.reject(record, Rejection("bug", f"{type(bug).__name__}: {bug}", str(found[3])), changes)
                break

    def _turn(self, agent: str, events: Arrivals, changes: Changes, records: Sequence[Record]) -> None:
        """Take an agent's events, book the difference, and say what it is doing now."""
        try:
            turns = [self.staff.take(agent, events, self.figures)]
        except Exception:  # noqa: BLE001  a defect met by an event must cost that event, as with contacts
            turns = []
            for pair in events:
                try:
                    turns.append(self.staff.take(agent, [pair], self.figures))
                except Exception as bug:  # noqa: BLE001  as above
                    self._cost(pair[0], bug, changes, records)
        for turn in turns:
            changes.count("agents", "applied", -turn.duplicates)
            changes.count("agents", "duplicate", turn.duplicates)
            fallen = self.book.differ(turn.old, turn.new)
            if fallen:
                ledger.correct(self, turn.about(agent), fallen, changes)
            cutoff = None if self.clock.staff is None else self.clock.staff - self.policy.lateness_ms
            changes.changelog += self.staff.keep(agent, turn, cutoff, self.codec)
            changes.staff[agent] = self.staff.now(agent, self.policy)
            self.staff.arm(agent, self.policy.lateness_ms)

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
        return [(e, LONG_AGO) for e in self.restarts if first < e[0] and (e[4], e[3]) not in ids]

    def _rebook(self, contact_id: str, row: Row, worth: Contributions, changes: Changes, cause: str) -> None:
        """Book what the row is worth now; write it, its outcome and its corrections."""
        watermark, policy = self.clock.value, self.policy
        fallen = self.book.differ(row.booked, worth)
        row.booked = worth
        row.known_at = watermark
        row.revision += 1
        entries = open_now(row.contacts, self.figures, watermark)
        self.wait(contact_id, entries, changes)
        tell(self, contact_id, row, changes, cause)
        if fallen:
            name = f"{contact_id}/{row.contacts[-1].first_at}/{row.revision}"
            ledger.correct(self, ledger.About(name, cause, {"contact_id": contact_id}), fallen, changes)
        self.store(contact_id, row, row.times(watermark, policy, waits=bool(entries)), changes)

    def wait(self, contact_id: str, entries: tuple[Open, ...], changes: Changes) -> None:
        """``entries`` are what waits in a contact now."""
        if entries or contact_id in self.open:
            changes.open[contact_id] = entries
            if entries:
                self.open[contact_id] = entries
            else:
                del self.open[contact_id]

    def store(self, contact_id: str, row: Row, times: RowTimes, changes: Changes) -> None:
        """Write a row, with when to look at it again."""
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
        if self.clock.staff is not None:
            written, left = self.staff.pass_time(self.clock.staff, self.policy.lateness_ms, self.codec)
            changes.changelog += written
            changes.staff.update(dict.fromkeys(left))
