"""Queue visits of one contact: a small state machine (2-numbers 2.2).

A visit is ``waiting`` until one of these closes it:

    connect -> answered          queue.left -> its reason        another queue -> overflow
    end of the contact -> abandoned or system                    restart of its source -> unknown

A close that was only implied (``how``) yields to what is told later:

    overflow  -> a queue.left for that queue names the true reason
    leaving   -> queue.left{agent}: a connect within 5 min is the answer
    restart   -> inferred; connect, queue.left or the contact's end correct it

Classes that depend on the policy (short, e-mail) are decided where figures are made, not here.
Must never look at a clock or at the policy.
"""

from stream.core.events import Body

SKEW_MS = 300_000  # how far two clocks may disagree about a connect and its queue
_GIVEN_UP = frozenset(("customer", "unknown"))


class Visit:
    """One stay in one queue. Times in ms; ``left_at`` is None while waiting."""

    __slots__ = (
        "after_agent",
        "agent",
        "connect_wait_ms",
        "entered_at",
        "how",
        "left_at",
        "left_wait_ms",
        "outcome",
        "queue",
        "ringing",
        "source",
    )

    def __init__(self, queue: str, entered_at: int, source: str, *, after_agent: bool) -> None:
        """Start waiting in ``queue``; ``source`` told so, ``after_agent`` after a talk."""
        self.queue = queue
        self.entered_at = entered_at
        self.source = source
        self.after_agent = after_agent
        self.outcome = "waiting"
        self.how = ""
        self.left_at: int | None = None
        self.connect_wait_ms: int | None = None
        self.left_wait_ms: int | None = None
        self.ringing: list[str] = []
        self.agent = ""  # who answered it, where a connect said so

    @property
    def negative(self) -> bool:
        """Whether the answer came before the queueing and nobody told the wait."""
        return self.how == "early" and self.connect_wait_ms is None and self.left_wait_ms is None

    @property
    def wait_ms(self) -> int:
        """The wait of a closed visit: as told by the connect, by queue.left, else measured."""
        if self.connect_wait_ms is not None:
            return self.connect_wait_ms
        if self.left_wait_ms is not None:
            return self.left_wait_ms
        if self.left_at is None or self.how == "early":
            return 0
        return self.left_at - self.entered_at

    def close(self, at: int, outcome: str, how: str = "") -> None:
        """End the visit at ``at``."""
        self.outcome = outcome
        self.how = how
        self.left_at = at

    def reopen(self) -> None:
        """Wait again, as from the first entering (``resumes``)."""
        self.outcome = "waiting"
        self.how = ""
        self.left_at = None
        self.connect_wait_ms = None
        self.left_wait_ms = None
        self.ringing = []
        self.agent = ""


class Visits:
    """All visits of one contact, in the order they began."""

    __slots__ = ("contradictions", "early", "entered", "waiting")

    def __init__(self) -> None:
        """No visit yet."""
        self.entered: list[Visit] = []
        self.waiting: Visit | None = None
        # Connects that named a queue nobody had entered: queue -> (at, wait_ms, agent).
        self.early: dict[str, tuple[int, int | None, str]] = {}
        self.contradictions = 0

    def enter(self, at: int, source: str, body: Body, *, spoken: bool) -> None:
        """``queue.entered``: begin, resume, or answer at once by a connect seen before."""
        queue = body.queue or ""
        visit = self.waiting
        if visit is not None:
            if visit.queue == queue:
                self.contradictions += 1
                return
            visit.close(at, "overflow", "overflow")
            self.waiting = None
        if body.resumes:
            for visit in reversed(self.entered):
                if visit.queue == queue and visit.outcome == "abandoned":
                    visit.reopen()
                    self.waiting = visit
                    return
        visit = Visit(queue, at, source, after_agent=spoken)
        self.entered.append(visit)
        early = self.early.pop(queue, None)
        if early is not None and at - early[0] <= SKEW_MS:
            visit.close(at, "answered", "early")
            visit.connect_wait_ms = early[1]
            visit.agent = early[2]
            visit.after_agent = False
            return
        if early is not None:
            self.contradictions += 1
        self.waiting = visit

    def connect(self, at: int, queue: str | None, wait_ms: int | None, agent: str) -> Visit | None:
        """``agent.connected``: the visit it answers, or None; a named queue may still come."""
        visit = self.waiting or self._inferred()
        if visit is not None:
            self.waiting = None
            if queue is not None and queue != visit.queue:
                self.early[queue] = (at, wait_ms, agent)
        else:
            visit = self._left_to_agent(at, queue)
            if visit is None:
                if queue is not None:
                    self.early[queue] = (at, wait_ms, agent)
                return None
        visit.close(at, "answered")
        visit.connect_wait_ms = wait_ms
        visit.agent = agent
        return visit

    def leave(self, at: int, body: Body) -> bool:
        """``queue.left``: close the visit it names, or correct an implied close; else False."""
        outcome = "answered" if body.reason == "agent" else body.reason
        how = "leaving" if body.reason == "agent" else ""
        visit = self.waiting
        if visit is not None and visit.queue == body.queue:
            self.waiting = None
        else:
            visit = self._latest(body.queue)
            if visit is None or visit.how not in ("overflow", "restart"):
                if visit is not None and visit.outcome == "answered" and body.reason == "agent":
                    visit.left_wait_ms = body.wait_ms
                else:
                    self.contradictions += 1
                return False
        visit.close(at, outcome, how)
        visit.left_wait_ms = body.wait_ms
        return True

    def end(self, at: int, by: str) -> None:
        """``contact.ended``: who waits has abandoned, or was removed."""
        visit = self.waiting or self._inferred()
        if visit is not None:
            visit.close(at, "abandoned" if by in _GIVEN_UP else "system", "ended")
            self.waiting = None

    def restart(self, at: int, source: str) -> bool:
        """``source.restarted``: whether a visit that waited at ``source`` ended by inference."""
        visit = self.waiting
        if visit is None or visit.source != source or visit.entered_at >= at:
            return False
        visit.close(at, "unknown", "restart")
        self.waiting = None
        return True

    def reply(self, at: int) -> None:
        """A human public reply outside voice answers whoever waits."""
        if self.waiting is not None:
            self.waiting.close(at, "answered")
            self.waiting = None

    def voicemail_abandoned(self) -> None:
        """Sent to voicemail and nothing left: that visit was abandoned."""
        for visit in reversed(self.entered):
            if visit.outcome == "voicemail":
                visit.outcome = "abandoned"
                return

    def offer(self, agent: str) -> None:
        """``agent.offered``: the waiting visit rings."""
        if self.waiting is not None and agent not in self.waiting.ringing:
            self.waiting.ringing.append(agent)

    def miss(self, agent: str) -> None:
        """``agent.missed``: that agent rings no more."""
        if self.waiting is not None and agent in self.waiting.ringing:
            self.waiting.ringing.remove(agent)

    def _latest(self, queue: str | None) -> Visit | None:
        for visit in reversed(self.entered):
            if visit.queue == queue:
                return visit
        return None

    def _inferred(self) -> Visit | None:
        for visit in reversed(self.entered):
            if visit.how == "restart":
                return visit
        return None

    def _left_to_agent(self, at: int, queue: str | None) -> Visit | None:
        for visit in reversed(self.entered):
            if visit.how == "leaving" and queue in (None, visit.queue):
                return visit if at - (visit.left_at or 0) <= SKEW_MS else None
        return None
