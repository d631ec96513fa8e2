"""Looks at the broker before Faust starts: is it there, are the topics, do their partitions agree?

Waits with a growing pause for a broker that is down, saying so; after `broker_patience` it gives up with one message.
It never creates or changes a topic; `stream.admin` does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from stream.core.trouble import Trouble
from stream.worker.client import connection

if TYPE_CHECKING:
    from stream.worker.settings import WorkerSettings

log: Final = logging.getLogger(__name__)

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 5.0


async def inspect(settings: WorkerSettings) -> dict[str, int]:
    """Wait for the broker and return the number of partitions of every topic the worker touches.

    Returns:
        Short name (or `stage<n>-changelog`) -> partitions.

    Raises:
        Trouble: the broker is away for longer than the patience, or topics are missing or disagree.
    """
    try:
        connection(settings.broker)
    except OSError as error:  # ssl.SSLError is one
        raise Trouble("cannot use the TLS files of KAFKA_SSL_*", _said(error), exit_code=2) from error
    client = await _reach(settings)
    try:
        counts = await _counts(client, settings)
    finally:
        await client.stop()
    _check(settings, counts)
    return {short: count for short, count in counts.items() if count is not None}


async def _reach(settings: WorkerSettings) -> AIOKafkaProducer:
    """Connect, with patience."""
    patience = settings.timing.broker_patience
    deadline = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while True:
        client = AIOKafkaProducer(**connection(settings.broker), request_timeout_ms=5_000)
        try:
            await client.start()
        except (KafkaError, OSError) as error:
            await client.stop()
            left = deadline - time.monotonic()
            if left <= 0 or not isinstance(error, KafkaConnectionError | OSError):
                raise Trouble(
                    f"cannot reach Kafka at {settings.broker.bootstrap_servers}",
                    f"{_said(error)}, for {patience:.0f} s",
                    "start the broker or set KAFKA_BOOTSTRAP_SERVERS; see README, Settings",
                ) from error
            log.warning(
                "Kafka at %s does not answer; trying again in %.1f s, for %.0f s more",
                settings.broker.bootstrap_servers,
                min(pause, left),
                left,
            )
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            return client


async def _counts(client: AIOKafkaProducer, settings: WorkerSettings) -> dict[str, int | None]:
    cluster = await client.client.fetch_all_metadata()
    names = {f"stage{stage.number}-changelog": settings.changelog(stage.number) for stage in settings.stages}
    for stage in settings.stages:
        names |= {short: settings.topic(short) for short in (*stage.sources, *stage.outputs)}
    counts: dict[str, int | None] = {}
    for short, full in names.items():
        found = cluster.partitions_for_topic(full)
        counts[short] = len(found) if found else None
    return counts


def _check(settings: WorkerSettings, counts: dict[str, int | None]) -> None:
    """Refuse missing topics, and joined topics that do not have the same number of partitions."""
    missing = sorted(_full(settings, short) for short, count in counts.items() if count is None)
    if missing:
        raise Trouble(
            "cannot start the worker",
            f"these topics do not exist: {', '.join(missing)}",
            "run: contact-stream topics create --execute",
        )
    joined = {short for stage in settings.stages for short in (*stage.sources, f"stage{stage.number}-changelog")}
    if len({counts[short] for short in joined}) > 1:
        said = ", ".join(f"{_full(settings, short)} has {counts[short]}" for short in sorted(joined))
        raise Trouble(
            "cannot start the worker",
            f"topics that are joined must have the same number of partitions, but {said}",
            "a changed number moves keys away from their state; restore it, or begin with a new application id",
        )


def _full(settings: WorkerSettings, short: str) -> str:
    if short.endswith("-changelog"):
        return f"{settings.app_id}-{short}"
    return settings.topic(short)


def _said(error: BaseException) -> str:
    text = str(error).strip()
    return text or type(error).__name__
