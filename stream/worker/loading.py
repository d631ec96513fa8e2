"""Fence, then read, then run: how a shard comes to a new owner. 4-architecture 4.4.

The order is the whole point. (1) Start the shard's producer: whatever an earlier owner still has open is ended, and
nothing more of it can become visible. (2) Only then ask where the changelog ends. (3) Only then read it, committed
records only, until the read *position* reaches that end (the log may end in control records). Memory is bounded: one
fetch for all partitions together, applied before the next is asked for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream.worker.client import connection
from stream.worker.ports import Loaded
from stream.worker.producer import TransactionalWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from stream.worker.ports import ShardKey, ShardLike
    from stream.worker.settings import WorkerSettings

log: Final = logging.getLogger(__name__)

_POLL_RECORDS: Final = 5_000
_POLL_MS: Final = 500
_STUCK_SECONDS: Final = 60.0


class LoadingStuckError(Exception):
    """A changelog could not be read to its end in time."""


class Loader:
    """Brings shards from their changelogs."""

    def __init__(
        self,
        settings: WorkerSettings,
        make_shard: Callable[[int, int], ShardLike],
        partitions: Mapping[str, int],
    ) -> None:
        """Prepare.

        Args:
            settings: names, limits, broker.
            make_shard: (stage, partition) -> a new empty shard.
            partitions: short output name -> number of its partitions.
        """
        self._settings = settings
        self._make_shard = make_shard
        self._partitions = partitions
        self._outputs = {
            stage.number: {short: partitions[short] for short in stage.outputs} for stage in settings.stages
        }

    async def load(self, keys: Collection[ShardKey]) -> dict[ShardKey, Loaded]:
        """Fence and read these shards; when it fails or is cancelled, every writer is closed again."""
        began = time.monotonic()
        writers = {key: TransactionalWriter(self._settings, key, self._outputs[key.stage]) for key in keys}
        try:
            await asyncio.gather(*(writer.start() for writer in writers.values()))
            fenced = time.monotonic()
            shards = {key: self._make_shard(key.stage, key.partition) for key in keys}
            counts = await self._read(shards)
        except BaseException:
            await asyncio.gather(*(writer.close() for writer in writers.values()), return_exceptions=True)
            raise
        seconds = time.monotonic() - began
        log.info(
            "loaded shards %s: %d records in %.1f s, %.1f s of it to fence",
            " ".join(map(str, sorted(keys))),
            sum(counts.values()),
            seconds,
            fenced - began,
        )
        return {key: Loaded(shards[key], writers[key], counts[key], seconds) for key in keys}

    async def _read(self, shards: Mapping[ShardKey, ShardLike]) -> dict[ShardKey, int]:
        settings = self._settings
        by_partition = {TopicPartition(settings.changelog(key.stage), key.partition): key for key in shards}
        share = max(65_536, settings.limits.load_bytes // max(1, len(by_partition)))
        consumer = AIOKafkaConsumer(
            **connection(settings.broker),
            client_id=f"{settings.app_id}-loader",
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_bytes=settings.limits.load_bytes,
            max_partition_fetch_bytes=share,
            request_timeout_ms=int(settings.timing.request_timeout * 1000),
        )
        await consumer.start()
        try:
            consumer.assign(list(by_partition))
            starts = await consumer.beginning_offsets(list(by_partition))
            ends = await consumer.end_offsets(list(by_partition))
            for partition, start in starts.items():
                consumer.seek(partition, start)
            counts = await self._drain(consumer, by_partition, ends, shards)
        finally:
            await consumer.stop()
        for shard in shards.values():
            shard.loaded()
            more = True
            while more:
                more = shard.redecide()
                await asyncio.sleep(0)
        return counts

    async def _drain(
        self,
        consumer: AIOKafkaConsumer,
        by_partition: Mapping[TopicPartition, ShardKey],
        ends: Mapping[TopicPartition, int],
        shards: Mapping[ShardKey, ShardLike],
    ) -> dict[ShardKey, int]:
        """Read each partition until its position reaches its end."""
        counts = dict.fromkeys(shards, 0)
        missing = set(by_partition)
        moved = time.monotonic()
        while True:
            for partition in list(missing):
                if await consumer.position(partition) >= ends[partition]:
                    missing.discard(partition)
                    consumer.pause(partition)
            if not missing:
                return counts
            fetched = await consumer.getmany(*missing, timeout_ms=_POLL_MS, max_records=_POLL_RECORDS)
            for partition, records in fetched.items():
                key = by_partition[partition]
                load = shards[key].load
                for record in records:
                    load(record.key, record.value)
                counts[key] += len(records)
            if fetched:
                moved = time.monotonic()
            elif time.monotonic() - moved > _STUCK_SECONDS:
                names = ", ".join(f"{topic}-{number}" for topic, number in sorted(missing))
                raise LoadingStuckError(f"cannot read the changelog to its end; nothing came for a minute from {names}")
            await asyncio.sleep(0)
