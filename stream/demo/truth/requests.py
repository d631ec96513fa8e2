"""The books of the callbacks of one contact: asked for, tried, reached, or never served.

Source: 2-numbers 2.5 and 2.6.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream.demo.centre.world import World
    from stream.demo.truth.truth import Book


class Requests:
    """Every request of one contact; one at a time is open."""

    __slots__ = ("_open", "_queue", "_world")

    def __init__(self, world: "World") -> None:
        """Nobody has asked."""
        self._world = world
        self._open: int | None = None
        self._queue = ""

    def asked(self, queue: str) -> None:
        """The caller wants to be called back; saying it twice is one request."""
        if self._open is None:
            self._open, self._queue = self._world.now, queue
            self._count("requested")

    def tried(self) -> None:
        """An agent rings the caller, who may not be there."""
        if self._open is not None:
            self._count("attempted")

    def reached(self) -> None:
        """An agent speaks with the caller."""
        if self._open is not None:
            self._count("reached")
            waited_ms = self._world.now - self._open
            self._world.truth.observe("contact_callback_wait_seconds", self._queue, ms=waited_ms)
            self._open = None

    def stand(self, book: "Book", at: int | None) -> None:
        """Book whether the caller still waits, or waits in vain, as of `at` (ms)."""
        if self._open is None:
            return
        if at is not None and at >= self._open + self._world.scenario.expiry_ms:
            book.add("contact_callbacks_total", self._queue, "expired")
        else:
            book.add("contact_callbacks_waiting", self._queue)
            book.since("contact_callbacks_oldest_timestamp_seconds", self._queue, at=self._open)

    def _count(self, what: str) -> None:
        self._world.truth.add("contact_callbacks_total", self._queue, what)
