"""Draws docs/fcr-cohort.png: FCR of one cohort on its first nine days, from a simulated contact centre.

    uv run --group pictures python docs/pictures/fcr_cohort.py

Every point is a cohort gauge of the case stage at that settlement watermark, as `/metrics` shows it; the events are the
simulator's, whose callers come back for up to six days. Nothing is drawn by hand, so the picture cannot differ from
the definitions.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt

from stream.core.engine.batch import Record
from stream.demo.centre.simulator import Simulator
from stream.demo.scenario import SCENARIOS
from stream.replay.stages import Stages
from stream.wire.policy import load_policy

HOUR_MS: Final = 3_600_000
DAYS: Final = 9
SCALE: Final = 0.3
ROOT: Final = Path(__file__).parents[2]
BEGINS: Final = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday; the cohort is that of the Monday after next
DAYS_BEFORE: Final = 14  # so that there is something to project from
DAY: Final = "2026-03-16"


class Point(NamedTuple):
    """The cohort at one watermark: days since it began, cases by state, share of the windows passed, survival."""

    days: float
    settled: float
    provisional: float
    failed: float
    open: float
    elapsed: float
    projected: float

    @property
    def total(self) -> float:
        """N."""
        return self.settled + self.provisional + self.failed + self.open


def points() -> list[Point]:
    """The cohort every two hours."""
    begins_ms = int(BEGINS.timestamp() * 1000)
    calm = SCENARIOS["calm"].scaled(SCALE)
    simulator = Simulator(replace(calm, begins_ms=0, returns_ms=(HOUR_MS, 6 * 24 * HOUR_MS)), 7, begins_ms)
    stages = Stages(load_policy(ROOT / "stream" / "demo" / "policy.toml"))
    found = []
    for hour in range(2, (DAYS_BEFORE + DAYS) * 24 + 1, 2):
        until = begins_ms + hour * HOUR_MS
        records = []
        while (moment := simulator.step(until)) is not None:
            records += [
                Record(said.topic, 0, None, said.key.encode(), json.dumps(said.event).encode(), ())
                for said in moment.events
            ]
        stages.feed(records)
        stages.close(until)
        stages.settle(until)
        point = _point(stages, hour / 24 - DAYS_BEFORE)
        if point.days > 0 and point.total:
            found.append(point)
    return found


def _point(stages: Stages, days: float) -> Point:
    gauges = stages.cases.view.gauges(0)
    states = {
        state: sum(
            amount
            for key, amount in gauges.items()
            if key[0] == "contact_fcr_cohort_cases" and key[1] == "contact" and key[3:] == (state, DAY)
        )
        for state in ("settled", "provisional", "failed", "open")
    }
    elapsed = gauges.get(("contact_fcr_cohort_elapsed_cases", "contact", DAY), 0.0)
    return Point(days, *states.values(), elapsed, _projected(gauges, states, days))


def _projected(gauges: dict[tuple[str | int, ...], float], states: dict[str, float], days: float) -> float:
    """Settled and provisional cases less those who will still come back, as often as others did (Kaplan-Meier)."""
    survival = 1.0
    for age in range(max(0, int(days)), 7):
        at_risk = gauges.get(("contact_fcr_at_risk_cases", "contact", str(age)), 0.0)
        repeated = gauges.get(("contact_fcr_repeated_cases", "contact", str(age)), 0.0)
        survival *= 1 - repeated / at_risk if at_risk else 1
    return states["settled"] + states["provisional"] * survival


def draw(cohort: list[Point], path: Path) -> None:
    """One picture: the bounds as a band, provisional, projected, settled and maturity as lines."""
    days = [point.days for point in cohort]
    figure, axes = plt.subplots(figsize=(9.2, 4.6), dpi=110)
    low = [100 * point.settled / point.total for point in cohort]
    high = [100 * (point.total - point.failed) / point.total for point in cohort]
    axes.fill_between(days, low, high, color="#cfe3f5", label="bounds: what it can still become")
    known = [100 * (p.settled + p.provisional) / max(1, p.settled + p.provisional + p.failed) for p in cohort]
    axes.plot(days, known, color="#1f5f9e", linewidth=2, label="provisional")
    decided = [100 * p.projected / max(1, p.settled + p.provisional + p.failed) for p in cohort]
    axes.plot(days, decided, color="#d9822b", linewidth=1.6, linestyle="--", label="projected (an estimate)")
    complete = [point for point in cohort if not point.provisional and not point.open]
    if complete:
        ratio = 100 * complete[0].settled / complete[0].total
        axes.plot([p.days for p in complete], [ratio] * len(complete), color="#2a7d46", linewidth=4, label="settled")
        axes.annotate(f"{ratio:.1f} %", (complete[0].days, ratio), xytext=(-2, 9), textcoords="offset points")
    maturity = [100 * point.elapsed / point.total for point in cohort]
    axes.plot(
        days, maturity, color="#999999", linewidth=1.2, linestyle=":", label="maturity: share of the windows passed"
    )
    axes.set(xlim=(0, DAYS), ylim=(0, 101), xlabel="days since the cohort's day began", ylabel="%")
    axes.set_title(f"First contact resolution of one day's {cohort[-1].total:,.0f} cases, as it became known")
    axes.grid(color="#eeeeee")
    axes.legend(loc="lower right", frameon=False)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Draw the picture and print what it shows."""
    cohort = points()
    draw(cohort, ROOT / "docs" / "fcr-cohort.png")
    for point in cohort[::12]:
        print(*(f"{value:,.2f}" for value in point))  # noqa: T201  a program for people


if __name__ == "__main__":
    main()
