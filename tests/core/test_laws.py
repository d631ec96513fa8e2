"""The laws of the engine, for any history (6-craft 6.5)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from stream.core.contacts.contact import Contact
from stream.core.contacts.state import freeze, thaw
from stream.core.engine.watermark import Watermark
from tests.core.worlds import POLICY, START, histories
from tests.vectors.world import World

if TYPE_CHECKING:
    from stream.core.engine.batch import Record
    from stream.core.figures.figures import Contributions

DAY = 86_400_000
SEEDS = st.integers(0, 2**32)


def played(records: list[Record], size: int = 10_000, *, reload: bool = False) -> World:
    """A world that has been fed ``records`` in batches of ``size``."""
    world = World(POLICY)
    for start in range(0, len(records), size):
        world.feed(records[start : start + size], size)
        if reload:
            world.reload()
    return world


def known(world: World) -> dict[str, Any]:
    """Everything a world says, but how often records were repeated and figures corrected on the way."""
    path = ("contact_stream_records", "contact_stream_corrections")
    figures = {name: value for name, value in world.figures().items() if not name.startswith(path)}
    rows = {name: world.shard.row(name) for name in ("c1", "h1", "m1")}
    contacts = {name: [freeze(contact) for contact in row.contacts] for name, row in rows.items() if row is not None}
    return {"figures": figures, "contacts": contacts, "cells": cells(world)}


def cells(world: World) -> dict[Any, dict[Any, int]]:
    """Every nonzero count of every interval cell."""
    found = {
        key: {figure.key: amount for figure, amount in cell.counts.items() if amount}
        for key, cell in world.shard.book.cells.items()
    }
    return {key: counts for key, counts in found.items() if counts}


def mixed(records: list[Record], seed: int) -> list[Record]:
    """Another order, with some records repeated."""
    dice = random.Random(seed)  # noqa: S311  a seed, not a secret
    again = records + [record for record in records if dice.random() < 0.4]
    dice.shuffle(again)
    return again


@given(histories(), SEEDS)
def test_any_order_and_any_repetition_gives_the_same(records: list[Record], seed: int) -> None:
    """R37: a contact is a function of the set of its events, so what comes twice arrives once."""
    assert known(played(mixed(records, seed), 1)) == known(played(records))


@given(histories(), SEEDS, st.integers(1, 5))
def test_a_cut_anywhere_equals_no_cut(records: list[Record], seed: int, size: int) -> None:
    """Stored and loaded again after every batch, the shard is the same."""
    order = mixed(records, seed)
    assert known(played(order, size, reload=True)) == known(played(order, size))


@given(histories(), SEEDS, st.lists(st.integers(0, 20), max_size=4))
def test_counters_are_the_sum_of_contributions(records: list[Record], seed: int, moves: list[int]) -> None:
    """R54: at every moment, whatever was inferred, net = what all rows are worth, and no visit is unaccounted for."""
    world = World(POLICY)
    order = mixed(records, seed)
    advance = sorted(moves)
    for number, record in enumerate(order):
        world.feed([record], 1)
        if number < len(advance):
            world.advance(START + advance[number] * 3_600_000)
        assert worth(world) == {key: net for key, net in counted(world).items() if net}
        assert not any(world.shard.view.unaccounted.values())


def worth(world: World) -> dict[Any, int]:
    """The contributions of all rows, from scratch."""
    total: dict[Any, int] = {}
    for name in ("c1", "h1", "m1"):
        row = world.shard.row(name)
        if row is None:
            continue
        row.fold(POLICY)
        own: Contributions = row.book(world.shard.figures, row.known_at)
        for (figure, _, _), amount in own.items():
            total[figure.key] = total.get(figure.key, 0) + amount
    return {key: amount for key, amount in total.items() if amount}


def counted(world: World) -> dict[Any, int]:
    """Net counters that contacts contribute to."""
    program = ("contact_stream_records_total", "contact_stream_corrections_total", "contact_stream_rejected_total")
    counters = world.shard.view.counters.items()
    return {key: total - fell for key, (total, fell) in counters if key[0] not in program}


@given(histories())
def test_a_folded_contact_can_be_stored(records: list[Record]) -> None:
    """Freeze and thaw give the same contact, which folds on in the same way."""
    world = played(records)
    for name in ("c1", "h1", "m1"):
        row = world.shard.row(name)
        for contact in [] if row is None else row.contacts:
            again = thaw(Contact, freeze(contact))
            assert freeze(again) == freeze(contact)
            for event in row.tail if row is not None else ():
                later = (event[0] + DAY, *event[1:])
                again.apply(later)
                contact.apply(later)
            assert freeze(again) == freeze(contact)


@given(st.lists(st.tuples(st.sampled_from(("calls", "chats")), st.integers(0, 1_000_000)), max_size=60))
def test_the_watermark_never_falls(told: list[tuple[str, int]]) -> None:
    """It is the least of what each source has reached, less the disorder, and there is none before all have spoken."""
    clock, seen = Watermark(("calls", "chats"), 60_000), dict[str, int]()
    before = None
    for source, at in told:
        clock.observe(source, at)
        seen[source] = max(at, seen.get(source, at))
        if len(seen) < 2:
            assert clock.value is None
        else:
            assert clock.value == min(seen.values()) - 60_000
            assert before is None or clock.value >= before
        before = clock.value
