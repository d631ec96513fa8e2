"""The agents' work on one contact: legs, hold, wrap-up (2-numbers 2.6).

A leg runs from ``agent.connected`` to ``agent.left`` or the contact's end. Talk is what
of it was not hold. Wrap-up is counted by agent, with or without a leg still open. The handle
time is complete when the contact has ended and no wrap-up is open.
"""


class Leg:
    """The time one agent spends on the contact; ``left_at`` (ms) is None while it lasts."""

    __slots__ = ("agent", "connected_at", "held_since", "hold_ms", "left_at", "queue")

    def __init__(self, agent: str, queue: str, connected_at: int) -> None:
        """``agent`` connects at ``connected_at`` for ``queue``."""
        self.agent = agent
        self.queue = queue
        self.connected_at = connected_at
        self.left_at: int | None = None
        self.held_since: int | None = None
        self.hold_ms = 0

    def resume(self, at: int) -> None:
        """End the hold, if there is one."""
        if self.held_since is not None:
            self.hold_ms += at - self.held_since
            self.held_since = None

    def leave(self, at: int) -> None:
        """End the leg, and its hold with it."""
        self.resume(at)
        self.left_at = at


class Handling:
    """All legs and wrap-ups of one contact."""

    __slots__ = ("legs", "wrapped", "wrapup_ended_at", "wrapups")

    def __init__(self) -> None:
        """Nobody has served yet."""
        self.legs: list[Leg] = []
        self.wrapups: dict[str, int] = {}  # agent -> since
        self.wrapped: dict[str, int] = {}  # agent -> wrap-up that is over
        self.wrapup_ended_at = 0

    def connect(self, at: int, agent: str, queue: str) -> None:
        """A leg begins; the same agent twice is one leg."""
        if self._open(agent) is None:
            self.legs.append(Leg(agent, queue, at))

    def leave(self, at: int, agent: str) -> None:
        """``agent.left``."""
        leg = self._open(agent)
        if leg is not None:
            leg.leave(at)

    def hold(self, at: int, agent: str | None) -> None:
        """``hold.started``: of the named agent, else of the leg that began last."""
        leg = self._open(agent)
        if leg is not None and leg.held_since is None:
            leg.held_since = at

    def resume(self, at: int, agent: str | None) -> None:
        """``hold.ended``: of the named agent, else of the leg on hold that began last."""
        if agent is not None:
            leg = self._open(agent)
        else:
            leg = next((leg for leg in reversed(self.legs) if leg.held_since is not None), None)
        if leg is not None:
            leg.resume(at)

    def end(self, at: int) -> bool:
        """End every leg; whether one of them was on hold."""
        held = False
        for leg in self.legs:
            if leg.left_at is None:
                held = held or leg.held_since is not None
                leg.leave(at)
        return held

    def wrap(self, at: int, agent: str) -> None:
        """``wrapup.started``."""
        self.wrapups.setdefault(agent, at)

    def unwrap(self, at: int, agent: str) -> None:
        """``wrapup.ended``; without a start it says nothing."""
        since = self.wrapups.pop(agent, None)
        if since is not None:
            self.wrapped[agent] = self.wrapped.get(agent, 0) + at - since
            self.wrapup_ended_at = at

    def measured_ms(self) -> tuple[int, int, int]:
        """Talk (connected less hold, of the legs that have ended), hold, and wrap-up as far as it is over."""
        talk = hold = 0
        for leg in self.legs:
            hold += leg.hold_ms
            if leg.left_at is not None:
                talk += leg.left_at - leg.connected_at - leg.hold_ms
        return talk, hold, sum(self.wrapped.values()) if self.wrapped else 0

    def shares_ms(self) -> dict[str, int]:
        """Each agent's own talk, hold and wrap-up, as far as they are over; those who only wrapped up included."""
        shares = dict(self.wrapped)
        for leg in self.legs:
            if leg.left_at is not None:
                shares[leg.agent] = shares.get(leg.agent, 0) + leg.left_at - leg.connected_at
        return shares

    def _open(self, agent: str | None) -> Leg | None:
        for leg in reversed(self.legs):
            if leg.left_at is None and agent in (None, leg.agent):
                return leg
        return None
