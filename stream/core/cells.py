"""Contributions: what one contact adds to which figure in which interval (2-numbers 2.1).

`contributions(contact)` is a pure function of what is known; every figure is the sum over all
contacts. The total of the figure, one cell by arrival and one by outcome are all booked from it.
"""

from stream.core import outcome as of
from stream.core.contact import Contact
from stream.core.figures import INTERVAL_MS, NEVER, Contributions, Figures

MENUS_SHOWN = 3  # more menu steps are one label


def contributions(contact: Contact, figures: Figures, *, inferred: bool, into: Contributions) -> None:
    """Add what the contact is worth now to ``into``.

    Args:
        contact: one generation of one contact_id.
        figures: of the policy in force.
        inferred: as `outcome.is_inferred` says at the watermark in force.
        into: receives (figure, arrival interval, outcome interval) -> amount.
    """
    channel = contact.channel
    arrival = contact.arrived_at // INTERVAL_MS
    direction = contact.direction or "inbound"
    into[(figures.channel("contact_arrivals_total", channel, direction), arrival, NEVER)] = 1
    _quality(contact, figures, into, inferred=inferred)
    if direction != "inbound":
        return
    _visits(contact, figures, into, inferred=inferred)
    if contact.steps.path:
        _steps(contact, figures, into, inferred=inferred)
    name, at = of.contact_outcome(contact, figures.policy, inferred=inferred)
    if name == "open":
        return
    decided = at // INTERVAL_MS
    into[(figures.channel("contact_contacts_total", channel, name), arrival, decided)] = 1
    if name == "handled":
        _responses(contact, figures, into)
        _work(contact, figures, arrival, into)
    elif name in ("abandoned", "abandoned_short", "abandoned_step"):
        menus = contact.steps.menus
        path = figures.channel("contact_abandoned_path_total", channel, "4+" if menus > MENUS_SHOWN else str(menus))
        into[(path, arrival, decided)] = 1


def _quality(contact: Contact, figures: Figures, into: Contributions, *, inferred: bool) -> None:
    policy, visits, steps = figures.policy, contact.visits, contact.steps.path
    listed = policy.queues
    if contact.customer is None:
        into[(figures.quality("unidentified"), NEVER, NEVER)] = 1
    if inferred:
        into[(figures.quality("inferred_end"), NEVER, NEVER)] = 1
    contradictions = contact.contradictions + visits.contradictions
    if contradictions:
        into[(figures.quality("contradiction"), NEVER, NEVER)] = contradictions
    negative = 0
    unlisted: set[str] = set()
    for visit in visits.entered:
        negative += visit.negative
        if visit.queue not in listed and policy.queue_label(visit.queue) != visit.queue:
            unlisted.add(visit.queue)
    if negative:
        into[(figures.quality("negative_duration"), NEVER, NEVER)] = negative
    for step in steps:
        if not policy.lists_step(step.name):
            unlisted.add(step.name)
    if unlisted:
        into[(figures.quality("unlisted_label"), NEVER, NEVER)] = len(unlisted)


def _visits(contact: Contact, figures: Figures, into: Contributions, *, inferred: bool) -> None:
    channel, policy = contact.channel, figures.policy
    for visit in contact.seen_visits:
        queue = of.queue_of(visit, contact)
        series = figures.queue(channel, queue)
        arrival = visit.entered_at // INTERVAL_MS
        key = (series.entered, arrival, NEVER)
        into[key] = into.get(key, 0) + 1
        name = of.visit_outcome(visit, channel, policy, inferred=inferred)
        if name == "waiting":
            continue
        left = contact.last_at if visit.left_at is None else visit.left_at
        outcome = max(left, visit.entered_at) // INTERVAL_MS
        figure = series.outcomes.get(name)
        if figure is None:
            figure = figures.get(("contact_visits_total", *series.place.name[:2], name), series.place)
            series.outcomes[name] = figure
        key = (figure, arrival, outcome)
        into[key] = into.get(key, 0) + 1
        if name == "answered":
            timing, in_target = series.wait_answered, series.answered_in_target
        elif name in of.GIVEN_UP:
            timing, in_target = series.wait_abandoned, series.abandoned_in_target
        else:
            continue
        wait = visit.wait_ms
        timing.add(into, wait, arrival, outcome)
        if wait <= policy.target_ms(channel, queue):
            key = (in_target, arrival, outcome)
            into[key] = into.get(key, 0) + 1


def _steps(contact: Contact, figures: Figures, into: Contributions, *, inferred: bool) -> None:
    channel = contact.channel
    end = of.end_of(contact, inferred=inferred)
    for step in contact.steps.path:
        arrival = step.entered_at // INTERVAL_MS
        key = (figures.step(channel, step.name, "entered"), arrival, NEVER)
        into[key] = into.get(key, 0) + 1
        if step.continued_at is not None:
            name, at = "continued", step.continued_at
        elif end is not None:
            name, at = contact.steps.ending(contact.ended_by, inferred=inferred), max(end, step.entered_at)
        else:
            continue
        key = (figures.step(channel, step.name, name), arrival, at // INTERVAL_MS)
        into[key] = into.get(key, 0) + 1


def _responses(contact: Contact, figures: Figures, into: Contributions) -> None:
    first = of.first_response(contact)
    following = contact.responses.following
    if first is None and not following:
        return
    series = figures.queue(contact.channel, of.home_queue(contact))
    if first is not None:
        asked, answered, wait = first
        arrival, outcome = asked // INTERVAL_MS, max(answered, asked) // INTERVAL_MS
        series.first_response.add(into, wait, arrival, outcome)
        if wait <= figures.policy.channels[contact.channel].response_target_ms:
            into[(series.in_target, arrival, outcome)] = 1
    for asked, answered in following:
        series.next_response.add(into, answered - asked, asked // INTERVAL_MS, answered // INTERVAL_MS)


def _work(contact: Contact, figures: Figures, arrival: int, into: Contributions) -> None:
    channel = contact.channel
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
        into[(figures.queue(channel, of.work_queue(contact)).escalations, arrival, escalated // INTERVAL_MS)] = 1
    if contact.ended_at is not None and contact.handling.legs:
        _endings(contact, figures, (arrival, contact.ended_at // INTERVAL_MS), into)
    times = of.handled_ms(contact)
    if times is None:
        return
    talk, hold, wrapup, at = times
    series = figures.queue(channel, contact.handling.legs[0].queue)
    done = at // INTERVAL_MS
    into[(series.handled, NEVER, done)] = 1
    series.handle.add(into, talk + hold + wrapup, NEVER, done)
    for figure, amount in ((series.talk, talk), (series.hold, hold), (series.wrapup, wrapup)):
        if amount:
            into[(figure, NEVER, done)] = amount


def _endings(contact: Contact, figures: Figures, span: tuple[int, int], into: Contributions) -> None:
    """How a contact that agents had ended, where that is worth a figure of its own."""
    series = figures.queue(contact.channel, of.work_queue(contact))
    if of.ended_on_hold(contact):
        into[(series.ended_on_hold, *span)] = 1
    if of.ended_unresolved(contact):
        into[(series.ended_unresolved, *span)] = 1
    if of.agent_dropped(contact):
        into[(series.agent_dropped, *span)] = 1
    if of.misrouted(contact):
        into[(figures.queue(contact.channel, of.home_queue(contact)).misroutes, *span)] = 1
