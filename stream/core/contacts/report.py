"""The contact as known now, in words: what the outcomes topic and ``explain`` say of it.

Durations are ``_ms``, times ``_at`` in ms. Source: 1-events 1.7, 2-numbers 2.2-2.6.
"""

from operator import itemgetter
from typing import NamedTuple

from stream.core.contacts import outcome as of
from stream.core.contacts.callbacks import Callback
from stream.core.contacts.contact import Contact, Disposition
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


def told(contact: Contact, stands: of.Standing, watermark: int | None) -> Told:
    """What the case stage is told of a contact that stands so at ``watermark`` (ms)."""
    inferred, times = stands.inferred, stands.times
    return Told(
        contact.customer,
        stands.outcome,
        stands.decided_at,
        contact.arrived_at,
        of.begins_at(contact),
        contact.ended_at,
        of.last_active(contact, watermark, inferred=inferred),
        len(contact.pauses),
        inferred,
        contact.channel,
        contact.direction,
        stands.home,
        contact.issue,
        contact.case_id,
        contact.previous_contact_id,
        len(contact.agents),
        len(contact.transfers),
        None if times is None else times[0] + times[1] + times[2],
        list(map(list, contact.responses.reopens)),
        [[d.at, d.resolution, d.cause, d.confirmed] for d in contact.dispositions],
    )


def contact_report(contact: Contact, policy: Policy, watermark: int | None, *, inferred: bool) -> Report:
    """Everything known of one contact at ``watermark`` (ms); ``inferred`` as `outcome.is_inferred` says at it."""
    stands = of.standing(contact, policy, inferred=inferred)
    return report_of(contact, stands, told(contact, stands, watermark), policy)


def report_of(contact: Contact, stands: of.Standing, known: Told, policy: Policy) -> Report:
    """The same, where how it stands and what the case stage is told are known."""
    inferred, outcome, decided_at, home, times = stands
    work, first, arrived_at = contact.handling, of.first_response(contact), contact.arrived_at
    talk, hold, wrapup = work.measured_ms() if times is None else times[:3]
    calendar = policy.calendar(home)
    wall = calendar.wall(arrived_at)
    since = None if inferred else contact.responses.since
    served = contact.ended_at is not None and bool(work.legs)
    return {
        "outcome": outcome,
        "decided_at": decided_at,
        "channel": contact.channel,
        "direction": contact.direction or "inbound",
        "customer": contact.customer,
        "case_id": contact.case_id,
        "previous_contact_id": contact.previous_contact_id,
        "issue": contact.issue,
        "queue": home,
        "arrived_at": arrived_at,
        "local_day": wall.day,
        "local_hour": wall.hour,
        "in_hours": calendar.in_hours(arrived_at),
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
        "transfers": list(map(itemgetter(0), contact.transfers)),
        "time_to_agent_ms": work.legs[0].connected_at - arrived_at if work.legs else None,
        "talk_ms": talk,
        "hold_ms": hold,
        "wrapup_ms": wrapup,
        "handle_ms": known.handle_ms,
        "first_response_ms": None if first is None else first[2],
        "next_response_ms": [answered - asked for asked, answered in contact.responses.following],
        "unanswered_since": since,
        "callbacks": list(map(_callback, contact.callbacks.requests)),
        "voicemail_at": contact.voicemail_at,
        "callback_at": contact.callback_at,
        "dispositions": list(map(_disposition, contact.dispositions)),
        "misrouted": served and of.misrouted(contact),
        "ended_on_hold": served and of.ended_on_hold(contact),
        "ended_unresolved_by_customer": served and of.ended_unresolved(contact),
        "agent_dropped": served and of.agent_dropped(contact),
    }


def _callback(asked: Callback) -> Report:
    return {
        "queue": asked.queue,
        "requested_at": asked.requested_at,
        "attempts": asked.attempts,
        "reached_at": asked.reached_at,
    }


def _disposition(said: Disposition) -> Report:
    return {"at": said.at, "resolution": said.resolution, "cause": said.cause, "confirmed": said.confirmed}


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
