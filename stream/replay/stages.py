"""Both stages in one process: what the first tells goes straight to the second, and nothing is late.

The watermarks are held back until everything has been read, so a recording may stand in any order; then `close` puts
that of the contacts at the end, and `settle` that of the cases. Times in ms.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stream.core.cases.dossier import due_of
from stream.core.cases.shard import CaseShard
from stream.core.contacts.shard import STAGE_ONE_SOURCES, Shard
from stream.core.engine import ledger
from stream.core.engine.batch import Record, ShardId
from stream.core.figures.families import SERVICE
from stream.core.figures.series import net_figures, series_of
from stream.core.policy import HOUR_MS
from stream.core.topics import source_names
from stream.wire.rows import JsonCodec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stream.core.engine.batch import Changes, Output
    from stream.core.engine.engine import Engine
    from stream.core.figures.figures import CounterKey
    from stream.core.policy import Policy

BATCH: Final = 20_000
_CONTACTS: Final = frozenset(source_names(1))
_JOINED: Final = frozenset(("outcomes", "identities"))
_HELD: Final = "end"  # a source that never speaks: only `close` and `settle` move time on
KEPT_MS: Final = 10**12 * HOUR_MS  # whole hours, because what leaves leaves by the hour


class Stages:
    """A shard of each stage, and what travels between them."""

    def __init__(self, policy: Policy, *, keep: bool = False, join: bool = True) -> None:
        """Nothing read.

        Args:
            policy: the definitions to count under.
            keep: nothing leaves the state before `KEPT_MS` more, so that it can be looked at afterwards.
            join: the case stage hears what the contact stage tells; else only the outcomes that are fed.
        """
        self.policy = policy
        self.codec = JsonCodec()
        self._join = join
        patient = replace(policy, lateness_ms=policy.lateness_ms + KEPT_MS) if keep else policy
        self.contacts = Shard(ShardId(1, 0), patient, self.codec, (*STAGE_ONE_SOURCES, _HELD))
        self.cases = CaseShard(ShardId(2, 0), patient, self.codec, 1)
        self.cases.clock.sources = (_HELD,)
        self.applied = 0
        self.duplicates = 0
        self.rejected: list[Output] = []
        self._keeps = keep
        for shard in (self.contacts, self.cases):
            shard.loaded()

    def feed(self, records: Sequence[Record]) -> None:
        """Apply one batch: source records of both stages, outcomes, and messages between homes."""
        told = self._keep(self.contacts, self.contacts.apply([r for r in records if r.topic in _CONTACTS], {}, 0))
        joined = told if self._join else []
        self._tell([*joined, *(record for record in records if record.topic not in _CONTACTS)])

    def close(self, until: int) -> None:
        """Everything has been read: put the watermark of the contacts at ``until``, and do what falls due by then."""
        codec, shard = self.codec, self.contacts
        rows = (*shard.frozen.values(), *(row.packed for row in shard.hot.values()))
        for at in _moments((codec.row_times(packed).due for packed in rows), until):
            self._tell(self._keep(shard, shard.advance(at)))

    def settle(self, until: int) -> None:
        """Put the watermark of the cases at ``until``, the settlement too: what falls due by then has been done."""
        people = self.cases.people
        dues = (*(due_of(rest[0]) for rest in people.resting.values()), *(one.due() for one in people.hot.values()))
        for at in _moments(dues, until):
            self.cases.clock.advance(at)
            self._tell((), at_least_once=True)

    @property
    def read(self) -> int:
        """How many source records were read, those rejected included where everything is kept."""
        return self.applied + self.duplicates + len(self.rejected)

    @property
    def newest(self) -> int | None:
        """The newest event read (ms), or None."""
        return max((*self.contacts.clock.seen.values(), *self.cases.clock.seen.values()), default=None)

    @property
    def counters(self) -> dict[CounterKey, tuple[int, int]]:
        """What was counted, and what of it was taken back, by state key; nothing that is kept for gauges alone."""
        both = (*self.contacts.view.counters.items(), *self.cases.view.counters.items())
        return {key: value for key, value in both if SERVICE[str(key[0])].scope != "state"}

    @property
    def figures(self) -> dict[str, int | float]:
        """Net figures and gauges by series; points in time are left out."""
        now = self.contacts.watermark or 0
        gauges = {**self.contacts.view.gauges(now), **self.cases.view.gauges(now)}
        shown = {key: v for key, v in gauges.items() if key[0] in SERVICE and not str(key[0]).endswith("_seconds")}
        plain = {series_of(key): int(value) if value == int(value) else value for key, value in shown.items()}
        return {**net_figures(self.counters), **plain}

    def cells(self) -> Iterator[bytes]:
        """Every interval cell as the interval topic would hold it, by stage and time; unpublished, so none has left."""
        for shard in (self.contacts, self.cases):
            for key in sorted(shard.book.cells):
                yield self.codec.pack(ledger.cell_value(shard, shard.book.cells[key]))

    def _tell(self, records: Sequence[Record], *, at_least_once: bool = False) -> None:
        """Give the case stage what is on its way to it, until nothing is."""
        while records or at_least_once:
            at_least_once = False
            records = self._keep(self.cases, self.cases.apply(records, {}, 0))

    def _keep(self, shard: Engine, changes: Changes) -> list[Record]:
        """Show what a batch changed; the records it makes for the case stage."""
        self.applied += changes.applied
        self.duplicates += changes.duplicates
        shard.publish(changes)
        if self._keeps:
            self.rejected += [output for output in changes.outputs if output.topic == "rejected"]
        told = (output for output in changes.outputs if output.topic in _JOINED)
        return [Record(output.topic, 0, None, output.key, output.value, output.headers) for output in told]


def _moments(dues: Iterable[int], until: int) -> list[int]:
    """Where to put a watermark one after the other, so that at each some `BATCH` rows fall due; the last is the end."""
    return [*sorted(due for due in dues if due < until)[BATCH - 1 :: BATCH], until]
