"""One shard fed as a scenario says, with its changelog and outputs kept as Kafka would keep them."""

import random
from collections.abc import Mapping
from typing import Any

from stream.core.families import SERVICE
from stream.core.outcome import is_inferred
from stream.core.policy import Policy
from stream.core.ratios import QueueCounts, abandonment, service_levels
from stream.core.report import contact_report
from stream.core.series import net_figures, series_of
from stream.core.shard import Changes, Record, Shard, ShardId
from stream.wire.rows import JsonCodec
from stream.wire.times import format_time

MANUAL = ("calls", "chats", "emails", "nobody")  # one source that never speaks: only `advance_to` moves time


class World:
    """A shard of stage one and what it has written."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.shard = self._new()
        self.changelog: dict[bytes, bytes] = {}
        self.rejected: list[dict[str, Any]] = []
        self.duplicates = 0
        self.applied = 0

    def _new(self) -> Shard:
        shard = Shard(ShardId(1, 0), self.policy, JsonCodec(), MANUAL)
        shard.loaded()
        return shard

    def feed(self, records: list[Record], size: int) -> None:
        """Apply ``records`` in batches of ``size``; agents and cases wait for their stage."""
        own = [record for record in records if record.topic != "cases"]
        for start in range(0, len(own), size):
            self._keep(self.shard.apply(own[start : start + size], {"calls": start + size}, 0))

    def advance(self, to: int) -> None:
        """Put the watermark at ``to``."""
        self._keep(self.shard.advance(to))

    def reload(self) -> None:
        """A crash: what is not in the changelog is gone."""
        self.shard = self._new()
        for key, value in self.changelog.items():
            self.shard.load(key, value)
        self.shard.loaded()

    def _keep(self, changes: Changes) -> None:
        for key, value in changes.changelog:
            if value is None:
                self.changelog.pop(key, None)
            else:
                self.changelog[key] = value
        for output in changes.outputs:
            if output.topic == "rejected":
                headers = dict(output.headers)
                self.rejected.append({"reason": headers["x-rejected-reason"].decode(), "value": output.value})
        self.duplicates += changes.duplicates
        self.applied += changes.applied
        self.shard.publish(changes)

    @property
    def now(self) -> int:
        """The watermark, or 0 while there is none."""
        return self.shard.watermark or 0

    def figures(self) -> dict[str, int | float]:
        """Net figures and gauges by series."""
        view = self.shard.view
        gauges = {series_of(key): value for key, value in view.gauges(self.now).items() if key[0] in SERVICE}
        return {**net_figures(view.counters), **gauges}

    def retracted(self) -> dict[str, int | float]:
        """What was taken back so far, by series."""
        return net_figures({key: fell for key, (_, fell) in self.shard.view.counters.items()})

    def contact(self, contact_id: str) -> dict[str, Any]:
        """What is known of the latest generation of a contact."""
        row = self.shard.row(contact_id)
        assert row is not None, contact_id
        contact = row.contacts[-1]
        inferred = is_inferred(contact, self.shard.watermark, self.policy)
        report = dict(contact_report(contact, self.policy, inferred=inferred))
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
        for key, cell in self.shard.book.cells.items():
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
