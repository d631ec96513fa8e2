"""What a simulated contact centre is like: its queues, people, callers and days, as frozen values.

Never in this module: chance, a clock, or a figure of the truth. A scenario says rates and habits; who waits how
long follows from them in `stream.demo.centre.simulator`.

Source: 5-operating 5.3; the queues, menu nodes and thresholds are those of the shipped policy (2-numbers 2.11).
"""

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from stream.demo.opening import WEEKDAYS, Hours, Opening

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
WEEK_MS: Final = 7 * DAY_MS

_ECONOMY_OF_SCALE: Final = 0.93

WINDOW_MS: Final = 7 * DAY_MS
"""W, from the resolution on, half-open (2.7)."""
LATENESS_MS: Final = DAY_MS
"""How late an event may come and still count (1-events 1.5)."""
TARGET_MS: Final = MappingProxyType({"voice": 20_000, "chat": 60_000, "email": DAY_MS})
"""Service level target, ms (2.3)."""
SHORT_ABANDON_MS: Final = 5_000
"""A wait below this is `abandoned_short`, ms (2.2)."""
RESPONSE_TARGET_MS: Final = MappingProxyType({"voice": 180_000, "chat": 60_000, "email": DAY_MS})
"""First response target, ms (2.6)."""
SILENCE_MS: Final = MappingProxyType({"voice": 4 * HOUR_MS, "chat": DAY_MS, "email": 30 * DAY_MS})
"""After so long a silence a contact has ended with its last word, ms (1-events 1.5)."""
EXPIRY_MS: Final = DAY_MS
"""A callback nobody served by then has expired, ms."""
TEAMS: Final = MappingProxyType(
    {"billing": "front", "sales": "front", "support-en": "support", "support-de": "support", "retention": "retention"}
)
"""The team of the agents whose first skill a queue is."""
LISTED_TEAMS: Final = frozenset(("front", "support"))
"""Teams whose names are labels; the others are `other`."""
LISTED_REASONS: Final = frozenset(("lunch", "training"))
"""Reasons for a break whose names are labels."""
LISTED_AGENTS: Final = frozenset(f"{queue}-{number:02d}" for queue in TEAMS for number in (1, 2))
"""Agents whose names are labels."""
AGENT_DROP_MS: Final = 5_000
"""An agent who ends a contact sooner after connecting has dropped it, ms (2.5)."""


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """One queue and the habits of those who meet in it.

    Attributes:
        share: part of the callers who look for it, weights of any sum.
        agents: people whose first skill it is, at scale 1.
        also: queues the same people serve when nobody waits here.
        talk_seconds: median talk.
        overflow_to: where callers go after `overflow_seconds` of waiting; empty = they stay.
        menu: the menu node between `menu:main` and the queue; empty = none.
        capacity: callers that may wait at scale 1; who comes later is turned away (`full`).
    """

    share: float
    agents: int
    also: tuple[str, ...] = ()
    talk_seconds: float = 210.0
    overflow_to: str = ""
    overflow_seconds: float = 180.0
    menu: str = ""
    capacity: int = 60


@dataclass(frozen=True, slots=True)
class Surge:
    """Extra callers for one queue during a part of the run.

    Attributes:
        queue: what they all look for.
        starts_ms: after the start of the simulation.
        ends_ms: after the start of the simulation.
        calls_per_hour: new customers added to the ordinary rate, at scale 1.
    """

    queue: str
    starts_ms: int
    ends_ms: int
    calls_per_hour: float


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What the way to Kafka does to the events (see `stream.demo.disturbance`).

    Attributes:
        duplicates: share of events delivered a second time, 0 to 1.
        disorder_ms: an event is delivered up to this long after it happened; 0 = in order. Less than the lateness.
        delayed: share of events that are delayed at all, 0 to 1.
        poison: records that must be rejected, in all.
    """

    duplicates: float = 0.0
    disorder_ms: int = 0
    delayed: float = 0.3
    poison: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One contact centre and its days.

    Attributes:
        name: as the command line spells it.
        begins_ms: the centre's local time when the simulation starts, ms after Monday 00:00.
        hourly: new customers per hour by local hour of day (24 values), at scale 1.
        weekly: factor by weekday, Monday first (7 values).
        opens_hour: first local hour in which queues without hours of their own take callers.
        closes_hour: first local hour in which they do not.
        hours: the zone, and the hours that the policy knows too; where there are any, local time is the zone's.
        policy: file name of the policy the centre works under.
        mail_silence_ms: after so long a silence a thread of e-mail has ended.
        expiry_ms: a callback nobody served by then has expired.
        queues: by name, in the order of the menu.
        patience_seconds: mean patience of those who mean to wait (exponential).
        hold_patience_seconds: the same, on hold.
        impatient: share who hang up within seconds once they hear a queue.
        returns_ms: how soon those come back who are not content, shortest and longest; well below the window.
        answers_ms: how long a ticket waits for each word, shortest and longest.
        comes_again: share of those content who come again after the window.
        tickets: share of customers who open a ticket on the web instead of getting in touch.
        surges: extra load.
        disturbance: of this scenario, unless the command line says otherwise.
    """

    name: str
    begins_ms: int
    hourly: tuple[float, ...]
    weekly: tuple[float, ...]
    queues: "Mapping[str, QueuePlan]"
    opens_hour: int = 7
    closes_hour: int = 22
    hours: Hours = field(default_factory=Hours)
    policy: str = "policy.toml"
    mail_silence_ms: int = 6 * HOUR_MS
    expiry_ms: int = EXPIRY_MS
    patience_seconds: float = 150.0
    hold_patience_seconds: float = 400.0
    impatient: float = 0.02
    returns_ms: tuple[int, int] = (90_000, 3 * HOUR_MS)
    answers_ms: tuple[int, int] = (120_000, 2 * HOUR_MS)
    comes_again: float = 0.3
    tickets: float = 0.02
    surges: tuple[Surge, ...] = ()
    disturbance: Disturbance = field(default_factory=Disturbance)

    @property
    def zoned(self) -> bool:
        """Whether local time is that of a zone."""
        return self.hours.any

    @property
    def silence_ms(self) -> "Mapping[str, int]":
        """After so long a silence a contact has ended with its last word, by channel, ms."""
        return {**SILENCE_MS, "email": self.mail_silence_ms}

    def returning(self, within_ms: int) -> "Scenario":
        """Return the same centre whose customers come back within `within_ms`; its tickets wait a quarter of that.

        Args:
            within_ms: more than 10 min, and less than the window, so that nobody comes back just at its end.
        """
        return replace(self, returns_ms=(90_000, within_ms), answers_ms=(120_000, within_ms // 4))

    def scaled(self, factor: float) -> "Scenario":
        """Return the same centre `factor` times as large: callers, room and, a little less than that, people.

        Large groups wait less at the same load, so as many times the people would let nobody wait.
        """
        people = factor**_ECONOMY_OF_SCALE
        queues = {
            name: replace(
                plan, agents=max(1, round(plan.agents * people)), capacity=max(1, round(plan.capacity * factor))
            )
            for name, plan in self.queues.items()
        }
        return replace(
            self,
            hourly=tuple(rate * factor for rate in self.hourly),
            queues=MappingProxyType(queues),
            surges=tuple(replace(surge, calls_per_hour=surge.calls_per_hour * factor) for surge in self.surges),
        )


def _days(days: int, hours: float) -> int:
    return round(days * DAY_MS + hours * HOUR_MS)


_NEW: Final = 0.85
"""Share of the contacts by which somebody begins to want something; the others follow from those."""
_CONTACTS: Final = (
    *(6.0, 4.0, 3.0, 3.0, 4.0, 10.0, 40.0, 120.0),
    *(240.0, 300.0, 310.0, 290.0, 240.0, 250.0, 270.0, 260.0),
    *(240.0, 210.0, 170.0, 130.0, 90.0, 60.0, 25.0, 12.0),
)
_HOURLY: Final = tuple(_NEW * rate for rate in _CONTACTS)
_WEEKLY: Final = (1.15, 1.0, 1.0, 0.98, 0.95, 0.5, 0.3)

_QUEUES: Final = MappingProxyType(
    {
        "billing": QueuePlan(0.34, 8, ("retention",), 200.0, menu="menu:billing"),
        "sales": QueuePlan(0.18, 6, ("retention",), 240.0, overflow_to="billing", overflow_seconds=150.0),
        "support-en": QueuePlan(0.28, 9, ("support-de",), 260.0, menu="menu:support"),
        "support-de": QueuePlan(0.13, 4, (), 260.0, "support-en", 120.0, "menu:support"),
        "retention": QueuePlan(0.07, 3, ("sales",), 300.0, capacity=20),
    }
)

_CALM: Final = Scenario("calm", _days(1, 9), _HOURLY, _WEEKLY, _QUEUES)

_DAY: Final = ((7 * 60, 22 * 60),)
_SHORT: Final = ((9 * 60, 12 * 60 + 30), (13 * 60, 17 * 60 + 45))
_WHOLE: Final = dict.fromkeys(WEEKDAYS, _DAY)
_EARLY: Final = dict.fromkeys(WEEKDAYS, ((60, 4 * 60), (6 * 60, 24 * 60)))
"""Open while the clock is put forward or back."""
_BERLIN: Final = Hours(
    "Europe/Berlin",
    {
        "billing": Opening("Europe/Berlin", {**_WHOLE, "sat": _SHORT, "sun": _SHORT}, ("2026-03-30",)),
        "sales": Opening("Europe/Berlin", _WHOLE),
        "support-en": Opening("Europe/Berlin", _EARLY),
        "support-de": Opening("Europe/Berlin", _WHOLE, ("2026-03-30", "2026-10-26")),
    },
)
"""Hours of four queues; the fifth never closes by its calendar."""

SCENARIOS: Final = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            _CALM,
            replace(
                _CALM,
                name="clock-change",
                begins_ms=_days(5, 5),
                weekly=(1.0,) * 7,
                hours=_BERLIN,
                policy="berlin.toml",
                expiry_ms=2 * HOUR_MS,
            ),
            replace(
                _CALM,
                name="monday-morning",
                begins_ms=_days(0, 8.5),
                weekly=(1.6, *_WEEKLY[1:]),
                patience_seconds=130.0,
            ),
            replace(
                _CALM,
                name="outage-spike",
                begins_ms=_days(2, 10),
                patience_seconds=110.0,
                surges=(
                    Surge("support-en", 600_000, 4_200_000, 420.0),
                    Surge("support-de", 600_000, 4_200_000, 180.0),
                ),
            ),
            replace(
                _CALM,
                name="late-and-duplicated",
                disturbance=Disturbance(duplicates=0.05, disorder_ms=2 * HOUR_MS, poison=20),
            ),
        )
    }
)
"""Every scenario by name (5-operating 5.3)."""
