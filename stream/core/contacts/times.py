"""Responses to messages of one contact (2-numbers 2.6, R40-R44).

    customer writes  -> a clock starts, unless one runs      (the first: first response)
    a human replies  -> the clock stops: first response, or next
    end, or disposition ``resolved`` -> the clock is stopped unanswered; a new one is never first
    customer comes back after that, and is served -> the contact was reopened

Automated mail, notes and bots are no reply; whoever calls `reply` has seen to that.
"""


class Responses:
    """The clocks of one contact. Times in ms."""

    __slots__ = ("back_since", "first", "first_by", "first_gone", "following", "reopens", "since", "stopped_at")

    def __init__(self) -> None:
        """Nobody has written."""
        self.first: tuple[int, int] | None = None  # asked at, answered at
        self.first_by = ""  # who gave it
        self.first_gone = False
        self.following: list[tuple[int, int]] = []
        self.since: int | None = None
        self.stopped_at: int | None = None
        self.back_since: int | None = None  # the customer is back, after the stop at this time
        self.reopens: list[tuple[int, int]] = []  # stopped at, served again at

    def receive(self, at: int) -> None:
        """The customer writes."""
        if self.stopped_at is not None and self.back_since is None:
            self.back_since = self.stopped_at
        if self.since is None:
            self.since = at

    def reply(self, at: int, agent: str) -> None:
        """``agent`` (empty = not told who) writes to the customer in public."""
        self.serve(at)
        if self.since is None:
            return
        if self.first is None and not self.first_gone:
            self.first = (self.since, at)
            self.first_by = agent
        else:
            self.following.append((self.since, at))
        self.since = None

    def stop(self, at: int, *, served: bool) -> None:
        """The contact ended or was resolved, ``served`` by a person or not; what is over stays over since then."""
        self.since = None
        self.first_gone = True
        self.back_since = None
        if self.stopped_at is None and served:
            self.stopped_at = at

    def return_after(self, stopped_at: int) -> None:
        """The customer waits again, after the contact was served and over."""
        self.stopped_at = self.back_since = stopped_at

    def serve(self, at: int) -> None:
        """A person serves: whoever had come back was not through with it."""
        if self.back_since is not None:
            self.reopens.append((self.back_since, at))
            self.back_since = self.stopped_at = None
