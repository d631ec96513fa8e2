"""What a Prometheus under test is told: counters that jump, gauges that come and go, sources that speak or not."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from tests.deploy.stories import series

if TYPE_CHECKING:
    from tests.deploy.stories import Series


@dataclass(frozen=True)
class Ticks:
    """The moments of a story.

    Attributes:
        minutes: how long it is.
        step: s between two of them.
    """

    minutes: float
    step: int = 15

    def samples(self, *jumps: tuple[float, float | None], start: float | None = 0) -> str:
        """A value that holds until the next jump: from a minute on, a value; None = no series."""
        values = []
        for tick in range(round(self.minutes * 60 / self.step) + 1):
            value = start
            for minute, to in jumps:
                if tick * self.step >= minute * 60:
                    value = to
            values.append("stale" if value is None else f"{value:g}")
        return " ".join(values)

    def counter(self, name: str, *jumps: tuple[float, float | None], **labels: str) -> Series:
        """A counter of one shard by its name without `_total`, with a twin of which nothing was taken back."""
        return {
            series(f"{name}_total", **labels, partition="0"): self.samples(*jumps),
            series(f"{name}_retracted_total", **labels, partition="0"): self.samples(),
        }

    def gauge(self, name: str, *jumps: tuple[float, float | None], **labels: str) -> Series:
        """A gauge that is not there before its first jump."""
        return {series(name, **labels): self.samples(*jumps, start=None)}

    def always(self, name: str, value: float, **labels: str) -> Series:
        """A gauge that never changes, of a policy or a process: on two workers."""
        return {series(name, **labels, instance=worker): self.samples(start=value) for worker in ("a", "b")}

    def heard(self, topic: str, *silences: tuple[float, float]) -> Series:
        """The newest event time of a topic: now, but in a silence (from and to a minute) the time at which it began."""
        values = []
        for tick in range(round(self.minutes * 60 / self.step) + 1):
            now = tick * self.step
            began = [since * 60 for since, until in silences if since * 60 <= now < until * 60]
            values.append(f"{began[0] if began else now:g}")
        return {series("contact_stream_event_time_seconds", topic=topic, instance="a"): " ".join(values)}

    def visits(self, minute: float, ended: dict[str, int], channel: str = "voice", queue: str = "billing") -> Series:
        """Visits that all enter and end in one minute, by outcome."""
        told: Series = {}
        for outcome in ("answered", "abandoned", "abandoned_short", "exited"):
            jump = (minute, ended.get(outcome, 0))
            told |= self.counter("contact_visits", jump, channel=channel, queue=queue, outcome=outcome)
        entered = (minute, sum(ended.values()))
        return told | self.counter("contact_visits_entered", entered, channel=channel, queue=queue)


def wilson_lower(hits: float, of: float) -> float:
    """The lower end of Wilson's 95 % interval, by its meaning.

    The rate from which what was observed is just 1.96 of its errors away; found by halving, not by the closed formula
    that the rules use.
    """
    z = NormalDist().inv_cdf(0.975)
    share = hits / of
    low, high = 0.0, share
    for _ in range(200):
        p = (low + high) / 2
        if share - p > z * (p * (1 - p) / of) ** 0.5:
            low = p
        else:
            high = p
    return low


def wilson_upper(hits: float, of: float) -> float:
    """The upper end, which is the lower end of the misses seen from the other side."""
    return 1 - wilson_lower(of - hits, of)


def fewest(of: int, above: float) -> int:
    """The fewest hits among `of` of which the lower end is above a rate."""
    return next(hits for hits in range(of + 1) if wilson_lower(hits, of) > above)
