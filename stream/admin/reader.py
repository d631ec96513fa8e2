"""Reads what topics hold, once, up to where each ended when the reader was opened; committed records only.

Never a group, never an offset stored: nobody else notices. With keys only their partitions are read. What was looked
through is remembered, so that "not found" can say where.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from kafka import KafkaConsumer, TopicPartition

from stream.admin.connection import client_options, explained
from stream.core.engine.batch import Record
from stream.core.partitions import partition_of
from stream.core.topics import TOPICS, topic_name
from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from stream.wire.broker import Broker

    Wanted = Callable[[bytes | None, bytes | None], bool]

_POLL_MS: Final = 500
_POLL_RECORDS: Final = 5_000
_FETCH_WAIT_MS: Final = 100
_FETCH_BYTES: Final = 4 * 1024 * 1024
_PATIENCE_S: Final = 30.0


class TopicReader:
    """Stored records of one deployment; made by `open_reader`.

    Attributes:
        partitions: of every topic that a worker joins.
        counts: topic -> how many partitions it has.
        looked: topic -> partitions looked through, and the time of the oldest record met, ms (None = no record).
    """

    def __init__(self, client: KafkaConsumer, prefix: str, progress: Callable[[int, int], None]) -> None:
        """Note where every topic begins and ends now."""
        self._client = client
        self._prefix = prefix
        self._progress = progress
        self._read = 0
        self._newest = 0
        self.looked: dict[str, tuple[set[int], int | None]] = {}
        found = {short: self._partitions_of(topic_name(prefix, short)) for short in TOPICS}
        everything = [partition for partitions in found.values() for partition in partitions]
        self.counts = {short: len(partitions) for short, partitions in found.items()}
        self._begins: Mapping[TopicPartition, int] = client.beginning_offsets(everything)
        self._ends: Mapping[TopicPartition, int] = client.end_offsets(everything)
        self.partitions = self.counts["calls"]

    def read(
        self,
        topics: Sequence[str],
        keys: Collection[bytes] | None = None,
        *,
        partitions: Collection[int] | None = None,
        wanted: Wanted | None = None,
    ) -> Iterator[Record]:
        """Read topics by short name, each partition in its order.

        Args:
            topics: to be read, one after the other.
            keys: only the partitions these belong to, and only their records; None = all.
            partitions: only these; None = those of the keys, or all.
            wanted: which records are handed on, by key and value; None = those of the keys, or all.

        Raises:
            Trouble: Kafka cannot be reached, or stops answering.
        """
        chosen = wanted or (None if keys is None else lambda key, _value: key in keys)
        for short in topics:
            count = self.counts[short]
            where = partitions
            if where is None:
                where = range(count) if keys is None else {partition_of(key, count) for key in keys}
            yield from self._read_topic(short, sorted(where), chosen)

    def _read_topic(self, short: str, partitions: Sequence[int], chosen: Wanted | None) -> Iterator[Record]:
        name = topic_name(self._prefix, short)
        self._look(short, partitions, None)
        found = [TopicPartition(name, number) for number in partitions]
        left = {each for each in found if self._begins[each] < self._ends[each]}
        if not left:
            return
        self._client.assign(list(left))
        self._client.resume(*left)  # one that was paused stays so when it is assigned again
        self._client.seek_to_beginning(*left)
        moved_at = time.monotonic()
        while left:
            polled = self._client.poll(timeout_ms=_POLL_MS, max_records=_POLL_RECORDS)
            for partition, records in polled.items():
                end = self._ends[partition]
                self._read += len(records)
                self._newest = max(self._newest, records[-1].timestamp)
                self._look(short, (), records[0].timestamp)
                for each in records:
                    if each.offset < end and (chosen is None or chosen(each.key, each.value)):
                        headers = each.headers or ()
                        yield Record(short, each.offset, each.timestamp, each.key, each.value, headers)
            done = {each for each in left if (self._client.position(each) or 0) >= self._ends[each]}
            if done:
                left -= done
                self._client.pause(*done)
            if polled or done:
                moved_at = time.monotonic()
                self._progress(self._read, self._newest)
            elif time.monotonic() - moved_at > _PATIENCE_S:
                raise Trouble(f"cannot read topic {name} to its end", f"nothing came for {_PATIENCE_S:.0f} s")

    def _look(self, short: str, partitions: Sequence[int], oldest: int | None) -> None:
        known, since = self.looked.get(short, (set(), None))
        times = [at for at in (since, oldest) if at is not None]
        self.looked[short] = (known | set(partitions), min(times, default=None))

    def _partitions_of(self, name: str) -> list[TopicPartition]:
        numbers = self._client.partitions_for_topic(name)
        if not numbers:
            hint = "see: contact-stream topics check; is --prefix right?"
            raise Trouble(f"cannot read topic {name}", "Kafka does not know it", hint)
        return [TopicPartition(name, number) for number in sorted(numbers)]


@contextmanager
def open_reader(broker: Broker, prefix: str, progress: Callable[[int, int], None]) -> Iterator[TopicReader]:
    """Connect, note where the topics end, and disconnect afterwards.

    Args:
        broker: where to read.
        prefix: of the topics.
        progress: called as records come, with how many and the newest record's time, ms.

    Raises:
        Trouble: Kafka cannot be reached, refuses us, or lacks a topic.
    """
    with explained(broker):
        client = KafkaConsumer(
            **client_options(broker),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            metrics_enabled=False,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
        try:
            yield TopicReader(client, prefix, progress)
        finally:
            client.close()
