"""One case: its contacts, what its ticket said, and what is counted of them as they are placed (2-numbers 2.7).

Whatever a placement changes is replaced, never changed in place, so that `cases.Timeline` can put it back. Times in ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.core.cases.fact import FOREVER, active_as_of, resolved_at, resolved_by_word, served_by
from stream.core.events import RANKS

if TYPE_CHECKING:
    from stream.core.cases.fact import Fact
    from stream.core.events import Event
    from stream.core.policy import Policy

MERGED = RANKS["case.merged"]
OPENED, RESOLVED, REOPENED = RANKS["case.opened"], RANKS["case.resolved"], RANKS["case.reopened"]
ESCALATED, CLOSED = RANKS["case.escalated"], RANKS["case.closed"]
RESOLVING = frozenset((RESOLVED, CLOSED))
WORDS = frozenset((OPENED, RESOLVED, REOPENED, CLOSED))  # with any of these nothing is implied
Tally = dict[tuple[str, str], tuple[int, int]]  # eligible contacts, those of them that were followed in less than W

Saved = tuple["str | None", list["Fact"], list["Fact"], Tally, Tally, int, int, tuple[str, ...], list["Fact"]]


class Case:
    """One issue of one customer. What a placement changes is replaced, not changed, so that it can be undone."""

    __slots__ = (
        "attempts",
        "back",
        "channels",
        "contacts",
        "ends",
        "events",
        "going",
        "handled",
        "id",
        "issue",
        "linked",
        "overlaps",
        "served",
        "tally",
    )

    def __init__(self, name: str, events: list[Event]) -> None:
        """Nothing is in it but what the ticket system said, in fold order."""
        self.id = name
        self.events = events
        self.contacts: list[Fact] = []  # eligible inbound ones and outbound ones that joined, in order
        self.attempts: list[Fact] = []  # abandoned before an eligible contact
        self.linked: list[Fact] = []  # those that name the ticket and are no contacts of the case (yet)
        self.issue: str | None = None  # the first its contacts state
        self.overlaps: list[Fact] = []  # contacts that were still active when the latest arrived
        self.ends: list[Fact] = []  # contacts that another may still follow
        self.tally: Tally = {}  # by channel and queue
        self.served: Tally = {}  # by label of the agent and channel; each agent once a contact
        self.handled = 0  # contacts that were
        self.going = 0  # contacts that have not ended
        self.channels: tuple[str, ...] = ()  # of its contacts, each once
        self.back: list[Fact] = []  # contacts that were served again after their end

    def saved(self) -> Saved:
        """What a placement may change."""
        return (
            self.issue,
            self.overlaps,
            self.ends,
            self.tally,
            self.served,
            self.handled,
            self.going,
            self.channels,
            self.back,
        )

    def restore(self, saved: Saved) -> None:
        """Put back what `saved` gave."""
        self.issue, self.overlaps, self.ends, self.tally = saved[:4]
        self.served, self.handled, self.going, self.channels, self.back = saved[4:]

    @property
    def first(self) -> Fact | None:
        """The first eligible contact, whatever a rule sees."""
        for fact in self.contacts:
            if fact.direction == "inbound":
                return fact
        return None

    @property
    def home(self) -> Fact | None:
        """The contact it is counted under: the first, else the earliest that names its ticket."""
        found = self.first
        if found is None:
            found = next(iter(self.linked or self.contacts), None)
        return found

    @property
    def arrived_at(self) -> int:
        """When it began (ms): its home's arrival, else its ticket's first event."""
        home = self.home
        return self.events[0][0] if home is None else home.arrived_at

    def words(self, at: int = FOREVER) -> list[Event]:
        """What the ticket system said up to ``at`` of being open or resolved."""
        return [event for event in self.events if event[0] <= at and event[2] in WORDS] if self.events else []

    def resolved_as_of(self, mode: str, at: int = FOREVER) -> int | None:
        """The latest resolution (ms) if the case is resolved as of ``at``, else None."""
        words = self.words(at) if mode in ("auto", "case") else []
        fact = self._deciding(mode, at)
        if not words:
            return None if fact is None else resolved_at(fact, mode, ticket=False, at=at)
        if mode == "auto" and fact is not None:
            said = [word for word in fact.dispositions if word.at <= at]
            if said and said[-1].at >= words[-1][0]:
                return resolved_by_word(fact, mode, at)[1]
        return words[-1][0] if words[-1][2] in RESOLVING else None

    def active_as_of(self, at: int) -> int | None:
        """When it was last active as of ``at`` (ms); None before it began."""
        seen = [active_as_of(fact, at) for fact in (*self.overlaps, *self.contacts[-1:])]
        if self.events:
            seen += [event[0] for event in self.events if event[0] <= at][-1:]
        return max(seen, default=None)

    def reopened(self, mode: str, window: int) -> bool:
        """Whether the ticket system said so, or who came back after a resolution was served inside the window."""
        if any(event[2] == REOPENED for event in self.events):
            return True
        ticket = bool(self.words()) if self.back else False
        for fact in self.back:
            since = resolved_at(fact, mode, ticket=ticket)
            if since is not None and any(since <= served < since + window for _, served in fact.reopens):
                return True
        return False

    def _deciding(self, mode: str, at: int) -> Fact | None:
        """The latest contact that says whether the case is resolved; an outbound one only if it says something."""
        for fact in reversed(self.contacts):
            if fact.direction == "inbound" or resolved_by_word(fact, mode, at)[0]:
                return fact
            if resolved_at(fact, mode, ticket=False, at=at) is not None:
                return fact
        return None


def count(case: Case, fact: Fact, window: int, policy: Policy) -> None:
    """Count a contact put into a case; an eligible one also on those that it follows in less than ``window`` (ms)."""
    if fact.outcome == "handled":
        case.handled += 1
    if fact.ended_at is None:
        case.going += 1
    if fact.channel not in case.channels:
        case.channels = (*case.channels, fact.channel)
    if fact.reopens:
        case.back = [*case.back, fact]
    if fact.direction != "inbound":
        return
    since = fact.arrived_at - window
    followed = [earlier for earlier in case.ends if earlier.ended_at is not None and earlier.ended_at > since]
    case.ends = [*(earlier for earlier in case.ends if earlier.ended_at is None), fact]
    case.tally = dict(case.tally)
    for earlier in followed:
        _add(case.tally, (earlier.channel, earlier.queue), 0, 1)
    _add(case.tally, (fact.channel, fact.queue), 1, 0)
    if policy.agents:
        case.served = dict(case.served)
        for one, contacts, repeats in (*((earlier, 0, 1) for earlier in followed), (fact, 1, 0)):
            for agent in served_by(one):
                _add(case.served, (policy.agent_label(agent), one.channel), contacts, repeats)


def _add(tally: Tally, name: tuple[str, str], contacts: int, followed: int) -> None:
    known = tally.get(name, (0, 0))
    tally[name] = (known[0] + contacts, known[1] + followed)
