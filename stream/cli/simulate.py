"""Simulates a contact centre: seeded calls, chats, tickets and surveys to Kafka or a file, and the truth they make.

    --events N          history at full rate: contacts begin until N events are said, then the open ones end
    --speed X           real time: begins in the past and runs X times as fast until it has caught up, then live
    neither             live, from now on

Ctrl-C, SIGTERM and `--duration` end a run in real time where it stands, contacts open or not; the truth is exact
either way. History fed to a live worker needs its idle rule off (1-events 1.5): the heartbeats move time on.
"""

import argparse
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stream.admin.producer import EventProducer, Outgoing
from stream.cli.memory import calm_collector
from stream.cli.settings import add_option
from stream.core.topics import topic_name
from stream.core.trouble import Trouble
from stream.demo.centre.simulator import TOPICS, Simulator
from stream.demo.disturbance import Disturber
from stream.demo.drive import Drive, Sink
from stream.demo.lines import LineSink
from stream.demo.pacing import Pace
from stream.demo.scenario import HOUR_MS, SCENARIOS, Disturbance, Scenario
from stream.demo.truth.statement import RunName, statement
from stream.wire.json import dumps

if TYPE_CHECKING:
    from stream.cli.settings import Settings
    from stream.demo.disturbance import Delivery

_A_MONDAY_MS: Final = 1_740_960_000_000
"""3 March 2025 00:00 UTC: history begins in that week at the scenario's hour, unless `--start` says otherwise."""
_HISTORY_HEARTBEAT_S: Final = 900.0
_LIVE_HEARTBEAT_S: Final = 10.0
_CHUNK: Final = 2_000
_TICK_S: Final = 0.1


def now_ms() -> int:
    """Return the clock on the wall, ms since the epoch."""
    return time.time_ns() // 1_000_000


class KafkaSink:
    """Writes deliveries to Kafka, keyed as 1-events 1.2 says; `source.*` events to every partition."""

    def __init__(self, producer: EventProducer, prefix: str) -> None:
        """Write through `producer` to the topics under `prefix`."""
        self._producer = producer
        self._prefix = prefix

    def deliver(self, delivery: "Delivery") -> None:
        """Hand one delivery to the producer."""
        value = delivery.value if delivery.event is None else dumps(delivery.event)
        record = Outgoing(topic_name(self._prefix, delivery.topic), delivery.key, value)
        if delivery.everywhere:
            self._producer.send_everywhere(record)
        else:
            self._producer.send(record)

    def flush(self) -> None:
        """Wait until Kafka has everything.

        Raises:
            Trouble: a record was refused, so the truth would not hold.
        """
        refused = self._producer.flush()
        if refused:
            raise Trouble(
                f"cannot write to topic {refused[0].record.topic}", f"{len(refused)} records: {refused[0].reason}"
            )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `simulate`."""
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="calm", help="which contact centre (calm)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same world (1)")
    parser.add_argument("--scale", type=_positive, default=1.0, metavar="X", help="size of the centre (1)")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--events", type=int, metavar="N", help="history at full rate, about N events")
    amount.add_argument("--speed", type=_speed, metavar="X", help="real time, X times as fast until caught up")
    parser.add_argument("--duration", type=_positive, metavar="S", help="end a run in real time after S seconds")
    parser.add_argument("--start", type=_time, metavar="TIME", help="simulated time of the beginning, ISO 8601")
    parser.add_argument("--duplicates", type=_share, metavar="SHARE", help="share of events delivered twice, 0 to 1")
    parser.add_argument("--disorder", type=_hours, metavar="H", help="delivered up to H hours late")
    parser.add_argument("--poison", type=int, metavar="N", help="N records that must be rejected")
    parser.add_argument(
        "--heartbeat", type=_positive, metavar="S", help="simulated seconds between heartbeats (10; 900)"
    )
    parser.add_argument(
        "--returns", type=_returns, metavar="H", help="who is not content comes back within H hours, 1 to 144 (3)"
    )
    parser.add_argument("--truth", type=Path, metavar="FILE", help="write the true figures there, as JSON")
    add_option(parser, "CONTACT_STREAM_PREFIX", "--prefix")
    parser.add_argument("--file", metavar="FILE", help="JSON lines to FILE, - = standard output, instead of Kafka")


@dataclass(frozen=True, slots=True)
class Plan:
    """A run as the options describe it.

    Attributes:
        scenario: scaled, with the disturbance asked for.
        run: its name.
        events: history of about so many events; None = real time.
        speed: simulated seconds per real one until caught up.
        duration_seconds: real seconds after which a run in real time ends; None = when told.
        heartbeat_ms: simulated ms between heartbeats.
    """

    scenario: Scenario
    run: RunName
    events: int | None
    speed: float
    duration_seconds: float | None
    heartbeat_ms: int

    def drive(self, sink: Sink) -> Drive:
        """Put the run together; nothing has happened yet."""
        seed, scenario = self.run.seed, self.scenario
        simulator = Simulator(scenario, seed, self.run.start, self.heartbeat_ms)
        disturber = Disturber(scenario.disturbance, seed, self.events or 1_000, TOPICS)
        return Drive(simulator, disturber, sink)


def plan(options: argparse.Namespace, now: int) -> Plan:
    """Read the options.

    Args:
        options: as declared by `add_arguments`.
        now: real time, ms since the epoch.
    """
    scenario = SCENARIOS[options.scenario]
    begins_ms = scenario.begins_ms
    scenario = replace(scenario.scaled(options.scale), disturbance=_disturbance(scenario.disturbance, options))
    if options.returns is not None:
        scenario = scenario.returning(options.returns)
    live = options.events is None
    start = now if live else _A_MONDAY_MS + begins_ms
    if options.start is not None:
        start = options.start
    elif options.speed is not None and options.speed > 1:
        start = now - HOUR_MS
    if live and start > now:
        raise Trouble("cannot start the simulation in the future", f"--start is after {now}", exit_code=2)
    beat = options.heartbeat or (_LIVE_HEARTBEAT_S if live else _HISTORY_HEARTBEAT_S)
    name = RunName(options.scenario, options.seed, options.scale, start)
    return Plan(scenario, name, options.events, options.speed or 1.0, options.duration, round(beat * 1000))


def _disturbance(given: Disturbance, options: argparse.Namespace) -> Disturbance:
    """The scenario's own disturbance, with what the command line says laid over it."""
    said = {
        "duplicates": options.duplicates,
        "disorder_ms": options.disorder,
        "poison": options.poison,
    }
    return replace(given, **{name: value for name, value in said.items() if value is not None})


def run(options: argparse.Namespace, settings: "Settings") -> int:
    """Simulate until the history is complete or the run is told to end; 0 unless there was trouble."""
    calm_collector()
    what = plan(options, now_ms())
    with _open_sink(options.file, settings) as sink:
        drive = what.drive(sink)
        progress = Progress(what.events)
        if what.events is not None:
            _fill(drive, what.events, progress)
        else:
            _follow(drive, what, progress)
        drive.stop()
        progress.done(drive)
    if options.truth is not None:
        document = statement(what.run, drive.simulator, drive.delivered)
        options.truth.write_bytes(dumps(document, indent=True) + b"\n")
    return 0


@contextlib.contextmanager
def _open_sink(file: str | None, settings: "Settings") -> Iterator[Sink]:
    if file == "-":
        yield LineSink(sys.stdout.buffer)
        return
    if file is not None:
        with Path(file).open("wb") as target:
            yield LineSink(target)
        return
    broker, prefix = settings.broker(), settings.layout().prefix
    settings.check()
    with EventProducer(broker) as producer:
        yield KafkaSink(producer, prefix)


def _fill(drive: Drive, events: int, progress: "Progress") -> None:
    """History at full rate."""
    while drive.simulator.events < events:
        drive.advance_by(min(_CHUNK, events - drive.simulator.events))
        progress.show(drive)
    drive.complete()


def _follow(drive: Drive, what: Plan, progress: "Progress") -> None:
    """Real time, until told to end."""
    begun = now_ms()
    pace = Pace(begun, what.run.start, what.speed)
    ends = None if what.duration_seconds is None else begun + round(what.duration_seconds * 1000)
    with until_told() as told:
        while not told() and (ends is None or now_ms() < ends):
            drive.advance_to(pace.simulated(now_ms()))
            progress.show(drive)
            time.sleep(_TICK_S)


@contextlib.contextmanager
def until_told() -> Iterator[Callable[[], bool]]:
    """Turn SIGINT and SIGTERM into a question for the time of the block: have we been told to end?"""
    said: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, _frame: said.append(number)) for number in numbers]
    try:
        yield lambda: bool(said)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


class Progress:
    """Where the run is: a line that renews itself on a terminal, else a JSON line every 10 s; on standard error."""

    _TERMINAL_S: Final = 0.2
    _PLAIN_S: Final = 10.0

    def __init__(self, goal: int | None) -> None:
        """Begin to count; `goal` = events that will come, None = nobody knows."""
        self._goal = goal
        self._terminal = sys.stderr.isatty()
        self._begun = self._shown = time.monotonic()

    def show(self, drive: Drive) -> None:
        """Say where the run is, if it is time to say it."""
        interval = self._TERMINAL_S if self._terminal else self._PLAIN_S
        if time.monotonic() - self._shown >= interval:
            self._shown = time.monotonic()
            self._say(drive, "\r\x1b[K", "")

    def done(self, drive: Drive) -> None:
        """Say where the run ended."""
        self._say(drive, "\r\x1b[K", "\n")

    def _say(self, drive: Drive, before: str, after: str) -> None:
        simulator = drive.simulator
        seconds = max(0.001, time.monotonic() - self._begun)
        rate = round(simulator.events / seconds)
        if not self._terminal:
            facts = {"contacts": simulator.contacts, "events": simulator.events, "events_per_second": rate}
            print(dumps(facts | {"goal": self._goal, "simulated_ms": simulator.now}).decode(), file=sys.stderr)
            return
        goal = f" of {self._goal:,}" if self._goal else ""
        text = f"{simulator.contacts:,} contacts  {simulator.events:,}{goal} events  {rate:,}/s"
        print(f"{before}{text}", end=after, file=sys.stderr, flush=True)


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return number


def _speed(text: str) -> float:
    number = float(text)
    if not number >= 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, got {text}")
    return number


def _hours(text: str) -> int:
    number = float(text)
    if not 0 <= number <= 12:  # noqa: PLR2004 - half the default lateness, so that nothing is late
        raise argparse.ArgumentTypeError(f"expected 0 to 12 hours, got {text}")
    return round(number * HOUR_MS)


def _returns(text: str) -> int:
    number = float(text)
    if not 1 <= number <= 144:  # noqa: PLR2004 - a day less than the window, so that nobody comes back just at its end
        raise argparse.ArgumentTypeError(f"expected 1 to 144 hours, got {text}")
    return round(number * HOUR_MS)


def _time(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"expected a time with an offset such as 2026-03-02T08:00Z, got {text}")
    return round(moment.timestamp() * 1000)
