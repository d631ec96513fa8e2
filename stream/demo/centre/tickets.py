"""The ticket system: tickets that agents or customers open, and what becomes of them.

    opened --minutes to hours--> resolved --> reopened --> resolved --> closed
                            --> escalated    --> closed
                            --> merged into the customer's first ticket

Every word is booked for itself, so that nothing is said any more once the centre takes no more calls.

Source: 2-numbers 2.7, 1-events 1.4.
"""

from collections.abc import Generator
from random import Random
from typing import TYPE_CHECKING, Any, Final

from stream.demo.centre.world import TICKETS
from stream.demo.truth.facts import Ticket

if TYPE_CHECKING:
    from stream.demo.centre.people import Errand
    from stream.demo.centre.world import World

_RESOLVED: Final = 0.75
_CLOSED_AT_ONCE: Final = 0.15
_ESCALATED: Final = 0.15
_REOPENED: Final = 0.3
_CLOSED: Final = 0.4
_MERGED: Final = 0.8


def open_ticket(world: "World", errand: "Errand", customer: str) -> Ticket:
    """Open a ticket for what somebody wants; it is said at once."""
    world.tickets += 1
    ticket = Ticket(f"T{world.tickets}.{world.seed}.{world.starts_at // 1000:x}", customer)
    errand.tickets.append(ticket)
    _speak(world, errand, ticket, "opened")
    return ticket


def work_on(world: "World", errand: "Errand") -> None:
    """Plan what becomes of the tickets of an errand whose contact is over; each is planned once."""
    for ticket in errand.tickets:
        if ticket.planned:
            continue
        ticket.planned = True
        rng = Random(f"{world.seed}/{ticket.name}")  # noqa: S311 - a simulation
        if ticket is errand.tickets[0]:
            _work(world, errand, ticket, rng)
        elif rng.random() < _MERGED:
            world.book(_merge(world, errand, ticket), _delay(world, rng))


def _work(world: "World", errand: "Errand", ticket: Ticket, rng: Random) -> None:
    """Plan the life of a ticket, one word after another."""
    after = 0
    if rng.random() < _ESCALATED:
        world.book(_say(world, errand, ticket, "escalated"), rng.choice((1, 3)) * _delay(world, rng))
    fate = rng.random()
    if fate >= _RESOLVED + _CLOSED_AT_ONCE:
        return
    after += _delay(world, rng)
    world.book(_say(world, errand, ticket, "resolved" if fate < _RESOLVED else "closed"), after)
    if rng.random() < _REOPENED:
        after += _delay(world, rng)
        world.book(_say(world, errand, ticket, "reopened"), after)
        after += _delay(world, rng)
        world.book(_say(world, errand, ticket, "resolved"), after)
    if fate < _RESOLVED and rng.random() < _CLOSED:
        world.book(_say(world, errand, ticket, "closed"), after + _delay(world, rng))


def _delay(world: "World", rng: Random) -> int:
    """How long a word lets wait for itself, ms."""
    return round(rng.uniform(*world.scenario.answers_ms))


def _say(world: "World", errand: "Errand", ticket: Ticket, what: str) -> Generator[int | None, Any, None]:
    """Say one word."""
    _speak(world, errand, ticket, what)
    yield 0


def _merge(world: "World", errand: "Errand", ticket: Ticket) -> Generator[int | None, Any, None]:
    """The second ticket was the first one's issue."""
    ticket.into = errand.tickets[0]
    errand.last_at = world.now
    ids = {"case_id": ticket.name, "into": ticket.into.name, "customer": ticket.customer}
    world.note("case.merged", ticket.customer, TICKETS, **ids)
    yield 0


def _speak(world: "World", errand: "Errand", ticket: Ticket, what: str) -> None:
    ticket.words.append((world.now, what))
    errand.last_at = world.now
    world.note(f"case.{what}", ticket.customer, TICKETS, case_id=ticket.name, customer=ticket.customer)
