"""The small job as Faust's own documentation teaches it: Records, two Tables, one write to them per event.

Reads a topic once, from its start to the end offsets found at the start, and prints one JSON line with the figures
and what they cost. Run by `bench.throughput`; arguments `--bootstrap --topic --app --state`, partitions as the topic.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from datetime import datetime
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

INTERVAL_MS = 15 * 60 * 1000
SILENT_SECONDS = 15.0
TABLES = ("contacts", "cells")


class Event(faust.Record, serializer="json"):
    """A canonical event: the envelope and the fields that the small job reads; all others are skipped."""

    event_id: str
    type: str
    occurred_at: str
    source: str
    contact_id: str
    source_seq: int | None = None
    channel: str = "voice"
    direction: str = "inbound"
    customer: str | None = None
    queue: str | None = None
    agent: str | None = None
    reason: str | None = None


class Contact(faust.Record, serializer="json"):
    """What is known of one contact: written back to its table at every event."""

    started_at: int = 0
    last_at: int = 0
    events: int = 0
    queue: str = ""
    entered_at: int = 0
    waiting: bool = False
    ended: bool = False


class Cell(faust.Record, serializer="json"):
    """The figures of one queue and 15 minutes."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    wait_ms: int = 0


def fold(contact: Contact, event: Event, at: int) -> tuple[int, int, int, int] | None:
    """Take in one event; return the change of the contact's cell, or None when no figure changes."""
    if not contact.events:
        contact.started_at = at
    contact.events += 1
    contact.last_at = max(contact.last_at, at)
    if event.type == "queue.entered":
        contact.queue, contact.entered_at, contact.waiting = event.queue or "none", at, True
        return 1, 0, 0, 0
    answered = event.type == "agent.connected"
    abandoned = event.type == "contact.ended" or (event.type == "queue.left" and event.reason == "abandoned")
    contact.ended = contact.ended or event.type == "contact.ended"
    if not contact.waiting or not (answered or abandoned or event.type == "queue.left"):
        return None
    contact.waiting = False
    return 0, int(answered), int(abandoned), at - contact.entered_at


class Job:
    """The agent of one run, its tables, and when it has read everything."""

    def __init__(self, app: Any, ends: dict[int, int]) -> None:
        """Declare the tables.

        Args:
            app: the Faust application.
            ends: end offset of each partition of the source.
        """
        self.contacts = app.Table(TABLES[0], default=Contact, partitions=len(ends))
        self.cells = app.Table(TABLES[1], default=Cell, partitions=len(ends))
        self.open = {partition: end for partition, end in ends.items() if end}
        self.events = 0
        self.finished = False
        self.began = (0.0, 0.0)
        self.last = (0.0, time.perf_counter())

    async def run(self, stream: Any) -> None:
        """Take in the events of a stream; ends the process after the last one."""
        async for event in stream.events():
            if not self.events:
                self.began = (time.process_time(), time.perf_counter())
            self.apply(event.key.decode(), event.value)
            self.events += 1
            self.last = (time.process_time(), time.perf_counter())
            message = event.message
            if message.offset + 1 >= self.open.get(message.partition, sys.maxsize):
                del self.open[message.partition]
                if not self.open:
                    self.finish()

    async def watch(self) -> None:
        """End a run that stands still: stock Faust can lose the last events of a partition and wait for ever."""
        while not self.finished:
            await asyncio.sleep(1.0)
            if time.perf_counter() - self.last[1] > SILENT_SECONDS:
                self.finish()

    def apply(self, key: str, event: Event) -> None:
        """Write the contact's row, and its cell's when a figure changes."""
        at = int(datetime.fromisoformat(event.occurred_at).timestamp() * 1000)
        contact = self.contacts[key]
        change = fold(contact, event, at)
        self.contacts[key] = contact
        if change is not None:
            name = f"{contact.queue}|{contact.entered_at // INTERVAL_MS * INTERVAL_MS}"
            cell = self.cells[name]
            cell.offered += change[0]
            cell.answered += change[1]
            cell.abandoned += change[2]
            cell.wait_ms += change[3]
            self.cells[name] = cell

    def finish(self) -> None:
        """Print what was counted and what it cost, then let the worker end in order."""
        if self.finished:
            return
        self.finished = True
        queues: dict[str, list[int]] = {}
        for name, cell in self.cells.items():
            row = queues.setdefault(name.split("|")[0], [0, 0, 0, 0])
            for index, figure in enumerate((cell.offered, cell.answered, cell.abandoned, cell.wait_ms)):
                row[index] += figure
        line = {
            "events": self.events,
            "cpu_seconds": self.last[0] - self.began[0],
            "wall_seconds": self.last[1] - self.began[1],
            "process_cpu_seconds": time.process_time(),
            "queues": queues,
        }
        print(json.dumps(line), file=sys.__stdout__, flush=True)  # Faust sends sys.stdout to its log
        os.kill(os.getpid(), signal.SIGTERM)


async def create_changelogs(bootstrap: str, app: str, partitions: int) -> None:
    """Create the tables' changelogs before Faust does: at its first start it may work before it knows them, and fail."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    settings = {"cleanup.policy": "compact"}
    names = [f"{app}-{table}-changelog" for table in TABLES]
    await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings) for name in names])
    await admin.close()


async def find_ends(bootstrap: str, topic: str) -> dict[int, int]:
    """Return the end offset of each partition."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap) as consumer:
        numbers = consumer.partitions_for_topic(topic) or set()
        found = await consumer.end_offsets([TopicPartition(topic, number) for number in sorted(numbers)])
    return {part.partition: end for part, end in found.items()}


def main() -> None:
    """Run the small job once over a topic."""
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "topic", "app", "state"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    ends = asyncio.run(find_ends(given.bootstrap, given.topic))
    asyncio.run(create_changelogs(given.bootstrap, given.app, len(ends)))
    app = faust.App(
        given.app,
        broker=f"kafka://{given.bootstrap}",
        datadir=given.state,
        topic_partitions=len(ends),
        web_enabled=False,
    )
    job = Job(app, ends)
    app.agent(app.topic(given.topic, key_type=bytes, value_type=Event))(job.run)
    app.task(job.watch)
    app.finalize()
    faust.Worker(app, loglevel="WARN", loop=asyncio.new_event_loop()).execute_from_commandline()


if __name__ == "__main__":
    main()
