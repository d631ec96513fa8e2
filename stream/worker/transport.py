"""The micro-batch transport: Faust's aiokafka transport, delivering chunks instead of records.

Stock delivery makes four asyncio tasks per record. Here one message carries up to 500 records of a partition and the
read positions between which they were fetched, taken in the consumer's thread right where aiokafka hands a fetch
result over; seeks run in the same thread, so a position and its seek epoch always belong together.

    consumer's thread                                   main thread
    getmany -> Reading.chunk -> cut                     Conductor -> agent -> Ownership.route -> ShardTask
    seek    -> Reading.sought                           bounds, seek (asked from here, done there)

It must never acknowledge: the group's offsets are the shards' `next`, committed for people and lag tools only.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP, ConsumerMessage
from mode.threads import WorkerThread

from stream.core.engine.batch import Record
from stream.worker.client import connection
from stream.worker.hooks import caught_up_at, on_heartbeat, position_of, positions
from stream.worker.intervals import Chunk, Reading, cut
from stream.worker.ports import Bounds

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine, Mapping, Sequence

    from stream.worker.app import StreamApp

log: Final = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_IDLE_MS: Final = 200
_NOTHING_WANTED_SECONDS: Final = 0.02
_COMMIT_SECONDS: Final = 2.0


class DaemonThread(WorkerThread):
    """The consumer's thread; it cannot keep a process alive that has decided to end."""

    def __init__(self, service: Any, **kwargs: Any) -> None:  # noqa: ANN401  mode's own types
        super().__init__(service, **kwargs)
        self.daemon = True


class ChunkThread(AIOKafkaConsumerThread):
    """Owns the aiokafka consumer. All methods that end in `_here` run in its thread."""

    def __post_init__(self) -> None:
        """Set up the read positions."""
        super().__post_init__()
        self._settings = cast("StreamApp", self.app).settings
        self._short = self._settings.sources
        self._full = {short: full for full, short in self._short.items()}
        self._stages = {short: stage.number for stage in self._settings.stages for short in stage.sources}
        self.reading = Reading()
        self.heard_at: float | None = None
        self._assignment: Any = None
        self._silent: dict[tuple[str, int], float] = {}

    def _create_worker_consumer(self, _transport: Transport) -> AIOKafkaConsumer:
        """Build the consumer with 4.5's settings; Faust hard-codes a fetch wait of 1.5 s and no isolation."""
        settings, timing = self._settings, self._settings.timing
        self._assignor = self.app.assignor
        return AIOKafkaConsumer(
            **connection(settings.broker),
            client_id=f"{settings.app_id}-worker",
            group_id=settings.app_id,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=int(timing.fetch_wait * 1000),
            fetch_min_bytes=262_144,
            fetch_max_bytes=settings.limits.fetch_bytes,
            max_partition_fetch_bytes=1_048_576,
            max_poll_records=settings.limits.drain_records,
            session_timeout_ms=int(timing.session_timeout * 1000),
            heartbeat_interval_ms=int(timing.heartbeat * 1000),
            rebalance_timeout_ms=int(timing.rebalance_timeout * 1000),
            request_timeout_ms=int(max(timing.request_timeout, timing.rebalance_timeout + 5) * 1000),
            metadata_max_age_ms=int(timing.metadata_age * 1000),
            max_poll_interval_ms=300_000,
        )

    async def on_start(self) -> None:
        """Start the consumer and listen to its heartbeats."""
        await super().on_start()
        on_heartbeat(self._ensure_consumer(), self._heard)

    def _heard(self) -> None:
        self.heard_at = time.monotonic()

    async def ask(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a coroutine in the consumer's thread and wait for it from the main thread."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.thread_loop))

    async def drain_here(self) -> list[Chunk]:
        """Take what was fetched for shards that have room, as chunks."""
        consumer = self._ensure_consumer()
        wanted = self._wanted(self._present(consumer))
        if not wanted:
            await asyncio.sleep(_NOTHING_WANTED_SECONDS)
            return []
        try:
            drained = await consumer.getmany(*wanted, timeout_ms=_IDLE_MS)
        except OffsetOutOfRangeError as error:
            return self._beyond(error)
        except NoOffsetForPartitionError:
            # A rebalance passed while getmany waited, and the seeks that belong to it are still to come.
            await asyncio.sleep(_NOTHING_WANTED_SECONDS)
            return []
        # A rebalance and its seeks may have passed while getmany waited. What it drained belongs to the assignment of
        # this moment, since nothing is awaited between its drain and here; so that one's positions are the true ones.
        assignment = self._present(consumer)
        chunks: list[Chunk] = []
        now = time.monotonic()
        for partition, fetched in drained.items():
            chunk = self._chunk(partition, fetched, cast("int", position_of(assignment, partition)))
            if chunk is not None:
                self._silent[chunk.topic, chunk.partition] = now
                chunks.extend(cut(chunk, self._settings.limits.chunk_records))
        return chunks

    def _chunk(self, partition: TopicPartition, fetched: Sequence[Any], position: int) -> Chunk | None:
        short = self._short[partition.topic]
        records = [Record(short, each.offset, each.timestamp, each.key, each.value, each.headers) for each in fetched]
        return self.reading.chunk(short, partition.partition, records, position)

    def _beyond(self, error: OffsetOutOfRangeError) -> list[Chunk]:
        """Show the shard a hole where the log does not hold what was asked for; it looks at the log itself."""
        holes = []
        for partition, offset in error.args[0].items():
            short = self._short[partition.topic]
            epoch = self.reading.epoch(short, partition.partition)
            holes.append(Chunk(short, partition.partition, offset + 1, offset + 1, epoch, ()))
        return holes

    def _present(self, consumer: AIOKafkaConsumer) -> Any:  # noqa: ANN401  aiokafka's own type
        """Return the present assignment; forget all positions when it is a new one."""
        assignment = positions(consumer)
        if assignment is not self._assignment:
            self._assignment = assignment
            self.reading.forget()
            if assignment is not None:
                consumer.pause(*(each for each in assignment.tps if each.topic not in self._short))
        return assignment

    def _wanted(self, assignment: Any) -> list[TopicPartition]:  # noqa: ANN401  aiokafka's own type
        if assignment is None:
            return []
        full = cast("StreamApp", self.app).full
        return [
            each
            for each in assignment.tps
            if (short := self._short.get(each.topic)) is not None
            and self.reading.open(short, each.partition)
            and not full(self._stages[short], each.partition)
        ]

    async def seek_here(self, targets: Mapping[tuple[str, int], int]) -> None:
        """Seek; a partition that is no longer assigned is left to the rebalance that took it."""
        consumer = self._ensure_consumer()
        assignment = self._present(consumer)
        now = time.monotonic()
        for (short, number), offset in targets.items():
            partition = TopicPartition(self._full[short], number)
            if assignment is None or partition not in assignment.tps:
                continue
            consumer.seek(partition, offset)
            self.reading.sought(short, number, offset)
            self._silent.setdefault((short, number), now)

    async def bounds_here(self, sources: Collection[tuple[str, int]]) -> dict[tuple[str, int], Bounds]:
        """Ask the broker for the logs' bounds, all in two requests: each may wait behind a fetch."""
        consumer = self._ensure_consumer()
        partitions = {source: TopicPartition(self._full[source[0]], source[1]) for source in sources}
        starts = await consumer.beginning_offsets(list(partitions.values()))
        ends = await consumer.end_offsets(list(partitions.values()))
        return {source: Bounds(starts[each], ends[each]) for source, each in partitions.items()}

    def silent_since(self, short: str, number: int) -> float | None:
        """Since when a partition, read to its end by a recent fetch, has given no record; from any thread."""
        assignment = self._assignment
        if assignment is None or not self.reading.open(short, number):
            return None
        fetched_at = caught_up_at(assignment, TopicPartition(self._full[short], number))
        if fetched_at is None or time.time() * 1000 - fetched_at > self._settings.timing.session_timeout * 1000:
            return None
        return self._silent.get((short, number))

    async def commit_here(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Tell the group how far the shards are; trouble with it is no trouble of ours."""
        consumer = self._ensure_consumer()
        assignment = positions(consumer)
        known = {
            partition: OffsetAndMetadata(offset, "")
            for (short, number), offset in offsets.items()
            if assignment is not None and (partition := TopicPartition(self._full[short], number)) in assignment.tps
        }
        if not known:
            return
        try:
            await asyncio.wait_for(consumer.commit(known), _COMMIT_SECONDS)
        except (KafkaError, TimeoutError) as error:
            log.info("the group's offsets were not updated, which is harmless: %r", error)


class ChunkConsumer(Consumer):
    """Faust's consumer, delivering chunks; also the worker's `Reader` port."""

    _thread: ChunkThread

    def _new_consumer_thread(self) -> ChunkThread:
        return ChunkThread(self, loop=self.loop, beacon=self.beacon, Worker=DaemonThread)

    async def _drain_messages(self, fetcher: Any) -> None:  # noqa: ANN401  a mode Service
        """Move chunks from the consumer's thread to the agents until stopped."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                for chunk in await self._thread.ask(self._thread.drain_here()):
                    await self.callback(self._message(chunk))
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not (self.app.should_stop or fetcher.should_stop):
                raise

    def _message(self, chunk: Chunk) -> ConsumerMessage:
        topic = self._thread._full[chunk.topic]  # noqa: SLF001  our own class
        return ConsumerMessage(
            topic, chunk.partition, chunk.end, 0.0, 0, None, None, cast("bytes", chunk), None, 0, 0,
            TP(topic, chunk.partition), generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    async def perform_seek(self) -> None:
        """Do nothing: Faust would seek to the group's offsets, which are only advice."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust would look for acknowledgements; `watchdog` looks at the shards' positions."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ANN401, ARG002, FBT001, FBT002  as in Faust
        """Tell the group the shards' positions, for people and lag tools."""
        offsets = cast("StreamApp", self.app).following()
        if offsets and not self.should_stop and not self.app.rebalancing:
            await self._thread.ask(self._thread.commit_here(offsets))
        return True

    @property
    def heard_at(self) -> float | None:
        """Monotonic seconds of the group's latest answer to a heartbeat."""
        return self._thread.heard_at

    @property
    def thread(self) -> ChunkThread:
        """The thread that owns the aiokafka consumer."""
        return self._thread


class ConsumerReader:
    """The `Reader` port of the shards: asks the consumer in its thread."""

    def __init__(self, app: StreamApp) -> None:
        """Remember the application; its consumer may not exist yet."""
        self._app = app

    @property
    def _thread(self) -> ChunkThread:
        return self._app.chunk_consumer.thread

    async def seek(self, positions: Mapping[tuple[str, int], int]) -> None:
        """Read on from these offsets; numbers a new seek epoch for each."""
        await self._thread.ask(self._thread.seek_here(dict(positions)))

    async def bounds(self, sources: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], Bounds]:
        """Ask the broker what it holds now of these source partitions."""
        return await self._thread.ask(self._thread.bounds_here(list(sources)))

    def epoch(self, topic: str, partition: int) -> int:
        """Return the number of the latest seek."""
        return self._thread.reading.epoch(topic, partition)

    def end(self, topic: str, partition: int) -> int | None:
        """Return the end of the latest chunk handed on."""
        return self._thread.reading.end(topic, partition)

    def silent_since(self, topic: str, partition: int) -> float | None:
        """Since when a partition read to its end has been silent (monotonic seconds)."""
        return self._thread.silent_since(topic, partition)


class ChunkTransport(Transport):
    """Plugs the consumer into Faust."""

    Consumer = ChunkConsumer
