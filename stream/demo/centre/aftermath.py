"""After a contact: the agent's verdict, its correction, and the survey.

Source: 2-numbers 2.7 and 2.8, 1-events 1.4.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from stream.demo.centre.world import SURVEYS
from stream.demo.truth.facts import NONE, Word

if TYPE_CHECKING:
    from stream.demo.centre.contact import Contact

_SPOKEN: Final = 0.7
_RESOLUTIONS: Final = ("resolved", "unresolved", "follow_up", "escalated")
_RESOLUTION_WEIGHTS: Final = (80, 8, 9, 3)
_CAUSES: Final = ("policy", "authority", "skill", "information", "tool", "misroute", "customer", "other", NONE, NONE)
_OWED: Final = 0.15
_NAMES_ISSUE: Final = 0.8
_NAMES_CUSTOMER: Final = 0.5
_OTHER_NAME: Final = 0.15
_CORRECTED: Final = 0.06
_CORRECTION_MS: Final = (60_000, 2_400_000)
_SURVEYED: Final = 0.3
_ANSWERED: Final = 0.6
_CHANGES_MIND: Final = 0.08
_SURVEY_MS: Final = (60_000, 600_000)


def draw_verdict(contact: "Contact") -> str:
    """What the agent will say of a contact that is over; empty = nothing.

    Who opened a ticket writes into the ticket, and may only owe something.
    """
    if contact.errand.person.ticketed:
        first = all(not facts.words for facts in contact.errand.contacts) and not _worked_on(contact)
        return contact.rng.choice(("follow_up", "escalated")) if first and contact.happens(_OWED) else ""
    return contact.rng.choices(_RESOLUTIONS, _RESOLUTION_WEIGHTS)[0] if contact.happens(_SPOKEN) else ""


def _worked_on(contact: "Contact") -> bool:
    return any(ticket.planned for ticket in contact.errand.tickets)


def give_verdict(contact: "Contact") -> None:
    """Say what the agent makes of a contact that is over, if anything; a few think better of it."""
    if contact.verdict:
        fields = contact.naming(_NAMES_CUSTOMER)
        if not fields and contact.happens(_OTHER_NAME):
            fields = contact.another_name()
        if not contact.errand.person.ticketed and contact.happens(_NAMES_ISSUE):
            fields["issue"] = contact.facts.issue = contact.errand.issue
        _judge(contact, contact.verdict, fields)
        if not contact.errand.person.ticketed and contact.happens(_CORRECTED):
            contact.world.book(_correct(contact), contact.rng.randrange(*_CORRECTION_MS))
    if contact.facts.name and contact.happens(_SURVEYED):
        contact.world.book(_offer(contact), contact.rng.randrange(*_SURVEY_MS))


def _judge(contact: "Contact", resolution: str, fields: dict[str, object]) -> None:
    confirmed, cause = "unasked", NONE
    if resolution == "resolved":
        if contact.happens(0.3):
            fields["confirmed"] = contact.happens(0.8)
            confirmed = "yes" if fields["confirmed"] else "no"
    else:
        cause = contact.rng.choice(_CAUSES)
        if cause != NONE:
            fields["cause"] = cause
    contact.say("contact.dispositioned", resolution=resolution, **fields)
    contact.account.judged(Word(contact.world.now, resolution, cause, confirmed))


def _correct(contact: "Contact") -> Generator[int | None, Any, None]:
    """Another verdict than before."""
    others = [resolution for resolution in _RESOLUTIONS if resolution != contact.verdict]
    contact.verdict = contact.rng.choice(others)
    _judge(contact, contact.verdict, {})
    yield 0


def _offer(contact: "Contact") -> Generator[int | None, Any, None]:
    """Ask the customer how it was."""
    name = contact.facts.name
    contact.facts.asked = True
    contact.world.note("survey.offered", name, SURVEYS, customer=name, contact_id=contact.contact_id)
    if contact.happens(_ANSWERED):
        contact.world.book(_answer(contact, name), contact.rng.randrange(*_SURVEY_MS))
    yield 0


def _answer(contact: "Contact", name: str) -> Generator[int | None, Any, None]:
    """The customer says whether it is solved, how it was, or both."""
    fields: dict[str, object] = {}
    said = contact.rng.choices(("yes", "no", NONE), (60, 25, 15))[0]
    if said != NONE:
        fields["resolved"] = contact.facts.said = said
    elif not contact.facts.said:
        contact.facts.said = NONE
    if said == NONE or contact.happens(0.7):
        fields["csat"] = contact.facts.score = contact.rng.randint(1, 5)
    contact.world.note("survey.answered", name, SURVEYS, customer=name, contact_id=contact.contact_id, **fields)
    if contact.happens(_CHANGES_MIND):
        contact.world.book(_answer(contact, name), contact.rng.randrange(*_SURVEY_MS))
    yield 0
