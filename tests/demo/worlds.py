"""Small simulated worlds for the tests of the simulator, and the real shards to hold them against."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from zlib import crc32

import stream.demo
from stream.core.shard import Record, Shard, ShardId
from stream.demo.disturbance import Delivery, Disturber
from stream.demo.scenario import SCENARIOS, Disturbance, Scenario
from stream.demo.simulator import Simulator
from stream.demo.truth import FAMILIES, GAUGES, HISTOGRAMS, Truth
from stream.wire.json import dumps
from stream.wire.policy import load_policy
from stream.wire.rows import JsonCodec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.core.shard import Output
    from stream.demo.simulator import Moment

START = 1_741_078_800_000
CALM = Disturbance()
ROUGH = Disturbance(duplicates=0.05, disorder_ms=7_200_000, poison=60)
POLICY = load_policy(Path(stream.demo.__path__[0]) / "policy.toml")

Figures = dict[tuple[Any, ...], int]
"""Net figures by family and label values; histograms by bucket index and "sum"; durations in ms."""


def scenario(name: str, disturbance: Disturbance = CALM, scale: float = 1.0) -> Scenario:
    """One of the shipped scenarios, disturbed as asked."""
    return replace(SCENARIOS[name].scaled(scale), disturbance=disturbance)


def moments(simulator: Simulator, calls: int, *, cut: bool = False) -> "Iterator[Moment]":
    """Everything that happens until `calls` have arrived; then the open ones end, or the world is left as it is."""
    while (moment := simulator.step()) is not None:
        yield moment
        if simulator.calls >= calls:
            if cut:
                return
            simulator.close_arrivals()


def deliveries(simulator: Simulator, disturber: Disturber, calls: int, *, cut: bool = False) -> list[Delivery]:
    """What reaches Kafka of such a world, in order."""
    found = [one for moment in moments(simulator, calls, cut=cut) for one in disturber.feed(moment)]
    return found + disturber.flush(simulator.now)


class Centre:
    """A few real shards, fed in batches and shown as committed."""

    def __init__(self, partitions: int = 3) -> None:
        """Begin with nothing."""
        self.shards = [Shard(ShardId(1, partition), POLICY, JsonCodec()) for partition in range(partitions)]
        self.tally: Counter[str] = Counter()
        self.rejected: list[Output] = []
        self._offsets = [Counter[str]() for _ in self.shards]
        for shard in self.shards:
            shard.loaded()

    def feed(self, records: "Sequence[Delivery]", batch: int, now: int = START) -> None:
        """Apply deliveries, in batches of `batch` for each shard."""
        logs: list[list[Record]] = [[] for _ in self.shards]
        for delivery in records:
            value = delivery.value if delivery.event is None else dumps(delivery.event)
            home = crc32(delivery.key or b"") % len(self.shards)
            for partition in range(len(self.shards)) if delivery.everywhere else (home,):
                offset = self._offsets[partition][delivery.topic]
                self._offsets[partition][delivery.topic] += 1
                logs[partition].append(Record(delivery.topic, offset, None, delivery.key, value, ()))
        for shard, log in zip(self.shards, logs, strict=True):
            for first in range(0, len(log), batch):
                self._apply(shard, log[first : first + batch], now)

    def _apply(self, shard: Shard, records: "Sequence[Record]", now: int) -> None:
        changes = shard.apply(records, {record.topic: record.offset + 1 for record in records}, now)
        shard.publish(changes)
        self.tally.update(applied=changes.applied, duplicate=changes.duplicates, rejected=changes.rejected)
        self.rejected += [output for output in changes.outputs if output.topic == "rejected"]

    def figures(self, now: int) -> Figures:
        """The net figures of the families the truth knows, and the gauges at `now`; nonzero ones."""
        net: Counter[tuple[Any, ...]] = Counter()
        for shard in self.shards:
            for key, (total, retracted) in shard.view.counters.items():
                if key[0] in FAMILIES or key[0] in HISTOGRAMS:
                    net[key] += total - retracted
            for key, value in shard.view.gauges(now).items():
                if key[0] in GAUGES:
                    net[key] += round(value)
        return {key: value for key, value in net.items() if value}

    def unaccounted(self) -> int:
        """How many visits are in no outcome and do not wait."""
        return sum(abs(left) for shard in self.shards for left in shard.view.unaccounted.values())


def shuffled(records: "Sequence[Delivery]", seed: int) -> list[Delivery]:
    """The same deliveries in any order."""
    mixed = list(records)
    Random(seed).shuffle(mixed)  # noqa: S311 - a test's order
    return mixed


def truth_figures(truth: Truth) -> Figures:
    """The truth in the shape of `Centre.figures`."""
    return {key: value for key, value in truth.raw().items() if value}
