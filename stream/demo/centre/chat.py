"""One simulated chat: the customer writes, waits for an agent, and both write until one of them leaves.

No queue is named but in the contact's own field, so that the wait is the implicit visit of 2-numbers 2.2. About half
the chats tell when an agent takes them; the others show it by the first reply, and have no handle time. Some meet a bot
first, which helps, lets go, or is talked to until an agent comes.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from stream.demo.centre import aftermath
from stream.demo.centre.contact import Contact
from stream.demo.centre.world import CHATS

if TYPE_CHECKING:
    from stream.demo.centre.agenda import Process
    from stream.demo.centre.contact import Reason
    from stream.demo.centre.floor import Agent
    from stream.demo.centre.world import World

_TOLD: Final = 0.5
_PATIENCE_S: Final = 300.0
_ROUNDS: Final = 3
_THANKS: Final = 0.15
_RETURNS: Final = 0.1
_MEETS_BOT: Final = 0.35
_BOT_HELPS: Final = 0.3
_LEAVES_BOT: Final = 0.12
_STAYS_WITH_BOT: Final = 0.2
_FALLS_SILENT: Final = 0.15
_IDLE_S: Final = (300.0, 1200.0)

Listening = Generator[int | None, Any, bool]
"""A part of a chat; whether it goes on to an agent."""


class Chat(Contact):
    """One chat.

    Attributes:
        queue: where it waits.
        bot: whether it meets a bot first.
        waits: whether it has begun to wait for an agent.
        process: its journey.
    """

    __slots__ = ("_told", "bot", "process", "queue", "waits")

    process: "Process"

    def __init__(self, world: "World", reason: "Reason") -> None:
        """Let the customer write now."""
        super().__init__(world, reason)
        self.queue = reason.errand.concern
        self.waits = False
        self._told = self.happens(_TOLD)
        self._source = CHATS
        self.bot = self.happens(_MEETS_BOT)
        self.say("contact.started", queue=self.queue, **self.greeting())
        self.account.destined(self.queue)
        if self.bot:
            self.say("step.entered", step="bot")
            self.account.stepped("bot")
        else:
            self.wait()
        self.write()

    def write(self) -> None:
        """The customer writes a line."""
        self.say("message.received")
        self.account.wrote()

    def wait(self) -> None:
        """From now on the customer waits for a person."""
        self.waits = True
        self.account.queued(self.queue)

    def take(self, agent: "Agent") -> None:
        """An agent takes the chat, and the channel says so, or not."""
        if self._told:
            self.say("agent.connected", agent=agent.name, **self.papers())
            self._meet()
            self.account.connected(self.queue, agent.name)

    def reply(self, agent: "Agent") -> None:
        """An agent writes a line; the first one of all may be what takes the chat."""
        self.say("message.sent", by="agent", agent=agent.name, **self.papers())
        self._meet()
        self.account.replied(agent.name)

    def _meet(self) -> None:
        """Who was still with the bot has waited for no person until now."""
        if not self.waits:
            self.wait()


def converse(chat: Chat) -> Generator[int | None, Any, None]:
    """A chat from the first line to the last."""
    floor = chat.world.floor
    if chat.bot:
        goes_on = yield from _ask_bot(chat)
        if not goes_on:
            return
    if not chat.world.is_open(chat.queue):
        yield chat.ms(0.2, 1.0)
        _give_up(chat, "system")
        return
    floor.seek(chat.queue, chat.process)
    agent = yield round(1000 + chat.rng.expovariate(1 / _PATIENCE_S) * 1000)
    if agent is None:
        floor.leave(chat.queue, chat.process)
        _give_up(chat, "customer")
        return
    yield chat.ms(0.5, 4.0)
    chat.take(agent)
    taken_at = chat.world.now
    yield from _talk(chat, agent)
    by = "agent" if chat.happens(0.3) else "customer"
    if chat.happens(_FALLS_SILENT):
        yield chat.ms(*_IDLE_S)
        by = "system"
    if chat.account.leg_queue:
        chat.account.work.served(agent.name, chat.world.now - taken_at, 0)
    chat.hang_up(by)
    chat.verdict = aftermath.draw_verdict(chat)
    chat.world.agenda.start(_note(chat, agent))
    yield from _come_back(chat, agent)


def _give_up(chat: Chat, by: str) -> None:
    """The chat ends before any person came."""
    if chat.waits:
        chat.account.left(chat.queue, "system" if by == "system" else "abandoned")
    chat.hang_up(by)


def _ask_bot(chat: Chat) -> Listening:
    """Line by line with the machine, until it helps, lets go, or the customer has had enough."""
    for _ in range(chat.rng.randint(1, _ROUNDS)):
        yield chat.ms(0.3, 1.5)
        chat.say("message.sent", by="bot", automated=chat.happens(0.5))
        yield chat.ms(4.0, 30.0)
        chat.write()
    fate = chat.rng.random()
    if fate < _BOT_HELPS:
        chat.say("step.left", result="goal")
        chat.account.reached_goal()
        yield chat.ms(1.0, 20.0)
        chat.hang_up("customer")
        return False
    if fate < _BOT_HELPS + _LEAVES_BOT:
        yield chat.ms(1.0, 60.0)
        chat.hang_up("system" if chat.happens(0.4) else "customer")
        return False
    if fate >= 1.0 - _STAYS_WITH_BOT:
        return True
    chat.say("step.left", result="continued" if chat.happens(0.6) else "failed")
    chat.account.left_step()
    chat.wait()
    return True


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
    chat.world.roster.let_go(agent, chat.rng)


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
