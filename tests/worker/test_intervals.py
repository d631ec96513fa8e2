"""The interval rule, without a broker: any loss, repetition and delay on the way gives every record once."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.engine.batch import Record
from stream.worker.inbox import Inbox
from stream.worker.intervals import Chunk, Reading, Ruling, close_hole, cut, fresh, judge
from stream.worker.settings import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMITS = Limits(chunk_records=3, batch_records=7, batch_bytes=1_000)


def records(*offsets: int, value: bytes = b"") -> list[Record]:
    """Records of `calls` at these offsets."""
    return [Record("calls", offset, None, b"", value, ()) for offset in offsets]


def chunk(start: int, end: int, *offsets: int, epoch: int = 1) -> Chunk:
    """A chunk of `calls` partition 0."""
    return Chunk("calls", 0, start, end, epoch, records(*offsets))


@pytest.mark.parametrize(
    ("start", "end", "current", "ruling"),
    [
        (3, 7, True, Ruling.DUPLICATE),
        (3, 7, False, Ruling.DUPLICATE),
        (5, 9, True, Ruling.APPLY),
        (7, 8, False, Ruling.APPLY),
        (8, 9, True, Ruling.HOLE),
        (8, 9, False, Ruling.STALE),
    ],
)
def test_judge(start: int, end: int, current: bool, ruling: Ruling) -> None:
    """A chunk in front of a shard that applies 7 next."""
    assert judge(start, end, 7, current=current) is ruling


def test_close_hole() -> None:
    """What the log still holds is read again; what it does not hold is counted as lost."""
    assert close_hole(7, 0) == (7, 0)
    assert close_hole(7, 12) == (12, 5)


def test_a_drain_without_records_hands_its_start_on() -> None:
    """Control records and aborted batches move the position without giving records."""
    reading = Reading()
    reading.sought("calls", 0, 4)
    assert reading.chunk("calls", 0, [], 6) is None
    assert reading.chunk("calls", 0, records(6, 7), 9) == Chunk("calls", 0, 4, 9, 1, records(6, 7))
    assert reading.end("calls", 0) == 9


def test_nothing_is_said_about_a_partition_before_its_seek() -> None:
    """After a rebalance the position is the group's, which is only advice."""
    reading = Reading()
    assert reading.chunk("calls", 0, records(6), 7) is None
    reading.sought("calls", 0, 6)
    reading.forget()
    assert not reading.open("calls", 0)
    assert reading.chunk("calls", 0, records(6), 7) is None
    assert reading.epoch("calls", 0) == 1


def test_cut_covers_the_same_positions() -> None:
    """The pieces of a chunk follow each other without a gap, and the last one keeps the chunk's end."""
    pieces = cut(chunk(2, 20, 3, 4, 8, 9, 15, 16, 17), 3)
    assert [(piece.start, piece.end, len(piece.records)) for piece in pieces] == [(2, 9, 3), (9, 17, 3), (17, 20, 1)]


def test_a_batch_is_bounded() -> None:
    """No batch holds more records or bytes than it may, and what does not fit stays."""
    inbox = Inbox(LIMITS)
    for start in range(0, 12, 3):
        inbox.put(chunk(start, start + 3, *range(start, start + 3)))
    batch = inbox.gather({"calls": 0}, lambda _topic: 1)
    assert (len(batch.records), batch.positions, len(inbox)) == (6, {"calls": 6}, 2)
    inbox = Inbox(LIMITS)
    inbox.put(Chunk("calls", 0, 0, 3, 1, records(0, 1, 2, value=b"x" * 900)))
    sizes = []
    following = {"calls": 0}
    while len(inbox):
        batch = inbox.gather(following, lambda _topic: 1)
        following |= batch.positions
        sizes.append(len(batch.records))
    assert sizes == [1, 1, 1]
    assert following == {"calls": 3}


def test_a_hole_ends_the_batch() -> None:
    """What came before the hole is stored; what lies beyond it is read again."""
    inbox = Inbox(LIMITS)
    inbox.put(chunk(0, 2, 0, 1))
    inbox.put(chunk(4, 6, 4, 5))
    batch = inbox.gather({"calls": 0}, lambda _topic: 1)
    assert (batch.positions, batch.hole, len(inbox)) == ({"calls": 2}, ("calls", 4), 0)
    assert inbox.records == 0


def believe_everything(start: int, end: int, following: int, *, current: bool) -> Ruling:
    """What Faust does: whatever comes next is next."""
    assert start <= end
    return Ruling.DUPLICATE if end <= following and current else Ruling.APPLY


class World:
    """A log with holes in its offsets, a consumer that reads it, and a way on which chunks vanish or come late."""

    def __init__(self, offsets: Sequence[int], chance: random.Random, rule: Callable[..., Ruling] = judge) -> None:
        self.log = offsets
        self.end = offsets[-1] + 2 if offsets else 1
        self.chance = chance
        self.reading = Reading()
        self.position = 0
        self.way: list[Chunk] = []
        self.inbox = Inbox(LIMITS, rule)
        self.following = {"calls": 0}
        self.applied: list[int] = []
        self.seek()

    def seek(self) -> None:
        """Read on where the shard stands."""
        self.position = self.following["calls"]
        self.reading.sought("calls", 0, self.position)

    def drain(self) -> None:
        """Fetch a few records, perhaps none although the position moves."""
        until = min(self.end, self.position + self.chance.randrange(1, 6))
        found = records(*(each for each in self.log if self.position <= each < until))
        self.position = until
        made = self.reading.chunk("calls", 0, found, until)
        if made is not None:
            self.way.extend(cut(made, LIMITS.chunk_records))

    def deliver(self) -> None:
        """Hand the oldest chunk on the way to the shard."""
        if self.way:
            self.inbox.put(self.way.pop(0))

    def clear(self) -> None:
        """Lose everything on the way, as Faust's queues do when flow resumes."""
        self.way.clear()

    def rebalance(self) -> None:
        """Seek, as after a new assignment; chunks from before are still on their way."""
        self.reading.forget()
        self.drain()
        self.seek()

    def store(self) -> None:
        """Apply one batch."""
        batch = self.inbox.gather(self.following, lambda topic: self.reading.epoch(topic, 0))
        self.applied += [record.offset for record in batch.records]
        self.following |= batch.positions
        if batch.hole:
            self.seek()

    def run(self, steps: int) -> None:
        """Do things at random, then let everything arrive."""
        actions = (self.drain, self.drain, self.deliver, self.deliver, self.store, self.clear, self.rebalance)
        for _ in range(steps):
            self.chance.choice(actions)()
        for _ in range(3 * self.end + 50):
            self.drain()
            while self.way:
                self.deliver()
            while len(self.inbox):
                self.store()
            if self.position == self.end and (self.reading.end("calls", 0) or 0) > self.following["calls"]:
                self.seek()


logs = st.sets(st.integers(0, 60), min_size=1, max_size=50).map(sorted)


@given(logs, st.integers(0, 1 << 30))
def test_every_record_once_whatever_happens_on_the_way(offsets: list[int], seed: int) -> None:
    """Lost, late and repeated chunks, seeks and rebalances: each record of the log is applied once, in order."""
    world = World(offsets, random.Random(seed))  # noqa: S311  a seeded test, no secret
    world.run(120)
    assert world.applied == offsets


def test_without_the_rule_records_are_lost() -> None:
    """The same worlds without the rule lose records: so the test above can fail."""
    lost = 0
    for seed in range(30):
        world = World(range(40), random.Random(seed), believe_everything)  # noqa: S311  a seeded test, no secret
        world.run(120)
        lost += len(set(range(40)) - set(world.applied))
    assert lost > 0


@given(st.lists(st.integers(0, 30), unique=True).map(sorted), st.integers(0, 31))
def test_fresh(offsets: list[int], following: int) -> None:
    """Only records from `following` on are left, in order."""
    left = fresh(chunk(0, 31, *offsets), following)
    assert [record.offset for record in left] == [offset for offset in offsets if offset >= following]
