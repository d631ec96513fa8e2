"""The whole product on a real Kafka: supervised workers as a user starts them, fed, killed, and read from outside.

Counters and gauges are read from the workers' metrics pages, histograms and cells from the interval topic, cases from
the verdicts topic.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stream.admin.producer import EventProducer, Outgoing
from stream.core.topics import STAGES, topic_name
from stream.demo.scrape import Figures, fetch, parse
from stream.demo.supervisor import Program, Supervisor
from stream.wire.broker import Broker
from tests.faults.harness import read_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from stream.core.topics import Layout

HEARTBEAT_TOPICS = ("calls", "chats", "emails", "cases")
Place = tuple[int, int]  # stage, shard
CaseName = tuple[str | None, str]  # customer, case_id


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on just now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Sight:
    """What all workers show at one moment.

    Attributes:
        figures: of the service, summed over shards.
        owners: stage and shard -> the numbers of the workers that show it.
        watermarks: stage and shard -> seconds since the epoch; of the case stage the settlement.
    """

    def __init__(self, pages: Mapping[int, str]) -> None:
        """Read the pages, by number of the worker."""
        self.figures = Figures(pages.values())
        self.owners: dict[Place, list[int]] = defaultdict(list)
        self.watermarks: dict[Place, float] = {}
        for worker, page in pages.items():
            for (name, labels), value in parse(page).items():
                of = dict(labels)
                if name == "contact_stream_shard_owned" and value:
                    self.owners[int(of["stage"]), int(of["shard"])].append(worker)
                elif name == "contact_stream_watermark_seconds":
                    self.watermarks[int(of["stage"]), int(of["shard"])] = value

    def complete(self, partitions: int) -> bool:
        """Whether every shard of both stages is shown, by one worker."""
        places = {(stage, shard) for stage in STAGES for shard in range(partitions)}
        return self.owners.keys() == places and all(len(workers) == 1 for workers in self.owners.values())

    def stands_at(self, seconds: float) -> bool:
        """Whether every shard that is shown has come exactly so far."""
        return self.watermarks.keys() == self.owners.keys() and set(self.watermarks.values()) == {seconds}


class House:
    """Workers under a supervisor, their topics, and what they say."""

    def __init__(self, kafka: str, layout: Layout, folder: Path, **settings: str) -> None:
        """Nothing runs yet; ``settings`` are environment variables of the workers."""
        self.kafka = kafka
        self.layout = layout
        self.folder = folder
        self.ports = free_ports(2)
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "CONTACT_STREAM_PREFIX": layout.prefix,
            "CONTACT_STREAM_APP_ID": layout.app_id,
            "CONTACT_STREAM_PARTITIONS": str(layout.partitions),
            "CONTACT_STREAM_SESSION_TIMEOUT": "6s",
            **settings,
        }
        command = (sys.executable, "-m", "stream.cli", "worker", "--web-port")
        self.supervisor = Supervisor(
            [
                Program(f"worker {i}", (*command, str(port)), environment, folder / f"worker-{i}.log")
                for i, port in enumerate(self.ports)
            ]
        )

    def topic(self, short: str) -> str:
        """The full name of a topic."""
        return topic_name(self.layout.prefix, short)

    @contextmanager
    def open(self) -> Iterator[House]:
        """Run the workers; show the ends of their logs when the test fails."""
        with self.supervisor:
            try:
                yield self
            except BaseException:
                for log in sorted(self.folder.glob("worker-*.log")):
                    print(log.name, *log.read_text(errors="replace").splitlines()[-15:], sep="\n")
                raise

    def kill_owner(self, place: Place, sight: Sight) -> None:
        """SIGKILL the worker that shows a shard, while all run; the supervisor brings it back."""
        [worker] = sight.owners[place]
        pids = self.supervisor.pids
        assert len(pids) == len(self.ports)
        os.kill(pids[worker], signal.SIGKILL)

    def look(self) -> Sight:
        """What the metrics pages say now."""
        pages = {worker: page for worker, port in enumerate(self.ports) if (page := fetch(port)) is not None}
        return Sight(pages)

    def until(self, done: Callable[[Figures], bool], seconds: float, what: str) -> Figures:
        """Watch the workers until all shards of both stages are shown and ``done``; the figures then."""
        return self.until_seen(lambda sight: done(sight.figures), seconds, what).figures

    def until_seen(self, done: Callable[[Sight], bool], seconds: float, what: str) -> Sight:
        """The same, with everything that is shown."""
        deadline = time.monotonic() + seconds
        while True:
            self.supervisor.watch()
            sight = self.look()
            if sight.complete(self.layout.partitions) and done(sight):
                return sight
            if time.monotonic() > deadline:
                told = {
                    name: sight.figures.total(name)
                    for name in ("contact_stream_records_total", "contact_arrivals_total", "contact_cases_opened_total")
                }
                owned, marks = len(sight.owners), sorted(set(sight.watermarks.values()))
                raise AssertionError(f"not within {seconds} s: {what}; {owned} shards, {told}, watermarks {marks}")
            time.sleep(0.5)

    def heartbeat(self, producer: EventProducer, occurred_at: str, number: int) -> int:
        """Tell every partition that it is ``occurred_at``; how many records that were."""
        event = {"event_id": f"h{number}", "type": "source.heartbeat", "occurred_at": occurred_at, "source": "clock"}
        for short in HEARTBEAT_TOPICS:
            producer.send_everywhere(Outgoing(self.topic(short), b"clock", json.dumps(event).encode()))
        producer.flush()
        return self.layout.partitions * len(HEARTBEAT_TOPICS)

    def producer(self) -> EventProducer:
        """Writes to the source topics."""
        return EventProducer(Broker(self.kafka))

    async def cells(self, by: str) -> dict[str, int]:
        """The newest counts of all interval cells of one attribution, summed by series."""
        newest: dict[bytes, dict[str, Any]] = {}
        async for record in read_all(self.kafka, [self.topic("intervals")]):
            value = json.loads(record.value)
            known = newest.get(record.key)
            if known is None or known["version"] < value["version"]:
                newest[record.key] = value
        total: dict[str, int] = defaultdict(int)
        for value in newest.values():
            if value["by"] == by:
                for series, amount in value["counts"].items():
                    total[series] += amount
        return dict(total)

    async def verdicts(self) -> dict[CaseName, dict[str, Any]]:
        """The newest verdict of every case there is."""
        return cases_told([json.loads(r.value) async for r in read_all(self.kafka, [self.topic("verdicts")])])


def cases_told(verdicts: list[dict[str, Any]]) -> dict[CaseName, dict[str, Any]]:
    """The newest verdict of every case, of verdicts in the order of their topic.

    A withdrawal takes back what the same person's home told: a ticket of ids that turn out to be one person is
    withdrawn by the one and told by the other.
    """
    newest = {(told["customer"], told["case_id"]): told for told in verdicts}
    return {case: told for case, told in newest.items() if not told["withdrawn"]}


def series_of_page(figures: Figures, family: str) -> dict[str, float]:
    """A family's net figures as the golden scenarios write them, labels sorted; zeros left out."""
    found = {}
    for labels, amount in figures.family(family).items():
        inner = ",".join(f'{name}="{value}"' for name, value in labels)
        if amount:
            found[f"{family}{{{inner}}}"] = amount
    return found


def histograms(cells: Mapping[str, int]) -> dict[str, float]:
    """``_count`` and ``_sum`` (seconds) of every histogram in the cells' counts, labels sorted."""
    found: dict[str, float] = defaultdict(float)
    for series, amount in cells.items():
        name, _, rest = series.partition("{")
        labels = [label for label in rest.rstrip("}").split(",") if not label.startswith("le=")]
        inner = ",".join(sorted(labels))
        if name.endswith("_bucket"):
            found[f"{name.removesuffix('_bucket')}_count{{{inner}}}"] += amount
        elif name.endswith("_sum"):
            found[f"{name}{{{inner}}}"] += amount / 1000
    return {series: amount for series, amount in found.items() if amount}
