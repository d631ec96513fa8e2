"""Events per CPU second and per second of the worker, of stock Faust and of Kafka Streams: one broker, one run.

Run `python -m bench.throughput`. The order changes with every repetition; ratios are taken within a repetition.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from bench.broker import running_kafka
from bench.calls import Plan
from bench.load import Target, fill
from bench.ours import NAME, contact_stream
from bench.peers.runs import build_streams, faust_stock, kafka_streams
from bench.result import comparison, ratios

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.result import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--events", type=int, default=400_000, help="for the worker and Kafka Streams")
    parser.add_argument("--stock-events", type=int, default=20_000, help="for stock Faust, which is slower")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--ours-only", action="store_true", help="leave the peers out")
    parser.add_argument("--more", action="store_true", help="also Kafka Streams without cache and with binary states")


def run(options: argparse.Namespace, bootstrap: str) -> str:
    """Measure and return the tables."""
    large = Target(bootstrap, "throughput.", "throughput")
    small = Target(bootstrap, "throughput-stock.", "throughput-stock")
    loaded = fill(large, options.events, Plan())
    programs: list[Callable[[int], Run]] = [lambda number: contact_stream(large, loaded, f"throughput-{number}")]
    if not options.ours_only:
        build_streams()
        stock = fill(small, options.stock_events, Plan())
        programs += [
            lambda _: kafka_streams(bootstrap, loaded),
            lambda _: faust_stock(bootstrap, stock),
            lambda _: kafka_streams(bootstrap, loaded, "exactly_once_v2"),
        ]
    if options.more:
        programs += [
            lambda _: kafka_streams(bootstrap, loaded, "at_least_once", "--serde", "binary"),
            lambda _: kafka_streams(bootstrap, loaded, "at_least_once", "--cache", "off"),
        ]
    rounds = []
    for number in range(options.repetitions):
        turned = programs[number % len(programs) :] + programs[: number % len(programs)]
        rounds.append([_told(program(number)) for program in turned])
    runs = sorted((found for some in rounds for found in some), key=lambda found: found.name != NAME)
    parts = [comparison(runs)] if options.ours_only else [comparison(runs), ratios(rounds, NAME)]
    return "\n\n".join(parts)


def _told(found: Run) -> Run:
    """Show a run while the others go on."""
    rate, cost = found.per_cpu_second, found.cpu_seconds / found.events * 1e6
    print(f"{found.name}: {rate:,.0f} events/CPU-s, {cost:.1f} us/event, exact {found.exact}", file=sys.stderr)
    return found


def main() -> None:
    """Measure on a broker of its own and print the tables."""
    parser = argparse.ArgumentParser(description="throughput of the worker and its peers")
    add_arguments(parser)
    options = parser.parse_args()
    with running_kafka() as bootstrap:
        print(run(options, bootstrap))


if __name__ == "__main__":
    main()
