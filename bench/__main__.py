"""All measurements, one after the other, on one broker: `python -m bench [NAME ...]`.

Prints Markdown to stdout and progress to stderr. Nothing here passes or fails: figures are read by people, and depend
on what else the machine does.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from bench import profile
from bench.broker import running_kafka

if TYPE_CHECKING:
    from collections.abc import Sequence


class Measurement(Protocol):
    """What the module of a measurement on Kafka offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare its options; all have defaults."""

    def run(self, options: argparse.Namespace, bootstrap: str) -> str:
        """Measure and return tables."""


ON_KAFKA: Final = ("throughput", "latency", "recovery", "scrape", "replay", "cases")
NAMES: Final = ("profile", *ON_KAFKA)


def main() -> None:
    """Run the measurements named, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="measure the product beside its peers")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}; none = all")
    chosen = parser.parse_args().names or list(NAMES)
    unknown = sorted(set(chosen) - set(NAMES))
    if unknown:
        parser.error(f"no measurement is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    print(f"{machine()}\n")
    if "profile" in chosen:
        _show("profile", profile.split(profile.records(40_000), 3))
    on_kafka = [name for name in ON_KAFKA if name in chosen]
    if on_kafka:
        _measure(on_kafka)


def _measure(names: Sequence[str]) -> None:
    with running_kafka() as bootstrap:
        for name in names:
            measurement: Measurement = importlib.import_module(f"bench.{name}")
            options = argparse.ArgumentParser()
            measurement.add_arguments(options)
            began = time.monotonic()
            try:
                text = measurement.run(options.parse_args([]), bootstrap)
            except SystemExit as stopped:
                text = f"not measured: {stopped}"
            _show(name, text)
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


def machine() -> str:
    """Say in one line what was measured on."""
    model = "unknown processor"
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"


def _show(name: str, text: str) -> None:
    print(f"### {name}\n\n{text}\n", flush=True)


if __name__ == "__main__":
    main()
