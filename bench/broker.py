"""The Kafka that a measurement runs against: the one of KAFKA_BOOTSTRAP_SERVERS, else an embedded one of its own.

One broker serves everything that is compared, so that its cost is the same for all.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from stream.demo.kafka import EmbeddedKafka, KafkaSettings

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def running_kafka() -> Iterator[str]:
    """Yield bootstrap servers; an embedded broker is stopped and its data deleted afterwards.

    SIGTERM ends the measurement as Ctrl-C does, so that no measured process outlives it.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
        return
    with EmbeddedKafka(KafkaSettings(cache=kafka_cache())) as kafka:
        yield kafka.bootstrap_servers


def kafka_cache() -> Path:
    """Return the folder that keeps Kafka's jars between runs."""
    given = os.environ.get("CONTACT_STREAM_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "contact-stream"
