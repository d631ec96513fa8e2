"""Random contact centres for the laws: few names, coarse times, every type of contact event."""

import json
from typing import Any

from hypothesis import strategies as st

from stream.core.engine.batch import Record
from stream.core.figures.agent_families import STATUSES
from stream.core.policies.reader import read_policy
from stream.core.policy import Policy
from stream.wire.times import format_time

START = 1_772_445_600_000  # 2 March 2026, 10:00 UTC
POLICY: Policy = read_policy(
    {
        "queues": {
            "billing": {"hours": {"mon": [["10:00", "10:04"], ["12:00", "15:00"]]}, "zone": "Europe/Berlin"},
            "sales": {"target_ms": 30_000},
        },
        "steps": {"menu": ["main"]},
        "agents": {"anna": {}},
        "callback_expires_ms": 3_600_000,
    }
)
AGENTS = st.sampled_from(("anna", "ben"))
QUEUES = st.sampled_from(("billing", "sales", "quux"))
KINDS = st.sampled_from(("blind", "queue", "conference"))
Fields = dict[str, st.SearchStrategy[Any]]
TYPES: dict[str, Fields] = {
    "contact.started": {},
    "step.left": {"result": st.sampled_from(("continued", "goal", "failed"))},
    "step.entered": {"step": st.sampled_from(("welcome", "menu:main", "menu:lost", "bot", "hold_message"))},
    "queue.entered": {"queue": QUEUES, "resumes": st.booleans()},
    "queue.left": {
        "queue": QUEUES,
        "reason": st.sampled_from(("agent", "abandoned", "exited", "callback", "voicemail", "timeout", "transferred")),
        "wait_ms": st.none() | st.integers(0, 90_000),
    },
    "agent.offered": {"agent": AGENTS},
    "agent.missed": {"agent": AGENTS, "reason": st.sampled_from(("busy", "no_answer"))},
    "agent.connected": {"agent": AGENTS, "queue": st.none() | QUEUES, "wait_ms": st.none() | st.integers(0, 90_000)},
    "agent.left": {"agent": AGENTS},
    "hold.started": {"agent": st.none() | AGENTS},
    "hold.ended": {"agent": st.none() | AGENTS},
    "transfer.completed": {"kind": KINDS},
    "callback.requested": {},
    "callback.attempted": {},
    "voicemail.left": {},
    "voicemail.abandoned": {},
    "message.received": {},
    "message.sent": {"by": st.sampled_from(("agent", "bot")), "public": st.booleans(), "agent": st.none() | AGENTS},
    "contact.ended": {"by": st.sampled_from(("customer", "agent", "system", "unknown"))},
    "wrapup.started": {"agent": AGENTS},
    "wrapup.ended": {"agent": AGENTS},
    "contact.dispositioned": {"resolution": st.sampled_from(("resolved", "unresolved", "escalated"))},
}


_OWNERS = {"agent.status": "agent", "source.heartbeat": "source", "source.restarted": "source"}


@st.composite
def _event(draw: st.DrawFn, topic: str, contact_id: str, number: int) -> tuple[str, dict[str, Any]]:
    kind = draw(st.sampled_from(sorted(TYPES)))
    fields = {name: draw(values) for name, values in TYPES[kind].items()}
    gap = draw(st.sampled_from((0, 1_000, 4_999, 20_000, 60_000, 300_000, 4 * 3_600_000, 9 * 86_400_000)))
    known = {
        "customer": draw(st.none() | st.just("u1")),
        "direction": draw(st.none() | st.none() | st.sampled_from(("inbound", "outbound"))),
    }
    event = {
        "event_id": f"{contact_id}-{number}",
        "type": kind,
        "occurred_at": format_time(START + gap + draw(st.integers(0, 20)) * 1_000),
        "source": draw(st.sampled_from(("pbx1", "pbx2"))),
        "contact_id": contact_id,
        **{name: value for name, value in {**fields, **known}.items() if value is not None},
    }
    return topic, event


def record(topic: str, event: dict[str, Any], offset: int = 0) -> Record:
    """The event as a record with its own key."""
    key = event[_OWNERS.get(event["type"], "contact_id")]
    return Record(topic, offset, None, key.encode(), json.dumps(event).encode(), ())


@st.composite
def statuses(draw: st.DrawFn, agent: str, number: int) -> dict[str, Any]:
    """One status of an agent."""
    gap = draw(st.sampled_from((0, 60_000, 300_000, 3_600_000, 6 * 86_400_000, 9 * 86_400_000)))
    said = {
        "team": draw(st.none() | st.sampled_from(("first-line", "night", "quux"))),
        "reason": draw(st.none() | st.sampled_from(("lunch", "quux"))),
        "queues": draw(st.none() | st.lists(QUEUES, max_size=3)),
        "source_seq": draw(st.none() | st.integers(0, 2)),
    }
    return {
        "event_id": f"{agent}-{number}",
        "type": "agent.status",
        "occurred_at": format_time(START + gap + draw(st.integers(0, 20)) * 1_000),
        "source": draw(st.sampled_from(("pbx1", "pbx2"))),
        "agent": agent,
        "status": draw(st.sampled_from(STATUSES)),
        **{name: value for name, value in said.items() if value is not None},
    }


@st.composite
def staffs(draw: st.DrawFn, most: int = 12) -> list[Record]:
    """Statuses of up to two agents, now and then with two that bear the same name."""
    found = []
    for agent in ("anna", "ben"):
        names = [draw(st.integers(0, number)) for number in range(draw(st.integers(0, most)))]
        found += [record("agents", draw(statuses(agent, number))) for number in names]
    return found


@st.composite
def histories(draw: st.DrawFn, most: int = 14) -> list[Record]:
    """Events of up to three contacts of three channels, and now and then a restart of a source."""
    found = []
    for contact_id, topic in (("c1", "calls"), ("h1", "chats"), ("m1", "emails")):
        found += [record(*draw(_event(topic, contact_id, number))) for number in range(draw(st.integers(0, most)))]
    if draw(st.booleans()):
        at = START + draw(st.sampled_from((10_000, 60_000, 4 * 3_600_000)))
        restart = {"event_id": "r1", "type": "source.restarted", "occurred_at": format_time(at), "source": "pbx1"}
        found.append(record("calls", restart))
    return found
