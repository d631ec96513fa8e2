"""The contact shard's agents under the worker's own task, with owners that die in the middle, on the in-memory twin."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING, Any

from stream.core.contacts.shard import Shard
from stream.core.engine.batch import Record, ShardId
from stream.core.policy import HOUR_MS
from stream.wire.rows import JsonCodec
from stream.worker.settings import CONTACTS, WorkerSettings
from tests.core.recount_staff import doing, spent_ms
from tests.core.staff_worlds import LISTED, SECONDS, policy_of, status
from tests.worker.houses import KEY, QUICK, SMALL, MemoryReader, MemoryStore, Owner

if TYPE_CHECKING:
    from stream.core.figures.view import ShardView

OWNERS = 6
EACH = 400  # statuses told while one owner lives


def told(dice: random.Random) -> list[dict[str, Any]]:
    """Statuses of many agents, a tenth of them told again."""
    words = ("available", "busy", "break", "wrapup", "offline")
    found: list[dict[str, Any]] = []
    for number in range(OWNERS * EACH):
        at, agent = dice.randrange(9 * HOUR_MS), f"agent{dice.randrange(40)}" if number % 9 else "anna"
        one = status(at, number, agent=agent, status=dice.choice(words), queues=["billing"])
        found.append(dice.choice(found) if found and dice.random() < 0.1 else one)
    return found


def write(source: MemoryReader, events: list[dict[str, Any]]) -> None:
    """Append events to the topic of agents."""
    log = source.log["agents"]
    for one in events:
        value = json.dumps(one).encode()
        log.append(Record("agents", len(log), None, one["agent"].encode(), value, ()))


def loaded(store: MemoryStore) -> Shard:
    """The shard as a new owner reads it: what was committed, and nothing else."""
    shard = Shard(ShardId(*KEY), policy_of(LISTED), JsonCodec())
    for changes in store.committed:
        for key, value in changes.changelog:
            shard.load(key, value)
    shard.loaded()
    return shard


def seconds(view: ShardView) -> dict[Any, int]:
    """Net seconds of agents, in ms."""
    return {key: rose - fell for key, (rose, fell) in view.counters.items() if key[0] in SECONDS and rose != fell}


async def test_agents_are_exact_though_their_owners_die() -> None:
    """R27: seconds, gauges and counts of records are those of a recount, in every owner's view and in the log."""
    assert "agents" in CONTACTS.sources
    dice = random.Random(7)  # noqa: S311  a seed, not a secret
    events, source = told(dice), MemoryReader()
    store = MemoryStore(WorkerSettings(limits=SMALL, timing=QUICK))
    for number in range(OWNERS):
        write(source, events[number * EACH : (number + 1) * EACH])
        writer = await store.writer()
        owner = Owner(store, source, loaded(store), writer)
        await owner.start()
        assert owner.running is not None
        if number < OWNERS - 1:
            await asyncio.sleep(dice.random() * 0.05)
            owner.running.cancel()
        else:
            await owner.until_read()
        await owner.stop()
    for shard in (owner.shard, loaded(store)):
        assert seconds(shard.view) == spent_ms(events, LISTED)
        gauges = {key: n for key, n in shard.view.gauges(0).items() if not str(key[0]).startswith("contact_stream_")}
        assert gauges == doing(events, LISTED)
        records = {key[2]: n for key, (n, _) in shard.view.counters.items() if key[0] == "contact_stream_records_total"}
        copies = len(events) - len({one["event_id"] for one in events})
        assert records == {"applied": len(events) - copies, "duplicate": copies}
