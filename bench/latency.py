"""Live latency: from the broker's time of a source record to its state being stored, at given rates.

Run `python -m bench.latency`. Two ends are measured. *Visible*: a read_committed reader of the changelog in this
process has got the shard row whose `next` lies beyond the record; this includes the commit and that reader's own delay.
*Written*: the broker's time of that shard row, which is before the commit.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.broker import running_kafka
from bench.changelog import History, follow
from bench.load import Target, trickle
from bench.table import quantile, table
from bench.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.changelog import Mark
    from bench.load import Sent

_WARM_SECONDS: Final = 5.0
_SETTLE_SECONDS: Final = 3.0
_QUANTILES: Final = (0.5, 0.95, 0.99, 1.0)


class Delay(NamedTuple):
    """Of one record, in milliseconds: until its state was visible, and until it was written."""

    visible: float
    written: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 1_000], help="records a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="at each rate")


def run(options: argparse.Namespace, bootstrap: str) -> str:
    """Measure and return the table."""
    rows = []
    target = Target(bootstrap, "latency.", "latency")
    target.create_topics()
    with Worker(target) as worker:
        worker.await_ready()
        for seed, rate in enumerate(options.rates, start=11):
            before = worker.cpu
            delays = asyncio.run(_measure(target, rate, options.seconds, seed))
            cpu = worker.cpu - before
            spent = options.seconds + _WARM_SECONDS + _SETTLE_SECONDS
            rows.append(_row(rate, delays, cpu / spent))
            print(f"{rate}/s: {len(delays):,} records", file=sys.stderr)
    head = ("records/s", "records", *(f"visible {_name(share)} ms" for share in _QUANTILES))
    return table((*head, "written p50 ms", "written p99 ms", "worker CPU %"), rows)


async def _measure(target: Target, rate: int, seconds: float, seed: int) -> list[Delay]:
    """Write at a rate while reading the changelog; the first seconds are not counted."""
    history, ready, stop = History(), asyncio.Event(), asyncio.Event()
    reader = asyncio.create_task(follow(target, history, ready, stop))
    await ready.wait()
    sent = await trickle(target, rate, seconds + _WARM_SECONDS, seed)
    await asyncio.sleep(_SETTLE_SECONDS)
    stop.set()
    await reader
    return _delays(sent[int(rate * _WARM_SECONDS) :], history.marks)


def _delays(sent: Sequence[Sent], marks: Sequence[Sequence[Mark]]) -> list[Delay]:
    """Find for each record the first stored batch that includes it.

    Raises:
        SystemExit: a record was never stored.
    """
    found = []
    for record in sent:
        own = marks[record.partition]
        index = bisect.bisect_right(own, record.offset, key=lambda mark: mark.next)
        if index == len(own):
            raise SystemExit(f"record {record.offset} of partition {record.partition} was not stored in time")
        mark = own[index]
        found.append(Delay(mark.seen_at * 1_000 - record.stored_at, mark.stored_at - record.stored_at))
    return found


def _row(rate: int, delays: Sequence[Delay], share: float) -> tuple[str, ...]:
    visible = [delay.visible for delay in delays]
    written = [delay.written for delay in delays]
    shown = (*(quantile(visible, q) for q in _QUANTILES), quantile(written, 0.5), quantile(written, 0.99))
    return (f"{rate:,}", f"{len(delays):,}", *(f"{value:.0f}" for value in shown), f"{share * 100:.0f}")


def _name(share: float) -> str:
    return "max" if share == 1 else f"p{share * 100:.0f}"


def main() -> None:
    """Measure on a broker of its own and print the table."""
    parser = argparse.ArgumentParser(description="live latency of the worker")
    add_arguments(parser)
    options = parser.parse_args()
    with running_kafka() as bootstrap:
        print(run(options, bootstrap))


if __name__ == "__main__":
    main()
