"""Callbacks of one contact: asked for, tried, reached (2-numbers 2.5, 2.6; R17).

    queue.left{callback} or callback.requested --> waiting --agent.connected--> reached
                                                   waiting --callback_expires_ms pass--> expired

Exchanges say one of the two or both, so the second word of one request is no other request. Whether a request has
expired depends on the policy and on time and is decided by the reader; a connect told late still makes it reached.
"""


class Callback:
    """One request. Times in ms; ``reached_at`` is None while nobody has served it."""

    __slots__ = ("attempts", "queue", "reached_at", "requested_at")

    def __init__(self, queue: str, requested_at: int) -> None:
        """Ask out of ``queue``; empty = the contact's home."""
        self.queue = queue
        self.requested_at = requested_at
        self.attempts: list[int] = []
        self.reached_at: int | None = None

    def expires_at(self, expires_ms: int) -> int:
        """When it expires unless it is reached (ms)."""
        return self.requested_at + expires_ms


class Callbacks:
    """All requests of one contact, in order; at most the last one waits."""

    __slots__ = ("requests",)

    def __init__(self) -> None:
        """Nobody has asked."""
        self.requests: list[Callback] = []

    @property
    def waiting(self) -> Callback | None:
        """The request that nobody has served."""
        if self.requests and self.requests[-1].reached_at is None:
            return self.requests[-1]
        return None

    def ask(self, at: int, queue: str, *, stated: bool) -> None:
        """Ask to be called back; a queue that was left for it (``stated``) is the queue of the request."""
        request = self.waiting
        if request is None:
            self.requests.append(Callback(queue, at))
        elif stated:
            request.queue = queue

    def attempt(self, at: int) -> None:
        """``callback.attempted``: also the one that was taken in the same instant, which is read after the connect."""
        if self.requests and self.requests[-1].reached_at in (None, at):
            self.requests[-1].attempts.append(at)

    def reach(self, at: int) -> None:
        """``agent.connected``: whoever asked is served."""
        request = self.waiting
        if request is not None:
            request.reached_at = at
