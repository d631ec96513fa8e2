"""One shard fed as a scenario says, with its changelog and outputs kept as Kafka would keep them."""

import random
from collections.abc import Mapping
from typing import Any

from stream.core.cases.shard import CaseShard
from stream.core.contacts.outcome import is_inferred
from stream.core.contacts.report import contact_report
from stream.core.contacts.shard import Changes, Record, Shard, ShardId
from stream.core.engine.batch import Output
from stream.core.engine.engine import Engine
from stream.core.figures.families import SERVICE
from stream.core.figures.figures import CounterKey
from stream.core.figures.ratios import QueueCounts, abandonment, service_levels
from stream.core.figures.series import net_figures, series_of
from stream.core.policy import Policy
from stream.wire import json
from stream.wire.rows import JsonCodec
from stream.wire.times import format_time

MANUAL = ("calls", "chats", "emails", "nobody")  # one source that never speaks: only `advance_to` moves time


class World:
    """A shard of each stage, what they have written, and what travels between them."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.changelogs: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
        self.verdicts: dict[str, dict[str, Any]] = {}
        self.corrections: list[dict[str, Any]] = []
        self.rejected: list[dict[str, Any]] = []
        self.duplicates = 0
        self.applied = 0
        self.reload()

    def reload(self) -> None:
        """A crash: what is not in the changelogs is gone."""
        self.shard = Shard(ShardId(1, 0), self.policy, JsonCodec(), MANUAL)
        self.cases = CaseShard(ShardId(2, 0), self.policy, JsonCodec(), 1)
        self.cases.clock.sources = ("nobody",)
        for shard, changelog in zip((self.shard, self.cases), self.changelogs, strict=True):
            for key, value in changelog.items():
                shard.load(key, value)
            shard.loaded()

    def feed(self, records: list[Record], size: int) -> None:
        """Apply ``records`` in batches of ``size``, then let the stages tell each other everything."""
        for start in range(0, len(records), size):
            batch = records[start : start + size]
            contacts = [record for record in batch if record.topic != "cases"]
            cases = [record for record in batch if record.topic == "cases"]
            told = self._keep(self.shard, self.shard.apply(contacts, {"calls": start + size}, 0))
            self._travel(self._keep(self.cases, self.cases.apply([*told, *cases], {"cases": start + size}, 0)))

    def advance(self, to: int) -> None:
        """Put the watermark at ``to`` in both stages."""
        told = self._keep(self.shard, self.shard.advance(to))
        self.cases.clock.advance(to)
        self._travel(told)

    def _travel(self, records: list[Record]) -> None:
        """Give the case stage what is on its way to it, until nothing is."""
        while records:
            records = self._keep(self.cases, self.cases.apply(records, {}, 0))

    def _keep(self, shard: Engine, changes: Changes) -> list[Record]:
        """Store what a batch changed; the records it makes for the case stage."""
        changelog = self.changelogs[shard.id.stage - 1]
        for key, value in changes.changelog:
            if value is None:
                changelog.pop(key, None)
            else:
                changelog[key] = value
        for output in changes.outputs:
            self._read(output)
        self.duplicates += changes.duplicates
        self.applied += changes.applied
        shard.publish(changes)
        return [
            Record(output.topic, 0, None, output.key, output.value, output.headers)
            for output in changes.outputs
            if output.topic in ("outcomes", "identities")
        ]

    def _read(self, output: Output) -> None:
        if output.topic == "rejected":
            headers = dict(output.headers)
            self.rejected.append({"reason": headers["x-rejected-reason"].decode(), "value": output.value})
        elif output.topic == "corrections":
            self.corrections.append(json.loads(output.value or b""))
        elif output.topic == "verdicts":
            told = json.loads(output.value or b"")
            if told["withdrawn"]:
                self.verdicts.pop(told["case_id"], None)
            else:
                self.verdicts[told["case_id"]] = told

    @property
    def now(self) -> int:
        """The watermark, or 0 while there is none."""
        return self.shard.watermark or 0

    def figures(self) -> dict[str, int | float]:
        """Net figures and gauges by series."""
        views = (self.shard.view, self.cases.view)
        gauges = {k: value for view in views for k, value in view.gauges(self.now).items() if k[0] in SERVICE}
        return {**net_figures(self.counters), **{series_of(key): value for key, value in gauges.items()}}

    @property
    def counters(self) -> dict[CounterKey, tuple[int, int]]:
        """Of both stages, state tallies left out."""
        both = (*self.shard.view.counters.items(), *self.cases.view.counters.items())
        return {key: value for key, value in both if not str(key[0]).startswith("~")}

    def retracted(self) -> dict[str, int | float]:
        """What was taken back so far, by series."""
        return net_figures({key: fell for key, (_, fell) in self.counters.items()})

    def contact(self, contact_id: str) -> dict[str, Any]:
        """What is known of the latest generation of a contact."""
        row = self.shard.row(contact_id)
        assert row is not None, contact_id
        contact = row.contacts[-1]
        inferred = is_inferred(contact, self.shard.watermark, self.policy)
        report = dict(contact_report(contact, self.policy, self.shard.watermark, inferred=inferred))
        since = report["unanswered_since"]
        report["unanswered_since"] = None if since is None else format_time(int(str(since)))
        return report

    def queue(self, queue: str) -> dict[str, dict[str, tuple[int, int]]]:
        """Service levels and abandonment of a queue, all channels together."""
        outcomes: dict[str, int] = {}
        within = {"contact_answered_in_target_total": 0, "contact_abandoned_in_target_total": 0}
        for key, (total, fell) in self.shard.view.counters.items():
            if key[0] == "contact_visits_total" and key[2] == queue:
                outcomes[str(key[3])] = outcomes.get(str(key[3]), 0) + total - fell
            elif key[0] in within and key[2] == queue:
                within[str(key[0])] += total - fell
        counts = QueueCounts(outcomes, *within.values())
        return {"service_level": service_levels(counts), "abandonment": abandonment(counts)}

    def cell(self, start: int, by: str) -> dict[str, int | float]:
        """The counts of all cells of an interval."""
        counts: dict[Any, int] = {}
        for key, cell in (*self.shard.book.cells.items(), *self.cases.book.cells.items()):
            if key[0] * 900_000 == start and key[1] == by:
                for figure, amount in cell.counts.items():
                    counts[figure.key] = counts.get(figure.key, 0) + amount
        return net_figures(counts)


def shuffled(records: list[Record], seed: int) -> list[Record]:
    """The records in another order, some of them twice; those kept out stay kept out."""
    dice = random.Random(seed)  # noqa: S311  a seed, not a secret
    mixed = records + [record for record in records if dice.random() < 0.3]
    dice.shuffle(mixed)
    return mixed


def by_labels(figures: Mapping[str, int | float]) -> dict[str, int | float]:
    """Series with their labels sorted, so that the order of labels does not matter."""
    return {_sorted(name): value for name, value in figures.items()}


def _sorted(name: str) -> str:
    family, brace, rest = name.partition("{")
    return f"{family}{{{','.join(sorted(rest[:-1].split(',')))}}}" if brace else family
