"""Before the queue: welcome, menus, self-service, and those who hang up on the machine.

Every step is announced by `step.entered`; pbx2 also says how it was left. A caller who reaches a goal usually ends
the call, a few go on to a human all the same.

Source: 2-numbers 2.4.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from stream.demo.centre.call import Call

Listening = Generator[int | None, Any, str]
"""A part of a journey that returns the queue to go to, empty when the call is over."""

_FAULT: Final = 0.002
_SAYS_LATER: Final = 0.5
_WRONG_KEY: Final = 0.04
_UNHEARD: Final = 0.05
_CALL_ME: Final = 0.01


class _Node(NamedTuple):
    """One step of the machine: how long it takes (s), and what share hang up in it or are served by it."""

    name: str
    shortest: float
    longest: float
    hang_up: float
    goal: float


_WELCOME: Final = _Node("welcome", 4.0, 7.0, 0.015, 0.0)
_MAIN: Final = _Node("menu:main", 5.0, 18.0, 0.02, 0.06)
_NODES: Final = {
    "menu:billing": _Node("menu:billing", 6.0, 25.0, 0.03, 0.16),
    "menu:support": _Node("menu:support", 4.0, 15.0, 0.025, 0.05),
}


def listen(call: "Call") -> Listening:
    """Lead the caller through the machine; return the queue chosen, empty when the call ended on the way."""
    nodes = [_WELCOME, _MAIN]
    menu = call.world.scenario.queues[call.concern].menu
    if menu:
        nodes.append(_NODES[menu])
    for node in nodes:
        going_on = yield from _meet(call, node)
        if not going_on:
            return ""
    return _chosen(call)


def _chosen(call: "Call") -> str:
    """The queue the caller's keys lead to: nearly always the right one."""
    if not call.happens(_WRONG_KEY):
        return call.concern
    others = [queue for queue in call.world.scenario.queues if queue != call.concern]
    return call.rng.choice(others)


def _meet(call: "Call", node: _Node) -> Generator[int | None, Any, bool]:
    """One step; returns whether the caller goes on."""
    fields = call.naming(_SAYS_LATER) if node.name.startswith("menu:") else {}
    call.say("step.entered", step=node.name, **fields)
    call.account.stepped(node.name)
    length_ms = call.ms(node.shortest, node.longest)
    fate = call.rng.random()
    if fate < _FAULT:
        yield round(length_ms * call.rng.random())
        call.hang_up("system")
        return False
    if fate < _FAULT + node.hang_up:
        yield round(length_ms * call.rng.random())
        call.hang_up("unknown" if call.happens(0.1) else "customer")
        return False
    yield length_ms
    if fate < _FAULT + node.hang_up + node.goal:
        return (yield from _served(call))
    if node is _MAIN and call.happens(_UNHEARD):
        call.say("step.left", result="failed")
        call.account.left_step()
        return (yield from _meet(call, node))
    if call.told:
        call.say("step.left", result="continued")
        call.account.left_step()
    if node.name.startswith("menu:") and call.happens(_CALL_ME):
        return (yield from _ask_callback(call))
    return True


def _ask_callback(call: "Call") -> Generator[int | None, Any, bool]:
    """The caller asks for a call instead of waiting."""
    call.say("callback.requested", queue=call.concern)
    call.account.destined(call.concern)
    call.account.asked_callback()
    yield call.ms(1.0, 3.0)
    call.hang_up("customer")
    call.callback = call.concern
    return False


def _served(call: "Call") -> Generator[int | None, Any, bool]:
    """The machine has helped; returns whether the caller wants a human all the same."""
    call.say("step.left", result="goal")
    call.account.reached_goal()
    yield call.ms(1.0, 4.0)
    if call.happens(0.12):
        return True
    call.hang_up("customer")
    return False
