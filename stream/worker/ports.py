"""What the worker needs from the rest of the house, and nothing more: protocols, no code.

The shard, its changes and the telemetry are given from outside (`stream.cli` puts them together), so that the
worker's tests run real small shards of their own and this package never imports the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence


class ShardKey(NamedTuple):
    """One shard: a partition of a stage."""

    stage: int
    partition: int

    def __str__(self) -> str:
        """Say it as logs and transactional ids do: `1-3`."""
        return f"{self.stage}-{self.partition}"


class OutputLike(Protocol):
    """One record for an output topic (`stream.core.contacts.shard.Output`)."""

    @property
    def topic(self) -> str:
        """Short name."""

    @property
    def key(self) -> bytes | None:
        """None lets the worker choose the partition."""

    @property
    def value(self) -> bytes | None:
        """None = tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """In order."""

    @property
    def partition(self) -> int | None:
        """None = murmur2 of the key, -1 = every partition, else that one."""


class ChangesLike(Protocol):
    """What one batch changed (`stream.core.contacts.shard.Changes`)."""

    @property
    def changelog(self) -> Sequence[tuple[bytes, bytes | None]]:
        """Rows in order, None = tombstone."""

    @property
    def outputs(self) -> Sequence[OutputLike]:
        """In order."""

    @property
    def applied(self) -> int:
        """Records applied."""

    @property
    def duplicates(self) -> int:
        """Records dropped as duplicates."""

    @property
    def rejected(self) -> int:
        """Records rejected."""


class ShardLike(Protocol):
    """The deterministic engine of one partition (`stream.core.contacts.shard.Shard`): no I/O, no clock."""

    next: dict[str, int]

    @property
    def view(self) -> Any:  # noqa: ANN401  opaque here: the collector reads it
        """What may be shown of the shard: committed figures only."""

    def load(self, key: bytes, value: bytes | None) -> None:
        """Take one changelog record, in log order."""

    def loaded(self) -> None:
        """Get ready after the last `load`."""

    def redecide(self) -> bool:
        """After `loaded`, do a piece of what must be done before the first batch; tell whether any is left."""

    def apply(self, records: Sequence[Any], positions: Mapping[str, int], now: int, idle: Collection[str] = ()) -> Any:  # noqa: ANN401  a ChangesLike; invariant in the engine's own type
        """Apply records (or nothing, as a tick) and say what changed."""

    def due(self, now: int) -> bool:
        """Tell whether an empty `apply` would do something."""

    def publish(self, changes: Any) -> None:  # noqa: ANN401  the engine's own type
        """Make a committed batch visible in `view`."""


class MakesShard(Protocol):
    """Makes new, empty shards (`stream.cli`)."""

    def __call__(self, stage: int, partition: int, partitions: int, /) -> ShardLike:
        """Make the shard of a stage and partition; each stage has as many shards as there are partitions."""


class Writer(Protocol):
    """Where a shard's batches become durable: one transaction each. A zombie's writer raises `Fenced`."""

    async def begin(self) -> None:
        """Open a transaction."""

    async def send(self, changes: ChangesLike) -> None:
        """Write rows and outputs into the open transaction and wait until the broker has them."""

    async def commit(self) -> None:
        """Make the transaction visible, all at once."""

    async def close(self) -> None:
        """Let go of connections; never commits or aborts."""


class Bounds(NamedTuple):
    """What a partition of the log holds: offsets from `start` up to and without `end` (of committed records)."""

    start: int
    end: int


class Reader(Protocol):
    """What a shard may ask of the consumer that feeds it. Topics are short names."""

    async def seek(self, positions: Mapping[tuple[str, int], int]) -> None:
        """Read on from these offsets; numbers a new seek epoch for each."""

    async def bounds(self, sources: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], Bounds]:
        """Ask the broker what it holds now of these (topic, partition)."""

    def epoch(self, topic: str, partition: int) -> int:
        """Return the number of the latest seek."""

    def end(self, topic: str, partition: int) -> int | None:
        """Return the end of the latest chunk handed on."""

    def silent_since(self, topic: str, partition: int) -> float | None:
        """Return since when (monotonic seconds) a partition read to its end has been silent; None = it is not."""


class Loaded(NamedTuple):
    """A shard ready to run, and the fenced writer that goes with it.

    Attributes:
        shard: loaded.
        writer: fenced before the shard was read.
        records: changelog records read.
        seconds: from the start of the fence on.
    """

    shard: ShardLike
    writer: Writer
    records: int
    seconds: float


class Loads(Protocol):
    """Brings shards: fence, then read."""

    async def load(self, keys: Collection[ShardKey]) -> dict[ShardKey, Loaded]:
        """Fence and read these shards; when it fails or is cancelled, every writer is closed again."""


class Health(NamedTuple):
    """Answers of `/-/healthy` and `/-/ready`.

    Attributes:
        healthy: the worker runs and does not stand still.
        ready: it has joined the group and every shard assigned to it is loaded.
        detail: one line for a person.
    """

    healthy: bool
    ready: bool
    detail: str


class BatchStored(NamedTuple):
    """Fact: one batch is durable and visible.

    Attributes:
        stage: of the shard.
        partition: of the shard.
        applied: records applied.
        duplicates: records that the shard had already counted.
        rejected: records rejected.
        rows: changelog records written.
        outputs: output records written.
        recorded_at: record timestamps in ms of the batch's records; None where a record has none.
        stored_at: wall clock in ms when the transaction was committed.
        seconds: from the begin of the transaction to its end.
    """

    stage: int
    partition: int
    applied: int
    duplicates: int
    rejected: int
    rows: int
    outputs: int
    recorded_at: Sequence[int | None]
    stored_at: int
    seconds: float


class Facts(Protocol):
    """What the worker tells telemetry: facts in the past tense, turned into metrics and logs there."""

    def worker_started(self, version: str, python: str, faust: str, kafka: str) -> None:
        """Which build runs: versions of the program, the interpreter, Faust and aiokafka."""

    def batch_stored(self, batch: BatchStored) -> None:
        """One transaction was committed."""

    def shard_loaded(self, stage: int, partition: int, records: int, seconds: float) -> None:
        """A shard was read from its changelog and runs."""

    def shard_dropped(self, stage: int, partition: int) -> None:
        """A shard is no longer ours."""

    def producer_fenced(self, stage: int, partition: int) -> None:
        """Another owner took a shard while we wrote."""

    def hole_met(self, topic: str, partition: int) -> None:
        """The interval rule met a hole and read it again."""

    def records_lost(self, topic: str, partition: int, count: int) -> None:
        """Retention deleted records before they were read."""

    def lag_measured(self, topic: str, records: int) -> None:
        """Records of a source topic that our shards have not applied yet."""


class Telemetry(Protocol):
    """Metrics, logs and HTTP, implemented by `stream.telemetry` and put together by `stream.cli`."""

    @property
    def process(self) -> Facts:
        """Where facts go."""

    async def start(self, views: Callable[[], Iterable[Any]], health: Callable[[], Health]) -> None:
        """Serve; `views` yields the views of owned, loaded, live shards and may be called from any thread."""

    async def stop(self) -> None:
        """Stop serving, also with open streams."""
