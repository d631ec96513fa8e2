"""Shows everything at work: a real Kafka, two workers, a simulated contact centre, figures as they happen.

Without `KAFKA_BOOTSTRAP_SERVERS` an embedded Kafka is started. An hour of the centre's life goes in at once, then
it lives in real time. Ctrl-C ends every process that was started and leaves no data behind. On every page it reads
the demo checks that the cohorts of first contact resolution add up. With `DEMO_SECONDS` it ends by itself: the centre
is stopped where it stands, the workers drain, and every figure on their metrics pages is compared with the
simulator's truth.
"""

import contextlib
import os
import shutil
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import stream.demo
from stream.admin import topics
from stream.admin.producer import EventProducer
from stream.cli.errors import DONE, FAILED
from stream.cli.simulate import KafkaSink, now_ms, until_told
from stream.core.trouble import Trouble
from stream.demo.centre.simulator import TOPICS, Simulator
from stream.demo.centre.world import stamp
from stream.demo.comparison import Comparison, compare
from stream.demo.disturbance import Disturber
from stream.demo.drive import Drive
from stream.demo.equations import broken
from stream.demo.kafka import EmbeddedKafka
from stream.demo.pacing import Pace
from stream.demo.scenario import HOUR_MS, SCENARIOS
from stream.demo.scrape import Figures, fetch
from stream.demo.screen import Flow, summary, table
from stream.demo.supervisor import Program, Supervisor

if TYPE_CHECKING:
    import argparse

    from stream.cli.settings import Settings
    from stream.core.topics import Layout
    from stream.wire.broker import Broker

POLICIES: Final = Path(stream.demo.__path__[0])
"""Where the policies of the simulated centre are."""
WORKERS: Final = 2
_SCALE: Final = 10.0
_HEARTBEAT_MS: Final = 30_000
_TICK_S: Final = 0.1
_LINE_S: Final = 3.0
_READY_S: Final = 90.0
_DRAIN_S: Final = 90.0


def add_arguments(parser: "argparse.ArgumentParser") -> None:
    """Declare the options of `demo`."""
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="monday-morning", help="(monday-morning)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same callers (1)")
    parser.add_argument("--scale", type=float, default=_SCALE, metavar="X", help="size of the centre (10)")


def run(options: "argparse.Namespace", settings: "Settings") -> int:
    """Run the demo; 1 when a figure differed from the truth."""
    given = settings.given("KAFKA_BOOTSTRAP_SERVERS")
    embedded, broker, layout = settings.kafka(), settings.broker(), settings.layout()
    seconds = settings.integer("DEMO_SECONDS")
    settings.check()
    with contextlib.ExitStack() as stack:
        if given:
            name = f"contact-demo-{uuid.uuid4().hex[:8]}"
            layout = replace(layout, prefix=f"{name}.", app_id=name)
        else:
            kafka = stack.enter_context(EmbeddedKafka(embedded, _say))
            broker = replace(broker, bootstrap_servers=kafka.bootstrap_servers)
        told = stack.enter_context(until_told())
        topics.create(broker, layout)
        if given:
            stack.callback(topics.delete, broker, layout)
        folder = Path(tempfile.mkdtemp(prefix="contact-stream-demo-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        ports = free_ports(WORKERS)
        policy = POLICIES / SCENARIOS[options.scenario].policy
        programs = worker_programs(broker, layout, ports, folder, ("--policy", str(policy), *_config(options)))
        supervisor = stack.enter_context(Supervisor(programs, _say))
        producer = stack.enter_context(EventProducer(broker))
        drive = _drive(options, producer, layout.prefix)
        ordered = SCENARIOS[options.scenario].disturbance.disorder_ms == 0
        return Show(drive, supervisor, ports, layout.partitions, ordered).run(told, seconds)


def _config(options: "argparse.Namespace") -> tuple[str, ...]:
    """The properties file given to this command, for the workers."""
    return () if options.command_config is None else ("--command-config", str(options.command_config))


def _drive(options: "argparse.Namespace", producer: EventProducer, prefix: str) -> Drive:
    """A centre that begins an hour ago."""
    scenario = SCENARIOS[options.scenario].scaled(options.scale)
    simulator = Simulator(scenario, options.seed, now_ms() - HOUR_MS, _HEARTBEAT_MS)
    disturber = Disturber(scenario.disturbance, options.seed, beats=TOPICS)
    return Drive(simulator, disturber, KafkaSink(producer, prefix))


def worker_programs(
    broker: "Broker", layout: "Layout", ports: Sequence[int], folder: Path, options: Sequence[str]
) -> list[Program]:
    """Return one worker for each port.

    Args:
        broker: bootstrap servers are passed on; everything else about it comes by the environment or `options`.
        layout: which topics.
        ports: of the metrics pages.
        folder: for the workers' logs.
        options: of the workers, beside those that follow from the other arguments.
    """
    environment = dict(os.environ)
    environment.pop("DEMO_SECONDS", None)
    command = [sys.executable, "-m", "stream.cli", "worker", "--bootstrap-server", broker.bootstrap_servers]
    command += ["--prefix", layout.prefix, "--app-id", layout.app_id, *options]
    return [
        Program(f"worker {number}", (*command, "--web-port", str(port)), environment, folder / f"worker-{number}.log")
        for number, port in enumerate(ports, start=1)
    ]


@dataclass(slots=True)
class Show:
    """The running demo: the centre, the workers, and what is on the terminal.

    Attributes:
        drive: the centre.
        supervisor: of the workers.
        ports: of their metrics pages.
        partitions: of every topic.
        ordered: whether the events of each contact come in order.
        checked: pages on which the cohorts were added up.
        wrong: what did not add up, and did not a moment later.
    """

    drive: Drive
    supervisor: Supervisor
    ports: Sequence[int]
    partitions: int
    ordered: bool
    checked: int = 0
    wrong: list[str] = field(default_factory=list)

    def run(self, told: Callable[[], bool], seconds: int | None) -> int:
        """Live until told to end, or for `seconds` and then compare."""
        _say("an hour of the contact centre goes in at once, then it lives in real time")
        for number, (pid, port) in enumerate(zip(self.supervisor.pids, self.ports, strict=True), start=1):
            _say(f"worker {number}: process {pid}, http://127.0.0.1:{port}/metrics")
        targets = ", ".join(f'"127.0.0.1:{port}"' for port in self.ports)
        _say(
            f"Prometheus, rules and alerts: in a copy beside deploy/prometheus/prometheus.yml say targets: [{targets}]"
        )
        simulator = self.drive.simulator
        pace = Pace(now_ms(), now_ms(), 1.0)
        self.drive.advance_to(pace.begun_at)
        self._await_workers(told, pace)
        ends = None if seconds is None else time.monotonic() + seconds
        self._live(told, pace, ends)
        if told():
            _say("ending every process, deleting all data")
            return DONE
        self.drive.stop()
        _say(f"the centre stands still at {stamp(simulator.now)}: {simulator.contacts:,} contacts; the workers go on")
        return self._verify(told)

    def _await_workers(self, told: Callable[[], bool], pace: Pace) -> None:
        """Let the centre live while the workers start."""
        deadline = time.monotonic() + _READY_S
        while not told() and not all(fetch(port, "/-/ready") for port in self.ports):
            if time.monotonic() > deadline:
                detail = f"not ready after {_READY_S:.0f} s"
                raise Trouble("cannot start the workers", detail, "is the machine overloaded?")
            self._tick(pace)

    def _live(self, told: Callable[[], bool], pace: Pace, ends: float | None) -> None:
        """Real time, with a line every few seconds."""
        shown, counted = time.monotonic(), self._records(self._figures())
        while not told() and (ends is None or time.monotonic() < ends):
            self._tick(pace)
            now = time.monotonic()
            if now - shown >= _LINE_S:
                pages = self._pages()
                self._add_up(pages)
                figures = Figures(pages.values())
                total = self._records(figures)
                rate = None if total is None or counted is None else (total - counted) / (now - shown)
                _say(summary(figures, Flow(stamp(self.drive.simulator.now), len(pages), self.partitions, rate)))
                shown, counted = now, total

    def _tick(self, pace: Pace) -> None:
        self.supervisor.watch()
        self.drive.advance_to(pace.simulated(now_ms()))
        time.sleep(_TICK_S)

    def _records(self, figures: Figures) -> float | None:
        """Records counted so far; None while a shard is on its way to another worker."""
        return figures.total("contact_stream_records_total") if figures.shards >= self.partitions else None

    def _pages(self) -> dict[int, str]:
        """The metrics page of every worker that answers, by port."""
        return {port: page for port in self.ports if (page := fetch(port)) is not None}

    def _figures(self) -> Figures:
        return Figures(self._pages().values())

    def _add_up(self, pages: dict[int, str]) -> None:
        """Add up the cohorts of every page; one that a commit cut in two is read again."""
        for port, page in pages.items():
            self.checked += 1
            if broken(Figures([page])) and (again := fetch(port)) is not None:
                self.wrong += broken(Figures([again]))

    def _compare(self, figures: Figures) -> Comparison:
        """Hold the pages against the truth as of the settlement watermark they show."""
        settled = figures.watermark(stage=2, count=self.partitions)
        return compare(self.drive.simulator.truth, figures, settled or 0, ordered=self.ordered)

    def _verify(self, told: Callable[[], bool]) -> int:
        """Wait until every record is counted and every case decided, then compare."""
        expected = self.drive.delivered.results(self.partitions)
        deadline = time.monotonic() + _DRAIN_S
        figures = self._figures()
        while sum(_results(figures).values()) != sum(expected.values()) and time.monotonic() < deadline:
            if told():
                return DONE
            self.supervisor.watch()
            time.sleep(_TICK_S)
            figures = self._figures()
        comparison = self._compare(figures)
        while comparison.differences and time.monotonic() < deadline and not told():
            self.supervisor.watch()
            time.sleep(_TICK_S)
            figures = self._figures()
            comparison = self._compare(figures)
        self._add_up(self._pages())
        counted = _results(figures)
        print(f"\n{table(figures, comparison)}")
        text = ", ".join(f"{counted[result]:,} of {number:,} {result}" for result, number in expected.items())
        print(f"records: {text}; workers started again: {self.supervisor.restarts}")
        print(
            "\n".join((f"cohorts added up on {self.checked} pages: {len(self.wrong)} wrong", *self.wrong)), flush=True
        )
        return FAILED if comparison.differences or counted != expected or self.wrong else DONE


def _results(figures: Figures) -> dict[str, int]:
    """Records counted so far, by result."""
    results = ("applied", "duplicate", "rejected")
    return {result: round(figures.total("contact_stream_records_total", result=result)) for result in results}


def free_ports(count: int) -> list[int]:
    """Return loopback ports that are free now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _say(line: str) -> None:
    print(line, flush=True)
