"""Contacts by hand: what the customer's documents say of arrivals, menus, waits and handling, each in a few events.

Times are seconds since 10:00 on Monday 2 March 2026.
"""

from __future__ import annotations

from typing import Any

import pytest

from stream.core.policies.reader import read_policy
from stream.wire.times import format_time
from tests.core.worlds import START, record
from tests.vectors.world import World

POLICY: dict[str, Any] = {
    "queues": {"billing": {}, "sales": {}},
    "steps": {"menu": ["main", "billing", "support"]},
}
Line = tuple[int, str, dict[str, Any]]
GIVES_UP: Line = (30, "contact.ended", {"by": "customer"})


def world_of() -> World:
    """A centre in which nothing has happened."""
    return World(read_policy(POLICY))


def tell(world: World, contact_id: str, *lines: Line, topic: str = "calls") -> None:
    """Let a contact of a customer of its own say all this."""
    for number, (second, kind, fields) in enumerate(lines):
        at = format_time(START + second * 1_000)
        known = {"contact_id": contact_id, "customer": f"u-{contact_id}", "source": "pbx1"}
        event = {"event_id": f"{contact_id}-{number}", "type": kind, "occurred_at": at, **known, **fields}
        world.feed([record(topic, event)], 1)


def of(world: World, *names: str) -> dict[str, int | float]:
    """The nonzero figures of some families."""
    return {key: value for key, value in world.figures().items() if key.startswith(names) and value}


def test_who_serves_himself_is_in_no_case() -> None:
    """R30: a goal in the menu is a self-served contact, counted apart, and no case of first contact resolution."""
    world = world_of()
    menu = (0, "step.entered", {"step": "menu:main"})
    tell(world, "c1", menu, (20, "step.left", {"result": "goal"}), GIVES_UP)
    tell(world, "c2", (0, "queue.entered", {"queue": "billing"}), (9, "agent.connected", {"agent": "anna"}), GIVES_UP)
    assert of(world, "contact_contacts_total") == {
        'contact_contacts_total{channel="voice",outcome="self_served"}': 1,
        'contact_contacts_total{channel="voice",outcome="handled"}': 1,
    }
    assert of(world, "contact_cases_opened_total", "contact_eligible_contacts_total") == {
        'contact_cases_opened_total{channel="voice",queue="billing",issue="none"}': 1,
        'contact_eligible_contacts_total{channel="voice",queue="billing",issue="none"}': 1,
    }


def test_handle_time_is_the_exact_quotient() -> None:
    """R31, R33: 250 s of talk, 20 s of hold and 30 s of wrap-up over three calls are 100 s each; hold is inside."""
    world = world_of()
    for name, talk, hold, wrapup in (("c1", 60, 0, 0), ("c2", 100, 20, 0), ("c3", 90, 0, 30)):
        held: list[Line] = [(20, "hold.started", {}), (20 + hold, "hold.ended", {})] if hold else []
        end = 10 + talk + hold
        after: list[Line] = [
            (end, "wrapup.started", {"agent": "anna"}),
            (end + wrapup, "wrapup.ended", {"agent": "anna"}),
        ]
        tell(
            world,
            name,
            (0, "queue.entered", {"queue": "billing"}),
            (10, "agent.connected", {"agent": "anna"}),
            *held,
            (end, "contact.ended", {"by": "customer"}),
            *(after if wrapup else []),
        )
    place = '{channel="voice",queue="billing"}'
    parts = {
        name: world.figures().get(f"contact_{name}_seconds_total{place}", 0) for name in ("talk", "hold", "wrapup")
    }
    handled = world.figures()[f"contact_handled_total{place}"]
    assert (parts, handled) == ({"talk": 250, "hold": 20, "wrapup": 30}, 3)
    assert sum(parts.values()) / handled == 100
    assert world.figures()[f"contact_handle_seconds_sum{place}"] == 250 + 20 + 30


def test_arrivals_by_channel_add_up() -> None:
    """R37, R39: each contact arrives once, however often its events come, in the channel it states."""
    world = world_of()
    for _ in range(2):
        tell(world, "c1", (0, "contact.started", {}), (5, "queue.entered", {"queue": "billing"}))
        tell(world, "h1", (0, "contact.started", {}), topic="chats")
        tell(world, "s1", (0, "message.received", {"channel": "sms"}), topic="chats")
        tell(world, "m1", (0, "message.received", {}), topic="emails")
        tell(world, "m2", (0, "message.received", {}), topic="emails")
    arrived = of(world, "contact_arrivals_total")
    assert arrived == {
        f'contact_arrivals_total{{channel="{channel}",direction="inbound"}}': number
        for channel, number in (("voice", 1), ("chat", 1), ("sms", 1), ("email", 2))
    }
    assert sum(arrived.values()) == 5


@pytest.mark.parametrize(("nodes", "path"), [(0, "0"), (1, "1"), (2, "2"), (3, "3"), (5, "4+")])
def test_who_gives_up_after_how_many_steps(nodes: int, path: str) -> None:
    """R51: by the menu steps before the queue, and by the wait in it."""
    world = world_of()
    names = ("main", "billing", "support", "main", "billing")
    menu: list[Line] = [(n, "step.entered", {"step": f"menu:{name}"}) for n, name in enumerate(names[:nodes])]
    tell(world, "c1", *menu, (10, "queue.entered", {"queue": "billing"}), (55, "contact.ended", {"by": "customer"}))
    assert of(world, "contact_abandoned_path_total") == {
        f'contact_abandoned_path_total{{channel="voice",menu_steps="{path}"}}': 1
    }
    wait = 'contact_wait_seconds_bucket{channel="voice",queue="billing",outcome="abandoned",le='
    assert {name: value for name, value in of(world, wait).items() if "Inf" not in name}
    assert of(world, "contact_wait_seconds_sum") == {
        'contact_wait_seconds_sum{channel="voice",queue="billing",outcome="abandoned"}': 45
    }


def test_each_step_adds_up() -> None:
    """R49, R50: of four who enter the main menu one goes on, one gives up, one serves himself, one is cut off."""
    world = world_of()
    menu = (0, "step.entered", {"step": "menu:main"})
    tell(world, "c1", menu, (10, "queue.entered", {"queue": "billing"}))
    tell(world, "c2", menu, GIVES_UP)
    tell(world, "c3", menu, (10, "step.left", {"result": "goal"}), GIVES_UP)
    tell(world, "c4", menu, (10, "contact.ended", {"by": "system"}))
    assert of(world, "contact_steps_total") == {
        f'contact_steps_total{{step="menu:main",outcome="{outcome}"}}': number
        for outcome, number in (("entered", 4), ("continued", 1), ("abandoned", 1), ("self_served", 1), ("system", 1))
    }


def test_abandonment_lies_where_the_customer_came() -> None:
    """R47, R48: hung up and left by choice, in the quarter of entering and in that of leaving, each once."""
    world = world_of()
    enters = (14 * 60, "queue.entered", {"queue": "billing"})
    tell(world, "c1", enters, (16 * 60, "contact.ended", {"by": "customer"}))
    tell(world, "c2", enters, (16 * 60, "queue.left", {"queue": "billing", "reason": "exited"}))
    visits = 'contact_visits_total{channel="voice",queue="billing",outcome="'
    for start, by, number in ((0, "arrival", 1), (0, "outcome", 0), (900, "arrival", 0), (900, "outcome", 1)):
        counts = world.cell(START + start * 1_000, by)
        assert [counts.get(f'{visits}{outcome}"}}', 0) for outcome in ("abandoned", "exited")] == [number, number]
    assert world.queue("billing")["abandonment"]["gross"] == (2, 2)


def test_a_customer_lost_to_an_agent_has_not_left_the_queue() -> None:
    """R53: hanging up on hold, nothing solved, is counted by itself; the visit was answered."""
    world = world_of()
    tell(
        world,
        "c1",
        (0, "queue.entered", {"queue": "billing"}),
        (10, "agent.connected", {"agent": "anna"}),
        (40, "hold.started", {}),
        (200, "contact.ended", {"by": "customer"}),
        (210, "contact.dispositioned", {"resolution": "unresolved"}),
    )
    place = '{channel="voice",queue="billing"}'
    assert of(world, "contact_ended_") == {
        f"contact_ended_on_hold_total{place}": 1,
        f"contact_ended_unresolved_total{place}": 1,
    }
    assert of(world, "contact_visits_total") == {
        'contact_visits_total{channel="voice",queue="billing",outcome="answered"}': 1
    }
