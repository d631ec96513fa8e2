"""One contact: the fold of its events in order (1-events 1.5, 2-numbers 2.2-2.6).

`Contact.apply` takes one event that sorts after all it has seen. Nothing here depends on the
policy, the watermark or a clock: the same events give the same contact, and what they are
worth is decided in `outcome` and `figures`.
"""

import copy
from collections.abc import Callable

from stream.core.contacts.callbacks import Callbacks
from stream.core.contacts.handling import Handling
from stream.core.contacts.implicit import ImplicitVisit
from stream.core.contacts.steps import Steps
from stream.core.contacts.times import Responses
from stream.core.contacts.visits import Visit, Visits
from stream.core.events import CHAT_FAMILY, RANKS, RESTARTED, Body, Event

PAUSE_MS = 3_600_000  # a silence as long is remembered: the case stage asks when a contact was last active


class Disposition:
    """The agent's (or customer's) verdict."""

    __slots__ = ("at", "cause", "confirmed", "resolution")

    def __init__(self, at: int, resolution: str, cause: str | None, confirmed: bool | None) -> None:  # noqa: FBT001  as told
        """Said at ``at`` (ms)."""
        self.at = at
        self.resolution = resolution
        self.cause = cause
        self.confirmed = confirmed


class Contact:
    """What is known of one generation of one contact_id. Times in ms; None = not known."""

    __slots__ = (
        "callback_at",
        "callbacks",
        "case_id",
        "channel",
        "channel_stated",
        "contradictions",
        "customer",
        "default_channel",
        "direction",
        "dispositions",
        "ended_at",
        "ended_by",
        "ended_on_hold",
        "first_at",
        "handled_at",
        "handling",
        "implicit",
        "issue",
        "last_at",
        "missed",
        "pauses",
        "previous_contact_id",
        "queue",
        "repliers",
        "responses",
        "restarted_at",
        "started_at",
        "steps",
        "transfers",
        "visits",
        "voicemail_at",
    )

    def __init__(self, first: Event) -> None:
        """Nothing but that ``first`` is the earliest event; apply it next."""
        self.first_at = first[0]
        self.last_at = first[0]
        self.pauses: list[tuple[int, int]] = []  # silences of an hour or more: from, to
        body = first[5]
        self.default_channel = body.default_channel
        self.channel_stated: str | None = None
        self.channel = body.default_channel  # the first channel stated, else the topic's; not stored
        self.direction: str | None = None
        self.customer: str | None = None
        self.case_id: str | None = None
        self.previous_contact_id: str | None = None
        self.queue: str | None = None
        self.issue: str | None = None
        self.started_at: int | None = None
        self.ended_at: int | None = None
        self.ended_by = ""
        self.ended_on_hold = False
        self.restarted_at: int | None = None
        self.handled_at: int | None = None
        self.voicemail_at: int | None = None
        self.callback_at: int | None = None
        self.contradictions = 0
        self.dispositions: list[Disposition] = []
        self.transfers: list[tuple[str, str, int]] = []  # kind, queue of the leg, at
        self.missed: list[tuple[str, str, int]] = []  # offers not taken: reason, queue (empty = home), at
        self.callbacks = Callbacks()
        self.repliers: list[str] = []  # agents who wrote to the customer, each once, in order
        self.visits = Visits()
        self.steps = Steps()
        self.handling = Handling()
        self.responses = Responses()
        channel = body.channel or body.default_channel
        self.implicit = ImplicitVisit(first[0], first[4]) if channel in CHAT_FAMILY else None

    @property
    def arrived_at(self) -> int:
        """The first ``contact.started``, else the earliest event."""
        return self.first_at if self.started_at is None else self.started_at

    @property
    def seen_visits(self) -> list[Visit]:
        """The visits that count: the stated ones, else the implicit one of a chat."""
        if self.visits.entered or self.implicit is None or self.channel not in CHAT_FAMILY:
            return self.visits.entered
        visit = self.implicit.visit
        return [] if visit is None else [visit]

    def apply(self, event: Event) -> None:
        """Fold on with ``event``, which sorts last."""
        at, _, rank, _, source, body = event
        if rank == RESTARTED:
            self._restart(at, source)
            return
        if at - self.last_at >= PAUSE_MS:
            self.pauses.append((self.last_at, at))
        self.last_at = at
        if body.channel is not None and self.channel_stated is None:
            self.channel_stated = self.channel = body.channel
        if body.direction is not None and self.direction is None:
            self.direction = body.direction
        if body.customer is not None:
            self.customer = body.customer
        if body.queue is not None and self.queue is None:
            self.queue = body.queue
        if body.issue is not None:
            self.issue = body.issue
        if body.case_id is not None:
            self.case_id = body.case_id
        if body.previous_contact_id is not None:
            self.previous_contact_id = body.previous_contact_id
        _HANDLERS[rank](self, at, source, body)

    def copy(self) -> "Contact":
        """Independent of this one."""
        return copy.deepcopy(self)

    def _restart(self, at: int, source: str) -> None:
        if self.ended_at is not None:
            return
        ended = self.visits.restart(at, source)
        if self.implicit is not None:
            ended = self.implicit.visits.restart(at, source) or ended
        if ended:
            self.restarted_at = at

    def reopen(self) -> None:
        """A queue or a connect after the end: the contact goes on."""
        self.ended_at = None
        self.ended_by = ""
        self.ended_on_hold = False
        self.restarted_at = None

    def handle(self, at: int) -> None:
        """A person serves; the first time counts."""
        if self.handled_at is None:
            self.handled_at = at

    @property
    def agents(self) -> list[str]:
        """Everybody who served, each once, in order; nameless ones count as one."""
        legs = self.handling.legs
        if len(legs) == 1 and not self.repliers:
            return [legs[0].agent]
        return list(dict.fromkeys([*(leg.agent for leg in legs), *self.repliers]))


def _started(contact: Contact, at: int, _source: str, _body: Body) -> None:
    if contact.started_at is None:
        contact.started_at = at


def _step_left(contact: Contact, at: int, source: str, body: Body) -> None:
    contact.steps.leave(at)
    if body.result == "goal":
        contact.steps.reach_goal()
    if contact.implicit is not None:
        contact.implicit.leave_step(at, source, body.result)


def _step_entered(contact: Contact, at: int, _source: str, body: Body) -> None:
    contact.steps.enter(at, body.step)
    if contact.implicit is not None:
        contact.implicit.enter_step(body.step)


def _queue_entered(contact: Contact, at: int, source: str, body: Body) -> None:
    if contact.ended_at is not None or contact.restarted_at is not None:
        if contact.ended_at is not None and contact.handled_at is not None:
            contact.responses.return_after(contact.ended_at)
        contact.reopen()
    contact.steps.reach_people(at)
    contact.visits.enter(at, source, body, spoken=bool(contact.handling.legs))
    visit = contact.visits.entered[-1]
    if visit.outcome == "answered":
        contact.handle(at)


def _queue_left(contact: Contact, at: int, _source: str, body: Body) -> None:
    if not contact.visits.leave(at, body):
        return
    if body.reason == "agent":
        contact.steps.reach_people(at)
        contact.handle(at)
    elif body.reason in ("callback", "voicemail"):
        contact.steps.go_on(at)
        if body.reason == "callback":
            contact.callbacks.ask(at, body.queue or "", stated=True)


def _offered(contact: Contact, _at: int, _source: str, body: Body) -> None:
    contact.visits.offer(body.agent or "")


def _missed(contact: Contact, at: int, _source: str, body: Body) -> None:
    contact.visits.miss(body.agent or "")
    contact.missed.append((body.reason, _queue_now(contact), at))


def _queue_now(contact: Contact) -> str:
    """The queue the contact waits or waited in last; empty where it had none."""
    visits = contact.seen_visits
    return visits[-1].queue if visits else ""


def _connected(contact: Contact, at: int, source: str, body: Body) -> None:
    if contact.ended_at is not None or contact.restarted_at is not None:
        contact.reopen()
    contact.steps.reach_people(at)
    visit = contact.visits.connect(at, body.queue, body.wait_ms, body.agent or "")
    contact.callbacks.reach(at)
    if contact.implicit is not None:
        contact.implicit.act(at, source, body.wait_ms)
    if visit is None and contact.visits.entered:
        visit = contact.visits.entered[-1]
    queue = body.queue or (visit.queue if visit is not None else contact.queue or "unassigned")
    contact.handling.connect(at, body.agent or "", queue)
    contact.responses.serve(at)
    contact.handle(at)


def _agent_left(contact: Contact, at: int, _source: str, body: Body) -> None:
    contact.handling.leave(at, body.agent or "")


def _hold_started(contact: Contact, at: int, _source: str, body: Body) -> None:
    contact.handling.hold(at, body.agent)


def _hold_ended(contact: Contact, at: int, _source: str, body: Body) -> None:
    contact.handling.resume(at, body.agent)


def _transferred(contact: Contact, at: int, _source: str, body: Body) -> None:
    legs, visits = contact.handling.legs, contact.seen_visits
    queue = legs[-1].queue if legs else visits[-1].queue if visits else ""
    contact.transfers.append((body.kind, queue or contact.queue or "unassigned", at))


def _callback(contact: Contact, at: int, _source: str, _body: Body) -> None:
    contact.callback_at = at
    contact.callbacks.ask(at, _queue_now(contact), stated=False)
    contact.steps.go_on(at)


def _attempted(contact: Contact, at: int, _source: str, _body: Body) -> None:
    contact.callbacks.attempt(at)


def _voicemail(contact: Contact, at: int, _source: str, _body: Body) -> None:
    contact.voicemail_at = at
    contact.steps.go_on(at)


def _voicemail_abandoned(contact: Contact, _at: int, _source: str, _body: Body) -> None:
    contact.visits.voicemail_abandoned()


def _received(contact: Contact, at: int, _source: str, _body: Body) -> None:
    contact.responses.receive(at)


def _sent(contact: Contact, at: int, source: str, body: Body) -> None:
    if body.by != "agent" or not body.public or body.automated:
        return
    contact.responses.reply(at, body.agent or "")
    if body.agent is not None and body.agent not in contact.repliers:
        contact.repliers.append(body.agent)
    if contact.channel != "voice":
        contact.visits.reply(at)
    if contact.implicit is not None:
        contact.implicit.act(at, source)
    contact.handle(at)


def _ended(contact: Contact, at: int, _source: str, body: Body) -> None:
    if contact.ended_at is not None:
        if body.by != contact.ended_by:
            contact.contradictions += 1
        return
    contact.ended_at = at
    contact.ended_by = body.by
    contact.restarted_at = None
    contact.visits.end(at, body.by)
    if contact.implicit is not None:
        contact.implicit.visits.end(at, body.by)
    contact.ended_on_hold = contact.handling.end(at)
    contact.responses.stop(at, served=contact.handled_at is not None)


def _wrapup_started(contact: Contact, at: int, _source: str, body: Body) -> None:
    contact.handling.wrap(at, body.agent or "")


def _wrapup_ended(contact: Contact, at: int, _source: str, body: Body) -> None:
    contact.handling.unwrap(at, body.agent or "")


def _dispositioned(contact: Contact, at: int, _source: str, body: Body) -> None:
    contact.dispositions.append(Disposition(at, body.resolution, body.cause, body.confirmed))
    if body.resolution == "resolved":
        contact.responses.stop(at, served=contact.handled_at is not None)


def _noted(_contact: Contact, _at: int, _source: str, _body: Body) -> None:
    """Known to have happened; no figure of this stage depends on it."""


_Handler = Callable[[Contact, int, str, Body], None]
_BY_TYPE: dict[str, _Handler] = {
    "contact.started": _started,
    "step.left": _step_left,
    "step.entered": _step_entered,
    "queue.entered": _queue_entered,
    "queue.left": _queue_left,
    "agent.offered": _offered,
    "agent.missed": _missed,
    "agent.connected": _connected,
    "agent.left": _agent_left,
    "hold.started": _hold_started,
    "hold.ended": _hold_ended,
    "transfer.started": _noted,
    "transfer.completed": _transferred,
    "transfer.failed": _noted,
    "callback.requested": _callback,
    "callback.attempted": _attempted,
    "voicemail.left": _voicemail,
    "voicemail.abandoned": _voicemail_abandoned,
    "message.received": _received,
    "message.sent": _sent,
    "contact.ended": _ended,
    "wrapup.started": _wrapup_started,
    "wrapup.ended": _wrapup_ended,
    "contact.dispositioned": _dispositioned,
}
_HANDLERS: tuple[_Handler, ...] = tuple(_BY_TYPE[name] for name in list(RANKS)[: len(_BY_TYPE)])
