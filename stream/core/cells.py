"""Contributions: what one contact adds to which figure in which interval (2-numbers 2.1).

`contributions(contact)` is a pure function of what is known; every figure is the sum over all
contacts. A contribution is (figure, arrival interval, outcome interval) -> integer: the total of the
figure, one cell by arrival and one by outcome are all booked from it. `NEVER` as an interval
means the figure has no cell on that side (3-metrics 3.4).

Figures are interned: comparing and hashing one is comparing an identity.
"""

from bisect import bisect_left

from stream.core import outcome as of
from stream.core.contact import Contact
from stream.core.families import SERVICE, bounds_ms
from stream.core.policy import NONE, Policy

INTERVAL_MS = 900_000
NEVER = -1
MENUS_SHOWN = 3  # more menu steps are one label
NAMES_KEPT = 10_000  # unlisted queue names whose label is remembered

CounterKey = tuple[str | int, ...]
CellKey = tuple[int, str, str, str, str]  # interval number, by, channel, queue, issue


class Cell:
    """The counts of one interval by one attribution at one place."""

    __slots__ = ("by", "counts", "interval", "place", "published_at", "version")

    def __init__(self, interval: int, by: str, place: "Place") -> None:
        """Empty."""
        self.interval = interval
        self.by = by
        self.place = place
        self.counts: dict[Figure, int] = {}
        self.version = 0
        self.published_at = 0  # wall clock, ms; not stored

    @property
    def key(self) -> CellKey:
        """What names the cell."""
        return (self.interval, self.by, *self.place.name)


class Place:
    """Where cells lie: a channel, a queue, an issue; with the cells that are in the state."""

    __slots__ = ("arrivals", "name", "outcomes")

    def __init__(self, name: tuple[str, str, str]) -> None:
        """Made by `Figures` only, once for each name."""
        self.name = name
        self.arrivals: dict[int, Cell] = {}
        self.outcomes: dict[int, Cell] = {}

    def cells(self, by: str) -> dict[int, Cell]:
        """The cells of one attribution, by interval number."""
        return self.arrivals if by == "arrival" else self.outcomes


class Figure:
    """One series of a shard: its state key, its count, and the place of its cells (None: it has none).

    A series without a channel that has cells by channel (steps) is one figure a channel, all of them
    counted on one ``base``; else the base is the figure itself.
    """

    __slots__ = ("base", "family", "key", "place", "retracted", "total")

    def __init__(self, key: CounterKey, place: Place | None, base: "Figure | None" = None) -> None:
        """Made by `Figures` only, once for each key."""
        self.family = str(key[0])
        self.key = key
        self.place = place
        self.base = base or self
        self.total = 0
        self.retracted = 0


Contributions = dict[tuple[Figure, int, int], int]


class Timing:
    """The series of one histogram and label set: buckets, then the sum in ms."""

    __slots__ = ("bounds", "buckets", "total")

    def __init__(self, figures: "Figures", family: str, labels: tuple[str, ...], place: Place) -> None:
        """Intern every bucket."""
        self.bounds = bounds_ms(family, place.name[0])
        self.buckets = [figures.get((family, *labels, i), place) for i in range(len(self.bounds) + 1)]
        self.total = figures.get((family, *labels, "sum"), place)

    def add(self, into: Contributions, value_ms: int, arrival: int, outcome: int) -> None:
        """One observation."""
        bucket = (self.buckets[bisect_left(self.bounds, value_ms)], arrival, outcome)
        into[bucket] = into.get(bucket, 0) + 1
        if value_ms:
            total = (self.total, arrival, outcome)
            into[total] = into.get(total, 0) + value_ms


class QueueFigures:
    """Everything counted under one channel and queue, looked up once."""

    __slots__ = (
        "abandoned_in_target",
        "agent_dropped",
        "answered_in_target",
        "ended_on_hold",
        "ended_unresolved",
        "entered",
        "escalations",
        "first_response",
        "handle",
        "handled",
        "hold",
        "in_target",
        "misroutes",
        "next_response",
        "outcomes",
        "place",
        "short_ms",
        "talk",
        "target_ms",
        "wait_abandoned",
        "wait_answered",
        "wrapup",
    )

    def __init__(self, figures: "Figures", channel: str, queue: str) -> None:
        """Intern the series of (channel, queue label)."""
        self.place = place = figures.place(channel, queue, NONE)
        labels = (channel, queue)

        def series(family: str) -> Figure:
            return figures.get((family, *labels), place)

        self.entered = series("contact_visits_entered_total")
        self.answered_in_target = series("contact_answered_in_target_total")
        self.abandoned_in_target = series("contact_abandoned_in_target_total")
        self.escalations = series("contact_escalations_total")
        self.ended_on_hold = series("contact_ended_on_hold_total")
        self.ended_unresolved = series("contact_ended_unresolved_total")
        self.agent_dropped = series("contact_agent_dropped_total")
        self.misroutes = series("contact_misroutes_total")
        self.handled = series("contact_handled_total")
        self.talk = series("contact_talk_seconds_total")
        self.hold = series("contact_hold_seconds_total")
        self.wrapup = series("contact_wrapup_seconds_total")
        self.in_target = series("contact_responses_in_target_total")
        self.outcomes: dict[str, Figure] = {}
        self.wait_answered = Timing(figures, "contact_wait_seconds", (*labels, "answered"), place)
        self.wait_abandoned = Timing(figures, "contact_wait_seconds", (*labels, "abandoned"), place)
        self.handle = Timing(figures, "contact_handle_seconds", labels, place)
        self.first_response = Timing(figures, "contact_first_response_seconds", labels, place)
        self.next_response = Timing(figures, "contact_next_response_seconds", labels, place)


class Figures:
    """All figures of a policy, interned; one per shard."""

    def __init__(self, policy: Policy) -> None:
        """Nothing counted yet."""
        self.policy = policy
        self.known: dict[CounterKey, Figure] = {}
        self.groups: dict[CounterKey, list[Figure]] = {}  # figures that are stored in one row
        self._steps: dict[tuple[str, str, str], Figure] = {}
        self._queues: dict[tuple[str, str], QueueFigures] = {}
        self._places: dict[tuple[str, str, str], Place] = {}

    def get(self, key: CounterKey, place: Place | None = None) -> Figure:
        """The one figure with this key; ``place`` matters the first time."""
        figure = self.known.get(key)
        if figure is None:
            figure = self.known[key] = Figure(key, place)
            self.groups.setdefault(key[:3], []).append(figure)
        return figure

    def restore(self, key: CounterKey) -> Figure:
        """The figure of a stored key, its place found from its labels."""
        return self.get(key, self._place_of(key))

    def place(self, *name: str) -> Place:
        """The one place of (channel, queue, issue)."""
        channel, queue, issue = name
        found = self._places.get((channel, queue, issue))
        if found is None:
            found = self._places[channel, queue, issue] = Place((channel, queue, issue))
        return found

    def _place_of(self, key: CounterKey) -> Place | None:
        family = SERVICE[str(key[0])]
        if family.scope != "service":
            return None
        labels = dict(zip(family.labels, map(str, key[1:]), strict=False))
        return self.place(labels.get("channel", NONE), labels.get("queue", NONE), labels.get("issue", NONE))

    def queue(self, channel: str, queue: str) -> QueueFigures:
        """The figures of a queue as named by events; an unlisted one is ``other``."""
        found = self._queues.get((channel, queue))
        if found is None:
            label = self.policy.queue_label(queue)
            found = self._queues.get((channel, label)) or QueueFigures(self, channel, label)
            self._queues[(channel, label)] = found
            if label != queue and len(self._queues) < NAMES_KEPT:
                self._queues[(channel, queue)] = found
        return found

    def step(self, channel: str, step: str, outcome: str) -> Figure:
        """The figure of a step; its cells lie at the contact's channel."""
        found = self._steps.get((channel, step, outcome))
        if found is not None:
            return found
        label = self.policy.step_label(step)
        found = self._steps.get((channel, label, outcome))
        if found is None:
            base = self.get(("contact_steps_total", label, outcome))
            found = Figure(base.key, self.place(channel, NONE, NONE), base)
            self._steps[(channel, label, outcome)] = found
        return found

    def channel(self, family: str, channel: str, label: str) -> Figure:
        """A figure by channel and one label, without a queue."""
        key = (family, channel, label)
        return self.known.get(key) or self.get(key, self.place(channel, NONE, NONE))

    def transfer(self, channel: str, queue: str, kind: str) -> Figure:
        """Transfers of a kind out of a queue."""
        place = self.queue(channel, queue).place
        return self.get(("contact_transfers_total", channel, place.name[1], kind), place)

    def quality(self, kind: str) -> Figure:
        """An oddity of the data; it has no cell."""
        return self.get(("contact_stream_quality_total", kind), None)


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
