"""One shard and its owners, on the in-memory twin and on Kafka: the same sentences are true of both."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from stream.core.trouble import Trouble
from stream.worker.producer import Fenced
from tests.faults.counting import CountingShard
from tests.worker.houses import KEY, MemoryReader, Owner, check_equal, wanted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from stream.core.engine.batch import Record
    from stream.worker.ports import ChangesLike, Writer
    from tests.faults.counting import CountedChanges
    from tests.worker.houses import House


async def owned(house: House, source: MemoryReader, shard: CountingShard | None = None) -> Owner:
    """Take the shard as a new owner does and let it run."""
    shard = shard or CountingShard(*KEY)
    owner = Owner(house, source, shard, await house.load(shard))
    await owner.start()
    return owner


async def test_everything_is_counted_once(house: House, source: MemoryReader) -> None:
    """Records of several topics, with gaps in their offsets."""
    source.write("calls", 1_000)
    source.write("chats", 400)
    source.write("emails", 30, value=b"!poison")
    owner = await owned(house, source)
    await owner.until_read()
    await owner.stop()
    check_equal(await house.stored(), wanted(source))


async def test_a_successor_goes_on_where_the_shard_stood(house: House, source: MemoryReader) -> None:
    """Positions come from the changelog, not from the group."""
    source.write("calls", 300)
    first = await owned(house, source)
    await first.until_read()
    await first.stop()
    source.write("calls", 300)
    second = await owned(house, source)
    await second.until_read()
    await second.stop()
    assert second.facts.counted["records"] == 300
    check_equal(await house.stored(), wanted(source))


async def test_a_chunk_that_vanished_is_read_again(house: House, source: MemoryReader) -> None:
    """Faust clears its queues; the interval rule finds the hole by the chunk that comes next."""
    source.write("calls", 500)
    source.lose_next = True
    owner = await owned(house, source)
    await owner.until_read()
    await owner.stop()
    assert owner.facts.counted["holes"] >= 1
    check_equal(await house.stored(), wanted(source))


async def test_a_last_chunk_that_vanished_is_missed(
    house: House, source: MemoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing comes after it to show the hole, yet it is read again."""
    monkeypatch.setattr("stream.worker.shards._MISSING_SECONDS", 0.1)
    source.write("calls", 10)
    source.lose_next = True
    owner = await owned(house, source)
    await owner.until_read()
    await owner.stop()
    check_equal(await house.stored(), wanted(source))


async def test_retention_that_overtook_is_loud(
    house: House, source: MemoryReader, caplog: pytest.LogCaptureFixture
) -> None:
    """Deleted records are counted and said, and the shard goes on with what is left."""
    source.write("calls", 200)
    owner = await owned(house, source)
    await owner.until_read()
    stood = owner.task.following["calls"]
    source.write("calls", 200)
    await owner.end_feed()
    source.starts["calls"] = stood + 50
    source.log["calls"] = [each for each in source.log["calls"] if each.offset >= stood + 50]
    source.positions["calls"] = stood + 50
    source.reading.sought("calls", 0, stood + 50)
    feeding = asyncio.create_task(source.feed(owner.task))
    with caplog.at_level(logging.ERROR):
        await owner.until_read()
    feeding.cancel()
    await owner.stop()
    assert owner.facts.counted["lost"] == 50
    assert "records were deleted before they were read" in caplog.text


async def test_a_topic_made_again_is_refused(house: House, source: MemoryReader) -> None:
    """What was counted cannot be taken back, so the worker does not go on with other records under old offsets."""
    source.write("calls", 200)
    owner = await owned(house, source)
    await owner.until_read()
    await owner.stop()
    remade = MemoryReader()
    remade.write("calls", 20)
    again = await owned(house, remade)
    remade.reading.sought("calls", 0, 0)
    remade.positions["calls"] = again.task.following["calls"] + 1
    remade.reading.sought("calls", 0, again.task.following["calls"] + 1)
    remade.log["calls"].append(remade.log["calls"][0]._replace(offset=again.task.following["calls"] + 2))
    remade.log["calls"], late = remade.log["calls"][:-1], remade.log["calls"][-1:]
    chunk = remade.reading.chunk("calls", 0, late, late[0].offset + 1)
    assert chunk is not None
    again.task.offer(chunk)
    assert again.running is not None
    with pytest.raises(Trouble, match="deleted and created again"):
        await asyncio.wait_for(again.running, 5)
    await again.stop()


async def test_too_large_for_one_batch_is_split(house: House, source: MemoryReader) -> None:
    """Records of 1.5 MB and many of 90 kB at once: every one arrives, once."""
    source.write("calls", 3, value=b"!" + b"x" * 1_500_000)
    source.write("chats", 60, value=b"!" + b"y" * 90_000)
    owner = await owned(house, source)
    await owner.until_read()
    await owner.stop()
    check_equal(await house.stored(), wanted(source))


async def test_a_full_shard_is_not_fed(house: House, source: MemoryReader) -> None:
    """Memory is bounded by what may wait, not by what the log holds."""
    source.write("calls", 20_000)
    shard = CountingShard(*KEY)
    owner = Owner(house, source, shard, await house.load(shard))
    await source.seek({("calls", 0): 0})
    feeding = asyncio.create_task(source.feed(owner.task))
    async with asyncio.timeout(60):
        while not owner.task.full:  # noqa: ASYNC110  nobody says when it is
            await asyncio.sleep(0)
    feeding.cancel()
    assert owner.task.waiting <= house.settings.limits.waiting_records + 120
    await owner.stop()


class TickingShard(CountingShard):
    """Has something to do without records, once."""

    ticks = 0

    def due(self, now: int) -> bool:
        """Until it was asked twice."""
        return now > 0 and self.ticks < 2

    def apply(
        self, records: Sequence[Record], positions: Mapping[str, int], now: int, idle: Collection[str] = ()
    ) -> CountedChanges:
        """Count, and write a row at each tick."""
        changes = super().apply(records, positions, now, idle)
        if not records:
            self.ticks += 1
            changes.changelog.append((b"tick", b"%d" % self.ticks))
        return changes


async def test_a_due_shard_ticks_and_hears_who_is_idle(house: House, source: MemoryReader) -> None:
    """Sources read to their end and silent are named; a tick is a transaction like any other."""
    source.write("calls", 5)
    shard = TickingShard(*KEY)
    owner = await owned(house, source, shard)
    await owner.until_read()
    await asyncio.sleep(0.2)
    source.silent = True
    shard.ticks = 0
    async with asyncio.timeout(5):
        while shard.ticks < 2:  # noqa: ASYNC110  the shard knows no event loop
            await asyncio.sleep(0.01)
    await owner.stop()
    assert shard.idle_seen == {"calls", "chats", "emails", "agents"}
    assert (await house.stored()).counts[0, b"tick"] == 2


POINTS = ("before_begin", "before_send", "before_commit", "after_commit")


class Gate:
    """A writer that stops at one point of its second batch until it is let go."""

    def __init__(self, writer: Writer, point: str) -> None:
        self._writer = writer
        self._point = point
        self._batches = 0
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def _pass(self, point: str) -> None:
        if point == self._point and self._batches == 2:
            self.reached.set()
            await self.go_on.wait()

    async def begin(self) -> None:
        """Stop before it or not."""
        self._batches += 1
        await self._pass("before_begin")
        await self._writer.begin()

    async def send(self, changes: ChangesLike) -> None:
        """Stop before it or not."""
        await self._pass("before_send")
        await self._writer.send(changes)

    async def commit(self) -> None:
        """Stop before or after it, or not."""
        await self._pass("before_commit")
        await self._writer.commit()
        await self._pass("after_commit")

    async def close(self) -> None:
        """Close the real one."""
        await self._writer.close()


@pytest.mark.parametrize("point", POINTS)
async def test_a_zombie_frozen_inside_a_batch(house: House, source: MemoryReader, point: str) -> None:
    """Whatever point it froze at, its successor is exact, and the woken zombie is fenced and changes nothing."""
    source.write("calls", 900)
    shard = CountingShard(*KEY)
    gate = Gate(await house.load(shard), point)
    zombie = Owner(house, source, shard, gate)
    await zombie.start()
    await asyncio.wait_for(gate.reached.wait(), 10)
    await zombie.end_feed()
    successor = await owned(house, source)
    await successor.until_read()
    source.write("calls", 100)
    zombie.task.offer(source.everything("calls"))
    gate.go_on.set()
    assert zombie.running is not None
    with pytest.raises(Fenced):
        await asyncio.wait_for(zombie.running, 10)
    await successor.until_read()
    await zombie.stop()
    await successor.stop()
    check_equal(await house.stored(), wanted(source))


async def test_a_zombie_woken_before_it_fences(house: House, source: MemoryReader) -> None:
    """It takes the shard from its rightful owner, who is fenced; taken again, everything is still exact."""
    source.write("calls", 600)
    rightful = await owned(house, source)
    await rightful.until_read()
    thief = await house.writer()
    source.write("calls", 200)
    assert rightful.running is not None
    with pytest.raises(Fenced):
        await asyncio.wait_for(rightful.running, 10)
    await rightful.stop()
    again = await owned(house, source)
    await again.until_read()
    await again.stop()
    await thief.close()
    check_equal(await house.stored(), wanted(source))
