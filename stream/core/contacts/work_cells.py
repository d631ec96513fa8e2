"""Contributions of the work on a contact: what agents did, escalations, offers missed, callbacks (2-numbers 2.5, 2.6).

`cells` decides whether a contact is worth anything here; see there for what a contribution is.
"""

from stream.core.contacts import outcome as of
from stream.core.contacts.contact import Contact
from stream.core.figures.figures import INTERVAL_MS, NEVER, Contributions, Figures
from stream.core.policy import NONE


def work(contact: Contact, times: of.Times | None, figures: Figures, into: Contributions) -> None:
    """What the agents of a handled contact did; ``times`` as `outcome.handled_ms` says."""
    channel, arrival = contact.channel, contact.arrived_at // INTERVAL_MS
    for kind, queue, at in contact.transfers:
        key = (figures.transfer(channel, queue, kind), arrival, at // INTERVAL_MS)
        into[key] = into.get(key, 0) + 1
    solved = of.solved(contact)
    if solved is not None:
        at, confirmed = solved
        figure = figures.channel("contact_resolutions_total", channel, confirmed)
        into[(figure, arrival, at // INTERVAL_MS)] = 1
    escalated = of.escalated_at(contact)
    if escalated is not None:
        _escalated(contact, figures, (arrival, escalated // INTERVAL_MS), into)
    if contact.ended_at is not None and contact.handling.legs:
        _endings(contact, figures, (arrival, contact.ended_at // INTERVAL_MS), into)
    if times is not None:
        _handled(contact, figures, times, into)


def _handled(contact: Contact, figures: Figures, times: of.Times, into: Contributions) -> None:
    """The handle time of a contact, and each agent's own share of it (R27)."""
    channel = contact.channel
    talk, hold, wrapup, at = times
    series = figures.queue(channel, contact.handling.legs[0].queue)
    done = at // INTERVAL_MS
    into[(series.handled, NEVER, done)] = 1
    series.handle.add(into, talk + hold + wrapup, NEVER, done)
    for figure, amount in ((series.talk, talk), (series.hold, hold), (series.wrapup, wrapup)):
        if amount:
            into[(figure, NEVER, done)] = amount
    if figures.policy.agents:
        for agent, amount in contact.handling.shares_ms().items():
            for family, value in (("handled", 1), ("handle_seconds", amount)):
                key = (figures.of_agent(f"contact_agent_{family}_total", agent, channel), NEVER, done)
                into[key] = into.get(key, 0) + value


def _escalated(contact: Contact, figures: Figures, span: tuple[int, int], into: Contributions) -> None:
    """What an escalated contact took: its time in queues, and its handle time where that is complete (R36)."""
    series = figures.queue(contact.channel, of.work_queue(contact))
    into[(series.escalations, *span)] = 1
    into[(series.escalated, *span)] = 1
    times, waited = of.handled_ms(contact), of.waited_ms(contact)
    if waited:
        into[(series.escalated_wait, *span)] = waited
    if times is not None:
        into[(series.escalated_handle, *span)] = sum(times[:3])


def missed(contact: Contact, figures: Figures, into: Contributions) -> None:
    """Offers that agents did not take."""
    for reason, queue, at in contact.missed:
        figure = figures.of_queue("contact_offers_missed_total", queue or of.home_queue(contact), reason)
        key = (figure, at // INTERVAL_MS, at // INTERVAL_MS)
        into[key] = into.get(key, 0) + 1


def callbacks(contact: Contact, figures: Figures, watermark: int | None, into: Contributions) -> None:
    """Callbacks asked for, tried, reached and expired at the watermark (ms or None)."""
    for request in contact.callbacks.requests:
        queue = request.queue or of.home_queue(contact)
        arrival = request.requested_at // INTERVAL_MS
        told = [("attempted", at) for at in request.attempts]
        expired = of.expired_at(request, watermark, figures.policy)
        if request.reached_at is not None:
            told.append(("reached", request.reached_at))
            label = figures.policy.queue_label(queue)
            timing = figures.timing("contact_callback_wait_seconds", (label,), (NONE, label, NONE))
            wait = request.reached_at - request.requested_at
            timing.add(into, wait, arrival, request.reached_at // INTERVAL_MS)
        elif expired is not None:
            told.append(("expired", expired))
        spans = [("requested", NEVER), *((name, at // INTERVAL_MS) for name, at in told)]
        for name, outcome in spans:
            key = (figures.of_queue("contact_callbacks_total", queue, name), arrival, outcome)
            into[key] = into.get(key, 0) + 1


def _endings(contact: Contact, figures: Figures, span: tuple[int, int], into: Contributions) -> None:
    """How a contact that agents had ended, where that is worth a figure of its own."""
    on_hold, unresolved, dropped = of.ended_on_hold(contact), of.ended_unresolved(contact), of.agent_dropped(contact)
    if on_hold or unresolved or dropped:
        series = figures.queue(contact.channel, of.work_queue(contact))
        if on_hold:
            into[(series.ended_on_hold, *span)] = 1
        if unresolved:
            into[(series.ended_unresolved, *span)] = 1
        if dropped:
            into[(series.agent_dropped, *span)] = 1
    if of.misrouted(contact):
        into[(figures.queue(contact.channel, of.home_queue(contact)).misroutes, *span)] = 1
