"""Keeps child processes running: starts them, starts them again when they exit, ends them all.

    starts --exits (0, a signal, 70 …)--> waits 1 s, 2 s, … 10 s --> starts again
           --exits with 1 or 2: trouble a person must solve--> `Trouble` with the last line of its log
           --lives for 30 s--> the next wait is 1 s again

A child has a session of its own, so Ctrl-C in the terminal is for the supervisor alone; and a watcher, so it ends
with the supervisor even when that is killed. One thread; `watch` must be called often. Source: 4-architecture 4.4.
"""

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_FOR_A_PERSON: Final = frozenset((1, 2))
_SHORTEST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 10.0
_SETTLED_S: Final = 30.0
_WATCHER: Final = 'read -r _; kill -9 "$1" 2>/dev/null'


class Program(NamedTuple):
    """A child to be kept running.

    Attributes:
        name: for people.
        command: as for exec.
        environment: all of it.
        log: file that takes what the child prints; grows over restarts.
    """

    name: str
    command: "Sequence[str]"
    environment: "Mapping[str, str]"
    log: "Path"


@dataclass(slots=True)
class _Child:
    """A program and its current process; `process` is None between two lives."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    watcher: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    pause: float = _SHORTEST_PAUSE_S
    restarts: int = 0


class Supervisor:
    """Several programs; a context manager that ends them."""

    def __init__(
        self,
        programs: "Sequence[Program]",
        report: "Callable[[str], None]" = lambda _line: None,
        patience_seconds: float = 10.0,
    ) -> None:
        """Remember what to run; nothing runs yet.

        Args:
            programs: to be kept running.
            report: called with a line for a person whenever one is started again.
            patience_seconds: between SIGTERM and SIGKILL when they are ended.
        """
        self._patience_seconds = patience_seconds
        self._children = [_Child(program) for program in programs]
        self._report = report

    def __enter__(self) -> Self:
        """Start every program."""
        for child in self._children:
            _start(child)
        return self

    def __exit__(self, *_exception: object) -> None:
        """End every program."""
        self.stop()

    @property
    def pids(self) -> list[int]:
        """Process ids of those that run now."""
        return [child.process.pid for child in self._children if child.process is not None]

    @property
    def restarts(self) -> int:
        """How often any program was started again."""
        return sum(child.restarts for child in self._children)

    def watch(self) -> None:
        """Look after every program once.

        Raises:
            Trouble: one of them ended with something a person must solve.
        """
        now = time.monotonic()
        for child in self._children:
            if child.process is None:
                if now >= child.due:
                    child.restarts += 1
                    _start(child)
                    self._report(f"{child.program.name} started again")
            elif child.process.poll() is not None:
                self._lost(child, now)

    def stop(self) -> None:
        """End every program: SIGTERM, then SIGKILL for those that do not go."""
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self._patience_seconds
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for child in self._children:
            _dismiss_watcher(child)
            child.process = None

    def _lost(self, child: _Child, now: float) -> None:
        code = child.process.returncode if child.process is not None else 0
        child.process = None
        _dismiss_watcher(child)
        if code in _FOR_A_PERSON:
            raise Trouble(f"{child.program.name} cannot run", _last_line(child.program.log))
        if now - child.started >= _SETTLED_S:
            child.pause = _SHORTEST_PAUSE_S
        child.due = now + child.pause
        self._report(f"{child.program.name} ended ({_how(code)}), starting it again in {child.pause:.0f} s")
        child.pause = min(_LONGEST_PAUSE_S, child.pause * 2)


def _start(child: _Child) -> None:
    program = child.program
    with program.log.open("ab") as log:
        child.process = subprocess.Popen(
            list(program.command),
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    child.watcher = subprocess.Popen(
        ["/bin/sh", "-c", _WATCHER, "watcher", str(child.process.pid)], stdin=subprocess.PIPE, start_new_session=True
    )
    child.started = time.monotonic()


def _dismiss_watcher(child: _Child) -> None:
    if child.watcher is not None:
        child.watcher.kill()
        child.watcher.communicate()
        child.watcher = None


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _last_line(log: "Path") -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
