"""What an event is once it has been decoded: a sort key and a body.

An event is a plain tuple, because a shard sorts, stores and folds millions of them:

    (at, seq, rank, event_id, source, body)

The first five members are the fold order of 1-events 1.5, so that sorting events is
sorting tuples. ``body`` is the typed event; ``wire`` makes it, and this package only
reads the attributes named in `Body`. An attribute a type does not have is never asked.
"""

from typing import NamedTuple, Protocol

# Reading order of the table in 1-events 1.4: rows, left to right inside a row.
RANKS: dict[str, int] = {
    name: rank
    for rank, name in enumerate(
        (
            "contact.started",
            "step.left",
            "step.entered",
            "queue.entered",
            "queue.left",
            "agent.offered",
            "agent.missed",
            "agent.connected",
            "agent.left",
            "hold.started",
            "hold.ended",
            "transfer.started",
            "transfer.completed",
            "transfer.failed",
            "callback.requested",
            "callback.attempted",
            "voicemail.left",
            "voicemail.abandoned",
            "message.received",
            "message.sent",
            "contact.ended",
            "wrapup.started",
            "wrapup.ended",
            "contact.dispositioned",
            "case.opened",
            "case.resolved",
            "case.reopened",
            "case.escalated",
            "case.closed",
            "case.merged",
            "survey.offered",
            "survey.answered",
            "identity.linked",
            "agent.status",
            "source.heartbeat",
            "source.restarted",
        )
    )
}
LAST_CONTACT_RANK = RANKS["contact.dispositioned"]
AGENT_STATUS = RANKS["agent.status"]
RESTARTED = RANKS["source.restarted"]

CHANNELS = ("voice", "chat", "messaging", "sms", "social", "email")
CHAT_FAMILY = frozenset(("chat", "messaging", "sms", "social"))
DEFAULT_CHANNEL = {"calls": "voice", "chats": "chat", "emails": "email"}
FUTURE_MS = 300_000  # an event may be this much ahead of its record's timestamp


class Body(Protocol):
    """The typed fields of one event; those its type lacks are never read."""

    contact_id: str
    channel: str | None
    direction: str | None
    customer: str | None
    case_id: str | None
    previous_contact_id: str | None
    queue: str | None
    agent: str | None
    team: str | None
    issue: str | None
    default_channel: str
    step: str
    result: str
    resumes: bool
    reason: str
    wait_ms: int | None
    kind: str
    by: str
    public: bool
    automated: bool
    resolution: str
    confirmed: bool | None
    cause: str | None
    status: str
    queues: list[str] | None
    into: str
    resolved: str | None
    csat: int | None
    alias: str


Event = tuple[int, int, int, str, str, Body]


def sorts_first(copy: Event, known: Event) -> bool:
    """Whether ``copy`` counts, not ``known``: the first in fold order does, then the one whose words read first."""
    if copy[:5] != known[:5]:
        return copy[:5] < known[:5]
    return copy[5] != known[5] and repr(copy[5]) < repr(known[5])


class Rejection(NamedTuple):
    """Why a record was kept out: a reason of the closed set, and what is wrong where."""

    reason: str
    detail: str
    event_id: str | None = None
