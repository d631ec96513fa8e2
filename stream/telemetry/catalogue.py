"""The catalogue: everything that `/metrics` may show, and nothing else.

The families of the state (`stream.core.figures.families`) with their twins made from the rule of 3-metrics 3.1, and
those only a process knows. The collector, the process metrics, the metrics page and the checks of rules and dashboards
all read this table; a name that is not in it cannot be exported (`exposed` raises).

Never in this module: values, I/O, or a name written twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from stream.core.figures.families import SERVICE, SOURCE_TOPICS
from stream.core.figures.family import Family

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stream.core.figures.family import Kind

MAX_SOURCES: Final = 32
"""Sources with a timestamp of their own; more would let a sender make series at will."""

READ_TOPICS: Final = (*SOURCE_TOPICS, "outcomes", "identities")
"""The topics a worker reads: the sources, and what its stages tell each other."""

APPLY_BOUNDS_SECONDS: Final = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.2,
    0.3,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
    3600.0,
)
BATCH_BOUNDS_RECORDS: Final = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2000.0)


def _process(name: str, kind: Kind, text: str, *labels: str) -> Family:
    """A process-local family: keeps `instance`, never has `partition`."""
    unit = "seconds" if name.endswith("_seconds") else ""
    values = {"topic": READ_TOPICS} if "topic" in labels else {}
    return Family(name, kind, text, labels, unit=unit, scope="process", stage=0, values=values, reference="3.3")


_PROCESS: Final = (
    _process("contact_stream_source_timestamp_seconds", "gauge", "Newest word of each source (at most 32).", "source"),
    _process("contact_stream_event_time_seconds", "gauge", "Newest event time read.", "topic"),
    _process(
        "contact_stream_watermark_seconds",
        "gauge",
        "Watermark of each shard held; absent before there is one.",
        "stage",
        "shard",
    ),
    _process("contact_stream_lag_records", "gauge", "Records not yet applied.", "topic"),
    _process("contact_stream_apply_seconds", "histogram", "From the record's timestamp to the stored state."),
    _process("contact_stream_batch_records", "histogram", "Records in one stored batch."),
    _process("contact_stream_recovery_seconds", "gauge", "Time the last loading of a shard took."),
    _process("contact_stream_recovered_records_total", "counter", "Changelog records read while loading shards."),
    _process("contact_stream_rows", "gauge", "Rows held.", "table"),
    _process(
        "contact_stream_shard_owned",
        "gauge",
        "1 for each shard this worker serves; the sum over workers is 1.",
        "stage",
        "shard",
    ),
    _process("contact_stream_holes_total", "counter", "Holes met by the interval rule, and read again.", "topic"),
    _process("contact_stream_records_lost_total", "counter", "Records deleted before they were read.", "topic"),
    _process("contact_stream_fenced_total", "counter", "Shards given up because another worker took them."),
    _process("contact_stream_scrape_seconds", "gauge", "Time the rendering before this one took."),
    _process("contact_stream_build_info", "info", "What runs.", "version", "python", "faust", "kafka"),
)

BOUNDS: Final[Mapping[str, tuple[float, ...]]] = MappingProxyType(
    {"contact_stream_apply_seconds": APPLY_BOUNDS_SECONDS, "contact_stream_batch_records": BATCH_BOUNDS_RECORDS}
)
"""Upper bounds of the process-local histograms, in their unit."""


@dataclass(frozen=True, slots=True)
class Exposed:
    """One family as Prometheus sees it.

    Attributes:
        name: full name of a counter or gauge; base name of a histogram; a counter's ends in `_total`, an info's in
            `_info`.
        family: what it shows.
        retracted: whether it is the twin that counts what was taken back.
        labels: every label of a sample, `le` left out.
    """

    name: str
    family: Family
    retracted: bool
    labels: tuple[str, ...]

    @property
    def base(self) -> str:
        """Name without the suffix its kind gives, as OpenMetrics and the client library want it."""
        return self.name.removesuffix({"counter": "_total", "info": "_info"}.get(self.family.kind, ""))

    @property
    def help(self) -> str:
        """One sentence."""
        return f"Taken back by corrections, of: {self.family.help}" if self.retracted else self.family.help

    @property
    def unit(self) -> str:
        """The unit where OpenMetrics allows it to be said: as the last word of the base name."""
        unit = self.family.unit
        return unit if unit and self.base.endswith(f"_{unit}") else ""

    @property
    def samples(self) -> tuple[str, ...]:
        """Names of the series it is stored as."""
        if self.family.kind == "histogram":
            return tuple(f"{self.name}_{suffix}" for suffix in ("bucket", "count", "sum"))
        return (self.name,)


_SHARD_LABELS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"service": ("partition",), "program": ("stage", "partition"), "policy": (), "process": ()}
)


def _expose(families: Mapping[str, Family]) -> Iterator[Exposed]:
    """Every family but those that are only stored, each twin right after its total."""
    for family in families.values():
        if family.scope == "state":
            continue
        labels = (*family.labels, *_SHARD_LABELS[family.scope])
        yield Exposed(family.name, family, retracted=False, labels=labels)
        if family.twin:
            yield Exposed(family.twin_name, family, retracted=True, labels=labels)


PROCESS: Final[Mapping[str, Family]] = MappingProxyType({family.name: family for family in _PROCESS})
"""The process-local families by name (3-metrics 3.3)."""

CATALOGUE: Final[Mapping[str, Exposed]] = MappingProxyType(
    {entry.name: entry for entry in _expose({**SERVICE, **PROCESS})}
)
"""Every exported family by its name, in the order of the exposition."""


def exposed(name: str) -> Exposed:
    """Look a family up.

    Raises:
        KeyError: the name is not in the catalogue, so it cannot be exported.
    """
    try:
        return CATALOGUE[name]
    except KeyError:
        raise KeyError(f"{name} is not in the catalogue of metrics, so it cannot be exported") from None


def series_names() -> frozenset[str]:
    """Every name a series may have, `_bucket`, `_count` and `_sum` included: what rules and dashboards may use."""
    return frozenset(name for entry in CATALOGUE.values() for name in entry.samples)


def table() -> list[tuple[str, str, str, str, str, str]]:
    """The catalogue for people.

    Returns:
        One row a family: name, kind, labels, unit, source section, help. A twin has no row of its own: its total's
        name says `(+ _retracted)`.
    """
    return [
        (
            f"{entry.name} (+ _retracted)" if entry.family.twin else entry.name,
            entry.family.kind,
            ", ".join(entry.labels),
            entry.family.unit or "1",
            entry.family.reference,
            entry.family.help,
        )
        for entry in CATALOGUE.values()
        if not entry.retracted
    ]
