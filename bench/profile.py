"""Where the time of `Shard.apply` goes: microseconds per event by phase and batch size, without Kafka.

Run `python -m bench.profile`; `--functions` lists the functions that cost most instead. The records are those of one
partition of eight, in order. It says nothing of Kafka, Faust or the network: those are in `bench.throughput`.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import itertools
import pstats
import statistics
from time import process_time_ns
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.calls import Plan, lines
from bench.shards import new_shard
from bench.stopwatch import GARBAGE, Stopwatch
from bench.table import table
from stream.core.contacts import row
from stream.core.contacts import shard as shard_module
from stream.core.contacts.shard import Record
from stream.core.engine import ledger
from stream.core.figures.book import Book
from stream.wire.rows import JsonCodec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.stopwatch import Place
    from stream.core.contacts.shard import Shard

BATCHES: Final = (1, 100, 500, 2_000)
PHASES: Final[dict[str, Sequence[Place]]] = {
    "decode": [(JsonCodec, "decode")],
    "fold": [(row.Row, "add"), (row.Row, "trim")],
    "contributions": [(row.Row, "book"), (Book, "differ")],
    "rows": [(JsonCodec, "pack_row"), (JsonCodec, "unpack_row")],
    "outcomes": [(shard_module, "tell"), (ledger, "correct")],
    "settle": [(ledger, "settle")],
}
_PER_SHARD: Final = 6_000  # records a second of one shard, for the pacing of cells
_AFTER_MS: Final = 50


class Cost(NamedTuple):
    """What one pass cost: microseconds per event in all and by phase; rows, row bytes and outputs per event."""

    total: float
    phases: dict[str, float]
    rows: float
    row_bytes: float
    outputs: float


def records(count: int, seed: int = 7) -> list[Record]:
    """Return the first `count` records of one partition."""
    source = itertools.islice(lines(Plan(seed=seed, between_ms=2_000.0)), count)
    return [
        Record("calls", offset, line.at + _AFTER_MS, line.contact_id.encode(), line.value, ())
        for offset, line in enumerate(source)
    ]


def run(given: Sequence[Record], batch: int, shard: Shard) -> tuple[int, int, int]:
    """Apply all records in batches; returns rows, their bytes and outputs."""
    rows = size_bytes = outputs = 0
    began_at = given[0].recorded_at or 0
    for start in range(0, len(given), batch):
        part = given[start : start + batch]
        now = began_at + start * 1_000 // _PER_SHARD
        changes = shard.apply(part, {"calls": part[-1].offset + 1}, now)
        shard.publish(changes)
        rows += len(changes.changelog)
        size_bytes += sum(len(key) + len(value or b"") for key, value in changes.changelog)
        outputs += len(changes.outputs)
    return rows, size_bytes, outputs


def cost(given: Sequence[Record], batch: int, repetitions: int) -> Cost:
    """Measure the total without timing phases (median), then the phases in one more pass."""
    totals = []
    written = (0, 0, 0)
    for _ in range(repetitions):
        shard = new_shard(0)
        gc.collect()
        began = process_time_ns()
        written = run(given, batch, shard)
        totals.append((process_time_ns() - began) / 1_000 / len(given))
    with Stopwatch(PHASES) as watch:
        run(given, batch, new_shard(0))
    phases = {name: spent / 1_000 / len(given) for name, spent in watch.spent.items()}
    rows, size_bytes, outputs = (number / len(given) for number in written)
    return Cost(statistics.median(totals), phases, rows, size_bytes, outputs)


def split(given: Sequence[Record], repetitions: int) -> str:
    """Return the table of all batch sizes."""
    lines_: list[tuple[str, ...]] = []
    for batch in BATCHES:
        part = given[: len(given) // 4] if batch == 1 else given
        found = cost(part, batch, repetitions)
        phases = [f"{found.phases[name]:.1f}" for name in (*PHASES, GARBAGE)]
        rest = max(0.0, found.total - sum(found.phases.values()))
        written = (f"{found.rows:.2f}", f"{found.row_bytes:,.0f}", f"{found.outputs:.2f}")
        lines_.append((f"{batch:,}", *phases, f"{rest:.1f}", f"{found.total:.1f}", *written))
    return table(("batch", *PHASES, GARBAGE, "rest", "total us", "rows/event", "bytes/event", "outputs/event"), lines_)


def functions(given: Sequence[Record], batch: int) -> None:
    """Print the functions that cost most, by their own time."""
    profile = cProfile.Profile()
    shard = new_shard(0)
    profile.runcall(run, given, batch, shard)
    pstats.Stats(profile).sort_stats("tottime", "ncalls").print_stats(35)


def main() -> None:
    """Print the split, or the functions."""
    parser = argparse.ArgumentParser(description="profile Shard.apply without Kafka")
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--functions", action="store_true", help="list functions, for batches of --batch")
    parser.add_argument("--batch", type=int, default=500)
    arguments = parser.parse_args()
    given = records(arguments.events)
    if arguments.functions:
        functions(given, arguments.batch)
    else:
        print(split(given, arguments.repetitions))


if __name__ == "__main__":
    main()
