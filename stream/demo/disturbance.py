"""The way from the centre to Kafka: late, twice, and with rubbish in between.

A `Disturber` takes the simulator's moments and hands out what is delivered, in order of delivery. Every event is
delivered once; some are held back for a while, some come a second time, and poison records come between them. What
becomes of each is known here: `Delivered` says how many records must come out applied, duplicate and rejected, and
which bytes for which reason.

                     happens   a b c d e f
    delivered, disorder 0      a b c d e f
    delivered, b held back     a c d b e f          (no longer than `disorder_ms`)
    delivered, c twice         a b c d c e f

Heartbeats are never held back nor doubled. Never in this module: a clock, I/O, or another change to an event.

Source: 4-architecture 4.6, 1-events 1.5 and 1.6.
"""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from stream.demo.poison import poison

if TYPE_CHECKING:
    from stream.demo.centre.simulator import Moment
    from stream.demo.centre.world import Event, Said
    from stream.demo.scenario import Disturbance

POISONED: Final = ("calls", "chats", "emails", "cases")
"""Topics that get poison, in turns."""

_REDELIVERY_MS: Final = 5_000
"""A second copy comes within this time at least, even where nothing else is out of order."""


class Delivery(NamedTuple):
    """One record on its way.

    Attributes:
        topic: short name of its topic.
        key: record key; None = no key.
        event: a canonical event, to be written as JSON; None = `value` goes out as it is.
        value: the record's value where `event` is None; None = no value.
        reason: why it must be rejected; empty = it is applied, or a duplicate.
        everywhere: whether it goes to every partition (`source.*`).
    """

    topic: str
    key: bytes | None
    event: "Event | None"
    value: bytes | None = None
    reason: str = ""
    everywhere: bool = False


@dataclass(slots=True)
class Delivered:
    """What was delivered so far, and what must become of it.

    Attributes:
        events: events delivered for the first time, by topic.
        heartbeats: `source.*` events by topic, each counted once, however many partitions it goes to.
        duplicates: second copies, by topic; as many records must come out as duplicates.
        rejected: poison records, in order of delivery; each must come out rejected, once, byte for byte, for its
            reason.
    """

    events: Counter[str] = field(default_factory=Counter)
    heartbeats: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    rejected: list[Delivery] = field(default_factory=list)

    def reasons(self) -> dict[str, int]:
        """Return how many records must be rejected for each reason, sorted."""
        return dict(sorted(Counter(delivery.reason for delivery in self.rejected).items()))

    def results(self, partitions: int) -> dict[str, int]:
        """Return how many records must come out with each result, where each topic has `partitions` partitions."""
        return {
            "applied": self.events.total() + self.heartbeats.total() * partitions,
            "duplicate": self.duplicates.total(),
            "rejected": len(self.rejected),
        }

    def records(self, partitions: int) -> Counter[str]:
        """Return how many records were written in all, by topic, where each topic has `partitions` partitions."""
        beats = Counter({topic: number * partitions for topic, number in self.heartbeats.items()})
        return beats + self.events + self.duplicates + Counter(delivery.topic for delivery in self.rejected)


class Disturber:
    """Turns moments into deliveries.

    Attributes:
        delivered: the counts of what was handed out so far.
    """

    __slots__ = ("_beats", "_held", "_number", "_plan", "_poison_at", "_rng", "_seed", "delivered")

    def __init__(
        self, plan: "Disturbance", seed: int, expected: int = 0, beats: "tuple[str, ...]" = ("calls",)
    ) -> None:
        """Prepare.

        Args:
            plan: how much of what.
            seed: any integer; the same seed disturbs the same events in the same way.
            expected: about how many events will come; the poison is spread over them. What is left comes with `flush`.
            beats: short names of the topics in which heartbeats are said.
        """
        self.delivered = Delivered()
        self._plan = plan
        self._beats = beats
        self._seed = seed
        self._rng = Random(f"{seed}/disturbance")  # noqa: S311 - a simulation
        self._held: list[tuple[int, int, Delivery, bool]] = []
        self._number = 0
        self._poison_at = sorted((self._rng.randrange(max(1, expected)) for _ in range(plan.poison)), reverse=True)

    def feed(self, moment: "Moment") -> list[Delivery]:
        """Return what is delivered up to and with this moment, in order."""
        out = self._due(moment.at)
        for said in moment.events:
            self._number += 1
            while self._poison_at and self._number > self._poison_at[-1]:
                self._poison_at.pop()
                out.append(self._poisoned(moment.at))
            if said.topic:
                self._send(moment.at, said, out)
            else:
                self.delivered.heartbeats.update(self._beats)
                out.extend(Delivery(topic, said.key.encode(), said.event, everywhere=True) for topic in self._beats)
        return out

    def flush(self, at: int) -> list[Delivery]:
        """Return everything that is still held back, and the rest of the poison.

        Args:
            at: simulated time of the end, ms since the epoch.
        """
        out = self._due(None)
        while self._poison_at:
            self._poison_at.pop()
            out.append(self._poisoned(at))
        return out

    def _send(self, at: int, said: "Said", out: list[Delivery]) -> None:
        plan, rng = self._plan, self._rng
        delivery = Delivery(said.topic, said.key.encode(), said.event)
        if plan.disorder_ms and rng.random() < plan.delayed:
            self._hold(at + rng.randrange(plan.disorder_ms), delivery, copy=False)
        else:
            self.delivered.events[delivery.topic] += 1
            out.append(delivery)
        if plan.duplicates and rng.random() < plan.duplicates:
            self._hold(at + rng.randrange(max(plan.disorder_ms, _REDELIVERY_MS)), delivery, copy=True)

    def _hold(self, due: int, delivery: Delivery, *, copy: bool) -> None:
        self._number += 1
        heapq.heappush(self._held, (due, self._number, delivery, copy))

    def _due(self, at: int | None) -> list[Delivery]:
        """Hand out what was held back until `at`; None = everything."""
        out = []
        while self._held and (at is None or self._held[0][0] <= at):
            _, _, delivery, copy = heapq.heappop(self._held)
            if copy:
                self.delivered.duplicates[delivery.topic] += 1
            else:
                self.delivered.events[delivery.topic] += 1
            out.append(delivery)
        return out

    def _poisoned(self, at: int) -> Delivery:
        number = len(self.delivered.rejected)
        topic = POISONED[number % len(POISONED)]
        key, value, reason = poison(self._seed, number, at, topic)
        delivery = Delivery(topic, key, None, value, reason)
        self.delivered.rejected.append(delivery)
        return delivery
