"""What a family of figures is: name, kind, labels, unit; and the few ways in which the catalogue makes one.

Never in this module: a family. Those of the contact stage and of the program are in `families`, those of the case
stage in `case_families`.

Source: 3-metrics 3.1 and 3.2, 2-numbers 2.6 (bounds).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from stream.core.events import CHANNELS

Kind = Literal["counter", "histogram", "gauge", "info"]
Scope = Literal["service", "program", "policy", "process", "state"]

CONTACT_STAGE: Final = 1
CASE_STAGE: Final = 2

SECONDS_BOUNDS_MS: Final = tuple(
    1_000 * seconds for seconds in (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 1_800, 3_600, 7_200)
)
"""Upper bounds, inclusive, of waits, responses and handle times on voice and the chat family, in ms."""
HOURS_BOUNDS_MS: Final = tuple(3_600_000 * hours for hours in (1, 2, 3, 4, 5, 6, 12, 24, 48, 72, 168))
"""Upper bounds, inclusive, of waits and responses on e-mail, and of resolution times everywhere, in ms."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family of figures.

    Attributes:
        name: the full exposition name; a counter's ends in `_total`. One that begins with `~` is never exported.
        kind: what it is to Prometheus.
        help: one sentence, shown on `/metrics` and in the documentation.
        labels: label names in the order of the values in a state key (without `stage` and `partition`, which the
            exposition adds).
        unit: `"seconds"`, `"ratio"` or `""` (a count). Seconds are milliseconds in the state.
        scope: `service` carries the label `partition`, `program` carries `stage` and `partition` (3-metrics 3.3,
            first sentence), `policy` carries neither: it comes from the policy file and is the same on every worker;
            `process` is what one process knows and is not in the core; `state` is kept with the rows to compute
            gauges from, and shown nowhere: it has no cells, no twin on a page and no correction.
        twin: whether falls are counted in a family of their own, `twin_name`.
        stage: the stage whose shards count it; 0 = every stage (or none, for `policy`).
        tally: whether a gauge is kept in the state like a counter, as a rise and a fall; its value is what is left.
        hours: whether a histogram is measured in hours on every channel, not on e-mail alone.
        opening: whether only time in which the queue is open counts; a queue that is always open has no such series.
        opted: whether it names agents, so that it exists only where the policy names them.
        values: label name -> its closed set of values. Labels without an entry take names from the policy's
            allow-lists.
        reference: the section of the specification that defines the figure.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    unit: str = ""
    scope: Scope = "service"
    twin: bool = False
    stage: int = CONTACT_STAGE
    tally: bool = False
    hours: bool = False
    opening: bool = False
    opted: bool = False
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    reference: str = ""

    @property
    def twin_name(self) -> str:
        """The family of what was taken back: `contact_visits_retracted_total` for `contact_visits_total`."""
        return f"{self.name.removesuffix('_total')}_retracted_total"

    @property
    def timestamp(self) -> bool:
        """Whether the value is a point in time: such a gauge is absent while nothing is open, never 0."""
        return self.kind == "gauge" and self.name.endswith("_timestamp_seconds")

    @property
    def rolling(self) -> bool:
        """Whether it is a gauge by day or age: its series come and go with time, so none is known beforehand."""
        return self.kind == "gauge" and not {"day", "age"}.isdisjoint(self.labels)

    @property
    def corrected(self) -> bool:
        """Whether a published figure of it can fall, which is a correction."""
        return self.scope == "service" and self.kind in {"counter", "histogram"}

    def bounds_ms(self, channel: str) -> tuple[int, ...]:
        """Upper bounds of a histogram's buckets on one channel, in ms, inclusive, +Inf left out."""
        return HOURS_BOUNDS_MS if self.hours or channel == "email" else SECONDS_BOUNDS_MS


CHANNEL_QUEUE: Final = ("channel", "queue")
ANY_CHANNEL: Final = MappingProxyType({"channel": CHANNELS})


def counted(
    name: str,
    text: str,
    reference: str,
    labels: tuple[str, ...] = CHANNEL_QUEUE,
    values: Mapping[str, tuple[str, ...]] = ANY_CHANNEL,
) -> Family:
    """A counter of 3.2, with its twin; its unit is read from its name."""
    unit = "seconds" if name.endswith("_seconds_total") else ""
    return Family(name, "counter", text, labels, unit=unit, twin=True, values=values, reference=reference)


def timed(
    name: str,
    text: str,
    reference: str,
    labels: tuple[str, ...] = CHANNEL_QUEUE,
    values: Mapping[str, tuple[str, ...]] = ANY_CHANNEL,
) -> Family:
    """A histogram of durations; append-only, so without a twin."""
    return Family(name, "histogram", text, labels, unit="seconds", values=values, reference=reference)


def now_value(name: str, text: str, reference: str) -> Family:
    """A gauge by channel and queue, computed from open rows at the scrape."""
    unit = "seconds" if name.endswith("_seconds") else ""
    return Family(name, "gauge", text, CHANNEL_QUEUE, unit=unit, values=ANY_CHANNEL, reference=reference)
