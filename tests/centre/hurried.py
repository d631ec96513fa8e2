"""A contact centre whose clock runs `FACTOR` times as fast, so that an hour of alerting takes less than a minute.

Nothing is left out: events stand in Kafka with the times they would have at that pace, the policy's durations and every
duration of the shipped rules and alerts are divided by the same number, and everything between is the product. What is
about the program itself (`alerts/pipeline.yml`) keeps its durations, for the program does not run faster.
"""

from __future__ import annotations

import re
import shutil
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from stream.core.policy import Policy
from stream.demo.centre.simulator import TOPICS, Simulator
from stream.demo.centre.world import stamp
from stream.demo.disturbance import Disturber
from stream.demo.drive import Drive
from stream.demo.scenario import SCENARIOS
from stream.wire.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.demo.disturbance import Delivery
    from stream.demo.drive import Sink
    from stream.demo.scenario import Scenario

FACTOR: Final = 75
"""Seconds of the centre in one second of the clock on the wall."""
IDLE_AFTER: Final = "never"
SIMULATED_START: Final = 1_760_000_000_000
"""When the centre thinks it begins, ms since the epoch: with the seed it decides everything that happens there."""
HEARTBEAT_MS: Final = 30_000
SCRAPE_MS: Final = 500
"""Not hurried as much as the rest: a scrape must be done within its interval, and takes what it takes."""
_TICK_S: Final = 0.05
_UNIT_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(
    r"(?P<before>\[|\boffset |\bfor: |\bkeep_firing_for: |\binterval: |_interval: )"
    r"(?P<number>\d+)(?P<unit>ms|[smhdw])\b"
)
_MINUTES = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?) \* 60(?!\d)")


def hurry(text: str, factor: int = FACTOR) -> str:
    """A rule file or a configuration at another pace: durations and minutes divided, every other byte as it is."""

    def shorter(found: re.Match[str]) -> str:
        ms = int(found["number"]) * _UNIT_MS[found["unit"]]
        return f"{found['before']}{ms // factor}ms"

    return _MINUTES.sub(lambda found: f"{float(found[1]) / factor:.6f} * 60", _DURATION.sub(shorter, text))


def without_durations(text: str) -> str:
    """What must be the same at every pace."""
    return _MINUTES.sub("minutes", _DURATION.sub(r"\g<before>duration", text))


def hurried_copy(shipped: Path, to: Path) -> Path:
    """A copy of the shipped folder at our pace."""
    shutil.copytree(shipped, to)
    for path in to.rglob("*.yml"):
        if path.name != "alertmanager.yml" and path != to / "alerts" / "pipeline.yml":
            path.write_text(hurry(path.read_text()))
    configuration = to / "prometheus.yml"
    text, found = re.subn(r"scrape_interval: \w+", f"scrape_interval: {SCRAPE_MS}ms", configuration.read_text())
    assert found == 1
    configuration.write_text(text)
    return to


def hurried_policy(scenario: Scenario) -> str:
    """The names of a scenario and the shipped durations at our pace; cases keep theirs, for no alert is about them."""
    own = Policy()
    lines = [
        f"short_abandon_ms = {own.short_abandon_ms // FACTOR}",
        f"disorder_ms = {own.disorder_ms // FACTOR}",
        f"callback_expires_ms = {own.callback_expires_ms // FACTOR}",
    ]
    for name, channel in own.channels.items():
        lines += [
            f"[channels.{name}]",
            f"timeout_ms = {channel.timeout_ms // FACTOR}",
            f"target_ms = {channel.target_ms // FACTOR}",
            f"response_target_ms = {channel.response_target_ms // FACTOR}",
        ]
    lines += [f'[queues.{name}]\nchannels = ["voice", "chat", "email"]' for name in scenario.queues]
    return "\n".join([*lines, "[steps]", 'menu = ["main", "billing", "support"]', ""])


class HurriedSink:
    """Hands deliveries on with the times they have at our pace."""

    def __init__(self, sink: Sink, start: int) -> None:
        """What the centre says happens at `SIMULATED_START` happens at ``start``, ms since the epoch."""
        self._sink = sink
        self._start = start

    def deliver(self, delivery: Delivery) -> None:
        """Hand one on."""
        event = delivery.event
        self._sink.deliver(delivery if event is None else delivery._replace(event=self._sooner(event)))

    def flush(self) -> None:
        """Wait until everything is where it shall be."""
        self._sink.flush()

    def _sooner(self, event: dict[str, Any]) -> dict[str, Any]:
        at = self._start + (parse_time(event["occurred_at"]) - SIMULATED_START) // FACTOR
        lengths = {name: value // FACTOR for name, value in event.items() if name.endswith("_ms")}
        return {**event, **lengths, "occurred_at": stamp(at)}


class HurriedCentre:
    """A simulated centre that lives at our pace, from now on.

    Attributes:
        start: when it began by the clock on the wall, ms since the epoch.
    """

    def __init__(self, scenario: str, sink: Sink, seed: int) -> None:
        """Open it."""
        self.start = time.time_ns() // 1_000_000
        self._simulator = Simulator(SCENARIOS[scenario], seed, SIMULATED_START, HEARTBEAT_MS)
        disturber = Disturber(SCENARIOS[scenario].disturbance, seed, beats=TOPICS)
        self._drive = Drive(self._simulator, disturber, HurriedSink(sink, self.start))

    def minute(self, at: float) -> float:
        """Which minute of the centre it is ``at`` a moment, s since the epoch."""
        return (at * 1000 - self.start) * FACTOR / 60_000

    def lost(self) -> dict[str, float]:
        """In truth, by queue: the share of all visits so far in which the caller gave up, short waits left out."""
        ended: Counter[str] = Counter()
        given_up: Counter[str] = Counter()
        for (family, *labels), number in self._simulator.truth.raw().items():
            if family == "contact_visits_total" and labels[2] != "abandoned_short":
                ended[labels[1]] += number
                given_up[labels[1]] += number if labels[2] in {"abandoned", "exited"} else 0
        return {queue: given_up[queue] / number for queue, number in ended.items() if number}

    def live(self, minutes: float) -> Iterator[float]:
        """Let it live until a minute; every half second of the wall's clock, which minute it is."""
        said = 0.0
        while (minute := self.minute(time.time())) < minutes:
            self._drive.advance_to(SIMULATED_START + round(minute * 60_000))
            if time.monotonic() - said >= 0.5:
                said = time.monotonic()
                yield minute
            time.sleep(_TICK_S)
        self._drive.stop()
