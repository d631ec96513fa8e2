"""One transactional producer per shard: a batch is one Kafka transaction, and a new owner fences the old one.

`TransactionalWriter.start` is the fence: after it, nothing that an earlier owner still has in flight can become
visible. So it must come before the changelog's end is read (`loading`). A writer never aborts and never retries a
transaction: it is committed, or its shard is thrown away and the next fence ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidProducerEpoch, InvalidProducerIdMapping, InvalidTxnState, ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder

from stream.core.partitions import partition_of
from stream.worker.client import connection
from stream.worker.hooks import read_futures, sender_failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stream.worker.ports import ChangesLike, OutputLike, ShardKey
    from stream.worker.settings import WorkerSettings

MAX_BATCH_BYTES: Final = 1_000_000
MAX_REQUEST_BYTES: Final = 4_194_304
_FENCED: Final = (ProducerFenced, InvalidProducerEpoch, InvalidProducerIdMapping, InvalidTxnState)
_CLOSE_SECONDS: Final = 2.0
_NO_HEADERS: Final[list[tuple[str, bytes]]] = []


class Fenced(Exception):  # noqa: N818  a fact about ownership, not a bug
    """The broker no longer takes writes of this producer: the shard has another owner, or its transaction expired."""


class TransactionalWriter:
    """Writes the batches of one shard."""

    def __init__(self, settings: WorkerSettings, key: ShardKey, partitions: Mapping[str, int]) -> None:
        """Prepare a producer; nothing is sent before `start`.

        Args:
            settings: names, timing, broker.
            key: the shard; gives the transactional id.
            partitions: short output name -> number of partitions of that topic.
        """
        self._settings = settings
        self._key = key
        self._partitions = partitions
        self._changelog = settings.changelog(key.stage)
        self._topics = {short: settings.topic(short) for short in partitions}
        timing = settings.timing
        self._producer = AIOKafkaProducer(
            **connection(settings.broker),
            client_id=f"{settings.app_id}-{key}",
            transactional_id=f"{settings.app_id}-{key}",
            acks="all",
            linger_ms=0,
            max_batch_size=MAX_BATCH_BYTES,
            max_request_size=MAX_REQUEST_BYTES,
            transaction_timeout_ms=int(timing.transaction_timeout * 1000),
            request_timeout_ms=int(timing.request_timeout * 1000),
            retry_backoff_ms=int(timing.retry_backoff * 1000),
        )

    async def start(self) -> None:
        """Fence every earlier owner of the shard and end the transaction it may have left open."""
        await self._producer.start()
        topics = (self._changelog, *self._topics.values())
        await asyncio.gather(*(self._producer.partitions_for(topic) for topic in topics))

    async def begin(self) -> None:
        """Open a transaction.

        Raises:
            Fenced: the shard has another owner.
        """
        try:
            await self._producer.begin_transaction()
        except Exception as error:
            raise self._explained(error) from error

    async def send(self, changes: ChangesLike) -> None:
        """Write rows and outputs and wait until the broker has each of them.

        Raises:
            Fenced: the shard has another owner.
        """
        batches = self._batches(changes)
        sent: list[asyncio.Future[object]] = []
        try:
            # All first batches before any second one: they join the transaction in one request.
            for wave in zip_longest(*batches.values()):
                for (topic, partition), builder in zip(batches, wave, strict=True):
                    if builder is not None:
                        sent.append(await self._producer.send_batch(builder, topic, partition=partition))
            await asyncio.gather(*sent)
        except Exception as error:
            read_futures(sent)
            raise self._explained(error) from error

    async def commit(self) -> None:
        """Make the transaction visible.

        Raises:
            Fenced: the shard has another owner.
        """
        try:
            await self._producer.commit_transaction()
        except Exception as error:
            raise self._explained(error) from error

    async def close(self) -> None:
        """Close the connections, whatever state the transaction is in."""
        sender_failure(self._producer)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._producer.stop(), _CLOSE_SECONDS)

    def _explained(self, error: Exception) -> Exception:
        """Return `Fenced` when the broker refused the producer, else the error itself."""
        for cause in (*_causes(error), *_causes(sender_failure(self._producer))):
            if isinstance(cause, _FENCED):
                return Fenced(f"shard {self._key}: {cause!r}")
        return error

    def _batches(self, changes: ChangesLike) -> dict[tuple[str, int], list[BatchBuilder]]:
        now = int(time.time() * 1000)
        batches: dict[tuple[str, int], list[BatchBuilder]] = {}
        if changes.changelog:
            rows = ((key, value, _NO_HEADERS) for key, value in changes.changelog)
            batches[self._changelog, self._key.partition] = _packed(rows, now)
        by_target: dict[tuple[str, int], list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]]] = {}
        for output in changes.outputs:
            row = (output.key, output.value, list(output.headers))
            for partition in self._targets(output):
                by_target.setdefault((self._topics[output.topic], partition), []).append(row)
        for target, records in by_target.items():
            batches[target] = _packed(records, now)
        return batches

    def _targets(self, output: OutputLike) -> Iterable[int]:
        """Return the partitions an output goes to; without a key it stays near its shard."""
        count = self._partitions[output.topic]
        if output.partition is None:
            return (self._key.partition % count if output.key is None else partition_of(output.key, count),)
        return range(count) if output.partition < 0 else (output.partition,)


def _packed(
    records: Iterable[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]], now: int
) -> list[BatchBuilder]:
    """Fill as few batches as it takes; a record larger than a batch gets one of its own (a first row always fits)."""
    builder = BatchBuilder(MAX_BATCH_BYTES, 0, is_transactional=1)
    builders = [builder]
    for key, value, headers in records:
        if builder.append(timestamp=now, key=key, value=value, headers=headers) is None:
            builder = BatchBuilder(MAX_BATCH_BYTES, 0, is_transactional=1)
            builders.append(builder)
            builder.append(timestamp=now, key=key, value=value, headers=headers)
    return builders


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
