"""An agent calls a customer: about a message that was left, or because something is still owed.

Such a contact refers to the one before it, joins its case and is never a repeat (2-numbers 2.7, R17).
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from stream.demo.contact import Contact, Reason
from stream.demo.facts import Word
from stream.demo.world import SOURCES

if TYPE_CHECKING:
    from stream.demo.floor import Agent

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
            world.floor.release(agent)
            return
        yield _RETRY_MS


def _dial(before: Contact, agent: "Agent", queue: str) -> Generator[int | None, Any, None]:
    """Let it ring; who answers is spoken to."""
    call = Outbound(before)
    world, facts = call.world, call.facts
    yield call.ms(5.0, 20.0)
    if call.happens(_REACHED):
        call.say("agent.connected", agent=agent.name, queue=queue)
        facts.outcome = "handled"
        facts.agents.add(agent.name)
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
    """A call by an agent."""

    __slots__ = ()

    def __init__(self, before: Contact) -> None:
        """Dial now, about the contact `before`."""
        super().__init__(before.world, Reason(before.errand), inbound=False)
        self._source = SOURCES[0]
        self.facts.name = before.facts.name
        self.facts.ticket = before.facts.ticket
        self.world.truth.add("contact_arrivals_total", "voice", "outbound")
        self.say(
            "contact.started",
            direction="outbound",
            customer=self.facts.name,
            previous_contact_id=before.contact_id,
        )
