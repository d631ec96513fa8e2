"""Cases: what the ten thousandth contact of one customer costs beside the first, and what a million open cases cost.

Run `python -m bench.cases`. The first part needs no Kafka: one shard of the case stage, a record a batch, CPU time. The
second writes the state of a million customers with one provisional case each into the changelog, starts a worker, and
measures from outside: start to ready, memory, scrapes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from time import perf_counter, process_time_ns, time_ns
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer

from bench.broker import running_kafka
from bench.load import PARTITIONS, Target, partition_of
from bench.shards import new_case_shard
from bench.table import quantile, table
from bench.worker import Worker
from stream.core.contacts.shard import Record
from stream.core.topics import changelog_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.core.cases.shard import CaseShard

BEGINS_MS: Final = time_ns() // 1_000_000 - 6 * 86_400_000  # so that every case is provisional when it is measured
QUEUES: Final = ("billing", "sales", "support-en", "support-de", "retention")
_BATCH: Final = 2_000
_BATCH_BYTES: Final = 900_000
_BETWEEN_MS: Final = 60_000
_SCRAPES: Final = 40
_READY_SECONDS: Final = 600.0


def outcome(customer: str, number: int, at: int, *, ended: bool, first: bool) -> Record:
    """One outcome record as stage one writes it: a handled call, resolved by its end."""
    key = customer.encode()
    value = {
        "contact_id": f"{customer}-{number}",
        "generation": at,
        "revision": 2 if ended else 1,
        "outcome": "handled",
        "decided_at": at + 12_000,
        "channel": "voice",
        "direction": "inbound",
        "customer": customer,
        "queue": QUEUES[number % len(QUEUES)],
        "arrived_at": at,
        "begins_at": at,
        "ended_at": at + 200_000 if ended else None,
        "last_at": at + 200_000 if ended else None,
        "agents": ["agent-1"],
        "first": first,
        "cause": f"{customer}-{number}-4",
    }
    return Record("outcomes", 0, None, key, json.dumps(value).encode(), ())


def one_customer(contacts: int, parts: int = 10) -> str:
    """CPU per contact of one customer, from the first to the last."""
    shard = new_case_shard(0, 1)
    rows: list[tuple[str, ...]] = []
    first = 0.0
    for part in range(parts):
        begun, size = process_time_ns(), 0
        for number in range(part * contacts // parts, (part + 1) * contacts // parts):
            for ended in (False, True):
                record = outcome("u1", number, BEGINS_MS + number * _BETWEEN_MS, ended=ended, first=not ended)
                changes = shard.apply([record], {"outcomes": number}, 0)
                shard.publish(changes)
                size = sum(len(value or b"") for _, value in changes.changelog)
        spent = (process_time_ns() - begun) / 1_000 / (contacts // parts)
        first = first or spent
        rows.append((f"{(part + 1) * contacts // parts:,}", f"{spent:.0f}", f"{spent / first:.2f}", f"{size:,}"))
    return table(("contacts so far", "CPU us/contact", "/ first", "changelog bytes of the last"), rows)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--contacts", type=int, default=10_000, help="of one customer")
    parser.add_argument("--cases", type=int, default=1_000_000, help="open, each of a customer of its own")


def run(options: argparse.Namespace, bootstrap: str) -> str:
    """Measure and return both tables."""
    return f"{one_customer(options.contacts)}\n\n{many_cases(options.cases, bootstrap)}"


def many_cases(cases: int, bootstrap: str) -> str:
    """A worker with so many open cases, seen from outside."""
    target = Target(bootstrap, "cases.", "cases")
    target.create_topics()
    begun = perf_counter()
    stored = asyncio.run(_fill(target, cases))
    print(f"{stored:,} rows written in {perf_counter() - begun:.0f} s", file=sys.stderr)
    with Worker(target) as worker:
        ready = worker.await_ready(_READY_SECONDS)
        scrapes, page = [], ""
        for _ in range(_SCRAPES):
            asked = perf_counter()
            page = worker.page("/metrics") or ""
            scrapes.append((perf_counter() - asked) * 1_000)
        lines = [
            ("open cases", f"{cases:,}"),
            ("changelog rows", f"{stored:,}"),
            ("persons held", f"{_persons(worker):,.0f}"),
            ("provisional, rule contact", f"{_provisional(worker):,.0f}"),
            ("start to ready s", f"{ready:.1f}"),
            ("worker CPU s", f"{worker.cpu:.1f}"),
            ("peak MB", f"{worker.peak_mb:,.0f}"),
            ("lines of the page", f"{page.count(chr(10)):,}"),
            ("scrape p50 / p99 ms", f"{quantile(scrapes, 0.5):.0f} / {quantile(scrapes, 0.99):.0f}"),
        ]
    return table(("a million open cases", "value"), lines)


def _persons(worker: Worker) -> float:
    return worker.figure("contact_stream_rows", 'table="stage2"')


def _provisional(worker: Worker) -> float:
    return worker.figure("contact_fcr_cohort_cases", 'rule="contact"', 'state="provisional"')


async def _fill(target: Target, cases: int) -> int:
    """Make the state shard by shard and write it as a worker would have left it, compacted; returns the rows."""
    customers: list[list[str]] = [[] for _ in range(PARTITIONS)]
    for number in range(cases):
        customer = f"customer-{number:07d}"
        customers[partition_of(customer.encode())].append(customer)
    stored = 0
    async with AIOKafkaProducer(
        bootstrap_servers=target.bootstrap, max_batch_size=_BATCH_BYTES, max_request_size=4_194_304
    ) as producer:
        for partition, names in enumerate(customers):
            rows = _state(new_case_shard(partition, PARTITIONS), names)
            stored += len(rows)
            await _store(producer, changelog_name(target.app_id, 2), partition, rows)
    return stored


def _state(shard: CaseShard, customers: list[str]) -> dict[bytes, bytes]:
    """The changelog of a shard in which each customer has called once; the watermark stands after the last call."""
    rows: dict[bytes, bytes] = {}
    heard = [_watermark("outcomes", part) for part in range(PARTITIONS)]
    for start in range(0, len(customers), _BATCH):
        part = customers[start : start + _BATCH]
        records = [
            outcome(name, i, BEGINS_MS + (start + i) * 4_000, ended=True, first=True) for i, name in enumerate(part)
        ]
        for key, value in shard.apply([*records, *heard], {"outcomes": 0}, 0).changelog:
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value
    return rows


def _watermark(topic: str, shard: int) -> Record:
    value = {"id": "bench", "stage": 1, "shard": shard, "watermark": BEGINS_MS}
    return Record(topic, 0, None, b"~watermark", json.dumps(value).encode(), [("x-kind", b"watermark")])


async def _store(producer: AIOKafkaProducer, topic: str, partition: int, rows: dict[bytes, bytes]) -> None:
    """Write rows to one partition in batches, one after the other."""
    for batch in _batches(producer, rows):
        await (await producer.send_batch(batch, topic, partition=partition))


def _batches(producer: AIOKafkaProducer, rows: dict[bytes, bytes]) -> Iterator[object]:
    batch = producer.create_batch()
    for key, value in rows.items():
        if batch.append(key=key, value=value, timestamp=None) is None:
            yield batch
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    yield batch


def main() -> None:
    """Measure on a broker of its own and print the tables."""
    parser = argparse.ArgumentParser(description="cases: one busy customer, a million open cases")
    add_arguments(parser)
    options = parser.parse_args()
    with running_kafka() as bootstrap:
        print(run(options, bootstrap))


if __name__ == "__main__":
    main()
