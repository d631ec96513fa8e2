"""The books of the agents' work on one contact: talk, hold, wrap-up, each agent's own share, and how it ended.

All of a contact's handle time is booked when it is complete, or nothing. E-mail has none.

Source: 2-numbers 2.5 and 2.6.
"""

from collections import Counter
from typing import TYPE_CHECKING

from stream.demo.truth.casebook import agent_label

if TYPE_CHECKING:
    from stream.demo.centre.world import World
    from stream.demo.truth.facts import Facts
    from stream.demo.truth.truth import Book


class Work:
    """Everything agents did for one contact."""

    __slots__ = (
        "_by",
        "_facts",
        "_first_leg",
        "_hold_ms",
        "_last_leg",
        "_own_ms",
        "_talk_ms",
        "_world",
        "_wrapping",
        "_wrapup_ms",
    )

    def __init__(self, world: "World", facts: "Facts") -> None:
        """Nobody has served."""
        self._world = world
        self._facts = facts
        self._by = ""
        self._first_leg = self._last_leg = ""
        self._talk_ms = self._hold_ms = self._wrapup_ms = 0
        self._own_ms: Counter[str] = Counter()
        self._wrapping = 0

    def began(self, agent: str, queue: str) -> None:
        """A leg begins out of `queue`; the contact goes on."""
        self._own_ms[agent] += 0
        self._first_leg = self._first_leg or queue
        self._last_leg = queue
        self._by = ""
        self._complete()

    def served(self, agent: str, talk_ms: int, hold_ms: int) -> None:
        """One agent's leg is over."""
        self._talk_ms += talk_ms
        self._hold_ms += hold_ms
        self._own_ms[agent] += talk_ms + hold_ms
        self._complete()

    def wrapping(self) -> None:
        """An agent begins to wrap up: the handle time is not complete."""
        self._wrapping += 1
        self._complete()

    def wrapped(self, agent: str, wrapup_ms: int) -> None:
        """An agent has wrapped up."""
        self._wrapping -= 1
        self._wrapup_ms += wrapup_ms
        self._own_ms[agent] += wrapup_ms
        self._complete()

    def ended(self, by: str) -> None:
        """The contact is over, `by` as on the wire."""
        self._by = self._by or by
        self._complete()

    def stand(self, book: "Book") -> None:
        """Book the handle time if it is complete, and whether the customer left with the issue unresolved."""
        facts = self._facts
        channel = facts.channel
        if self._by == "customer" and self._last_leg and facts.words and facts.words[-1].resolution != "resolved":
            book.add("contact_ended_unresolved_total", channel, self._last_leg)
        if facts.handle_ms is None:
            return
        book.add("contact_handled_total", channel, self._first_leg)
        book.observe("contact_handle_seconds", channel, self._first_leg, ms=facts.handle_ms)
        for name, ms in (("talk", self._talk_ms), ("hold", self._hold_ms), ("wrapup", self._wrapup_ms)):
            book.add(f"contact_{name}_seconds_total", channel, self._first_leg, by=ms)
        for agent, ms in self._own_ms.items():
            book.add("contact_agent_handled_total", agent_label(agent), channel)
            book.add("contact_agent_handle_seconds_total", agent_label(agent), channel, by=ms)

    def _complete(self) -> None:
        complete = self._by and self._first_leg and not self._wrapping and self._facts.channel != "email"
        self._facts.handle_ms = self._talk_ms + self._hold_ms + self._wrapup_ms if complete else None
