"""The policy changes under a running centre: names by themselves, definitions only when told, and the figures follow.

Workers run under one policy, then under another, on a real Kafka. In the end the net counters, read from the
changelogs as a new owner would, and the newest verdicts are those of both stages run in memory under the last policy
from the start: nothing has left the state, and half of the history was counted under other policies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stream.admin.producer import Outgoing
from stream.core.cases.shard import CaseShard
from stream.core.contacts.shard import Shard
from stream.core.engine.batch import Record, ShardId
from stream.core.engine.ledger import POLICY_ROW
from stream.core.policies.reader import read_policy
from stream.core.topics import changelog_name
from stream.demo.scrape import Figures, fetch, parse
from stream.wire.policy import policy_hash, read_policy_text
from stream.wire.rows import JsonCodec
from stream.wire.times import format_time
from tests.centre.history import END, history
from tests.centre.house import House, series_of_page
from tests.core.adopting import AdoptingWorld, net
from tests.faults.harness import read_all

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stream.core.engine.engine import Engine
    from stream.core.policy import Policy
    from stream.core.topics import Layout
    from tests.centre.history import Told
    from tests.conftest import MakeTopics

PARTITIONS = 4
SHARDS = 2 * PARTITIONS
DISORDER_MS = 60_000
FIRST = """\
lateness_ms = 7776000000
[queues.sales]
[issues.billing]
"""
NAMES = f"""{FIRST}
[issues.delivery]
[queues.care]
zone = "Asia/Tokyo"
"""
DEFINITIONS = f"""short_abandon_ms = 90000
{FIRST}
[issues.delivery]
window_ms = 259200000
[queues.care]
zone = "Asia/Tokyo"
[rules.contact]
transfers = "forbid"
[staff]
teams = ["first-line"]
[agents.agent1]
team = "first-line"
"""
CHANGED = (
    "issues.delivery.window_ms: not set -> 259200000",
    "rules.contact.transfers: allow -> forbid",
    "short_abandon_ms: 5000 -> 90000",
)
IN_CARE = 'contact_visits_entered_total{channel="voice",queue="care"}'


def policy_of(text: str) -> Policy:
    """The policy a file says."""
    return read_policy(tomllib.loads(text))


@dataclass(frozen=True)
class Centre:
    """One set of topics, and the policies its workers run under."""

    kafka: str
    layout: Layout
    folder: Path

    def house(self, policy: str, **settings: str) -> House:
        """Two workers under a policy, with logs in a folder of their own."""
        folder = self.folder / policy_hash(policy_of(policy))
        folder.mkdir(exist_ok=True)
        (folder / "policy.toml").write_text(policy)
        settings = {
            "CONTACT_STREAM_POLICY": str(folder / "policy.toml"),
            "CONTACT_STREAM_IDLE_AFTER": "never",
            **settings,
        }
        return House(self.kafka, self.layout, folder, **settings)

    def refused(self, policy: str) -> tuple[int, str]:
        """A worker under a policy that ends by itself: its exit code, and what it said."""
        file = self.folder / "refused.toml"
        file.write_text(policy)
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "CONTACT_STREAM_PREFIX": self.layout.prefix,
            "CONTACT_STREAM_APP_ID": self.layout.app_id,
            "CONTACT_STREAM_PARTITIONS": str(self.layout.partitions),
        }
        command = [sys.executable, "-m", "stream.cli", "worker", "--web-port", "0", "--policy", str(file)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    async def stored(self) -> Counter[tuple[int, str]]:
        """The policies in the changelogs: how often another one was adopted before, and the hash."""
        newest: dict[tuple[str, int], tuple[int, str]] = {}
        async for record in read_all(self.kafka, [changelog_name(self.layout.app_id, stage) for stage in (1, 2)]):
            if record.key == POLICY_ROW:
                number, text = json.loads(record.value)
                newest[record.topic, record.partition] = number, policy_hash(read_policy_text(text))
        return Counter(newest.values())

    async def figures(self, policy: str) -> dict[Any, int]:
        """Net counters over all shards, loaded from the changelogs as a new owner does."""
        shards: dict[tuple[str, int], Engine] = {}
        for partition in range(PARTITIONS):
            one, two = ShardId(1, partition), ShardId(2, partition)
            shards[changelog_name(self.layout.app_id, 1), partition] = Shard(one, policy_of(policy), JsonCodec())
            shards[changelog_name(self.layout.app_id, 2), partition] = CaseShard(
                two, policy_of(policy), JsonCodec(), PARTITIONS
            )
        async for record in read_all(self.kafka, sorted({topic for topic, _ in shards})):
            shards[record.topic, record.partition].load(record.key, record.value)
        for shard in shards.values():
            shard.loaded()
        return net(shards.values())


async def test_a_centre_goes_on_under_other_policies(kafka: str, make_topics: MakeTopics, tmp_path: Path) -> None:
    """R26, R27, R28: names are adopted at once, definitions when told, each named; agents are labels only if listed."""
    told = history(11, 120)
    half = len(told) // 2
    centre = Centre(kafka, make_topics(partitions=PARTITIONS), tmp_path)
    first = run(centre.house(FIRST), told[:half], told[half - 1].at)
    second = run(centre.house(NAMES), told[half:], told[-1].at)
    assert (in_care(first), in_care(second)) == (False, True)
    assert named_agents(first) == named_agents(second) == set()
    teams = {dict(labels)["team"] for labels in Figures([second]).family("contact_agents")}
    assert teams == {"other", "none"}
    assert Figures([second]).total("contact_agents") == len({one.key for one in told if one.topic == "agents"})
    assert await centre.stored() == {(1, policy_hash(policy_of(NAMES))): SHARDS}
    code, said = centre.refused(DEFINITIONS)
    assert code == 2, said
    assert all(words in said for words in (*CHANGED, "--adopt")), said
    assert await centre.stored() == {(1, policy_hash(policy_of(NAMES))): SHARDS}
    house = centre.house(DEFINITIONS, CONTACT_STREAM_ADOPT="yes")
    shown = run(house, [], END)
    assert in_care(shown)
    assert named_agents(shown) == {"agent1", "other"}
    hashes = {dict(labels)["hash"] for name, labels in parse(shown) if name == "contact_definition_info"}
    assert hashes == {policy_hash(policy_of(DEFINITIONS))}
    assert await centre.stored() == {(2, policy_hash(policy_of(DEFINITIONS))): SHARDS}
    logged = "".join(log.read_text() for log in house.folder.glob("*.log"))
    assert logged.count("adopted other definitions: " + CHANGED[0]) == SHARDS
    await check_corrections(kafka, house)
    world = in_memory(told, policy_of(DEFINITIONS))
    assert different(await centre.figures(DEFINITIONS), net((world.shard, world.cases))) == {}
    verdicts = {name: verdict for name, verdict in (await house.verdicts()).items() if world.leads(name[0])}
    assert different(plain(verdicts), plain(world.current())) == {}


def run(house: House, told: list[Told], until: int) -> str:
    """Let the workers count these events and come to this time (ms), then end in order; a metrics page at the end."""
    with house.open(), house.producer() as producer:
        house.until(lambda _: True, 60, "the workers share the shards")
        for one in told:
            producer.send(Outgoing(house.topic(one.topic), one.key.encode(), one.value))
        house.heartbeat(producer, format_time(until + DISORDER_MS), until)
        house.until_seen(lambda sight: sight.stands_at(until / 1000), 60, "every shard has come there")
        assert house.supervisor.restarts == 0
        return "\n".join(fetch(port) or "" for port in house.ports)


def in_care(page: str) -> bool:
    """Whether visits of the queue care are counted under its name."""
    return bool(series_of_page(Figures([page]), "contact_visits_entered_total").get(IN_CARE))


def named_agents(page: str) -> set[str]:
    """The agents whose names are labels."""
    return {dict(labels)["agent"] for _, labels in parse(page) if "agent" in dict(labels)}


def in_memory(told: list[Told], policy: Policy) -> AdoptingWorld:
    """Both stages in memory under one policy from the start, everything in order of time."""
    world = AdoptingWorld(policy)
    world.feed([Record(one.topic, at, None, one.key.encode(), one.value, ()) for at, one in enumerate(told)], 100)
    world.advance(END)
    return world


async def check_corrections(kafka: str, house: House) -> None:
    """Each adoption told of a series of a shard at most once that it fell."""
    told = [json.loads(record.value) async for record in read_all(kafka, [house.topic("corrections")])]
    own = [one for one in told if one["cause"] == "definition" and "policy" in one]
    assert all(one["new"] < one["old"] for one in own)
    ids = [one["id"] for one in own]
    assert len(ids) == len(set(ids))
    assert {id_.split("/")[3] for id_ in ids} == {"1", "2"}


def plain(verdicts: Mapping[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Verdicts without how often they were told, and under which policy last."""
    own = ("id", "revision", "policy")
    return {name: {key: value for key, value in told.items() if key not in own} for name, told in verdicts.items()}


def different(found: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> dict[Any, tuple[Any, Any]]:
    """Where two answers differ: found and wanted."""
    keys = found.keys() | wanted.keys()
    return {key: (found.get(key), wanted.get(key)) for key in keys if found.get(key) != wanted.get(key)}
