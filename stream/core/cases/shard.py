"""Stage two: cases. `apply` a batch of outcomes, case events and messages between homes, get what changed.

    outcomes, cases, identities -> facts and events of a person -> its cases -> verdicts, differences, messages

Two watermarks: how far all upstream shards and the own case events have come (told to every home after its messages),
and the settlement: the least of what all homes told, at which time alone changes a case. So a fast partition settles
no case whose repeat, or link, is still on its way.

Laws beside those of `engine`: any order across partitions gives the same cases and net figures; S + P + F + O = N.
Source: 2-numbers 2.7-2.10, 4-architecture 4.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stream.core.cases import redecide
from stream.core.cases.dossier import due_of, first_of
from stream.core.cases.figures import CaseFigures
from stream.core.cases.homes import Homes
from stream.core.cases.people import People
from stream.core.cases.person import ALONE, KNOWN, LINKED
from stream.core.cases.view import CaseView
from stream.core.engine import ledger
from stream.core.engine.batch import Output
from stream.core.engine.engine import Engine
from stream.core.engine.watermark import StageTwoClock, untimely
from stream.core.events import RANKS, Rejection
from stream.core.partitions import partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.core.cases.book import Revalued
    from stream.core.cases.codec import CaseCodec
    from stream.core.cases.dossier import Dossier
    from stream.core.engine.batch import Changes, Record, ShardId
    from stream.core.engine.redecide import Redecision
    from stream.core.events import Event
    from stream.core.figures.figures import Contributions, Figure
    from stream.core.policy import Policy

HEARTBEAT = RANKS["source.heartbeat"]
ANY_CHANNEL = "*"  # a person keeps the cells of every channel


class Taken:
    """What a batch has to be counted for, once it is known to be good."""

    __slots__ = ("applied", "duplicates", "heard", "refused")

    def __init__(self) -> None:
        """Nothing yet."""
        self.applied = 0
        self.duplicates = 0
        self.heard: list[Event] = []
        self.refused: list[tuple[Record, Rejection]] = []

    def settle(self, shard: CaseShard, changes: Changes) -> None:
        """Count it."""
        for record, rejection in self.refused:
            shard.reject(record, rejection, changes)
        for event in self.heard:
            spoke = ("cases", event[4])
            changes.seen[spoke] = max(event[0], changes.seen.get(spoke, 0))
        changes.count("cases", "applied", self.applied)
        changes.count("cases", "duplicate", self.duplicates)


class CaseShard(Engine):
    """One partition of stage two. See the module and `engine` for its laws."""

    clock: StageTwoClock
    codec: CaseCodec
    figures: CaseFigures

    def __init__(self, identity: ShardId, policy: Policy, codec: CaseCodec, upstream: int) -> None:
        """Empty; `load` what the changelog holds, then `loaded`. ``upstream``: how many shards each stage has."""
        super().__init__(identity, policy, codec, StageTwoClock(policy.disorder_ms, upstream))
        self.people = People(self.figures, codec)
        self.homes = Homes(
            self.people, lambda customer: partition_of(customer.encode(), upstream) == identity.partition
        )

    def new_figures(self, policy: Policy) -> CaseFigures:
        """The series of cases: none yet."""
        return CaseFigures(policy)

    def new_view(self) -> CaseView:
        """What may be shown of the shard: nothing yet."""
        return CaseView(*self.id, policy=self.policy)

    def load_row(self, key: bytes, value: bytes | None) -> None:
        """Take a row of a person; it stays bytes."""
        self.people.load(key, value)

    def rows_loaded(self) -> None:
        """Put every person to rest, and set its timer."""
        self.people.loaded()
        self.timers.fill({key: due_of(rest[0]) for key, rest in self.people.resting.items()})
        for rest in self.people.resting.values():
            self.book.begin(ANY_CHANNEL, first_of(rest[0]))

    def work(self, records: Sequence[Record], changes: Changes) -> None:
        """Take the records, look at whoever they touched, then at those whose time has come."""
        self._digest(records, changes)
        self._fire_timers(changes)
        self.people.cool()

    def state(self) -> dict[str, object]:
        """How far every upstream shard and every home has come."""
        return {"upstream": self.clock.upstream, "homes": self.clock.homes}

    def load_state(self, state: Mapping[str, object]) -> None:
        """Take what `state` said."""
        for name in ("upstream", "homes"):
            told = cast("dict[str, int]", state[name])
            getattr(self.clock, name).update(told)

    def broadcast(self, watermark: int) -> Output:
        """To every home, after the messages of the batch."""
        return ledger.watermark_record(self, "identities", watermark)

    @property
    def cells_kept_ms(self) -> int:
        """A contact may be told long after it arrived: an e-mail answered late."""
        return self.policy.lateness_ms + max(self.policy.kept_ms(channel) for channel in self.policy.channels)

    def shown_watermark(self) -> int | None:
        """The settlement: what the figures are known at."""
        return self.clock.settled

    def rows(self) -> int:
        """How many persons the shard holds."""
        return len(self.people)

    def held(self) -> list[str]:
        """Every person; after loading all rest."""
        return list(self.people.resting)

    def decide_again(self, name: str, redecision: Redecision) -> None:
        """What a person's cases are worth and tell under the policy in force."""
        redecide.person(self, name, redecision)

    def _digest(self, records: Sequence[Record], changes: Changes) -> None:
        """Apply records; a defect met by one costs that record, never the shard (1-events 1.6)."""
        homes = self.homes
        homes.begin()
        taken = Taken()
        try:
            for record in records:
                self._take(record, taken)
                homes.deliver()
            looked = [(dossier, dossier.book.revalue(self.clock.settled)) for dossier in self._touched()]
        except Exception as bug:  # noqa: BLE001  whatever it is, it must not stop the partition
            for key in homes.opened:
                self.people.revert(key)
            if len(records) == 1:
                self.reject(records[0], Rejection("bug", f"{type(bug).__name__}: {bug}"), changes)
                return
            half = len(records) // 2
            self._digest(records[:half], changes)
            self._digest(records[half:], changes)
            return
        taken.settle(self, changes)
        self._conclude(looked, changes)

    def _touched(self) -> list[Dossier]:
        found = (self.people.get(key) for key in self.homes.touched)
        return [dossier for dossier in found if dossier is not None]

    def _take(self, record: Record, taken: Taken) -> None:
        """Take one record; what must be counted is counted when the batch is known to be good."""
        if record.topic == "cases":
            refused = self._take_event(record, taken)
        elif record.key == ledger.WATERMARK_KEY:
            refused = self._take_watermark(record)
        elif record.topic == "outcomes":
            refused = self._take_outcome(record)
        else:
            message = self.codec.decode_message(record.value)
            refused = message if isinstance(message, Rejection) else None
            if not isinstance(message, Rejection):
                self.homes.receive(message)
        if refused is not None:
            taken.refused.append((record, refused))

    def _take_watermark(self, record: Record) -> Rejection | None:
        told = self.codec.decode_watermark(record.value)
        if isinstance(told, Rejection):
            return told
        self.clock.hear(record.topic, *told)
        return None

    def _take_outcome(self, record: Record) -> Rejection | None:
        fact = self.codec.decode_outcome(record.value)
        if isinstance(fact, Rejection):
            return fact
        key = ALONE + fact.contact_id if fact.customer is None else KNOWN + fact.customer
        if fact.withdrawn:
            self.homes.take_back(key, key[2:], (fact.contact_id, fact.generation), (fact.revision, fact.cause))
        else:
            self.homes.put(key, fact, key[2:], first=fact.first)
        return None

    def _take_event(self, record: Record, taken: Taken) -> Rejection | None:
        event = self.codec.decode(record.topic, record.key, record.value)
        if isinstance(event, Rejection):
            return event
        refused = untimely(event, record.recorded_at, self.clock.cutoff(self.policy.lateness_ms))
        if refused is not None:
            return refused
        self.clock.observe(record.topic, event[0])
        taken.heard.append(event)
        if event[2] >= HEARTBEAT:
            taken.applied += 1
            return None
        body = event[5]
        customer = (body.alias if event[2] == LINKED else body.customer) or ""
        if not self.homes.hear(KNOWN + customer, event, customer):
            taken.duplicates += 1
            return None
        taken.applied += 1
        if event[2] == LINKED:
            self.homes.link(customer, body.customer or "", event)
        return None

    def _conclude(self, looked: list[tuple[Dossier, list[Revalued]]], changes: Changes) -> None:
        """Book, tell and store what became of everybody touched; those that moved together are booked together."""
        homes = self.homes
        together: list[tuple[Dossier, list[Revalued], str]] = []
        for dossier, revalued in looked:
            cause = homes.touched[dossier.person.key]
            if dossier.person.key in homes.moved:
                together.append((dossier, revalued, cause))
            else:
                for one in revalued:
                    self._book(dossier, one.old, one.new, (one.case, cause, changes))
            self.tell(dossier, revalued, changes)
            self._store(dossier, changes)
        if together:
            self._book_together(together, changes)
        if homes.dropped:
            self.book.count(self.figures.quality("dropped_case"), homes.dropped)
        for message in homes.sent:
            value = self.codec.encode_message(message)
            changes.outputs.append(Output("identities", message.to.encode(), value, [], None))

    def _book_together(self, moved: list[tuple[Dossier, list[Revalued], str]], changes: Changes) -> None:
        old: Contributions = {}
        new: Contributions = {}
        for _, looked, _ in moved:
            for one in looked:
                for side, worth in ((old, one.old), (new, one.new)):
                    for name, amount in worth.items():
                        side[name] = side.get(name, 0) + amount
        dossier, looked, cause = moved[0]
        case = next((one.case for one in looked if one.case), dossier.person.id)
        self._book(dossier, old, new, (case, cause, changes))

    def _book(self, dossier: Dossier, old: Contributions, new: Contributions, why: tuple[str, str, Changes]) -> None:
        """Book a difference; what fell is said in the open."""
        case, cause, changes = why
        fallen: list[tuple[Figure, int]] = self.book.differ(old, new)
        if fallen:
            name = f"{dossier.person.id}/{case}/{dossier.revision}"
            ledger.correct(self, ledger.About(name, cause, {"case_id": case}), fallen, changes)

    def tell(self, dossier: Dossier, looked: list[Revalued], changes: Changes) -> None:
        """Write the verdict of every case that is not told as it is now."""
        dossier.revision += 1
        for one in looked:
            if one.report is None and not one.gone:
                continue
            value = {
                "id": f"{dossier.person.id}/{one.case}/{dossier.revision}",
                "case_id": one.case,
                "customer": None if dossier.person.alone else dossier.person.id,
                "revision": dossier.revision,
                **(one.report or {}),
                "policy": self.definition,
                "withdrawn": one.gone,
            }
            changes.outputs.append(Output("verdicts", one.case.encode(), self.codec.pack(value), [], None))

    def _store(self, dossier: Dossier, changes: Changes) -> None:
        person = dossier.person
        if dossier.home != person.first_at and person.first_at is not None:
            if dossier.home is not None:
                self.book.end(ANY_CHANNEL, dossier.home)
            self.book.begin(ANY_CHANNEL, person.first_at)
            dossier.home = person.first_at
        changes.changelog += dossier.take_rows()
        if person.empty:
            self.people.forget(person.key)
            if dossier.home is not None:
                self.book.end(ANY_CHANNEL, dossier.home)
        else:
            self.timers.arm(person.key, dossier.due_at)

    def _fire_timers(self, changes: Changes) -> None:
        """Look at every person whose time has come: settle its cases, and let go what is over."""
        settled = self.clock.settled
        while settled is not None and (key := self.timers.pop(settled)) is not None:
            dossier = self.people.get(key)
            if dossier is None:
                continue
            due = dossier.due()
            if due > settled:
                self.timers.arm(key, due)
                continue
            looked = dossier.book.revalue(settled)
            for one in looked:
                self._book(dossier, one.old, one.new, (one.case, "tick", changes))
            self.tell(dossier, looked, changes)
            self._let_go(dossier, settled)
            self._store(dossier, changes)

    def _let_go(self, dossier: Dossier, settled: int) -> None:
        """What nothing can change any more leaves, and stays counted; a case that leaves is not open."""
        gone = dossier.book.leaving(settled)
        for case in gone:
            worth = dossier.book.booked.pop(case.id, {})
            open_now = {name: amount for name, amount in worth.items() if name[0].family == "contact_cases_open"}
            self.book.differ(open_now, {})
        contacts, events = dossier.person.let_go(settled, gone)
        for contact in contacts:
            dossier.store_fact(contact)
        for event in events:
            dossier.store_event(event)
        if events:
            dossier.book.forget_surveys()
