"""The books of what a customer of one contact was answered: in writing, or by whoever took the call.

    the customer writes --> waits for an answer --a person writes--> first answer, or one of the next
                                                --the contact ends, or is called resolved--> nobody is waited for
    the customer writes again after that, and a person serves --> the contact was taken up again

Source: 2-numbers 2.6.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

from stream.demo.scenario import RESPONSE_TARGET_MS
from stream.demo.truth.casebook import agent_label
from stream.demo.truth.facts import NONE

if TYPE_CHECKING:
    from stream.demo.centre.world import World
    from stream.demo.truth.facts import Facts
    from stream.demo.truth.truth import Book

_FIRST: Final = "contact_first_response"
_NEXT: Final = "contact_next_response"


class _Answer(NamedTuple):
    asked_at: int
    answered_at: int
    agent: str

    @property
    def took_ms(self) -> int:
        return self.answered_at - self.asked_at


class Answers:
    """Questions and answers of one contact."""

    __slots__ = ("_asked_at", "_back", "_facts", "_first", "_next", "_over", "_too_late", "_world")

    def __init__(self, world: "World", facts: "Facts") -> None:
        """Nobody has written."""
        self._world = world
        self._facts = facts
        self._asked_at: int | None = None
        self._first: _Answer | None = None
        self._too_late = False  # for a first answer
        self._next: list[_Answer] = []
        self._over = False  # somebody has served, and was through
        self._back = False  # the customer has written since

    def asked(self) -> None:
        """The customer writes; who writes once more has waited since the first time."""
        self._back = self._over
        if self._asked_at is None:
            self._asked_at = self._world.now

    def replied(self, agent: str) -> None:
        """A person answers, in public."""
        self.served()
        if self._asked_at is None:
            return
        answer = _Answer(self._asked_at, self._world.now, agent)
        if self._first is None and not self._too_late:
            self._first = answer
        else:
            self._next.append(answer)
        self._asked_at = None

    def spoken(self, agent: str, wait_ms: int) -> None:
        """An agent takes a call after so long a wait; whoever takes it later gives no first answer."""
        if self._first is None:
            self._first = _Answer(self._world.now - wait_ms, self._world.now, agent)

    def served(self) -> None:
        """A person serves: who had come back was not through."""
        if self._back:
            self._facts.back_at.append(self._world.now)
            self._back = self._over = False

    def stopped(self) -> None:
        """The contact has ended, or an agent calls it resolved: nobody is waited for."""
        self._asked_at = None
        self._too_late = True
        self._back = False
        self._over = self._over or bool(self._facts.agents)

    def stand(self, book: "Book", *, over: bool) -> None:
        """Book every answer, and who waits for one unless the contact is `over`."""
        facts = self._facts
        place = facts.channel, facts.queue
        if self._asked_at is not None and not over:
            book.add("contact_unanswered", *place)
            book.since("contact_unanswered_oldest_timestamp_seconds", *place, at=self._asked_at)
        if self._first is not None:
            self._stand_first(book, self._first)
        for answer in self._next:
            self._spread(book, _NEXT, answer)

    def _stand_first(self, book: "Book", first: _Answer) -> None:
        channel = self._facts.channel
        self._spread(book, _FIRST, first)
        excess_ms = first.took_ms - RESPONSE_TARGET_MS[channel]
        if excess_ms <= 0:
            book.add("contact_responses_in_target_total", channel, self._facts.queue)
        else:
            issue = self._facts.issue or NONE
            book.add("contact_response_excess_seconds_total", channel, issue, by=excess_ms)
        agent = agent_label(first.agent)
        book.add("contact_agent_first_responses_total", agent, channel)
        book.add("contact_agent_first_response_seconds_total", agent, channel, by=first.took_ms)

    def _spread(self, book: "Book", name: str, answer: _Answer) -> None:
        place = self._facts.channel, self._facts.queue
        book.observe(f"{name}_seconds", *place, ms=answer.took_ms)
        opening = self._world.scenario.hours.of(self._facts.queue)
        if opening is not None:
            opened_ms = opening.between(answer.asked_at, answer.answered_at)
            book.observe(f"{name}_open_seconds", *place, ms=opened_ms)
