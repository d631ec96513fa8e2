"""An agent calls a customer, or writes: about a message that was left, or because something is still owed.

Such a contact refers to the one before it, joins its case and is never a repeat (2-numbers 2.7, R17).
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from stream.demo.centre.contact import Contact, Reason
from stream.demo.centre.world import MAILS, SOURCES
from stream.demo.truth.facts import Word

if TYPE_CHECKING:
    from stream.demo.centre.floor import Agent
    from stream.demo.truth.truth import Book

_REACHED: Final = 0.75
_SPOKEN: Final = 0.6
_RETRY_MS: Final = 120_000
_RETRIES: Final = 20


def call_out(before: Contact) -> Generator[int | None, Any, None]:
    """Call the customer of an earlier contact, once an agent has time."""
    world, queue = before.world, before.errand.concern
    for _ in range(_RETRIES):
        agent = world.floor.take(queue)
        if agent is not None:
            yield from _dial(before, agent, queue)
            world.roster.let_go(agent, before.rng)
            return
        yield _RETRY_MS


def write_out(before: Contact) -> Generator[int | None, Any, None]:
    """Write to the customer of an earlier contact; perhaps both write once more, perhaps nobody ends it."""
    mail = Outbound(before, "email")
    facts, agent = mail.facts, mail.rng.choice(mail.world.floor.agents)
    mail.say("message.sent", by="agent", agent=agent.name)
    facts.outcome = "handled"
    facts.served_by(agent.name)
    if mail.happens(0.4):
        yield mail.ms(300.0, 20_000.0)
        mail.say("message.received")
        yield mail.ms(300.0, 20_000.0)
        mail.say("message.sent", by="agent", agent=agent.name)
    if mail.happens(0.5):
        yield mail.ms(60.0, 7_200.0)
        mail.say("contact.ended", by="agent")
        facts.ended_at = mail.world.now


def _dial(before: Contact, agent: "Agent", queue: str) -> Generator[int | None, Any, None]:
    """Let it ring; who answers is spoken to."""
    call = Outbound(before, "voice")
    world, facts = call.world, call.facts
    yield call.ms(5.0, 20.0)
    if call.happens(_REACHED):
        call.say("agent.connected", agent=agent.name, queue=queue)
        facts.outcome = "handled"
        facts.served_by(agent.name)
        yield call.ms(30.0, 400.0)
    call.say("contact.ended", by="customer" if facts.agents else "agent")
    facts.ended_at = world.now
    if facts.agents and call.happens(_SPOKEN) and not call.errand.person.ticketed:
        yield call.ms(2.0, 30.0)
        resolution = call.rng.choice(("resolved", "resolved", "unresolved", "follow_up"))
        fields: dict[str, object] = {}
        if call.happens(0.5):
            fields["issue"] = facts.issue = call.errand.issue
        call.say("contact.dispositioned", resolution=resolution, **fields)
        facts.words.append(Word(world.now, resolution))


class Outbound(Contact):
    """A call or an e-mail by an agent."""

    __slots__ = ()

    def __init__(self, before: Contact, channel: str) -> None:
        """Dial or write now, about the contact `before`."""
        super().__init__(before.world, Reason(before.errand, channel), inbound=False)
        self._source = SOURCES[0] if channel == "voice" else MAILS
        self.facts.name = before.facts.name
        self.facts.ticket = before.facts.ticket
        self.world.truth.add("contact_arrivals_total", channel, "outbound")
        self.world.truth.follow(self)
        self.say(
            "contact.started",
            direction="outbound",
            customer=self.facts.name,
            previous_contact_id=before.contact_id,
        )

    def stand(self, book: "Book", at: int | None) -> None:
        """Book that it has ended by silence, as of a watermark (ms)."""
        if self.facts.silent(at):
            book.add("contact_stream_quality_total", "inferred_end")
