"""The books of one simulated contact: what its customer did, written into the truth at the moment of the decision.

An account is told decisions ("gave up after 31 s"), not events, and knows the definitions only as far as a
bookkeeper does: which figure a decision moves. It never looks at what was sent. What cases depend on it writes into
the contact's facts.

Source: 2-numbers 2.2 to 2.6.
"""

from typing import TYPE_CHECKING, Final

from stream.demo.facts import Word
from stream.demo.scenario import RESPONSE_TARGET_MS, SHORT_ABANDON_MS, TARGET_MS

if TYPE_CHECKING:
    from stream.demo.facts import Facts
    from stream.demo.world import World

GIVEN_UP: Final = frozenset(("abandoned", "abandoned_short", "exited"))
"""Outcomes of a visit that are in the abandoned wait histogram."""

_CONTACT_OF_VISIT: Final = {
    "abandoned": "abandoned",
    "abandoned_short": "abandoned_short",
    "exited": "abandoned",
    "voicemail": "voicemail",
    "callback": "callback",
}
"""What a contact without an agent comes to, by its last visit; every other outcome: `system`."""


class Account:
    """The books of one inbound contact.

    Attributes:
        first_queue: where its first visit was; empty before.
        leg_queue: the queue the serving agent answered from; empty before an agent connects.
    """

    __slots__ = (
        "_booked",
        "_channel",
        "_facts",
        "_first_leg",
        "_goal",
        "_hold_ms",
        "_responded",
        "_step",
        "_talk_ms",
        "_truth",
        "_visit",
        "_world",
        "_wrapping",
        "_wrapup_ms",
        "ended",
        "first_queue",
        "leg_queue",
    )

    def __init__(self, world: "World", facts: "Facts") -> None:
        """Open the books at the customer's arrival; `facts.name` = the line knows who calls."""
        self._world = world
        self._truth = world.truth
        self._facts = facts
        self._channel = facts.channel
        self._step = ""
        self._goal = False
        self._visit = ""  # outcome of the last visit; "waiting" while it lasts
        self._responded = False
        self._first_leg = ""
        self._talk_ms = self._hold_ms = self._wrapup_ms = 0
        self._wrapping = 0
        self._booked: tuple[int, int, int] | None = None
        self.ended = False
        self.first_queue = ""
        self.leg_queue = ""
        self._truth.add("contact_arrivals_total", self._channel, "inbound")
        if not facts.name:
            self._truth.add("contact_stream_quality_total", "unidentified")

    def named(self, name: str) -> None:
        """The customer said who they are, or another name than before."""
        if not self._facts.name:
            self._truth.add("contact_stream_quality_total", "unidentified", by=-1)
        self._facts.name = name

    def stepped(self, step: str) -> None:
        """The caller hears or meets `step`, and has passed the step before."""
        self._close_step("continued")
        self._truth.add("contact_steps_total", step, "entered")
        self._step = step

    def reached_goal(self) -> None:
        """The machine has served the caller, if nothing follows."""
        self._goal = True

    def queued(self, queue: str) -> None:
        """The caller begins to wait."""
        self._close_step("continued")
        self._goal = False
        self.first_queue = self._facts.queue = self.first_queue or queue
        self._visit = "waiting"
        self._truth.add("contact_visits_entered_total", self._channel, queue)
        self._truth.add("contact_queue_waiting", self._channel, queue)

    def left(self, queue: str, outcome: str, wait_ms: int) -> None:
        """The visit is over without an agent; `abandoned` becomes short by the wait."""
        self._truth.add("contact_queue_waiting", self._channel, queue, by=-1)
        if outcome == "abandoned" and wait_ms < SHORT_ABANDON_MS:
            outcome = "abandoned_short"
        self._close_visit(queue, outcome, wait_ms)
        if outcome in {"callback", "voicemail"}:
            self._close_step("continued")
            if self._facts.outcome != "handled":
                self._facts.asked_at = self._world.now
                self._decide(outcome)

    def asked_callback(self) -> None:
        """The caller asked to be called back."""
        self._close_step("continued")

    def left_message(self) -> None:
        """The caller spoke on the tape."""
        self._close_step("continued")
        if self._facts.outcome == "voicemail":
            self._facts.asked_at = self._world.now

    def left_no_message(self, queue: str, wait_ms: int) -> None:
        """The caller hung up on the tape: the voicemail visit was an abandoned one after all."""
        self._truth.add("contact_visits_total", self._channel, queue, "voicemail", by=-1)
        self._close_visit(queue, "abandoned", wait_ms)
        if self._facts.outcome == "voicemail":
            self._facts.asked_at = None
            self._decide("")

    def answered(self, queue: str, wait_ms: int) -> None:
        """An agent takes the customer out of the queue."""
        truth = self._truth
        truth.add("contact_queue_waiting", self._channel, queue, by=-1)
        truth.add("contact_visits_total", self._channel, queue, "answered")
        truth.observe("contact_wait_seconds", self._channel, queue, "answered", ms=wait_ms)
        if wait_ms <= TARGET_MS[self._channel]:
            truth.add("contact_answered_in_target_total", self._channel, queue)
        self._visit = "answered"

    def responded(self, wait_ms: int) -> None:
        """The customer got the first answer; whatever comes later is none."""
        if self._responded:
            return
        self._responded = True
        self._truth.observe("contact_first_response_seconds", self._channel, self.first_queue, ms=wait_ms)
        if wait_ms <= RESPONSE_TARGET_MS[self._channel]:
            self._truth.add("contact_responses_in_target_total", self._channel, self.first_queue)

    def unanswered(self, queue: str, by: int) -> None:
        """A customer waits for an answer in a chat, or does not any more."""
        self._truth.add("contact_unanswered", self._channel, queue, by=by)

    def replied(self, waited_ms: int) -> None:
        """The customer's line was answered after `waited_ms`."""
        if self._responded or self.ended:
            self._truth.observe("contact_next_response_seconds", self._channel, self.first_queue, ms=waited_ms)
        else:
            self.responded(waited_ms)

    def helped(self, agent: str) -> None:
        """A person serves the customer: the contact is handled."""
        self._close_step("continued")
        self._goal = False
        self._facts.agents.add(agent)
        self._decide("handled")

    def connected(self, queue: str, agent: str) -> None:
        """An agent's leg begins, out of `queue`; a call that had ended is open again."""
        self.ended = False
        self._facts.ended_at = None
        self.leg_queue = queue
        self._first_leg = self._first_leg or queue
        self.helped(agent)
        self._book_handling()

    def served(self, talk_ms: int, hold_ms: int) -> None:
        """One agent's leg is over; booked when the handle time is complete."""
        self._talk_ms += talk_ms
        self._hold_ms += hold_ms

    def transferred(self, kind: str) -> None:
        """The serving agent has handed the caller on."""
        self._facts.moved = True
        self._truth.add("contact_transfers_total", self._channel, self.leg_queue, kind)

    def judged(self, word: Word) -> None:
        """The agent's verdict, which stands until another one comes."""
        words = self._facts.words
        if words:
            self._book_word(words[-1], -1)
        words.append(word)
        self._book_word(word, 1)

    def _book_word(self, word: Word, sign: int) -> None:
        if word.resolution == "escalated":
            queue = self.leg_queue or self.first_queue
            self._truth.add("contact_escalations_total", self._channel, queue, by=sign)
        if word.resolution == "resolved":
            self._truth.add("contact_resolutions_total", self._channel, word.confirmed, by=sign)

    def dropped(self) -> None:
        """The agent ended the call at once."""
        self._truth.add("contact_agent_dropped_total", self._channel, self.leg_queue)

    def wrapping(self) -> None:
        """An agent begins to wrap up: the handle time is not complete."""
        self._wrapping += 1
        self._book_handling()

    def wrapped(self, wrapup_ms: int) -> None:
        """An agent has wrapped up."""
        self._wrapping -= 1
        self._wrapup_ms += wrapup_ms
        self._book_handling()

    def hung_up(self, by: str, *, on_hold: bool = False) -> None:
        """The contact is over; `by` as on the wire. A visit that was waiting must have been closed before."""
        self.ended = True
        self._facts.ended_at = self._world.now
        if on_hold and by == "customer":
            self._truth.add("contact_ended_on_hold_total", self._channel, self.leg_queue)
        if self._step:
            lost = "abandoned" if by in {"customer", "unknown"} else "system"
            self._close_step("self_served" if self._goal else lost)
        if not self._facts.outcome:
            self._decide(self._verdict(by))
        self._book_handling()

    def _verdict(self, by: str) -> str:
        if self._visit:
            return _CONTACT_OF_VISIT.get(self._visit, "system")
        if self._goal:
            return "self_served"
        return "abandoned_step" if by in {"customer", "unknown"} else "system"

    def _decide(self, outcome: str) -> None:
        if self._facts.outcome:
            self._truth.add("contact_contacts_total", self._channel, self._facts.outcome, by=-1)
        if outcome:
            self._truth.add("contact_contacts_total", self._channel, outcome)
        self._facts.outcome = outcome

    def _close_visit(self, queue: str, outcome: str, wait_ms: int) -> None:
        self._visit = outcome
        self._truth.add("contact_visits_total", self._channel, queue, outcome)
        if outcome in GIVEN_UP:
            self._truth.observe("contact_wait_seconds", self._channel, queue, "abandoned", ms=wait_ms)
            if wait_ms <= TARGET_MS[self._channel]:
                self._truth.add("contact_abandoned_in_target_total", self._channel, queue)

    def _close_step(self, outcome: str) -> None:
        if self._step:
            self._truth.add("contact_steps_total", self._step, outcome)
            self._step = ""

    def _book_handling(self) -> None:
        """Bring the handle figures to what is complete now: all of it or nothing."""
        complete = self.ended and self._first_leg and not self._wrapping
        parts = (self._talk_ms, self._hold_ms, self._wrapup_ms) if complete else None
        if parts == self._booked:
            return
        for figures, sign in ((self._booked, -1), (parts, 1)):
            if figures is not None:
                self._book(figures, sign)
        self._booked = parts

    def _book(self, parts: tuple[int, int, int], sign: int) -> None:
        queue, truth = self._first_leg, self._truth
        truth.add("contact_handled_total", self._channel, queue, by=sign)
        truth.observe("contact_handle_seconds", self._channel, queue, ms=sum(parts), by=sign)
        for name, ms in zip(("talk", "hold", "wrapup"), parts, strict=True):
            truth.add(f"contact_{name}_seconds_total", self._channel, queue, by=sign * ms)
