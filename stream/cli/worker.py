"""Runs one worker: reads its shards' events from Kafka, keeps the figures, serves them.

Put together here: settings, policy, shards of both stages, telemetry. Stop it with SIGTERM or Ctrl-C; start as many as
there are partitions. Exit code 70 means: start me again (a supervisor does), everything committed is complete.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stream.cli.settings import add_option
from stream.core.cases.shard import CaseShard
from stream.core.contacts.shard import Shard
from stream.core.engine.batch import ShardId
from stream.core.policy import Policy
from stream.telemetry.declared import declared_by, in_force, policy_figures
from stream.telemetry.http import Address
from stream.telemetry.known import known_by_stage
from stream.telemetry.logs import set_up
from stream.telemetry.service import Telemetry, TelemetrySettings
from stream.wire.json import dumps
from stream.wire.policy import load_policy, policy_hash
from stream.wire.rows import JsonCodec
from stream.worker.run import run_worker
from stream.worker.settings import CONTACTS, Timing, WorkerSettings

if TYPE_CHECKING:
    import argparse

    from stream.cli.settings import Settings
    from stream.core.policies.adoption import Adopted
    from stream.worker.ports import MakesShard, ShardLike


log: Final = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `worker`."""
    add_option(parser, "CONTACT_STREAM_POLICY", "--policy")
    add_option(parser, "CONTACT_STREAM_ADOPT", "--adopt")
    add_option(parser, "CONTACT_STREAM_WEB_HOST", "--web-host")
    add_option(parser, "CONTACT_STREAM_WEB_PORT", "--web-port")
    add_option(parser, "CONTACT_STREAM_PREFIX", "--prefix")
    add_option(parser, "CONTACT_STREAM_APP_ID", "--app-id")
    add_option(parser, "CONTACT_STREAM_IDLE_AFTER", "--idle-after")
    add_option(parser, "CONTACT_STREAM_SESSION_TIMEOUT", "--session-timeout")


def run(_options: argparse.Namespace, settings: Settings) -> int:
    """Work until told to stop; 0 after a signal, 1 or 2 for trouble a person must solve, 70 for a supervisor."""
    worker = worker_settings(settings)
    token = settings.text("CONTACT_STREAM_WEB_TOKEN") or ""
    policy_path = settings.path("CONTACT_STREAM_POLICY")
    adopt = settings.flag("CONTACT_STREAM_ADOPT")
    level = settings.text("CONTACT_STREAM_LOG_LEVEL") or "info"
    form = settings.text("CONTACT_STREAM_LOG_FORMAT")
    settings.check()
    policy = load_policy(policy_path) if policy_path else Policy()
    set_up(logging.getLevelNamesMapping()[level.upper()], dumps if form == "json" else None)
    if level != "debug":
        # It calls every retry an error; what somebody must act on the worker says itself.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    historic = worker.timing.idle_after is None
    address = Address(worker.web_host, worker.web_port, token)
    telemetry = Telemetry(telemetry_settings(policy, address, historic=historic))
    make_shard = shard_factory(policy, historic=historic, adopt=adopt)
    return run_worker(worker, make_shard, telemetry)


def worker_settings(settings: Settings) -> WorkerSettings:
    """Return a worker's settings: the defaults of 4-architecture 4.5 with what somebody set laid over them."""
    layout = settings.layout()
    timing = Timing()
    idle_after = settings.seconds("CONTACT_STREAM_IDLE_AFTER")
    session = settings.seconds("CONTACT_STREAM_SESSION_TIMEOUT") or timing.session_timeout
    patience = settings.seconds("CONTACT_STREAM_BROKER_PATIENCE") or 0.0
    return WorkerSettings(
        broker=settings.broker(),
        app_id=layout.app_id,
        prefix=layout.prefix,
        web_host=settings.text("CONTACT_STREAM_WEB_HOST") or "127.0.0.1",
        web_port=settings.integer("CONTACT_STREAM_WEB_PORT") or 0,
        timing=replace(
            timing,
            idle_after=idle_after,
            session_timeout=session,
            heartbeat=min(timing.heartbeat, session / 5),
            broker_patience=patience,
        ),
    )


def shard_factory(policy: Policy, *, historic: bool, adopt: bool = False) -> MakesShard:
    """Return what makes an empty shard of a stage and partition.

    Args:
        policy: to count under.
        historic: whether event time is taken for now.
        adopt: whether a shard that counted under other definitions goes on under these.
    """
    codec = JsonCodec()

    def make_shard(stage: int, partition: int, partitions: int, /) -> ShardLike:
        identity = ShardId(stage, partition)
        shard: Shard | CaseShard
        if stage == CONTACTS.number:
            shard = Shard(identity, policy, codec)
        else:
            shard = CaseShard(identity, policy, codec, partitions)
        shard.view.historic = historic
        shard.redefines = adopt
        shard.on_adopted = say_adopted
        return shard

    return make_shard


def say_adopted(shard: ShardId, adopted: Adopted) -> None:
    """Say that a shard counts under another policy from now on, and what is different; definitions as a warning."""
    changed = adopted.change
    if changed.definitions:
        log.warning("shard %d-%d adopted other definitions: %s", *shard, ", ".join(changed.definitions))
    log.info(
        "shard %d-%d counts under policy %s instead of %s: %d rows decided again, %d figures fell; other names: %s",
        *shard,
        adopted.definition,
        adopted.former,
        adopted.rows,
        adopted.corrected,
        ", ".join(changed.names) or "none",
    )


def telemetry_settings(policy: Policy, address: Address, *, historic: bool) -> TelemetrySettings:
    """Return what the metrics page shows from the start: known series, targets, definitions, and who is open."""
    return TelemetrySettings(
        now=lambda: time.time_ns() // 1_000_000,
        address=address,
        known=known_by_stage(declared_by(policy)),
        policy=policy_figures(policy, policy_hash(policy)),
        in_force=in_force(policy, historic=historic),
    )
