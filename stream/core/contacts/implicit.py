"""The visit of a chat that tells of no queue (2-numbers 2.2).

It starts at the contact's first event. Where a welcome, a menu or a bot comes before the first
human act, it starts when the last of them lets go (``step.left`` continued or failed), else
at the human act; a chat the bot solved has none. It is kept beside the stated visits and counts
only while no ``queue.entered`` is known, so that one told late needs no second fold.
"""

from stream.core.contacts.visits import Visit, Visits

_MACHINE = ("welcome", "bot", "menu:")


class ImplicitVisit:
    """The shadow visit of one contact of the chat family; its queue is filled in by the reader."""

    __slots__ = ("acted", "machine", "visits")

    def __init__(self, at: int, source: str) -> None:
        """Wait from the contact's first event."""
        self.visits = Visits()
        self.machine = False
        self.acted = False
        self._begin(at, source)

    @property
    def visit(self) -> Visit | None:
        """The visit as far as known, or None."""
        return self.visits.entered[0] if self.visits.entered else None

    def enter_step(self, name: str) -> None:
        """A machine takes over before any human: whatever began has not begun."""
        if not self.acted and name.startswith(_MACHINE):
            self.machine = True
            self.visits = Visits()

    def leave_step(self, at: int, source: str, result: str) -> None:
        """The machine lets go."""
        if not self.acted and self.machine and result != "goal" and not self.visits.entered:
            self._begin(at, source)

    def act(self, at: int, source: str, wait_ms: int | None = None) -> None:
        """A human connects or replies."""
        if not self.visits.entered and not self.acted:
            self._begin(at, source)
        self.acted = True
        if self.visits.waiting is not None or (self.visit is not None and self.visit.how == "restart"):
            self.visits.connect(at, None, wait_ms, "")

    def _begin(self, at: int, source: str) -> None:
        visit = Visit("", at, source, after_agent=False)
        self.visits.entered.append(visit)
        self.visits.waiting = visit
