"""One simulated chat: the customer writes, waits for an agent, and both write until one of them leaves.

No queue is named but in the contact's own field, so that the wait is the implicit visit of 2-numbers 2.2. About half
the chats tell when an agent takes them; the others show it by the first reply, and have no handle time.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from stream.demo import aftermath
from stream.demo.contact import Contact
from stream.demo.waiting import is_open
from stream.demo.world import CHATS

if TYPE_CHECKING:
    from stream.demo.agenda import Process
    from stream.demo.contact import Reason
    from stream.demo.floor import Agent
    from stream.demo.world import World

_TOLD: Final = 0.5
_PATIENCE_S: Final = 300.0
_ROUNDS: Final = 3
_THANKS: Final = 0.15
_RETURNS: Final = 0.1


class Chat(Contact):
    """One chat.

    Attributes:
        queue: where it waits.
        process: its journey.
    """

    __slots__ = ("_asked_at", "_told", "process", "queue")

    process: "Process"

    def __init__(self, world: "World", reason: "Reason") -> None:
        """Let the customer write now."""
        super().__init__(world, reason)
        self.queue = reason.errand.concern
        self._told = self.happens(_TOLD)
        self._source = CHATS
        self._asked_at: int | None = None
        self.say("contact.started", queue=self.queue, **self.greeting())
        self.account.queued(self.queue)
        self.write()

    def write(self) -> None:
        """The customer writes a line."""
        self.say("message.received")
        if self._asked_at is None:
            self._asked_at = self.world.now
            if not self.account.ended:
                self.account.unanswered(self.queue, 1)

    def take(self, agent: "Agent") -> None:
        """An agent takes the chat, and the channel says so, or not."""
        if self._told:
            self.say("agent.connected", agent=agent.name, **self.papers())
            self.account.answered(self.queue, self.world.now - self.facts.arrived_at)
            self.account.connected(self.queue, agent.name)

    def reply(self, agent: "Agent") -> None:
        """An agent writes a line; the first one of all may be what takes the chat."""
        self.say("message.sent", by="agent", agent=agent.name, **self.papers())
        if not self._told and not self.facts.agents:
            self.account.answered(self.queue, self.world.now - self.facts.arrived_at)
        self.account.helped(agent.name)
        if self._asked_at is None:
            return
        waited_ms, self._asked_at = self.world.now - self._asked_at, None
        if not self.account.ended:
            self.account.unanswered(self.queue, -1)
        self.account.replied(waited_ms)

    def leave(self, by: str) -> None:
        """One of them leaves: whatever was asked last is not waited for any more."""
        if self._asked_at is not None:
            self._asked_at = None
            self.account.unanswered(self.queue, -1)
        self.hang_up(by)


def converse(chat: Chat) -> Generator[int | None, Any, None]:
    """A chat from the first line to the last."""
    floor = chat.world.floor
    if not is_open(chat.world):
        yield chat.ms(0.2, 1.0)
        chat.account.left(chat.queue, "system", chat.world.now - chat.facts.arrived_at)
        chat.leave("system")
        return
    floor.seek(chat.queue, chat.process)
    agent = yield round(1000 + chat.rng.expovariate(1 / _PATIENCE_S) * 1000)
    if agent is None:
        floor.leave(chat.queue, chat.process)
        chat.account.left(chat.queue, "abandoned", chat.world.now - chat.facts.arrived_at)
        chat.leave("customer")
        return
    yield chat.ms(0.5, 4.0)
    chat.take(agent)
    taken_at = chat.world.now
    yield from _talk(chat, agent)
    if chat.account.leg_queue:
        chat.account.served(chat.world.now - taken_at, 0)
    chat.leave("agent" if chat.happens(0.3) else "customer")
    chat.verdict = aftermath.draw_verdict(chat)
    chat.world.agenda.start(_note(chat, agent))
    yield from _come_back(chat, agent)


def _talk(chat: Chat, agent: "Agent") -> Generator[int | None, Any, None]:
    """Line by line."""
    yield chat.ms(4.0, 25.0)
    chat.reply(agent)
    for _ in range(chat.rng.randint(0, _ROUNDS)):
        yield chat.ms(5.0, 60.0)
        chat.write()
        if chat.happens(0.2):
            yield chat.ms(1.0, 8.0)
            chat.write()
        yield chat.ms(5.0, 90.0)
        chat.reply(agent)
    if chat.happens(0.3):
        yield chat.ms(2.0, 20.0)
        chat.write()
    yield chat.ms(2.0, 40.0)


def _note(chat: Chat, agent: "Agent") -> Generator[int | None, Any, None]:
    """The agent notes what came of it, and is free."""
    yield chat.ms(2.0, 20.0)
    aftermath.give_verdict(chat)
    chat.world.floor.release(agent)


def _come_back(chat: Chat, agent: "Agent") -> Generator[int | None, Any, None]:
    """After the end: thanks, or one more question that somebody answers, which opens the case again."""
    fate = chat.rng.random()
    if chat.errand.person.ticketed or fate >= _THANKS + _RETURNS:
        return
    yield chat.ms(60.0, 300.0)
    chat.write()
    if fate < _RETURNS:
        yield chat.ms(20.0, 200.0)
        chat.reply(agent)
        chat.facts.back_at.append(chat.world.now)
