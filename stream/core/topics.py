"""The topics of the product as plain values: names, partitions, retention, cleanup.

Pure: nothing here talks to a broker; `stream.admin.topics` creates and checks what is written down here.
Source: 1-events 1.2 and 1.7, 4-architecture 4.5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PREFIX: Final = "contact."
DEFAULT_APP_ID: Final = "contact-stream"
DEFAULT_PARTITIONS: Final = 8
STAGES: Final = (1, 2)

Demand = Literal["equal", "at_least", "at_most"]
Timestamps = Literal["LogAppendTime", "CreateTime"]
Kind = Literal["source", "output", "changelog"]

_MIB: Final = 1024 * 1024
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 24 * 60 * _MINUTE_MS
_DURABLE_REPLICAS: Final = 3


@dataclass(frozen=True, slots=True)
class Setting:
    """One topic setting: the value `create` writes and how far `check` lets the broker's value differ.

    Attributes:
        value: as Kafka spells it (bytes, milliseconds or words).
        demand: `equal` (comma lists compare as sets), `at_least` (-1 counts as without limit), `at_most`.
    """

    value: str
    demand: Demand = "equal"

    def accepts(self, actual: str | None) -> bool:
        """Tell whether a broker's value satisfies this setting; None (not reported) never does."""
        if actual is None:
            return False
        if self.demand == "equal":
            return set(actual.split(",")) == set(self.value.split(","))
        if not actual.lstrip("-").isdigit():
            return False
        number, wanted = int(actual), int(self.value)
        if number < 0:
            return self.demand == "at_least"
        return number >= wanted if self.demand == "at_least" else number <= wanted


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the product.

    Attributes:
        short: the word used inside the program, for example `calls`.
        name: the full name under the default prefix, for example `contact.calls.v1`.
        kind: `source`, `output` or `changelog`.
        stage: the stage that reads it (a changelog: that owns it); None when no stage reads it.
        config: topic settings by Kafka's names.
    """

    short: str
    name: str
    kind: Kind
    stage: int | None
    config: Mapping[str, Setting]

    @property
    def joined(self) -> bool:
        """Whether a worker joins it, so that its number of partitions must equal the others'."""
        return self.stage is not None


@dataclass(frozen=True, slots=True)
class Layout:
    """What one deployment's topics look like.

    Attributes:
        prefix: put before every source and output topic, for example `contact.`.
        app_id: the worker's application id; names the changelogs.
        partitions: of every topic; at least 1.
        replication_factor: copies of every partition; None = the broker's default.
        timestamps: who stamps source records; the broker by default, so that `future` compares two clocks.
    """

    prefix: str = DEFAULT_PREFIX
    app_id: str = DEFAULT_APP_ID
    partitions: int = DEFAULT_PARTITIONS
    replication_factor: int | None = None
    timestamps: Timestamps = "LogAppendTime"
    stages: tuple[int, ...] = field(default=STAGES)

    def topics(self) -> tuple[Topic, ...]:
        """Return every topic of this deployment under its full name, changelogs last."""
        shared = [
            Topic(short, topic_name(self.prefix, short), topic.kind, topic.stage, self._config(topic))
            for short, topic in TOPICS.items()
        ]
        logs = [
            Topic(
                f"stage{stage}-changelog",
                changelog_name(self.app_id, stage),
                "changelog",
                stage,
                self._replicated(_CHANGELOG),
            )
            for stage in self.stages
        ]
        return (*shared, *logs)

    def _config(self, topic: Topic) -> Mapping[str, Setting]:
        if topic.kind != "source":
            return self._replicated(topic.config)
        stamped = {**topic.config, "message.timestamp.type": Setting(self.timestamps)}
        return self._replicated(stamped)

    def _replicated(self, config: Mapping[str, Setting]) -> Mapping[str, Setting]:
        """Ask for two replicas in sync where there are enough to lose one."""
        if self.replication_factor is None or self.replication_factor < _DURABLE_REPLICAS:
            return config
        return {**config, "min.insync.replicas": Setting("2", "at_least")}


def topic_name(prefix: str, short: str) -> str:
    """Return a source or output topic's full name: `topic_name("contact.", "calls")` is `contact.calls.v1`.

    Raises:
        KeyError: `short` is not a topic of the product.
    """
    return prefix + TOPICS[short].name.removeprefix(DEFAULT_PREFIX)


def changelog_name(app_id: str, stage: int) -> str:
    """Return the changelog of a stage: Faust's name for the table `stage<n>` of the application."""
    return f"{app_id}-stage{stage}-changelog"


def source_names(stage: int) -> tuple[str, ...]:
    """Return the short names of the topics that a stage reads, in the order of 1-events 1.2 and 1.7."""
    return tuple(short for short, topic in TOPICS.items() if topic.stage == stage)


def _days(count: int) -> Setting:
    return Setting(str(count * _DAY_MS), "at_least")


def _source(short: str, stage: int) -> Topic:
    config = {
        "cleanup.policy": Setting("delete"),
        "retention.ms": _days(14),
        "max.message.bytes": Setting(str(2 * _MIB), "at_least"),
        "message.timestamp.type": Setting("LogAppendTime"),
    }
    return Topic(short, f"{DEFAULT_PREFIX}{short}.v1", "source", stage, MappingProxyType(config))


def _output(short: str, cleanup: str, days: int, *, stage: int | None = None, mebibytes: int = 2) -> Topic:
    """Describe an output; the broker stamps it, so a worker's wrong clock can neither expire nor refuse records."""
    config = {
        "cleanup.policy": Setting(cleanup),
        "retention.ms": _days(days),
        "max.message.bytes": Setting(str(mebibytes * _MIB), "at_least"),
        "message.timestamp.type": Setting("LogAppendTime"),
    }
    return Topic(short, f"{DEFAULT_PREFIX}{short}.v1", "output", stage, MappingProxyType(config))


_CHANGELOG: Final[Mapping[str, Setting]] = MappingProxyType(
    {
        "cleanup.policy": Setting("compact"),
        "min.compaction.lag.ms": Setting(str(10 * _MINUTE_MS), "at_least"),
        "segment.bytes": Setting(str(64 * _MIB), "at_most"),
        "max.message.bytes": Setting(str(2 * _MIB), "at_least"),
        "message.timestamp.type": Setting("LogAppendTime"),
    }
)

TOPICS: Final[Mapping[str, Topic]] = MappingProxyType(
    {
        topic.short: topic
        for topic in (
            _source("calls", 1),
            _source("chats", 1),
            _source("emails", 1),
            _source("agents", 1),
            _source("cases", 2),
            _output("outcomes", "delete", 30, stage=2),
            _output("identities", "delete", 30, stage=2),
            _output("verdicts", "compact,delete", 400),
            _output("corrections", "delete", 30),
            _output("intervals", "compact,delete", 400),
            _output("rejected", "delete", 14, mebibytes=4),
        )
    }
)
"""Every source and output topic under the default prefix, by short name."""
