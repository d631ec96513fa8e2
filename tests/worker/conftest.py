"""Both houses: the in-memory twin, and Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.wire.broker import Broker
from stream.worker.settings import WorkerSettings
from tests.worker.houses import QUICK, SMALL, KafkaStore, MemoryReader, MemoryStore

if TYPE_CHECKING:
    from tests.conftest import MakeTopics
    from tests.worker.houses import House


@pytest.fixture
def source() -> MemoryReader:
    """The source partitions of one shard."""
    return MemoryReader()


@pytest.fixture(params=["twin", pytest.param("kafka", marks=pytest.mark.kafka)])
def house(request: pytest.FixtureRequest) -> House:
    """Where the shard stores its batches."""
    if request.param == "twin":
        return MemoryStore(WorkerSettings(limits=SMALL, timing=QUICK))
    kafka: str = request.getfixturevalue("kafka")
    make_topics: MakeTopics = request.getfixturevalue("make_topics")
    return KafkaStore(Broker(kafka), make_topics(partitions=2))
