"""How far event time has come in one shard (1-events 1.5).

    watermark = min over the sources of (largest occurred_at seen; the wall clock where idle) - disorder

It rises record by record and never falls. There is none until every source has spoken or is idle.
The clock is an argument.
"""

from collections.abc import Collection


class Watermark:
    """Event time of a shard's sources; all times in ms."""

    __slots__ = ("_idle", "_now", "disorder_ms", "seen", "sources", "value")

    def __init__(self, sources: tuple[str, ...], disorder_ms: int) -> None:
        """Nothing seen; ``sources`` are the topics that hold event time back."""
        self.sources = sources
        self.disorder_ms = disorder_ms
        self.seen: dict[str, int] = {}
        self.value: int | None = None
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

    def advance(self, to: int) -> None:
        """Put the watermark at ``to`` (replay and tests); never back."""
        if self.value is None or to > self.value:
            self.value = to

    def _raise(self) -> None:
        seen, idle = self.seen, self._idle
        lowest: int | None = None
        for source in self.sources:
            at = self._now if source in idle else seen.get(source)
            if at is None:
                return
            if lowest is None or at < lowest:
                lowest = at
        if lowest is not None:
            lowest -= self.disorder_ms
            if self.value is None or lowest > self.value:
                self.value = lowest
