"""What the simulated world knows of one contact and one ticket, as far as cases are concerned.

Written by the accounts at the moment of a decision; read by `verdicts` when somebody asks for the truth.
Nothing here is read from an event. Times in ms since the epoch.

Source: 2-numbers 2.7.
"""

from typing import Final, NamedTuple

from stream.demo.scenario import SILENCE_MS

ELIGIBLE: Final = frozenset(("handled", "voicemail", "callback"))
GAVE_UP: Final = frozenset(("abandoned", "abandoned_short", "abandoned_step"))
"""Outcomes of a contact that is one of a case (2.7)."""
UNASSIGNED: Final = "unassigned"
NONE: Final = "none"


class Word(NamedTuple):
    """An agent's verdict on a contact.

    Attributes:
        at: when it was given.
        resolution: resolved, unresolved, follow_up or escalated.
        cause: why not; `none` where nobody said.
        confirmed: whether the customer confirmed it: yes, no, unasked.
    """

    at: int
    resolution: str
    cause: str = NONE
    confirmed: str = "unasked"


class Facts:
    """One contact.

    Attributes:
        channel: as on the wire.
        inbound: whether the customer made it.
        arrived_at: when it began.
        name: the customer's pseudonym as said last; empty while nobody has said it.
        issue: as said last; empty while nobody has.
        ticket: the ticket it names; None = none.
        queue: where its first visit was, or will be.
        outcome: as booked now; empty while undecided.
        asked_at: when the customer left a message or asked for a call, if no agent had served before.
        ended_at: None while it goes on.
        last_at: when anything was said of it last.
        silence_ms: after so long a silence it has ended with the last word.
        agents: who served, in order, each once.
        moved: whether a transfer was completed.
        words: verdicts in order.
        back_at: when an agent served again after the end.
        handle_ms: the handle time where it is complete; None = it is not, or there is none.
        asked: whether a survey about it was offered.
        said: what the customer answered last: yes, no, `none` for a score alone; empty = nothing.
        score: the customer's last score, 1 to 5; 0 = none.
    """

    __slots__ = (
        "agents",
        "arrived_at",
        "asked",
        "asked_at",
        "back_at",
        "channel",
        "ended_at",
        "handle_ms",
        "inbound",
        "issue",
        "last_at",
        "moved",
        "name",
        "outcome",
        "queue",
        "said",
        "score",
        "silence_ms",
        "ticket",
        "words",
    )

    def __init__(self, channel: str, arrived_at: int, *, inbound: bool = True) -> None:
        """Begin to know a contact."""
        self.channel = channel
        self.inbound = inbound
        self.arrived_at = arrived_at
        self.name = ""
        self.issue = ""
        self.ticket: Ticket | None = None
        self.queue = UNASSIGNED
        self.outcome = ""
        self.asked_at: int | None = None
        self.ended_at: int | None = None
        self.last_at = arrived_at
        self.silence_ms = SILENCE_MS[channel]
        self.agents: list[str] = []
        self.moved = False
        self.words: list[Word] = []
        self.back_at: list[int] = []
        self.handle_ms: int | None = None
        self.asked = False
        self.said = ""
        self.score = 0

    def served_by(self, agent: str) -> None:
        """Somebody serves."""
        if agent not in self.agents:
            self.agents.append(agent)

    def silent(self, at: int | None) -> bool:
        """Whether it has ended by silence as of `at`, ms; None = nothing has."""
        return self.ended_at is None and at is not None and at >= self.last_at + self.silence_ms

    def end(self, at: int | None) -> int | None:
        """When it ended, by a word or by the silence after it, as known at `at` (ms); None while it goes on."""
        return self.last_at if self.silent(at) else self.ended_at

    @property
    def counts(self) -> bool:
        """Whether it is a contact of a case: eligible and named, or an outbound one that reached the customer."""
        if not self.name:
            return False
        return self.outcome in ELIGIBLE if self.inbound else self.outcome == "handled"

    @property
    def linked(self) -> bool:
        """Whether it only names a ticket: a machine served the customer, or nobody has yet; who gave up does not."""
        return bool(self.inbound and self.name and self.ticket is not None and self.outcome not in GAVE_UP)

    @property
    def answer(self) -> str:
        """Whether the customer says it is solved: yes, no; empty where it does not say."""
        return "" if self.said == NONE else self.said

    @property
    def begins_at(self) -> int:
        """From when it counts: the message left, the call asked for, else its arrival."""
        return self.arrived_at if self.asked_at is None else self.asked_at

    def solved_at(self, at: int | None = None, *, ticketed: bool) -> int | None:
        """Since when this contact has resolved its case; with a ticket an end without a word resolves nothing."""
        end = self.end(at)
        if self.words:
            since = None
            for word in self.words:
                since = None if word.resolution != "resolved" else word.at if since is None else since
            return since if since is None or end is None else min(since, end)
        return end if self.outcome == "handled" and not ticketed else None


class Ticket:
    """One ticket of the ticket system.

    Attributes:
        name: its id.
        customer: pseudonym it is kept under.
        words: when something was said of it, and what: opened, resolved, reopened, escalated, closed.
        into: the ticket it was merged into; None = it stands for itself.
        planned: whether it is known what will become of it.
    """

    __slots__ = ("customer", "into", "name", "planned", "words")

    def __init__(self, name: str, customer: str) -> None:
        """Begin to know a ticket; nothing has been said of it."""
        self.name = name
        self.customer = customer
        self.words: list[tuple[int, str]] = []
        self.into: Ticket | None = None
        self.planned = False

    @property
    def root(self) -> "Ticket":
        """The ticket that speaks for it."""
        ticket = self
        while ticket.into is not None:
            ticket = ticket.into
        return ticket
