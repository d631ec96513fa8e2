"""Contributions: what one contact adds to which figure in which interval (2-numbers 2.1).

`contributions(contact)` is a pure function of what is known; every figure is the sum over all
contacts. The total of the figure, one cell by arrival and one by outcome are all booked from it.
"""

from stream.core.contacts import outcome as of
from stream.core.contacts.contact import Contact
from stream.core.contacts.work_cells import callbacks, missed, work
from stream.core.figures.figures import INTERVAL_MS, NEVER, Contributions, Figures
from stream.core.policy import NONE

MENUS_SHOWN = 3  # more menu steps are one label


def contributions(
    contact: Contact, stands: of.Standing, figures: Figures, watermark: int | None, into: Contributions
) -> None:
    """Add what the contact is worth now to ``into``.

    Args:
        contact: one generation of one contact_id.
        stands: how it stands at the watermark.
        figures: of the policy in force.
        watermark: what time has passed (ms), None = none yet: callbacks expire.
        into: receives (figure, arrival interval, outcome interval) -> amount.
    """
    inferred, name, at, home, times = stands
    channel = contact.channel
    arrival = contact.arrived_at // INTERVAL_MS
    direction = contact.direction or "inbound"
    into[(figures.channel("contact_arrivals_total", channel, direction), arrival, NEVER)] = 1
    _quality(contact, figures, into, inferred=inferred)
    if direction != "inbound":
        return
    if figures.policy.any_hours:
        _opening(contact, home, figures, into)
    _visits(contact, figures, into, inferred=inferred)
    if contact.steps.path:
        _steps(contact, figures, into, inferred=inferred)
    if contact.missed:
        missed(contact, figures, into)
    if contact.callbacks.requests:
        callbacks(contact, figures, watermark, into)
    if name == "open":
        return
    decided = at // INTERVAL_MS
    into[(figures.channel("contact_contacts_total", channel, name), arrival, decided)] = 1
    if name == "handled":
        _responses(contact, home, figures, into)
        work(contact, times, figures, into)
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


def _opening(contact: Contact, home: str, figures: Figures, into: Contributions) -> None:
    """An arrival while the queue it was for was closed (R38)."""
    at = contact.arrived_at
    if not figures.policy.calendar(home).in_hours(at):
        key = ("contact_arrivals_outside_opening_total", contact.channel)
        into[(figures.get(key, figures.place(contact.channel, NONE, NONE)), at // INTERVAL_MS, NEVER)] = 1


def _visits(contact: Contact, figures: Figures, into: Contributions, *, inferred: bool) -> None:
    channel, policy = contact.channel, figures.policy
    for visit in contact.seen_visits:
        series = figures.queue(channel, of.queue_of(visit, contact))
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
        if series.calendar is not None:
            opened = series.calendar.open_ms(left - wait, left)
            series.wait_open["answered" if name == "answered" else "abandoned"].add(into, opened, arrival, outcome)
        if wait <= series.target_ms:
            key = (in_target, arrival, outcome)
            into[key] = into.get(key, 0) + 1


def _steps(contact: Contact, figures: Figures, into: Contributions, *, inferred: bool) -> None:
    channel = contact.channel
    end = of.end_of(contact, inferred=inferred)
    met: set[str] = set()
    for step in contact.steps.path:
        series = figures.step(channel, step.name)
        arrival = step.entered_at // INTERVAL_MS
        key = (series.outcomes["entered"], arrival, NEVER)
        into[key] = into.get(key, 0) + 1
        continued = of.continued_at(step, contact)
        over = step.over_at(end if continued is None else continued)
        if over is not None and over > step.entered_at:
            key = (series.seconds, arrival, over // INTERVAL_MS)
            into[key] = into.get(key, 0) + over - step.entered_at
        if step.name in met:
            key = (series.repeats, arrival, NEVER)
            into[key] = into.get(key, 0) + 1
        met.add(step.name)
        if continued is not None:
            name, at = "continued", continued
        elif end is not None:
            name, at = contact.steps.ending(contact.ended_by, inferred=inferred), max(end, step.entered_at)
        else:
            continue
        key = (series.outcomes[name], arrival, at // INTERVAL_MS)
        into[key] = into.get(key, 0) + 1


def _responses(contact: Contact, home: str, figures: Figures, into: Contributions) -> None:
    first = of.first_response(contact)
    following = contact.responses.following
    if first is None and not following:
        return
    series = figures.queue(contact.channel, home)
    if first is not None:
        asked, answered, wait, agent = first
        arrival, outcome = asked // INTERVAL_MS, max(answered, asked) // INTERVAL_MS
        series.first_response.add(into, wait, arrival, outcome)
        excess = wait - figures.policy.response_target_ms(contact.channel, home)
        if excess <= 0:
            into[(series.in_target, arrival, outcome)] = 1
        else:
            figure = figures.of_issue("contact_response_excess_seconds_total", contact.channel, contact.issue)
            into[(figure, arrival, outcome)] = excess
        if series.calendar is not None:
            series.first_open.add(into, series.calendar.open_ms(answered - wait, answered), arrival, outcome)
        if figures.policy.agents:
            answered_by = ("first_responses", 1), ("first_response_seconds", wait)
            for family, amount in answered_by if wait else answered_by[:1]:
                into[(figures.of_agent(f"contact_agent_{family}_total", agent, contact.channel), arrival, outcome)] = (
                    amount
                )
    for asked, answered in following:
        arrival, outcome = asked // INTERVAL_MS, answered // INTERVAL_MS
        series.next_response.add(into, answered - asked, arrival, outcome)
        if series.calendar is not None:
            series.next_open.add(into, series.calendar.open_ms(asked, answered), arrival, outcome)
