"""The events of 1-events as typed structs, one a type: what is accepted and what is refused.

`schemas/` says the same as JSON Schema; a test proves that they agree. Unknown fields are ignored.
``default_channel`` is not a field of the wire (names that begin with ~ are ours): the decoder sets it from the topic.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from stream.core.events import RANKS

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Count = Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)]
StepName = Annotated[str, Meta(pattern="^(welcome|bot|hold_message|callback_offer|voicemail|menu:.{1,59})$")]
Channel = Literal["voice", "chat", "messaging", "sms", "social", "email"]
Direction = Literal["inbound", "outbound", "internal"]
Kind = Literal["blind", "consult", "conference", "queue", "external"]
Cause = Literal["policy", "authority", "skill", "information", "tool", "misroute", "customer", "other"]
LeftReason = Literal[
    "agent",
    "abandoned",
    "exited",
    "callback",
    "voicemail",
    "overflow",
    "transferred",
    "external",
    "timeout",
    "empty",
    "full",
    "closed",
    "system",
]


class Envelope(Struct, tag_field="type", omit_defaults=True, kw_only=True, gc=False):
    """What every event has (1-events 1.3)."""

    event_id: Id
    occurred_at: str
    source: Name
    source_seq: Count = 0
    channel: Channel | None = None
    direction: Direction | None = None
    customer: Id | None = None
    case_id: Id | None = None
    previous_contact_id: Id | None = None
    queue: Name | None = None
    agent: Name | None = None
    team: Name | None = None
    issue: Name | None = None
    default_channel: str = field(default="voice", name="~default_channel")


class ContactEvent(Envelope, kw_only=True):
    """An event of one contact."""

    contact_id: Id


class ContactStarted(ContactEvent, tag="contact.started", kw_only=True):
    """The customer arrives, or an agent dials."""


class StepLeft(ContactEvent, tag="step.left", kw_only=True):
    """A step is over."""

    result: Literal["continued", "goal", "failed"]


class StepEntered(ContactEvent, tag="step.entered", kw_only=True):
    """A stage before the queue begins."""

    step: StepName


class QueueEntered(ContactEvent, tag="queue.entered", kw_only=True):
    """The contact waits in a queue."""

    queue: Name
    resumes: bool = False


class QueueLeft(ContactEvent, tag="queue.left", kw_only=True):
    """The contact waits there no more."""

    queue: Name
    reason: LeftReason
    wait_ms: Count | None = None


class AgentOffered(ContactEvent, tag="agent.offered", kw_only=True):
    """It rings at an agent."""

    agent: Name


class AgentMissed(ContactEvent, tag="agent.missed", kw_only=True):
    """The agent did not take it."""

    agent: Name
    reason: Literal["no_answer", "rejected", "busy"]


class AgentConnected(ContactEvent, tag="agent.connected", kw_only=True):
    """A human starts serving."""

    agent: Name
    wait_ms: Count | None = None


class AgentLeft(ContactEvent, tag="agent.left", kw_only=True):
    """That agent's leg ends."""

    agent: Name


class HoldStarted(ContactEvent, tag="hold.started", kw_only=True):
    """The customer is put on hold."""


class HoldEnded(ContactEvent, tag="hold.ended", kw_only=True):
    """The hold is over."""


class TransferStarted(ContactEvent, tag="transfer.started", kw_only=True):
    """A transfer is attempted."""

    kind: Kind
    to_queue: Name | None = None
    to_agent: Name | None = None


class TransferCompleted(TransferStarted, tag="transfer.completed", kw_only=True):
    """The transfer succeeded."""


class TransferFailed(TransferStarted, tag="transfer.failed", kw_only=True):
    """The transfer did not."""


class CallbackRequested(ContactEvent, tag="callback.requested", kw_only=True):
    """The customer wants to be called back."""


class CallbackAttempted(ContactEvent, tag="callback.attempted", kw_only=True):
    """A call back was tried."""


class VoicemailLeft(ContactEvent, tag="voicemail.left", kw_only=True):
    """A message was left."""


class VoicemailAbandoned(ContactEvent, tag="voicemail.abandoned", kw_only=True):
    """None was left."""


class MessageReceived(ContactEvent, tag="message.received", kw_only=True):
    """The customer writes."""


class MessageSent(ContactEvent, tag="message.sent", kw_only=True):
    """Somebody, or something, writes to the customer."""

    by: Literal["agent", "bot", "system"]
    public: bool = True
    automated: bool = False


class ContactEnded(ContactEvent, tag="contact.ended", kw_only=True):
    """The contact is over."""

    by: Literal["customer", "agent", "system", "third_party", "unknown"]
    raw_reason: str | None = None


class WrapupStarted(ContactEvent, tag="wrapup.started", kw_only=True):
    """After-contact work begins."""

    agent: Name


class WrapupEnded(ContactEvent, tag="wrapup.ended", kw_only=True):
    """After-contact work is done."""

    agent: Name


class ContactDispositioned(ContactEvent, tag="contact.dispositioned", kw_only=True):
    """The verdict of the agent, or of the customer."""

    resolution: Literal["resolved", "unresolved", "follow_up", "escalated"]
    confirmed: bool | None = None
    cause: Cause | None = None


class SourceHeartbeat(Envelope, tag="source.heartbeat", kw_only=True):
    """The source lives; time goes on."""

    contact_id: str = ""


class SourceRestarted(Envelope, tag="source.restarted", kw_only=True):
    """What waited at the source is gone."""

    contact_id: str = ""


class CaseEvent(Envelope, kw_only=True):
    """An event of the ticket system."""

    case_id: Id
    customer: Id
    contact_id: str = ""
    by: Name | None = None


class CaseOpened(CaseEvent, tag="case.opened", kw_only=True):
    """A ticket is opened."""


class CaseResolved(CaseEvent, tag="case.resolved", kw_only=True):
    """The ticket is resolved."""


class CaseReopened(CaseEvent, tag="case.reopened", kw_only=True):
    """The ticket is open again."""


class CaseEscalated(CaseEvent, tag="case.escalated", kw_only=True):
    """The ticket went to another level."""


class CaseClosed(CaseEvent, tag="case.closed", kw_only=True):
    """The ticket is closed."""


class CaseMerged(CaseEvent, tag="case.merged", kw_only=True):
    """The ticket became part of another."""

    into: Id


class SurveyOffered(ContactEvent, tag="survey.offered", kw_only=True):
    """The customer is asked."""

    customer: Id


class SurveyAnswered(ContactEvent, tag="survey.answered", kw_only=True):
    """The customer answers."""

    customer: Id
    resolved: Literal["yes", "no"] | None = None
    csat: Annotated[int, Meta(ge=1, le=5)] | None = None


class IdentityLinked(Envelope, tag="identity.linked", kw_only=True):
    """Customer and alias are one person."""

    customer: Id
    alias: Id
    contact_id: str = ""


class AgentStatus(Envelope, tag="agent.status", kw_only=True):
    """What an agent does now."""

    agent: Name
    status: Literal["available", "busy", "break", "wrapup", "offline"]
    queues: list[Name] | None = None
    reason: Name | None = None
    contact_id: str = ""


SOURCE_EVENTS = (SourceHeartbeat, SourceRestarted)
CONTACT_EVENTS = (
    ContactStarted,
    StepLeft,
    StepEntered,
    QueueEntered,
    QueueLeft,
    AgentOffered,
    AgentMissed,
    AgentConnected,
    AgentLeft,
    HoldStarted,
    HoldEnded,
    TransferStarted,
    TransferCompleted,
    TransferFailed,
    CallbackRequested,
    CallbackAttempted,
    VoicemailLeft,
    VoicemailAbandoned,
    MessageReceived,
    MessageSent,
    ContactEnded,
    WrapupStarted,
    WrapupEnded,
    ContactDispositioned,
)
CASE_EVENTS = (
    CaseOpened,
    CaseResolved,
    CaseReopened,
    CaseEscalated,
    CaseClosed,
    CaseMerged,
    SurveyOffered,
    SurveyAnswered,
    IdentityLinked,
)
ALL_EVENTS = (*CONTACT_EVENTS, *CASE_EVENTS, AgentStatus, *SOURCE_EVENTS)


def tag_of(kind: type[Struct]) -> str:
    """The ``type`` of an event struct."""
    return str(kind.__struct_config__.tag)


RANK_OF: dict[type, int] = {kind: RANKS[tag_of(kind)] for kind in ALL_EVENTS}
