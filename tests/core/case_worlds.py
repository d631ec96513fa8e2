"""Both stages over many partitions, in memory: queues as Kafka holds them, any interleaving, any batches, crashes.

    source topics -> stage 1 -> outcomes -> stage 2 <-> identities

What a batch of one shard writes is committed as a whole: its changelog, its outputs, its positions. A crash loses what
is not committed, and the shard comes back from its changelog. The dice decide who reads how much next, and who
crashes, so every seed is another schedule. Times in ms.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stream.core.cases.person import KNOWN
from stream.core.cases.shard import CaseShard
from stream.core.contacts.shard import Shard, ShardId
from stream.core.engine.batch import Record
from stream.core.partitions import partition_of
from stream.wire import json
from stream.wire.rows import JsonCodec
from stream.wire.times import format_time

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

    from stream.core.engine.batch import Changes, Output
    from stream.core.engine.engine import Engine
    from stream.core.figures.figures import CounterKey
    from stream.core.policy import Policy
    from tests.core.case_histories import Told

UPSTREAM = ("outcomes", "identities")
BATCHES = (1, 1, 2, 5, 20, 100)


@dataclass(frozen=True)
class Schedule:
    """How a world is run."""

    partitions: int = 1
    crashes: float = 0.0  # chance of a crash at each batch
    barrier: bool = False  # time moves on only when nothing is on its way
    whole: bool = False  # everything a shard has to read is one batch, in order


@dataclass
class _Seat:
    """One shard, what it has to read, and what it has written."""

    shard: Engine
    topics: tuple[str, ...]
    changelog: dict[bytes, bytes] = field(default_factory=dict)
    queues: dict[str, list[Record | int]] = field(default_factory=lambda: defaultdict(list))  # a number moves time
    read: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def waiting(self) -> list[str]:
        """The topics in which something is left to read."""
        return [topic for topic in self.topics if self.read[topic] < len(self.queues[topic])]


class CaseWorld:
    """P shards of each stage."""

    def __init__(self, policy: Policy, schedule: Schedule, dice: random.Random) -> None:
        self.policy = policy
        self.schedule = schedule
        self.dice = dice
        self.verdicts: dict[str, dict[str, Any]] = {}  # as a compacted topic: the last word on a case
        self.told: dict[tuple[str | None, str], dict[str, Any]] = {}  # the last word of each person on a case
        self.fallen: dict[str, int] = defaultdict(int)  # series -> how far corrections say it fell
        self.rejected: list[tuple[str, str]] = []
        self.after: Callable[[CaseWorld], None] | None = None  # called after every commit
        self.asleep: set[ShardId] = set()  # shards that read nothing now
        self.seats: dict[ShardId, _Seat] = {}
        for partition in range(schedule.partitions):
            self.seats[ShardId(1, partition)] = _Seat(self._new(ShardId(1, partition)), ("contacts",))
            self.seats[ShardId(2, partition)] = _Seat(self._new(ShardId(2, partition)), ("cases", *UPSTREAM))

    def _new(self, name: ShardId) -> Engine:
        if name.stage == 1:
            return Shard(name, self.policy, JsonCodec(), ("nobody",))
        return CaseShard(name, self.policy, JsonCodec(), self.schedule.partitions)

    @property
    def case_shards(self) -> list[CaseShard]:
        """The shards of the case stage."""
        return [seat.shard for seat in self.seats.values() if isinstance(seat.shard, CaseShard)]

    def reload(self, name: ShardId) -> None:
        """A crash: what is not in the changelog is gone."""
        seat = self.seats[name]
        seat.shard = self._new(name)
        for key, value in seat.changelog.items():
            seat.shard.load(key, value)
        seat.shard.loaded()

    def reload_all(self) -> None:
        """Every shard comes back from its changelog."""
        for name in self.seats:
            self.reload(name)

    def feed(self, told: Iterable[Told], tick: int | None = None) -> None:
        """Give the sources these events, then this watermark, and run until nothing is on its way."""
        for one in told:
            record = one.record
            partition = partition_of(record.key or b"", self.schedule.partitions)
            stage = 2 if one.topic == "cases" else 1
            self.seats[ShardId(stage, partition)].queues["cases" if stage == 2 else "contacts"].append(record)
        if self.schedule.barrier:
            self.run()
        if tick is not None:
            self._tick(tick)
        self.run()

    def _tick(self, to: int) -> None:
        at = format_time(to + self.policy.disorder_ms)
        beat = {"event_id": "beat", "type": "source.heartbeat", "occurred_at": at, "source": "crm"}
        for name, seat in self.seats.items():
            if name.stage == 1:
                seat.queues["contacts"].append(to)
            else:
                seat.queues["cases"].append(Record("cases", 0, None, b"crm", json.dumps(beat), ()))

    def run(self) -> None:
        """Let shards read, in any order, until there is nothing to read."""
        while busy := [name for name, seat in self.seats.items() if seat.waiting and name not in self.asleep]:
            self._step(self.dice.choice(busy) if not self.schedule.whole else busy[0])

    def _step(self, name: ShardId) -> None:
        seat = self.seats[name]
        topics = seat.waiting
        if not self.schedule.whole and self.dice.random() < 0.6:
            topics = [self.dice.choice(topics)]
        batch: list[Record] = []
        read = dict(seat.read)
        tick = None
        for topic in topics:
            size = 10_000 if self.schedule.whole else self.dice.choice(BATCHES)
            for entry in seat.queues[topic][seat.read[topic] : seat.read[topic] + size]:
                if not isinstance(entry, Record):
                    if not batch:
                        tick = entry
                        read[topic] = read.get(topic, 0) + 1
                    break
                batch.append(entry)
                read[topic] = read.get(topic, 0) + 1
        changes = seat.shard.apply(batch, read, 0) if tick is None else seat.shard.advance(tick)
        if self.dice.random() < self.schedule.crashes:
            if self.dice.random() < 0.3:
                self._commit(name, changes, read)
                self._rest(seat.shard)
                return
            if self.dice.random() < 0.5:
                self.reload(name)
                return
            self._commit(name, changes, read)
            self.reload(name)
            return
        self._commit(name, changes, read)

    def _rest(self, shard: Engine) -> None:
        """Everybody rests as bytes, as they do where there are very many."""
        if isinstance(shard, CaseShard):
            for key in list(shard.people.hot):
                shard.people.resting[key] = shard.people.hot.pop(key).rest()

    def _commit(self, name: ShardId, changes: Changes, read: dict[str, int]) -> None:
        seat = self.seats[name]
        seat.read.update(read)
        seat.shard.publish(changes)
        for key, value in changes.changelog:
            seat.changelog.pop(key, None)
            if value is not None:
                seat.changelog[key] = value
        for output in changes.outputs:
            self._write(output)
        if self.after is not None:
            self.after(self)

    def _write(self, output: Output) -> None:
        if output.topic in UPSTREAM:
            record = Record(output.topic, 0, None, output.key, output.value, tuple(output.headers))
            goes_to = partition_of(output.key or b"", self.schedule.partitions)
            for partition in range(self.schedule.partitions):
                if output.partition == -1 or partition == goes_to:
                    self.seats[ShardId(2, partition)].queues[output.topic].append(record)
        elif output.topic == "verdicts":
            verdict = json.loads(output.value or b"")
            person = (verdict["customer"], verdict["case_id"])
            if verdict["withdrawn"]:
                self.verdicts.pop(verdict["case_id"], None)
                self.told.pop(person, None)
            else:
                self.verdicts[verdict["case_id"]] = self.told[person] = verdict
        elif output.topic == "corrections":
            told = json.loads(output.value or b"")
            if told["stage"] == 2:
                self.fallen[told["cell"]] += told["old"] - told["new"]
        elif output.topic == "rejected":
            self.rejected.append((dict(output.headers)["x-rejected-reason"].decode(), (output.value or b"").decode()))

    def counters(self) -> dict[CounterKey, int]:
        """Net counters of the case stage over all partitions, its tallies among them; nonzero ones."""
        total: dict[CounterKey, int] = defaultdict(int)
        for shard in self.case_shards:
            for key, (rose, fell) in shard.view.counters.items():
                if not str(key[0]).startswith(("contact_stream_", "contact_unidentified")):
                    total[key] += rose - fell
        return {key: amount for key, amount in total.items() if amount}

    def current(self) -> dict[tuple[str | None, str], dict[str, Any]]:
        """The last word on every case of whoever leads now: a ticket is not taken back by who led before."""
        return {name: told for name, told in self.told.items() if self._leads(name[0])}

    def _leads(self, customer: str | None) -> bool:
        if customer is None:
            return True
        home = self.seats[ShardId(2, partition_of(customer.encode(), self.schedule.partitions))].shard
        dossier = home.people.get(KNOWN + customer) if isinstance(home, CaseShard) else None
        return dossier is None or dossier.person.leads

    def stored(self, stage: int) -> list[bytes]:
        """The keys in the changelogs of a stage."""
        return [key for name, seat in self.seats.items() if name.stage == stage for key in seat.changelog]

    def quality(self, kind: str) -> int:
        """How often an oddity was met by the case stage."""
        found = [shard.view.counters.get(("contact_stream_quality_total", kind), (0, 0)) for shard in self.case_shards]
        return sum(rose - fell for rose, fell in found)

    def cells(self) -> dict[Any, int]:
        """Every nonzero count of every interval cell of the case stage, over all partitions."""
        total: dict[Any, int] = defaultdict(int)
        for shard in self.case_shards:
            for key, cell in shard.book.cells.items():
                for figure, amount in cell.counts.items():
                    total[key, figure.key] += amount
        return {key: amount for key, amount in total.items() if amount}

    def gauges(self) -> dict[CounterKey, float]:
        """The cohort gauges over all partitions; nonzero ones."""
        total: dict[CounterKey, float] = defaultdict(float)
        for shard in self.case_shards:
            for key, amount in shard.view.gauges(0).items():
                if str(key[0]).startswith("contact_fcr_"):
                    total[key] += amount
        return {key: amount for key, amount in total.items() if amount}
