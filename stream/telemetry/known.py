"""The label sets a policy declares, so that their series stand at 0 before anything happens.

A series born at 1 has `increase()` 0, and a missing twin makes a difference in PromQL silently drop the series
(3-metrics 3.1). Never in this module: names met in the data; those are shown at 0 for one scrape by the collector.

Cases have a series for each channel, queue, issue, rule and state, so their number is kept small where it is made: a
queue is known with its own channels and issues, a rule with its own channels and reasons, and `other`, `unassigned`
and a ticket's channel `none` only once they are met.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from stream.core.events import CHANNELS
from stream.core.figures.families import SERVICE, SOURCE_TOPICS, bounds_ms
from stream.core.figures.family import CASE_STAGE, CONTACT_STAGE
from stream.core.policy import NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stream.core.figures.family import Family

Key = tuple[str, ...]
"""`(family, *label values)`, without a histogram's bucket."""

STAGES: Final = (CONTACT_STAGE, CASE_STAGE)


class RuleNames(NamedTuple):
    """What is known of one rule of first contact resolution: where it looks, and for what it can fail a case."""

    channels: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """The names a policy declares.

    Attributes:
        queues: queue -> the channels it serves.
        steps: steps that keep their name, for example `welcome`, `menu:main`.
        issues: queue -> the issues it is asked about; `none` belongs to every queue and is not among them.
        rules: rule -> its channels and reasons.
        closing: the queues that are not always open by their calendar.
        agents: whose names may be labels.
        teams: that keep their name.
        reasons: for a break, that keep their name, and `none`.
    """

    queues: Mapping[str, tuple[str, ...]]
    steps: tuple[str, ...] = ()
    issues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: Mapping[str, RuleNames] = field(default_factory=dict)
    closing: frozenset[str] = frozenset()
    agents: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that at least one queue serves, in the order of the specification."""
        served = {channel for channels in self.queues.values() for channel in channels}
        return tuple(channel for channel in CHANNELS if channel in served)

    def issues_of(self, queues: Iterable[str]) -> tuple[str, ...]:
        """The issues of some queues, each once, and `none`."""
        return tuple(dict.fromkeys(issue for queue in queues for issue in (*self.issues.get(queue, ()), NONE)))


def known_series(declared: Declared, stage: int = CONTACT_STAGE) -> Iterator[Key]:
    """Every series a shard of one stage shows at 0 from the start, without its partition.

    Args:
        declared: what the policy names.
        stage: the stage whose families are meant.

    Yields:
        `(family, *label values)`, families in the order of the catalogue; left out are timestamps (they are never 0)
        and gauges by day or age (they come and go).

    Source: 3-metrics 3.1.
    """
    for family in SERVICE.values():
        shown = family.scope in {"service", "program"} and family.stage in {0, stage}
        if shown and not family.timestamp and not family.rolling:
            yield from ((family.name, *labels) for labels in _label_sets(family, declared, stage))


def known_by_stage(declared: Declared) -> dict[int, tuple[Key, ...]]:
    """The known series of the shards of each stage: what `TelemetrySettings.known` wants."""
    return {stage: tuple(known_series(declared, stage)) for stage in STAGES}


def _label_sets(family: Family, declared: Declared, stage: int) -> list[Key]:
    """Every combination of the labels' values that the policy allows."""
    choice = _Choice(family, declared, stage)
    sets: list[Key] = [()]
    for label in family.labels:
        sets = [
            (*labels, value)
            for labels in sets
            for value in choice.values(label, dict(zip(family.labels, labels, strict=False)))
        ]
    return sets


class _Choice(NamedTuple):
    """What the labels of one family may be in the shards of one stage."""

    family: Family
    declared: Declared
    stage: int

    def values(self, label: str, chosen: Mapping[str, str]) -> Iterable[str]:
        """The values of a label beside those chosen for the labels before it."""
        declared, family = self.declared, self.family
        found: Iterable[str] = family.values.get(label, ())
        staff = {"agent": declared.agents, "team": declared.teams, "reason": declared.reasons}
        if label in staff and not found and "rule" not in chosen:
            return staff[label]
        match label:
            case "rule":
                found = declared.rules
            case "channel":
                seen = declared.rules[chosen["rule"]].channels if "rule" in chosen else declared.channels
                found = (one for one in declared.channels if one in seen and one in family.values["channel"])
            case "queue":
                found = self._queues(chosen)
            case "issue":
                queues = (chosen["queue"],) if "queue" in chosen else self._queues(chosen)
                found = declared.issues_of(queues)
            case "reason" if "rule" in chosen:
                found = declared.rules[chosen["rule"]].reasons
            case "step":
                found = declared.steps
            case "topic":
                found = (topic for topic in SOURCE_TOPICS if (topic == "cases") == (self.stage == CASE_STAGE))
            case "family":
                found = (name for name in family.values["family"] if SERVICE[name].stage == self.stage)
        return found

    def _queues(self, chosen: Mapping[str, str]) -> tuple[str, ...]:
        """The queues that serve the chosen channel; all of them where none is chosen.

        What agents of a queue do is known only where teams are declared: a 0 would else say that nobody is there,
        though nobody ever tells.
        """
        if "status" in self.family.labels and not self.declared.teams:
            return ()
        queues, closing = self.declared.queues, self.declared.closing
        return tuple(
            name
            for name in queues
            if ("channel" not in chosen or chosen["channel"] in queues[name])
            and (not self.family.opening or name in closing)
        )


def series_lines(declared: Declared, partitions: int, stages: Iterable[int] = STAGES) -> int:
    """How many lines the known series make on the workers' `/metrics` together.

    Args:
        declared: what the policy names.
        partitions: shards of each stage.
        stages: the stages that run.

    Returns:
        Lines, twins and buckets included: the number `policy check` prints and refuses over 200,000.
    """
    return partitions * sum(_lines(key) for stage in stages for key in known_series(declared, stage))


def _lines(key: Key) -> int:
    family = SERVICE[key[0]]
    if family.kind == "histogram":
        channel = key[1 + family.labels.index("channel")] if "channel" in family.labels else NONE
        return len(bounds_ms(family.name, channel)) + 3
    return 2 if family.twin else 1
