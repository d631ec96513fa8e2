"""The Faust application, made by a factory: what of Faust is used, with which settings, and where it is replaced.

Used: the application's life cycle, agents, topics, the assignor with co-partitioned changelogs, tables as declared
state. Replaced: delivery (`transport`), recovery (`table`), acknowledgements and offsets (`intervals`, `ownership`).
There is no module-level application, and nothing here decides what a shard does.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, cast

import faust

from stream.core.trouble import Trouble
from stream.worker.ports import ShardKey
from stream.worker.table import ShardTables, declare_tables
from stream.worker.transport import ChunkTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from faust.types import TP, AppT, Message, TransportT

    from stream.worker.intervals import Chunk
    from stream.worker.ownership import Ownership
    from stream.worker.settings import Stage, WorkerSettings
    from stream.worker.transport import ChunkConsumer

_BUFFERED_CHUNKS: Final = 64


class ChunkSchema(faust.Schema[Any, Any]):
    """Hands a chunk on as it is: it was never bytes."""

    def loads_key(self, app: AppT, message: Message, *, loads: Any = None, serializer: Any = None) -> None:  # noqa: ANN401  Faust's signature
        """Chunks have no key."""

    def loads_value(self, app: AppT, message: Message, *, loads: Any = None, serializer: Any = None) -> Any:  # noqa: ANN401, ARG002  Faust's signature
        """Return the chunk."""
        return message.value


class StreamApp(faust.App):
    """Faust's application with our transport and tables."""

    settings: WorkerSettings
    partitions: int
    ownership: Ownership
    fail: Callable[[BaseException], None]

    def _new_transport(self) -> TransportT:
        return ChunkTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Make none: nothing is kept on disk."""

    async def _wait_for_table_recovery_completed(self) -> bool:
        return bool(self.should_stop)

    def assigned(self, assigned: set[TP], generation: int) -> None:
        """Turn an assignment of Faust's into shards of ours and let records flow again."""
        held = {(tp.topic, tp.partition) for tp in assigned}
        keys = {
            ShardKey(stage.number, partition)
            for stage in self.settings.stages
            for partition in range(self.partitions)
            if all((self.settings.topic(source), partition) in held for source in stage.sources)
        }
        if held - {(tp.topic, p) for tp in assigned for p in range(self.partitions)} or self._torn(held, keys):
            self.fail(
                Trouble(
                    "cannot go on",
                    f"a topic that is joined no longer has {self.partitions} partitions like the others",
                    "a changed number moves keys away from their state; start the worker again for the details",
                )
            )
            return
        self.ownership.assigned(keys, generation)
        self.flow_control.resume()
        self.consumer.resume_flow()
        self.add_future(self._begin_fetching())

    def _torn(self, held: set[tuple[str, int]], keys: set[ShardKey]) -> bool:
        """Tell whether a source partition came without the others of its shard."""
        return any(
            (self.settings.topic(source), partition) in held and ShardKey(stage.number, partition) not in keys
            for stage in self.settings.stages
            for partition in range(self.partitions)
            for source in stage.sources
        )

    async def _begin_fetching(self) -> None:
        """Let Faust finish its own part of the rebalance first, then fetch."""
        self.on_rebalance_end()
        await self._fetcher.maybe_start()

    @property
    def chunk_consumer(self) -> ChunkConsumer:
        """Our consumer, once Faust has made it."""
        return cast("ChunkConsumer", self.consumer)

    def full(self, stage: int, partition: int) -> bool:
        """Tell whether a shard cannot take more just now; asked by the consumer's thread."""
        return self.ownership.full(stage, partition)

    def following(self) -> dict[tuple[str, int], int]:
        """Return the offset to apply next of each source partition whose shard runs here."""
        return {
            (topic, shard.key.partition): offset
            for shard in self.ownership.shards
            for topic, offset in shard.following.items()
        }


def build_app(settings: WorkerSettings, partitions: int, fail: Callable[[BaseException], None]) -> StreamApp:
    """Make the application with one agent and one table per stage.

    Args:
        settings: all of it.
        partitions: number of partitions of every topic the worker joins.
        fail: called with whatever must end the process.
    """
    timing = settings.timing
    app = StreamApp(
        settings.app_id,
        broker="kafka://" + ";".join(settings.broker.servers),
        store="memory://",
        origin="stream.worker",
        autodiscover=False,
        web_enabled=False,
        canonical_url=f"http://{settings.web_host}:{settings.web_port or os.getpid()}",
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=partitions,
        stream_buffer_maxsize=_BUFFERED_CHUNKS,
        stream_wait_empty=False,
        stream_recovery_delay=0,
        table_standby_replicas=0,
        broker_session_timeout=timing.session_timeout,
        broker_heartbeat_interval=timing.heartbeat,
        broker_rebalance_timeout=timing.rebalance_timeout,
        broker_request_timeout=max(timing.request_timeout, timing.rebalance_timeout + 5),
        TableManager=ShardTables,
    )
    app.settings = settings
    app.partitions = partitions
    app.fail = fail
    declare_tables(app)
    for stage in settings.stages:
        _declare_agent(app, stage)
    return app


def _declare_agent(app: StreamApp, stage: Stage) -> None:
    """Declare the stage's agent: it routes chunks to shards and does nothing else."""
    topic = app.topic(*(app.settings.topic(source) for source in stage.sources), schema=ChunkSchema())

    async def route(stream: faust.StreamT[Any]) -> None:
        try:
            async for event in cast("faust.Stream[Any]", stream).noack().events():
                app.ownership.route(cast("Chunk", event.value), stage.number)
        except Exception as error:  # noqa: BLE001  an exception that leaves an agent is acknowledged and lost
            app.fail(error)

    app.agent(topic, name=f"stage{stage.number}")(route)
