"""One simulated thread of e-mail: the customer writes and waits for hours, an agent answers, and nobody hurries.

    written --> perhaps into a queue, perhaps into another one --> answered --> written again, answered again ...
            --> withdrawn, or closed without an answer           --> called resolved, and taken up again
            --> nobody answers                                   --> ended, or just silent

Automatic answers, notes and lines of a bot are no answers. Who waits too long gets in touch otherwise, and may be
answered all the same. Threads that a form or an agent opened begin without a message of the customer.

Source: 2-numbers 2.2 and 2.6.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from stream.demo.centre import aftermath
from stream.demo.centre.contact import Contact
from stream.demo.centre.world import MAILS
from stream.demo.truth.facts import UNASSIGNED

if TYPE_CHECKING:
    from stream.demo.centre.contact import Reason
    from stream.demo.centre.floor import Agent
    from stream.demo.centre.world import World

_ANNOUNCED: Final = 0.6
_BY_FORM: Final = 0.08
_QUEUED: Final = 0.7
_NAMES_QUEUE: Final = 0.6
_MISDIRECTED: Final = 0.08
_AUTOMATIC: Final = 0.6
_NOTED: Final = 0.25
_BOT: Final = 0.15
_TAKEN: Final = 0.4
_IMPATIENT: Final = 0.08
_WITHDRAWN: Final = 0.05
_CLOSED_UNREAD: Final = 0.05
_FORGOTTEN: Final = 0.06
_ROUNDS: Final = (55, 28, 12, 5)
_AGAIN_QUEUED: Final = 0.25
_BACK: Final = 0.25
_BACK_ANSWERED: Final = 0.7
_ENDED: Final = 0.6
_AFTER_THE_END: Final = 0.15

Doing = Generator[int | None, Any, None]


class Mail(Contact):
    """One thread.

    Attributes:
        queue: where it is for.
        queued: whether its ticket system tells of queues.
        waits: whether it waits in one.
    """

    __slots__ = ("_takes", "queue", "queued", "waits")

    def __init__(self, world: "World", reason: "Reason") -> None:
        """Let the customer write now, or fill in a form."""
        super().__init__(world, reason)
        self.queue = reason.errand.concern
        self.queued = self.happens(_QUEUED)
        self.waits = False
        self._takes = self.happens(_TAKEN)
        self._source = MAILS
        fields = self.greeting()
        if self.happens(_NAMES_QUEUE):
            fields["queue"] = self.queue
            self.account.destined(self.queue)
        by_form = self.happens(_BY_FORM)
        if by_form or self.happens(_ANNOUNCED):
            self.say("contact.started", **fields)
            fields = {}
        if not by_form:
            self.write(fields)

    def write(self, fields: dict[str, object] | None = None) -> None:
        """The customer writes."""
        self.say("message.received", **(fields or {}))
        self.account.wrote()

    def enter(self, queue: str) -> None:
        """The thread waits in a queue."""
        self.queue, self.waits = queue, True
        self.say("queue.entered", queue=queue)
        self.account.queued(queue)

    def reply(self, agent: "Agent") -> None:
        """An agent answers; some take the thread first."""
        if self._takes and not self.facts.agents:
            self.say("agent.connected", agent=agent.name, queue=self.queue)
            if self.facts.queue == UNASSIGNED:
                self.account.destined(self.queue)
            self.account.connected(self.queue, agent.name)
        self.say("message.sent", by="agent", agent=agent.name, **self.papers())
        self.account.replied(agent.name)
        self.waits = False

    def close(self, by: str) -> None:
        """The thread ends; who still waits in a queue is lost from sight."""
        if self.waits:
            self.account.left(self.queue, "unknown")
            self.waits = False
        self.hang_up(by)

    def somebody(self) -> "Agent":
        """An agent; answering e-mail takes nobody off the line."""
        return self.rng.choice(self.world.floor.agents)

    def wait_ms(self) -> int:
        """How long an answer takes: minutes to a day or two, and not while everybody is at home."""
        delay_ms = round(min(150_000.0, self.rng.lognormvariate(8.6, 1.3) + 60.0) * 1000)
        opening = self.world.scenario.hours.of(self.queue)
        if opening is None:
            return delay_ms
        at = self.world.now + delay_ms
        return opening.opens_at(at) - self.world.now + (0 if opening.is_open(at) else self.ms(0.0, 3600.0))


def correspond(mail: Mail) -> Doing:
    """What the customer of a thread lives through: all of it, or as much as patience lasts."""
    yield from _arrive(mail)
    if not mail.errand.person.ticketed and mail.happens(_IMPATIENT):
        mail.world.agenda.start(_work_through(mail))
        yield mail.ms(1800.0, 14_400.0)
        return
    yield from _work_through(mail)


def _arrive(mail: Mail) -> Doing:
    """Into a queue within seconds; a machine says that it has come."""
    if mail.queued:
        yield mail.ms(0.0, 20.0)
        others = [queue for queue in mail.world.scenario.queues if queue != mail.queue]
        right, wrong = mail.queue, mail.rng.choice(others)
        if mail.happens(_MISDIRECTED):
            mail.enter(wrong)
            yield mail.ms(30.0, 3000.0)
            if mail.happens(0.5):
                mail.say("queue.left", queue=wrong, reason="transferred")
                mail.account.left(wrong, "transferred")
            else:
                mail.account.left(wrong, "overflow")
        mail.enter(right)
    if mail.happens(_AUTOMATIC):
        yield mail.ms(0.5, 5.0)
        mail.say("message.sent", by="system" if mail.happens(0.7) else "agent", automated=True)
    if mail.happens(_BOT):
        yield mail.ms(0.5, 60.0)
        mail.say("message.sent", by="bot")


def _work_through(mail: Mail) -> Doing:
    """The thread from the queue to the last word."""
    fate = mail.rng.random()
    if fate < _WITHDRAWN + _CLOSED_UNREAD:
        yield mail.ms(60.0, 30_000.0)
        mail.close("customer" if fate < _WITHDRAWN else mail.rng.choice(("agent", "system")))
        return
    if fate < _WITHDRAWN + _CLOSED_UNREAD + _FORGOTTEN:
        if mail.happens(0.5):
            yield mail.ms(600.0, 80_000.0)
            mail.write()
        return
    agent = yield from _answer(mail)
    for _ in range(mail.rng.choices(range(len(_ROUNDS)), _ROUNDS)[0]):
        yield mail.ms(120.0, 40_000.0)
        yield from _write_again(mail)
        if mail.happens(0.07):
            return
        agent = yield from _answer(mail)
    yield from _finish(mail, agent)


def _write_again(mail: Mail) -> Doing:
    """The customer writes, perhaps twice; perhaps the thread waits in its queue again."""
    mail.write()
    if mail.queued and mail.happens(_AGAIN_QUEUED):
        mail.enter(mail.queue)
    if mail.happens(0.2):
        yield mail.ms(30.0, 3000.0)
        mail.write()


def _answer(mail: Mail) -> "Generator[int | None, Any, Agent]":
    """Hours later: perhaps a note, then an answer."""
    wait_ms, agent = mail.wait_ms(), mail.somebody()
    if mail.happens(_NOTED):
        part = round(wait_ms * mail.rng.random())
        yield part
        mail.say("message.sent", by="agent", agent=agent.name, public=False)
        wait_ms -= part
    yield wait_ms
    mail.reply(agent)
    return agent


def _finish(mail: Mail, agent: "Agent") -> Doing:
    """The verdict, which may stop the clocks; perhaps the customer takes it up again; an end, or silence."""
    mail.verdict = aftermath.draw_verdict(mail)
    yield mail.ms(5.0, 1800.0)
    aftermath.give_verdict(mail)
    if not mail.errand.person.ticketed and mail.happens(_BACK):
        yield mail.ms(60.0, 60_000.0)
        mail.write()
        if mail.happens(_BACK_ANSWERED):
            agent = yield from _answer(mail)
    if not mail.happens(_ENDED):
        return
    yield mail.ms(60.0, 90_000.0)
    mail.close("agent" if mail.happens(0.5) else "system")
    if not mail.errand.person.ticketed and mail.happens(_AFTER_THE_END):
        yield mail.ms(60.0, 20_000.0)
        mail.write()
        if mail.happens(0.6):
            yield mail.wait_ms()
            mail.reply(agent)
