"""Creates and checks the product's topics on a broker.

What they should look like stands in `stream.core.topics`. An existing topic is never altered: a difference is
reported exactly and left to the people who run the cluster. Source: 1-events 1.2, 5-operating 5.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError

from stream.admin.connection import open_admin
from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kafka.admin import KafkaAdminClient

    from stream.core.topics import Layout, Topic
    from stream.wire.broker import Broker

_WORDS: Final = {"equal": "", "at_least": "at least ", "at_most": "at most "}


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which an existing topic is not as it should be.

    Attributes:
        topic: full name.
        what: the setting's name, or `partitions`.
        expected: what it should be, in words (`at least 1209600000`).
        actual: what the broker says.
    """

    topic: str
    what: str
    expected: str
    actual: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.topic}: {self.what} is {self.actual}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Findings:
    """How a broker's topics compare with the layout.

    Attributes:
        missing: topics that do not exist.
        present: topics that exist, right or not.
        differences: what is wrong with those present.
    """

    missing: tuple[Topic, ...]
    present: tuple[Topic, ...]
    differences: tuple[Difference, ...]

    @property
    def right(self) -> bool:
        """Whether every topic exists as it should."""
        return not self.missing and not self.differences


def check(broker: Broker, layout: Layout) -> Findings:
    """Compare the topics of a layout with those on the broker; changes nothing.

    Raises:
        Trouble: the broker cannot be reached.
    """
    with open_admin(broker) as client:
        return _compare(client, layout)


def create(broker: Broker, layout: Layout) -> tuple[Topic, ...]:
    """Create the topics that are missing and return them.

    Raises:
        Trouble: an existing topic differs (then nothing is created), or the broker cannot be reached or refuses.
    """
    with open_admin(broker) as client:
        findings = _compare(client, layout)
        if findings.differences:
            raise Trouble(
                "cannot create the topics",
                "; ".join(str(difference) for difference in findings.differences),
                "alter or delete them yourself: an existing topic is never changed here",
            )
        if findings.missing:
            _create_missing(client, layout, findings.missing)
        return findings.missing


def delete(broker: Broker, layout: Layout) -> None:
    """Delete a layout's topics and its consumer group: for trials that leave nothing behind, never part of a command.

    The workers must have ended; a group that still has members stays.

    Raises:
        Trouble: the broker cannot be reached or refuses.
    """
    with open_admin(broker) as client:
        existing = set(client.list_topics())
        names = [topic.name for topic in layout.topics() if topic.name in existing]
        if names:
            client.delete_topics(names)
        client.delete_groups([layout.app_id])


def _create_missing(client: KafkaAdminClient, layout: Layout, missing: Sequence[Topic]) -> None:
    wanted = {
        topic.name: {
            "num_partitions": layout.partitions,
            "replication_factor": layout.replication_factor or -1,
            "configs": {name: setting.value for name, setting in topic.config.items()},
        }
        for topic in missing
    }
    answer = client.create_topics(wanted, raise_errors=False)
    failures = [
        f"{topic['name']}: {topic.get('error_message') or 'error ' + str(topic['error_code'])}"
        for topic in answer["topics"]
        # Somebody else creating the same layout at the same moment is no failure.
        if topic["error_code"] not in {0, TopicAlreadyExistsError.errno}
    ]
    if failures:
        raise Trouble("cannot create the topics", "; ".join(failures))
    client.wait_for_topics(list(wanted))


def _compare(client: KafkaAdminClient, layout: Layout) -> Findings:
    topics = layout.topics()
    existing = set(client.list_topics())
    missing = tuple(topic for topic in topics if topic.name not in existing)
    present = tuple(topic for topic in topics if topic.name in existing)
    if not present:
        return Findings(missing, (), ())
    names = [topic.name for topic in present]
    counts = {topic["name"]: len(topic["partitions"]) for topic in client.describe_topics(names)}
    configs = _configs(client, names)
    differences = [
        difference
        for topic in present
        for difference in _differences(topic, layout.partitions, counts[topic.name], configs.get(topic.name, {}))
    ]
    return Findings(missing, present, tuple(differences))


def _configs(client: KafkaAdminClient, names: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    described: Any = client.describe_configs(resources, config_filter="all")
    return {
        name: {setting: config["value"] for setting, config in settings.items()}
        for name, settings in described[ConfigResourceType.TOPIC.name.lower()].items()
    }


def _differences(topic: Topic, partitions: int, count: int, config: Mapping[str, str]) -> list[Difference]:
    """List what is wrong with one topic; an output nobody joins may have any number of partitions."""
    found = []
    if topic.joined and count != partitions:
        found.append(Difference(topic.name, "partitions", str(partitions), str(count)))
    found += [
        Difference(topic.name, name, _WORDS[setting.demand] + setting.value, config.get(name, "not reported"))
        for name, setting in topic.config.items()
        if not setting.accepts(config.get(name))
    ]
    return found
