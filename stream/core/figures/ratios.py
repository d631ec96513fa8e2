"""Rates and service levels from counts: [numerator, denominator], never a quotient (2-numbers 2.2, 2.3)."""

from collections.abc import Mapping
from typing import NamedTuple

Ratio = tuple[int, int]
_LOST = ("timeout", "empty", "full", "closed", "system")


class QueueCounts(NamedTuple):
    """Finished visits of one queue (or sum of queues) by outcome, and those within the target."""

    outcomes: Mapping[str, int]
    answered_in_target: int
    abandoned_in_target: int

    def of(self, *names: str) -> int:
        """Visits with one of these outcomes."""
        return sum(self.outcomes.get(name, 0) for name in names)

    @property
    def lost(self) -> int:
        """Visits the system removed; shown beside, never inside the service level."""
        return self.of(*_LOST)


def service_levels(counts: QueueCounts) -> dict[str, Ratio]:
    """The six formulas over the same counts; SL3 is the headline. Source: 2-numbers 2.3."""
    answered, answered_in = counts.of("answered"), counts.answered_in_target
    short = counts.of("abandoned_short")
    abandoned, abandoned_in = counts.of("abandoned", "abandoned_short", "exited"), counts.abandoned_in_target
    both = answered + abandoned
    return {
        "SL1": (answered_in + abandoned_in, both),
        "SL2": (answered_in, answered),
        "SL3": (answered_in, both),
        "SL4": (answered_in, both - abandoned_in),
        "SL5": (answered_in + short, both),
        "SL6": (answered_in, both - short),
    }


def abandonment(counts: QueueCounts) -> dict[str, Ratio]:
    """Gross and net rate; net leaves short abandons out on both sides. Source: 2-numbers 2.2."""
    finished = sum(counts.outcomes.values())
    short = counts.of("abandoned_short")
    left = counts.of("abandoned", "exited")
    return {"gross": (left + short, finished), "net": (left, finished - short)}
