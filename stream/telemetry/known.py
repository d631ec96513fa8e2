"""The label sets a policy declares, so that their series stand at 0 before anything happens.

A series born at 1 has `increase()` 0, and a missing twin makes a difference in PromQL silently drop the series
(3-metrics 3.1). Never in this module: names met in the data; those are shown at 0 for one scrape by the collector.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from stream.core.families import CHANNELS, SERVICE, SOURCE_TOPICS, bounds_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stream.core.families import Family

Key = tuple[str, ...]
"""`(family, *label values)`, without a histogram's bucket."""


CASE_STAGE: Final = 2
"""The stage that reads the topic `cases`; stage 1 reads the others."""


@dataclass(frozen=True, slots=True)
class Declared:
    """The names a policy declares.

    Attributes:
        queues: queue -> the channels it serves.
        steps: steps that keep their name, for example `welcome`, `menu:main`.
    """

    queues: Mapping[str, tuple[str, ...]]
    steps: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that at least one queue serves, in the order of the specification."""
        served = {channel for channels in self.queues.values() for channel in channels}
        return tuple(channel for channel in CHANNELS if channel in served)


def known_series(declared: Declared, stage: int = 1) -> Iterator[Key]:
    """Every series a shard of one stage shows at 0 from the start, without its partition.

    Args:
        declared: what the policy names.
        stage: the stage whose families are meant.

    Yields:
        `(family, *label values)`, families in the order of the catalogue; timestamps left out (they are never 0).

    Source: 3-metrics 3.1.
    """
    for family in SERVICE.values():
        if family.scope != "policy" and not family.timestamp and family.stage in {0, stage}:
            yield from ((family.name, *labels) for labels in _label_sets(family, declared, stage))


def _label_sets(family: Family, declared: Declared, stage: int) -> Iterator[Key]:
    """The product of the labels' values; a queue only with the channels it serves."""
    domains = [_domain(family, label, declared, stage) for label in family.labels]
    places = {label: place for place, label in enumerate(family.labels)}
    for labels in product(*domains):
        if (
            "channel" in places
            and "queue" in places
            and labels[places["channel"]] not in declared.queues[labels[places["queue"]]]
        ):
            continue
        yield labels


def _domain(family: Family, label: str, declared: Declared, stage: int) -> tuple[str, ...]:
    """The values one label is known to take."""
    if label == "channel":
        return tuple(channel for channel in declared.channels if channel in family.values["channel"])
    if label == "queue":
        return tuple(declared.queues)
    if label == "step":
        return declared.steps
    if label == "topic":
        return tuple(topic for topic in SOURCE_TOPICS if (topic == "cases") == (stage == CASE_STAGE))
    return family.values[label]


def series_lines(declared: Declared, partitions: int, stage: int = 1) -> int:
    """How many lines the known series make on the workers' `/metrics` together.

    Args:
        declared: what the policy names.
        partitions: shards of the stage.
        stage: the stage whose families are meant.

    Returns:
        Lines, twins and buckets included: the number `policy check` prints and refuses over 200,000.
    """
    return partitions * sum(_lines(key) for key in known_series(declared, stage))


def _lines(key: Key) -> int:
    family = SERVICE[key[0]]
    if family.kind == "histogram":
        return len(bounds_ms(family.name, key[1 + family.labels.index("channel")])) + 3
    return 2 if family.twin else 1
