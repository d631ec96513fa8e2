"""What may be shown of one shard: its committed figures.

The shard computes ahead of its transaction; a view changes only after the commit, so nothing is
ever published that a crash could take back. It is read from another thread while the shard works:
values are replaced, never changed in place.
"""

from collections import defaultdict
from typing import NamedTuple

from stream.core.cells import CounterKey

Counters = dict[CounterKey, tuple[int, int]]


class Open(NamedTuple):
    """Something that waits now: a visit in a queue, or a customer's message."""

    kind: str  # "queue" or "message"
    channel: str
    queue: str  # label
    since: int  # ms
    target_ms: int


class ShardView:
    """Committed figures of one shard. Times in ms."""

    def __init__(self, stage: int, partition: int, *, historic: bool = False) -> None:
        """Empty; ``historic`` figures take the watermark for now (``idle_after = never``)."""
        self.stage = stage
        self.partition = partition
        self.historic = historic
        self.watermark: int | None = None
        self.counters: Counters = {}
        self.open: dict[str, tuple[Open, ...]] = {}
        self.rows = 0

    def gauges(self, now: int) -> dict[CounterKey, float]:
        """What waits at ``now``; a series without anything open is absent."""
        if self.historic and self.watermark is not None:
            now = self.watermark
        counts: dict[CounterKey, float] = defaultdict(float)
        oldest: dict[CounterKey, float] = {}
        for entries in list(self.open.values()):
            for kind, channel, queue, since, target in entries:
                base = "contact_queue_waiting" if kind == "queue" else "contact_unanswered"
                counts[base, channel, queue] += 1
                if now - since > target:
                    counts[f"{base}_beyond_target", channel, queue] += 1
                name = "contact_queue_oldest_entered" if kind == "queue" else "contact_unanswered_oldest"
                key = (f"{name}_timestamp_seconds", channel, queue)
                oldest[key] = min(oldest.get(key, since), since)
        return {**counts, **oldest}

    @property
    def unaccounted(self) -> dict[CounterKey, int]:
        """Per queue: entered less all outcomes less waiting, which must be 0 (R54)."""
        left: dict[CounterKey, int] = defaultdict(int)
        for key, (total, retracted) in list(self.counters.items()):
            if key[0] == "contact_visits_entered_total":
                left["contact_unaccounted", key[2]] += total - retracted
            elif key[0] == "contact_visits_total":
                left["contact_unaccounted", key[2]] -= total - retracted
        for entries in list(self.open.values()):
            for entry in entries:
                if entry.kind == "queue":
                    left["contact_unaccounted", entry.queue] -= 1
        return dict(left)
