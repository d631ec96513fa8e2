"""The embedded broker: a real one comes up, survives a kill, and never outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.core.trouble import Trouble
from stream.demo.artifacts import KAFKA_VERSION, fetch_kafka
from stream.demo.kafka import answers_metadata, check_java

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.demo.kafka import EmbeddedKafka, KafkaSettings

OWNER = """
import sys, time
from pathlib import Path
from stream.demo.kafka import EmbeddedKafka, KafkaSettings
kafka = EmbeddedKafka(KafkaSettings(cache=Path(sys.argv[1])))
kafka.start()
print(kafka.pid, kafka.bootstrap_servers, flush=True)
time.sleep(600)
"""


def script(folder: Path, name: str, text: str) -> str:
    """Write a small program that stands in for another one, and return its path."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def waited_for(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Return whether something becomes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def answering(kafka: EmbeddedKafka) -> bool:
    """Return whether the broker answers a Metadata request."""
    host, port = kafka.bootstrap_servers.split(":")
    return answers_metadata(host, int(port), timeout_seconds=0.5)


def alive(pid: int) -> bool:
    """Return whether a process runs (a dead child nobody has collected does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_broker_comes_back_on_its_ports(own_kafka: EmbeddedKafka) -> None:
    """Kill, restart, freeze, thaw and stop do what their names say; the address never changes."""
    address = own_kafka.bootstrap_servers
    own_kafka.kill()
    assert own_kafka.pid is None
    assert not answering(own_kafka)
    own_kafka.restart()
    assert own_kafka.bootstrap_servers == address
    assert answering(own_kafka)
    own_kafka.freeze()
    assert not answering(own_kafka)
    own_kafka.thaw()
    assert waited_for(lambda: answering(own_kafka))


def test_a_broker_dies_with_its_owner(kafka_settings: KafkaSettings, kafka: str) -> None:
    """After kill -9 of the process that started it, neither the broker nor its data is left."""
    assert kafka, "the shared broker has seen to it that the jars are there"
    before = set(Path("/tmp").glob("contact-stream-kafka-*"))  # noqa: S108  where tempfile puts it
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(kafka_settings.cache)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    with owner:
        pid = int(owner.stdout.readline().split()[0])
        made = set(Path("/tmp").glob("contact-stream-kafka-*")) - before  # noqa: S108  the same
        assert alive(pid)
        owner.send_signal(signal.SIGKILL)
    assert waited_for(lambda: not alive(pid))
    assert waited_for(lambda: not any(folder.exists() for folder in made))


def test_no_java_is_one_message() -> None:
    """It names the command tried and both ways out."""
    with pytest.raises(Trouble, match=r"Java \(no-such-java\) is not installed; install Java 17 .*KAFKA_BOOTSTRAP"):
        check_java("no-such-java")


def test_an_old_java_is_refused(tmp_path: Path) -> None:
    """Both ways of writing a version are understood."""
    for version, shown in (('"11.0.22" 2024-01-16', "11"), ('"1.8.0_392"', "8")):
        java = script(tmp_path, "java", f"echo 'openjdk version {version}' >&2")
        with pytest.raises(Trouble, match=rf"Java is version {shown}; install Java 17"):
            check_java(java)
    check_java(script(tmp_path, "java", "echo 'openjdk version \"21\" 2023-09-19' >&2"))


def test_no_maven_is_one_message(tmp_path: Path) -> None:
    """Only needed while the cache is empty, and said so."""
    with pytest.raises(Trouble, match=r"Maven \(no-such-mvn\) is not installed; install Maven"):
        fetch_kafka(tmp_path, maven="no-such-mvn", report=print)
    (tmp_path / f"kafka-{KAFKA_VERSION}").mkdir()
    assert fetch_kafka(tmp_path, maven="no-such-mvn", report=print).is_dir()


def test_a_failed_fetch_leaves_nothing_behind(tmp_path: Path) -> None:
    """Maven's first complaint is the message; the next try begins anew."""
    maven = script(tmp_path, "mvn", "echo '[ERROR] Could not resolve it'; echo '[ERROR] more'; exit 1")
    with pytest.raises(Trouble, match="Could not resolve it"):
        fetch_kafka(tmp_path / "cache", maven=maven, report=print)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["kafka.lock"]


def test_two_at_once_fetch_once(tmp_path: Path) -> None:
    """One fetches, the others wait for it, and all get the finished folder."""
    fetch = 'for a; do case "$a" in -DoutputDirectory=*) d="${a#*=}";; esac; done; echo x >> "$0.calls"; '
    maven = script(tmp_path, "mvn", f'{fetch} sleep 0.3; mkdir -p "$d"; touch "$d/kafka_2.13-{KAFKA_VERSION}.jar"')
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: fetch_kafka(tmp_path / "cache", maven=maven, report=print), range(4)))
    assert {folder.name for folder in found} == {f"kafka-{KAFKA_VERSION}"}
    assert (tmp_path / "mvn.calls").read_text(encoding="utf-8") == "x\n"
