"""The figures of a shard, interned: series with their counts, and the places where their interval cells lie.

Comparing and hashing a figure is comparing an identity. A contribution is (figure, arrival interval, outcome interval)
-> integer; `NEVER` as an interval means the figure has no cell on that side (3-metrics 3.4).
"""

from bisect import bisect_left
from typing import Self

from stream.core.figures.families import SERVICE, STEP_OUTCOMES, bounds_ms
from stream.core.policy import NONE, Policy

INTERVAL_MS = 900_000
NEVER = -1
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
        "calendar",
        "ended_on_hold",
        "ended_unresolved",
        "entered",
        "escalated",
        "escalated_handle",
        "escalated_wait",
        "escalations",
        "first_open",
        "first_response",
        "handle",
        "handled",
        "hold",
        "in_target",
        "misroutes",
        "next_open",
        "next_response",
        "outcomes",
        "place",
        "talk",
        "target_ms",
        "wait_abandoned",
        "wait_answered",
        "wait_open",
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
        self.escalated = series("contact_escalated_contacts_total")
        self.escalated_wait = series("contact_escalated_wait_seconds_total")
        self.escalated_handle = series("contact_escalated_handle_seconds_total")
        self.ended_on_hold = series("contact_ended_on_hold_total")
        self.ended_unresolved = series("contact_ended_unresolved_total")
        self.agent_dropped = series("contact_agent_dropped_total")
        self.misroutes = series("contact_misroutes_total")
        self.handled = series("contact_handled_total")
        self.talk = series("contact_talk_seconds_total")
        self.hold = series("contact_hold_seconds_total")
        self.wrapup = series("contact_wrapup_seconds_total")
        self.in_target = series("contact_responses_in_target_total")
        self.target_ms = figures.policy.target_ms(channel, queue)
        self.outcomes: dict[str, Figure] = {}
        self.wait_answered = Timing(figures, "contact_wait_seconds", (*labels, "answered"), place)
        self.wait_abandoned = Timing(figures, "contact_wait_seconds", (*labels, "abandoned"), place)
        self.handle = Timing(figures, "contact_handle_seconds", labels, place)
        self.first_response = Timing(figures, "contact_first_response_seconds", labels, place)
        self.next_response = Timing(figures, "contact_next_response_seconds", labels, place)
        self.calendar = figures.policy.calendar(queue) if figures.policy.has_hours(queue) else None
        self.wait_open: dict[str, Timing] = {}
        if self.calendar is not None:  # else time in which it is open is all time
            for outcome in ("answered", "abandoned"):
                self.wait_open[outcome] = Timing(figures, "contact_wait_open_seconds", (*labels, outcome), place)
            self.first_open = Timing(figures, "contact_first_response_open_seconds", labels, place)
            self.next_open = Timing(figures, "contact_next_response_open_seconds", labels, place)


class StepFigures:
    """Everything counted under one channel and step, looked up once."""

    __slots__ = ("outcomes", "repeats", "seconds")

    def __init__(self, figures: "Figures", channel: str, step: str) -> None:
        """Intern the series of (channel, step label)."""
        self.outcomes = {
            outcome: figures.of_step(channel, "contact_steps_total", step, outcome) for outcome in STEP_OUTCOMES
        }
        self.seconds = figures.of_step(channel, "contact_step_seconds_total", step)
        self.repeats = figures.of_step(channel, "contact_step_repeats_total", step)


class Figures:
    """All figures of a policy, interned; one per shard."""

    def __init__(self, policy: Policy) -> None:
        """Nothing counted yet."""
        self.policy = policy
        self.known: dict[CounterKey, Figure] = {}
        self.groups: dict[CounterKey, list[Figure]] = {}  # figures that are stored in one row
        self._by_channel: dict[tuple[str, CounterKey], Figure] = {}
        self._steps: dict[tuple[str, str], StepFigures] = {}
        self._queues: dict[tuple[str, str], QueueFigures] = {}
        self._places: dict[tuple[str, str, str], Place] = {}
        self._timings: dict[tuple[str, ...], Timing] = {}

    def under(self, policy: Policy) -> Self:
        """The same series, named as another policy names them: what one is worth under both can be compared."""
        other = type(self)(policy)
        vars(other).update({**vars(self), "policy": policy, "_queues": {}, "_steps": {}})
        return other

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

    def step(self, channel: str, step: str) -> StepFigures:
        """The figures of a step as named by events; an unlisted one is ``other``."""
        found = self._steps.get((channel, step))
        if found is None:
            label = self.policy.step_label(step)
            found = self._steps.get((channel, label)) or StepFigures(self, channel, label)
            self._steps[(channel, label)] = found
            if label != step and len(self._steps) < NAMES_KEPT:
                self._steps[(channel, step)] = found
        return found

    def of_step(self, channel: str, *key: str) -> Figure:
        """The figure of a step with this key; its cells lie at the contact's channel."""
        found = self._by_channel.get((channel, key))
        if found is None:
            found = Figure(key, self.place(channel, NONE, NONE), self.get(key))
            self._by_channel[channel, key] = found
        return found

    def of_queue(self, family: str, queue: str, label: str) -> Figure:
        """A figure by queue and one label, whatever the channel."""
        name = self.policy.queue_label(queue)
        key = (family, name, label)
        return self.known.get(key) or self.get(key, self.place(NONE, name, NONE))

    def of_issue(self, family: str, channel: str, issue: str | None) -> Figure:
        """A figure by channel and issue."""
        label = self.policy.issue_label(issue)
        key = (family, channel, label)
        return self.known.get(key) or self.get(key, self.place(channel, NONE, label))

    def of_agent(self, family: str, agent: str, channel: str) -> Figure:
        """A figure by agent and channel; an unlisted agent is ``other``."""
        key = (family, self.policy.agent_label(agent), channel)
        return self.known.get(key) or self.get(key, self.place(channel, NONE, NONE))

    def channel(self, family: str, channel: str, label: str) -> Figure:
        """A figure by channel and one label, without a queue."""
        key = (family, channel, label)
        return self.known.get(key) or self.get(key, self.place(channel, NONE, NONE))

    def transfer(self, channel: str, queue: str, kind: str) -> Figure:
        """Transfers of a kind out of a queue."""
        place = self.queue(channel, queue).place
        return self.get(("contact_transfers_total", channel, place.name[1], kind), place)

    def timing(self, family: str, labels: tuple[str, ...], place: tuple[str, str, str]) -> Timing:
        """A histogram of one label set."""
        found = self._timings.get((family, *labels))
        if found is None:
            found = self._timings[family, *labels] = Timing(self, family, labels, self.place(*place))
        return found

    def quality(self, kind: str) -> Figure:
        """An oddity of the data; it has no cell."""
        return self.get(("contact_stream_quality_total", kind), None)
