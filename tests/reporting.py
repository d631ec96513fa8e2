"""A simulated history for the reports, its interval cells, and what it comes to by plain recounting.

The recount asks every contact for its visits and reads the local time off the clock of the standard library; it knows
neither cells nor periods.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import stream.demo
from stream.core.contacts import outcome
from stream.core.engine.batch import Record
from stream.core.reports.sums import Selection, rows_of
from stream.demo.centre.simulator import Simulator
from stream.demo.scenario import SCENARIOS
from stream.replay.recorded import from_recording
from stream.wire.cells import read_cell
from stream.wire.json import dumps
from stream.wire.policy import load_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stream.core.policy import Policy
    from stream.core.reports.sheets import Sheet
    from stream.core.reports.sums import IntervalCell, RowName, Sums
    from stream.replay.known import Known

HOUR_MS = 3_600_000
POLICY = load_policy(Path(stream.demo.__path__[0]) / "policy.toml")
MARCH = (2026, 3, 27)  # a Friday; Berlin's clock is put forward on the Sunday after
BUSY = 90.0  # customers an hour
OCTOBER = (2026, 10, 23)  # a Friday; it is put back on the Sunday after


class Past(NamedTuple):
    """A recording, both stages with everything in them, and the cells."""

    events: list[Record]
    known: Known
    cells: list[IntervalCell]


@cache
def past(begin: tuple[int, int, int], days: int = 3, hourly: float = 8.0) -> Past:
    """A simulated centre, as busy by night as by day and closed for an hour, from midnight UTC of a Friday on.

    Args:
        begin: the Friday.
        days: how long.
        hourly: customers who come in an hour; of eight some wait, of many more a lot do.
    """
    start = round(datetime(*begin, tzinfo=UTC).timestamp() * 1000)
    plan = SCENARIOS["monday-morning"].scaled(0.1 if hourly < BUSY else 0.3)
    plan = replace(plan, begins_ms=4 * 24 * HOUR_MS, opens_hour=0, closes_hour=23, hourly=(hourly,) * 24)
    simulator = Simulator(plan, 11, start)
    events = []
    while (moment := simulator.step(start + days * 24 * HOUR_MS)) is not None:
        events += [Record(said.topic, 0, None, said.key.encode(), dumps(said.event), ()) for said in moment.events]
    known = from_recording(events, POLICY, None, lambda _read, _newest: None)
    return Past(events, known, [read_cell(cell) for cell in known.stages.cells()])


def rows(
    cells: Iterable[IntervalCell],
    sheet: Sheet,
    **chosen: Any,  # noqa: ANN401  fields of a selection
) -> dict[RowName, Sums]:
    """The rows of a table."""
    usual = {"policy": POLICY, "series": sheet.series, "rows": sheet.rows, "length": "day"}
    selection = Selection(**{**usual, **chosen})
    tally = rows_of(selection)
    for cell in cells:
        tally.add(cell)
    return dict(tally.groups)


def wall(zone: str, length: str, at: int) -> object:
    """What moments of one period share."""
    clock = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    if length in ("day", "week", "month"):
        monday = clock.date() - timedelta(days=clock.weekday())
        return {"day": clock.date(), "week": monday, "month": (clock.year, clock.month)}[length]
    minutes = {"15m": 15, "30m": 30, "hour": 60}[length]
    return clock.date(), (clock.hour * 60 + clock.minute) // minutes, clock.utcoffset()


Counts = dict[tuple[object, str, str], Counter[str]]


def recount(known: Known, zone: str, length: str, attribution: str) -> Counts:
    """The table of queues, contact by contact: (period, channel, queue) -> column -> count; times in ms."""
    found: Counts = {}

    def add(at: int, channel: str, queue: str, counts: dict[str, int]) -> None:
        place = (wall(zone, length, at), channel, known.stages.policy.queue_label(queue))
        found.setdefault(place, Counter()).update(counts)

    for contact_id, row in known.rows():
        for contact in row.contacts:
            if contact.direction not in (None, "inbound"):
                continue
            visits: Any = known.report_of(contact_id, contact)["visits"]
            for visit in visits:
                add(visit["entered_at"], contact.channel, visit["queue"], {"offered": 1})
                if visit["outcome"] != "waiting":
                    at = visit["entered_at"] if attribution == "arrival" else visit["left_at"]
                    add(at, contact.channel, visit["queue"], _counted(visit, contact.channel, known.stages.policy))
            _add_work(add, contact)
    return found


def _add_work(add: Callable[[int, str, str, dict[str, int]], None], contact: Any) -> None:  # noqa: ANN401  a contact
    times = outcome.handled_ms(contact)
    if times is not None:
        talk, hold, wrapup, done = times
        counts = {"handled": 1, "handle_ms": talk + hold + wrapup}
        add(done, contact.channel, contact.handling.legs[0].queue, counts)


def _counted(visit: dict[str, Any], channel: str, policy: Policy) -> dict[str, int]:
    """What a visit that ended counts."""
    name = visit["outcome"]
    if name == "answered":
        within = visit["wait_ms"] <= policy.target_ms(channel, visit["queue"])
        return {"answered": 1, "in_target": int(within), "wait_ms": visit["wait_ms"]}
    if name in ("abandoned", "exited"):
        return {"abandoned": 1}
    if name == "abandoned_short":
        return {"short": 1}
    return {"lost" if name in ("timeout", "empty", "full", "closed", "system") else "other": 1}
