"""A worker process for the fault tests: `python program.py '<json>'`; facts go to standard output, logs to stderr.

The JSON says: bootstrap_servers, app_id, prefix, and further fields of Limits and Timing by name. It runs counting
shards of the first stage, or, where it names a `policy` file, both stages of the product.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from stream.cli.worker import shard_factory
from stream.wire.broker import Broker
from stream.wire.policy import load_policy
from stream.worker.run import run_worker
from stream.worker.settings import CASES, CONTACTS, Limits, Timing, WorkerSettings
from tests.faults.counting import CountingShard
from tests.faults.facts import KeptTelemetry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from stream.core.engine.batch import Record
    from stream.worker.ports import MakesShard, ShardLike
    from tests.faults.counting import CountedChanges


def settings_of(said: dict[str, Any]) -> WorkerSettings:
    """Build the worker's settings from plain values."""
    limits = {field.name: said[field.name] for field in fields(Limits) if field.name in said}
    timing = {field.name: said[field.name] for field in fields(Timing) if field.name in said}
    return WorkerSettings(
        broker=Broker(said["bootstrap_servers"]),
        app_id=said["app_id"],
        prefix=said["prefix"],
        stages=(CONTACTS, CASES) if "policy" in said else (CONTACTS,),
        web_port=0,
        limits=Limits(**limits),
        timing=Timing(**timing),
    )


class FreezingShard(CountingShard):
    """Stops its own process once, right between building a batch and storing it."""

    records_left = 0

    def apply(
        self, records: Sequence[Record], positions: Mapping[str, int], now: int, idle: Collection[str] = ()
    ) -> CountedChanges:
        """Count, then perhaps freeze."""
        changes = super().apply(records, positions, now, idle)
        before = FreezingShard.records_left
        FreezingShard.records_left -= len(records)
        if before > 0 >= FreezingShard.records_left:
            os.kill(os.getpid(), signal.SIGSTOP)
        return changes


def counting_shard(said: dict[str, Any], stage: int, partition: int, _partitions: int, /) -> ShardLike:
    """Make a counting shard as this run asks for."""
    if "freeze_after" in said:
        return FreezingShard(stage, partition)
    return CountingShard(stage, partition, outputs=said.get("outputs", True), pad=said.get("pad", 0))


def shards_of(said: dict[str, Any]) -> MakesShard:
    """What makes the shards of this run: the product's own under a policy, or counting ones."""
    if "policy" in said:
        return shard_factory(load_policy(Path(said["policy"])), historic=True)
    return partial(counting_shard, said)


def main() -> int:
    """Run one worker."""
    said = json.loads(sys.argv[1])
    logging.basicConfig(level=said.get("level", "INFO"), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    FreezingShard.records_left = said.get("freeze_after", 0)
    return run_worker(settings_of(said), shards_of(said), KeptTelemetry(tell=True))


if __name__ == "__main__":
    sys.exit(main())
