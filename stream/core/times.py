"""Responses to messages of one contact (2-numbers 2.6, R40-R44).

    customer writes  -> a clock starts, unless one runs      (the first: first response)
    a human replies  -> the clock stops: first response, or next
    end, or disposition ``resolved`` -> the clock is stopped unanswered; a new one is never first

Automated mail, notes and bots are no reply; whoever calls `reply` has seen to that.
"""


class Responses:
    """The clocks of one contact. Times in ms."""

    __slots__ = ("first", "first_gone", "following", "since")

    def __init__(self) -> None:
        """Nobody has written."""
        self.first: tuple[int, int] | None = None  # asked at, answered at
        self.first_gone = False
        self.following: list[tuple[int, int]] = []
        self.since: int | None = None

    def receive(self, at: int) -> None:
        """The customer writes."""
        if self.since is None:
            self.since = at

    def reply(self, at: int) -> None:
        """A person writes to the customer in public."""
        if self.since is None:
            return
        if self.first is None and not self.first_gone:
            self.first = (self.since, at)
        else:
            self.following.append((self.since, at))
        self.since = None

    def stop(self) -> None:
        """The contact ended or was resolved."""
        self.since = None
        self.first_gone = True
