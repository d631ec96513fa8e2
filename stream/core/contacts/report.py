"""The contact as known now, in words: what the outcomes topic and ``explain`` say of it.

Durations are ``_ms``, times ``_at`` in ms. Source: 1-events 1.7, 2-numbers 2.2-2.6.
"""

from typing import NamedTuple

from stream.core.contacts import outcome as of
from stream.core.contacts.contact import Contact
from stream.core.contacts.visits import Visit
from stream.core.policy import Policy

Report = dict[str, object]


class Told(NamedTuple):
    """The key, the outcome, and what else the case stage depends on; a new record is written when this changes."""

    customer: str | None
    outcome: str
    decided_at: int
    arrived_at: int
    begins_at: int
    ended_at: int | None
    last_at: int | None
    pauses: int
    inferred: bool
    channel: str
    direction: str | None
    queue: str
    issue: str | None
    case_id: str | None
    previous_contact_id: str | None
    agents: int
    transfers: int
    handle_ms: int | None
    reopens: list[list[int]]
    dispositions: list[list[object]]


def told(contact: Contact, policy: Policy, watermark: int | None, *, inferred: bool) -> Told:
    """What the case stage is told of a contact at ``watermark`` (ms); ``inferred`` as `outcome.is_inferred` says."""
    return Told(
        contact.customer,
        *of.contact_outcome(contact, policy, inferred=inferred),
        contact.arrived_at,
        of.begins_at(contact),
        contact.ended_at,
        of.last_active(contact, watermark, inferred=inferred),
        len(contact.pauses),
        inferred,
        contact.channel,
        contact.direction,
        of.home_queue(contact),
        contact.issue,
        contact.case_id,
        contact.previous_contact_id,
        len(contact.agents),
        len(contact.transfers),
        _handle_ms(contact),
        [list(reopen) for reopen in contact.responses.reopens],
        [[d.at, d.resolution, d.cause, d.confirmed] for d in contact.dispositions],
    )


def contact_report(contact: Contact, policy: Policy, watermark: int | None, *, inferred: bool) -> Report:
    """Everything known of one contact at ``watermark`` (ms); ``inferred`` as `outcome.is_inferred` says at it."""
    return report_of(contact, told(contact, policy, watermark, inferred=inferred), policy)


def report_of(contact: Contact, known: Told, policy: Policy) -> Report:
    """The same, where what the case stage is told is ``known``."""
    work, first = contact.handling, of.first_response(contact)
    talk, hold, wrapup = work.measured_ms()
    calendar = policy.calendar(known.queue)
    wall = calendar.wall(known.arrived_at)
    inferred = known.inferred
    since = None if inferred else contact.responses.since
    served = contact.ended_at is not None and bool(work.legs)
    return {
        "outcome": known.outcome,
        "decided_at": known.decided_at,
        "channel": known.channel,
        "direction": known.direction or "inbound",
        "customer": known.customer,
        "case_id": known.case_id,
        "previous_contact_id": known.previous_contact_id,
        "issue": known.issue,
        "queue": known.queue,
        "arrived_at": known.arrived_at,
        "local_day": wall.day,
        "local_hour": wall.hour,
        "in_hours": calendar.in_hours(known.arrived_at),
        "begins_at": known.begins_at,
        "last_at": known.last_at,
        "pauses": contact.pauses,
        "ended_at": of.end_of(contact, inferred=inferred),
        "ended_by": contact.ended_by or None,
        "inferred": inferred,
        "visits": [_visit(v, contact, policy, inferred=inferred) for v in contact.seen_visits],
        "legs": [leg.agent for leg in work.legs],
        "agents": contact.agents,
        "reopens": contact.responses.reopens,
        "transfers": [kind for kind, _, _ in contact.transfers],
        "time_to_agent_ms": work.legs[0].connected_at - known.arrived_at if work.legs else None,
        "talk_ms": talk,
        "hold_ms": hold,
        "wrapup_ms": wrapup,
        "handle_ms": known.handle_ms,
        "first_response_ms": None if first is None else first[2],
        "next_response_ms": [answered - asked for asked, answered in contact.responses.following],
        "unanswered_since": since,
        "callbacks": [
            {"queue": c.queue, "requested_at": c.requested_at, "attempts": c.attempts, "reached_at": c.reached_at}
            for c in contact.callbacks.requests
        ],
        "voicemail_at": contact.voicemail_at,
        "callback_at": contact.callback_at,
        "dispositions": [
            {"at": d.at, "resolution": d.resolution, "cause": d.cause, "confirmed": d.confirmed}
            for d in contact.dispositions
        ],
        "misrouted": served and of.misrouted(contact),
        "ended_on_hold": served and of.ended_on_hold(contact),
        "ended_unresolved_by_customer": served and of.ended_unresolved(contact),
        "agent_dropped": served and of.agent_dropped(contact),
    }


def _handle_ms(contact: Contact) -> int | None:
    """The complete handle time; None while a wrap-up is open, and for who has none."""
    times = of.handled_ms(contact)
    return None if times is None else times[0] + times[1] + times[2]


def _visit(visit: Visit, contact: Contact, policy: Policy, *, inferred: bool) -> Report:
    outcome = of.visit_outcome(visit, contact.channel, policy, inferred=inferred)
    abandoned = outcome in of.GIVEN_UP
    left: int | None
    wait: int | None
    if outcome == "waiting":
        left = wait = None
    elif visit.left_at is None:
        left, wait = contact.last_at, contact.last_at - visit.entered_at
    else:
        left, wait = visit.left_at, visit.wait_ms
    return {
        "queue": of.queue_of(visit, contact),
        "outcome": outcome,
        "entered_at": visit.entered_at,
        "left_at": left,
        "wait_ms": wait,
        "after_agent": abandoned and visit.after_agent,
        "ringing": abandoned and bool(visit.ringing),
    }
