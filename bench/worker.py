"""The product's worker as a process of its own, seen only from outside: its pages, its changelog, its CPU.

It runs the `contact-stream worker` command on the real state, under the policy of the measurements.
"""

from __future__ import annotations

import re
import socket
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

from bench.process import Measured
from bench.shards import POLICY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.load import Target

_READY_SECONDS: Final = 60.0
_SERIES: Final = re.compile(r"^(\w+)(\{[^}]*\})? (\S+)$", re.MULTILINE)


def command(*arguments: str) -> Sequence[str]:
    """Return the command line of `contact-stream` with arguments, by this interpreter."""
    return [sys.executable, "-m", "stream.cli", *arguments]


class Worker(Measured):
    """One worker."""

    def __init__(self, target: Target, policy: Path = POLICY) -> None:
        """Start it; `await_ready` waits until it serves its shards."""
        self.port = _free_port()
        settings = {
            "KAFKA_BOOTSTRAP_SERVERS": target.bootstrap,
            "CONTACT_STREAM_PREFIX": target.prefix,
            "CONTACT_STREAM_APP_ID": target.app_id,
            "CONTACT_STREAM_POLICY": str(policy),
            "CONTACT_STREAM_WEB_PORT": str(self.port),
            "CONTACT_STREAM_LOG_LEVEL": "info",
        }
        super().__init__(command("worker"), settings)

    def await_ready(self, seconds: float = _READY_SECONDS) -> float:
        """Wait until `/-/ready` says yes; returns the seconds since the process was started.

        Raises:
            SystemExit: it ended, or was not ready in time; its last lines are in the message.
        """
        deadline = self.started_at + seconds
        while time.time() < deadline and self.running:
            if self.page("/-/ready") is not None:
                return time.time() - self.started_at
            time.sleep(0.02)
        how = f"was not ready after {seconds:.0f} s" if self.running else "ended before it was ready"
        raise SystemExit(f"the worker {how}; its last words:\n{self.output()[-3000:]}")

    def figure(self, family: str, *labels: str) -> float:
        """Return the sum over all series of a family on `/metrics` that have these labels, each as `name="value"`."""
        page = self.page("/metrics") or ""
        found = 0.0
        for name, shown, value in _SERIES.findall(page):
            if name == family and all(label in shown for label in labels):
                found += float(value)
        return found

    def page(self, path: str) -> str | None:
        """Return a page, None unless it is answered with 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                text: str = answer.read().decode()
                return text
        except (urllib.error.URLError, OSError):
            return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number
