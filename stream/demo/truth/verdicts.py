"""What a case of the simulated world is worth: who was first, when it was resolved, what came next.

A case is asked as of a settlement watermark `at` (ms): before a window has ended there nothing is settled, and nobody
has failed by not coming back. Everything else is known at once.

Source: 2-numbers 2.7 and 2.8.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

from stream.demo.scenario import HOUR_MS, LATENESS_MS, WINDOW_MS
from stream.demo.truth.facts import NONE, UNASSIGNED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.demo.opening import Hours
    from stream.demo.truth.facts import Facts

_RESOLVING: Final = ("resolved", "closed")
_DECIDING: Final = ("opened", "resolved", "reopened", "closed")


class Rule(NamedTuple):
    """One rule of the shipped policy.

    Attributes:
        name: label `rule`.
        same_channel: contacts in other channels than the first's are not seen.
        one_agent: a transfer or a second agent fails the case.
        survey: the customer's answer decides, and who gave none is not counted.
    """

    name: str
    same_channel: bool = False
    one_agent: bool = False
    survey: bool = False


RULES: Final = (
    Rule("contact"),
    Rule("channel", same_channel=True),
    Rule("one_touch", one_agent=True),
    Rule("survey", survey=True),
)


class Verdict(NamedTuple):
    """What a rule says: `state` settled, provisional, failed or open; failed for a reason, with a cause."""

    state: str
    reason: str = ""
    cause: str = NONE


class Case:
    """The contacts of one case, in order of arrival, and what was said of its tickets, in order.

    Attributes:
        contacts: those that count.
        linked: others that name its ticket; a case without a contact is counted under the first of them.
        words: when something was said of its tickets, and what.
    """

    __slots__ = ("contacts", "linked", "words")

    def __init__(self) -> None:
        """Nothing is in it."""
        self.contacts: list[Facts] = []
        self.linked: list[Facts] = []
        self.words: list[tuple[int, str]] = []

    @property
    def inbound(self) -> "list[Facts]":
        """The eligible contacts."""
        return [contact for contact in self.contacts if contact.inbound]

    @property
    def ticketed(self) -> bool:
        """Whether a ticket decides what nobody says."""
        return any(what in _DECIDING for _, what in self.words)

    @property
    def home(self) -> "Facts | None":
        """The contact it is counted under: the first eligible one, else the first that names its ticket."""
        return next(iter(self.inbound or self.linked or self.contacts), None)

    @property
    def place(self) -> tuple[str, str, str]:
        """Channel and queue of the contact it is counted under, and the first issue any contact states."""
        first = self.home
        issue = next((contact.issue for contact in self.contacts if contact.issue), NONE)
        return (NONE, UNASSIGNED, issue) if first is None else (first.channel, first.queue, issue)

    def solved_at(self, at: int | None = None) -> int | None:
        """Since when it is resolved as of `at`: the latest contact, or the latest word about it, decides."""
        words = [(said, what in _RESOLVING) for said, what in self.words if what in _DECIDING]
        if words:
            ticket = max(words)
            own = [(word.at, word.resolution == "resolved", fact) for fact in self.contacts for word in fact.words]
            latest = max(own, key=lambda word: word[:2], default=None)
            if latest is not None and latest[:2] > ticket:
                return latest[2].solved_at(at, ticketed=True)
            return ticket[0] if ticket[1] else None
        for contact in reversed(self.contacts):
            since = contact.solved_at(at, ticketed=False)
            if contact.inbound or contact.words or since is not None:
                return since
        return None

    def over(self, at: int) -> bool:
        """Whether nothing that may still be told changes it: a window and the lateness after the last word.

        On the hour; and while its ticket is open, or one of its contacts goes on, a case is never over.
        """
        if any(contact.end(at) is None for contact in self.contacts):
            return False
        words = [what for _, what in self.words if what in _DECIDING]
        if words and words[-1] not in _RESOLVING:
            return False
        last = max(*(contact.last_at for contact in self.contacts), *(said for said, _ in self.words), 0, 0)
        return at >= -(-(last + WINDOW_MS + LATENESS_MS) // HOUR_MS) * HOUR_MS

    def first_solved_at(self, at: int | None = None) -> int | None:
        """When it was resolved for the first time, by whomever, as known at `at`; None if never."""
        found = [contact.solved_at(at, ticketed=self.ticketed) for contact in self.contacts]
        times = [since for since in found if since is not None]
        times += [said for said, what in self.words if what in _RESOLVING]
        return min(times, default=None)

    def reopened(self, at: int | None = None) -> bool:
        """Whether the ticket was reopened, or somebody served again after a contact had resolved it."""
        solved = [(contact.solved_at(at, ticketed=self.ticketed), contact.back_at) for contact in self.contacts]
        again = any(since <= b < since + WINDOW_MS for since, back in solved if since is not None for b in back)
        return again or any(what == "reopened" for _, what in self.words)

    def repeated(self, at: int | None = None) -> "Iterator[Facts]":
        """Eligible contacts that another one follows in less than the window after their end, or overlaps."""
        inbound = self.inbound
        for place, contact in enumerate(inbound):
            end = contact.end(at)
            if end is not None and any(later.arrived_at < end + WINDOW_MS for later in inbound[place + 1 :]):
                yield contact

    def first(self, hours: "Hours | None" = None) -> "Facts | None":
        """The contact a rule calls the first: of the eligible ones the first that came while its queue was open."""
        inbound = self.inbound
        shifted = (one for one in inbound if hours is None or hours.is_open(one.queue, one.arrived_at))
        return next(shifted, next(iter(inbound), None))

    def judge(self, rule: Rule, at: int, hours: "Hours | None" = None) -> Verdict | None:
        """What a rule says as of `at`; None where it does not count the case.

        Args:
            rule: of the shipped policy.
            at: settlement watermark, ms.
            hours: when which queue is open; None = always.
        """
        first = self.first(hours)
        if first is None:
            return None
        after = self.contacts[self.contacts.index(first) + 1 :]
        if rule.same_channel:
            after = [contact for contact in after if contact.channel == first.channel]
        met = first if first.outcome == "handled" else next((c for c in after if c.outcome == "handled"), None)
        if rule.survey:
            answer = first.answer or (met.answer if met is not None else "")
            return {"yes": Verdict("settled"), "no": Verdict("failed", "survey", _cause(met or first))}.get(answer)
        if met is None:
            end = first.end(at)
            late = end is not None and at >= end + WINDOW_MS
            return Verdict("failed", "unresolved") if late else Verdict("open")
        if met is not first:
            after = after[after.index(met) + 1 :]
        reason = self._failed(rule, met, after, at)
        if reason:
            return Verdict("failed", reason, _cause(met))
        solved = self._solved_by(met, at)
        if solved is None:
            return Verdict("open")
        return Verdict("settled" if at >= solved + WINDOW_MS else "provisional")

    def _failed(self, rule: Rule, met: "Facts", after: "list[Facts]", at: int) -> str:
        """The first reason that applies, `met` being the first contact with an agent; empty if none does."""
        solved, last = self._solved_by(met, at), met.words[-1].resolution if met.words else ""
        over = solved if solved is not None else met.end(at)
        ends = None if over is None else over + WINDOW_MS
        reasons = {
            "escalated": last == "escalated" or self._said("escalated", met.arrived_at, ends),
            "follow_up": last == "follow_up",
            "transfer": rule.one_agent and (met.moved or len(met.agents) > 1),
        }
        reasons |= self._left_open(met, after, ends, at) if solved is None else self._came_back(met, after, solved, at)
        return next((reason for reason, applies in reasons.items() if applies), "")

    def _left_open(self, met: "Facts", after: "list[Facts]", ends: int | None, at: int) -> dict[str, bool]:
        """What fails a case that its first contact did not resolve; until a window after that it takes contacts."""
        until = None if ends is None else max(ends, met.last_at + WINDOW_MS)
        helping = (one.arrived_at if one.inbound else one.solved_at(at, ticketed=self.ticketed) for one in after)
        helped = any(since is not None and (until is None or since < until) for since in helping)
        return {"unresolved": not helped and ends is not None and at >= ends, "later_contact": helped}

    def _came_back(self, met: "Facts", after: "list[Facts]", solved: int, at: int) -> dict[str, bool]:
        """What fails a case that was resolved; who called the customer may have done it sooner."""
        back = next((contact.arrived_at for contact in after if contact.inbound), None)
        called = (one.solved_at(at, ticketed=self.ticketed) for one in after if not one.inbound)
        again = any(solved <= served < solved + WINDOW_MS for served in met.back_at)
        return {
            "later_contact": any(since is not None and since < solved for since in (back, *called)),
            "reopened": again or self._said("reopened", solved, solved + WINDOW_MS),
            "repeat": back is not None and back < solved + WINDOW_MS,
        }

    def _solved_by(self, met: "Facts", at: int) -> int | None:
        """When the first contact with an agent, or the ticket after it, resolved the case."""
        own = met.solved_at(at, ticketed=self.ticketed)
        said = next((since for since, what in self.words if what in _RESOLVING and since >= met.arrived_at), None)
        return min((since for since in (own, said) if since is not None), default=None)

    def _said(self, what: str, since: int, until: int | None) -> bool:
        """Whether the ticket system said so in [since, until)."""
        return any(word == what and since <= at and (until is None or at < until) for at, word in self.words)


def _cause(contact: "Facts") -> str:
    return contact.words[-1].cause if contact.words else NONE
