"""Random customers for the laws of cases: few people with several ids each, times that hit every window's edge.

A history is a list of `Told`; the same seed gives the same history. Times in ms.
"""

from __future__ import annotations

import json
import random
from typing import Any, NamedTuple

from stream.core.engine.batch import Record
from stream.core.policy import DAY_MS, HOUR_MS
from stream.wire.times import format_time

START = 1_772_445_600_000  # 2 March 2026, 10:00 UTC
MINUTE = 60_000
NAMES = ("k", "l", "m", "n", "o", "p", "q", "r")
QUEUES = ("billing", "billing", "sales", "quux")
ISSUES = (None, None, None, "invoice", "refund", "weather")
EDGES = (-1, 0, 0, 1)
RESOLUTIONS = ("resolved",) * 6 + ("unresolved", "unresolved", "follow_up", "escalated")
AGENTS = ("anna", "ben", "carl")
SCORES = (None, 1, 2, 4, 5, 5)
TALKS = (4_000, 119_999, 120_000, 290_000, 300_000, 2 * HOUR_MS)  # at the edges of the bands of handle time, and beside


class Told(NamedTuple):
    """One event on its topic."""

    topic: str
    event: dict[str, Any]
    at: int

    @property
    def record(self) -> Record:
        """As Kafka holds it."""
        event = self.event
        owner = "contact_id" if self.topic != "cases" else "alias" if event["type"] == "identity.linked" else "customer"
        key = event["source"] if event["type"].startswith("source.") else event[owner]
        return Record(self.topic, 0, None, key.encode(), json.dumps(event).encode(), ())


class Shape(NamedTuple):
    """What may happen in a history."""

    contacts: int = 7
    days: int = 24
    windows: tuple[int, int] = (7 * DAY_MS, DAY_MS)  # W, and that of refund
    reach: int | None = None  # what refers back does so less than this (ms) after the last that happened; None: ever


def history(seed: int, shape: Shape | None = None) -> list[Told]:
    """The events of up to three people, in the order of their times."""
    teller = _Teller(random.Random(seed), shape or Shape())  # noqa: S311  a seed, not a secret
    teller.tell()
    return sorted(teller.told, key=lambda told: told.at)


class _Teller:
    """Makes up one history."""

    def __init__(self, dice: random.Random, shape: Shape) -> None:
        self.dice = dice
        self.shape = shape
        self.told: list[Told] = []
        self.anchors = [START]
        self.moments: dict[str, list[int]] = {}  # contact -> when it ended, was spoken of, went on
        self.ids: list[str] = []  # of the person spoken of
        self.contacts: list[str] = []  # of the person spoken of
        self.tickets: list[str] = []
        self.issues: dict[str, str | None] = {}  # contact -> issue
        self.number = 0
        self.last_at = START
        self.first: dict[str, Any] = {}  # what the next contact is known to refer to

    def tell(self) -> None:
        """One person after the other."""
        names = list(NAMES)
        self.dice.shuffle(names)
        for _ in range(self.dice.choice((1, 1, 2, 3))):
            count = self.dice.choice((1, 1, 2, 3, 4))
            self.ids, names = names[:count], names[count:]
            if not self.ids:
                return
            self.contacts, self.tickets, self.anchors, self.moments = [], [], [START], {}
            if self.shape.reach is None:
                self._anything()
            else:
                for _ in range(self.dice.randint(1, self.shape.contacts // 2)):
                    self._episode(self.shape.reach)
            self._links()

    def _anything(self) -> None:
        """Contacts, tickets and surveys of one person at any distance from each other."""
        if self.dice.random() < 0.5:
            self.tickets = [f"T{self.number}-{i}" for i in range(self.dice.randint(1, 2))]
        for _ in range(self.dice.randint(1, self.shape.contacts)):
            self._contact()
        for ticket in self.tickets:
            self._ticket(ticket)
        self._surveys()

    def _episode(self, reach: int) -> None:
        """One case, as its people see it: whatever comes next comes within reach of what was before."""
        dice, ticket = self.dice, f"T{self.number}" if self.dice.random() < 0.4 else None
        self.first = {"case_id": ticket}
        self._contact()
        while dice.random() < 0.6:
            at, customer = self.last_at + dice.choice((0, 1, HOUR_MS, dice.randrange(reach))), dice.choice(self.ids)
            kind = dice.random()
            if kind < 0.4:
                self.first = {"case_id": ticket} if ticket else {"previous_contact_id": self.contacts[-1]}
                self._contact(at)
            elif kind < 0.8 and ticket is not None:
                word = dice.choice(("opened", "opened", "resolved", "reopened", "escalated", "closed"))
                self.say("cases", f"case.{word}", at, case_id=ticket, customer=customer)
            else:
                named = {"contact_id": self.contacts[-1], "customer": customer}
                self.say("cases", "survey.answered", at, **named, resolved=dice.choice(("yes", "no", None)), csat=3)
        if ticket is not None:
            at, customer = self.last_at + dice.randrange(reach), dice.choice(self.ids)
            if dice.random() < 0.15:
                self.say("cases", "case.merged", at, case_id=ticket, into=f"{ticket}-new", customer=customer)
            if dice.random() < 0.85:
                self.say("cases", "case.closed", at, case_id=ticket, customer=customer)

    def say(self, topic: str, kind: str, at: int, /, **fields: object) -> None:
        """One event."""
        self.number += 1
        self.last_at = max(self.last_at, at)
        event = {
            "event_id": f"e{self.number}",
            "type": kind,
            "occurred_at": format_time(at),
            "source": "crm" if topic == "cases" else "pbx",
            **{name: value for name, value in fields.items() if value is not None},
        }
        self.told.append(Told(topic, event, at))
        if topic == "cases" and kind != "identity.linked" and self.shape.reach is None and self.dice.random() < 0.06:
            moved = at + self.dice.choice((-HOUR_MS, -1, HOUR_MS))  # the same event again, saying something else
            self.told.append(Told(topic, {**event, "occurred_at": format_time(moved)}, moved))

    def note(self, contact_id: str, at: int) -> None:
        """Something happened that a window may run from."""
        self.anchors.append(at)
        self.moments.setdefault(contact_id, []).append(at)

    def _when(self) -> int:
        """A moment: at an edge of a window, right beside something, or anywhere on a grid of hours."""
        pick, anchor = self.dice.random(), self.dice.choice(self.anchors)
        if pick < 0.45:
            return min(self._latest, anchor + self.dice.choice(self.shape.windows) + self.dice.choice(EDGES))
        if pick < 0.65:
            return anchor + self.dice.choice(EDGES) * self.dice.choice((1, 1, MINUTE, HOUR_MS))
        return START + self.dice.randrange(self.shape.days * 24) * HOUR_MS

    @property
    def _latest(self) -> int:
        return START + (self.shape.days + 8) * DAY_MS

    def _contact(self, at: int | None = None) -> None:
        dice = self.dice
        after = None if at is not None or dice.random() < 0.45 else dice.choice([None, *self.moments])
        issue = dice.choice(ISSUES)
        if after is not None:  # at the edge of a window of another contact, mostly about the same
            issue = issue if dice.random() < 0.3 else self.issues[after]
            window = self.shape.windows[1 if issue == "refund" else 0]
            at = dice.choice(self.moments[after]) + window + dice.choice(EDGES)
        at = max(START, self._when()) if at is None else at
        again = self.contacts and self.shape.reach is None and dice.random() < 0.05
        contact_id = dice.choice(self.contacts) if again else f"c{self.number}"
        topic = "calls" if contact_id in self.contacts else dice.choice(("calls", "calls", "calls", "chats", "emails"))
        known = [told.topic for told in self.told if told.event.get("contact_id") == contact_id]
        story = _Story(self, known[0] if known else topic, contact_id)
        story.first["customer"] = None if dice.random() < 0.15 else dice.choice(self.ids)
        story.first["issue"] = self.issues[contact_id] = issue
        story.first |= self.first
        self.last_at, self.first = at, {}
        if self.shape.reach is None:
            if self.tickets and dice.random() < 0.4:
                story.first["case_id"] = dice.choice(self.tickets)
            if self.contacts and dice.random() < (0.2 if after is None else 0.4):
                story.first["previous_contact_id"] = after or dice.choice(self.contacts)
        if dice.random() < 0.15:
            story.first["direction"] = dice.choice(("outbound",) * 5 + ("internal",))
            if self.contacts and self.shape.reach is None and dice.random() < 0.7:
                story.first["previous_contact_id"] = dice.choice(self.contacts)
        self.contacts.append(contact_id)
        self.anchors.append(at)
        story.happen(at)

    def _ticket(self, ticket: str) -> None:
        at = max(START, self._when())
        kinds = ["opened"] if self.dice.random() < 0.8 else []
        kinds += self.dice.choices(("resolved", "reopened", "escalated", "closed", "opened"), k=self.dice.randint(0, 3))
        for kind in kinds:
            self.say("cases", f"case.{kind}", at, case_id=ticket, customer=self.dice.choice(self.ids))
            self.anchors.append(at)
            at = max(at + self.dice.choice((0, HOUR_MS)), self._when())
        if self.dice.random() < 0.25:
            into = self.dice.choice([*self.tickets, "T-elsewhere"])
            self.say("cases", "case.merged", at, case_id=ticket, into=into, customer=self.dice.choice(self.ids))

    def _links(self) -> None:
        """A connected chain, in any order, with repeats and cycles; now and then one link is missing."""
        for place, alias in enumerate(self.ids[1:], 1):
            if self.dice.random() < 0.1:
                continue
            pair = [alias, self.dice.choice(self.ids[:place])]
            for _ in range(self.dice.choice((1, 1, 1, 2))):
                self.dice.shuffle(pair)
                self._link(*pair)
        if len(self.ids) > 2 and self.dice.random() < 0.3:
            self._link(self.ids[0], self.ids[-1])

    def _link(self, alias: str, customer: str) -> None:
        at = START if self.shape.reach is not None else max(START, self._when())
        self.say("cases", "identity.linked", at, alias=alias, customer=customer)

    def _surveys(self) -> None:
        for contact_id in self.contacts:
            if self.dice.random() < 0.7:
                continue
            named = {"contact_id": contact_id, "customer": self.dice.choice(self.ids)}
            if self.dice.random() < 0.5:
                self.say("cases", "survey.offered", max(START, self._when()), **named)
            for _ in range(self.dice.choice((0, 1, 1, 2))):
                answer = self.dice.choice(("yes", "no", None))
                at = max(START, self._when())
                score = self.dice.choice(SCORES)
                self.say("cases", "survey.answered", at, **named, resolved=answer, csat=score)


class _Story:
    """What happens to one contact."""

    def __init__(self, teller: _Teller, topic: str, contact_id: str) -> None:
        self.teller = teller
        self.dice = teller.dice
        self.topic = topic
        self.contact_id = contact_id
        self.at = 0  # when it arrived
        self.first: dict[str, Any] = {}  # what the first event says beside its type

    def happen(self, at: int) -> None:
        """From the arrival to the last word."""
        dice, self.at = self.dice, at
        queue = dice.choice(QUEUES)
        if self.topic == "emails":
            end = self._thread(at, queue)
        elif self.topic == "chats":
            end = self._chat(at, queue)
        else:
            end = self._call(at, queue)
        self.teller.note(self.contact_id, end)
        self._words(end)
        chance = 0.15  # the customer becomes known, or another, later; some keep changing
        while dice.random() < chance:
            end, chance = end + dice.choice((0, MINUTE, 2 * HOUR_MS)), 0.5
            self._later("hold.ended", end, customer=dice.choice((*self.teller.ids, *self.teller.ids, "stranger")))

    def _say(self, kind: str, at: int, /, **fields: object) -> None:
        self.teller.say(self.topic, kind, at, contact_id=self.contact_id, **{**self.first, **fields})
        self.first = {}

    def _later(self, kind: str, at: int, **fields: object) -> None:
        self._say(kind, at, **fields)
        self.teller.note(self.contact_id, at)

    def _words(self, end: int) -> None:
        """Dispositions: before the end, in the wrap-up, or days later."""
        gaps = (-MINUTE, 0, 20_000, HOUR_MS, 3 * DAY_MS) if self.teller.shape.reach is None else (-MINUTE, 0, 20_000)
        for _ in range(self.dice.choice((0, 0, 1, 1, 2, 3))):
            at = max(self.at, end + self.dice.choice(gaps))
            said = self.dice.choice(RESOLUTIONS)
            cause = self.dice.choice((None, None, "skill", "policy"))
            confirmed = self.dice.choice((None, True, False))
            self._later("contact.dispositioned", at, resolution=said, cause=cause, confirmed=confirmed)

    def _call(self, at: int, queue: str) -> int:
        dice = self.dice
        self._say("contact.started", at)
        kind = dice.choice(
            ("handled",) * 8 + ("abandoned", "abandoned", "voicemail", "callback", "menu", "goal", "system")
        )
        if kind in ("menu", "goal"):
            self._say("step.entered", at, step="menu:main")
            if kind == "goal":
                self._say("step.left", at + 10_000, result="goal")
            return self._end(at + dice.choice((11_000, 50_000)), "customer")
        self._say("queue.entered", at, queue=queue)
        if kind == "abandoned":
            return self._end(at + dice.choice((3_000, 50_000)), "customer")
        if kind == "system":
            self._say("queue.left", at + 30_000, queue=queue, reason="timeout")
            return self._end(at + 31_000, "system")
        if kind == "callback":
            self._say("callback.requested", at + 30_000)
        if kind == "voicemail":
            self._say("queue.left", at + 20_000, queue=queue, reason="voicemail")
            self._say("voicemail.left", at + 30_000)
        if kind != "handled" and dice.random() < 0.7:
            return self._end(at + 40_000, "customer")
        served = at + dice.choice((10_000, 45_000 if kind == "handled" else 3 * HOUR_MS))
        return self._served(served, served + dice.choice(TALKS))

    def _served(self, at: int, end: int) -> int:
        """Talk with one agent or two; now and then the end is never told."""
        dice = self.dice
        agent = dice.choice(AGENTS)
        self._say("agent.connected", at, agent=agent)
        if dice.random() < 0.15:
            self._say("transfer.completed", at + 1_000, kind="blind")
        if dice.random() < 0.15:
            self._say("agent.connected", at + 2_000, agent=dice.choice(AGENTS))
        if dice.random() < 0.1:
            return end
        self._end(end, "customer")
        if dice.random() < 0.4:
            self._wrap_up(end + dice.choice((-1_000, 0, 1, 20_000)), agent)
        return end

    def _wrap_up(self, at: int, agent: str) -> None:
        """Notes after the call, some until a band of handle time ends; now and then nobody says that they are done."""
        self._say("wrapup.started", at, agent=agent)
        if self.dice.random() < 0.85:
            self._say("wrapup.ended", at + self.dice.choice((1, 20_000, 10 * MINUTE)), agent=agent)

    def _end(self, at: int, by: str) -> int:
        self._say("contact.ended", at, by=by)
        return at

    def _chat(self, at: int, queue: str) -> int:
        dice = self.dice
        self._say("message.received", at, queue=queue)
        if dice.random() < 0.2:
            return self._end(at + dice.choice((2_000, 90_000)), dice.choice(("customer", "system")))
        self._say("message.sent", at + 30_000, by="agent", agent=dice.choice(AGENTS))
        if dice.random() < 0.2:
            self._say("message.sent", at + 40_000, by="agent", agent=dice.choice(AGENTS))
        end = self._end(at + dice.choice((90_000, 3 * HOUR_MS)), dice.choice(("customer", "agent")))
        return self._returns(end, HOUR_MS)

    def _thread(self, at: int, queue: str) -> int:
        dice = self.dice
        self._say("message.received", at, queue=queue)
        if dice.random() < 0.15:
            return at
        end = at + dice.choice((HOUR_MS, 30 * HOUR_MS if self.teller.shape.reach is None else MINUTE))
        self._say("message.sent", end, by="agent", agent=dice.choice((*AGENTS, None)))
        if dice.random() < 0.6:
            end = self._end(end + dice.choice((0, HOUR_MS)), "agent")
        return self._returns(end, DAY_MS)

    def _returns(self, end: int, unit: int) -> int:
        """The customer writes after the end; somebody may serve again, near the edge of a window."""
        dice = self.dice
        while dice.random() < 0.3:
            self.teller.note(self.contact_id, end)
            back = end + dice.choice((1, unit, 2 * unit) if self.teller.shape.reach is None else (1, HOUR_MS))
            self._say("message.received", back)
            if dice.random() < 0.3:
                return back
            near = self.teller.shape.reach is not None or self.topic != "emails"
            windows = (HOUR_MS,) if near else self.teller.shape.windows
            end = max(back, end + dice.choice(windows) + dice.choice(EDGES)) if dice.random() < 0.5 else back + MINUTE
            self._say("message.sent", end, by="agent", agent=dice.choice(AGENTS))
            if dice.random() < 0.4:
                end = self._end(end + MINUTE, "agent")
        return end
