"""In the queue: patience, announcements, offers, ringing, and every way out.

A waiting caller has a list of things that will happen to them unless an agent comes first. Giving up is one of
them: its time is drawn when the caller enters, and whether it comes to that depends on the line.

    entered --agent rings, picks up--> answered
            --patience ends (ringing included)--> abandoned
            --told of the callback, the tape, the key to leave--> callback, voicemail, exited
            --waited too long--> overflow, timeout
            --nobody there, no room, the exchange fails--> closed, full, system

Source: 2-numbers 2.2, 1-events 1.4.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from stream.demo.centre import service
from stream.demo.centre.menu import Listening

if TYPE_CHECKING:
    from stream.demo.centre.call import Call
    from stream.demo.centre.floor import Agent

_MESSAGE_MS: Final = 30_000
_OFFER_CALLBACK_MS: Final = 75_000
_OFFER_TAPE_MS: Final = 135_000
_DECIDE_MS: Final = 7_000
_TIMEOUT_MS: Final = 900_000
_BREAK_MS: Final = 90_000

_EXITS: Final = 0.03
_ACCEPTS_CALLBACK: Final = 0.25
_ACCEPTS_TAPE: Final = 0.3
_FAULT: Final = 0.004
_MISSED: Final = 0.04

Stay = Generator[int | None, Any, str | None]
"""A part of a stay in the queue: None = still waiting, a queue = go there, empty = the call is over."""


def seek_help(call: "Call", queue: str) -> Generator[int | None, Any, None]:
    """Lead the caller through one queue after another until served or gone."""
    while queue:
        queue = yield from _Visit(call, queue).run()


class _Visit:
    """One stay of one caller in one queue."""

    __slots__ = ("_ahead", "_call", "_entered", "_gives_up_at", "_queue")

    def __init__(self, call: "Call", queue: str) -> None:
        self._call = call
        self._queue = queue
        self._entered = call.world.now
        self._gives_up_at = self._entered + _patience(call)
        self._ahead = self._plan()
        call.visited.append(queue)
        call.say("queue.entered", queue=queue)
        call.account.queued(queue)

    @property
    def _wait_ms(self) -> int:
        return self._call.world.now - self._entered

    def run(self) -> Listening:
        """Wait; return the next queue, empty when the call is over."""
        call, floor = self._call, self._call.world.floor
        if not call.world.is_open(self._queue):
            return self._turned_away("closed")
        if floor.waiting(self._queue) >= call.world.scenario.queues[self._queue].capacity:
            return self._turned_away("full")
        floor.seek(self._queue, call.process)
        while True:
            at, what = min(self._ahead)
            agent = yield max(1, at - call.world.now)  # never with what was just said
            if agent is not None:
                onward = yield from self._ring(agent)
            else:
                self._ahead.remove((at, what))
                onward = yield from self._happen(what)
            if onward is not None:
                return onward

    def _plan(self) -> list[tuple[int, str]]:
        """Everything that will happen unless an agent comes first."""
        call, entered = self._call, self._entered
        plan = call.world.scenario.queues[self._queue]
        ahead = [
            (self._gives_up_at, "give_up"),
            (entered + _MESSAGE_MS, "message"),
            (entered + _OFFER_CALLBACK_MS, "callback"),
            (entered + _OFFER_TAPE_MS, "tape"),
            (entered + _TIMEOUT_MS, "timeout"),
        ]
        if plan.overflow_to and plan.overflow_to not in call.visited:
            ahead.append((entered + round(plan.overflow_seconds * 1000), "overflow"))
        if call.happens(_FAULT):
            ahead.append((entered + call.ms(0.0, 120.0), "fault"))
        return ahead

    def _happen(self, what: str) -> Stay:
        """Let one thing happen to the waiting caller."""
        ends = {"give_up": self._give_up, "fault": self._fail, "timeout": self._time_out, "overflow": self._overflow}
        if what in ends:
            return ends[what]()
        offers = {"callback": self._offer_callback, "tape": self._offer_tape, "message": self._hear_message}
        return (yield from offers[what]())

    def _ring(self, agent: "Agent") -> Stay:
        """An agent's telephone rings; the caller still waits."""
        call = self._call
        call.say("agent.offered", agent=agent.name)
        missed = call.happens(_MISSED)
        rings_ms = call.ms(12.0, 20.0) if missed else call.ms(1.0, 6.0)
        left_ms = max(0, self._gives_up_at - call.world.now)
        yield min(rings_ms, left_ms)
        if left_ms < rings_ms:
            call.world.floor.release(agent)
            return self._hang_up_waiting("customer", "abandoned")
        if missed:
            reason = "no_answer" if call.told else "rejected" if call.happens(0.3) else "busy"
            call.say("agent.missed", agent=agent.name, reason=reason)
            call.account.missed(reason)
            call.world.roster.rest(agent, "missed" if call.told else "", _BREAK_MS)
            call.world.floor.seek(self._queue, call.process, first=True)
            return None
        return (yield from self._answer(agent))

    def _answer(self, agent: "Agent") -> Stay:
        call, wait_ms = self._call, self._wait_ms
        if call.told:
            call.say("queue.left", queue=self._queue, reason="agent")
            call.say("agent.connected", agent=agent.name, wait_ms=wait_ms, **call.papers())
        else:
            call.say("agent.connected", agent=agent.name, queue=self._queue, **call.papers())
        call.account.connected(self._queue, agent.name)
        return (yield from service.serve(call, agent, self._queue))

    def _give_up(self) -> str:
        self._call.world.floor.leave(self._queue, self._call.process)
        by = "unknown" if not self._call.told and self._call.happens(0.05) else "customer"
        return self._hang_up_waiting(by, "abandoned")

    def _fail(self) -> str:
        self._call.world.floor.leave(self._queue, self._call.process)
        return self._hang_up_waiting("third_party" if self._call.happens(0.3) else "system", "system")

    def _hang_up_waiting(self, by: str, outcome: str) -> str:
        """The call ends in the queue; pbx2 says of those who gave up that they left it."""
        call = self._call
        if outcome == "abandoned" and call.told:
            call.say("queue.left", queue=self._queue, reason="abandoned", wait_ms=self._wait_ms)
        call.account.left(self._queue, outcome)
        call.hang_up(by)
        return ""

    def _turned_away(self, reason: str) -> str:
        """Nobody there, or no room: out again at once."""
        self._leave(reason)
        self._call.hang_up("system")
        return ""

    def _time_out(self) -> str:
        self._call.world.floor.leave(self._queue, self._call.process)
        return self._turned_away("timeout")

    def _overflow(self) -> str:
        """On to the next queue; pbx1 leaves it to the entering to say so."""
        call = self._call
        call.world.floor.leave(self._queue, call.process)
        if call.told:
            call.say("queue.left", queue=self._queue, reason="overflow")
        call.account.left(self._queue, "overflow")
        return call.world.scenario.queues[self._queue].overflow_to

    def _leave(self, reason: str) -> None:
        self._call.say("queue.left", queue=self._queue, reason=reason)
        self._call.account.left(self._queue, reason)

    def _hear_message(self) -> Stay:
        """The music stops for a moment: stay, or press the key that leaves."""
        call = self._call
        self._hear("hold_message")
        self._ahead.append((call.world.now + 2 * _MESSAGE_MS, "message"))
        if not call.happens(_EXITS):
            return None
        call.world.floor.leave(self._queue, call.process)
        self._leave("exited")
        yield call.ms(0.5, 2.0)
        call.hang_up("customer")
        return ""

    def _hear(self, step: str) -> None:
        self._call.say("step.entered", step=step)
        self._call.account.stepped(step)

    def _decide(self) -> Generator[int | None, Any, "Agent | None"]:
        """Think about an offer; an agent may come first."""
        agent: Agent | None = yield min(_DECIDE_MS, max(0, self._gives_up_at - self._call.world.now))
        return agent

    def _offer_callback(self) -> Stay:
        call = self._call
        self._hear("callback_offer")
        agent = yield from self._decide()
        if agent is not None:
            return (yield from self._ring(agent))
        if call.world.now >= self._gives_up_at:
            return None
        if not call.happens(_ACCEPTS_CALLBACK):
            self._hear("hold_message")
            return None
        call.world.floor.leave(self._queue, call.process)
        self._leave("callback")
        call.say("callback.requested")
        call.account.asked_callback()
        yield call.ms(1.0, 3.0)
        call.hang_up("customer")
        call.callback = self._queue
        return ""

    def _offer_tape(self) -> Stay:
        call = self._call
        if not call.happens(_ACCEPTS_TAPE):
            return None
        call.world.floor.leave(self._queue, call.process)
        left_at = call.world.now
        self._leave("voicemail")
        yield call.ms(0.2, 1.0)
        self._hear("voicemail")
        yield call.ms(5.0, 40.0)
        if call.happens(0.2):
            call.say("voicemail.abandoned")
            call.account.left_no_message(self._queue, left_at)
        else:
            call.say("voicemail.left")
            call.account.left_message()
        call.hang_up("customer")
        return ""


def _patience(call: "Call") -> int:
    """How long this caller will wait in this queue, ms."""
    if call.happens(call.world.scenario.impatient):
        return call.ms(0.3, 7.0)
    return round(2000 + call.rng.expovariate(1 / call.world.scenario.patience_seconds) * 1000)
