"""A customer of the simulated centre: the names it goes by, its habits, and what it wants.

    Person  --has-->  Errand (one issue, from the first call on)  --has-->  contacts, tickets

An errand is a case of the truth, except where the centre cannot know: contacts under names nobody has linked, or under
tickets nobody has merged, are cases of their own until somebody does. A person has one contact at a time, and an
errand is over before another one about the same issue begins, so nothing has to be matched.

Source: 2-numbers 2.7 and 2.10.
"""

from random import Random
from typing import TYPE_CHECKING, Final

from stream.demo.truth.verdicts import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.demo.centre.world import World
    from stream.demo.truth.facts import Facts, Ticket

ISSUES: Final = {
    "billing": ("invoice", "refund"),
    "sales": ("contract", "delivery"),
    "support-en": ("login", "delivery"),
    "support-de": ("login", "delivery"),
    "retention": ("contract", "invoice"),
}
"""What customers of a queue come about; labels of the policy."""

_KINDS: Final = ("phone", "device", "email")
_NAMELESS: Final = 0.12
_SEVERAL_NAMES: Final = 0.25
_THREE_NAMES: Final = 0.25
_CERTAIN: Final = 0.55
_STATES_ISSUE: Final = 0.3
_TICKETS: Final = 0.3


class Person:
    """One customer.

    Attributes:
        names: pseudonyms; empty = never says who it is.
        certain: whether the one name is known whenever it calls.
        states_issue: whether every contact says from its start what it is about.
        ticketed: whether an agent opens a ticket for what it wants.
        rng: chance of its own.
        errands: what it has wanted so far.
    """

    __slots__ = ("_one", "certain", "errands", "names", "rng", "states_issue", "ticketed")

    def __init__(self, world: "World") -> None:
        """Meet somebody new."""
        world.people += 1
        self.rng = rng = Random(f"{world.seed}/{world.starts_at}/person/{world.people}")  # noqa: S311 - a simulation
        self.names = _names(rng)
        self._one = {name: {name} for name in self.names}
        self.certain = len(self.names) == 1 and rng.random() < _CERTAIN
        self.states_issue = rng.random() < _STATES_ISSUE
        self.ticketed = self.certain and not self.states_issue and rng.random() < _TICKETS
        self.errands: list[Errand] = []

    def link(self, name: str, other: str) -> None:
        """Two names are now known to be one person's."""
        both = self._one[name] | self._one[other]
        for known in both:
            self._one[known] = both

    def known_as(self, name: str) -> str:
        """Return one name for all names known to be the same person as `name`."""
        return min(self._one[name])


class Errand:
    """One issue of one person.

    Attributes:
        person: whose it is.
        concern: the queue that can help.
        issue: what it is about, said or not.
        contacts: in order of arrival, whatever came of them.
        tickets: in order of opening.
        last_at: when anything was said of it last, ms.
    """

    __slots__ = ("concern", "contacts", "issue", "last_at", "person", "tickets")

    def __init__(self, person: Person, concern: str, issue: str) -> None:
        """Somebody begins to want something."""
        self.person = person
        self.concern = concern
        self.issue = issue
        self.contacts: list[Facts] = []
        self.tickets: list[Ticket] = []
        self.last_at = 0
        person.errands.append(self)

    def cases(self) -> "Iterator[Case]":
        """The cases the centre can know of now, each with at least one contact or ticket."""
        parts: dict[tuple[str, str], Case] = {}
        for ticket in self.tickets:
            part = parts.setdefault((self.person.known_as(ticket.customer), ticket.root.name), Case())
            part.words = sorted((*part.words, *ticket.words))
        for contact in self.contacts:
            if not contact.name:
                continue
            root = contact.ticket.root.name if contact.ticket is not None else ""
            known = (self.person.known_as(contact.name), root)
            if contact.counts:
                parts.setdefault(known, Case()).contacts.append(contact)
            elif contact.linked and known in parts:
                parts[known].linked.append(contact)
        return iter(parts.values())


def _names(rng: Random) -> tuple[str, ...]:
    """None, one, two or three pseudonyms."""
    if rng.random() < _NAMELESS:
        return ()
    several = rng.random() < _SEVERAL_NAMES
    count = 1 if not several else 3 if rng.random() < _THREE_NAMES else 2
    return tuple(f"{kind}:{rng.getrandbits(60):015x}" for kind in rng.sample(_KINDS, count))
