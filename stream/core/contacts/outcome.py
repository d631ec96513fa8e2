"""What a contact is worth under a policy and a watermark (2-numbers 2.2, 2.4, 2.5).

The fold knows what happened; this says what it is called: short or not, unknown where an end was
inferred, the one outcome of the contact. Pure functions of (contact, policy, inferred).
"""

from typing import NamedTuple

from stream.core.contacts.callbacks import Callback
from stream.core.contacts.contact import PAUSE_MS, Contact
from stream.core.contacts.steps import Step
from stream.core.contacts.visits import Visit
from stream.core.policy import UNASSIGNED, Policy

AGENT_DROP_MS = 5_000
GIVEN_UP = frozenset(("abandoned", "abandoned_short", "exited"))
_ASKED = frozenset(("voicemail", "callback"))
_BY_CUSTOMER = frozenset(("customer", "unknown"))
_LAST_VISIT = {
    "abandoned": "abandoned",
    "abandoned_short": "abandoned_short",
    "exited": "abandoned",
    "unknown": "unknown",
}


Times = tuple[int, int, int, int]
"""Talk, hold, wrap-up (ms) and when the last of them ended."""


class Standing(NamedTuple):
    """How a contact stands at some watermark: what both its figures and what is told of it depend on. Times in ms."""

    inferred: bool
    outcome: str  # ``open`` while there is none
    decided_at: int
    home: str  # the queue it is reported under
    times: Times | None  # see `handled_ms`


def is_inferred(contact: Contact, watermark: int | None, policy: Policy) -> bool:
    """Whether the contact has ended by inference: silence, or a restart of its source.

    The watermark is in ms, or None while there is none. Source: 1-events 1.5.
    """
    if contact.ended_at is not None:
        return False
    if contact.restarted_at is not None:
        return True
    return watermark is not None and watermark >= contact.last_at + policy.channels[contact.channel].timeout_ms


def standing(contact: Contact, policy: Policy, *, inferred: bool) -> Standing:
    """How the contact stands where it has ended by inference, or has not."""
    name, at = contact_outcome(contact, policy, inferred=inferred)
    return Standing(inferred, name, at, home_queue(contact), handled_ms(contact))


def end_of(contact: Contact, *, inferred: bool) -> int | None:
    """When the contact ended (ms), by statement or inference; None while it is open."""
    if contact.ended_at is not None:
        return contact.ended_at
    if not inferred:
        return None
    return contact.last_at if contact.restarted_at is None else contact.restarted_at


def last_active(contact: Contact, watermark: int | None, *, inferred: bool) -> int | None:
    """When the contact was last active (ms); None while it goes on.

    It goes on until it has ended or been silent for `PAUSE_MS`, so that what the case stage is told does not change
    with every message.
    """
    if contact.ended_at is None and not inferred and (watermark is None or watermark < contact.last_at + PAUSE_MS):
        return None
    return contact.last_at


def begins_at(contact: Contact) -> int:
    """From when the contact counts as one of a case (ms): its arrival, or the message or request it was served after.

    Source: 2-numbers 2.7, R17.
    """
    if contact.voicemail_at is None and contact.callback_at is None:
        asked = [v.left_at or 0 for v in contact.seen_visits if v.outcome in _ASKED]
    else:
        asked = [at for at in (contact.voicemail_at, contact.callback_at) if at is not None]
    if not asked:
        return contact.arrived_at
    before = [at for at in asked if contact.handled_at is None or at < contact.handled_at]
    return min(before, default=contact.arrived_at)


def visit_outcome(visit: Visit, channel: str, policy: Policy, *, inferred: bool) -> str:
    """The outcome of a visit in the words of 2.2; ``waiting`` while it is open."""
    outcome = visit.outcome
    if outcome == "waiting":
        return "unknown" if inferred else "waiting"
    if channel == "email" and (outcome in GIVEN_UP or visit.how == "ended"):
        return "unknown"
    if outcome == "abandoned" and visit.wait_ms < policy.short_ms(visit.queue):
        return "abandoned_short"
    return outcome


def continued_at(step: Step, contact: Contact) -> int | None:
    """When something continued a step (ms), the implicit visit of a chat included: it is a queue; None if nothing did.

    Source: 2-numbers 2.2, 2.4.
    """
    if step.continued_at is not None or contact.visits.entered:
        return step.continued_at
    return next((visit.entered_at for visit in contact.seen_visits if visit.entered_at >= step.entered_at), None)


def contact_outcome(contact: Contact, policy: Policy, *, inferred: bool) -> tuple[str, int]:
    """The one outcome of the contact and since when (ms); ``open`` is not counted.

    Source: 2-numbers 2.5.
    """
    if contact.handled_at is not None:
        return "handled", contact.handled_at
    waiting_for = _waiting_for(contact)
    if waiting_for is not None:
        return waiting_for
    visits = contact.seen_visits
    end = end_of(contact, inferred=inferred)
    if end is None:
        return "open", contact.last_at
    if visits:
        last = visit_outcome(visits[-1], contact.channel, policy, inferred=inferred)
        return _LAST_VISIT.get(last, "system"), end
    return _without_visit(contact, inferred=inferred), end


def _waiting_for(contact: Contact) -> tuple[str, int] | None:
    found = [(at, name) for name, at in _requests(contact)]
    if not found:
        return None
    at, name = max(found)
    return name, at


def _requests(contact: Contact) -> list[tuple[str, int]]:
    """Messages left and callbacks asked for."""
    found = [(visit.outcome, visit.left_at or 0) for visit in contact.seen_visits if visit.outcome in _ASKED]
    if contact.voicemail_at is not None:
        found.append(("voicemail", contact.voicemail_at))
    if contact.callback_at is not None:
        found.append(("callback", contact.callback_at))
    return found


def _without_visit(contact: Contact, *, inferred: bool) -> str:
    if contact.steps.goal:
        return "self_served"
    if inferred:
        return "unknown"
    if contact.ended_by not in _BY_CUSTOMER:
        return "system"
    return "unknown" if contact.channel == "email" else "abandoned_step"


def home_queue(contact: Contact) -> str:
    """The queue a contact is reported under: of its first visit, else its field, else unassigned."""
    visits = contact.seen_visits
    if visits:
        return visits[0].queue or contact.queue or UNASSIGNED
    return contact.queue or UNASSIGNED


def queue_of(visit: Visit, contact: Contact) -> str:
    """The queue of a visit; an implicit one waits in the contact's own."""
    return visit.queue or contact.queue or UNASSIGNED


def work_queue(contact: Contact) -> str:
    """The queue of the agent who had the contact last, else its home."""
    legs = contact.handling.legs
    return legs[-1].queue if legs else home_queue(contact)


def handled_ms(contact: Contact) -> Times | None:
    """Talk, hold, wrap-up (ms) and when the last of them ended; None while incomplete.

    Never for e-mail, never from an inferred end. Source: 2-numbers 2.6, R31, R32.
    """
    work = contact.handling
    if contact.ended_at is None or not work.legs or work.wrapups or contact.channel == "email":
        return None
    return *work.measured_ms(), max(contact.ended_at, work.wrapup_ended_at)


def first_response(contact: Contact) -> tuple[int, int, int, str] | None:
    """Asked at, answered at, duration (ms), by whom: voice by speed of answer, others by messages.

    Empty where nobody told who.
    """
    if contact.channel != "voice":
        first = contact.responses.first
        return None if first is None else (first[0], first[1], first[1] - first[0], contact.responses.first_by)
    for visit in contact.visits.entered:
        if visit.outcome == "answered":
            return visit.entered_at, visit.left_at or visit.entered_at, visit.wait_ms, visit.agent
    return None


def waited_ms(contact: Contact) -> int:
    """Time in queue (ms) of all visits that are over."""
    return sum(visit.wait_ms for visit in contact.seen_visits if visit.left_at is not None)


def expired_at(callback: Callback, watermark: int | None, policy: Policy) -> int | None:
    """When a callback expired, as seen at the watermark (ms); None while it may be served, and once it was reached."""
    due = callback.expires_at(policy.callback_expires_ms)
    return due if callback.reached_at is None and watermark is not None and watermark >= due else None


def ended_on_hold(contact: Contact) -> bool:
    """The customer hung up while on hold (R53)."""
    return contact.ended_on_hold and contact.ended_by == "customer"


def ended_unresolved(contact: Contact) -> bool:
    """The customer ended what an agent had and had not resolved (R53)."""
    if contact.ended_by != "customer" or not contact.handling.legs or not contact.dispositions:
        return False
    return contact.dispositions[-1].resolution != "resolved"


def agent_dropped(contact: Contact) -> bool:
    """The agent ended the contact less than 5 s after connecting."""
    if contact.ended_by != "agent" or contact.ended_at is None or not contact.handling.legs:
        return False
    return contact.ended_at - contact.handling.legs[-1].connected_at < AGENT_DROP_MS


def misrouted(contact: Contact) -> bool:
    """The first queue is not the queue of the resolving leg (R52); known at the end."""
    visits, legs = contact.seen_visits, contact.handling.legs
    if contact.ended_at is None or not visits or not legs:
        return False
    return queue_of(visits[0], contact) != legs[-1].queue


def solved(contact: Contact) -> tuple[int, str] | None:
    """When the contact was called resolved (ms), if that is the latest verdict, and whether the customer confirmed it.

    Source: R21.
    """
    if not contact.dispositions or contact.dispositions[-1].resolution != "resolved":
        return None
    last = contact.dispositions[-1]
    return last.at, "unasked" if last.confirmed is None else "yes" if last.confirmed else "no"


def escalated_at(contact: Contact) -> int | None:
    """When the agent escalated (ms), if that is the latest verdict."""
    if contact.dispositions and contact.dispositions[-1].resolution == "escalated":
        return contact.dispositions[-1].at
    return None
