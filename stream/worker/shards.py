"""A task per shard: gather, apply, store in one transaction, then show. One batch after the other, never two at once.

    offer(chunk) -> inbox -> gather (<= 2,000 records) -> shard.apply -> begin, send, commit -> shard.publish

The shard's memory runs ahead of the log only between `apply` and the commit; if anything fails there, the task ends
with the error and its owner throws the shard away and reads it again. This module never swallows an error, never
acknowledges anything and never touches another shard.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stream.core.trouble import Trouble
from stream.worker.inbox import Inbox
from stream.worker.intervals import close_hole
from stream.worker.ports import BatchStored

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.worker.inbox import Batch
    from stream.worker.intervals import Chunk
    from stream.worker.ports import Bounds, ChangesLike, Facts, Loaded, Reader, ShardKey
    from stream.worker.settings import WorkerSettings

log: Final = logging.getLogger(__name__)

_MISSING_SECONDS: Final = 5.0


def wall_ms() -> int:
    """Return the wall clock in ms since the epoch."""
    return int(time.time() * 1000)


def refuse_if_remade(topic: str, partition: int, following: int, held: Bounds) -> None:
    """Refuse to go on when more was counted than the log ever held.

    Raises:
        Trouble: the topic is not the one that was counted.
    """
    if following > held.end:
        raise Trouble(
            f"cannot go on with {topic} partition {partition}",
            f"its log ends at {held.end}, but offsets up to {following} were already counted: "
            "the topic was deleted and created again, or its broker lost data",
            "start with a new application id, then replay the history that is left",
        )


@dataclass(frozen=True, slots=True)
class Around:
    """What every shard of a worker has around it.

    Attributes:
        settings: limits and timing.
        reader: the consumer.
        facts: telemetry.
        clock: wall clock in ms.
    """

    settings: WorkerSettings
    reader: Reader
    facts: Facts
    clock: Callable[[], int] = wall_ms


class ShardTask:
    """Runs one owned, loaded shard."""

    def __init__(self, key: ShardKey, loaded: Loaded, following: dict[str, int], around: Around) -> None:
        """Prepare; `run` starts it.

        Args:
            key: which shard.
            loaded: the shard, and the writer that was fenced in before it was loaded.
            following: source -> offset to apply next, for every source of the stage.
            around: settings and ports.
        """
        self.key = key
        self.shard = loaded.shard
        self.following = following
        self.stored_at: float | None = None
        """Monotonic seconds of the latest commit; None before the first."""
        self._writer = loaded.writer
        self._reader = around.reader
        self._facts = around.facts
        self._settings = around.settings
        self._may_rest = around.settings.stage(key.stage).may_rest
        self._clock = around.clock
        self._inbox = Inbox(around.settings.limits)
        self._wake = asyncio.Event()
        self._stopping = False
        self._begun_at = 0.0
        self._started_at = time.monotonic()
        self._missing: dict[str, tuple[int, float]] = {}

    @property
    def waiting(self) -> int:
        """Records that wait for this shard."""
        return self._inbox.records

    @property
    def full(self) -> bool:
        """Whether nothing more should be fetched for it."""
        return self._inbox.records >= self._settings.limits.waiting_records

    def offer(self, chunk: Chunk) -> None:
        """Put a chunk before the shard; never blocks."""
        self._inbox.put(chunk)
        self._wake.set()

    def stop(self) -> None:
        """Ask `run` to end after the batch it is storing."""
        self._stopping = True
        self._wake.set()

    async def close(self) -> None:
        """Let go of the producer."""
        await self._writer.close()

    async def run(self) -> None:
        """Work until stopped.

        Raises:
            Fenced: the shard has another owner; its memory is worthless.
            Exception: anything else; the process must end.
        """
        while True:
            await self._work_or_tick()
            if self._stopping:
                return
            batch = self._inbox.gather(self.following, lambda topic: self._reader.epoch(topic, self.key.partition))
            if batch.positions or self.shard.due(self._clock()):
                await self._store(batch)
            if batch.hole is not None:
                await self._close_hole(batch.hole[0])
            elif not self._inbox:
                await self._look_for_missing()

    async def _work_or_tick(self) -> None:
        """Wait for records (paced, while few wait) or for the next tick."""
        timing = self._settings.timing
        if not self._inbox:
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), timing.tick)
            except TimeoutError:
                return
        if self._inbox.records >= self._settings.limits.batch_records:
            await asyncio.sleep(0)
            return
        pace = timing.pace_short if self._inbox.records >= timing.pace_records else timing.pace_long
        pause = self._begun_at + pace - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)

    async def _store(self, batch: Batch) -> None:
        """Apply a batch and make it durable: all of it, or an exception and none of it."""
        began = self._begun_at = time.monotonic()
        changes = self.shard.apply(batch.records, batch.positions, self._clock(), self._idle())
        stores = bool(changes.changelog or changes.outputs)
        if stores:
            await self._writer.begin()
            await self._writer.send(changes)
            await self._writer.commit()
            self.stored_at = time.monotonic()
        self.following.update(batch.positions)
        self.shard.publish(changes)
        if stores:
            self._tell(batch, changes, time.monotonic() - began)

    def _tell(self, batch: Batch, changes: ChangesLike, seconds: float) -> None:
        """Tell telemetry of a transaction; a batch that changed nothing (watermarks of others) makes none."""
        self._facts.batch_stored(
            BatchStored(
                stage=self.key.stage,
                partition=self.key.partition,
                applied=changes.applied,
                duplicates=changes.duplicates,
                rejected=changes.rejected,
                rows=len(changes.changelog),
                outputs=len(changes.outputs),
                recorded_at=[record.recorded_at for record in batch.records],
                stored_at=self._clock(),
                seconds=seconds,
            )
        )

    def _idle(self) -> tuple[str, ...]:
        """Return the sources read and applied to their end that have been silent long enough."""
        after = self._settings.timing.idle_after
        if after is None:
            return ()
        now = time.monotonic()
        return tuple(
            topic
            for topic in self._may_rest
            if (since := self._reader.silent_since(topic, self.key.partition)) is not None
            and now - max(since, self._started_at) >= after
            and self.following[topic] >= (self._reader.end(topic, self.key.partition) or 0)
        )

    async def _close_hole(self, topic: str) -> None:
        """Read on where the shard stands; say so loudly when the log no longer holds that."""
        partition = self.key.partition
        held = (await self._reader.bounds([(topic, partition)]))[topic, partition]
        refuse_if_remade(self._settings.topic(topic), partition, self.following[topic], held)
        remedy = close_hole(self.following[topic], held.start)
        if remedy.lost:
            log.error(
                "records were deleted before they were read: %s partition %d offsets %d to %d; "
                "retention is shorter than this worker was away; raise retention.ms, then replay what is left",
                self._settings.topic(topic),
                partition,
                self.following[topic],
                held.start - 1,
            )
            self._facts.records_lost(topic, partition, remedy.lost)
        self.following[topic] = remedy.following
        await self._reader.seek({(topic, partition): remedy.following})
        self._facts.hole_met(topic, partition)

    async def _look_for_missing(self) -> None:
        """Notice a chunk that vanished on its way (a queue that was cleared) though no later one shows it."""
        now = time.monotonic()
        for topic, following in list(self.following.items()):
            end = self._reader.end(topic, self.key.partition)
            if end is None or end <= following:
                self._missing.pop(topic, None)
                continue
            seen = self._missing.get(topic)
            if seen is None or seen[0] != end:
                self._missing[topic] = (end, now)
            elif now - seen[1] > _MISSING_SECONDS:
                del self._missing[topic]
                await self._close_hole(topic)
