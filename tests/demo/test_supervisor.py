"""The demo's supervisor: what exits comes back, what a person must solve is said, and nothing is left behind."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.core.trouble import Trouble
from stream.demo.supervisor import Program, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

SLEEPS = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)


def _program(folder: Path, code: str) -> Program:
    return Program("sleeper", (sys.executable, "-c", code), dict(os.environ), folder / "log")


def _until(supervisor: Supervisor, happened: "Callable[[], bool]", seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        supervisor.watch()
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_program_comes_back(tmp_path: Path) -> None:
    """After kill -9 another process runs, and the terminal says so."""
    said: list[str] = []
    with Supervisor([_program(tmp_path, SLEEPS)], said.append) as supervisor:
        first = supervisor.pids[0]
        os.kill(first, signal.SIGKILL)
        _until(supervisor, lambda: supervisor.restarts == 1)
        second = supervisor.pids[0]
        assert second != first
        assert _alive(second)
    assert not _alive(second)
    assert said == ["sleeper ended (signal 9), starting it again in 1 s", "sleeper started again"]


def test_trouble_for_a_person_is_raised(tmp_path: Path) -> None:
    """Exit code 1 or 2 is not tried again: the program's last word is passed on."""
    program = _program(tmp_path, "import sys; print('cannot open the door'); sys.exit(2)")
    with Supervisor([program]) as supervisor, pytest.raises(Trouble, match="sleeper cannot run; cannot open the door"):
        _until(supervisor, lambda: False)


def test_exit_code_70_is_started_again(tmp_path: Path) -> None:
    """A worker that cannot go on ends with 70, so that somebody starts it again."""
    with Supervisor([_program(tmp_path, "raise SystemExit(70)")]) as supervisor:
        _until(supervisor, lambda: supervisor.restarts == 1)
        assert supervisor.restarts == 1


def test_stop_ends_those_that_do_not_listen(tmp_path: Path) -> None:
    """SIGTERM first, SIGKILL for whoever ignores it; no process is left."""
    with Supervisor([_program(tmp_path, STUBBORN)], patience_seconds=0.3) as supervisor:
        _until(supervisor, lambda: "deaf" in (tmp_path / "log").read_text())
        pid = supervisor.pids[0]
    assert not _alive(pid)
