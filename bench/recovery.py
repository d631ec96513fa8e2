"""A restart with many rows: from process start to ready, rows a second, peak memory.

Run `python -m bench.recovery`. One worker fills its state from calls of three events each, is stopped with SIGTERM,
and is started again; the changelog is as the first worker left it, not compacted.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from bench.broker import running_kafka
from bench.calls import Plan
from bench.changelog import await_stored
from bench.load import Target, fill
from bench.table import spread, table
from bench.worker import Worker

if TYPE_CHECKING:
    from bench.load import Loaded

_EVENTS_EACH: Final = 3
_FILL_SECONDS: Final = 240.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--rows", type=int, default=240_000, help="contacts in the state")
    parser.add_argument("--repetitions", type=int, default=3)


def run(options: argparse.Namespace, bootstrap: str) -> str:
    """Measure and return the table."""
    target = Target(bootstrap, "recovery.", "recovery")
    loaded = fill(target, options.rows * _EVENTS_EACH, Plan(short=True, between_ms=100.0))
    filled_mb = _fill_state(target, loaded)
    ready, records, rate, peak, cpu = [], [], [], [], []
    for number in range(options.repetitions):
        with Worker(target) as worker:
            seconds = worker.await_ready(120.0)
            ready.append(seconds)
            peak.append(worker.peak_mb)
            cpu.append(worker.cpu)
            records.append(worker.figure("contact_stream_recovered_records_total"))
            rate.append(options.rows / seconds)
            print(f"restart {number + 1}: ready after {seconds:.2f} s", file=sys.stderr)
    spreads = (spread(ready, ".2f"), spread(rate), spread(records), spread(cpu, ".1f"), spread(peak))
    head = ("rows", "start to ready s", "rows/s", "changelog records", "CPU s", "peak MB", "peak MB when filled")
    return table(head, [(f"{options.rows:,}", *spreads, f"{filled_mb:,.0f}")])


def _fill_state(target: Target, loaded: Loaded) -> float:
    """Let a first worker store everything; returns its peak memory in MB."""
    with Worker(target) as worker:
        worker.await_ready()
        await_stored(target, loaded.events, _FILL_SECONDS)
        worker.stop()
        return worker.peak_mb


def main() -> None:
    """Measure on a broker of its own and print the table."""
    parser = argparse.ArgumentParser(description="restart of a worker with many rows")
    add_arguments(parser)
    options = parser.parse_args()
    with running_kafka() as bootstrap:
        print(run(options, bootstrap))


if __name__ == "__main__":
    main()
