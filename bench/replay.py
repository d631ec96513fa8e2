"""Rate of `contact-stream replay --file`: canonical JSON lines through the shards in one process, no Kafka.

Run `python -m bench.replay`. Whole process: start, reading, folding and printing are all included.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import Final

from bench.calls import Plan, lines
from bench.process import Measured
from bench.shards import POLICY
from bench.table import spread, table
from bench.worker import command

_LIMIT_SECONDS: Final = 180.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--repetitions", type=int, default=3)


def run(options: argparse.Namespace, _bootstrap: str = "") -> str:
    """Measure and return the table."""
    wall, cpu, peak = [], [], []
    with tempfile.TemporaryDirectory(prefix="contact-stream-replay-") as folder:
        path = Path(folder) / "calls.jsonl"
        write_lines(path, options.events)
        for _ in range(options.repetitions):
            seconds, spent, size = _replay(path)
            wall.append(options.events / seconds)
            cpu.append(options.events / spent)
            peak.append(size)
            print(f"replay: {options.events / seconds:,.0f} events/s", file=sys.stderr)
    head = ("events", "events/s wall", "events/CPU-s", "peak MB")
    return table(head, [(f"{options.events:,}", spread(wall), spread(cpu), spread(peak))])


def write_lines(path: Path, events: int) -> None:
    """Write generated calls as `replay` reads them."""
    with path.open("wb") as output:
        for line in itertools.islice(lines(Plan()), events):
            output.write(b'{"topic":"calls","event":' + line.value + b"}\n")


def _replay(path: Path) -> tuple[float, float, float]:
    """Replay once; returns wall seconds, CPU seconds and peak MB.

    Raises:
        SystemExit: it failed, or what it printed is not JSON.
    """
    arguments = command("replay", "--file", str(path), "--json", "--policy", str(POLICY))
    with Measured(arguments) as process:
        code = process.wait(_LIMIT_SECONDS)
        wall = process.ended_at - process.started_at
        output = process.output()
        if code != 0:
            raise SystemExit(f"replay ended with {code}; its last words:\n{output[-2000:]}")
        json.loads(output.splitlines()[-1])  # before it, lines of progress on standard error
        return wall, process.cpu, process.peak_mb


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="rate of replay from a file")
    add_arguments(parser)
    print(run(parser.parse_args()))


if __name__ == "__main__":
    main()
