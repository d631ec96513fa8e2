"""The committed figures of the owned shards, for Prometheus.

A custom collector of the client library, and the same samples as text by a writer of its own
(`stream.telemetry.series` says why). A shard's figures carry the label `partition`, so that they belong to the shard
and not to the worker that shows them (3-metrics 3.1).

Never in this module: a counter of its own, I/O, a clock (`now` is given).
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.core import Metric

from stream.telemetry.catalogue import CATALOGUE, MAX_SOURCES, PROCESS, exposed
from stream.telemetry.series import GaugeSeries
from stream.telemetry.shown import SeriesMaker, ShownShard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from stream.telemetry.catalogue import Exposed
    from stream.telemetry.figures import ShardFigures, StateKey
    from stream.telemetry.known import Key
    from stream.telemetry.series import Series

Block = tuple["Exposed", int, list["Series"]]
"""One exposed family: what it is, which of a series' texts belong to it (0 = total, 1 = twin), its series in order."""


class InForce(NamedTuple):
    """What of the policy in force is not a constant.

    Attributes:
        at: ms since the epoch -> `(family, *label values)` -> value of what depends on the time.
        historic: whether event time is taken for now: the least watermark of the shards that are shown.
        agents: whose names may be labels; what was counted under a name that is no longer listed is not shown.
    """

    at: Callable[[int], Mapping[Key, float]]
    historic: bool
    agents: frozenset[str]


def metric(entry: Exposed) -> Metric:
    """An empty family of the client library with the catalogue's name, help, kind and unit."""
    return Metric(entry.base, entry.help, entry.family.kind, entry.unit)


class ShardCollector:
    """Shows the shards that `views` yields, and only those: a shard that is dropped disappears with the next scrape."""

    def __init__(
        self,
        views: Callable[[], Iterable[ShardFigures]],
        now: Callable[[], int],
        known: Mapping[int, Iterable[Key]] | None = None,
        policy: Mapping[Key, float] | None = None,
        in_force: InForce | None = None,
    ) -> None:
        """Nothing is read before the first scrape.

        Args:
            views: owned, loaded and live shards; called once per scrape.
            now: ms since the epoch, for the gauges of open rows.
            known: stage -> `(family, *label values)` its shards show at 0 from the start (`known_series`).
            policy: targets and definitions, `(family, *label values)` -> value (ms where the unit is seconds; 1 for
                an info).
            in_force: what else the policy says; None = nothing that depends on time, and any name may be shown.

        Raises:
            KeyError: a family of `known` or `policy` is not in the catalogue.
        """
        self._views = views
        self._now = now
        self._known = {stage: tuple(keys) for stage, keys in (known or {}).items()}
        self._policy = policy or {}
        self._in_force = in_force
        self._constants = _grouped(map(SeriesMaker({}), sorted(self._policy)))
        self._moving: dict[str, list[Series]] = {}
        self._shown: dict[tuple[int, int], ShownShard] = {}
        self._lock = Lock()
        _refresh(self._constants, self._policy)
        for keys in self._known.values():
            for key in keys:
                exposed(key[0])

    def scrape(self) -> tuple[list[Block], list[Metric]]:
        """Take the figures as committed now.

        Returns:
            The service families in the order of the catalogue, and the process-local ones that only the shards can
            tell. Families without a series are left out.
        """
        with self._lock:
            now = self._now()
            local = [shard.refresh(now) for shard in self._present()]
            self._move(now)
            shards = [self._shown[place] for place in sorted(self._shown)]
            return list(self._blocks(shards)), list(_local_metrics(shards, local))

    def collect(self) -> Iterator[Metric]:
        """The same as objects of the client library."""
        blocks, local = self.scrape()
        yield from metrics_of(blocks)
        yield from local

    def describe(self) -> list[Metric]:
        """Every family this collector may show, without samples: registering it takes no scrape."""
        return [metric(entry) for entry in CATALOGUE.values() if entry.family.scope != "process"]

    def _present(self) -> list[ShownShard]:
        """Bring the shown shards in step with `views`; a shard with a new view was away and comes anew."""
        views = {(view.stage, view.partition): view for view in self._views()}
        for place in [place for place, shard in self._shown.items() if views.get(place) is not shard.view]:
            del self._shown[place]
        for place, view in views.items():
            if place not in self._shown:
                agents = None if self._in_force is None else self._in_force.agents
                self._shown[place] = ShownShard(view, self._known.get(view.stage, ()), agents)
        return [self._shown[place] for place in sorted(self._shown)]

    def _move(self, now: int) -> None:
        """Bring what depends on the time to ``now`` (ms); in history without a watermark it is not known."""
        if self._in_force is None:
            return
        moment: int | None = now
        if self._in_force.historic:
            marks = (shard.view.watermark for shard in self._shown.values())
            moment = min((mark for mark in marks if mark is not None), default=None)
        figures = {} if moment is None else self._in_force.at(moment)
        if figures.keys() != {series.key for group in self._moving.values() for series in group}:
            self._moving = _grouped(map(SeriesMaker({}), sorted(figures)))
        _refresh(self._moving, figures)

    def _blocks(self, shards: list[ShownShard]) -> Iterator[Block]:
        for entry in CATALOGUE.values():
            name, place = entry.family.name, int(entry.retracted)
            series = [one for shard in shards for one in shard.families.get(name, ())]
            series += self._constants.get(name, ())
            series += self._moving.get(name, ())
            if any(one.texts[place] for one in series):
                yield entry, place, series


def metrics_of(blocks: Iterable[Block]) -> Iterator[Metric]:
    """The families as objects of the client library."""
    for entry, place, series in blocks:
        family = metric(entry)
        for one in series:
            for name, labels, value in one.samples(place):
                family.add_sample(name, labels, value)
        yield family


def _grouped(series: Iterable[Series]) -> dict[str, list[Series]]:
    groups: dict[str, list[Series]] = {}
    for one in series:
        groups.setdefault(one.key[0], []).append(one)
    return groups


def _refresh(groups: Mapping[str, list[Series]], figures: Mapping[Key, float]) -> None:
    for series in (series for group in groups.values() for series in group):
        if isinstance(series, GaugeSeries):
            series.refresh(figures)


def _local_metrics(shards: list[ShownShard], local: list[dict[StateKey, float]]) -> Iterator[Metric]:
    """Process-local families: rows added up, times the newest of all shards; without `partition`."""
    joined: dict[StateKey, float] = {}
    for shard, figures in zip(shards, local, strict=True):
        place = (str(shard.view.stage), str(shard.view.partition))
        joined["contact_stream_shard_owned", *place] = 1
        table = ("contact_stream_rows", f"stage{shard.view.stage}")
        joined[table] = joined.get(table, 0) + shard.view.rows
        if shard.view.watermark is not None:
            joined["contact_stream_watermark_seconds", *place] = shard.view.watermark
        for key, value in figures.items():
            joined[key] = max(joined.get(key, value), value)
    sources = sorted(key for key in joined if key[0] == "contact_stream_source_timestamp_seconds")
    for key in sources[MAX_SOURCES:]:
        del joined[key]
    make = SeriesMaker({})
    for name in PROCESS:
        family = metric(exposed(name))
        for key in sorted(key for key in joined if key[0] == name):
            series = make(key)
            if isinstance(series, GaugeSeries):
                series.refresh(joined)
            for sample in series.samples(0):
                family.add_sample(*sample)
        if family.samples:
            yield family
