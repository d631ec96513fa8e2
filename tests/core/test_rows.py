"""Rows over time: trimmed, inferred, dropped, begun anew; and what a defect costs."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from stream.core.contacts.row import TAIL_EVENTS
from stream.core.contacts.shard import Shard, ShardId
from stream.core.contacts.state import freeze
from stream.core.engine.batch import Record
from stream.core.events import Event, Rejection
from stream.core.figures.series import net_figures
from stream.wire.rows import JsonCodec
from stream.wire.times import format_time
from tests.core.worlds import POLICY, START, record
from tests.vectors.world import MANUAL, World

if TYPE_CHECKING:
    from stream.core.events import Body

HOUR = 3_600_000
DAY = 24 * HOUR


def event(kind: str, at: int, number: int, **fields: object) -> dict[str, Any]:
    """An event of contact m1 (or as ``contact_id`` says) at START + ``at`` ms."""
    own = {"contact_id": "m1", **fields}
    name = f"{own['contact_id']}-{number}"
    return {"event_id": name, "type": kind, "occurred_at": format_time(START + at), "source": "s", **own}


def thread(messages: int, gap: int) -> list[Record]:
    """A long e-mail thread: the customer writes, a person answers, and so on."""
    kinds = ("message.received", "message.sent")
    return [
        record("emails", event(kinds[i % 2], i * gap, i, **({"by": "agent"} if i % 2 else {"queue": "billing"})))
        for i in range(messages)
    ]


def test_a_long_thread_is_trimmed_and_exact() -> None:
    """Events nothing can sort before any more are folded into the prefix; folding on from it equals folding all."""
    records = thread(400, HOUR)
    world = World(POLICY)
    for number, one in enumerate(records):
        world.feed([one], 1)
        if number % 10 == 9:
            world.advance(START + number * HOUR)
            world.reload()
    row = world.shard.row("m1")
    assert row is not None
    assert row.prefix
    assert len(row.tail) <= TAIL_EVENTS + 10
    whole = World(POLICY)
    whole.feed(records, 1000)
    fresh = whole.shard.row("m1")
    assert fresh is not None
    assert [freeze(contact) for contact in row.contacts] == [freeze(contact) for contact in fresh.contacts]


def test_a_row_leaves_after_its_windows_and_its_figures_stay() -> None:
    """At max(end, last event) + K + lateness the row is a tombstone; the counters do not move."""
    world = World(POLICY)
    told = [
        event("queue.entered", 0, 1, contact_id="c1", queue="billing"),
        event("contact.ended", HOUR, 2, contact_id="c1", by="customer"),
    ]
    world.feed([record("calls", one) for one in told], 10)
    figures = net_figures(world.counters)
    leaves = START + HOUR + 7 * DAY + DAY
    world.advance(leaves - 1)
    assert b"c/c1" in world.changelogs[0]
    world.advance(leaves)
    assert b"c/c1" not in world.changelogs[0]
    assert world.shard.rows() == 0
    assert net_figures(world.counters) == figures


def test_cells_leave_when_nothing_can_correct_them() -> None:
    """A cell outlives its last row by no more than a day of event time."""
    world = World(POLICY)
    world.feed([record("calls", event("queue.entered", 0, 1, contact_id="c1", queue="billing"))], 1)
    assert world.shard.book.cells
    world.shard.book.dirty.clear()
    world.advance(START + 4 * HOUR)
    world.shard.book.dirty.clear()
    world.advance(START + 12 * DAY)
    assert not world.shard.book.cells
    assert not [key for key in world.changelogs[0] if key.startswith(b"i/")]


def test_a_long_silence_begins_a_new_contact() -> None:
    """K after its predecessor an event is a new generation, whether the row was dropped or not."""
    first = event("contact.ended", 0, 1, contact_id="c1", by="customer")
    again = event("contact.started", 7 * DAY, 2, contact_id="c1")
    for pause in (0, 9 * DAY):
        world = World(POLICY)
        world.feed([record("calls", first)], 1)
        if pause:
            world.advance(START + pause - 2 * DAY)
        world.feed([record("calls", again)], 1)
        assert world.figures()['contact_arrivals_total{channel="voice",direction="inbound"}'] == 2
    almost = event("contact.started", 7 * DAY - 1, 2, contact_id="c1")
    world = World(POLICY)
    world.feed([record("calls", first), record("calls", almost)], 10)
    assert world.figures()['contact_arrivals_total{channel="voice",direction="inbound"}'] == 1


def test_the_copy_that_sorts_first_counts() -> None:
    """Of copies with different content the first in fold order is kept, whichever came first."""
    early = event("contact.ended", 1_000, 2, contact_id="c1", by="customer")
    late = {**early, "occurred_at": format_time(START + 9_000), "by": "agent"}
    entered = event("queue.entered", 0, 1, contact_id="c1", queue="billing")
    for copies in ([early, late], [late, early]):
        world = World(POLICY)
        for one in (entered, *copies):
            world.feed([record("calls", one)], 1)
        assert world.contact("c1")["visits"][0]["wait_ms"] == 1_000
        assert world.duplicates == 1


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_copy_that_differs_only_in_what_it_says_is_a_duplicate(order: tuple[int, int], size: int) -> None:
    """The one whose words read first counts, whichever came first; the other costs nothing."""
    entered = event("queue.entered", 0, 1, contact_id="c1", queue="billing")
    copies = [record("calls", entered), record("calls", {**entered, "queue": "sales"})]
    world = World(POLICY)
    world.feed([copies[i] for i in order], size)
    assert (world.applied, world.duplicates, world.rejected) == (1, 1, [])
    assert world.contact("c1")["visits"][0]["queue"] == "billing"
    world.reload()
    world.feed([record("calls", event("contact.ended", 5, 2, contact_id="c1", by="customer"))], 1)
    assert world.contact("c1")["visits"][0]["queue"] == "billing"


class _Broken(JsonCodec):
    """A codec whose event of one id cannot be folded: what a defect of the fold looks like from outside."""

    def decode(self, topic: str, key: bytes | None, value: bytes | None) -> Event | Rejection:
        found = super().decode(topic, key, value)
        if not isinstance(found, Rejection) and found[3] == "c1-2":
            return (*found[:5], cast("Body", SimpleNamespace(contact_id="c1")))
        return found


def test_a_defect_costs_its_event_only() -> None:
    """An event that cannot be folded is rejected as a bug, byte for byte; the rest of its contact counts."""
    shard = Shard(ShardId(1, 0), POLICY, _Broken(), MANUAL)
    shard.loaded()
    told = [
        event("contact.started", 0, 1, contact_id="c1"),
        event("queue.entered", 0, 2, contact_id="c1", queue="billing"),
        event("contact.ended", 9, 3, contact_id="c1", by="customer"),
    ]
    shard.apply([record("calls", told[0], 0)], {"calls": 1}, 0)
    batch = [record("calls", one, i + 1) for i, one in enumerate(told[1:])]
    changes = shard.apply(batch, {"calls": 3}, 0)
    assert (changes.applied, changes.rejected) == (1, 1)
    kept = [output for output in changes.outputs if output.topic == "rejected"]
    assert [output.value for output in kept] == [batch[0].value]
    assert dict(kept[0].headers)["x-rejected-reason"] == b"bug"
    row = shard.row("c1")
    assert row is not None
    assert row.contacts[0].ended_by == "customer"


def test_an_unknown_contact_has_no_row() -> None:
    """Asking for a row makes none."""
    world = World(POLICY)
    assert world.shard.row("nobody") is None


def test_a_contact_of_any_length_can_be_stored() -> None:
    """Ten thousand events of one contact inside the lateness: pages, none of them large, and nothing is lost."""
    world = World(POLICY)
    chat = [
        record("chats", event("message.received", i * 1_000 if i % 7 else 500, i, contact_id="h1", customer="x" * 128))
        for i in range(10_000)
    ]
    for start in range(0, len(chat), 500):
        world.feed(chat[start : start + 500], 500)
        if start % 2_000 == 0:
            world.reload()
    assert max(map(len, world.changelogs[0].values())) < 100_000
    whole = World(POLICY)
    whole.feed(chat, len(chat))
    for other in (world, whole):
        other.reload()
    row, fresh = world.shard.row("h1"), whole.shard.row("h1")
    assert row is not None
    assert fresh is not None
    assert [one[:5] for one in row.tail] == [one[:5] for one in fresh.tail]
    assert len(row.tail) == len(chat)
    world.advance(START + 5 * DAY)
    assert [key for key in world.changelogs[0] if key[:2] in (b"t/", b"c/")] == [b"c/h1"]
    world.advance(START + 30 * DAY)
    assert not [key for key in world.changelogs[0] if key[:2] in (b"t/", b"c/")]
