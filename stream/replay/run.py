"""A recording through the shards of this program, in one process: its net figures.

The watermark is held back until the last line, so nothing of a recording is late, in whatever order
it stands; then it is put at ``until`` and whatever falls due by then is done (5-operating 5.5).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from stream.core.batch import Record
from stream.core.families import SERVICE
from stream.core.policy import Policy
from stream.core.series import net_figures, series_of
from stream.core.shard import STAGE_ONE_SOURCES, Shard, ShardId
from stream.wire.rows import JsonCodec

BATCH = 20_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Figures:
    """What a replay found. ``watermark`` in ms, None when the recording is empty."""

    net: dict[str, int | float]
    watermark: int | None
    applied: int
    duplicates: int
    rejected: dict[str, int]

    @property
    def records(self) -> int:
        """How many records were read."""
        return self.applied + self.duplicates + sum(self.rejected.values())


def replay(records: Iterable[Record], policy: Policy, until: int | None, progress: Progress) -> Figures:
    """Run ``records`` through a shard of stage one.

    Args:
        records: in the order of the recording; records of the case stage are passed over by this stage.
        policy: the definitions to count under.
        until: where every watermark stands after the last record, ms; None = the newest event.
        progress: called after each batch with the records read and the newest event time, ms.
    """
    shard = Shard(ShardId(1, 0), policy, JsonCodec(), (*STAGE_ONE_SOURCES, "end"))
    shard.loaded()
    applied = duplicates = 0
    newest: int | None = None
    stage_one = (record for record in records if record.topic != "cases")
    for batch in _batches(stage_one):
        changes = shard.apply(batch, {}, 0)
        applied, duplicates = applied + changes.applied, duplicates + changes.duplicates
        shard.publish(changes)
        newest = max(shard.clock.seen.values(), default=None)
        progress(applied + duplicates, newest or 0)
    end = newest if until is None else until
    if end is not None:
        shard.publish(shard.advance(end))
    view = shard.view
    now = shard.watermark or 0
    shown = {key: value for key, value in view.gauges(now).items() if key[0] in SERVICE}
    gauges = {series_of(key): value for key, value in shown.items() if not str(key[0]).endswith("_seconds")}
    rejected = {str(k[2]): v[0] for k, v in view.counters.items() if k[0] == "contact_stream_rejected_total"}
    return Figures({**net_figures(view.counters), **gauges}, shard.watermark, applied, duplicates, rejected)


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    source = iter(records)
    while batch := list(islice(source, BATCH)):
        yield batch
