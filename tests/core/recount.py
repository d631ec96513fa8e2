"""Cases, verdicts and figures once more, from all events at once: the words of 2-numbers 2.7-2.10 as plainly as can be.

Nothing is incremental here, nothing is forgotten, nothing is fast. Contacts are folded by stage one; everything after
that is written anew. Times in ms. What a word of the specification leaves open is read as the comment beside it says.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stream.core.contacts.outcome import is_inferred
from stream.core.contacts.report import contact_report
from stream.core.contacts.row import Row
from stream.core.events import RANKS, Rejection
from stream.wire.rows import JsonCodec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.core.events import Event
    from stream.core.policy import Policy
    from tests.core.case_histories import Told

END_OF_TIME = 1 << 60
GIVEN_UP = ("abandoned", "abandoned_short", "abandoned_step")
TICKET_WORDS = ("case.opened", "case.resolved", "case.reopened", "case.closed")
TYPES = {rank: name for name, rank in RANKS.items()}


@dataclass
class Contact:
    """A contact as its final outcome says."""

    contact_id: str
    generation: int
    told: dict[str, Any]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  a field of an outcome record
        """The field of the outcome."""
        if name == "told":
            raise AttributeError(name)
        return self.told[name]

    @property
    def place(self) -> tuple[int, str, int]:
        """Its place among the contacts of its customer."""
        return self.arrived_at, self.contact_id, self.generation

    @property
    def inbound(self) -> bool:
        """Whether the customer came."""
        return bool(self.direction == "inbound")

    def over(self, at: int) -> int | None:
        """Since when it was over, seen at ``at``; None while it went on."""
        if self.ended_at is not None and self.ended_at <= at:
            return int(self.ended_at)
        found = [ended for ended, served in self.ends if ended <= at < served]
        return max(found, default=None)

    @property
    def ends(self) -> list[tuple[int, int]]:
        """Ends after which somebody was served again; to be called resolved is no end."""
        called = [word["at"] for word in self.dispositions if word["resolution"] == "resolved"]
        return [(stopped, served) for stopped, served in self.reopens if stopped not in called]

    @property
    def first_over(self) -> int | None:
        """When it was over for the first time."""
        found = [ended for ended, _ in self.ends]
        return min(found + ([] if self.ended_at is None else [self.ended_at]), default=None)

    def active(self, at: int) -> int:
        """When it was last active, seen at ``at``: silences of less than an hour are not known."""
        if self.last_at is not None and self.last_at <= at:
            return int(self.last_at)
        return next((since for since, until in reversed(self.pauses) if since <= at < until), at)

    def going_on(self, at: int) -> bool:
        """Whether somebody is being served in it at ``at``; a thread of e-mail is never served in this sense."""
        return bool(self.channel != "email" and self.over(at) is None and self.active(at) == at)

    def words(self, mode: str, at: int) -> list[dict[str, Any]]:
        """The dispositions that count, up to ``at``."""
        said = [word for word in self.dispositions if word["at"] <= at]
        if mode == "confirmed":
            return [word for word in said if word["resolution"] != "resolved" or word["confirmed"]]
        return said

    def resolved(self, mode: str, at: int, *, ticket: bool) -> int | None:
        """Since when it resolved its case, seen at ``at``; None if it did not."""
        if mode == "case":
            return None
        end = self.first_over if at == END_OF_TIME else self.over(at)
        words = [] if mode == "no_repeat" else self.words(mode, at)
        if words:
            if words[-1]["resolution"] != "resolved":
                return None
            since = int(words[-1]["at"])
            for word in reversed(words):  # the run of "resolved" at the end: r is its beginning
                if word["resolution"] != "resolved":
                    break
                since = word["at"]
            return since if end is None else min(since, end)
        implied = mode == "no_repeat" or (mode == "auto" and not ticket)
        if implied and self.outcome == "handled" and self.decided_at <= at:
            return end
        return None


@dataclass
class Case:
    """One issue of one customer."""

    name: str
    person: str | None
    ticket: list[Event]
    contacts: list[Contact] = field(default_factory=list)
    linked: list[Contact] = field(default_factory=list)
    attempts: list[Contact] = field(default_factory=list)

    @property
    def issue(self) -> str | None:
        """The first its contacts state."""
        return next((contact.issue for contact in self.contacts if contact.issue is not None), None)

    @property
    def eligible(self) -> list[Contact]:
        """The inbound ones, in order."""
        return [contact for contact in self.contacts if contact.inbound]

    @property
    def home(self) -> Contact | None:
        """The contact whose channel and queue it has; an outbound one only where nobody came."""
        return next(iter(self.eligible or self.linked or self.contacts), None)

    def spoken(self, mode: str, at: int) -> list[Event]:
        """What the ticket system said of open and resolved, where it is heard."""
        if mode not in ("auto", "case"):
            return []
        return [event for event in self.ticket if event[0] <= at and TYPES[event[2]] in TICKET_WORDS]

    def resolved(self, mode: str, at: int) -> int | None:
        """Its latest resolution if it is resolved, seen at ``at``: the latest contact that says so or not decides."""
        words = self.spoken(mode, at)
        decider = None
        for contact in self.contacts:
            if contact.inbound or contact.words(mode, at) or contact.resolved(mode, at, ticket=False) is not None:
                decider = contact
        if not words:
            return None if decider is None else decider.resolved(mode, at, ticket=False)
        last = words[-1]
        if mode == "auto" and decider is not None:
            own = decider.words(mode, at)
            if own and own[-1]["at"] >= last[0]:
                return decider.resolved(mode, at, ticket=True)
        return last[0] if TYPES[last[2]] in ("case.resolved", "case.closed") else None

    def active(self, at: int) -> int | None:
        """When it was last active, seen at ``at``; None before it began."""
        found = [event[0] for event in self.ticket if event[0] <= at]
        return max(found + [contact.active(at) for contact in self.contacts], default=None)


@dataclass
class Person:
    """Everything told of one person."""

    name: str | None  # None: a contact whose customer nobody knows
    contacts: list[Contact] = field(default_factory=list)
    tickets: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    merged: list[Event] = field(default_factory=list)
    surveys: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))


def people_of(told: Iterable[Told], policy: Policy, watermark: int | None) -> list[Person]:
    """Every person with what was told of it; ids that were ever linked are one person."""
    rows, spoken, links = _decoded(told)
    leaders: dict[str, str] = {}

    def leader(customer: str) -> str:
        while customer in leaders:
            customer = leaders[customer]
        return customer

    for alias, customer in links:
        small, large = sorted((leader(alias), leader(customer)))
        if small != large:
            leaders[large] = small
    people: dict[str, Person] = {}
    alone: list[Person] = []
    for contact in (contact for name, row in rows.items() for contact in _folded(name, row, policy, watermark)):
        if contact.customer is None:
            alone.append(Person(None, [contact]))
        else:
            customer = leader(contact.customer)
            people.setdefault(customer, Person(customer)).contacts.append(contact)
    copies: dict[tuple[str, str, str], Event] = {}
    for customer, event in spoken:
        name = (leader(customer), event[4], event[3])
        copies[name] = min(event, copies.get(name, event))  # of copies the one first in fold order
    for (customer, _, _), event in copies.items():
        _hear(people.setdefault(customer, Person(customer)), event)
    return [*people.values(), *alone]


def _decoded(
    told: Iterable[Told],
) -> tuple[dict[str, list[Event]], list[tuple[str, Event]], list[tuple[str, str]]]:
    """Events by contact; those of customers; the pairs of ids that were linked."""
    codec = JsonCodec()
    rows: dict[str, list[Event]] = defaultdict(list)
    spoken: list[tuple[str, Event]] = []
    links: list[tuple[str, str]] = []
    for one in told:
        record = one.record
        event = codec.decode(record.topic, record.key, record.value)
        if isinstance(event, Rejection):
            raise TypeError(event)
        body: Any = event[5]
        if one.topic != "cases":
            rows[body.contact_id].append(event)
        elif TYPES[event[2]] == "identity.linked":
            links.append((body.alias, body.customer))
        else:
            spoken.append((body.customer, event))
    return rows, spoken, links


def _folded(name: str, events: list[Event], policy: Policy, watermark: int | None) -> list[Contact]:
    """The generations of a contact that the case stage was told of."""
    row = Row()
    row.add([(event, -END_OF_TIME) for event in events], policy)
    found = []
    for contact in row.contacts:
        inferred = is_inferred(contact, watermark, policy)
        report = dict(contact_report(contact, policy, watermark, inferred=inferred))
        if report["outcome"] != "open" or report["case_id"] is not None:
            found.append(Contact(name, contact.first_at, report))
    return found


def _hear(person: Person, event: Event) -> None:
    body: Any = event[5]
    kind = TYPES[event[2]]
    if kind == "case.merged":
        person.merged.append(event)
    elif kind.startswith("case."):
        person.tickets[body.case_id].append(event)
    elif kind.startswith("survey."):
        person.surveys[body.contact_id].append(event)


def cases_of(person: Person, policy: Policy) -> list[Case]:
    """The cases of one person: its contacts in order, each to the first case that takes it."""
    known = _tickets_of(person)
    cases = {
        name: Case(name, person.name, events)
        for name, events in known.items()
        if any(TYPES[event[2]] == "case.opened" for event in events)
    }
    waiting: list[Contact] = []  # attempts without an eligible contact since
    into = _merges(person)
    for contact in sorted(person.contacts, key=lambda one: one.place):
        ticket = into.get(contact.case_id, contact.case_id)
        if not _eligible(contact, policy):
            if person.name is None:
                continue
            if contact.inbound and contact.outcome in GIVEN_UP:
                waiting.append(contact)
            elif contact.inbound and ticket in cases:
                cases[ticket].linked.append(contact)
            elif contact.direction == "outbound" and contact.outcome == "handled":
                case = cases.get(ticket) if ticket is not None else _case_of(contact.previous_contact_id, cases)
                if case is not None:
                    case.contacts.append(contact)
            continue
        found = None if person.name is None else _taken_by(contact, ticket, cases, policy)
        if found is None:
            name = ticket if person.name is not None else None
            own = f"unidentified:{contact.contact_id}/{contact.generation}"
            if person.name is not None:
                own = f"contact:{contact.contact_id}/{contact.generation}/{person.name}"
            found = cases[name or own] = Case(name or own, person.name, known.get(name or "", []))
        found.contacts.append(contact)
        near = policy.window_ms(found.issue)
        found.attempts += [one for one in waiting if contact.arrived_at - one.arrived_at < near]
        waiting = []
    return list(cases.values())


def _merges(person: Person) -> dict[str, str]:
    """Which ticket each ticket belongs to; of a circle the first link counts."""
    into: dict[str, str] = {}
    for event in sorted(person.merged):
        body: Any = event[5]
        old, new = into.get(body.case_id, body.case_id), into.get(body.into, body.into)
        if old != new:
            into = {name: new if target == old else target for name, target in into.items()} | {old: new}
    return into


def _tickets_of(person: Person) -> dict[str, list[Event]]:
    into = _merges(person)
    events: dict[str, list[Event]] = defaultdict(list)
    for name, told in person.tickets.items():
        events[into.get(name, name)] += told
    return {name: sorted(told) for name, told in events.items()}


def _eligible(contact: Contact, policy: Policy) -> bool:
    if not contact.inbound:
        return False
    if policy.cases.abandoned == "fail" and contact.outcome in GIVEN_UP:
        return True
    return contact.outcome in ("handled", "voicemail", "callback")


def _case_of(contact_id: str | None, cases: dict[str, Case]) -> Case | None:
    """The case of the latest generation of a contact that is in one so far."""
    found = [
        (contact.place, case)
        for case in cases.values()
        for contact in case.contacts
        if contact.contact_id == contact_id
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _taken_by(contact: Contact, ticket: str | None, cases: dict[str, Case], policy: Policy) -> Case | None:
    """Rules (1) to (3); None: a new case."""
    if ticket is not None:
        return cases.get(ticket)
    before = _case_of(contact.previous_contact_id, cases)
    if before is not None:
        return before
    at, fitting = contact.arrived_at, []
    for case in cases.values():
        either = case.issue is None or contact.issue is None
        same = case.issue == contact.issue or (policy.cases.match == "issue_if_known" and either)
        active = case.active(at)
        if active is None or not (same or policy.cases.match == "customer"):
            continue
        resolved = case.resolved(policy.cases.resolution, at)
        since = active if resolved is None else resolved
        if at < since + policy.window_ms(case.issue or contact.issue):  # W of the case as it would be
            fitting.append((active, case.home.arrived_at if case.home else case.ticket[0][0], case.name))
    return cases[max(fitting)[2]] if fitting else None
