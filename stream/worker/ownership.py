"""Which shards are ours: what a rebalance keeps, drops and loads, and what happens to a fenced shard.

    assigned(keys, generation)        from Faust, at every rebalance; only notes the target and wakes `run`
    run: settle                       one at a time, never two
      keep   = ours without a break since the generation before
      drop   = everything else that runs
      load   = what is missing (fence, read); given up at once when a newer target comes
      install only if the target is still the same; then seek every source to `next`

A shard that fell out of even one generation may have had another owner, so it is never kept. A fenced shard is
dropped at once and, if it is still ours `reacquire_after` seconds later in the same generation, loaded again, once:
a woken zombie can fence its rightful successor. Any other failure, and a second fencing inside `fenced_window`, ends
the process: the successor's fence cleans up. This module never believes an offset that the group remembers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from stream.worker.ports import ShardKey
from stream.worker.producer import Fenced
from stream.worker.shards import Around, ShardTask, refuse_if_remade

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from stream.worker.intervals import Chunk
    from stream.worker.ports import Facts, Loaded, Loads, Reader
    from stream.worker.settings import WorkerSettings

log: Final = logging.getLogger(__name__)

_DROP_SECONDS: Final = 3.0


class Ownership:
    """The shards of this worker."""

    def __init__(
        self,
        settings: WorkerSettings,
        loader: Loads,
        reader: Reader,
        facts: Facts,
        fail: Callable[[BaseException], None],
    ) -> None:
        """Prepare; `run` works.

        Args:
            settings: timing and names.
            loader: fences and reads shards.
            reader: the consumer that feeds them.
            facts: telemetry.
            fail: ends the process.
        """
        self._settings = settings
        self._loader = loader
        self._reader = reader
        self._facts = facts
        self._around = Around(settings, reader, facts)
        self._fail = fail
        self._sources = {stage.number: stage.sources for stage in settings.stages}
        self._tasks: dict[ShardKey, tuple[ShardTask, asyncio.Task[None]]] = {}
        self._generation = -1
        self._sought = -1
        self._target: frozenset[ShardKey] = frozenset()
        self._unbroken: set[ShardKey] = set()
        self._barred: dict[ShardKey, float] = {}
        self._fenced_at: dict[ShardKey, float] = {}
        self._changed = asyncio.Event()
        self._loading: asyncio.Task[dict[ShardKey, Loaded]] | None = None
        self._stopping = False

    @property
    def shards(self) -> list[ShardTask]:
        """The shards that run now; may be read from any thread."""
        return [task for task, _running in list(self._tasks.values())]

    @property
    def settled(self) -> bool:
        """Whether this worker has been given an assignment and runs all of it."""
        return self._generation >= 0 and self._target <= self._tasks.keys()

    def assigned(self, keys: Collection[ShardKey], generation: int) -> None:
        """Note what is ours in this generation of the group; returns at once."""
        follows = generation == self._generation + 1
        self._unbroken = self._unbroken & set(keys) if follows else set()
        self._generation = generation
        self._target = frozenset(keys)
        self._barred.clear()
        if self._loading is not None:
            self._loading.cancel()
        log.info("generation %d: %d shards are ours, %d without a break", generation, len(keys), len(self._unbroken))
        self._changed.set()

    def route(self, chunk: Chunk, stage: int) -> None:
        """Give a chunk to its shard; one that is not ours (or no longer) is dropped and read again by its owner."""
        held = self._tasks.get(ShardKey(stage, chunk.partition))
        if held is not None:
            held[0].offer(chunk)

    def full(self, stage: int, partition: int) -> bool:
        """Tell whether a shard cannot take more just now, or is not there; from any thread."""
        held = self._tasks.get(ShardKey(stage, partition))
        return held is None or held[0].full

    async def run(self) -> None:
        """Follow the assignments until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._settle()

    async def close(self) -> None:
        """Let every shard finish the batch it is storing, then let go of all."""
        self._stopping = True
        if self._loading is not None:
            self._loading.cancel()
        await self._drop(list(self._tasks))

    async def _settle(self) -> None:
        generation, target = self._generation, self._target
        kept = {key for key in self._tasks if key in target and key in self._unbroken}
        await self._drop([key for key in self._tasks if key not in kept])
        if generation != self._sought:
            self._sought = generation
            await self._seek(kept)
        missing = target - self._tasks.keys() - self._barred.keys()
        if not missing or generation != self._generation:
            return
        self._loading = asyncio.create_task(self._loader.load(missing), name="load")
        try:
            loaded = await self._loading
        except asyncio.CancelledError:
            if generation == self._generation and not self._stopping:
                raise
            return
        finally:
            self._loading = None
        if generation != self._generation or self._stopping:
            await asyncio.gather(*(each.writer.close() for each in loaded.values()))
            return
        await self._install(loaded, generation)

    async def _install(self, loaded: Mapping[ShardKey, Loaded], generation: int) -> None:
        """Start the loaded shards where their sources stand."""
        following = await self._following(loaded)
        if generation != self._generation or self._stopping:
            await asyncio.gather(*(each.writer.close() for each in loaded.values()))
            return
        for key, each in loaded.items():
            task = ShardTask(key, each, following[key], self._around)
            running = asyncio.create_task(task.run(), name=f"shard {key}")
            running.add_done_callback(partial(self._ended, key))
            self._tasks[key] = (task, running)
            self._unbroken.add(key)
            self._facts.shard_loaded(key.stage, key.partition, each.records, each.seconds)
        await self._seek(loaded)

    async def _following(self, loaded: Mapping[ShardKey, Loaded]) -> dict[ShardKey, dict[str, int]]:
        """Return the offset to apply next of each source of each shard; without one, the log's beginning."""
        sources = [(topic, key.partition) for key in loaded for topic in self._sources[key.stage]]
        held = await self._reader.bounds(sources)
        for key, each in loaded.items():
            for topic in self._sources[key.stage]:
                bounds = held[topic, key.partition]
                refuse_if_remade(
                    self._settings.topic(topic), key.partition, each.shard.next.get(topic, bounds.start), bounds
                )
        return {
            key: {
                topic: each.shard.next.get(topic, held[topic, key.partition].start)
                for topic in self._sources[key.stage]
            }
            for key, each in loaded.items()
        }

    async def _seek(self, keys: Iterable[ShardKey]) -> None:
        positions = {}
        for key in keys:
            task, _running = self._tasks[key]
            positions.update({(topic, key.partition): at for topic, at in task.following.items()})
        await self._reader.seek(positions)

    async def _drop(self, keys: Collection[ShardKey]) -> None:
        """Stop shards after the batch they are storing; one that does not end in time is cut off."""
        dropped = [(key, *self._tasks.pop(key)) for key in keys]
        for key, task, _running in dropped:
            task.stop()
            self._unbroken.discard(key)
            self._facts.shard_dropped(key.stage, key.partition)
        running = [each for _key, _task, each in dropped]
        if running:
            _done, late = await asyncio.wait(running, timeout=_DROP_SECONDS)
            for each in late:
                each.cancel()
        await asyncio.gather(*(task.close() for _key, task, _running in dropped))

    def _ended(self, key: ShardKey, running: asyncio.Task[None]) -> None:
        """Look at why a shard's task ended."""
        error = None if running.cancelled() else running.exception()
        if error is None:
            return
        if not isinstance(error, Fenced):
            self._fail(error)
            return
        self._facts.producer_fenced(key.stage, key.partition)
        dropped = self._tasks.pop(key, None)
        if dropped is None:
            return
        self._unbroken.discard(key)
        self._facts.shard_dropped(key.stage, key.partition)
        self._after_fence(key, error)
        asyncio.create_task(dropped[0].close(), name=f"close {key}").add_done_callback(lambda _done: None)

    def _after_fence(self, key: ShardKey, error: Fenced) -> None:
        """Take a fenced shard again later, once."""
        timing = self._settings.timing
        now = time.monotonic()
        before = self._fenced_at.get(key)
        self._fenced_at[key] = now
        if before is not None and now - before < timing.fenced_window:
            self._fail(error)
            return
        log.warning("%s; taken again in %.0f s if it is still ours", error, timing.reacquire_after)
        self._barred[key] = now
        generation = self._generation
        asyncio.get_running_loop().call_later(timing.reacquire_after, self._reacquire, key, generation)

    def _reacquire(self, key: ShardKey, generation: int) -> None:
        if generation == self._generation and self._barred.pop(key, None) is not None:
            self._changed.set()
