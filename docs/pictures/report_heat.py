"""Draws docs/report-heat.png: abandonment by weekday and hour, of three simulated weeks.

    uv run --group pictures python docs/pictures/report_heat.py

It is what `contact-stream report --heat abandonment --plot FILE` draws of the same cells, and prints what the command
prints. Nothing is drawn by hand, so the picture cannot differ from the definitions.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from stream.cli.plots import draw
from stream.cli.report_heat import HeatMap
from stream.core.calendar import Hours
from stream.core.engine.batch import Record
from stream.core.reports.sums import Selection
from stream.demo.centre.simulator import Simulator
from stream.demo.scenario import SCENARIOS
from stream.replay.stages import Stages
from stream.wire.cells import read_cell
from stream.wire.policy import load_policy

ROOT: Final = Path(__file__).parents[2]
ZONE: Final = "Europe/Berlin"
BEGINS: Final = datetime(2026, 3, 2, tzinfo=ZoneInfo(ZONE))  # a Monday
HOUR_MS: Final = 3_600_000
DAYS: Final = 21
SCALE: Final = 0.3
OPENS, CLOSES = 7, 22
BATCH: Final = 20_000


def simulated() -> HeatMap:
    """Three weeks of a centre whose Mondays are too much for it."""
    plan = replace(SCENARIOS["monday-morning"].scaled(SCALE), begins_ms=0, opens_hour=OPENS, closes_hour=CLOSES)
    begin = round(BEGINS.timestamp() * 1000)
    simulator = Simulator(plan, 7, begin)
    known = load_policy(ROOT / "stream" / "demo" / "policy.toml")
    week = Hours("", (((OPENS * 60, CLOSES * 60),),) * 7)
    queues = {name: replace(queue, hours=(week,)) for name, queue in known.queues.items()}
    policy = replace(known, zone=ZONE, queues=queues)
    stages = Stages(policy)
    records: list[Record] = []
    while (moment := simulator.step(begin + DAYS * 24 * HOUR_MS)) is not None:
        records += [
            Record(said.topic, 0, None, said.key.encode(), json.dumps(said.event).encode(), ())
            for said in moment.events
        ]
        if len(records) >= BATCH:
            stages.feed(records)
            records = []
    stages.feed(records)
    stages.close(simulator.now)
    stages.settle(simulator.now)
    heat = HeatMap("abandonment", Selection(policy=policy, series=frozenset(), rows=(), length="hour"))
    for cell in stages.cells():
        heat.add(read_cell(cell))
    return heat


def main() -> None:
    """Draw the picture and print what it shows."""
    heat = simulated()
    draw(heat, ROOT / "docs" / "report-heat.png")
    print("\n".join(heat.lines()))  # noqa: T201  a program for people


if __name__ == "__main__":
    main()
