"""What the telemetry reads of a shard.

The shards are made elsewhere (`stream.core`); this is all the collector asks of them, so it can be tested on plain
values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

StateKey = tuple[Any, ...]
"""`(family, *label values)`; a histogram's key ends in the bucket index or `"sum"`."""


class ShardFigures(Protocol):
    """The committed figures of one shard, read from another thread than the one that changes them.

    `counters` must be an exact `dict` that a commit changes by one `update` call (or replaces whole), so that a copy
    taken at any moment holds whole batches only. `gauges` may be called at any moment.
    """

    @property
    def stage(self) -> int:
        """1 = contacts, 2 = cases."""

    @property
    def partition(self) -> int:
        """The partition of the stage, from 0."""

    @property
    def watermark(self) -> int | None:
        """Ms since the epoch; None until every source has spoken or is idle."""

    @property
    def rows(self) -> int:
        """Rows held."""

    @property
    def counters(self) -> Mapping[StateKey, tuple[int, int]]:
        """State key -> (total, retracted), both only rising; durations in ms."""

    @property
    def unaccounted(self) -> Mapping[StateKey, int]:
        """`("contact_unaccounted", queue)` -> a number that must be 0."""

    def gauges(self, now: int) -> Mapping[StateKey, float]:
        """Figures of the open rows.

        Args:
            now: ms since the epoch.

        Returns:
            State key -> value, durations and times in ms; nothing for what is not open. Process-local families may
            be among them (`contact_stream_source_timestamp_seconds` and the like): those are joined over the
            worker's shards.
        """


@dataclass(slots=True)
class PlainShard:
    """Figures as plain values: the twin of a shard's view for tests, benchmarks and exports.

    Attributes:
        stage: 1 = contacts, 2 = cases.
        partition: from 0.
        counters: state key -> (total, retracted).
        open_figures: what `gauges` answers at any time.
        unaccounted: `("contact_unaccounted", queue)` -> number.
        watermark: ms since the epoch, or None.
        rows: rows held.
    """

    stage: int
    partition: int
    counters: dict[StateKey, tuple[int, int]] = field(default_factory=dict)
    open_figures: dict[StateKey, float] = field(default_factory=dict)
    unaccounted: dict[StateKey, int] = field(default_factory=dict)
    watermark: int | None = None
    rows: int = 0

    def gauges(self, now: int) -> Mapping[StateKey, float]:
        """The open figures, whatever the time."""
        del now
        return self.open_figures
