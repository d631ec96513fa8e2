"""The books of one simulated contact: what its customer did, written into the truth at the moment of the decision.

An account is told decisions ("gave up after 31 s"), not events, and knows the definitions only as far as a
bookkeeper does: which figure a decision moves. It never looks at what was sent. What cases depend on it writes into
the contact's facts; the work of agents, written answers and callbacks have books of their own (`work`, `answers`,
`requests`). Figures that follow from how a contact stands when somebody asks (silent, escalated, open) are booked by
`stand`.

Source: 2-numbers 2.2 to 2.6.
"""

from typing import TYPE_CHECKING, Final

from stream.demo.scenario import SHORT_ABANDON_MS, TARGET_MS
from stream.demo.truth.answers import Answers
from stream.demo.truth.facts import NONE, Word
from stream.demo.truth.requests import Requests
from stream.demo.truth.work import Work

if TYPE_CHECKING:
    from stream.demo.centre.world import World
    from stream.demo.truth.facts import Facts
    from stream.demo.truth.truth import Book

GIVEN_UP: Final = frozenset(("abandoned", "abandoned_short", "exited"))
"""Outcomes of a visit that are in the abandoned wait histogram."""

_CONTACT_OF_VISIT: Final = {
    "abandoned": "abandoned",
    "abandoned_short": "abandoned_short",
    "exited": "abandoned",
    "voicemail": "voicemail",
    "callback": "callback",
    "unknown": "unknown",
}
"""What a contact without an agent comes to, by its last visit; every other outcome: `system`."""
_LOST: Final = frozenset(("abandoned", "abandoned_short", "abandoned_step"))
_MENUS_SHOWN: Final = 3


class Account:
    """The books of one inbound contact.

    Attributes:
        facts: what cases depend on.
        first_queue: where its first visit was; empty before.
        leg_queue: the queue the serving agent answered from; empty before an agent connects.
        ended: whether it has ended, by a word.
        answers: questions and replies in writing.
        requests: callbacks.
        work: what agents did.
    """

    __slots__ = (
        "_channel",
        "_entered_at",
        "_goal",
        "_heard",
        "_left_step",
        "_menus",
        "_step",
        "_stepped_at",
        "_truth",
        "_visit",
        "_visit_queue",
        "_waited_ms",
        "_world",
        "answers",
        "ended",
        "facts",
        "first_queue",
        "leg_queue",
        "requests",
        "work",
    )

    def __init__(self, world: "World", facts: "Facts") -> None:
        """Open the books at the customer's arrival; `facts.name` = the line knows who calls."""
        self._world = world
        self._truth = world.truth
        self.facts = facts
        self._channel = facts.channel
        self._step = ""
        self._stepped_at = 0
        self._left_step = False
        self._heard: set[str] = set()
        self._menus = 0
        self._goal = False
        self._visit = ""  # outcome of the last visit; "waiting" while it lasts
        self._visit_queue = ""
        self._entered_at = 0
        self._waited_ms = 0
        self.ended = False
        self.first_queue = ""
        self.leg_queue = ""
        self.answers = Answers(world, facts)
        self.requests = Requests(world)
        self.work = Work(world, facts)
        self._truth.follow(self)
        self._truth.add("contact_arrivals_total", self._channel, "inbound")
        if not facts.name:
            self._truth.add("contact_stream_quality_total", "unidentified")

    def named(self, name: str) -> None:
        """The customer said who they are, or another name than before."""
        if not self.facts.name:
            self._truth.add("contact_stream_quality_total", "unidentified", by=-1)
        self.facts.name = name

    def destined(self, queue: str) -> None:
        """It is said which queue the contact is for, whether it ever waits there or not."""
        self.facts.queue = queue

    def stepped(self, step: str) -> None:
        """The caller hears or meets `step`, and has passed the step before."""
        self.passed()
        self._truth.add("contact_steps_total", step, "entered")
        if step in self._heard:
            self._truth.add("contact_step_repeats_total", step)
        self._heard.add(step)
        self._menus += step.startswith("menu:")
        self._step, self._stepped_at, self._left_step = step, self._world.now, False

    def left_step(self) -> None:
        """The step lets go of the caller."""
        if self._step and not self._left_step:
            self._left_step = True
            self._truth.add("contact_step_seconds_total", self._step, by=self._world.now - self._stepped_at)

    def reached_goal(self) -> None:
        """The machine has served the caller, if nothing follows."""
        self._goal = True
        self.left_step()

    def queued(self, queue: str) -> None:
        """The caller begins to wait."""
        self.passed()
        self._goal = False
        self.first_queue = self.facts.queue = self.first_queue or queue
        self._visit, self._visit_queue, self._entered_at = "waiting", queue, self._world.now
        self._truth.add("contact_visits_entered_total", self._channel, queue)
        self._truth.add("contact_queue_waiting", self._channel, queue)

    def missed(self, reason: str) -> None:
        """An agent did not take the caller who waits."""
        self._truth.add("contact_offers_missed_total", self._visit_queue or self.facts.queue, reason)

    def left(self, queue: str, outcome: str) -> None:
        """The visit is over without an agent; `abandoned` becomes short by the wait."""
        self._truth.add("contact_queue_waiting", self._channel, queue, by=-1)
        if outcome == "abandoned" and self._world.now - self._entered_at < SHORT_ABANDON_MS:
            outcome = "abandoned_short"
        self._waited_ms += self._world.now - self._entered_at
        self._close_visit(queue, outcome, self._world.now)
        if outcome in {"callback", "voicemail"}:
            self.passed()
            if self.facts.outcome != "handled":
                self.facts.asked_at = self._world.now
                self._decide(outcome)
        if outcome == "callback":
            self.requests.asked(queue)

    def asked_callback(self) -> None:
        """The caller asked to be called back."""
        self.passed()
        if self.facts.outcome not in {"callback", "handled"}:
            self.facts.asked_at = self._world.now
            self._decide("callback")
        self.requests.asked(self._visit_queue or self.facts.queue)

    def left_message(self) -> None:
        """The caller spoke on the tape."""
        self.passed()
        if self.facts.outcome == "voicemail":
            self.facts.asked_at = self._world.now

    def left_no_message(self, queue: str, left_at: int) -> None:
        """The caller hung up on the tape: the voicemail visit, over at `left_at`, was an abandoned one after all."""
        self._truth.add("contact_visits_total", self._channel, queue, "voicemail", by=-1)
        self._close_visit(queue, "abandoned", left_at)
        if self.facts.outcome == "voicemail":
            self.facts.asked_at = None
            self._decide("")

    def answered(self, queue: str) -> None:
        """An agent takes the customer out of the queue."""
        truth, wait_ms = self._truth, self._world.now - self._entered_at
        truth.add("contact_queue_waiting", self._channel, queue, by=-1)
        truth.add("contact_visits_total", self._channel, queue, "answered")
        self._observe_wait(queue, "answered", self._world.now)
        if wait_ms <= TARGET_MS[self._channel]:
            truth.add("contact_answered_in_target_total", self._channel, queue)
        self._waited_ms += wait_ms
        self._visit = "answered"

    def wrote(self) -> None:
        """The customer writes."""
        self.answers.asked()

    def replied(self, agent: str) -> None:
        """A person writes to the customer: whoever waits in a queue is answered, the contact is handled."""
        if self._visit == "waiting":
            self.answered(self._visit_queue)
        self.answers.replied(agent)
        self.helped(agent)

    def helped(self, agent: str) -> None:
        """A person serves the customer: the contact is handled."""
        self.facts.served_by(agent)
        self._decide("handled")

    def connected(self, queue: str, agent: str) -> None:
        """An agent's leg begins, out of `queue`; a call that had ended is open again, who waited is answered."""
        if self._visit == "waiting":
            self.answered(self._visit_queue)
            if self._channel == "voice":
                self.answers.spoken(agent, self._world.now - self._entered_at)
        self.passed()
        self._goal = False
        self.ended = False
        self.facts.ended_at = None
        self.leg_queue = queue
        self.requests.reached()
        self.answers.served()
        self.work.began(agent, queue)
        self.helped(agent)

    def transferred(self, kind: str) -> None:
        """The serving agent has handed the caller on."""
        self.facts.moved = True
        self._truth.add("contact_transfers_total", self._channel, self.leg_queue or self._visit_queue, kind)

    def judged(self, word: Word) -> None:
        """The agent's verdict, which stands until another one comes."""
        words = self.facts.words
        for said, sign in ((words[-1:], -1), ([word], 1)):
            for one in said:
                if one.resolution == "resolved":
                    self._truth.add("contact_resolutions_total", self._channel, one.confirmed, by=sign)
        words.append(word)
        if word.resolution == "resolved":
            self.answers.stopped()

    def dropped(self) -> None:
        """The agent ended the call at once."""
        self._truth.add("contact_agent_dropped_total", self._channel, self.leg_queue)

    def hung_up(self, by: str, *, on_hold: bool = False) -> None:
        """The contact is over; `by` as on the wire. A visit that was waiting must have been closed before."""
        self.ended = True
        self.facts.ended_at = self._world.now
        if on_hold and by == "customer":
            self._truth.add("contact_ended_on_hold_total", self._channel, self.leg_queue)
        if self._step:
            lost = "abandoned" if by in {"customer", "unknown"} else "system"
            self._close_step("self_served" if self._goal else lost)
        if not self.facts.outcome:
            self._decide(self._verdict(by))
        self.work.ended(by)
        self.answers.stopped()

    def stand(self, book: "Book", at: int | None) -> None:
        """Book what follows from how the contact stands as of a watermark, ms; None = nobody has fallen silent."""
        facts, channel = self.facts, self._channel
        silent = facts.silent(at)
        if silent:
            book.add("contact_stream_quality_total", "inferred_end")
            if not facts.outcome:
                book.add("contact_contacts_total", channel, self._verdict("nobody", inferred=True))
        if self._visit == "waiting":
            self._stand_waiting(book, silent=silent)
        if not self._world.scenario.hours.is_open(facts.queue, facts.arrived_at):
            book.add("contact_arrivals_outside_opening_total", channel)
        self.answers.stand(book, over=self.ended or silent)
        self.requests.stand(book, at)
        self.work.stand(book)
        work_queue = self.leg_queue or facts.queue
        if self.ended and self.leg_queue and self.first_queue not in {"", self.leg_queue}:
            book.add("contact_misroutes_total", channel, facts.queue)
        last = facts.words[-1].resolution if facts.words else NONE
        if last == "escalated":
            book.add("contact_escalations_total", channel, work_queue)
            book.add("contact_escalated_contacts_total", channel, work_queue)
            book.add("contact_escalated_wait_seconds_total", channel, work_queue, by=self._waited_ms)
            book.add("contact_escalated_handle_seconds_total", channel, work_queue, by=facts.handle_ms or 0)

    def _stand_waiting(self, book: "Book", *, silent: bool) -> None:
        place = self._channel, self._visit_queue
        if silent:
            book.add("contact_queue_waiting", *place, by=-1)
            book.add("contact_visits_total", *place, "unknown")
        else:
            book.since("contact_queue_oldest_entered_timestamp_seconds", *place, at=self._entered_at)

    def _verdict(self, by: str, *, inferred: bool = False) -> str:
        if self._visit == "waiting":
            return "unknown"
        if self._visit:
            return _CONTACT_OF_VISIT.get(self._visit, "system")
        if self._goal:
            return "self_served"
        if inferred:
            return "unknown"
        if by not in {"customer", "unknown"}:
            return "system"
        return "unknown" if self._channel == "email" else "abandoned_step"

    def _decide(self, outcome: str) -> None:
        menus = str(self._menus) if self._menus <= _MENUS_SHOWN else f"{_MENUS_SHOWN + 1}+"
        for one, sign in ((self.facts.outcome, -1), (outcome, 1)):
            if one:
                self._truth.add("contact_contacts_total", self._channel, one, by=sign)
            if one in _LOST:
                self._truth.add("contact_abandoned_path_total", self._channel, menus, by=sign)
        self.facts.outcome = outcome

    def _close_visit(self, queue: str, outcome: str, left_at: int) -> None:
        self._visit = outcome
        self._truth.add("contact_visits_total", self._channel, queue, outcome)
        if outcome in GIVEN_UP:
            self._observe_wait(queue, "abandoned", left_at)
            if left_at - self._entered_at <= TARGET_MS[self._channel]:
                self._truth.add("contact_abandoned_in_target_total", self._channel, queue)

    def _observe_wait(self, queue: str, outcome: str, left_at: int) -> None:
        place = self._channel, queue, outcome
        self._truth.observe("contact_wait_seconds", *place, ms=left_at - self._entered_at)
        opening = self._world.scenario.hours.of(queue)
        if opening is not None:
            self._truth.observe("contact_wait_open_seconds", *place, ms=opening.between(self._entered_at, left_at))

    def passed(self) -> None:
        """The caller goes on, wherever from."""
        self._close_step("continued")

    def _close_step(self, outcome: str) -> None:
        if self._step:
            self.left_step()
            self._truth.add("contact_steps_total", self._step, outcome)
            self._step = ""
