"""Small simulated worlds for the tests of the simulator, and the real shards to hold them against."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import stream.demo
from stream.core.cases.shard import CaseShard
from stream.core.contacts.shard import Record, Shard, ShardId
from stream.core.partitions import partition_of
from stream.demo.centre.simulator import Simulator
from stream.demo.disturbance import Delivery, Disturber
from stream.demo.scenario import DAY_MS, SCENARIOS, Disturbance, Scenario
from stream.demo.truth.known import families, labels_of, series
from stream.wire.json import dumps
from stream.wire.policy import load_policy
from stream.wire.rows import JsonCodec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.core.contacts.shard import Output
    from stream.core.engine.engine import Engine
    from stream.core.policy import Policy
    from stream.demo.centre.simulator import Moment

START = 1_741_078_800_000
SATURDAY = 1_774_684_800_000
"""28 March 2026, 08:00 UTC: the clock of Berlin is put forward in the following night."""
CALM = Disturbance()
ROUGH = Disturbance(duplicates=0.05, disorder_ms=7_200_000, poison=60)
FOLDER = Path(stream.demo.__path__[0])
POLICY = load_policy(FOLDER / "policy.toml")
BERLIN = load_policy(FOLDER / "berlin.toml")

KNOWN = {name.removesuffix("_count") for name in families()}
SECOND_MS = 1_000  # watermarks are told once a second
TELLINGS = 3  # by the contacts' shards, by the cases', and heard by all
CASE_TOPICS = ("outcomes", "cases", "identities")

Figures = dict[tuple[Any, ...], int]
"""Net figures by family and label values; histograms by bucket index and "sum"; durations in ms."""


def scenario(name: str, disturbance: Disturbance = CALM, scale: float = 1.0) -> Scenario:
    """One of the shipped scenarios, disturbed as asked."""
    return replace(SCENARIOS[name].scaled(scale), disturbance=disturbance)


def moments(simulator: Simulator, contacts: int, *, cut: bool = False) -> "Iterator[Moment]":
    """Everything until `contacts` have begun; then the open ones end, or the world is left as it is; a heartbeat."""
    while (moment := simulator.step()) is not None:
        yield moment
        if simulator.contacts >= contacts and simulator.world.taking:
            if cut:
                break
            simulator.close_arrivals()
    yield simulator.beat()


def deliveries(simulator: Simulator, disturber: Disturber, contacts: int, *, cut: bool = False) -> list[Delivery]:
    """What reaches Kafka of such a world, in order."""
    found = [one for moment in moments(simulator, contacts, cut=cut) for one in disturber.feed(moment)]
    return found + disturber.flush(simulator.now)


class Centre:
    """A few real shards of both stages, fed in batches and shown as committed; what they tell each other arrives."""

    def __init__(self, partitions: int = 3, policy: "Policy" = POLICY) -> None:
        """Begin with nothing."""
        self.contacts = [Shard(ShardId(1, number), policy, JsonCodec()) for number in range(partitions)]
        self.cases = [CaseShard(ShardId(2, number), policy, JsonCodec(), partitions) for number in range(partitions)]
        self.shards: list[Engine] = [*self.contacts, *self.cases]
        self.tally = Counter(applied=0, duplicate=0, rejected=0)
        self.rejected: list[Output] = []
        self._now = START
        self._partitions = partitions
        self._offsets: Counter[tuple[int, str]] = Counter()
        self._logs: list[list[Record]] = [[] for _ in self.shards]
        for shard in self.shards:
            shard.loaded()

    def feed(self, records: "Sequence[Delivery]", batch: int) -> None:
        """Apply deliveries, in batches of `batch` for each shard, until nothing is on its way any more."""
        for delivery in records:
            value = delivery.value if delivery.event is None else dumps(delivery.event)
            home = None if delivery.everywhere else partition_of(delivery.key or b"", self._partitions)
            self._send(delivery.topic, delivery.key, value, home)
        self._drain(batch)
        for _ in range(TELLINGS):
            self._now += SECOND_MS
            for shard in self.shards:
                self._apply(shard, ())
            self._drain(batch)

    def _drain(self, batch: int) -> None:
        """Apply what is on its way, and what comes of it."""
        while any(self._logs):
            for number, shard in enumerate(self.shards):
                log = self._logs[number]
                self._logs[number] = log[batch:]
                if log:
                    self._apply(shard, log[:batch])

    def _send(self, topic: str, key: bytes | None, value: bytes | None, partition: int | None) -> None:
        """Put a record into the log of its shard, or of every shard that reads the topic."""
        first = self._partitions if topic in CASE_TOPICS else 0
        for number in range(self._partitions) if partition is None else (partition,):
            offset = self._offsets[number, topic]
            self._offsets[number, topic] += 1
            self._logs[first + number].append(Record(topic, offset, None, key, value, ()))

    def _apply(self, shard: "Engine", records: "Sequence[Record]") -> None:
        self._now += 1
        changes = shard.apply(records, {record.topic: record.offset + 1 for record in records}, self._now)
        shard.publish(changes)
        self.tally.update(_by_result(changes.tally))
        self.rejected += [output for output in changes.outputs if output.topic == "rejected"]
        for output in changes.outputs:
            if output.topic in CASE_TOPICS:
                home = partition_of(output.key or b"", self._partitions) if output.partition is None else None
                self._send(output.topic, output.key, output.value, home)

    @property
    def settled(self) -> int:
        """The watermark at which cases are settled, which all shards of the case stage share by now; 0 = none."""
        marks = {shard.view.watermark for shard in self.cases}
        assert len(marks) == 1, marks
        return marks.pop() or 0

    def figures(self, now: int) -> Figures:
        """The net figures of the families the truth knows, and the gauges at `now`; nonzero ones."""
        net: Counter[tuple[Any, ...]] = Counter()
        for shard in self.shards:
            for key, (total, retracted) in shard.view.counters.items():
                if key[0] in KNOWN:
                    net[key] += total - retracted
            for key, value in shard.view.gauges(now).items():
                if key[0] in KNOWN and str(key[0]).endswith("_timestamp_seconds"):
                    net[key] = min(net.get(key, round(value)), round(value))
                elif key[0] in KNOWN:
                    net[key] += round(value)
        return _shown(net, self.settled)

    def unaccounted(self) -> int:
        """How many visits are in no outcome and do not wait."""
        return sum(abs(left) for shard in self.contacts for left in shard.view.unaccounted.values())


def _by_result(tally: "Mapping[tuple[str, str], int]") -> Counter[str]:
    results: Counter[str] = Counter()
    for (_, result), number in tally.items():
        results[result] += number
    return results


def _shown(figures: "Mapping[tuple[Any, ...], int]", settled: int) -> Figures:
    """The nonzero figures; of cohorts those of the last eight days."""
    oldest = datetime.fromtimestamp((settled - 8 * DAY_MS) / 1000, UTC).date().isoformat()
    return {
        key: value
        for key, value in figures.items()
        if value and not (key[0] == "contact_fcr_cohort_cases" and key[-1] < oldest)
    }


def differences(centre: Centre, simulator: Simulator) -> dict[tuple[Any, ...], tuple[int, int]]:
    """Every figure that is not as the simulator says: its true value, and the shards'."""
    true = _shown(simulator.truth.raw(centre.settled), centre.settled)
    counted = centre.figures(simulator.now)
    return {
        key: (true.get(key, 0), counted.get(key, 0))
        for key in true.keys() | counted.keys()
        if true.get(key) != counted.get(key)
    }


def pages(centre: Centre, now: int) -> "Iterator[str]":
    """What each shard of the case stage would show of the plain families the truth knows."""
    names = labels_of()
    for shard in centre.cases:
        figures = {key: total - fell for key, (total, fell) in shard.view.counters.items()}
        figures |= {key: round(value) for key, value in shard.view.gauges(now).items()}
        yield "\n".join(
            f"{series(str(key[0]), names[str(key[0])], [str(value) for value in key[1:]])} {value}"
            for key, value in figures.items()
            if key[0] in names
        )


def shuffled(records: "Sequence[Delivery]", seed: int) -> list[Delivery]:
    """The same deliveries in any order."""
    mixed = list(records)
    Random(seed).shuffle(mixed)  # noqa: S311 - a test's order
    return mixed
