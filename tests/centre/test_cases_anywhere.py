"""Cases, and times of agents, come out the same whoever runs the shards, however topics are filled, whoever dies.

One made-up history (`tests.centre.history`) goes through worker processes on a real Kafka, with workers that join, are
stopped and are killed. The newest verdict of every case and the net counters of both stages, read from the changelogs
as a new owner would, must be those of the two shards run once, in order, in memory. The times of agents are counted
once more, by a loop over what was sent.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import tomllib
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pytest

from stream.admin import topics as admin_topics
from stream.admin.producer import EventProducer, Outgoing
from stream.core.cases.shard import CaseShard
from stream.core.contacts.shard import Shard
from stream.core.engine.batch import Record, ShardId
from stream.core.partitions import partition_of
from stream.core.policies.reader import read_policy
from stream.core.topics import Layout, changelog_name, topic_name
from stream.wire.broker import Broker
from stream.wire.rows import JsonCodec
from stream.wire.times import format_time
from tests.centre.history import END, POLICY, START, history
from tests.centre.house import HEARTBEAT_TOPICS, cases_told
from tests.core.recount_staff import Names, spent_ms
from tests.faults.harness import environment_seed, read_all, until, workers
from tests.vectors.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from stream.core.engine.batch import Output
    from stream.demo.kafka import EmbeddedKafka
    from tests.centre.history import Told
    from tests.centre.house import CaseName
    from tests.conftest import MakeTopics
    from tests.faults.harness import WorkerProcess

SECONDS = ("contact_team_status_seconds_total", "contact_agent_status_seconds_total")
NAMES = Names(frozenset(("first-line", "night")), agents={"agent1": "night", "agent2": ""})
PARTITIONS = 4
PEOPLE = 300
FEED_SECONDS = 7.0
DISORDER_MS = 60_000
TINY = {"chunk_records": 3, "batch_records": 7, "pace_long": 0.005, "pace_short": 0.002}
SMALL = {"chunk_records": 40, "batch_records": 100}
Figures = dict[tuple[str | int, ...], int]


@dataclass(frozen=True)
class Run:
    """One way to run the same history.

    Attributes:
        name: for the test's id.
        workers: how many begin.
        order: in which the topics are filled.
        limits: sizes of batches.
        plan: share of the history -> what happens then: a worker joins, one is to terminate, one is killed, or the
            broker is killed and started again.
        turn: another history for each.
    """

    name: str
    workers: int
    order: str
    limits: Mapping[str, float]
    plan: tuple[tuple[float, str], ...] = ()
    turn: int = 0


SHORT = (
    Run("alone, in time", 1, "time", {}),
    Run("two, shuffled, tiny batches", 2, "shuffled", TINY, ((0.2, "join"), (0.5, "terminate"), (0.75, "kill"))),
    Run("four, backwards", 4, "backwards", SMALL, ((0.3, "kill"), (0.6, "join"), (0.8, "terminate"))),
)
LONG = (
    Run("two, partition by partition", 2, "by partition", SMALL, ((0.3, "kill"), (0.6, "join"), (0.8, "terminate"))),
    Run("cases first", 1, "cases first", TINY, ((0.4, "join"), (0.6, "kill"), (0.8, "join"))),
    Run("cases last", 3, "cases last", SMALL, ((0.3, "kill"), (0.6, "kill"), (0.8, "join"))),
    Run("four, shuffled, kills", 4, "shuffled", TINY, tuple((share / 10, "kill") for share in range(2, 9, 2))),
)
NO_BROKER = Run("two, in time, the broker dies", 2, "time", SMALL, ((0.3, "broker"), (0.5, "kill"), (0.7, "broker")))
by_name = partial(pytest.mark.parametrize, "run", ids=lambda run: run.name)


@by_name(SHORT)
async def test_the_same_cases(kafka: str, make_topics: MakeTopics, tmp_path: Path, run: Run) -> None:
    """R27: verdicts and net counters are those of the run in memory, times of agents those of a plain recount."""
    await check_run(kafka, make_topics(partitions=PARTITIONS), tmp_path, run)


@pytest.mark.full
@by_name((*SHORT, *LONG))
@pytest.mark.parametrize("turn", range(3))
async def test_the_same_cases_again(kafka: str, make_topics: MakeTopics, tmp_path: Path, run: Run, turn: int) -> None:
    """More orders, more faults, more histories."""
    await check_run(kafka, make_topics(partitions=PARTITIONS), tmp_path, replace(run, turn=turn))


@pytest.mark.full
async def test_the_same_cases_though_the_broker_dies(
    own_kafka: EmbeddedKafka, fresh_prefix: str, tmp_path: Path
) -> None:
    """What was being written between the stages when it died is there once, or not at all."""
    layout = Layout(prefix=fresh_prefix, app_id=f"{fresh_prefix}app", partitions=PARTITIONS)
    admin_topics.create(Broker(own_kafka.bootstrap_servers), layout)
    await check_run(own_kafka.bootstrap_servers, layout, tmp_path, NO_BROKER, own_kafka)


async def check_run(kafka: str, layout: Layout, folder: Path, run: Run, broker: EmbeddedKafka | None = None) -> None:
    """Run the history so, and compare."""
    seed = environment_seed() + run.turn
    dice = random.Random(seed)  # noqa: S311  a seeded test, no secret
    told = history(seed, PEOPLE)
    policy = folder / "policy.toml"
    policy.write_text(POLICY)
    said = {"policy": str(policy), "idle_after": None, "level": "WARNING", **run.limits}
    with workers(kafka, layout, folder) as start, EventProducer(Broker(kafka)) as producer:
        running = [start(**said) for _ in range(run.workers)]
        await until(lambda: owned(running) == 2 * PARTITIONS, 40, "the workers share all shards")
        feeding = asyncio.create_task(asyncio.to_thread(feed, producer, layout, ordered(told, run.order, dice), run))
        began = time.monotonic()
        for share, what in run.plan:
            await asyncio.sleep(max(0.0, began + share * FEED_SECONDS - time.monotonic()))
            if broker is not None and what == "broker":
                await asyncio.to_thread(broker.restart)
            else:
                await happen(running, what, dice, partial(start, **said))
        await feeding
        beat(producer, layout, END)
        wanted_verdicts, wanted_figures = reference(seed)
        found: tuple[dict[CaseName, Any], Figures] = ({}, {})
        deadline = time.monotonic() + 90
        while found != (wanted_verdicts, wanted_figures) and time.monotonic() < deadline:
            await asyncio.sleep(1.5)
            found = await verdicts_of(kafka, layout), await figures_of(kafka, layout)
    assert different(found[0], wanted_verdicts) == {}
    assert different(found[1], wanted_figures) == {}
    statuses = [one.event for one in told if one.topic == "agents"]
    seconds = {key: net for key, net in found[1].items() if key[0] in SECONDS}
    assert different(seconds, spent_ms(statuses, NAMES)) == {}
    assert len(wanted_verdicts) > PEOPLE


def owned(running: Iterable[WorkerProcess]) -> int:
    """How many shards workers run by their own account."""
    return sum(len(worker.told("shard_loaded")) - len(worker.told("shard_dropped")) for worker in running)


async def happen(
    running: list[WorkerProcess], what: str, dice: random.Random, start: Callable[[], WorkerProcess]
) -> None:
    """Let a worker join, or end one of them in order or with SIGKILL and start another in its place."""
    if what == "join":
        running.append(start())
        return
    victim = dice.randrange(len(running))
    if what == "kill":
        running[victim].kill()
    else:
        assert await asyncio.to_thread(running[victim].terminate) in (0, -15)  # a young one has no handler yet
    running[victim] = start()


def ordered(told: list[Told], order: str, dice: random.Random) -> list[Told]:
    """The history in another order."""
    mixed = list(told)
    if order == "shuffled":
        dice.shuffle(mixed)
    elif order == "backwards":
        mixed.reverse()
    elif order == "by partition":
        mixed.sort(key=lambda one: partition_of(one.key.encode(), PARTITIONS))
    elif order != "time":
        mixed.sort(key=lambda one: (one.topic == "cases") == (order == "cases last"))
    return mixed


def feed(producer: EventProducer, layout: Layout, told: list[Told], run: Run) -> None:
    """Write the history in ``FEED_SECONDS``, telling the time now and then."""
    parts = 30
    newest = START
    for part in range(parts):
        began = time.monotonic()
        for one in told[part * len(told) // parts : (part + 1) * len(told) // parts]:
            producer.send(Outgoing(topic_name(layout.prefix, one.topic), one.key.encode(), one.value))
            newest = max(newest, one.at)
        if run.order == "time" or part % 10 == 9:
            beat(producer, layout, newest)
        producer.flush()
        time.sleep(max(0.0, FEED_SECONDS / parts - (time.monotonic() - began)))


def beat(producer: EventProducer, layout: Layout, watermark: int) -> None:
    """Tell every source partition a time that puts the watermark there, ms."""
    at = format_time(watermark + DISORDER_MS)
    event = {"event_id": f"h{watermark}", "type": "source.heartbeat", "occurred_at": at, "source": "clock"}
    for short in HEARTBEAT_TOPICS:
        producer.send_everywhere(Outgoing(topic_name(layout.prefix, short), b"clock", json.dumps(event).encode()))
    producer.flush()


class Reference(World):
    """Both stages in memory, with every verdict they tell."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        super().__init__(read_policy(tomllib.loads(POLICY)))

    def _read(self, output: Output) -> None:
        if output.topic == "verdicts":
            self.told.append(json.loads(output.value or b""))
        super()._read(output)


@cache
def reference(seed: int) -> tuple[dict[CaseName, Any], Figures]:
    """Verdicts and net counters of both stages run in memory, everything in order of time."""
    world = Reference()
    told = history(seed, PEOPLE)
    world.feed([Record(one.topic, at, None, one.key.encode(), one.value, ()) for at, one in enumerate(told)], 100)
    world.advance(END)
    verdicts = {case: comparable(verdict) for case, verdict in cases_told(world.told).items()}
    return verdicts, net([world.shard, world.cases])


async def verdicts_of(kafka: str, layout: Layout) -> dict[CaseName, Any]:
    """The newest verdict of every case, as any read_committed reader finds it."""
    told = [json.loads(record.value) async for record in read_all(kafka, [topic_name(layout.prefix, "verdicts")])]
    return {case: comparable(verdict) for case, verdict in cases_told(told).items()}


def comparable(verdict: dict[str, Any]) -> dict[str, Any]:
    """Everything a verdict says but how often it was told before."""
    return {name: value for name, value in verdict.items() if name not in ("id", "revision")}


async def figures_of(kafka: str, layout: Layout) -> Figures:
    """Net counters over all shards, loaded from the changelogs as a new owner does."""
    policy = read_policy(tomllib.loads(POLICY))
    shards: dict[tuple[str, int], Shard | CaseShard] = {}
    for partition in range(PARTITIONS):
        one, two = ShardId(1, partition), ShardId(2, partition)
        shards[changelog_name(layout.app_id, 1), partition] = Shard(one, policy, JsonCodec())
        shards[changelog_name(layout.app_id, 2), partition] = CaseShard(two, policy, JsonCodec(), PARTITIONS)
    async for record in read_all(kafka, [changelog_name(layout.app_id, stage) for stage in (1, 2)]):
        shards[record.topic, record.partition].load(record.key, record.value)
    for shard in shards.values():
        shard.loaded()
    return net(shards.values())


def net(shards: Iterable[Shard | CaseShard]) -> Figures:
    """Net counters and tallies of some shards together; left out is what tells how often something was corrected."""
    total: Figures = defaultdict(int)
    for shard in shards:
        for key, (rose, fell) in shard.view.counters.items():
            if key[0] not in ("contact_stream_records_total", "contact_stream_corrections_total"):
                total[key] += rose - fell
    return {key: amount for key, amount in total.items() if amount}


def different(found: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> dict[Any, tuple[Any, Any]]:
    """Where two answers differ: found and wanted, a few of them."""
    keys = [key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)]
    return {key: (found.get(key), wanted.get(key)) for key in sorted(keys, key=str)[:5]}
