"""Agents in a recording and in topics: figures, gauges, and the spells behind every cell."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from stream.core.figures.series import series_of
from stream.core.policy import DAY_MS, HOUR_MS
from stream.replay.behind import about_cell
from stream.replay.counted import parse_cell
from stream.replay.gather import Gathering
from stream.replay.recorded import from_recording, look_for_cell
from stream.replay.run import replay
from stream.wire.times import format_time
from tests.core.recount_staff import doing, spent_ms
from tests.core.staff_worlds import LISTED, SECONDS, policy_of, status
from tests.core.worlds import START, record
from tests.replay.centre import Centre

if TYPE_CHECKING:
    from stream.replay.counted import Cell

POLICY = policy_of(LISTED)
END = START + 60 * DAY_MS
WORDS = ("available", "busy", "wrapup", "break", "offline")


def told() -> list[dict[str, Any]]:
    """Three agents through five days, a word every twenty minutes, and a fortnight later another."""
    found = [
        status(n * HOUR_MS // 3, n, agent=("anna", "ben", "dora")[n % 3], status=WORDS[n * n % 5], queues=["billing"])
        for n in range(360)
    ]
    return [*found, status(20 * DAY_MS, 999, status="busy", team="night"), status(20 * DAY_MS + 5_000, 1_000)]


def nothing(_read: int, _at: int) -> None:
    """No progress is shown."""


def lived() -> Centre:
    """The same through two shards, some of it late by up to the lateness, one too late."""
    centre = Centre(POLICY)
    late = status(-3 * DAY_MS, 2_000, agent="ben")
    events = told()
    centre.feed([record("agents", one) for one in events[::2]])
    centre.advance(START + HOUR_MS)
    centre.feed([record("agents", one) for one in (*events[1::2], late)])
    centre.publish()
    return centre


def test_a_replay_counts_agents() -> None:
    """R27: seconds and who does what now, whatever has been silent since; those who left are gone."""
    records = [record("agents", one) for one in told()]
    found = replay(records, POLICY, None, nothing)
    seconds = {series_of(key): amount for key, amount in spent_ms(told(), LISTED).items()}
    shown = {name: value for name, value in found.net.items() if name.startswith(SECONDS)}
    assert shown == {name: ms // 1000 if ms % 1000 == 0 else ms / 1000 for name, ms in seconds.items()}
    gauges = {series_of(key): count for key, count in doing(told(), LISTED).items()}
    assert {name: found.net[name] for name in gauges} == gauges
    later = replay(records, POLICY, END, nothing).net
    assert {name: value for name, value in later.items() if name.startswith(SECONDS)} == shown
    assert not [name for name in later if name.startswith(("contact_agents", "contact_queue_agents"))]


def test_the_spells_of_a_recording_add_up() -> None:
    """R54: all of them are the net figures, and those that ended in a cell are the cell."""
    known = from_recording([record("agents", one) for one in told()], POLICY, END, nothing)
    total: dict[Any, int] = defaultdict(int)
    for _, _, worth in known.spells():
        for (figure, _, _), amount in worth.items():
            total[figure.key] += amount
    assert total == spent_ms(told(), LISTED)
    cells = [cell_of(key) for key in known.stages.contacts.book.cells]
    assert len(cells) > 100
    for cell in cells[::10]:
        look_for_cell(known, cell)
        check_adds_up(about_cell(known, cell, None))


def cell_of(key: tuple[Any, ...]) -> Cell:
    """A cell by its key in the state."""
    return parse_cell(",".join([format_time(key[0] * 900_000), *key[1:]]))


def check_adds_up(answer: dict[str, Any] | None) -> None:
    """Agents stand behind it, and they add up to it."""
    assert answer is not None
    assert answer["adds_up"], answer
    assert {who["what"] for one in answer["figures"] for who in one["who"]} == {"agent"}


def test_the_spells_in_topics_add_up() -> None:
    """R54: by the key of a shard's cell and by its place, from the topics alone; what was too late stays out."""
    centre = lived()
    assert {key: net for key, net in centre.counters.items() if key[0] in SECONDS} == spent_ms(told(), LISTED)
    keys = sorted({(one.key or b"").decode() for one in centre.read(("intervals",))})
    assert len({key.split("/")[1] for key in keys}) == centre.partitions
    for key in keys[::10]:
        for name in (key, ",".join([format_time(int(key.split("/")[2])), *key.split("/")[3:]])):
            cell = parse_cell(name)
            check_adds_up(about_cell(Gathering(centre, POLICY).cell(cell, None), cell, None))
            check_adds_up(about_cell(Gathering(centre, POLICY).cell(cell, SECONDS[0]), cell, SECONDS[0]))


@pytest.mark.parametrize("figure", [None, SECONDS[0]])
def test_gone_statuses_are_a_difference(figure: str | None) -> None:
    """What the topic no longer holds is said with its amount, never passed over."""
    centre = lived()
    key = next((one.key or b"").decode() for one in centre.read(("intervals",)))
    centre.topics.pop("agents")
    answer = about_cell(Gathering(centre, POLICY).cell(parse_cell(key), figure), parse_cell(key), figure)
    assert answer is not None
    assert not answer["adds_up"]
    assert all(one["difference"] == one["cell"] and not one["who"] for one in answer["figures"])
