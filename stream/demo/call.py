"""One simulated call: who calls, from where, its own chance, its books, and its voice on the wire.

The journey of a call is told in three rooms: `stream.demo.menu` before the queue, `stream.demo.waiting` in it and
`stream.demo.service` with an agent. Each decision there is two lines side by side: `say` puts the event on the
wire, the account books it. Neither is derived from the other.

Source: 1-events 1.3 and 1.4.
"""

from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Final

from stream.demo.account import Account

if TYPE_CHECKING:
    from stream.demo.agenda import Agenda, Process
    from stream.demo.floor import Floor
    from stream.demo.scenario import Scenario
    from stream.demo.truth import Truth

Event = dict[str, object]
"""A canonical event, ready for JSON."""

SOURCES: Final = ("asterisk:pbx1", "asterisk:pbx2")
"""The two exchanges. pbx1 tells little and its stamps order its events; pbx2 numbers its events and tells waits and
leavings."""

_TALKATIVE: Final = 0.5
_CUSTOMERS: Final = 40_000
_KNOWN_BY_LINE: Final = 0.82
_SAYS_LATER: Final = 0.5


class World:
    """What every call of one run shares.

    Attributes:
        agenda: the clockwork.
        floor: agents and lines.
        scenario: rates and habits.
        truth: the figures so far.
        seed: of the run.
        moment: events said since the driver looked last.
        starts_at: simulated ms since the epoch at which the run began.
    """

    __slots__ = ("agenda", "floor", "moment", "scenario", "seed", "starts_at", "truth")

    def __init__(self, agenda: "Agenda", floor: "Floor", scenario: "Scenario", truth: "Truth", seed: int) -> None:
        """Put a world together; it begins at the agenda's time."""
        self.agenda = agenda
        self.floor = floor
        self.scenario = scenario
        self.truth = truth
        self.seed = seed
        self.moment: list[Event] = []
        self.starts_at = agenda.now

    @property
    def now(self) -> int:
        """Simulated time, ms since the epoch."""
        return self.agenda.now


class Call:
    """One call.

    Attributes:
        world: what it shares with the others.
        contact_id: unique within the seed and the start of the run.
        concern: the queue that can help.
        rng: chance of its own, so that one call's luck does not depend on another's.
        account: its books.
        visited: queues it has been in, in order.
        anonymous: whether nobody has said who calls.
        told: whether its exchange is the talkative one (pbx2).
        process: its journey.
    """

    __slots__ = (
        "_said",
        "_source",
        "account",
        "anonymous",
        "concern",
        "contact_id",
        "process",
        "rng",
        "told",
        "visited",
        "world",
    )

    process: "Process"

    def __init__(self, world: World, number: int, concern: str) -> None:
        """Let the telephone ring: the call arrives now."""
        self.world = world
        self.rng = Random(f"{world.seed}/{number}")  # noqa: S311 - a simulation
        self.contact_id = f"{number:07d}.{world.seed}.{world.starts_at // 1000:x}"
        self.concern = concern
        self.told = self.happens(_TALKATIVE)
        self.visited: list[str] = []
        self._source = SOURCES[self.told]
        self._said = 0
        known = self.happens(_KNOWN_BY_LINE)
        self.anonymous = not known
        self.account = Account(world.truth, identified=known)
        self.say("contact.started", **({"customer": self._customer()} if known else {}))

    def say(self, what: str, /, **fields: object) -> None:
        """Put one event of this call on the wire, now."""
        self._said += 1
        event: Event = {
            "event_id": f"{self.contact_id}-{self._said}",
            "type": what,
            "occurred_at": stamp(self.world.now),
            "source": self._source,
            "contact_id": self.contact_id,
        }
        if self.told:
            event["source_seq"] = self._said
        event.update(fields)
        self.world.moment.append(event)

    def ms(self, shortest: float, longest: float) -> int:
        """Return a duration between two numbers of seconds, in whole ms."""
        return round(self.rng.uniform(shortest, longest) * 1000)

    def happens(self, chance: float) -> bool:
        """Throw the call's dice."""
        return self.rng.random() < chance

    def hang_up(self, by: str, *, on_hold: bool = False) -> None:
        """End the call now, `by` as on the wire."""
        self.say("contact.ended", by=by)
        self.account.hung_up(by, on_hold=on_hold)

    def identify(self) -> dict[str, str]:
        """Return the field that says who an anonymous caller is, for the event about to be said; perhaps nothing."""
        if not self.anonymous or not self.happens(_SAYS_LATER):
            return {}
        self.anonymous = False
        self.account.identified()
        return {"customer": self._customer()}

    def _customer(self) -> str:
        return f"customer:{self.rng.randrange(_CUSTOMERS):06d}"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def stamp(at: int) -> str:
    """Return a time (ms since the epoch) as RFC 3339 in UTC with milliseconds."""
    seconds, ms = divmod(at, 1000)
    return f"{_second(seconds)}.{ms:03d}Z"
