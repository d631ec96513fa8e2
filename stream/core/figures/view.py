"""What may be shown of one shard: its committed figures.

The shard computes ahead of its transaction; a view changes only after the commit, so nothing is
ever published that a crash could take back. It is read from another thread while the shard works:
values are replaced, never changed in place.
"""

from collections import defaultdict
from collections.abc import Iterable
from threading import Lock
from typing import NamedTuple, Protocol

from stream.core.figures.agent_families import STATUSES
from stream.core.figures.figures import CounterKey

Counters = dict[CounterKey, tuple[int, int]]
SOURCES_SHOWN = 32


class Open(NamedTuple):
    """Something that waits now: a visit in a queue, or a customer's message."""

    kind: str  # "queue", "message" or "callback"
    channel: str
    queue: str  # label
    since: int  # ms
    target_ms: int


class Present(NamedTuple):
    """What an agent is doing now, in labels."""

    team: str
    status: str
    reason: str
    queues: tuple[str, ...]


class Shown(Protocol):
    """What a batch changed of what is shown."""

    counters: Counters
    open: dict[str, tuple[Open, ...]]
    staff: dict[str, Present | None]
    seen: dict[tuple[str, str], int]
    watermark: int | None
    since: int | None
    rows: int


class ShardView:
    """Committed figures of one shard. Times in ms."""

    def __init__(self, stage: int, partition: int, *, historic: bool = False) -> None:
        """Empty; ``historic`` figures take the watermark for now (``idle_after = never``)."""
        self.stage = stage
        self.partition = partition
        self.historic = historic
        self.watermark: int | None = None
        self.since: int | None = None
        self.counters: Counters = {}
        self.open: dict[str, tuple[Open, ...]] = {}
        self.staff: dict[str, Present] = {}  # by agent
        self.seen: dict[tuple[str, str], int] = {}  # (source topic, source) -> its newest word, ms
        self.rows = 0
        self._lock = Lock()

    def show(self, changes: "Shown") -> None:
        """Take over what a committed batch changed, all at once."""
        with self._lock:
            self.counters.update(changes.counters)
            for name, entries in changes.open.items():
                if entries:
                    self.open[name] = entries
                else:
                    self.open.pop(name, None)
            for agent, present in changes.staff.items():
                if present is None:
                    self.staff.pop(agent, None)
                else:
                    self.staff[agent] = present
            for spoke, at in changes.seen.items():
                if at > self.seen.get(spoke, -1) and (spoke in self.seen or len(self.seen) < SOURCES_SHOWN):
                    self.seen[spoke] = at
            self.watermark, self.since = changes.watermark, changes.since
            self.rows = changes.rows

    def loaded(self) -> None:
        """The counters have been loaded."""

    def gauges(self, now: int) -> dict[CounterKey, float]:
        """What waits at ``now``, and what agents are doing; a series without anything open is absent."""
        if self.historic and self.watermark is not None:
            now = self.watermark
        with self._lock:
            waiting, seen, staff = list(self.open.values()), dict(self.seen), list(self.staff.values())
        counts: dict[CounterKey, float] = defaultdict(float)
        oldest: dict[CounterKey, float] = {}
        for entries in waiting:
            for kind, channel, queue, since, target in entries:
                if kind == "callback":
                    counts["contact_callbacks_waiting", queue] += 1
                    asked = ("contact_callbacks_oldest_timestamp_seconds", queue)
                    oldest[asked] = min(oldest.get(asked, since), since)
                    continue
                base = "contact_queue_waiting" if kind == "queue" else "contact_unanswered"
                counts[base, channel, queue] += 1
                if now - since > target:
                    counts[f"{base}_beyond_target", channel, queue] += 1
                name = "contact_queue_oldest_entered" if kind == "queue" else "contact_unanswered_oldest"
                key = (f"{name}_timestamp_seconds", channel, queue)
                oldest[key] = min(oldest.get(key, since), since)
        for (topic, source), at in seen.items():
            _newest(oldest, ("contact_stream_source_timestamp_seconds", source), at)
            _newest(oldest, ("contact_stream_event_time_seconds", topic), at)
        return {**counts, **oldest, **staffing(staff)}

    @property
    def unaccounted(self) -> dict[CounterKey, int]:
        """Per queue: entered less all outcomes less waiting, which must be 0 (R54)."""
        left: dict[CounterKey, int] = defaultdict(int)
        with self._lock:
            counters, waiting = dict(self.counters), list(self.open.values())
        for key, (total, retracted) in counters.items():
            if key[0] == "contact_visits_entered_total":
                left["contact_unaccounted", key[2]] += total - retracted
            elif key[0] == "contact_visits_total":
                left["contact_unaccounted", key[2]] -= total - retracted
        for entries in waiting:
            for entry in entries:
                if entry.kind == "queue":
                    left["contact_unaccounted", entry.queue] -= 1
        return dict(left)


def staffing(staff: Iterable[Present]) -> dict[CounterKey, float]:
    """Agents by team, status and reason; and by queue, where each status is there, so that none available is 0."""
    found: dict[CounterKey, float] = defaultdict(float)
    for team, status, reason, queues in staff:
        found["contact_agents", team, status, reason] += 1
        for queue in queues:
            for any_status in STATUSES:
                found["contact_queue_agents", queue, any_status] += any_status == status
    return dict(found)


def _newest(known: dict[CounterKey, float], key: CounterKey, at: int) -> None:
    known[key] = max(known.get(key, at), at)
