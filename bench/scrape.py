"""A large `/metrics` page: how long a scrape takes, and how long the worker's event loop makes others wait meanwhile.

Run `python -m bench.scrape`. The page is made large by a policy with many queues. The loop is asked for `/-/healthy`
all the time from another thread: what it answers late, a heartbeat would be late by too.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.broker import running_kafka
from bench.load import Target
from bench.table import quantile, table
from bench.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Sequence

_BETWEEN_SECONDS: Final = 0.25
_ASK_SECONDS: Final = 0.002


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--queues", type=int, default=1_260, help="in the policy; 1,260 make about 40,000 lines")
    parser.add_argument("--scrapes", type=int, default=40)


def run(options: argparse.Namespace, bootstrap: str) -> str:
    """Measure and return the table."""
    target = Target(bootstrap, "scrape.", "scrape")
    target.create_topics()
    with tempfile.TemporaryDirectory(prefix="contact-stream-scrape-") as folder:
        policy = Path(folder) / "policy.toml"
        policy.write_text("[queues]\n" + "".join(f"queue-{number:03d} = {{}}\n" for number in range(options.queues)))
        with Worker(target, policy) as worker:
            worker.await_ready()
            quiet = _answers(worker, options.scrapes * _BETWEEN_SECONDS)
            before = worker.cpu
            times, page, busy = _scrape(worker, options.scrapes)
            cpu_ms = (worker.cpu - before) * 1_000 / options.scrapes
    rows = [
        ("lines of the page", f"{page.count(chr(10)):,}"),
        ("MB of the page", f"{len(page) / 1e6:.1f}"),
        ("scrape p50 ms", f"{quantile(times, 0.5):.0f}"),
        ("scrape p99 ms", f"{quantile(times, 0.99):.0f}"),
        ("worker CPU ms a scrape, health requests included", f"{cpu_ms:.0f}"),
        ("health answer p99 / max ms while scraped", f"{quantile(busy, 0.99):.0f} / {max(busy):.0f}"),
        ("health answer p99 / max ms without scrapes", f"{quantile(quiet, 0.99):.0f} / {max(quiet):.0f}"),
    ]
    return table(("scrape", "value"), rows)


def _scrape(worker: Worker, count: int) -> tuple[list[float], str, list[float]]:
    """Scrape `count` times; returns each in ms, the last page, and the health answers meanwhile."""
    times: list[float] = []
    page = ""
    busy: list[float] = []
    over = threading.Event()
    asking = threading.Thread(target=lambda: busy.extend(_ask(worker, over)))
    asking.start()
    for _ in range(count):
        began = time.perf_counter()
        page = worker.page("/metrics") or ""
        times.append((time.perf_counter() - began) * 1_000)
        time.sleep(_BETWEEN_SECONDS)
    over.set()
    asking.join()
    return times, page, busy


def _answers(worker: Worker, seconds: float) -> Sequence[float]:
    over = threading.Event()
    threading.Timer(seconds, over.set).start()
    return _ask(worker, over)


def _ask(worker: Worker, over: threading.Event) -> list[float]:
    """Ask for `/-/healthy` until told to stop; each answer's time in ms."""
    times = []
    while not over.wait(_ASK_SECONDS):
        began = time.perf_counter()
        worker.page("/-/healthy")
        times.append((time.perf_counter() - began) * 1_000)
    return times


def main() -> None:
    """Measure on a broker of its own and print the table."""
    parser = argparse.ArgumentParser(description="scrape of a large page")
    add_arguments(parser)
    options = parser.parse_args()
    with running_kafka() as bootstrap:
        print(run(options, bootstrap))


if __name__ == "__main__":
    main()
