"""Agents over time: corrections, silence, what is kept out, what a defect costs, and what is shown of them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from stream.core.contacts.shard import Shard, ShardId
from stream.core.engine.batch import Record
from stream.core.events import Rejection
from stream.core.figures.families import SERVICE
from stream.core.figures.series import series_of
from stream.core.policy import DAY_MS, HOUR_MS
from stream.wire.rows import JsonCodec
from tests.core.staff_worlds import LISTED, NOBODY, SECONDS, known, net, policy_of, shown, status
from tests.core.worlds import START, record
from tests.vectors.world import MANUAL, World

if TYPE_CHECKING:
    from stream.core.events import Body, Event

TEAM = SECONDS[0]
Counts = dict[bytes | None, Any]


def lived(world: World, *told: dict[str, Any]) -> World:
    """A world that was told these statuses one by one."""
    world.feed([record("agents", one) for one in told], 1)
    return world


def rows(world: World) -> list[bytes]:
    """The keys of what is stored of agents."""
    return [key for key in world.changelogs[0] if key.startswith(b"a/")]


def test_a_late_status_that_splits_a_spell_is_a_correction() -> None:
    """R27, R54: what the longer spell counted too much is taken back; the record says of whom and because of what."""
    world = World(policy_of(NOBODY))
    lived(world, status(0, 0, team="night"), status(HOUR_MS, 1, status="offline", team="night"))
    available, wrapup = ((TEAM, "night", words) for words in ("available", "wrapup"))
    assert world.shard.view.counters[available] == (HOUR_MS, 0)
    world.advance(START + 20 * HOUR_MS)
    lived(world, status(HOUR_MS // 4, 2, status="wrapup", team="night"))
    assert world.shard.view.counters[available] == (HOUR_MS, 3 * HOUR_MS // 4)
    assert world.shard.view.counters[wrapup] == (3 * HOUR_MS // 4, 0)
    [said] = world.corrections
    assert (said["cell"], said["agent"], said["cause"]) == (series_of(available), "anna", "e2")
    assert (said["old"], said["new"]) == (HOUR_MS, HOUR_MS // 4)
    assert world.cell(START + HOUR_MS // 4, "outcome") == {series_of(available): 900}
    assert world.cell(START + HOUR_MS, "outcome") == {series_of(wrapup): 2700}


def test_a_status_that_is_too_late_changes_nothing() -> None:
    """It is rejected and counted, as with contacts; one at the very edge of the lateness counts."""
    world = lived(World(policy_of(NOBODY)), *(status(n * HOUR_MS, n) for n in range(3)))
    world.advance(START + DAY_MS + HOUR_MS)
    before = known(world)
    lived(world, status(HOUR_MS - 1, 3, status="busy"))
    assert [one["reason"] for one in world.rejected] == ["late"]
    assert known(world) == before
    lived(world, status(HOUR_MS, 4, status="busy"))
    assert net(world, TEAM) == {(TEAM, "none", "available"): HOUR_MS, (TEAM, "none", "busy"): HOUR_MS}


def test_agents_never_move_the_watermark() -> None:
    """Neither a status nor a heartbeat of their topic does; late is what is late by the contacts' time."""
    shard = Shard(ShardId(1, 0), policy_of(NOBODY), JsonCodec())
    shard.loaded()
    beat = {"event_id": "h", "type": "source.heartbeat", "occurred_at": status(0, 0)["occurred_at"], "source": "acd"}
    ahead = record("agents", status(9 * DAY_MS, 1))
    beats = [record(topic, beat) for topic in ("calls", "chats", "emails")]
    batches = [record("agents", status(0, 0)), record("agents", beat)], beats, [ahead]
    marks = [shard.apply(batch, {}, 1).watermark for batch in batches]
    assert marks == [None, START - 60_000, START - 60_000]
    old = [record("agents", status(at, 2)) for at in (-DAY_MS - 60_001, -DAY_MS - 60_000)]
    changes = shard.apply(old, {"agents": 5}, 1)
    assert (changes.applied, changes.rejected) == (1, 1)
    idle = shard.apply((), {}, START + DAY_MS, ("agents",))
    assert idle.watermark == START - 60_000


def test_statuses_read_behind_the_contacts_are_not_late() -> None:
    """R27: in whatever turns a backlog of topics is read, the same statuses count, in figures and in cells."""
    hours = range(12 * 24)
    said = [[record("agents", status(n * HOUR_MS, n, status=("busy", "offline")[n % 2]))] for n in hours]
    said.append([record("agents", beat(hours.stop))])
    beats = [[record(topic, beat(n)) for topic in ("calls", "chats", "emails")] for n in range(hours.stop + 1)]
    together = read_in_turns([[*one, *other] for one, other in zip(beats, said, strict=True)])
    assert together[0] == {"busy": 144 * HOUR_MS, "offline": 143 * HOUR_MS}
    assert len(together[1]) == hours.stop - 1
    assert read_in_turns([*beats, *said]) == together
    assert read_in_turns([*beats, *said], reload=True) == together
    assert read_in_turns([*said, *beats], reload=True) == together


def beat(hour: int) -> dict[str, Any]:
    """A heartbeat so many hours after the start."""
    at = status(hour * HOUR_MS, 0)["occurred_at"]
    return {"event_id": f"h{hour}", "type": "source.heartbeat", "occurred_at": at, "source": "acd"}


def read_in_turns(batches: list[list[Record]], *, reload: bool = False) -> tuple[dict[str, int], Counts]:
    """What a shard that reads these batches says: ms by status, and the newest counts of every cell."""
    policy, codec, changelog, cells = policy_of(NOBODY), JsonCodec(), cast("dict[bytes, bytes]", {}), cast("Counts", {})
    shard = Shard(ShardId(1, 0), policy, codec)
    shard.loaded()
    for number, batch in enumerate([*batches, []]):
        changes = shard.apply(batch, {}, 2_000 * (number + 1))
        assert changes.rejected == 0
        shard.publish(changes)
        for key, value in changes.changelog:
            changelog.pop(key, None) if value is None else changelog.update({key: value})
        cells.update((one.key, json.loads(one.value or b"")) for one in changes.outputs if one.topic == "intervals")
        if reload and number % 40 == 0:
            shard = Shard(ShardId(1, 0), policy, codec)
            for key, value in changelog.items():
                shard.load(key, value)
            shard.loaded()
    total = {str(key[2]): rose - fell for key, (rose, fell) in shard.view.counters.items() if key[0] == TEAM}
    return total, {key: value["counts"] for key, value in cells.items()}


def test_an_agent_leaves_after_a_week_and_the_lateness_of_silence() -> None:
    """R27: tombstones for all that is stored, no gauge any more, and its seconds stay."""
    world = lived(World(policy_of(LISTED)), *(status(n * HOUR_MS, n, queues=["billing"]) for n in range(3)))
    figures = net(world, *SECONDS)
    assert len(rows(world)) == 3
    leaves = START + 2 * HOUR_MS + 8 * DAY_MS
    world.advance(leaves - 1)
    assert len(rows(world)) == 1
    assert shown(world)["contact_agents", "first-line", "available", "none"] == 1
    world.advance(leaves)
    assert rows(world) == []
    assert shown(world) == {}
    assert world.shard.rows() == 0
    assert net(world, *SECONDS) == figures
    world.reload()
    assert shown(world) == {}


@pytest.mark.parametrize("pause", [0, 9 * DAY_MS])
def test_a_week_of_silence_counts_for_nothing(pause: int) -> None:
    """Nobody knows when such a spell ended, whether the agent had left the state or not; a shorter one counts."""
    world = lived(World(policy_of(NOBODY)), status(0, 0))
    if pause:
        world.advance(START + pause - DAY_MS)
    lived(world, status(7 * DAY_MS, 1), status(14 * DAY_MS - 1, 2))
    assert net(world, TEAM) == {(TEAM, "none", "available"): 7 * DAY_MS - 1}


def test_a_copy_is_found_while_its_first_may_still_move() -> None:
    """Of copies that differ the one first in fold order counts; after the lateness the name is free again."""
    world = lived(World(policy_of(NOBODY)), status(HOUR_MS, 0), status(2 * HOUR_MS, 1))
    lived(world, status(HOUR_MS, 0, status="offline"), status(0, 1, status="busy"))
    assert world.duplicates == 2
    assert net(world, TEAM) == {(TEAM, "none", "busy"): HOUR_MS}
    assert shown(world) == {("contact_agents", "none", "available", "none"): 1}
    assert len(rows(world)) == 2
    world.advance(START + 2 * DAY_MS)
    lived(world, status(2 * DAY_MS, 0))
    assert world.duplicates == 2
    assert net(world, TEAM)[TEAM, "none", "available"] == 2 * DAY_MS - HOUR_MS
    world.reload()
    assert len(rows(world)) == len(world.shard.staff.agents["anna"].told)


def test_who_does_what_now() -> None:
    """R27: by team, status and reason, and in every queue served, where each status of it is shown, also at 0."""
    world = World(policy_of(NOBODY))
    told = [
        status(0, 0, team="night", queues=["billing", "sales", "billing"]),
        status(1, 1, agent="ben", status="break", reason="lunch", queues=["billing"]),
        status(2, 2, agent="cleo", status="break", reason="smoke", team="day", queues=["x", "y"]),
        status(3, 3, agent="dora", status="offline", team="night"),
    ]
    lived(world, *told)
    agents = {key[1:]: count for key, count in shown(world).items() if key[0] == "contact_agents"}
    assert agents == {
        ("night", "available", "none"): 1,
        ("none", "break", "lunch"): 1,
        ("other", "break", "other"): 1,
        ("night", "offline", "none"): 1,
    }
    queues = {key[1:]: count for key, count in shown(world).items() if key[0] == "contact_queue_agents"}
    assert {key: count for key, count in queues.items() if count} == {
        ("billing", "available"): 1,
        ("billing", "break"): 1,
        ("sales", "available"): 1,
        ("other", "break"): 1,
    }
    assert len(queues) == 3 * 5
    world.reload()
    assert len(shown(world)) == 4 + 3 * 5
    lived(world, status(4, 4, status="offline"))
    assert ("contact_queue_agents", "sales", "available") not in shown(world)


def test_an_agent_is_a_label_only_where_the_policy_names_it() -> None:
    """R26, R27: without the list there is no series by agent, with it whoever is not in it is other."""
    told = [status(0, 0), status(9, 1), status(0, 2, agent="ben"), status(5, 3, agent="ben")]
    nobody = lived(World(policy_of(NOBODY)), *told).shard.view.counters
    assert not [key for key in nobody if "agent" in SERVICE[str(key[0])].labels]
    some = net(lived(World(policy_of(LISTED)), *told), *SECONDS)
    assert some == {
        (TEAM, "first-line", "available"): 9,
        (TEAM, "none", "available"): 5,
        (SECONDS[1], "anna", "available"): 9,
        (SECONDS[1], "other", "available"): 5,
    }


def test_poison_is_kept_out_and_said() -> None:
    """Wrong keys, wrong words, no agent, no JSON, another topic: each with its reason, and nothing of it counts."""
    good = status(0, 0)
    value = json.dumps(good).encode()
    bad = [
        (Record("agents", 0, None, b"ben", value, ()), "invalid"),
        (record("agents", status(0, 1, status="asleep")), "invalid"),
        (record("agents", status(0, 2, queues="billing")), "invalid"),
        (Record("agents", 0, None, b"anna", value.replace(b'"agent": "anna", ', b""), ()), "invalid"),
        (Record("agents", 0, None, None, value, ()), "no_key"),
        (Record("agents", 0, None, b"anna", value[:-2], ()), "undecodable"),
        (Record("agents", 0, None, b"anna", None, ()), "undecodable"),
        (Record("agents", 0, START - 300_001, b"anna", value, ()), "future"),
        (Record("calls", 0, None, b"anna", value, ()), "invalid"),
    ]
    world = World(policy_of(NOBODY))
    world.feed([one for one, _ in bad], 100)
    assert [one["reason"] for one in world.rejected] == [reason for _, reason in bad]
    assert (world.applied, world.duplicates, world.shard.rows()) == (0, 0, 0)


class _Broken(JsonCodec):
    """A codec whose event of one id has no status: what a defect looks like from outside."""

    def decode(self, topic: str, key: bytes | None, value: bytes | None) -> Event | Rejection:
        found = super().decode(topic, key, value)
        if not isinstance(found, Rejection) and found[3] == "e1":
            return (*found[:5], cast("Body", SimpleNamespace(agent=found[5].agent)))
        return found


def test_a_defect_costs_its_event_only() -> None:
    """R54: an event that cannot be counted is rejected as a bug, byte for byte; the others of its agent count."""
    shard = Shard(ShardId(1, 0), policy_of(NOBODY), _Broken(), MANUAL)
    shard.loaded()
    shard.publish(shard.apply([record("agents", status(0, 0))], {"agents": 1}, 0))
    batch = [record("agents", status(n * 1000, n), n) for n in (3, 1, 2)]
    changes = shard.apply(batch, {"agents": 4}, 0)
    shard.publish(changes)
    assert (changes.applied, changes.duplicates, changes.rejected) == (2, 0, 1)
    [kept] = [output for output in changes.outputs if output.topic == "rejected"]
    assert kept.value == batch[1].value
    assert dict(kept.headers)["x-rejected-reason"] == b"bug"
    assert shard.view.counters[TEAM, "none", "available"] == (3_000, 0)
    assert len([key for key, _ in changes.changelog if key.startswith(b"a/")]) == 2
    shard.apply([record("agents", status(0, 1, agent="zoe"), 5)], {"agents": 5}, 0)
    assert list(shard.staff.agents) == ["anna"]
