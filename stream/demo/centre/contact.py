"""One simulated contact: whose it is, its own chance, its facts and books, and its voice on the wire.

What becomes of it is told in other rooms (`stream.demo.centre.menu`, `waiting`, `service`, `chat`, `outbound`). Each
decision there is two lines side by side: `say` puts the event on the wire, the account books it. Neither is derived
from the other.

Source: 1-events 1.3 and 1.4.
"""

from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from stream.demo.centre.tickets import open_ticket
from stream.demo.centre.world import stamp
from stream.demo.truth.account import Account
from stream.demo.truth.facts import Facts

if TYPE_CHECKING:
    from stream.demo.centre.people import Errand
    from stream.demo.centre.world import Event, World
    from stream.demo.truth.facts import Ticket

_TOPICS: Final = {"voice": "calls", "chat": "chats", "email": "emails"}
_KNOWN_BY_LINE: Final = 0.82
_ANY_NAME: Final = 0.3
_NOTES_ISSUE: Final = 0.5
_FILED_AT_ONCE: Final = 0.5
_SECOND_TICKET: Final = 0.4


class Reason(NamedTuple):
    """Why somebody gets in touch.

    Attributes:
        errand: what they want.
        channel: voice, chat or email.
        previous: id of the contact this one refers to; empty = none.
    """

    errand: "Errand"
    channel: str = "voice"
    previous: str = ""


class Contact:
    """One contact, by the customer or by an agent.

    Attributes:
        world: what it shares with the others.
        errand: what it is about.
        contact_id: unique within the seed and the start of the run.
        rng: chance of its own, so that one contact's luck does not depend on another's.
        facts: what cases depend on.
        account: its books, if the customer made it.
        verdict: what its agent will say of it; empty = nothing.
    """

    __slots__ = (
        "_numbered",
        "_said",
        "_source",
        "_topic",
        "_unfiled",
        "account",
        "contact_id",
        "errand",
        "facts",
        "rng",
        "verdict",
        "world",
    )

    account: Account

    def __init__(self, world: "World", reason: Reason, *, inbound: bool = True) -> None:
        """Let somebody get in touch now; the first event is not said yet."""
        self.world = world
        self.errand = errand = reason.errand
        world.contacts += 1
        number = world.contacts
        self.rng = Random(f"{world.seed}/{number}")  # noqa: S311 - a simulation
        self.contact_id = f"{number:07d}.{world.seed}.{world.starts_at // 1000:x}"
        self.facts = Facts(reason.channel, world.now, inbound=inbound)
        self.facts.silence_ms = world.scenario.silence_ms[reason.channel]
        self.verdict = ""
        self._topic = _TOPICS[reason.channel]
        self._source = ""
        self._numbered = False
        self._said = 0
        self._unfiled: Ticket | None = None
        errand.contacts.append(self.facts)

    def say(self, what: str, /, **fields: object) -> None:
        """Put one event of this contact on the wire, now."""
        self._said += 1
        event: Event = {
            "event_id": f"{self.contact_id}-{self._said}",
            "type": what,
            "occurred_at": stamp(self.world.now),
            "source": self._source,
            "contact_id": self.contact_id,
        }
        if self._numbered:
            event["source_seq"] = self._said
        event.update(fields)
        self.errand.last_at = self.facts.last_at = self.world.now
        self.world.say(self._topic, self.contact_id, event)

    def greeting(self) -> dict[str, object]:
        """Return what the first event says of customer, issue and ticket; open the books."""
        person, facts, fields = self.errand.person, self.facts, dict[str, object]()
        if person.names and (person.certain or self.happens(_KNOWN_BY_LINE)):
            fields["customer"] = facts.name = self._name()
        if person.states_issue:
            fields["issue"] = facts.issue = self.errand.issue
        if self.errand.tickets:
            facts.ticket = self.errand.tickets[0].root
            fields["case_id"] = facts.ticket.name
        self.account = Account(self.world, facts)
        return fields

    def naming(self, chance: float) -> dict[str, object]:
        """Return the field that says who a customer is whom nobody knew, with this chance; perhaps nothing."""
        if self.facts.name or not self.errand.person.names or not self.happens(chance):
            return {}
        self.account.named(self._name())
        return {"customer": self.facts.name}

    def papers(self) -> dict[str, object]:
        """Return what is said of ticket and issue when an agent takes the contact; perhaps a ticket is opened now."""
        facts, errand, fields = self.facts, self.errand, dict[str, object]()
        if not errand.person.ticketed or facts.agents:
            return fields
        if self.happens(_NOTES_ISSUE):
            fields["issue"] = facts.issue = errand.issue
        if not errand.tickets or self.happens(_SECOND_TICKET):
            ticket = open_ticket(self.world, errand, facts.name)
            if errand.tickets[1:] or self.happens(_FILED_AT_ONCE):
                fields["case_id"], facts.ticket = ticket.name, ticket
            else:
                self._unfiled = ticket
        return fields

    def hang_up(self, by: str, *, on_hold: bool = False) -> None:
        """End the contact now, `by` as on the wire."""
        fields = {}
        if self._unfiled is not None:
            fields["case_id"], self.facts.ticket, self._unfiled = self._unfiled.name, self._unfiled, None
        self.say("contact.ended", by=by, **fields)
        self.account.hung_up(by, on_hold=on_hold)

    def ms(self, shortest: float, longest: float) -> int:
        """Return a duration between two numbers of seconds, in whole ms."""
        return round(self.rng.uniform(shortest, longest) * 1000)

    def happens(self, chance: float) -> bool:
        """Throw the contact's dice."""
        return self.rng.random() < chance

    def another_name(self) -> dict[str, object]:
        """Return the field by which an agent puts the contact under another of the customer's names."""
        names = [name for name in self.errand.person.names if name != self.facts.name]
        if not names or not self.facts.name:
            return {}
        self.account.named(self.rng.choice(names))
        return {"customer": self.facts.name}

    def _name(self) -> str:
        """One of the customer's names: people mostly write under another one than they call under."""
        names = self.errand.person.names
        if self.happens(_ANY_NAME):
            return self.rng.choice(names)
        return names[self.facts.channel != "voice" and len(names) > 1]
