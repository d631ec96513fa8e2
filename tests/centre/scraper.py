"""A real Prometheus, set up as it is shipped, that scrapes the workers of a test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.centre.house import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHIPPED = Path(__file__).parents[2] / "deploy" / "prometheus"
_TARGETS = 'targets: ["127.0.0.1:6066", "127.0.0.1:6067"]'


class Scraper:
    """Prometheus on a loopback port."""

    def __init__(self, port: int) -> None:
        self._port = port

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """An instant vector: labels and value of each series."""
        asked = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/query?{asked}", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return [(each["metric"], float(each["value"][1])) for each in found["data"]["result"]]

    def alerts(self) -> list[dict[str, Any]]:
        """Every alert that is pending or fires: labels, annotations, state."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/alerts", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return list(found["data"]["alerts"])

    def history(self, expression: str, since: float, until: float) -> list[tuple[dict[str, str], list[float]]]:
        """The moments at which each series had a sample, five a second; s since the epoch."""
        asked = urllib.parse.urlencode({"query": expression, "start": since, "end": until, "step": 0.2})
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/query_range?{asked}", timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return [(each["metric"], [float(at) for at, _ in each["values"]]) for each in found["data"]["result"]]

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=2):
                return True
        except OSError:
            return False


@contextmanager
def prometheus(targets: Sequence[int], folder: Path, shipped: Path = SHIPPED) -> Iterator[Scraper]:
    """Run the distribution's Prometheus on these ports, with the shipped configuration but every second.

    Args:
        targets: ports of the workers' metrics pages.
        folder: for its configuration and data.
        shipped: the configuration, the rules and the alerts; another pace than the shipped one stays as it is.
    """
    program = shutil.which("prometheus")
    if program is None:
        reason = "prometheus is not installed; install the package prometheus"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    [port] = free_ports(1)
    config = (shipped / "prometheus.yml").read_text()
    assert _TARGETS in config
    named = ", ".join(f'"127.0.0.1:{target}"' for target in targets)
    config = config.replace(_TARGETS, f"targets: [{named}]").replace("scrape_interval: 15s", "scrape_interval: 1s")
    (folder / "prometheus.yml").write_text(config)
    for name in ("rules", "alerts"):
        shutil.copytree(shipped / name, folder / name)
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    process = subprocess.Popen(command)
    scraper = Scraper(port)
    try:
        deadline = time.monotonic() + 30
        while not scraper.ready():
            assert process.poll() is None, "prometheus ended"
            assert time.monotonic() < deadline, "prometheus is not ready"
            time.sleep(0.2)
        yield scraper
    finally:
        process.terminate()
        process.wait(20)
