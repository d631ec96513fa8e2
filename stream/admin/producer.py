"""Writes canonical events to Kafka: idempotent, keyed as Java keys, alive after a record the broker refuses.

kafka-python's idempotent producer does not recover from a refused record: it aborts every other batch with the same
error and stays dead. So every record is remembered until it is stored; after a failure the rest is sent again by a
careful client (not idempotent, which names the very records refused), those are listed in `refused`, and a new
idempotent client goes on. One request at a time, because an aborted one may have been stored all the same; on several
brokers a record may then stand in the topic twice: readers know it by its event id. Never part of the live worker.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from kafka import KafkaProducer
from kafka.errors import (
    InvalidRecordError,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
from kafka.partitioner.default import murmur2

from stream.admin.connection import CONNECT_TIMEOUT_MS, client_options, explained
from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kafka.producer.future import FutureRecordMetadata

    from stream.wire.broker import Broker

MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
_BATCH_BYTES: Final = 256 * 1024
_LINGER_MS: Final = 10
_REAP_EVERY: Final = 1_000
_MAX_UNCONFIRMED: Final = 20_000
_ROUNDS: Final = 20
_CLOSE_SECONDS: Final = 5
_CONTENT_ERRORS: Final = (
    InvalidRecordError,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)


class Outgoing(NamedTuple):
    """One record to be written.

    Attributes:
        topic: full name.
        key: None = any partition.
        value: None is a tombstone and needs a key.
        headers: in order.
        partition: explicit, for `source.*` events; None = by murmur2 of the key, as Java does.
        timestamp_ms: ms since the epoch; None = now. Topics stamped by the broker ignore it.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None
    timestamp_ms: int | None = None


class Refused(NamedTuple):
    """A record that the broker, or the client for it, will not take.

    Attributes:
        record: as given to `send`.
        reason: the name of Kafka's error.
    """

    record: Outgoing
    reason: str


@lru_cache(maxsize=100_000)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key by murmur2, the Java default.

    Args:
        key: any bytes.
        partitions: of the topic, at least 1.
    """
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


class EventProducer:
    """A producer for canonical events; use as a context manager. Not for several threads at once.

    Attributes:
        sent: records handed over so far, refused ones included.
        refused: what could not be stored because of its own content, in order.
    """

    def __init__(self, broker: Broker, *, transactional_id: str | None = None) -> None:
        """Connect.

        Args:
            broker: where to write.
            transactional_id: set = `begin`, `commit` and `abort` may be used, and a failure is raised, not mended.

        Raises:
            Trouble: the broker cannot be reached.
        """
        self.sent = 0
        self.refused: list[Refused] = []
        self._broker = broker
        self._transactional_id = transactional_id
        self._unconfirmed: deque[tuple[FutureRecordMetadata, Outgoing]] = deque()
        self._partitions: dict[str, int] = {}
        self._broken = False
        self._client = self._connect()

    def __enter__(self) -> Self:
        """Return itself, connected."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        """Flush and disconnect; after an exception disconnect only."""
        self.close(flush=kind is None)

    def send(self, record: Outgoing) -> None:
        """Hand one record over; it is stored at the latest when `flush` returns.

        Raises:
            Trouble: the topic does not exist or the broker is away for two minutes.
        """
        self.sent += 1
        self._hand_over(record)
        if self.sent % _REAP_EVERY == 0:
            self._reap()

    def send_everywhere(self, record: Outgoing) -> None:
        """Write one record to every partition of its topic (`source.*` events).

        Raises:
            Trouble: as `send`.
        """
        for partition in range(self.partitions(record.topic)):
            self.send(record._replace(partition=partition))

    def flush(self) -> list[Refused]:
        """Wait until everything is stored or refused; return all refusals so far.

        Raises:
            Trouble: the broker is away for two minutes.
        """
        with explained(self._broker):
            self._client.flush()
        if any(not future.succeeded() for future, _record in self._unconfirmed):
            self._mend()
        self._unconfirmed.clear()
        return self.refused

    def begin(self) -> None:
        """Open a transaction (transactional mode)."""
        with explained(self._broker):
            self._client.begin_transaction()

    def commit(self) -> None:
        """Commit the open transaction with everything sent since `begin`."""
        self.flush()
        with explained(self._broker):
            self._client.commit_transaction()

    def abort(self) -> None:
        """Abort the open transaction: what was sent since `begin` stays in the log, hidden from read_committed."""
        if self._broken:
            # After a failure the client goes on with a wrong sequence; a new one's first word to Kafka aborts as well.
            self._client.close(timeout=_CLOSE_SECONDS)
            self._client = self._connect()
            self._broken = False
            return
        with explained(self._broker):
            self._client.flush()
            self._unconfirmed.clear()
            self._client.abort_transaction()

    def close(self, *, flush: bool = True) -> None:
        """Flush unless told otherwise, and disconnect."""
        try:
            if flush:
                self.flush()
        finally:
            self._client.close(timeout=5 if flush else 0)

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has.

        Raises:
            Trouble: there is no such topic.
        """
        if topic not in self._partitions:
            try:
                self._partitions[topic] = len(self._client.partitions_for(topic))
            except KafkaError as error:
                raise Trouble(
                    f"cannot write to topic {topic}",
                    "Kafka does not know it, or did not answer",
                    "run: contact-stream topics create --execute",
                ) from error
        return self._partitions[topic]

    def _connect(self, *, careful: bool = False) -> KafkaProducer:
        """Open a client; a careful one fails a refused batch alone and names the culprits, but may repeat a record."""
        with explained(self._broker):
            client = KafkaProducer(
                **client_options(self._broker),
                acks="all",
                enable_idempotence=not careful,
                max_in_flight_requests_per_connection=1,
                batch_size=_BATCH_BYTES,
                linger_ms=_LINGER_MS,
                max_request_size=MAX_REQUEST_BYTES,
                allow_auto_create_topics=False,
                metrics_enabled=False,
                max_block_ms=CONNECT_TIMEOUT_MS,
                transactional_id=self._transactional_id,
            )
            if self._transactional_id is not None:
                client.init_transactions()
            return client

    def _hand_over(self, record: Outgoing) -> None:
        topic, key, value, headers, partition, timestamp_ms = record
        if partition is None and key is not None:
            partition = partition_of(key, self._partitions.get(topic) or self.partitions(topic))
        try:
            future = self._client.send(topic, value, key, list(headers), partition, timestamp_ms)
        except MessageSizeTooLargeError as error:
            self.refused.append(Refused(record, type(error).__name__))
        except KafkaError as error:
            raise Trouble(f"cannot write to topic {topic}", str(error) or type(error).__name__) from error
        else:
            self._unconfirmed.append((future, record))

    def _reap(self) -> None:
        """Forget what is stored; mend when something failed; wait when too much is on its way."""
        waiting = self._unconfirmed
        while waiting and waiting[0][0].is_done:
            if not waiting[0][0].succeeded():
                self._mend()
                return
            waiting.popleft()
        if len(waiting) >= _MAX_UNCONFIRMED:
            self.flush()

    def _mend(self) -> None:
        """Send again what failed, carefully, until only content that the broker refuses is left over."""
        if self._transactional_id is not None:
            self._broken = True
            error = self._failed()[0][0]
            raise Trouble("cannot write in a transaction", str(error) or type(error).__name__, "abort and begin again")
        self._client.close(timeout=_CLOSE_SECONDS)
        again = self._failed()
        self._client = self._connect(careful=True)
        for _round in range(_ROUNDS):
            for _error, record in again:
                self._hand_over(record)
            self._client.flush()
            failed = self._failed()
            self.refused += [Refused(record, type(error).__name__) for error, record in failed if _culprit(error)]
            again = [(error, record) for error, record in failed if not _culprit(error)]
            if not again:
                self._client.close(timeout=_CLOSE_SECONDS)
                self._client = self._connect()
                return
        raise Trouble(f"cannot write to Kafka at {self._broker.bootstrap_servers}", str(again[0][0]))

    def _failed(self) -> list[tuple[KafkaError, Outgoing]]:
        """Return what is not stored, in order, and forget the rest."""
        failed = [(future.exception, record) for future, record in self._unconfirmed if not future.succeeded()]
        self._unconfirmed.clear()
        return failed


def _culprit(error: KafkaError) -> bool:
    """Whether the broker refused this very record; its neighbours in the batch fail with a plain KafkaError."""
    return isinstance(error, _CONTENT_ERRORS)


def write_all(broker: Broker, records: Iterable[Outgoing]) -> EventProducer:
    """Write every record, wait until all are stored, and return the closed producer with its counts.

    Raises:
        Trouble: as `EventProducer.send`.
    """
    with EventProducer(broker) as producer:
        for record in records:
            producer.send(record)
    return producer
