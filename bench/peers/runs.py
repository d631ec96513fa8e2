"""Starts a peer on a topic and reads the one JSON line it prints at its end.

A peer times itself, from its first event to its last; the CPU of the whole process is taken from outside.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.process import Measured
from bench.result import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.load import Loaded

_HERE: Final = Path(__file__).parent
_STREAMS: Final = _HERE / "kafka-streams"
_LIMIT_SECONDS: Final = 120.0


def faust_stock(bootstrap: str, loaded: Loaded) -> Run:
    """Run stock Faust over a topic."""
    command = [sys.executable, str(_HERE / "faust_stock.py")]
    return _run("Faust stock, Record + Table", command, bootstrap, loaded)


def kafka_streams(bootstrap: str, loaded: Loaded, guarantee: str = "at_least_once", *options: str) -> Run:
    """Run Kafka Streams with an in-memory store and changelog over a topic.

    Args:
        bootstrap: the broker's `host:port`.
        loaded: what the topic holds.
        guarantee: `at_least_once` (its default) or `exactly_once_v2`.
        options: further arguments of the Java program, for example `--serde`, `binary`.
    """
    build_streams()
    classes = f"{_STREAMS / 'target' / 'peer.jar'}:{_STREAMS / 'target' / 'libs'}/*"
    command = ["java", "-Xmx1g", "-cp", classes, "peer.Main", "--guarantee", guarantee, *options]
    words = " ".join((guarantee.replace("_", " "), *options[1::2]))
    return _run(f"Kafka Streams, in memory, {words}", command, bootstrap, loaded)


def build_streams() -> None:
    """Build the Java peer when its sources are newer than its jar."""
    jar = _STREAMS / "target" / "peer.jar"
    sources = [_STREAMS / "pom.xml", *(_STREAMS / "src").rglob("*.java")]
    if jar.exists() and jar.stat().st_mtime >= max(path.stat().st_mtime for path in sources):
        return
    maven = shutil.which("mvn")
    if maven is None:
        raise SystemExit("cannot build the Kafka Streams peer; Maven (mvn) is not installed; install Maven and Java 17")
    subprocess.run([maven, "-q", "-B", "package"], cwd=_STREAMS, check=True)


def _run(name: str, command: Sequence[str], bootstrap: str, loaded: Loaded) -> Run:
    state = tempfile.mkdtemp(prefix="contact-stream-peer-")
    given = ["--bootstrap", bootstrap, "--topic", loaded.topic, "--app", f"peer-{uuid.uuid4().hex[:8]}"]
    try:
        with Measured([*command, *given, "--state", state]) as process:
            line = _result(process)
            peak = process.peak_mb
    finally:
        shutil.rmtree(state, ignore_errors=True)
    return Run(
        name=name,
        events=line["events"],
        wall_seconds=line["wall_seconds"],
        cpu_seconds=line["cpu_seconds"],
        warm_events=line.get("warm_events", 0),
        warm_cpu_seconds=line.get("warm_cpu_seconds", 0.0),
        process_cpu_seconds=process.cpu,
        peak_mb=peak,
        exact=line["queues"] == loaded.figures,
    )


def _result(process: Measured) -> dict[str, Any]:
    """Wait for the JSON line, then for the end of the process."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_LIMIT_SECONDS)
    for line in reversed(process.output().splitlines()):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    late = "did not end in time" if time.monotonic() > deadline else "ended without a result"
    raise SystemExit(f"a peer {late}; its last words:\n{process.output()[-2000:]}")
