"""Ids that are one person, in one partition: who leads, who relays what to whom (2-numbers 2.10).

Each id's home keeps its neighbours and its leader, the smallest id known to be the same person. What is told under an
id that does not lead is relayed to the leader; a message for an id of the same partition is delivered at once, without
travel. What a batch touched is collected here; `case_shard` looks at it afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.core.cases.fact import eligible
from stream.core.cases.links import BACK, EVENT, FACT, LINK, UNSAY, Message
from stream.core.cases.person import KNOWN, LINKED

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.core.cases.dossier import Dossier
    from stream.core.cases.fact import Fact, FactKey
    from stream.core.cases.people import People
    from stream.core.events import Event


class Homes:
    """The homes of all ids of one partition."""

    __slots__ = ("_is_here", "_outbox", "_people", "dropped", "moved", "opened", "sent", "touched")

    def __init__(self, people: People, is_here: Callable[[str], bool]) -> None:
        """``is_here`` says whether a customer's home is this partition."""
        self._people = people
        self._is_here = is_here
        self._outbox: list[Message] = []
        self.sent: list[Message] = []  # for homes elsewhere
        self.opened: set[str] = set()  # persons that may have been changed
        self.touched: dict[str, str] = {}  # person -> the event that touched it last
        self.moved: set[str] = set()  # persons whose leader changed, and their leaders
        self.dropped = 0  # news of contacts whose case has left

    def begin(self) -> None:
        """A batch begins."""
        self._outbox, self.sent = [], []
        self.opened, self.touched, self.moved, self.dropped = set(), {}, set(), 0

    def put(self, key: str, fact: Fact, origin: str, *, first: bool) -> None:
        """Take what is told of a contact; who does not lead relays it."""
        dossier = self._open(key)
        person = dossier.person
        contact = (fact.contact_id, fact.generation)
        if person.leads and not first and contact not in person.facts:
            if eligible(fact, person.policy.cases):
                self.dropped += 1
            return
        cause, fact.cause, fact.first = fact.cause, "", False
        before = None if person.leads else person.best(contact)
        if not person.put(fact, origin):
            return
        dossier.store_fact(contact)
        self.touched[key] = cause
        if person.leads:
            return
        best = person.best(contact)
        if best is not before and best is not None:
            self._send(person.leader, Message(FACT, person.leader, person.id, cause, fact=best, first=first))

    def take_back(self, key: str, origin: str, contact: FactKey, why: tuple[int, str]) -> None:
        """``origin`` takes a contact back; ``why``: up to which revision, and the event that made it so."""
        dossier = self._get(key)
        if dossier is None:
            return
        person, (revision, cause) = dossier.person, why
        before = person.best(contact)
        if person.take_back(contact, origin, revision):
            dossier.store_fact(contact)
            self.touched[key] = cause
        elif before is not None:
            return
        if not person.leads and (before is None or person.best(contact) is not before):
            self._relay_less(dossier, contact, (revision if before is None else before.revision, cause))

    def _relay_less(self, dossier: Dossier, contact: FactKey, why: tuple[int, str]) -> None:
        """Take back what was relayed of a contact, up to a revision; then relay what another id told of it, if any.

        A contact that is unknown here may have left; where the cases are decided it stays while its case is open.
        """
        revision, cause = why
        best, me, leader = dossier.person.best(contact), dossier.person.id, dossier.person.leader
        name = (contact[0], str(contact[1]))
        self._send(leader, Message(BACK, leader, me, cause, key=name, revision=revision))
        if best is not None:
            self._send(leader, Message(FACT, leader, me, cause, fact=best))

    def hear(self, key: str, event: Event, origin: str) -> bool:
        """Take an event; who does not lead relays it. False for a duplicate, even if it counts as it sorts first."""
        dossier = self._open(key)
        person = dossier.person
        name = (event[4], event[3])
        before = person.events.get(name)
        fresh = person.hear(event, origin)
        if not fresh and person.events[name] is before:
            return False
        dossier.store_event(name)
        self.touched[key] = event[3]
        if not person.leads and event[2] != LINKED:
            self._send(
                person.leader, Message(EVENT, person.leader, person.id, event[3], event=person.events[name].event)
            )
        return fresh

    def link(self, alias: str, customer: str, event: Event) -> None:
        """Two ids are one person: the alias' home knows, the customer's is told."""
        if alias == customer:
            return
        person = self._open(KNOWN + alias).person
        person.links.add(customer)
        if customer < person.leader:
            self._follow(alias, customer, event[3])
        told = Message(LINK, customer, alias, event[3], leader=person.leader, at=event[0])
        self._send(customer, told)

    def receive(self, message: Message) -> None:
        """Do what the home of another id asks for."""
        key, sender = KNOWN + message.to, message.sender
        if message.kind == LINK:
            self._receive_link(message)
        elif message.kind == FACT and message.fact is not None:
            message.fact.cause = message.cause
            self.put(key, message.fact, sender, first=message.first)
        elif message.kind == BACK:
            contact = (message.key[0], int(message.key[1]))
            self.take_back(key, sender, contact, (message.revision, message.cause))
        elif message.kind == EVENT and message.event is not None:
            self.hear(key, message.event, sender)
        elif message.kind == UNSAY:
            self._unsay(key, sender, message)

    def _unsay(self, key: str, origin: str, message: Message) -> None:
        dossier = self._get(key)
        if dossier is None or not dossier.person.unhear(message.key, origin):
            return
        person = dossier.person
        dossier.store_event(message.key)
        self.touched[key] = message.cause
        if not person.leads and message.key not in person.events:
            self._send(person.leader, Message(UNSAY, person.leader, person.id, message.cause, key=message.key))

    def _receive_link(self, message: Message) -> None:
        me, other = message.to, message.sender
        dossier = self._open(KNOWN + me)
        person = dossier.person
        person.use(message.at, message.at)
        person.links.add(other)
        self.touched[KNOWN + me] = message.cause
        if message.leader < person.leader:
            self._follow(me, message.leader, message.cause)
        elif person.leader < message.leader:
            self._send(other, Message(LINK, other, me, message.cause, leader=person.leader, at=message.at))

    def _follow(self, me: str, leader: str, cause: str) -> None:
        """Follow a smaller id: tell the neighbours, and give everything to the new leader instead of the old."""
        dossier = self._open(KNOWN + me)
        person, former = dossier.person, dossier.person.leader
        person.follow(leader)
        self.touched[KNOWN + me] = cause
        for neighbour in sorted(person.links):
            self._send(neighbour, Message(LINK, neighbour, me, cause, leader=leader, at=person.used_at))
        for contact in sorted(person.facts):
            best = person.best(contact)
            if best is None:
                continue
            if former != me:
                name = (contact[0], str(contact[1]))
                self._send(former, Message(BACK, former, me, cause, key=name, revision=best.revision))
            self._send(leader, Message(FACT, leader, me, cause, fact=best))
        for name, heard in sorted(person.events.items()):
            if heard.event[2] == LINKED:
                continue
            if former != me:
                self._send(former, Message(UNSAY, former, me, cause, key=name))
            self._send(leader, Message(EVENT, leader, me, cause, event=heard.event))
        if self._is_here(leader):
            self.moved |= {KNOWN + me, KNOWN + leader, KNOWN + former}

    def _send(self, to: str, message: Message) -> None:
        if to != message.sender:
            self._outbox.append(message)

    def deliver(self) -> None:
        """Hand every message over that stays here; the others are `sent`."""
        while self._outbox:
            message = self._outbox.pop(0)
            if self._is_here(message.to):
                self.receive(message)
            else:
                self.sent.append(message)

    def _open(self, key: str) -> Dossier:
        self.opened.add(key)
        return self._people.open(key)

    def _get(self, key: str) -> Dossier | None:
        self.opened.add(key)
        return self._people.get(key)
