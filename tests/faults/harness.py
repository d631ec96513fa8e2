"""What the fault runs share: worker processes, a source that never stops, and an independent recount.

The recount reads the source topics and the worker's topics with plain read_committed consumers and knows nothing of
shards, positions or transactions: what a worker stored must be equal to what one loop over the sources gives.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from stream.core.topics import changelog_name, topic_name
from tests.faults.counting import POISON, SHARD_ROW, positions_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from stream.core.topics import Layout

PROGRAM = Path(__file__).with_name("program.py")
DOOMED = b"?"
ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("calls", "chats", "emails", "agents")
QUICK = {"session_timeout": 6.0, "heartbeat": 1.0, "rebalance_timeout": 6.0}


class WorkerProcess:
    """One worker as the operating system sees it; the facts it states arrive in `facts`."""

    def __init__(self, bootstrap_servers: str, layout: Layout, log: Path, **said: Any) -> None:  # noqa: ANN401  plain values
        """Start it."""
        values = {
            "bootstrap_servers": bootstrap_servers,
            "app_id": layout.app_id,
            "prefix": layout.prefix,
            **QUICK,
            **said,
        }
        self.log = log
        self.facts: list[dict[str, Any]] = []
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM), json.dumps(values)],
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                text=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.facts.append(json.loads(line))

    def told(self, fact: str) -> list[dict[str, Any]]:
        """Return the facts of one kind so far."""
        return [each for each in list(self.facts) if each["fact"] == fact]

    @property
    def said(self) -> str:
        """What it wrote for a person."""
        return self.log.read_text(encoding="utf-8")

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    @property
    def stopped(self) -> bool:
        """Whether SIGSTOP holds it."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        return stat.rsplit(")", 1)[1].split()[0] == "T"

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()
        self._reader.join(5)

    def freeze(self) -> None:
        """SIGSTOP."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def terminate(self, seconds: float = 10.0) -> int:
        """SIGTERM; return the exit code."""
        self._process.terminate()
        code = self._process.wait(seconds)
        self._reader.join(5)
        return code

    def wait(self, seconds: float) -> int:
        """Wait for it to end by itself."""
        code = self._process.wait(seconds)
        self._reader.join(5)
        return code


@contextmanager
def workers(kafka: str, layout: Layout, folder: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Start worker processes; show the logs' last lines when the test fails, and leave none running."""
    started: list[WorkerProcess] = []

    def start(**said: Any) -> WorkerProcess:  # noqa: ANN401  plain values for the program
        started.append(WorkerProcess(kafka, layout, folder / f"worker-{len(started)}.log", **said))
        return started[-1]

    try:
        yield start
    except BaseException:
        for worker in started:
            print(worker.log, worker.facts[-3:], *worker.log.read_text(encoding="utf-8").splitlines()[-25:], sep="\n")
        raise
    finally:
        for worker in started:
            worker.thaw()
            worker.kill()


@dataclass(slots=True)
class Recount:
    """What is stored, or what should be.

    Attributes:
        counts: (partition, key) -> records.
        outputs: id -> how often.
        rejected: id -> how often.
        ends: (topic, partition) -> one more than the last record's offset (expected) or the stored position.
    """

    counts: dict[tuple[int, bytes], int] = field(default_factory=dict)
    outputs: Counter[bytes] = field(default_factory=Counter)
    rejected: Counter[bytes] = field(default_factory=Counter)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)


class Source:
    """Writes records to the source topics: with a plain producer, or in transactions of which some are aborted."""

    def __init__(self, bootstrap_servers: str, layout: Layout, seed: int) -> None:
        self._servers = bootstrap_servers
        self._layout = layout
        self._random = random.Random(seed)  # noqa: S311  a seeded test, no secret
        self.written = 0

    async def flow(self, seconds: float, rate: int) -> None:
        """Write `rate` records a second, 1 % of them poison, a quarter of them in transactions."""
        plain = AIOKafkaProducer(bootstrap_servers=self._servers, linger_ms=5, request_timeout_ms=60_000)
        careful = AIOKafkaProducer(
            bootstrap_servers=self._servers,
            linger_ms=5,
            transactional_id=f"source-{self._layout.app_id}",
            transaction_timeout_ms=60_000,
        )
        async with plain, careful:
            began = time.monotonic()
            while (passed := time.monotonic() - began) < seconds:
                due = int(passed * rate) - self.written
                await self._burst(plain, due * 3 // 4)
                await careful.begin_transaction()
                doomed = self._random.random() < 0.3
                await self._burst(careful, due // 4, DOOMED if doomed else b"x")
                if doomed:
                    await careful.abort_transaction()
                else:
                    await careful.commit_transaction()
                await asyncio.sleep(0.02)

    async def _burst(self, producer: AIOKafkaProducer, count: int, mark: bytes = b"x") -> None:
        for _ in range(count):
            topic = self._random.choice(("calls", "calls", "calls", "chats", "emails", "agents"))
            key: bytes | None = b"contact-%d" % self._random.randrange(2_000)
            value: bytes | None = mark * self._random.randrange(20, 600)
            if self._random.random() < 0.01:
                key, value = self._random.choice(((None, POISON + b"1"), (key, POISON + b"\xff"), (key, None)))
            await producer.send(topic_name(self._layout.prefix, topic), value, key=key)
            self.written += 1


async def read_all(bootstrap_servers: str, topics: list[str]) -> AsyncIterator[Any]:
    """Yield every committed record of these topics, up to the ends they have now."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        partitions = []
        for topic in topics:
            known = consumer.partitions_for_topic(topic)
            while not known:
                await consumer._client.force_metadata_update()
                consumer._client.add_topic(topic)
                await asyncio.sleep(0.05)
                known = consumer.partitions_for_topic(topic)
            partitions += [TopicPartition(topic, each) for each in known]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        left = {each for each in partitions if ends[each] > 0}
        while left:
            for partition in list(left):
                if await consumer.position(partition) >= ends[partition]:
                    left.discard(partition)
            if left:
                for records in (await consumer.getmany(*left, timeout_ms=200)).values():
                    for record in records:
                        yield record
    finally:
        await consumer.stop()


async def expected(bootstrap_servers: str, layout: Layout) -> Recount:
    """Recount the source topics in one loop."""
    short = {topic_name(layout.prefix, each): each for each in SOURCES}
    found = Recount()
    async for record in read_all(bootstrap_servers, list(short)):
        topic = short[record.topic]
        place = f"{topic}:{record.partition}:{record.offset}".encode()
        found.ends[topic, record.partition] = record.offset + 1
        assert not (record.value or b"").startswith(DOOMED), f"an aborted record was read: {place!r}"
        if record.key is None or record.value is None or record.value.startswith(POISON):
            found.rejected[place] += 1
            continue
        found.outputs[place] += 1
        key = (record.partition, record.key)
        found.counts[key] = found.counts.get(key, 0) + 1
    return found


async def stored(bootstrap_servers: str, layout: Layout) -> Recount:
    """Read what workers stored, as any read_committed reader sees it."""
    changelog = changelog_name(layout.app_id, 1)
    outcomes, rejected = topic_name(layout.prefix, "outcomes"), topic_name(layout.prefix, "rejected")
    found = Recount()
    async for record in read_all(bootstrap_servers, [changelog, outcomes, rejected]):
        if record.topic == outcomes:
            found.outputs[record.value] += 1
        elif record.topic == rejected:
            found.rejected[dict(record.headers)["x-id"]] += 1
        elif record.key == SHARD_ROW:
            for topic, offset in positions_of(record.value).items():
                found.ends[topic, record.partition] = offset
        else:
            found.counts[record.partition, record.key] = int(record.value)
    return found


async def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)


async def check_exact(bootstrap_servers: str, layout: Layout, seconds: float = 30.0) -> Recount:
    """Wait until everything written is stored, then compare: integers must be equal, each output once."""
    wanted = await expected(bootstrap_servers, layout)
    deadline = time.monotonic() + seconds
    while True:
        found = await stored(bootstrap_servers, layout)
        behind = [each for each, end in wanted.ends.items() if found.ends.get(each, 0) < end]
        if not behind:
            break
        assert time.monotonic() < deadline, f"not stored after {seconds} s: {sorted(behind)}"
        await asyncio.sleep(0.5)
    for what in ("outputs", "rejected", "counts"):
        unequal = _unequal(getattr(found, what), getattr(wanted, what))
        sample = sorted(unequal.items())[:20]
        assert not unequal, f"{len(unequal)} {what} differ, found and wanted: {sample}"
    return found


def _unequal(found: Mapping[Any, int], wanted: Mapping[Any, int]) -> dict[Any, tuple[int, int]]:
    """Return where two counts differ: key -> (found, wanted)."""
    keys = found.keys() | wanted.keys()
    return {key: (found.get(key, 0), wanted.get(key, 0)) for key in keys if found.get(key, 0) != wanted.get(key, 0)}


def environment_seed() -> int:
    """Return the seed of this run: FAULT_SEED, else a fresh one; printed either way."""
    seed = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(1 << 30))
    print(f"FAULT_SEED={seed}")
    return seed
