"""Ends a worker that stands still: a shard whose sources grow while its position does not.

A broker that is down is not our fault and ends nothing: only two answers of the broker, `stall_after` apart, count.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from stream.worker.ownership import Ownership
    from stream.worker.ports import Facts, Reader
    from stream.worker.settings import WorkerSettings

log: Final = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 5.0
_ASK_SECONDS: Final = 10.0


class StoodStillError(Exception):
    """Records kept coming, but a shard no longer applied any."""


class _Stand(NamedTuple):
    """Where a source of a shard stood when it last moved."""

    at: int
    end: int
    since: float


class Watchdog:
    """Looks at every running shard from time to time."""

    def __init__(self, settings: WorkerSettings, ownership: Ownership, reader: Reader, facts: Facts) -> None:
        """Prepare; `run` looks."""
        self._stall_after = settings.timing.stall_after
        self._ownership = ownership
        self._reader = reader
        self._facts = facts
        self._stands: dict[tuple[str, int], _Stand] = {}

    async def run(self) -> None:
        """Look until cancelled.

        Raises:
            StoodStillError: a shard stands still.
        """
        while True:
            await asyncio.sleep(min(_LOOK_SECONDS, self._stall_after / 4))
            await self.look()

    async def look(self) -> None:
        """Compare every source's end with its shard's position once, and measure the lag on the way."""
        stands = {
            (topic, shard.key.partition): at
            for shard in self._ownership.shards
            for topic, at in shard.following.items()
        }
        if not stands:
            return
        try:
            held = await asyncio.wait_for(self._reader.bounds(stands), _ASK_SECONDS)
        except Exception as error:  # noqa: BLE001  no answer says nothing about the shards
            log.info("cannot ask the broker how far the shards are behind: %r", error)
            return
        lags: dict[str, int] = {}
        for source, at in stands.items():
            behind = 0 if self._only_markers(source, at) else max(0, held[source].end - at)
            lags[source[0]] = lags.get(source[0], 0) + behind
        for topic, records in lags.items():
            self._facts.lag_measured(topic, records)
        self._stands = {source: self._judge(source, at, held[source].end) for source, at in stands.items()}

    def _judge(self, source: tuple[str, int], at: int, end: int) -> _Stand:
        now = time.monotonic()
        before = self._stands.get(source)
        if before is None or at != before.at or end <= at or self._only_markers(source, at):
            return _Stand(at, end, now)
        if end > before.end and now - before.since > self._stall_after:
            topic, partition = source
            raise StoodStillError(
                f"{topic} partition {partition} grew from {before.end} to {end}, "
                f"but its shard has stood at {at} for {now - before.since:.0f} s"
            )
        return before

    def _only_markers(self, source: tuple[str, int], at: int) -> bool:
        """Tell whether everything handed on was applied, and what follows holds no record (aborted, control)."""
        return self._reader.silent_since(*source) is not None and at >= (self._reader.end(*source) or 0)
