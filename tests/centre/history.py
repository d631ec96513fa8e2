"""A small contact centre made up from a seed: people who call again, tickets, surveys, ids that are one person, agents.

Nothing here knows what follows from it; what is expected is computed by running the two shards in memory.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from stream.core.policy import DAY_MS, HOUR_MS
from stream.wire.times import format_time

START = 1_740_960_000_000  # 3 March 2025
DAYS = 18
END = START + 60 * DAY_MS  # every window is over by then
MINUTE_MS = 60_000
ISSUES = ("billing", "delivery", None)
QUEUES = (None, ["sales"], ["sales", "care"])
AGENTS = 10
POLICY = """\
lateness_ms = 7776000000
[queues.sales]
[queues.care]
[issues.billing]
[issues.delivery]
window_ms = 259200000
[staff]
teams = ["first-line", "night"]
[agents]
agent1 = { team = "night" }
agent2 = {}
"""
"""Ninety days of lateness: whatever the order, nothing is too late. One issue has a window of three days."""


class Told(NamedTuple):
    """One event as it stands in a source topic."""

    topic: str  # short
    key: str
    at: int  # ms
    event: dict[str, Any]

    @property
    def value(self) -> bytes:
        """The record's value."""
        return json.dumps(self.event).encode()


@dataclass
class History:
    """Tells events; every id and every choice comes from the seed."""

    seed: int
    told: list[Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with nothing told."""
        self.dice = random.Random(self.seed)  # noqa: S311  a seed, not a secret
        self._contacts = 0
        self._tickets = 0

    def tell(self, topic: str, key: str, at: int, what: str, /, **fields: object) -> None:
        """Put one event into a topic; fields that are None are left out."""
        event = {
            "event_id": f"e{len(self.told)}",
            "type": what,
            "occurred_at": format_time(at),
            "source": "pbx" if topic != "cases" else "crm",
            **{name: value for name, value in fields.items() if value is not None},
        }
        self.told.append(Told(topic, key, at, event))

    def chance(self, share: float) -> bool:
        """Whether something happens that happens in this share of all cases."""
        return self.dice.random() < share

    def person(self) -> None:
        """Everything that one person does."""
        dice = self.dice
        ids = [f"u{dice.getrandbits(32):08x}" for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 4)))]
        for known, other in pairwise(ids):
            customer, alias = (known, other) if self.chance(0.5) else (other, known)
            at = START + dice.randrange(DAYS * DAY_MS)
            self.tell("cases", alias, at, "identity.linked", customer=customer, alias=alias)
        at = START + dice.randrange(DAYS * DAY_MS)
        issue, ticket, before = dice.choice(ISSUES), self._ticket(ids, at) if self.chance(0.25) else None, None
        for _ in range(dice.choice((1, 1, 2, 3, 4))):
            named = ticket if self.chance(0.6) else None
            before = self.contact(
                ids, at, issue=issue, case_id=named, previous_contact_id=before if self.chance(0.3) else None
            )
            at += dice.choice((10 * MINUTE_MS, 5 * HOUR_MS, DAY_MS, 2 * DAY_MS, 4 * DAY_MS, 7 * DAY_MS, 8 * DAY_MS))
            issue = dice.choice(ISSUES) if self.chance(0.3) else issue

    def contact(self, ids: list[str], at: int, **links: str | None) -> str:
        """One contact of a person, its survey included; returns its id."""
        dice = self.dice
        self._contacts += 1
        contact_id = f"c{self._contacts}"
        topic = dice.choice(("calls", "calls", "calls", "chats", "emails"))
        customer = dice.choice(ids) if self.chance(0.95) else None
        known_late = self.chance(0.15)
        queue = dice.choice(("sales", "care"))
        direction = "outbound" if self.chance(0.06) else None
        first = {"customer": None if known_late else customer, "direction": direction, **links}

        def told(after: int, what: str, /, **fields: object) -> None:
            self.tell(topic, contact_id, at + after, what, contact_id=contact_id, **fields)

        told(0, "contact.started", **first)
        if topic != "calls":
            told(0, "message.received")
        told(5_000, "queue.entered", queue=queue)
        if self.chance(0.15):
            told(70_000, "contact.ended", by="customer", customer=customer)
            return contact_id
        if self.chance(0.08):
            told(40_000, "callback.requested", customer=customer)
            told(41_000, "contact.ended", by="customer")
            return contact_id
        agent = f"agent{dice.randrange(9)}"
        told(30_000, "agent.connected", agent=agent, queue=queue)
        if topic != "calls":
            told(60_000, "message.sent", by="agent", agent=agent)
        if self.chance(0.1):
            told(90_000, "transfer.completed", kind="queue", to_queue="care")
            told(90_000, "agent.connected", agent="agent9")
        lasts = dice.randrange(2, 40) * MINUTE_MS
        told(lasts, "contact.ended", by=dice.choice(("customer", "agent")))
        if self.chance(0.5) or known_late:
            said = dice.choice(("resolved", "resolved", "resolved", "unresolved", "follow_up", "escalated"))
            after = lasts + dice.choice((30_000, 5 * MINUTE_MS))
            told(after, "contact.dispositioned", resolution=said, customer=customer, cause=dice.choice((None, "tool")))
        if customer is not None and self.chance(0.2):
            self._survey(customer, contact_id, at + lasts + HOUR_MS)
        return contact_id

    def agent(self, name: str) -> None:
        """What an agent does all day; now and then with a team, and told twice."""
        dice = self.dice
        for day in range(DAYS):
            at = START + day * DAY_MS + dice.randrange(HOUR_MS)
            for _ in range(dice.randrange(2, 8)):
                said = {"team": dice.choice((None, None, "first-line", "elsewhere")), "queues": dice.choice(QUEUES)}
                status = dice.choice(("available", "busy", "break", "wrapup", "offline"))
                for _ in range(dice.choice((1, 1, 1, 1, 2))):
                    self.tell("agents", name, at, "agent.status", agent=name, status=status, **said)
                    self.told[-1].event["event_id"] = f"{name}-{at}"
                at += dice.randrange(1, 2 * HOUR_MS)

    def _ticket(self, ids: list[str], at: int) -> str:
        """A ticket and what becomes of it; sometimes it is merged into another."""
        dice = self.dice
        self._tickets += 1
        ticket = f"T{self._tickets}"

        def told(after: int, what: str, /, **fields: object) -> None:
            customer = dice.choice(ids)
            self.tell("cases", customer, at + after, what, case_id=ticket, customer=customer, **fields)

        told(-MINUTE_MS, "case.opened")
        if self.chance(0.2):
            told(2 * HOUR_MS, "case.escalated")
        if self.chance(0.7):
            told(3 * HOUR_MS, "case.resolved")
            if self.chance(0.4):
                told(3 * DAY_MS, "case.reopened")
                told(4 * DAY_MS, "case.closed")
        if self.chance(0.15):
            told(5 * HOUR_MS, "case.merged", into=f"{ticket}b")
            told(6 * HOUR_MS, "case.reopened")
        return ticket

    def _survey(self, customer: str, contact_id: str, at: int) -> None:
        asked = {"customer": customer, "contact_id": contact_id}
        self.tell("cases", customer, at, "survey.offered", **asked)
        if self.chance(0.7):
            answers = {"resolved": self.dice.choice(("yes", "yes", "no", None)), "csat": self.dice.randrange(1, 6)}
            self.tell("cases", customer, at + HOUR_MS, "survey.answered", **asked, **answers)


def history(seed: int, people: int) -> list[Told]:
    """Everything that ``people`` persons and ten agents do in some weeks, in the order of time."""
    made = History(seed)
    for _ in range(people):
        made.person()
    for number in range(AGENTS):
        made.agent(f"agent{number}")
    return sorted(made.told, key=lambda told: told.at)
