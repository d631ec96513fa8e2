"""What one run of one program over one topic gave, and the table of many runs beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.table import spread, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes:
        name: of the program and its settings.
        events: read and taken into the state.
        wall_seconds: from the first event to the last.
        cpu_seconds: of the process in that time, user and system.
        warm_events: of the later half; 0 = not taken.
        warm_cpu_seconds: of the process for them.
        process_cpu_seconds: of the process from its start to its end.
        peak_mb: largest resident size.
        exact: its figures equal the truth of the generated calls.
    """

    name: str
    events: int
    wall_seconds: float
    cpu_seconds: float
    warm_events: int
    warm_cpu_seconds: float
    process_cpu_seconds: float
    peak_mb: float
    exact: bool

    @property
    def per_cpu_second(self) -> float:
        """Events per CPU second between first and last event."""
        return self.events / self.cpu_seconds

    @property
    def warm_per_cpu_second(self) -> float | None:
        """Events per CPU second of the later half; None when not taken."""
        return self.warm_events / self.warm_cpu_seconds if self.warm_events and self.warm_cpu_seconds else None


_HEAD = (
    "program",
    "events",
    "events/CPU-s",
    "later half",
    "whole process",
    "events/s wall",
    "CPU us/event",
    "peak MB",
    "exact",
)


def comparison(runs: Sequence[Run]) -> str:
    """Return the runs as a table, one row for each program: median [min-max]."""
    rows = []
    for name in dict.fromkeys(run.name for run in runs):
        mine = [run for run in runs if run.name == name]
        warm = [rate for run in mine if (rate := run.warm_per_cpu_second) is not None]
        rows.append(
            (
                name,
                f"{mine[0].events:,}",
                spread([run.per_cpu_second for run in mine]),
                spread(warm),
                spread([run.events / run.process_cpu_seconds for run in mine]),
                spread([run.events / run.wall_seconds for run in mine]),
                spread([run.cpu_seconds / run.events * 1e6 for run in mine], ".1f"),
                spread([run.peak_mb for run in mine]),
                "yes" if all(run.exact for run in mine) else "NO",
            )
        )
    return table(_HEAD, rows)


def ratios(rounds: Sequence[Sequence[Run]], first: str) -> str:
    """Return how many times `first` does of each other program, taken within each round.

    Args:
        rounds: the runs of each repetition, one for each program.
        first: name of the program that stands above the line of the ratio.
    """
    rows = []
    for name in dict.fromkeys(run.name for runs in rounds for run in runs if run.name != first):
        pairs = [_pair(runs, first, name) for runs in rounds]
        kinds: tuple[Callable[[Run], float | None], ...] = (
            lambda run: run.per_cpu_second,
            lambda run: run.warm_per_cpu_second,
            lambda run: run.events / run.process_cpu_seconds,
            lambda run: run.events / run.wall_seconds,
        )
        rows.append((name, *(_ratio(pairs, kind) for kind in kinds)))
    return table((f"{first} / ...", "events/CPU-s", "later half", "whole process", "events/s wall"), rows)


def _pair(runs: Sequence[Run], first: str, other: str) -> tuple[Run, Run]:
    found = {run.name: run for run in runs}
    return found[first], found[other]


def _ratio(pairs: Sequence[tuple[Run, Run]], kind: Callable[[Run], float | None]) -> str:
    values = [(kind(mine), kind(theirs)) for mine, theirs in pairs]
    return spread([mine / theirs for mine, theirs in values if mine is not None and theirs is not None], ".2f")
