"""How far event time has come in one shard (1-events 1.5).

    watermark = min over the sources of (largest occurred_at seen; the wall clock where idle) - disorder

It rises record by record and never falls. There is none until every source has spoken or is idle.
The clock is an argument.
"""

from collections.abc import Collection

from stream.core.events import FUTURE_MS, Event, Rejection

NO_LIMIT = 1 << 62
LONG_AGO = -NO_LIMIT


class Watermark:
    """Event time of a shard's sources; all times in ms."""

    __slots__ = ("_idle", "_now", "closed", "disorder_ms", "seen", "since", "sources", "value")

    def __init__(self, sources: tuple[str, ...], disorder_ms: int) -> None:
        """Nothing seen; ``sources`` are the topics that hold event time back."""
        self.sources = sources
        self.disorder_ms = disorder_ms
        self.seen: dict[str, int] = {}
        self.since: int | None = None  # the first event of a contact: when counting began
        self.value: int | None = None
        self.closed = LONG_AGO  # what is older was too late once, and may have been folded away
        self._idle: frozenset[str] = frozenset()
        self._now = 0

    def rest(self, idle: Collection[str], now: int) -> None:
        """``idle`` sources are read to their end and silent: the wall clock stands in for them."""
        self._idle = frozenset(idle)
        self._now = now
        self._raise()

    def observe(self, source: str, at: int) -> None:
        """A record of ``source`` says it was ``at``."""
        if at > self.seen.get(source, -1):
            self.seen[source] = at
            if source in self._idle:
                self._idle -= {source}
            self._raise()

    def begin(self, at: int) -> None:
        """Something was counted that happened at ``at``."""
        if self.since is None or at < self.since:
            self.since = at

    def advance(self, to: int) -> None:
        """Put the watermark at ``to`` (replay and tests); never back."""
        if self.value is None or to > self.value:
            self.value = to

    def cutoff(self, lateness_ms: int) -> int:
        """What is older is late; never earlier than it was when another lateness was in force."""
        return self.closed if self.value is None else max(self.closed, self.value - lateness_ms)

    def close(self, lateness_ms: int) -> None:
        """What is late now, by a lateness that is about to change, remains so."""
        self.closed = self.cutoff(lateness_ms)

    def _raise(self) -> None:
        seen, idle = self.seen, self._idle
        lowest: int | None = None
        for source in self.sources:
            at = self._now if source in idle else seen.get(source)
            if at is None:
                return
            if lowest is None or at < lowest:
                lowest = at
        if lowest is None:
            return
        lowest -= self.disorder_ms
        limit = self.limit()
        if limit is None:
            return
        lowest = min(lowest, limit)
        if self.value is None or lowest > self.value:
            self.value = lowest

    def limit(self) -> int | None:
        """How far upstream lets it come; a stage without an upstream is not held back."""
        return NO_LIMIT


class StageOneClock(Watermark):
    """Event time of a home of contacts, and beside it that of its agents, which holds no contact back.

    A topic that is read behind the others is no reason to call its events late: what agents did is over for good
    only where both times are past it.
    """

    __slots__ = ("agents",)

    def __init__(self, sources: tuple[str, ...], disorder_ms: int) -> None:
        """Nothing seen."""
        super().__init__(sources, disorder_ms)
        self.agents = Watermark(("agents",), disorder_ms)

    def rest(self, idle: Collection[str], now: int) -> None:
        """See `Watermark.rest`."""
        super().rest(idle, now)
        self.agents.rest(idle, now)

    def advance(self, to: int) -> None:
        """See `Watermark.advance`."""
        super().advance(to)
        self.agents.advance(to)

    @property
    def staff(self) -> int | None:
        """How far contacts and agents have both come; None until both have spoken or are idle."""
        contacts, agents = self.value, self.agents.value
        return None if contacts is None or agents is None else min(contacts, agents)

    def staff_cutoff(self, lateness_ms: int) -> int:
        """Of agents, what is older is late."""
        return self.agents.closed if self.staff is None else max(self.agents.closed, self.staff - lateness_ms)

    def close(self, lateness_ms: int) -> None:
        """See `Watermark.close`."""
        self.agents.closed = self.staff_cutoff(lateness_ms)
        super().close(lateness_ms)


class StageTwoClock(Watermark):
    """Event time of a home of the case stage: no further than every upstream shard and its own case events.

    ``settled`` is the least of what all homes told: nothing that could change a case is still on its way.
    """

    __slots__ = ("_count", "homes", "upstream")

    def __init__(self, disorder_ms: int, count: int) -> None:
        """Nothing heard; ``count`` shards in each stage must speak first."""
        super().__init__(("cases",), disorder_ms)
        self._count = count
        self.upstream: dict[str, int] = {}  # shard of stage one -> its watermark
        self.homes: dict[str, int] = {}  # shard of stage two -> its watermark

    @property
    def settled(self) -> int | None:
        """At which watermark cases may settle; None until every home has spoken."""
        return min(self.homes.values()) if len(self.homes) >= self._count else None

    def hear(self, topic: str, shard: int, watermark: int, since: int | None = None) -> None:
        """A shard upstream (``outcomes``), or a home (``identities``), says how far it has come, and since when."""
        if since is not None:
            self.begin(since)
        told = self.upstream if topic == "outcomes" else self.homes
        told[str(shard)] = max(watermark, told.get(str(shard), watermark))
        self._raise()

    def limit(self) -> int | None:
        """The least of all upstream shards; None until each has spoken."""
        return min(self.upstream.values()) if len(self.upstream) >= self._count else None


def untimely(event: Event, recorded_at: int | None, cutoff: int) -> Rejection | None:
    """Whether an event comes from the future, or too late to count (1-events 1.3 and 1.5).

    Args:
        event: decoded.
        recorded_at: its record's timestamp, ms; None = unknown, and nothing is future.
        cutoff: watermark - lateness, ms.
    """
    at = event[0]
    if recorded_at is not None and at - recorded_at > FUTURE_MS:
        detail = f"occurred_at is {at - recorded_at} ms after the record's timestamp, more than {FUTURE_MS} ms"
        return Rejection("future", detail, event[3])
    if at < cutoff:
        return Rejection("late", f"occurred_at is {cutoff - at} ms older than the lateness allows", event[3])
    return None
