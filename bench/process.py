"""A measured process: what it wrote, the CPU it used at any moment, its peak memory.

Figures come from /proc (Linux): user and system time of all its threads, in steps of 10 ms. Children are not
counted; nothing measured here has any.
"""

from __future__ import annotations

import bisect
import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EVERY_SECONDS: Final = 0.02
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_USER_FIELD: Final = 11  # of the fields of /proc/<pid>/stat after the command


class Sample(NamedTuple):
    """One look: wall clock (seconds since the epoch) and CPU seconds so far."""

    at: float
    cpu: float


class Measured:
    """A child process under observation; leaving the context ends it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start the process; its output goes to a file of its own."""
        self._folder = tempfile.TemporaryDirectory(prefix="contact-stream-bench-")
        self.log = Path(self._folder.name) / "output.log"
        self.started_at = time.time()
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        self.pid = self._process.pid
        self.peak_mb = 0.0
        self.ended_at = 0.0
        self._samples: list[Sample] = []
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._watch, daemon=True)
        self._sampler.start()

    def __enter__(self) -> Self:
        """Return the process."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """End the process: SIGTERM, then SIGKILL after 20 s."""
        self.stop()
        self._folder.cleanup()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> int:
        """Wait for its end and return the exit code; `cpu` is then right to 20 ms.

        Raises:
            subprocess.TimeoutExpired: it still runs after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while self.running:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self._process.args, seconds)
            time.sleep(_EVERY_SECONDS / 2)
        self.ended_at = time.time()
        return self._process.returncode

    def stop(self, number: int = signal.SIGTERM, seconds: float = 20.0) -> None:
        """End it with a signal; harmless when it has ended."""
        if self.running:
            self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        if self.running:
            self._process.kill()
            self._process.wait()
        self._done.set()
        self._sampler.join()

    def output(self) -> str:
        """Return what it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def cpu_at(self, at: float) -> float:
        """Return the CPU seconds used until a moment (seconds since the epoch), between two looks by proportion."""
        samples = self._samples
        index = bisect.bisect_left(samples, Sample(at, 0.0))
        if index == 0:
            return samples[0].cpu if samples else 0.0
        if index == len(samples):
            return samples[-1].cpu
        before, after = samples[index - 1], samples[index]
        share = (at - before.at) / (after.at - before.at)
        return before.cpu + share * (after.cpu - before.cpu)

    @property
    def cpu(self) -> float:
        """CPU seconds at the last look."""
        return self._samples[-1].cpu if self._samples else 0.0

    def _watch(self) -> None:
        while not self._done.is_set():
            try:
                self._samples.append(Sample(time.time(), cpu_seconds(self.pid)))
                self.peak_mb = max(self.peak_mb, peak_mb(self.pid))
            except (OSError, IndexError):
                return
            self._done.wait(_EVERY_SECONDS)


def cpu_seconds(pid: int) -> float:
    """Return user and system seconds of a process so far."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    fields = text.rpartition(")")[2].split()
    return (int(fields[_USER_FIELD]) + int(fields[_USER_FIELD + 1])) / _TICKS


def peak_mb(pid: int) -> float:
    """Return the largest resident size of a process so far, MB; 0 once it has ended."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
