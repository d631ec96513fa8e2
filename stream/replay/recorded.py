"""A recording as a `Known`: everything in it, as it stands at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stream.core.figures.figures import INTERVAL_MS
from stream.core.figures.series import series_of
from stream.replay.known import Known
from stream.replay.run import read
from stream.replay.stages import Stages
from stream.wire.json import loads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.core.engine.batch import Record
    from stream.core.policy import Policy
    from stream.replay.counted import Cell
    from stream.replay.run import Progress


def from_recording(records: Iterable[Record], policy: Policy, until: int | None, progress: Progress) -> Known:
    """Read a recording through both stages; nothing leaves, so that everything in it can be looked at.

    Args:
        records: in any order.
        policy: the definitions to count under.
        until: where every watermark stands after the last record, ms; None = the newest event.
        progress: as for `stream.replay.run.replay`.
    """
    stages = Stages(policy, keep=True)
    read(stages, records, progress)
    end = stages.newest if until is None else until
    if end is not None:
        stages.close(end)
        stages.settle(end)
    return Known(stages, lambda _contact_id: end, end)


def look_for_rejected(known: Known, contact_id: str) -> None:
    """Note what of a contact was kept out, and why."""
    for output in known.stages.rejected:
        if output.key == contact_id.encode():
            said = dict(output.headers)
            why = {name: said[f"x-rejected-{name}"].decode() for name in ("reason", "detail")}
            known.kept_out.append({**headline(output.value), **why})


def look_for_cell(known: Known, cell: Cell) -> None:
    """Note what the cell says; a recording is one shard of each stage, number 0."""
    wanted = (cell.start // INTERVAL_MS, cell.by, cell.channel, cell.queue, cell.issue)
    stages = [shard for shard in (known.stages.contacts, known.stages.cases) if cell.stage in (None, shard.id.stage)]
    found = [shard.book.cells.get(wanted) for shard in stages if cell.shard in (None, 0)]
    counts: dict[str, int] = {}
    for each in found:
        for figure, amount in () if each is None else each.counts.items():
            series = series_of(figure.key)
            counts[series] = counts.get(series, 0) + amount
    known.counts = {series: amount for series, amount in counts.items() if amount} if any(found) else None


def headline(value: bytes | None) -> dict[str, Any]:
    """When a rejected event says it happened, and what it says it is, if it is one."""
    try:
        event = loads(value or b"")
        return {name: event.get(name) for name in ("type", "occurred_at", "event_id")}
    except (ValueError, AttributeError):
        return {"type": None, "occurred_at": None, "event_id": None}
