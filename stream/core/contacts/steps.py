"""Steps before the queue of one contact: welcome, menus, bot (2-numbers 2.4).

    entered --next step, queue, connect, callback request, voicemail--> continued
            --contact ends: after a goal--> self_served
                            by customer or unknown--> abandoned
                            else, or by inference--> system

``step.left`` alone resolves nothing: who leaves a step and reaches nothing was lost in it.
A goal is remembered until a queue or a connect.
"""

_GIVEN_UP = frozenset(("customer", "unknown"))


class Step:
    """One step entered; ``continued_at`` (ms) is None while it is the last place reached, ``left_at`` while untold."""

    __slots__ = ("continued_at", "entered_at", "left_at", "name")

    def __init__(self, name: str, entered_at: int) -> None:
        """Enter ``name`` at ``entered_at``."""
        self.name = name
        self.entered_at = entered_at
        self.continued_at: int | None = None
        self.left_at: int | None = None

    def over_at(self, end: int | None) -> int | None:
        """When the time in it was over: left, continued, or at the contact's ``end`` (ms); None while it goes on."""
        if self.left_at is not None:
            return self.left_at
        if self.continued_at is not None:
            return self.continued_at
        return None if end is None else max(end, self.entered_at)


class Steps:
    """The path of one contact through the machine."""

    __slots__ = ("goal", "path")

    def __init__(self) -> None:
        """No step yet."""
        self.path: list[Step] = []
        self.goal = False

    @property
    def open(self) -> Step | None:
        """The step that nothing has continued yet."""
        if self.path and self.path[-1].continued_at is None:
            return self.path[-1]
        return None

    @property
    def menus(self) -> int:
        """How many menu nodes were entered (R51)."""
        return sum(1 for step in self.path if step.name.startswith("menu:"))

    def enter(self, at: int, name: str) -> None:
        """``step.entered``: the step before is continued."""
        self.go_on(at)
        self.path.append(Step(name, at))

    def leave(self, at: int) -> None:
        """``step.left``: the time in the open step is over, though nothing has continued it."""
        step = self.open
        if step is not None and step.left_at is None:
            step.left_at = at

    def reach_goal(self) -> None:
        """``step.left{goal}``: self-service succeeded, unless a queue or a connect follows."""
        self.goal = True

    def go_on(self, at: int) -> None:
        """Something continued the open step."""
        if self.path and self.path[-1].continued_at is None:
            self.path[-1].continued_at = at

    def reach_people(self, at: int) -> None:
        """A queue or a connect: continued, and the goal is forgotten."""
        self.go_on(at)
        self.goal = False

    def ending(self, by: str, *, inferred: bool) -> str:
        """How the open step ended when the contact did."""
        if self.goal:
            return "self_served"
        return "abandoned" if by in _GIVEN_UP and not inferred else "system"
