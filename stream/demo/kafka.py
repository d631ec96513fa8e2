"""A real Apache Kafka in one process of its own, for the demo, development and tests.

KRaft mode on free loopback ports with a data folder that is deleted afterwards, also when the process that started
it is killed: a small watcher holds the reading end of a pipe whose other end dies with us. Never for real use:
one node, one copy of everything. Source: 5-operating 5.2.
"""

from __future__ import annotations

import base64
import contextlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from stream.core.trouble import Trouble
from stream.demo.artifacts import KAFKA_VERSION, fetch_kafka

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST_JAVA: Final = 17
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 15.0
_PORT_ATTEMPTS: Final = 3
_JVM: Final = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_WATCHER: Final = 'read -r _; kill -9 "$1" 2>/dev/null; sleep 0.2; rm -rf -- "$2"'
_SERVER: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=2097152
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
"""
_LOGGING: Final = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """What the embedded broker needs to know.

    Attributes:
        cache: folder for Kafka's jars, kept between runs.
        java: Java's command or path, version 17 or later.
        maven: Maven's command or path; needed on first use only.
        properties: further or other broker settings by Kafka's names.
    """

    cache: Path
    java: str = "java"
    maven: str = "mvn"
    properties: dict[str, str] = field(default_factory=dict)


class EmbeddedKafka:
    """One broker: `start`, use `bootstrap_servers`, `stop`; for fault tests `kill`, `restart`, `freeze`, `thaw`."""

    def __init__(self, settings: KafkaSettings, report: Callable[[str], None] = lambda _line: None) -> None:
        """Remember how to start; nothing runs yet.

        Args:
            settings: where Java, Maven and the cache are.
            report: called with lines of progress for a person.
        """
        self._settings = settings
        self._report = report
        self._folder: Path | None = None
        self._jars = Path()
        self._ports = (0, 0)
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """`127.0.0.1:<port>`; meaningful after `start`."""
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def pid(self) -> int | None:
        """The broker's process id; None while it is down."""
        return self._process.pid if self._process is not None else None

    def __enter__(self) -> Self:
        """Start the broker."""
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop the broker and delete its data."""
        self.stop()

    def start(self) -> None:
        """Fetch, format and start; return once a Metadata request is answered.

        Raises:
            Trouble: no Java, Java too old, no Maven, or the broker did not come up.
        """
        check_java(self._settings.java)
        self._jars = fetch_kafka(self._settings.cache, maven=self._settings.maven, report=self._report)
        self._report(f"starting Apache Kafka {KAFKA_VERSION}")
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._folder = Path(tempfile.mkdtemp(prefix="contact-stream-kafka-"))
            try:
                self._ports = _free_ports()
                self._format(self._folder)
                self._launch(self._folder)
            except BaseException as error:
                taken = isinstance(error, Trouble) and "Address already in use" in error.detail
                self.stop()
                if taken and attempt < _PORT_ATTEMPTS:
                    continue
                raise
            return

    def stop(self) -> None:
        """End the broker and delete its data; harmless when it is not running."""
        if self._process is not None:
            self.thaw()
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
            self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def kill(self) -> None:
        """End the broker with SIGKILL, as a power cut would; its data stays for `restart`."""
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Start again on the same ports and data, killing the broker first when it still runs.

        Raises:
            Trouble: it was never started, or did not come up.
        """
        self.kill()
        if self._folder is None:
            raise Trouble("cannot restart the embedded Kafka", "it was never started", "call start first")
        self._launch(self._folder)

    def freeze(self) -> None:
        """Stop the broker's clock and threads (SIGSTOP), connections stay open."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen broker go on; harmless when it is not frozen."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _java(self, *arguments: str) -> list[str]:
        return [self._settings.java, *_JVM, "-cp", f"{self._jars}/*", *arguments]

    def _format(self, folder: Path) -> None:
        logs = folder / "logs"
        lines = _SERVER.format(port=self._ports[0], controller=self._ports[1], logs=logs)
        lines += "".join(f"{name}={value}\n" for name, value in self._settings.properties.items())
        (folder / "server.properties").write_text(lines, encoding="utf-8")
        (folder / "log4j2.properties").write_text(_LOGGING, encoding="utf-8")
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")
        tool = self._java("kafka.tools.StorageTool", "format", "--standalone", "--cluster-id", cluster)
        done = subprocess.run(
            [*tool, "--config", str(folder / "server.properties")], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Trouble("cannot format the embedded Kafka's data folder", _last_line(done.stderr or done.stdout))

    def _launch(self, folder: Path) -> None:
        log = folder / "kafka.log"
        logging = f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}"
        command = self._java(logging, "kafka.Kafka", str(folder / "server.properties"))
        with log.open("ab") as output:
            # A session of its own: Ctrl-C in the terminal is for us, who then stop it in order.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHER, "watcher", str(self._process.pid), str(folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not answers_metadata("127.0.0.1", self._ports[0]):
            if self._process.poll() is not None or time.monotonic() > deadline:
                detail = _complaint(log)
                self.kill()
                raise Trouble("cannot start the embedded Kafka", detail, f"free memory, then read {log}")
            time.sleep(0.05)


def check_java(java: str) -> None:
    """Make sure that Java is there and new enough.

    Raises:
        Trouble: it is missing, does not run or is older than 17.
    """
    attempted = "cannot start the embedded Kafka"
    hint = f"install Java {OLDEST_JAVA} or later, or set KAFKA_BOOTSTRAP_SERVERS to a running Kafka"
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise Trouble(attempted, f"Java ({java}) is not installed", hint) from error
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    if done.returncode != 0 or found is None:
        raise Trouble(attempted, f"{java} -version failed: {_last_line(done.stderr)}", hint)
    if int(found[1]) < OLDEST_JAVA:
        raise Trouble(attempted, f"Java is version {found[1]}", hint)


def answers_metadata(host: str, port: int, *, timeout_seconds: float = 2.0) -> bool:
    """Ask for Kafka's Metadata (version 7) over a bare socket; True once a live broker is listed in the answer.

    Bare, because the client libraries each have one home and this is not it.
    """
    client = b"contact-stream"
    body = struct.pack(f">hhih{len(client)}sib", 3, 7, 1, len(client), client, 0, 0)
    try:
        with socket.create_connection((host, port), timeout=timeout_seconds) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            with connection.makefile("rb") as answer:
                head = answer.read(16)
    except OSError:
        return False
    if len(head) < struct.calcsize(">iiii"):
        return False
    _size, correlation, _throttle, brokers = struct.unpack(">iiii", head)
    return bool(correlation == 1 and brokers >= 1)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "no message"


def _complaint(log: Path) -> str:
    """Pick the line that says most: the last cause, else the last line."""
    text = log.read_text(encoding="utf-8", errors="replace")
    causes = [line for line in text.splitlines() if "Exception" in line and not line.startswith("\t")]
    return _last_line("\n".join(causes) or text)
