"""A customer's contacts and ticket events to cases, in order, step by step and back (2-numbers 2.7).

`Timeline` places contacts in the order (`arrived_at`, `contact_id`). Each placement remembers what it changed, so that
a contact told anew, or told late, undoes only what came after it: a customer with ten thousand contacts costs as
much for the last as for the first. The cases are the same whatever the order of telling (a law).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, NamedTuple

from stream.core.cases.case import MERGED, OPENED, Case, count
from stream.core.cases.fact import ABANDONED, OWN, UNKNOWN_OWN, eligible, order_of

if TYPE_CHECKING:
    from stream.core.cases.case import Saved
    from stream.core.cases.fact import Fact, FactKey
    from stream.core.events import Event
    from stream.core.policy import Policy


class Step(NamedTuple):
    """What placing one contact changed, to be put back."""

    role: str = ""  # contact, linked, attempt
    case: Case | None = None
    created: bool = False
    saved: Saved | None = None
    pending: list[Fact] | None = None
    taken: int = 0  # attempts


class Timeline:
    """All contacts and ticket events of one customer, and the cases they make; placing is lazy (`place`).

    ``alone`` = nobody knows who it is: every contact is a case of its own.
    """

    __slots__ = (
        "_generations",
        "_into",
        "_keys",
        "_merges",
        "_of",
        "_pending",
        "_steps",
        "_tickets",
        "alone",
        "cases",
        "facts",
        "order",
        "owner",
        "policy",
        "touched",
    )

    def __init__(self, policy: Policy, owner: str, *, alone: bool = False) -> None:
        """Nothing is known; ``owner`` is the customer."""
        self.owner = owner
        self.policy = policy
        self.alone = alone
        self.facts: dict[FactKey, Fact] = {}
        self.order: list[Fact] = []
        self.cases: dict[str, Case] = {}
        self.touched: set[str] = set()  # cases to be looked at; whoever does so clears it
        self._generations: dict[str, list[int]] = {}  # contact_id -> those known, ascending
        self._keys: list[tuple[int, str, int]] = []
        self._steps: list[Step] = []  # of the contacts placed so far
        self._pending: list[Fact] = []  # abandoned, and no eligible contact since
        self._of: dict[str, list[Case]] = {}  # contact_id -> the cases of its generations, as placed
        self._tickets: dict[str, list[Event]] = {}
        self._merges: list[Event] = []
        self._into: dict[str, str] = {}

    def put(self, fact: Fact) -> None:
        """Take a contact, or what is now known of it."""
        name, key = (fact.contact_id, fact.generation), order_of(fact)
        place = bisect_left(self._keys, key)
        known = self.facts.get(name)
        if known is not None:
            if order_of(known) == key:
                self._rewind(place)
                self.order[place] = self.facts[name] = fact
                return
            self.remove(name)
            place = bisect_left(self._keys, key)
        self._rewind(place)
        self._keys.insert(place, key)
        self.order.insert(place, fact)
        self.facts[name] = fact
        insort(self._generations.setdefault(fact.contact_id, []), fact.generation)

    def remove(self, key: FactKey) -> None:
        """Forget a contact."""
        fact = self.facts.pop(key, None)
        if fact is None:
            return
        place = bisect_left(self._keys, order_of(fact))
        self._rewind(place)
        del self._keys[place], self.order[place]
        self._generations[fact.contact_id].remove(fact.generation)

    def tell(self, event: Event) -> None:
        """Take a ticket event."""
        if event[2] == MERGED:
            insort(self._merges, event)
            self._merge()
            return
        ticket = event[5].case_id or ""
        insort(self._tickets.setdefault(ticket, []), event)
        name = self._canonical(ticket)
        since, known = event[0], self.cases.get(name)
        begins = event[2] == OPENED and (known is None or all(other[2] != OPENED for other in known.events))
        if begins:  # from now on the case is there since the ticket's first event, before any contact that names it
            since = self._events_of(name)[0][0]
        place = bisect_left(self._keys, (since, "", -1))
        if begins:
            place = next((i for i, fact in enumerate(self.order[:place]) if self._ticket_of(fact) == name), place)
        self._rewind(place)
        self._gather(name)

    def place(self) -> None:
        """Place every contact that is not placed."""
        while len(self._steps) < len(self.order):
            self._steps.append(self._placed(self.order[len(self._steps)]))

    def generations(self, contact_id: str) -> dict[int, Fact]:
        """What is known of a contact_id, by generation, ascending."""
        return {name: self.facts[contact_id, name] for name in self._generations.get(contact_id, ())}

    def look_at(self, contact_id: str) -> None:
        """Something beside it was told of a contact: its cases are touched."""
        self.touched.update(case.id for case in self._of.get(contact_id, ()))

    def merges(self, name: str) -> list[Event]:
        """The merges that brought a ticket's case together."""
        return [event for event in self._merges if self._canonical(event[5].case_id or "") == name]

    def _merge(self) -> None:
        """Tickets became part of others: decide anew which, and which events each has."""
        self._rewind(0)
        self.touched.update(self.cases)
        self.cases.clear()
        self._into.clear()
        for event in self._merges:
            old, into = self._canonical(event[5].case_id or ""), self._canonical(event[5].into)
            if old != into:
                self._into[old] = into
        for name in sorted({self._canonical(ticket) for ticket in self._tickets}):
            self._gather(name)

    def _gather(self, name: str) -> None:
        """Give a ticket's events to its case. Only an opening, or a contact, makes a case: never what is told later."""
        events = self._events_of(name)
        if name in self.cases:
            self.cases[name].events = events
        elif any(event[2] == OPENED for event in events):
            self.cases[name] = Case(name, events)
        self.touched.add(name)

    def _events_of(self, name: str) -> list[Event]:
        told = (events for ticket, events in self._tickets.items() if self._canonical(ticket) == name)
        return sorted(event for events in told for event in events)

    def _canonical(self, ticket: str) -> str:
        while ticket in self._into:
            ticket = self._into[ticket]
        return ticket

    def _ticket_of(self, fact: Fact) -> str | None:
        return None if fact.case_id is None else self._canonical(fact.case_id)

    def _placed(self, fact: Fact) -> Step:
        if eligible(fact, self.policy.cases):
            return self._join(fact, None if self.alone else self._match(fact))
        if self.alone:
            return Step()
        if fact.direction == "inbound":
            if fact.outcome in ABANDONED:
                before, self._pending = self._pending, [*self._pending, fact]
                return Step("attempt", pending=before)
            if (case := self.cases.get(self._ticket_of(fact) or "")) is not None:
                case.linked.append(fact)
                self.touched.add(case.id)
                return Step("linked", case)
        elif fact.direction == "outbound" and fact.outcome == "handled" and (case := self._named(fact)) is not None:
            return self._join(fact, case)
        return Step()

    def _named(self, fact: Fact) -> Case | None:
        """The case a contact names: by its ticket, else by the contact before it."""
        ticket = self._ticket_of(fact)
        if ticket is not None:
            return self.cases.get(ticket)
        known = self._of.get(fact.previous_contact_id or "")
        return known[-1] if known else None

    def _match(self, fact: Fact) -> Case | None:
        named = self._named(fact)
        if named is not None or fact.case_id is not None:
            return named
        best: tuple[int, int, str] | None = None
        for case in self.cases.values():
            active = self._fits(case, fact)
            if active is not None and (best is None or (active, case.arrived_at, case.id) > best):
                best = active, case.arrived_at, case.id
        return None if best is None else self.cases[best[2]]

    def _fits(self, case: Case, fact: Fact) -> int | None:
        """When the case was last active, if it takes a contact that names none; else None."""
        match, at = self.policy.cases.match, fact.arrived_at
        if match != "customer" and case.issue != fact.issue:
            known = case.issue is not None and fact.issue is not None
            if match == "issue" or known:
                return None
        active = case.active_as_of(at)
        if active is None:
            return None
        resolved = case.resolved_as_of(self.policy.cases.resolution, at)
        since = active if resolved is None else resolved
        return active if at < since + self.policy.window_ms(case.issue or fact.issue) else None

    def _join(self, fact: Fact, case: Case | None) -> Step:
        """Put a contact into a case, or into a new one."""
        created = case is None
        if case is None:
            name = None if self.alone else self._ticket_of(fact)
            events = [] if name is None else self._events_of(name)
            own = f"{fact.contact_id}/{fact.generation}"
            own = f"{UNKNOWN_OWN}{own}" if self.alone else f"{OWN}{own}/{self.owner}"
            case = Case(name or own, events)
            self.cases[case.id] = case
        saved, policy = case.saved(), self.policy
        if case.contacts:
            before = (*case.overlaps, case.contacts[-1])
            case.overlaps = [f for f in before if f.last_at is None or f.last_at > fact.arrived_at]
        case.contacts.append(fact)
        window, fresh = policy.window_ms(case.issue), [fact]
        if not case.issue and fact.issue and policy.window_ms(fact.issue) != window:
            window, fresh = policy.window_ms(fact.issue), case.contacts
            case.ends, case.tally, case.served, case.back = [], {}, {}, []
            case.handled, case.going = 0, 0
        case.issue = case.issue or fact.issue
        for one in fresh:
            count(case, one, window, policy)
        pending, taken = self._pending, 0
        if fact.direction == "inbound":
            near = [attempt for attempt in pending if fact.arrived_at - attempt.arrived_at < window]
            case.attempts += near
            taken = len(near)
            self._pending = []
        self._of.setdefault(fact.contact_id, []).append(case)
        self.touched.add(case.id)
        return Step("contact", case, created, saved, pending, taken)

    def _rewind(self, place: int) -> None:
        """Undo the placement of every contact from ``place`` on."""
        while len(self._steps) > place:
            step, fact = self._steps.pop(), self.order[len(self._steps)]
            if step.pending is not None:
                self._pending = step.pending
            if step.case is not None:
                self.touched.add(step.case.id)
                self._undo(step, step.case, fact)

    def _undo(self, step: Step, case: Case, fact: Fact) -> None:
        if step.role == "linked":
            case.linked.pop()
            return
        case.contacts.pop()
        del case.attempts[len(case.attempts) - step.taken :]
        if step.saved is not None:
            case.restore(step.saved)
        of = self._of[fact.contact_id]
        of.pop()
        if not of:
            del self._of[fact.contact_id]
        if step.created:
            del self.cases[case.id]
