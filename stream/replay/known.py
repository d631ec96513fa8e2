"""What is known once everything was read: contacts as rows, people with their cases, and what was told of them.

A `Known` is filled from a recording (everything in it) or from topics (what belongs to one question); the answers of
`explain` are made from it alone. Looking changes nothing. Times in ms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from stream.core.agents.cells import add_spell
from stream.core.cases.book import CaseBook
from stream.core.cases.dossier import wake
from stream.core.cases.fact import FOREVER
from stream.core.cases.person import KNOWN
from stream.core.contacts.cells import contributions
from stream.core.contacts.outcome import is_inferred, standing
from stream.core.contacts.report import contact_report
from stream.replay.stages import KEPT_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stream.core.agents.staff import Spell
    from stream.core.cases.case import Case
    from stream.core.cases.dossier import Dossier
    from stream.core.cases.fact import FactKey
    from stream.core.cases.person import Person
    from stream.core.cases.report import Report
    from stream.core.contacts.contact import Contact
    from stream.core.contacts.row import Row
    from stream.core.figures.figures import Contributions
    from stream.replay.stages import Stages

Told = dict[str, Any]  # a record of an output topic


class CaseSeen(NamedTuple):
    """A case at the settlement, what the verdicts topic would say of it, and what it is worth."""

    case: Case
    report: Report
    worth: Contributions
    left: bool  # nothing can change it any more; it is not among the open ones


class PersonSeen(NamedTuple):
    """Somebody who leads (2-numbers 2.10), with all cases."""

    person: Person
    cases: dict[str, CaseSeen]
    surveys: dict[str, Contributions]  # by the contact_id asked about


@dataclass
class Known:
    """Both stages with everything read, and what the output topics told.

    Attributes:
        stages: fed; kept so that nothing has left.
        contacts_at: the watermark of the shard of a contact, None while there is none.
        settled: the watermark at which cases are seen.
        verdicts: the newest record of each case, as told; empty for a recording.
        outcomes: the newest record of each contact and generation, as told; empty for a recording.
        corrections: that concern what was asked for.
        kept_out: records of what was asked for that were rejected: `occurred_at`, `type`, `reason`, `detail`.
        counts: of the cell asked for, by series as stored; None = nothing is known of such a cell.
        home_of: the shard of the case stage that a customer belongs to.
    """

    stages: Stages
    contacts_at: Callable[[str], int | None]
    settled: int | None
    verdicts: dict[str, Told] = field(default_factory=dict)
    outcomes: dict[FactKey, Told] = field(default_factory=dict)
    corrections: list[Told] = field(default_factory=list)
    kept_out: list[Told] = field(default_factory=list)
    counts: dict[str, int] | None = None
    home_of: Callable[[str], int] = lambda _customer: 0

    def row(self, contact_id: str) -> Row | None:
        """All generations of a contact_id with their events."""
        return self.stages.contacts.row(contact_id)

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Every contact_id with its row; those at rest stay at rest."""
        shard = self.stages.contacts
        yield from list(shard.hot.items())
        for name, packed in list(shard.frozen.items()):
            row = shard.codec.unpack_row(packed, shard.pages.of(name))
            row.fold(shard.policy)
            yield name, row

    def worth_of(self, contact_id: str, contact: Contact) -> Contributions:
        """What the contact stage counts for one generation."""
        into: Contributions = {}
        figures, at = self.stages.contacts.figures, self.contacts_at(contact_id)
        stands = standing(contact, figures.policy, inferred=is_inferred(contact, at, figures.policy))
        contributions(contact, stands, figures, at, into)
        return into

    def spells(self) -> Iterator[tuple[str, Spell, Contributions]]:
        """Every spell of every agent that is over: the agent, the spell, and what it counts."""
        shard = self.stages.contacts
        for agent, statuses in shard.staff.agents.items():
            for spell in statuses.spells():
                into: Contributions = {}
                add_spell(agent, *spell, shard.figures, into)
                yield agent, spell, into

    def report_of(self, contact_id: str, contact: Contact) -> Report:
        """One generation in the words of the outcomes topic."""
        at, policy = self.contacts_at(contact_id), self.stages.policy
        return contact_report(contact, policy, at, inferred=is_inferred(contact, at, policy))

    def people(self, needle: str | None = None) -> Iterator[PersonSeen]:
        """Everybody who leads; with a ``needle``, at least everybody whose contacts or events name it."""
        people, codec = self.stages.cases.people, self.stages.codec
        packed = b"" if needle is None else codec.pack(needle)[1:-1]
        for dossier in list(people.hot.values()):
            if dossier.person.leads:
                yield self._see(dossier)
        for key, rest in list(people.resting.items()):
            if any(packed in row for row in rest):
                dossier = wake(key, rest, self.stages.cases.figures, codec)
                if dossier.person.leads:
                    yield self._see(dossier)

    def ids_of(self, customer: str) -> set[str]:
        """Every id that is the same person as ``customer``, itself included."""
        found, new = {customer}, [customer]
        while new:
            dossier = self.stages.cases.people.get(KNOWN + new.pop())
            links = set() if dossier is None else dossier.person.links - found
            found |= links
            new += links
        return found

    def person(self, customer: str) -> PersonSeen | None:
        """Who leads the ids that ``customer`` is one of."""
        dossier = self.stages.cases.people.get(KNOWN + customer)
        if dossier is not None and not dossier.person.leads:
            dossier = self.stages.cases.people.get(KNOWN + dossier.person.leader)
        return None if dossier is None else self._see(dossier)

    def _see(self, dossier: Dossier) -> PersonSeen:
        """Draw every conclusion anew, at the settlement, beside those that are stored."""
        person = dossier.person
        person.timeline.place()
        person.timeline.touched |= set(person.timeline.cases)
        person.surveyed |= person.surveys.keys()
        book = CaseBook(person, self.stages.cases.figures)
        reports = {one.case: one.report or {} for one in book.revalue(self.settled)}
        cases = {}
        for name, case in person.timeline.cases.items():
            left = self.settled is not None and book.leaves.get(name, FOREVER) - KEPT_MS <= self.settled
            worth = {
                key: amount
                for key, amount in book.booked[name].items()
                if not (left and key[0].family == "contact_cases_open")
            }
            cases[name] = CaseSeen(case, reports[name], worth, left)
        return PersonSeen(person, cases, book.asked)
