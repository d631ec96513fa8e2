"""The names that events use, counted in whatever order they come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from stream.core.events import Rejection
from stream.core.policies.names import Names
from stream.wire.decode import decode

if TYPE_CHECKING:
    from stream.core.events import Event

SAID: tuple[tuple[str, dict[str, object]], ...] = (
    ("calls", {"type": "contact.started", "contact_id": "c1", "queue": "billing", "customer": "u1"}),
    ("calls", {"type": "step.entered", "contact_id": "c1", "step": "welcome"}),
    ("calls", {"type": "step.entered", "contact_id": "c1", "step": "menu:main"}),
    ("calls", {"type": "queue.entered", "contact_id": "c1", "queue": "billing", "issue": "refund"}),
    ("calls", {"type": "agent.missed", "contact_id": "c1", "agent": "ben", "reason": "busy"}),
    ("calls", {"type": "agent.connected", "contact_id": "c1", "agent": "anna", "team": "first"}),
    ("chats", {"type": "queue.entered", "contact_id": "h1", "queue": "billing"}),
    ("chats", {"type": "message.received", "contact_id": "h1", "channel": "sms", "issue": "login"}),
    ("chats", {"type": "queue.entered", "contact_id": "h1", "queue": "sales"}),
    ("chats", {"type": "queue.entered", "contact_id": "h2", "queue": "sales"}),
    ("emails", {"type": "message.received", "contact_id": "m1", "queue": "sales"}),
    ("agents", {"type": "agent.status", "agent": "anna", "team": "first", "status": "available", "queues": ["night"]}),
    ("agents", {"type": "agent.status", "agent": "anna", "team": "second", "status": "break", "reason": "lunch"}),
    ("agents", {"type": "source.heartbeat", "queue": "nobody's", "team": "nobody's"}),
)


def event(number: int) -> Event:
    """One of those said, a second after the one before."""
    topic, said = SAID[number]
    said = {"event_id": f"e{number}", "occurred_at": f"2026-03-02T10:00:{number:02d}Z", "source": "s", **said}
    key = str(said.get("contact_id") or said.get("agent") or said["source"])
    decoded = decode(topic, key.encode(), json.dumps(said).encode())
    assert not isinstance(decoded, Rejection)
    return decoded


@given(st.permutations(range(len(SAID))))
def test_any_order_gives_the_same_names(order: list[int]) -> None:
    """A queue has the channel its contact states, whenever that is; only a break has a reason; nobody else is named."""
    names = Names()
    for number in order:
        names.add(event(number))
    assert names.queues() == {
        "billing": {"voice": 2, "sms": 1},
        "sales": {"sms": 1, "chat": 1, "email": 1},
        "night": {},
    }
    assert (names.issues, names.menus) == ({"refund": 1, "login": 1}, {"main": 1})
    assert (names.teams, names.reasons) == ({"first": 2, "second": 1}, {"lunch": 1})
    assert (names.agents, names.teams_of) == ({"ben": 1, "anna": 3}, {"anna": {"first": 2, "second": 1}})
    assert (names.first, names.last) == (event(0)[0], event(len(SAID) - 2)[0])
