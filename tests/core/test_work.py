"""The figures of callbacks, offers, steps, escalations, opening hours and agents, each counted by hand.

Times are seconds since 10:00 on Monday 2 March 2026, in Berlin 11:00.
"""

from __future__ import annotations

from typing import Any

import pytest

from stream.core.policies.reader import read_policy
from stream.wire.times import format_time
from tests.core.worlds import START, record
from tests.vectors.world import World

POLICY: dict[str, Any] = {
    "queues": {
        "billing": {"zone": "Europe/Berlin", "hours": {"mon": [["09:00", "11:01"], ["11:02", "17:00"]]}},
        "sales": {},
    },
    "issues": {"refund": {}},
    "steps": {"menu": ["main"]},
    "agents": {"anna": {}, "ben": {}},
}
OPTED_OUT = {key: value for key, value in POLICY.items() if key != "agents"}
Line = tuple[int, str, dict[str, Any]]


def world_of(*lines: Line, topic: str = "calls", policy: dict[str, Any] | None = None) -> World:
    """A world in which one contact has said all this, in order."""
    world = World(read_policy(POLICY if policy is None else policy))
    tell(world, *lines, topic=topic)
    return world


def tell(world: World, *lines: Line, topic: str = "calls") -> None:
    """Let the contact say more."""
    for number, (second, kind, fields) in enumerate(lines):
        event = {
            "event_id": f"{second}-{number}-{kind}",
            "type": kind,
            "source": "pbx1",
            "contact_id": "c1",
            "occurred_at": format_time(START + second * 1_000),
            **fields,
        }
        world.feed([record(topic, event)], 1)


def of(world: World, *names: str) -> dict[str, int | float]:
    """The nonzero figures of some families."""
    return {key: value for key, value in world.figures().items() if key.startswith(names) and value}


ASKED: tuple[Line, ...] = (
    (0, "queue.entered", {"queue": "billing"}),
    (60, "queue.left", {"queue": "billing", "reason": "callback"}),
    (61, "callback.requested", {}),
    (63, "contact.ended", {"by": "customer"}),
)


def test_a_callback_is_asked_for_once_tried_and_reached() -> None:
    """R17: two words of one request are one; who is connected waited since the request."""
    world = world_of(*ASKED, (1_800, "callback.attempted", {}))
    waiting = {
        'contact_callbacks_total{queue="billing",outcome="requested"}': 1,
        'contact_callbacks_total{queue="billing",outcome="attempted"}': 1,
        'contact_callbacks_waiting{queue="billing"}': 1,
        'contact_callbacks_oldest_timestamp_seconds{queue="billing"}': START + 60_000,
    }
    assert of(world, "contact_callback") == waiting
    tell(world, (1_900, "callback.attempted", {}), (1_920, "agent.connected", {"agent": "anna"}))
    figures = of(world, "contact_callback")
    assert figures['contact_callbacks_total{queue="billing",outcome="attempted"}'] == 2
    assert figures['contact_callbacks_total{queue="billing",outcome="reached"}'] == 1
    assert figures['contact_callback_wait_seconds_sum{queue="billing"}'] == 1_860
    assert figures['contact_callback_wait_seconds_bucket{queue="billing",le="3600.0"}'] == 1
    assert 'contact_callback_wait_seconds_bucket{queue="billing",le="1800.0"}' not in figures
    assert not of(world, "contact_callbacks_waiting", "contact_callbacks_oldest")


def test_an_attempt_that_is_taken_at_once_is_an_attempt() -> None:
    """R17: at the instant of the connect, which is read first; one after it is not of this request."""
    told: tuple[Line, ...] = ((900, "callback.attempted", {}), (900, "agent.connected", {"agent": "anna"}))
    world = world_of(*ASKED, *told, (901, "callback.attempted", {}))
    assert of(world, 'contact_callbacks_total{queue="billing",outcome="attempted"}') == {
        'contact_callbacks_total{queue="billing",outcome="attempted"}': 1
    }


def test_a_callback_expires_at_its_moment_and_not_before() -> None:
    """R17: at request + 24 h, by event time; a connect told later takes the expiry back."""
    world = world_of(*ASKED)
    world.advance(START + 60_000 + 86_400_000 - 1)
    assert of(world, "contact_callbacks_waiting")
    world.advance(START + 60_000 + 86_400_000)
    expired = 'contact_callbacks_total{queue="billing",outcome="expired"}'
    assert of(world, expired) == {expired: 1}
    assert not of(world, "contact_callbacks_waiting")
    world.reload()
    assert of(world, expired) == {expired: 1}
    tell(world, (86_400, "agent.connected", {"agent": "anna"}))
    assert not of(world, expired)
    assert world.retracted()[expired] == 1
    assert of(world, 'contact_callbacks_total{queue="billing",outcome="reached"}')


def test_a_request_stays_until_it_has_expired() -> None:
    """A row does not leave with a callback that waits, however long that may be."""
    world = world_of(*ASKED, policy={**POLICY, "callback_expires_ms": 20 * 86_400_000})
    world.advance(START + 19 * 86_400_000)
    assert of(world, "contact_callbacks_waiting")
    world.advance(START + 21 * 86_400_000)
    assert of(world, 'contact_callbacks_total{queue="billing",outcome="expired"}')
    assert world.shard.rows() == 0


def test_a_cell_by_queue_alone_stays_as_long_as_a_contact_may_correct_it() -> None:
    """R54: an attempt on the third day joins the request in the cell of its arrival, which must still be there."""
    world = world_of(*ASKED, policy={**POLICY, "callback_expires_ms": 6 * 86_400_000})
    for day in (1, 2, 3):
        world.shard.advance(START + day * 86_400_000, now=day * 86_400_000)  # cells are published, so they may leave
    tell(world, (3 * 86_400, "callback.attempted", {}))
    cell = world.cell(START, "arrival")
    assert {name: count for name, count in cell.items() if name.startswith("contact_callbacks_total")} == {
        'contact_callbacks_total{queue="billing",outcome="requested"}': 1,
        'contact_callbacks_total{queue="billing",outcome="attempted"}': 1,
    }


def test_offers_that_nobody_took_are_counted_where_the_customer_waited() -> None:
    """Each `agent.missed` by its reason; after the queue, still the queue of the visit before."""
    world = world_of(
        (0, "queue.entered", {"queue": "sales"}),
        (5, "agent.missed", {"agent": "anna", "reason": "no_answer"}),
        (9, "agent.missed", {"agent": "ben", "reason": "no_answer"}),
        (12, "agent.missed", {"agent": "anna", "reason": "busy"}),
        (15, "contact.ended", {"by": "customer"}),
    )
    assert of(world, "contact_offers_missed_total") == {
        'contact_offers_missed_total{queue="sales",reason="no_answer"}': 2,
        'contact_offers_missed_total{queue="sales",reason="busy"}': 1,
    }


def test_time_in_steps_and_prompts_heard_again() -> None:
    """R52: until the step is left, goes on, or the contact ends; the second time the same node is heard is a repeat."""
    world = world_of(
        (0, "step.entered", {"step": "welcome"}),
        (4, "step.left", {"result": "continued"}),
        (6, "step.entered", {"step": "menu:main"}),
        (16, "step.entered", {"step": "menu:main"}),
        (19, "step.entered", {"step": "bot"}),
    )
    time = "contact_step_seconds_total"
    assert of(world, time) == {f'{time}{{step="welcome"}}': 4, f'{time}{{step="menu:main"}}': 13}
    tell(world, (40, "contact.ended", {"by": "customer"}))
    assert of(world, time)[f'{time}{{step="bot"}}'] == 21
    assert of(world, "contact_step_repeats") == {'contact_step_repeats_total{step="menu:main"}': 1}


SERVED: tuple[Line, ...] = (
    (0, "contact.started", {"customer": "u1", "issue": "refund"}),
    (0, "queue.entered", {"queue": "billing"}),
    (200, "agent.connected", {"agent": "anna"}),
    (260, "hold.started", {}),
    (280, "hold.ended", {}),
    (300, "agent.left", {"agent": "anna"}),
    (300, "wrapup.started", {"agent": "anna"}),
    (310, "agent.connected", {"agent": "cleo"}),
    (330, "wrapup.ended", {"agent": "anna"}),
    (400, "contact.ended", {"by": "customer"}),
)


def test_the_time_beyond_the_target_by_issue() -> None:
    """R43: 200 s on the telephone are 20 s over; the issue may become known late and takes them along."""
    world = world_of(*SERVED)
    excess = 'contact_response_excess_seconds_total{channel="voice",issue="refund"}'
    assert of(world, "contact_response_excess") == {excess: 20}
    tell(world, (401, "contact.dispositioned", {"resolution": "resolved", "issue": "else"}))
    assert of(world, "contact_response_excess") == {excess.replace("refund", "other"): 20}
    assert world.retracted()[excess] == 20


def test_a_queue_may_have_a_response_target_of_its_own() -> None:
    """R41: 200 s are within 200 s, inclusive; 199 999 ms would not be enough."""
    for target_ms, inside in ((200_000, 1), (199_999, 0)):
        queues = {**POLICY["queues"], "billing": {"response_target_ms": target_ms}}
        world = world_of(*SERVED, policy={**POLICY, "queues": queues})
        assert sum(of(world, "contact_responses_in_target_total").values()) == inside
        assert sum(of(world, "contact_response_excess_seconds_total").values()) == (1 - inside) / 1_000


BOT: tuple[Line, ...] = (
    (0, "contact.started", {"queue": "billing"}),
    (0, "step.entered", {"step": "bot"}),
    (2, "message.received", {}),
)


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        (((20, "step.left", {"result": "failed"}), (60, "contact.ended", {"by": "customer"})), "continued"),
        (((20, "step.left", {"result": "goal"}), (60, "contact.ended", {"by": "customer"})), "self_served"),
        (((60, "message.sent", {"by": "agent"}), (90, "contact.ended", {"by": "system"})), "continued"),
        (((60, "message.sent", {"by": "bot"}), (90, "contact.ended", {"by": "customer"})), "abandoned"),
    ],
)
def test_the_wait_of_a_chat_continues_its_bot(lines: tuple[Line, ...], outcome: str) -> None:
    """R50: the implicit visit is a queue, so who waits in it was not lost in the step before."""
    world = world_of(*BOT, *lines, topic="chats")
    assert of(world, "contact_steps_total") == {
        'contact_steps_total{step="bot",outcome="entered"}': 1,
        f'contact_steps_total{{step="bot",outcome="{outcome}"}}': 1,
    }


def test_escalated_contacts_bring_their_wait_and_handle_time() -> None:
    """R36: talk 80 + 90, hold 20, wrap-up 30; taken back when the agent says otherwise."""
    world = world_of(*SERVED, (401, "contact.dispositioned", {"resolution": "escalated"}))
    labels = '{channel="voice",queue="billing"}'
    assert of(world, "contact_escalated") == {
        f"contact_escalated_contacts_total{labels}": 1,
        f"contact_escalated_wait_seconds_total{labels}": 200,
        f"contact_escalated_handle_seconds_total{labels}": 220,
    }
    tell(world, (402, "contact.dispositioned", {"resolution": "resolved"}))
    assert not of(world, "contact_escalated")


def test_agents_own_shares_add_up_to_the_handle_time() -> None:
    """R26, R27, R31, R35: talk, hold and wrap-up are the agent's own, whoever is not named is `other`."""
    world = world_of(*SERVED)
    assert of(world, "contact_agent_h", "contact_agent_first") == {
        'contact_agent_handled_total{agent="anna",channel="voice"}': 1,
        'contact_agent_handled_total{agent="other",channel="voice"}': 1,
        'contact_agent_handle_seconds_total{agent="anna",channel="voice"}': 130,
        'contact_agent_handle_seconds_total{agent="other",channel="voice"}': 90,
        'contact_agent_first_responses_total{agent="anna",channel="voice"}': 1,
        'contact_agent_first_response_seconds_total{agent="anna",channel="voice"}': 200,
    }
    assert of(world, "contact_handle_seconds_sum") == {
        'contact_handle_seconds_sum{channel="voice",queue="billing"}': 220
    }


def test_no_agent_is_named_unless_the_policy_names_some() -> None:
    """R26: figures by agent are opt-in."""
    world = world_of(*SERVED, policy=OPTED_OUT)
    assert of(world, "contact_handled_total")
    assert not [key for key in world.figures() if "agent=" in key]


def test_the_first_response_is_of_whoever_wrote_first() -> None:
    """R44: bots and notes are no answer, and the second person did not give the first one."""
    world = world_of(
        (0, "message.received", {}),
        (10, "message.sent", {"by": "bot"}),
        (20, "message.sent", {"by": "agent", "agent": "cleo", "public": False}),
        (30, "message.sent", {"by": "agent", "agent": "ben"}),
        (40, "message.received", {}),
        (50, "message.sent", {"by": "agent", "agent": "anna"}),
        topic="chats",
    )
    assert of(world, "contact_agent_first") == {
        'contact_agent_first_responses_total{agent="ben",channel="chat"}': 1,
        'contact_agent_first_response_seconds_total{agent="ben",channel="chat"}': 30,
    }


@pytest.mark.parametrize(("second", "outside"), [(59, 0), (60, 1), (119, 1), (120, 0)])
def test_arrivals_outside_the_hours_of_their_queue(second: int, outside: int) -> None:
    """R38: 11:01 to 11:02 in Berlin is closed, half-open; a queue without hours is never closed."""
    said: tuple[Line, ...] = ((second, "contact.started", {}), (second, "queue.entered", {"queue": "billing"}))
    assert sum(of(world_of(*said), "contact_arrivals_outside").values()) == outside
    other: Line = (second, "queue.entered", {"queue": "sales"})
    assert not of(world_of(said[0], other), "contact_arrivals_outside")


def test_time_in_which_the_queue_was_open_is_measured_beside() -> None:
    """R14: of 200 s of waiting one minute lay outside the hours; queues that never close have no such series."""
    world = world_of(*SERVED)
    labels = '{channel="voice",queue="billing"'
    found = of(world, "contact_wait_open_seconds_sum", "contact_first_response_open_seconds_sum")
    assert found == {
        f'contact_wait_open_seconds_sum{labels},outcome="answered"}}': 140,
        f"contact_first_response_open_seconds_sum{labels}}}": 140,
    }
    sales = world_of((0, "queue.entered", {"queue": "sales"}), (20, "agent.connected", {"agent": "anna"}))
    assert of(sales, "contact_wait_seconds_sum")
    assert not [key for key in sales.figures() if "_open_seconds" in key]


def test_the_wait_as_told_is_the_time_before_the_answer() -> None:
    """R14: the exchange tells 90 s; of these, just before the connect, 30 s were open."""
    told: Line = (150, "agent.connected", {"agent": "anna", "wait_ms": 90_000})
    world = world_of((0, "queue.entered", {"queue": "billing"}), told)
    found = of(world, "contact_wait_open_seconds_sum")
    assert list(found.values()) == [30]


def test_replies_are_measured_in_business_time_too() -> None:
    """R14, R40: first and next, of a thread in a queue with hours."""
    world = world_of(
        (0, "queue.entered", {"queue": "billing"}),
        (30, "message.received", {}),
        (90, "message.sent", {"by": "agent", "agent": "anna"}),
        (100, "message.received", {}),
        (180, "message.sent", {"by": "agent", "agent": "anna"}),
        topic="emails",
    )
    found = of(world, "contact_first_response_open_seconds_sum", "contact_next_response_open_seconds_sum")
    assert list(found.values()) == [30, 60]
