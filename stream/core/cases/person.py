"""A person: what was told under one customer id, and the cases it makes (2-numbers 2.7 and 2.10).

Ids that are one person have one leader, the smallest. The leader's home decides the cases; every other id relays what
it is told. What is stored is told facts, never conclusions: cases are made again from them (a law). Times in ms.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from stream.core.cases.fact import order_of
from stream.core.cases.surveys import asked_about, generation_of, is_answer
from stream.core.cases.timeline import Timeline
from stream.core.events import RANKS, sorts_first
from stream.core.policy import HOUR_MS

if TYPE_CHECKING:
    from stream.core.cases.case import Case
    from stream.core.cases.fact import Fact, FactKey
    from stream.core.cases.surveys import Asked
    from stream.core.events import Event
    from stream.core.policy import Policy

LINKED = RANKS["identity.linked"]
SURVEYS = frozenset((RANKS["survey.offered"], RANKS["survey.answered"]))
ALONE, KNOWN = "a:", "c:"  # a contact without a customer; a customer
EventKey = tuple[str, str]  # source, event_id


class Heard(NamedTuple):
    """An event, and the ids that told it."""

    event: Event
    origins: set[str]


class Person:
    """What is stored under one id, and the timeline of whom it leads."""

    __slots__ = (
        "_sweeps",
        "alone",
        "answers",
        "events",
        "facts",
        "first_at",
        "id",
        "key",
        "leader",
        "leads",
        "links",
        "policy",
        "surveyed",
        "surveys",
        "timeline",
        "used_at",
    )

    def __init__(self, key: str, policy: Policy) -> None:
        """Nothing is known; ``key`` is `KNOWN` or `ALONE`, and an id."""
        self.key = key
        self.id = key[2:]  # the customer, or the contact of which nobody is known
        self.alone = key.startswith(ALONE)  # nobody knows who it is
        self.policy = policy
        self.leader = self.id
        self.leads = True  # whether the cases are decided here
        self.links: set[str] = set()
        self.first_at: int | None = None
        self.used_at = 0
        self.facts: dict[FactKey, dict[str, Fact]] = {}  # -> by the id that told it
        self.events: dict[EventKey, Heard] = {}
        self.timeline = Timeline(policy, self.id, alone=self.alone)
        self.surveys: dict[str, list[Event]] = {}  # by contact_id, in fold order
        self.answers: dict[str, Event] = {}  # contact_id -> the last that says yes or no
        self.surveyed: set[str] = set()  # contacts whose surveys must be looked at
        self._sweeps: list[int] = []  # when to look for what has grown old

    def best(self, key: FactKey) -> Fact | None:
        """The newest of what was told of a contact; the same contact may come from several ids."""
        told = self.facts.get(key)
        if not told:
            return None
        if len(told) == 1:
            return next(iter(told.values()))
        return max(told.items(), key=lambda item: (item[1].revision, item[0]))[1]

    def put(self, fact: Fact, origin: str) -> bool:
        """Take what ``origin`` tells of a contact; False if it is no news."""
        key = (fact.contact_id, fact.generation)
        told = self.facts.setdefault(key, {})
        known = told.get(origin)
        if known is not None and known.revision >= fact.revision:
            return False
        told[origin] = fact
        self.use(fact.arrived_at, fact.last_at or fact.decided_at)
        old_at = self._old_at(fact)
        if old_at is not None:
            heappush(self._sweeps, old_at)
        self._show(key)
        return True

    def take_back(self, key: FactKey, origin: str, revision: int) -> bool:
        """Forget what ``origin`` told of a contact up to ``revision``; False if there is nothing to forget."""
        told = self.facts.get(key, {})
        if origin not in told or told[origin].revision > revision:
            return False
        del told[origin]
        if not told:
            del self.facts[key]
        self._show(key)
        return True

    def hear(self, event: Event, origin: str) -> bool:
        """Take an event; False if ``origin`` told it before (of different copies the one that sorts first counts)."""
        key = (event[4], event[3])
        known = self.events.get(key)
        if known is None:
            self.events[key] = Heard(event, {origin})
            self.use(event[0], event[0])
            heappush(self._sweeps, self._spent_at(event))
            if self.leads:
                self._listen(event)
            return True
        if sorts_first(event, known.event):
            self.events[key] = Heard(event, known.origins)
            self.rebuild()
        if origin in known.origins:
            return False
        known.origins.add(origin)
        return True

    def unhear(self, key: EventKey, origin: str) -> bool:
        """Forget an event that ``origin`` told; False if it did not."""
        known = self.events.get(key)
        if known is None or origin not in known.origins:
            return False
        known.origins.discard(origin)
        if not known.origins:
            del self.events[key]
            self.rebuild()
        return True

    def follow(self, leader: str) -> None:
        """Have another leader; who led until now decides nothing any more."""
        self.leader, self.leads = leader, leader == self.id
        self.rebuild()

    def rebuild(self) -> None:
        """Make the cases anew from what is stored; whatever was or is must be looked at again."""
        touched = self.timeline.touched | set(self.timeline.cases)
        self.timeline = Timeline(self.policy, self.id, alone=self.alone)
        self.surveyed |= self.surveys.keys()
        self.surveys, self.answers = {}, {}
        if self.leads:
            for heard in sorted(self.events.values(), key=lambda heard: heard.event):
                self._listen(heard.event)
            facts = [fact for key in self.facts if (fact := self.best(key)) is not None]
            for fact in sorted(facts, key=order_of):
                self.timeline.put(fact)
            self.timeline.place()
        self.timeline.touched |= touched
        self.surveyed |= self.surveys.keys()

    def remember(self) -> None:
        """What is stored has been put back: make the cases, and note when to look for what has grown old."""
        self.leads = self.leader == self.id
        old = [at for key in self.facts if (at := self._old_at(self.best(key))) is not None]
        self._sweeps = sorted([*old, *(self._spent_at(heard.event) for heard in self.events.values())])
        self.rebuild()

    def sweep_at(self) -> int | None:
        """When to look at what is in no case at the earliest; for who has nothing left, when the links end."""
        if self._sweeps:
            return self._sweeps[0]
        if self.facts or self.events or not self.links:
            return None
        return self.used_at + self.policy.identity_ttl_ms

    def let_go(self, watermark: int, gone: list[Case]) -> tuple[list[FactKey], list[EventKey]]:
        """Forget the cases that are ``gone`` with all that is in them, and what is old and in none.

        What stays makes the same cases as before.

        Returns:
            The contacts and the events forgotten.
        """
        while self._sweeps and self._sweeps[0] <= watermark:
            heappop(self._sweeps)
        names = {case.id for case in gone}
        staying = [case for case in self.timeline.cases.values() if case.id not in names]
        kept = {key for case in staying for key in _contacts_of(case)}
        contacts = {key for case in gone for key in _contacts_of(case)}
        contacts |= {key for key in self.facts.keys() - kept if _past(self._old_at(self.best(key)), watermark)}
        spoken = {(event[4], event[3]) for case in staying for event in (*case.events, *self.timeline.merges(case.id))}
        events = {(event[4], event[3]) for case in gone for event in case.events}
        about = self._asked_about()
        for key, heard in self.events.items():
            asked = about.get(key)
            spent = key not in spoken and asked is None and self._spent_at(heard.event) <= watermark
            if spent or asked in contacts:
                events.add(key)
        if contacts or events:
            for contact in contacts:
                self.facts.pop(contact, None)
            for event in events:
                self.events.pop(event, None)
            touched, surveyed = set(self.timeline.touched), set(self.surveyed)
            self.rebuild()
            self.timeline.touched, self.surveyed = touched, surveyed
        if not self.facts and not self.events and self.used_at + self.policy.identity_ttl_ms <= watermark:
            self.links.clear()
        return list(contacts), list(events)

    def _asked_about(self) -> dict[EventKey, FactKey]:
        """Of each survey event the contact it is about, where one is known."""
        asked = {key: heard.event for key, heard in self.events.items() if heard.event[2] in SURVEYS}
        generations: dict[str, list[int]] = {event[5].contact_id: [] for event in asked.values()}
        for contact_id, generation in sorted(self.facts) if asked else ():
            if contact_id in generations:
                generations[contact_id].append(generation)
        found = {}
        for key, event in asked.items():
            about = generation_of(event, generations[event[5].contact_id])
            if about is not None:
                found[key] = (event[5].contact_id, about)
        return found

    def asked(self, contact_id: str) -> list[Asked]:
        """The surveys about a contact_id, by the contact they are about; none where nobody was asked."""
        told = self.surveys.get(contact_id)
        return asked_about(told, self.timeline.generations(contact_id)) if told else []

    @property
    def empty(self) -> bool:
        """Whether nothing is left to remember."""
        return not self.facts and not self.events and not self.links

    def _show(self, key: FactKey) -> None:
        """Put what is known of a contact into the timeline."""
        if not self.leads:
            return
        best = self.best(key)
        known = self.timeline.facts.get(key)
        if best is None:
            self.timeline.remove(key)
        elif best is not known:
            self.timeline.put(best)
        if key[0] in self.surveys:
            self.surveyed.add(key[0])

    def _listen(self, event: Event) -> None:
        """Put an event where it belongs."""
        if event[2] in SURVEYS:
            contact_id = event[5].contact_id
            told = self.surveys.setdefault(contact_id, [])
            told.append(event)
            told.sort()
            answers = [e for e in told if is_answer(e) and e[5].resolved is not None]
            if answers:
                self.answers[contact_id] = answers[-1]
            self.surveyed.add(contact_id)
            self.timeline.look_at(contact_id)
        elif event[2] != LINKED:
            self.timeline.tell(event)

    def use(self, first_at: int, last_at: int) -> None:
        """Something that began and ended then was told of the person, ms."""
        self.first_at = first_at if self.first_at is None else min(self.first_at, first_at)
        self.used_at = max(self.used_at, last_at)

    def _old_at(self, fact: Fact | None) -> int | None:
        """When a contact that is in no case is of no use any more; None while it goes on."""
        if fact is None or fact.ended_at is None:
            return None
        last = max(fact.arrived_at, fact.ended_at, fact.last_at or 0)
        return hour_after(last + self.policy.longest_window_ms + self.policy.lateness_ms)

    def _spent_at(self, event: Event) -> int:
        """When an event that belongs to nothing is of no use any more."""
        kept = 0 if event[2] == LINKED else self.policy.longest_window_ms
        return hour_after(event[0] + kept + self.policy.lateness_ms)


def hour_after(at: int) -> int:
    """The whole hour at or after ``at`` (ms): what leaves, leaves together."""
    return -(-at // HOUR_MS) * HOUR_MS


def _contacts_of(case: Case) -> list[FactKey]:
    return [(fact.contact_id, fact.generation) for fact in (*case.contacts, *case.attempts, *case.linked)]


def _past(at: int | None, watermark: int) -> bool:
    return at is not None and at <= watermark
