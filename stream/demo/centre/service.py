"""With an agent: talk, hold, transfers, the end of the call, wrap-up, verdict, and the callback later.

A leg runs from the connect to the agent's leaving or the call's end. Who holds the customer on the line, and how
long the customer bears it, are drawn; whether the customer hangs up on hold follows. Most transfers mend a wrong
key pressed in the menu.

Source: 2-numbers 2.5 and 2.6.
"""

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from stream.demo.centre import aftermath
from stream.demo.scenario import AGENT_DROP_MS

if TYPE_CHECKING:
    from stream.demo.centre.call import Call
    from stream.demo.centre.floor import Agent

_DROPS: Final = 0.004
_FAULT: Final = 0.003
_HOLDS: Final = 0.25
_CONSULTS: Final = 0.05
_EXTERNAL: Final = 0.01
_MENDS: Final = 0.9
_TRANSFER_FAILS: Final = 0.05
_NO_WRAPUP: Final = 0.2
_REACHED: Final = 0.6
_FORGOTTEN: Final = 0.1
_BELATED: Final = 0.08
_ATTEMPTS: Final = 3
_RETRY_MS: Final = 120_000
_RETRIES: Final = 40

Talk = Generator[int | None, Any, str | None]
"""A part of a talk: None = it goes on, a queue = the caller waits there next, empty = the call is over."""


class _Leg:
    """One agent's time with the caller."""

    __slots__ = ("agent", "call", "connected_at", "held_since", "hold_ms", "queue")

    def __init__(self, call: "Call", agent: "Agent", queue: str) -> None:
        self.call = call
        self.agent = agent
        self.queue = queue
        self.connected_at = call.world.now
        self.held_since: int | None = None
        self.hold_ms = 0

    def hold(self) -> None:
        self.held_since = self.call.world.now
        self.call.say("hold.started", **self._who())

    def resume(self) -> None:
        self._stop_holding()
        self.call.say("hold.ended", **self._who())

    def close(self) -> None:
        """Write the leg into the books; the caller or the agent has just gone."""
        self._stop_holding()
        talk_ms = self.call.world.now - self.connected_at - self.hold_ms
        self.call.account.work.served(self.agent.name, talk_ms, self.hold_ms)

    def _stop_holding(self) -> None:
        if self.held_since is not None:
            self.hold_ms += self.call.world.now - self.held_since
            self.held_since = None

    def _who(self) -> dict[str, str]:
        return {"agent": self.agent.name} if self.call.told else {}


def serve(call: "Call", agent: "Agent", queue: str) -> Generator[int | None, Any, str]:
    """Talk with an agent who has just connected.

    Returns:
        The queue the caller was sent to; empty when the call is over.
    """
    leg = _Leg(call, agent, queue)
    if call.happens(_DROPS):
        yield call.rng.randrange(500, AGENT_DROP_MS)
        call.account.dropped()
        return _end(leg, "agent")
    talk_ms = _talk_ms(call, queue)
    if call.happens(_HOLDS):
        yield round(talk_ms * 0.3)
        onward = yield from _hold(leg, round(call.rng.expovariate(1 / 45) * 1000) + 1000)
        if onward is not None:
            return onward
    sent = yield from _hand_on(leg)
    if sent is not None:
        return sent
    return (yield from _finish(leg, talk_ms))


def _finish(leg: _Leg, talk_ms: int) -> Generator[int | None, Any, str]:
    """The rest of a talk, to its end."""
    call = leg.call
    if call.happens(_FAULT):
        yield round(talk_ms * call.rng.random())
        return _end(leg, "system")
    yield round(talk_ms * 0.7)
    return _end(leg, "agent" if call.happens(0.2) else "customer")


def _talk_ms(call: "Call", queue: str) -> int:
    median = call.world.scenario.queues[queue].talk_seconds
    seconds = median * math.exp(0.55 * call.rng.normalvariate(0.0, 1.0))
    return round(min(2700.0, max(12.0, seconds)) * 1000)


def _end(leg: _Leg, by: str, *, on_hold: bool = False) -> str:
    """The call ends in this leg, and the agent wraps up."""
    call = leg.call
    leg.close()
    call.hang_up(by, on_hold=on_hold)
    call.verdict = aftermath.draw_verdict(call)
    call.world.agenda.start(_wrap_up(call, leg.agent, last=True))
    return ""


def _hold(leg: _Leg, length_ms: int) -> Talk:
    """Put the caller on hold; who bears it shorter than it lasts hangs up."""
    call = leg.call
    bears_ms = round(call.rng.expovariate(1 / call.world.scenario.hold_patience_seconds) * 1000) + 2000
    leg.hold()
    yield min(length_ms, bears_ms)
    if bears_ms < length_ms:
        return _end(leg, "customer", on_hold=True)
    leg.resume()
    return None


def _hand_on(leg: _Leg) -> Talk:
    """Perhaps transfer the caller: to the right queue, to a specialist, or out of the house."""
    call = leg.call
    if leg.queue != call.concern and call.concern not in call.visited and call.happens(_MENDS):
        yield call.ms(20.0, 60.0)
        return (yield from _send_to_queue(leg, call.concern))
    fate = call.rng.random()
    if fate < _CONSULTS:
        return (yield from _consult(leg))
    if fate < _CONSULTS + _EXTERNAL:
        yield call.ms(20.0, 60.0)
        return (yield from _send_outside(leg))
    return None


def _send_to_queue(leg: _Leg, queue: str) -> Talk:
    """Back into another line: blind, or with the queue's own transfer."""
    call = leg.call
    kind = "blind" if call.happens(0.5) else "queue"
    call.say("transfer.started", kind=kind, to_queue=queue)
    yield call.ms(1.0, 4.0)
    if call.happens(_TRANSFER_FAILS):
        call.say("transfer.failed", kind=kind, to_queue=queue)
        return None
    _part(leg, kind, {"to_queue": queue})
    return queue


def _part(leg: _Leg, kind: str, whom: dict[str, str]) -> None:
    """The agent leaves the caller to somebody else, and wraps up."""
    call = leg.call
    call.say("transfer.completed", kind=kind, **whom)
    call.account.transferred(kind)
    call.say("agent.left", agent=leg.agent.name)
    leg.close()
    call.world.agenda.start(_wrap_up(call, leg.agent, last=False))


def _send_outside(leg: _Leg) -> Talk:
    """To a number outside: the exchange sees the line, but not the talk."""
    call = leg.call
    call.say("transfer.started", kind="external")
    yield call.ms(1.0, 4.0)
    _part(leg, "external", {})
    yield call.ms(30.0, 400.0)
    call.hang_up("unknown")
    return ""


def _consult(leg: _Leg) -> Talk:
    """Ask a specialist while the customer holds, then hand over; nobody free, or too long a hold, and it fails."""
    call = leg.call
    others = [queue for queue in call.world.scenario.queues if queue != leg.queue]
    yield call.ms(5.0, 20.0)
    call.say("transfer.started", kind="consult")
    specialist = call.world.floor.take(call.rng.choice(others))
    onward = yield from _hold(leg, call.ms(8.0, 40.0))
    if onward is not None or specialist is None:
        if specialist is not None:
            call.world.floor.release(specialist)
        if onward is None:
            call.say("transfer.failed", kind="consult")
        return onward
    yield call.ms(0.5, 2.0)
    _part(leg, "consult", {"to_agent": specialist.name})
    call.say("agent.connected", agent=specialist.name)
    call.account.connected(leg.queue, specialist.name)
    second = _Leg(call, specialist, leg.queue)
    return (yield from _finish(second, _talk_ms(call, leg.queue)))


def _wrap_up(call: "Call", agent: "Agent", *, last: bool) -> Generator[int | None, Any, None]:
    """After a leg: notes, and after the last one perhaps a verdict."""
    if not call.happens(_NO_WRAPUP):
        wrapup_ms = call.ms(5.0, 60.0)
        call.say("wrapup.started", agent=agent.name)
        call.account.work.wrapping()
        call.world.roster.wrap_up(agent)
        yield wrapup_ms
        call.say("wrapup.ended", agent=agent.name)
        call.account.work.wrapped(agent.name, wrapup_ms)
        if last:
            aftermath.give_verdict(call)
    call.world.roster.let_go(agent, call.rng)


def call_back(call: "Call", queue: str) -> Generator[int | None, Any, None]:
    """Ring a caller who asked for it, once an agent has time; who answers is served after all.

    A few are forgotten, some are rung in vain and tried again, a few are served when nobody expects it any more.
    """
    if call.happens(_FORGOTTEN):
        return
    yield call.ms(300.0, 1800.0) + (call.world.scenario.expiry_ms if call.happens(_BELATED) else 0)
    for _ in range(call.rng.randint(1, _ATTEMPTS)):
        agent = yield from _somebody(call, queue)
        if agent is None:
            return
        call.say("callback.attempted")
        call.account.requests.tried()
        yield call.ms(5.0, 20.0)
        if call.happens(_REACHED):
            call.say("agent.connected", agent=agent.name, queue=queue, **call.papers())
            call.account.connected(queue, agent.name)
            leg = _Leg(call, agent, queue)
            yield _talk_ms(call, queue)
            _end(leg, "customer")
            return
        call.world.roster.let_go(agent, call.rng)
        yield call.ms(300.0, 3600.0)


def _somebody(call: "Call", queue: str) -> "Generator[int | None, Any, Agent | None]":
    """Wait until an agent has time; None = nobody had for long."""
    for _ in range(_RETRIES):
        agent = call.world.floor.take(queue)
        if agent is not None:
            return agent
        yield _RETRY_MS
    return None
