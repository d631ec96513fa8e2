"""The series of one shard as this worker shows them, from its first scrape until it is gone.

Never in this module: a second shard, a thread, a header.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from stream.core.figures.families import SERVICE, bounds_ms
from stream.core.policy import NONE
from stream.telemetry.catalogue import PROCESS, exposed
from stream.telemetry.series import CounterSeries, GaugeSeries, HistogramSeries, Shape, TallySeries, upper_bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stream.core.figures.family import Family
    from stream.telemetry.figures import ShardFigures, StateKey
    from stream.telemetry.known import Key
    from stream.telemetry.series import Series


class SeriesMaker:
    """Makes the series of one shard, or those that belong to none."""

    def __init__(self, place: Mapping[str, str]) -> None:
        """Keep the values of `stage` and `partition`; empty for what belongs to no shard."""
        self._place = place
        self._shapes: dict[str, Shape] = {}

    def __call__(self, key: StateKey) -> Series:
        """Make the series of one state key (a histogram's without its bucket).

        Args:
            key: `(family, *label values)`.

        Raises:
            KeyError: the family is not in the catalogue.
            ValueError: the key has not one value for each label of its family, or the family is of another stage:
                both stages have a shard of each number, and the series would stand on the page twice.
        """
        shape = self._shapes.get(key[0]) or self._shape(key[0])
        family = shape.family
        if len(key) != 1 + len(family.labels):
            raise ValueError(f"{family.name} takes {len(family.labels)} label values, got {len(key) - 1}")
        stage = self._place.get("stage", str(family.stage))
        if family.stage and stage != str(family.stage):
            raise ValueError(f"{family.name} is counted by stage {family.stage}, not by a shard of stage {stage}")
        if family.kind == "counter":
            return CounterSeries(shape, key)
        if family.kind == "histogram":
            channel = key[1 + family.labels.index("channel")] if "channel" in family.labels else NONE
            return HistogramSeries(shape, key, _upper(family.name, channel))
        return TallySeries(shape, key) if family.tally else GaugeSeries(shape, key)

    def _shape(self, name: str) -> Shape:
        family = exposed(name).family
        names = (family.name, family.twin_name) if family.twin else (family.name,)
        self._shapes[name] = shape = Shape([exposed(one) for one in names], self._place)
        return shape


@lru_cache
def _upper(family: str, channel: str) -> tuple[str, ...]:
    return upper_bounds(bounds_ms(family, channel))


class ShownShard:
    """One shard between its first scrape here and the one that misses it.

    A counter or histogram that neither the policy nor the shard knew at its first scrape is shown at 0 once, before
    its first value. What a shard brings with it is shown at its value at once: its former owner may have shown it
    already, and a 0 would be a reset.
    """

    def __init__(self, view: ShardFigures, known: Iterable[Key], agents: frozenset[str] | None = None) -> None:
        """Take the known series and those the shard brings.

        Args:
            view: the shard's committed figures.
            known: series at 0 from the start, of the shard's stage.
            agents: whose names may be shown; None = anybody's.
        """
        self.view: Final = view
        self._agents = agents
        self._make = SeriesMaker({"stage": str(view.stage), "partition": str(view.partition)})
        self._series: dict[StateKey, Series] = {}
        self.families: dict[str, list[Series]] = {}
        self._counted: frozenset[StateKey] | set[StateKey] = frozenset()
        self._add(known)
        counters = dict(view.counters)
        self._add(self._without_buckets(counters))
        self._counted = set(counters)

    def refresh(self, now: int) -> dict[StateKey, float]:
        """Take the figures as committed now.

        Args:
            now: ms since the epoch.

        Returns:
            Process-local figures among the shard's gauges, for the caller to join over shards.
        """
        counters = dict(self.view.counters)
        gauges = self.view.gauges(now)
        local = {key: value for key, value in gauges.items() if key[0] in PROCESS}
        gauges = {**self.view.unaccounted, **gauges}
        self._add(key for key in gauges if key not in local)
        for series in self._series.values():
            if isinstance(series, GaugeSeries):
                series.refresh(gauges)
            else:
                series.refresh(counters)
        if self._counted != counters.keys():
            for series in self._add(self._without_buckets(counters.keys() - self._counted)):
                if isinstance(series, TallySeries):
                    series.refresh(counters)
                else:
                    series.refresh({})
            self._counted = set(counters)
        self._leave_out(gauges)
        return local

    def _leave_out(self, gauges: Mapping[StateKey, float]) -> None:
        """Forget the days and ages that are over, or a worker would keep every day it has seen."""
        for name, series in self.families.items():
            if exposed(name).family.rolling:
                self.families[name] = [one for one in series if one.key in gauges]
                for one in series:
                    if one.key not in gauges:
                        del self._series[one.key]

    def _add(self, keys: Iterable[StateKey]) -> list[Series]:
        """Add the series of the keys that have none, keeping each family sorted; those added."""
        added = []
        for key in keys:
            if key not in self._series:
                series = self._series[key] = self._make(key)
                self.families.setdefault(key[0], []).append(series)
                added.append(series)
        for family in {series.key[0] for series in added}:
            self.families[family].sort(key=lambda series: series.key)
        return added

    def _without_buckets(self, keys: Iterable[StateKey]) -> dict[StateKey, None]:
        """The series of the keys, each once, in order; what is only stored, or may not be named, has none."""
        series: dict[StateKey, None] = {}
        for key in keys:
            family = SERVICE.get(key[0]) or exposed(key[0]).family
            if family.scope != "state" and not self._hidden(family, key):
                series[key[: 1 + len(family.labels)]] = None
        return series

    def _hidden(self, family: Family, key: StateKey) -> bool:
        """Whether it names somebody whom the policy does not."""
        if not family.opted or self._agents is None:
            return False
        return key[1 + family.labels.index("agent")] not in self._agents
