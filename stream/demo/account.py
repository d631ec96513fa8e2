"""The books of one simulated call: what its caller did, written into the truth at the moment of the decision.

An account is told decisions ("gave up after 31 s"), not events, and knows the definitions only as far as a
bookkeeper does: which figure a decision moves. It never looks at what was sent.

Source: 2-numbers 2.2 to 2.6.
"""

from typing import TYPE_CHECKING, Final

from stream.demo.scenario import RESPONSE_TARGET_MS, SHORT_ABANDON_MS, TARGET_MS
from stream.demo.truth import CHANNEL

if TYPE_CHECKING:
    from stream.demo.truth import Truth

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
    """The books of one call.

    Attributes:
        first_queue: where its first visit was; empty before.
        leg_queue: the queue the serving agent answered from; empty before an agent connects.
    """

    __slots__ = (
        "_booked",
        "_first_leg",
        "_goal",
        "_hold_ms",
        "_outcome",
        "_responded",
        "_step",
        "_talk_ms",
        "_truth",
        "_visit",
        "_wrapping",
        "_wrapup_ms",
        "ended",
        "first_queue",
        "leg_queue",
    )

    def __init__(self, truth: "Truth", *, identified: bool) -> None:
        """Open the books at the caller's arrival; `identified` = the line knows who calls."""
        self._truth = truth
        self._step = ""
        self._goal = False
        self._visit = ""  # outcome of the last visit; "waiting" while it lasts
        self._outcome = ""  # of the contact, as booked
        self._responded = False
        self._first_leg = ""
        self._talk_ms = self._hold_ms = self._wrapup_ms = 0
        self._wrapping = 0
        self._booked: tuple[int, int, int] | None = None
        self.ended = False
        self.first_queue = ""
        self.leg_queue = ""
        truth.add("contact_arrivals_total", CHANNEL, "inbound")
        if not identified:
            truth.add("contact_stream_quality_total", "unidentified")

    def identified(self) -> None:
        """The caller said who they are."""
        self._truth.add("contact_stream_quality_total", "unidentified", by=-1)

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
        self.first_queue = self.first_queue or queue
        self._visit = "waiting"
        self._truth.add("contact_visits_entered_total", CHANNEL, queue)
        self._truth.add("contact_queue_waiting", CHANNEL, queue)

    def left(self, queue: str, outcome: str, wait_ms: int) -> None:
        """The visit is over without an agent; `abandoned` becomes short by the wait."""
        self._truth.add("contact_queue_waiting", CHANNEL, queue, by=-1)
        if outcome == "abandoned" and wait_ms < SHORT_ABANDON_MS:
            outcome = "abandoned_short"
        self._close_visit(queue, outcome, wait_ms)
        if outcome in {"callback", "voicemail"}:
            self._close_step("continued")
            if self._outcome != "handled":
                self._decide(outcome)

    def asked_callback(self) -> None:
        """The caller asked to be called back."""
        self._close_step("continued")

    def left_message(self) -> None:
        """The caller spoke on the tape."""
        self._close_step("continued")

    def left_no_message(self, queue: str, wait_ms: int) -> None:
        """The caller hung up on the tape: the voicemail visit was an abandoned one after all."""
        self._truth.add("contact_visits_total", CHANNEL, queue, "voicemail", by=-1)
        self._close_visit(queue, "abandoned", wait_ms)
        if self._outcome == "voicemail":
            self._decide("")

    def answered(self, queue: str, wait_ms: int) -> None:
        """An agent takes the caller out of the queue."""
        truth = self._truth
        truth.add("contact_queue_waiting", CHANNEL, queue, by=-1)
        truth.add("contact_visits_total", CHANNEL, queue, "answered")
        truth.observe("contact_wait_seconds", CHANNEL, queue, "answered", ms=wait_ms)
        if wait_ms <= TARGET_MS:
            truth.add("contact_answered_in_target_total", CHANNEL, queue)
        if not self._responded:
            self._responded = True
            truth.observe("contact_first_response_seconds", CHANNEL, self.first_queue, ms=wait_ms)
            if wait_ms <= RESPONSE_TARGET_MS:
                truth.add("contact_responses_in_target_total", CHANNEL, self.first_queue)
        self._visit = "answered"
        self.connected(queue)

    def connected(self, queue: str) -> None:
        """An agent speaks with the caller, out of `queue`; a call that had ended is open again."""
        self._close_step("continued")
        self._goal = False
        self.ended = False
        self.leg_queue = queue
        self._first_leg = self._first_leg or queue
        self._decide("handled")
        self._book_handling()

    def served(self, talk_ms: int, hold_ms: int) -> None:
        """One agent's leg is over; booked when the handle time is complete."""
        self._talk_ms += talk_ms
        self._hold_ms += hold_ms

    def transferred(self, kind: str) -> None:
        """The serving agent has handed the caller on."""
        self._truth.add("contact_transfers_total", CHANNEL, self.leg_queue, kind)

    def escalated(self) -> None:
        """The agent's verdict: escalated."""
        self._truth.add("contact_escalations_total", CHANNEL, self.leg_queue)

    def dropped(self) -> None:
        """The agent ended the call at once."""
        self._truth.add("contact_agent_dropped_total", CHANNEL, self.leg_queue)

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
        """The call is over; `by` as on the wire. A visit that was waiting must have been closed before."""
        self.ended = True
        if on_hold and by == "customer":
            self._truth.add("contact_ended_on_hold_total", CHANNEL, self.leg_queue)
        if self._step:
            lost = "abandoned" if by in {"customer", "unknown"} else "system"
            self._close_step("self_served" if self._goal else lost)
        if not self._outcome:
            self._decide(self._verdict(by))
        self._book_handling()

    def _verdict(self, by: str) -> str:
        if self._visit:
            return _CONTACT_OF_VISIT.get(self._visit, "system")
        if self._goal:
            return "self_served"
        return "abandoned_step" if by in {"customer", "unknown"} else "system"

    def _decide(self, outcome: str) -> None:
        if self._outcome:
            self._truth.add("contact_contacts_total", CHANNEL, self._outcome, by=-1)
        if outcome:
            self._truth.add("contact_contacts_total", CHANNEL, outcome)
        self._outcome = outcome

    def _close_visit(self, queue: str, outcome: str, wait_ms: int) -> None:
        self._visit = outcome
        self._truth.add("contact_visits_total", CHANNEL, queue, outcome)
        if outcome in GIVEN_UP:
            self._truth.observe("contact_wait_seconds", CHANNEL, queue, "abandoned", ms=wait_ms)
            if wait_ms <= TARGET_MS:
                self._truth.add("contact_abandoned_in_target_total", CHANNEL, queue)

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
        truth.add("contact_handled_total", CHANNEL, queue, by=sign)
        truth.observe("contact_handle_seconds", CHANNEL, queue, ms=sum(parts), by=sign)
        for name, ms in zip(("talk", "hold", "wrapup"), parts, strict=True):
            truth.add(f"contact_{name}_seconds_total", CHANNEL, queue, by=sign * ms)
