"""The simulated contact centre as a whole: events on one side, the truth on the other.

`Simulator` is a pure, seeded discrete-event simulation: the same scenario, seed and start give the same events,
byte for byte. Each `Moment` holds what happened at one instant; between two moments the truth is exact for
everything said so far, so the world may be left at any moment, with calls still open.

Never in this module: a clock, I/O, or anything of the program under test.

Source: 5-operating 5.3.
"""

from collections.abc import Generator, Iterator
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stream.demo.centre import life
from stream.demo.centre.agenda import Agenda
from stream.demo.centre.floor import Floor
from stream.demo.centre.world import SOURCES, Said, World, stamp
from stream.demo.scenario import DAY_MS, HOUR_MS
from stream.demo.truth.truth import Truth

if TYPE_CHECKING:
    from stream.demo.centre.world import Event
    from stream.demo.scenario import Scenario

TOPICS: Final = ("calls", "chats", "emails", "cases")
"""Short names of the topics that need a heartbeat: those a watermark waits for."""


class Moment(NamedTuple):
    """What was said at one instant: `at` in ms since the epoch, and at least one event."""

    at: int
    events: tuple[Said, ...]


class Simulator:
    """One run of one scenario.

    Attributes:
        truth: the figures of everything in the moments handed out so far.
        events: events handed out, heartbeats included.
        world: what everybody in it shares.
    """

    __slots__ = ("_agenda", "_seed", "events", "truth", "world")

    def __init__(self, scenario: "Scenario", seed: int, start: int, heartbeat_ms: int = 0) -> None:
        """Open the centre.

        Args:
            scenario: rates and habits.
            seed: any integer; part of every contact id.
            start: when it begins, ms since the epoch; the centre's local time is then `scenario.begins_ms`.
            heartbeat_ms: each exchange says `source.heartbeat` this often; 0 = never.
        """
        self.truth = Truth(scenario)
        self.events = 0
        self._seed = seed
        self._agenda = Agenda(start)
        self.world = World(self._agenda, Floor(self._agenda, scenario.queues), scenario, self.truth, seed)
        self._agenda.start(self.world.roster.work())
        if heartbeat_ms:
            self._agenda.start(self._beat(heartbeat_ms))
        self._agenda.start(self._arrive())

    @property
    def now(self) -> int:
        """Simulated time, ms since the epoch."""
        return self._agenda.now

    @property
    def contacts(self) -> int:
        """How many contacts have begun, by customers or by agents."""
        return self.world.contacts

    @property
    def next_at(self) -> int | None:
        """When the next thing happens at the earliest, ms since the epoch; None when the world is complete."""
        return self._agenda.next_at()

    def close_arrivals(self) -> None:
        """Take no more contacts; those that are open go on to their ends, and nothing else that was planned comes."""
        self.world.close()

    def step(self, until: int | None = None) -> Moment | None:
        """Let the world go on to the next moment.

        Args:
            until: go no further than this, ms since the epoch; None = as far as it takes.

        Returns:
            None when nothing more is said until then, or the world is complete.
        """
        world, agenda = self.world, self._agenda
        while (next_at := agenda.next_at()) is not None and (until is None or next_at <= until):
            agenda.step()
            if world.moment:
                events = tuple(world.moment)
                world.moment.clear()
                self.events += len(events)
                return Moment(agenda.now, events)
        return None

    def moments(self) -> Iterator[Moment]:
        """Return every moment until the world is complete, which needs `close_arrivals` some time."""
        while (moment := self.step()) is not None:
            yield moment

    def beat(self) -> Moment:
        """Say how late it is, once more: so every watermark comes to stand at the same time."""
        event = _heartbeat(SOURCES[0], self._agenda.now, "last")
        self.events += 1
        return Moment(self._agenda.now, (Said("", SOURCES[0], event),))

    def _arrive(self) -> Generator[int | None, Any, None]:
        """Callers, by a Poisson process whose rate follows the hour, the weekday and the surges (thinning)."""
        rng = Random(f"{self._seed}/arrivals")  # noqa: S311 - a simulation
        scenario = self.world.scenario
        peak = max(scenario.hourly) * max(scenario.weekly) + sum(surge.calls_per_hour for surge in scenario.surges)
        while True:
            yield max(1, round(rng.expovariate(peak / HOUR_MS)))
            if not self.world.taking:
                return
            rates = self._rates()
            fate = rng.random() * peak
            for concern, rate in rates:
                fate -= rate
                if fate < 0:
                    self._admit(rng, concern)
                    break

    def _rates(self) -> list[tuple[str, float]]:
        """Calls per hour now, by what the callers look for."""
        scenario, elapsed = self.world.scenario, self._agenda.now - self.world.starts_at
        local = self.world.local_ms()
        ordinary = scenario.hourly[local % DAY_MS // HOUR_MS] * scenario.weekly[local // DAY_MS]
        shares = sum(plan.share for plan in scenario.queues.values())
        rates = [(name, ordinary * plan.share / shares) for name, plan in scenario.queues.items()]
        rates += [
            (surge.queue, surge.calls_per_hour)
            for surge in scenario.surges
            if surge.starts_ms <= elapsed < surge.ends_ms
        ]
        return rates

    def _admit(self, rng: Random, concern: str) -> None:
        if rng.random() < self.world.scenario.tickets:
            life.file_ticket(self.world, concern)
        else:
            life.arrive(self.world, concern)

    def _beat(self, heartbeat_ms: int) -> Generator[int | None, Any, None]:
        """Say that both exchanges are alive, as long as anybody else has something to do."""
        while self.world.taking or self._agenda.alive > 1:
            for source in SOURCES:
                self.world.say("", source, _heartbeat(source, self._agenda.now, "beat"))
            yield heartbeat_ms


def _heartbeat(source: str, at: int, name: str) -> "Event":
    return {
        "event_id": f"{name}-{source}-{at}",
        "type": "source.heartbeat",
        "occurred_at": stamp(at),
        "source": source,
    }
