"""What everything in one simulated run shares: the clockwork, the people, the truth, and the way to say something.

An event is said with its topic and its record key (1-events 1.2). What is planned for later (a customer's return, a
survey, a ticket's fate) is booked, and struck out when the centre takes no more calls; what has begun goes on.

Source: 1-events 1.2 and 1.3.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from stream.demo.centre.roster import STAFF, Roster
from stream.demo.scenario import DAY_MS, HOUR_MS, WEEK_MS

if TYPE_CHECKING:
    from stream.demo.centre.agenda import Agenda, Journey, Process
    from stream.demo.centre.floor import Floor
    from stream.demo.scenario import Scenario
    from stream.demo.truth.truth import Truth

Event = dict[str, object]
"""A canonical event, ready for JSON."""

SOURCES: Final = ("asterisk:pbx1", "asterisk:pbx2")
"""The two exchanges. pbx1 tells little and its stamps order its events; pbx2 numbers its events and tells waits and
leavings."""
CHATS: Final = "chatwoot:main"
MAILS: Final = "imap:support"
TICKETS: Final = "zendesk:main"
SURVEYS: Final = "survey:main"
PEOPLE: Final = "crm:main"
"""Who says that two names are one person."""


class Said(NamedTuple):
    """One event on its way.

    Attributes:
        topic: short name of its topic; empty = every topic (`source.*`).
        key: record key.
        event: ready for JSON.
    """

    topic: str
    key: str
    event: Event


class World:
    """What every contact of one run shares.

    Attributes:
        agenda: the clockwork.
        floor: agents and lines.
        scenario: rates and habits.
        truth: the figures so far.
        seed: of the run.
        moment: what was said since the driver looked last.
        starts_at: simulated ms since the epoch at which the run began.
        roster: what every agent is doing.
        people: customers so far, each once.
        contacts: contacts so far, by whomever.
        tickets: tickets so far.
        taking: whether new contacts may begin.
    """

    __slots__ = (
        "_papers",
        "agenda",
        "contacts",
        "floor",
        "moment",
        "people",
        "roster",
        "scenario",
        "seed",
        "starts_at",
        "taking",
        "tickets",
        "truth",
    )

    def __init__(self, agenda: "Agenda", floor: "Floor", scenario: "Scenario", truth: "Truth", seed: int) -> None:
        """Put a world together; it begins at the agenda's time."""
        self.agenda = agenda
        self.floor = floor
        self.scenario = scenario
        self.truth = truth
        self.seed = seed
        self.moment: list[Said] = []
        self.starts_at = agenda.now
        self.people = 0
        self.contacts = 0
        self.tickets = 0
        self.taking = True
        self._papers = 0
        self.roster = Roster(self)

    @property
    def now(self) -> int:
        """Simulated time, ms since the epoch."""
        return self.agenda.now

    def say(self, topic: str, key: str, event: Event) -> None:
        """Put an event on the wire, now."""
        self.moment.append(Said(topic, key, event))

    def note(self, what: str, key: str, source: str, /, **fields: object) -> None:
        """Put an event of the topic `cases` on the wire, now."""
        self._papers += 1
        event: Event = {
            "event_id": f"{source}-{self.seed}-{self.starts_at // 1000:x}-{self._papers}",
            "type": what,
            "occurred_at": stamp(self.now),
            "source": source,
            **fields,
        }
        self.say("cases", key, event)

    def say_status(self, name: str, agent: str, fields: "Event") -> None:
        """Put what an agent is doing on the wire, now, as the event `name`."""
        event: Event = {
            "event_id": name,
            "type": "agent.status",
            "occurred_at": stamp(self.now),
            "source": STAFF,
            "agent": agent,
            **fields,
        }
        self.say("agents", agent, event)

    def is_open(self, queue: str) -> bool:
        """Tell whether a queue takes customers now: by its hours, else by the local time of the scenario."""
        scenario = self.scenario
        opening = scenario.hours.of(queue)
        if opening is not None:
            return opening.is_open(self.now)
        return scenario.opens_hour * HOUR_MS <= self.local_ms() % DAY_MS < scenario.closes_hour * HOUR_MS

    def local_ms(self) -> int:
        """Return the local time now, ms after Monday 00:00: of the zone, where any queue has hours."""
        scenario = self.scenario
        if scenario.zoned:
            local = scenario.hours.local(self.now)
            seconds = (local.hour * 60 + local.minute) * 60 + local.second
            return local.weekday() * DAY_MS + seconds * 1000 + self.now % 1000
        return (scenario.begins_ms + self.now - self.starts_at) % WEEK_MS

    def book(self, journey: "Journey", delay_ms: int) -> "Process":
        """Let a process begin after `delay_ms`, unless the centre takes no more calls by then."""
        process = self.agenda.start(journey, delay_ms, booked=True)
        if not self.taking:
            self.agenda.cancel(process)
        return process

    def close(self) -> None:
        """Take no more calls, and strike out what is booked and has not begun."""
        self.taking = False
        self.agenda.strike()


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def stamp(at: int) -> str:
    """Return a time (ms since the epoch) as RFC 3339 in UTC with milliseconds."""
    seconds, ms = divmod(at, 1000)
    return f"{_second(seconds)}.{ms:03d}Z"
