"""A recording through the shards of this program, in one process: its net figures.

The watermark is held back until the last line, so nothing of a recording is late, in whatever order
it stands; then it is put at ``until`` and whatever falls due by then is done (5-operating 5.5).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from stream.core.engine.batch import Record
from stream.core.policy import Policy
from stream.replay.stages import BATCH, Stages

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


def replay(
    records: Iterable[Record],
    policy: Policy,
    until: int | None,
    progress: Progress,
    take_cells: Callable[[Iterator[bytes]], None] | None = None,
) -> Figures:
    """Run ``records`` through a shard of each stage.

    Args:
        records: in the order of the recording, those of both stages mixed.
        policy: the definitions to count under.
        until: where every watermark stands after the last record, ms; None = the newest event.
        progress: called after each batch with the records read and the newest event time, ms.
        take_cells: given every interval cell at the end, as the interval topic would hold it; None = nobody wants them.
    """
    stages = Stages(policy)
    read(stages, records, progress)
    end = stages.newest if until is None else until
    if end is not None:
        stages.close(end)
        stages.settle(end)
    if take_cells is not None:
        take_cells(stages.cells())
    return figures_of(stages)


def read(stages: Stages, records: Iterable[Record], progress: Progress) -> None:
    """Feed ``records`` batch by batch; ``progress`` as for `replay`."""
    source, count = iter(records), 0
    for batch in _batches(source):
        stages.feed(batch)
        count += len(batch)
        progress(count, stages.newest or 0)


def figures_of(stages: Stages) -> Figures:
    """What was found, once everything is settled."""
    rejected: dict[str, int] = {}
    for key, (count, _) in stages.counters.items():
        if key[0] == "contact_stream_rejected_total":
            rejected[str(key[2])] = rejected.get(str(key[2]), 0) + count
    return Figures(stages.figures, stages.contacts.watermark, stages.applied, stages.duplicates, rejected)


def _batches(source: Iterator[Record]) -> Iterator[list[Record]]:
    while batch := list(islice(source, BATCH)):
        yield batch
