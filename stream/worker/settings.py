"""What a worker needs to know, as one frozen value with the defaults of 4-architecture 4.5.

It never reads the environment; `stream.cli` does. All durations are seconds, all sizes bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from stream.core.topics import DEFAULT_APP_ID, DEFAULT_PREFIX, changelog_name, source_names, topic_name
from stream.wire.broker import Broker


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the pipeline as the worker sees it.

    Attributes:
        number: 1 or 2; names the Faust table `stage<n>`, its changelog and the transactional ids.
        sources: short names of the topics that each of its shards joins, for example `("calls", "chats")`.
        outputs: short names of the topics that it may write.
        upstream: those of its sources that shards write. They are never idle: a shard that says nothing holds time
            back, because its worker may be down.
    """

    number: int
    sources: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()

    @property
    def may_rest(self) -> tuple[str, ...]:
        """The sources that the wall clock may stand in for when they are silent."""
        return tuple(short for short in self.sources if short not in self.upstream)


CONTACTS: Final = Stage(1, source_names(1), ("outcomes", "corrections", "intervals", "rejected"))
CASES: Final = Stage(
    2,
    source_names(2),
    ("identities", "verdicts", "corrections", "intervals", "rejected"),
    upstream=("outcomes", "identities"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken at once. Every queue and batch of the worker is bounded by one of these.

    Attributes:
        chunk_records: most records of one chunk, the unit that travels from the consumer to a shard.
        batch_records: most records of one transaction.
        batch_bytes: keys and values of one transaction's records; a single larger record goes alone.
        waiting_records: a shard with this many records waiting is not fetched for.
        drain_records: most records taken from the consumer in one step.
        fetch_bytes: most bytes of one fetch from the sources.
        load_bytes: most changelog bytes fetched at once while loading (over all partitions).
    """

    chunk_records: int = 500
    batch_records: int = 2_000
    batch_bytes: int = 8_388_608
    waiting_records: int = 8_000
    drain_records: int = 4_000
    fetch_bytes: int = 16_777_216
    load_bytes: int = 16_777_216


@dataclass(frozen=True, slots=True)
class Timing:
    """Every duration of the worker, in seconds.

    Attributes:
        pace_short: least time between two transactions of a shard while at least `pace_records` wait.
        pace_long: the same while fewer wait. A full batch never waits.
        pace_records: see `pace_short`.
        tick: how often a shard without records is asked whether it is due.
        idle_after: a source partition read to its end and silent for this long is idle; None = never.
        fetch_wait: the broker holds a fetch at most this long for more records.
        session_timeout: the group forgets a silent worker after this; a shard not heard of for so long is not shown.
        heartbeat: between two heartbeats to the group.
        rebalance_timeout: the group waits at most this long for its members to join again.
        transaction_timeout: the broker ends an open transaction after this.
        request_timeout: of one request.
        retry_backoff: between two tries of a request.
        broker_patience: a broker that is down at start is waited for at most this long.
        stall_after: a shard whose sources grow but whose position stands still for this long ends the worker.
        reacquire_after: a fenced shard that is still ours is taken again after this, once.
        fenced_window: a second fencing of one shard inside this window ends the worker.
        stop_within: an orderly stop takes at most this long.
        metadata_age: topics and partitions are asked for again this often.
    """

    pace_short: float = 0.02
    pace_long: float = 0.03
    pace_records: int = 200
    tick: float = 0.25
    idle_after: float | None = 30.0
    fetch_wait: float = 0.025
    session_timeout: float = 10.0
    heartbeat: float = 1.0
    rebalance_timeout: float = 12.0
    transaction_timeout: float = 15.0
    request_timeout: float = 10.0
    retry_backoff: float = 0.05
    broker_patience: float = 30.0
    stall_after: float = 60.0
    reacquire_after: float = 5.0
    fenced_window: float = 60.0
    stop_within: float = 2.5
    metadata_age: float = 60.0


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Everything one worker process is told.

    Attributes:
        broker: how to reach Kafka.
        app_id: the consumer group; names changelogs and transactional ids.
        prefix: of source and output topics.
        stages: which stages this worker runs; each has a shard of every partition.
        web_host: where health and metrics are served; loopback unless told.
        web_port: 0 = any free port.
        limits: sizes.
        timing: durations.
    """

    broker: Broker = field(default_factory=Broker)
    app_id: str = DEFAULT_APP_ID
    prefix: str = DEFAULT_PREFIX
    stages: tuple[Stage, ...] = (CONTACTS, CASES)
    web_host: str = "127.0.0.1"
    web_port: int = 6066
    limits: Limits = field(default_factory=Limits)
    timing: Timing = field(default_factory=Timing)

    def topic(self, short: str) -> str:
        """Return the full name of a source or output topic."""
        return topic_name(self.prefix, short)

    def changelog(self, stage: int) -> str:
        """Return the full name of a stage's changelog."""
        return changelog_name(self.app_id, stage)

    def stage(self, number: int) -> Stage:
        """Return one of the stages that this worker runs.

        Raises:
            KeyError: it does not run that stage.
        """
        return {stage.number: stage for stage in self.stages}[number]

    @property
    def sources(self) -> dict[str, str]:
        """Full name -> short name of every topic that any stage reads."""
        return {self.topic(short): short for stage in self.stages for short in stage.sources}
