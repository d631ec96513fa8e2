"""What every test may ask for: a real Kafka, topics of its own, the hypothesis profile.

`kafka` is the broker shared by the whole run: nothing may harm it. A test that kills or freezes a broker asks for
`own_kafka`. Without Java and Maven these tests are skipped on a laptop, with the reason, and fail in CI.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import HealthCheck, settings

from stream.admin import topics as admin_topics
from stream.core.topics import Layout
from stream.core.trouble import Trouble
from stream.demo.kafka import EmbeddedKafka, KafkaSettings
from stream.wire.broker import Broker
from tests.side_by_side import KafkaInOneProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_CI = bool(os.environ.get("CI"))

pytest.register_assert_rewrite("tests.demo.proof", "tests.centre.house", "tests.faults.harness")

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if IN_CI else "dev")


class MakeTopics(Protocol):
    """Creates every topic of the product under names that no other test uses."""

    def __call__(self, partitions: int = 8, **layout: str) -> Layout:
        """Return the layout that was created: `prefix` and `app_id` are fresh, other fields as given."""
        ...


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark whatever needs a real Kafka, so that `-m "not kafka"` is always the truth."""
    if {"kafka", "own_kafka", "kafka_settings"} & set(getattr(item, "fixturenames", ())):
        item.add_marker(pytest.mark.kafka)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> KafkaInOneProcess:
    """Where tests run side by side, those on Kafka keep to one process."""
    return KafkaInOneProcess(config, log)


@pytest.fixture(scope="session")
def kafka_settings() -> KafkaSettings:
    """Where the embedded broker finds its jars: the user's cache, as the commands do."""
    cache = os.environ.get("CONTACT_STREAM_CACHE") or Path.home() / ".cache" / "contact-stream"
    return KafkaSettings(cache=Path(cache))


@pytest.fixture(scope="session")
def kafka(kafka_settings: KafkaSettings, request: pytest.FixtureRequest) -> Iterator[str]:
    """Bootstrap servers of a real Kafka: KAFKA_BOOTSTRAP_SERVERS, else an embedded one for this run."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
        return
    broker = _started(kafka_settings, request)
    yield broker.bootstrap_servers
    broker.stop()


@pytest.fixture
def own_kafka(kafka_settings: KafkaSettings, request: pytest.FixtureRequest) -> Iterator[EmbeddedKafka]:
    """A real broker that this test may kill, freeze and restart."""
    broker = _started(kafka_settings, request)
    yield broker
    broker.stop()


@pytest.fixture
def fresh_prefix() -> str:
    """A topic prefix that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
def make_topics(kafka: str) -> MakeTopics:
    """Create the product's topics on the shared broker, under fresh names."""

    def create(partitions: int = 8, **layout: str) -> Layout:
        name = uuid.uuid4().hex[:10]
        made = Layout(**{"prefix": f"t{name}.", "app_id": f"app-{name}", "partitions": partitions, **layout})  # type: ignore[arg-type]  # the fields are checked by Layout's users
        admin_topics.create(Broker(kafka), made)
        return made

    return create


def _started(kafka_settings: KafkaSettings, request: pytest.FixtureRequest) -> EmbeddedKafka:
    """Start a broker; without Java or Maven, skip on a laptop and fail in CI."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def report(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", flush=True)

    broker = EmbeddedKafka(kafka_settings, report)
    try:
        broker.start()
    except Trouble as trouble:
        if IN_CI:
            raise
        pytest.skip(str(trouble))
    return broker
