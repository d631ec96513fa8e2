"""What customers said, in the recount: offers, answers and scores (2-numbers 2.8; R20, R34). Times in ms."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.core.recount import TYPES

if TYPE_CHECKING:
    from stream.core.events import Event
    from tests.core.recount import Contact, Person

Figures = dict[tuple[str | int, ...], int]


def count_surveys(person: Person, figures: Figures) -> None:
    """The surveys of one person: of each contact asked about, one offer, one answer, one score."""
    about: dict[tuple[str, int | None], list[Event]] = defaultdict(list)
    known: dict[tuple[str, int | None], Contact] = {
        (contact.contact_id, contact.generation): contact for contact in person.contacts
    }
    for contact_id, events in person.surveys.items():
        for event in sorted(events):
            about[contact_id, _generation(person, contact_id, event[0])].append(event)
    for name, events in about.items():
        contact = known.get(name)
        channel = "none" if contact is None else contact.channel
        figures["contact_survey_offered_total", channel] += 1
        bodies: list[Any] = [event[5] for event in events if TYPES[event[2]] == "survey.answered"]
        if bodies:
            words = [body.resolved for body in bodies if body.resolved is not None]
            figures["contact_survey_answered_total", channel, words[-1] if words else "none"] += 1
        scores = [body.csat for body in bodies if body.csat is not None]
        if scores:
            band = _band(None if contact is None else contact.handle_ms)
            figures["contact_csat_total", channel, str(scores[-1]), band] += 1


def _generation(person: Person, contact_id: str, at: int) -> int | None:
    """The contact of that id which had begun, else the first; None: there is none."""
    begun = [contact.generation for contact in person.contacts if contact.contact_id == contact_id]
    return max((one for one in begun if one <= at), default=min(begun, default=None))


def _band(handle_ms: int | None) -> str:
    if handle_ms is None:
        return "none"
    minutes = handle_ms / 60_000
    return "0-2m" if minutes < 2 else "2-5m" if minutes < 5 else "5-10m" if minutes < 10 else "10m+"
