"""First contact resolution of a case under one rule: state, reason, and what decided it (2-numbers 2.8).

A verdict is a pure function of (case, answers, rule, watermark). Rules that see the same contacts share the course of
the case; each then says what of it fails under it. Times in ms.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from stream.core.cases.case import ESCALATED, REOPENED, RESOLVING
from stream.core.cases.fact import ASKED, FOREVER, first_end, going_on, last_word, resolved_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.core.cases.case import Case
    from stream.core.cases.fact import Fact
    from stream.core.events import Event
    from stream.core.policy import Policy, RulePolicy

Found = tuple[str, int, str]  # reason, when, which contact or event


class Verdict(NamedTuple):
    """What a rule says of a case."""

    state: str  # settled, provisional, failed, open
    first: Fact  # the first contact the rule sees: channel, queue
    cohort: str  # the local day on which it began
    reason: str | None = None
    decider: Fact | None = None  # the contact that resolved it, or did not
    resolved_at: int | None = None
    window_end: int | None = None
    failed_at: int | None = None
    failed_by: str | None = None  # contact or event
    due: int | None = None  # when time alone changes the state

    @property
    def cause(self) -> str:
        """The cause the agent gave (R24), or ``none``."""
        said = last_word(self.decider or self.first)
        return (said.cause if said is not None else None) or "none"


class Course(NamedTuple):
    """What became of a case, as far as contacts and tickets tell: one for all rules that see the same contacts."""

    first: Fact
    cohort: str
    decider: Fact | None
    resolved: int | None
    over: int  # the window's end; of what is not resolved, when it has failed
    found: Found | None  # unresolved, later_contact, reopened, repeat

    @property
    def base(self) -> Fact:
        """Whose words count: the contact that decides, or the first as long as there is none."""
        return self.decider or self.first


class Ruling(NamedTuple):
    """A rule, and numbers for what it sees: rules with the same number see the same course of a case."""

    name: str
    rule: RulePolicy
    in_one_channel: int  # where all contacts of the case came by one channel, and the rule looks there
    in_several: int


def rulings(policy: Policy) -> tuple[Ruling, ...]:
    """The rules of a policy."""
    one: dict[tuple[str, str], int] = {}
    several: dict[tuple[object, ...], int] = {}
    found = []
    for name, rule in policy.rules.items():
        owed = (rule.follow_up, rule.escalation)
        seen = (*owed, rule.channels, rule.repeat_channels)
        found.append(Ruling(name, rule, one.setdefault(owed, len(one)), several.setdefault(seen, len(several))))
    return tuple(found)


class Judge:
    """One case before all rules, at one watermark."""

    __slots__ = ("_answers", "_case", "_courses", "_mode", "_policy", "_verdicts", "_watermark", "_window", "_words")

    def __init__(self, case: Case, answers: Mapping[str, Event], policy: Policy, watermark: int | None) -> None:
        """Hear a case.

        Args:
            case: with its contacts placed.
            answers: contact_id -> the last survey answer that says yes or no.
            policy: in force.
            watermark: how far every upstream has come, ms; None = nothing is settled.
        """
        self._case = case
        self._answers = answers
        self._policy = policy
        self._watermark = watermark
        self._mode = policy.cases.resolution
        self._window = policy.window_ms(case.issue)
        self._words = case.words() if self._mode in ("auto", "case") else ()
        self._courses: dict[int, Course | None] = {}
        self._verdicts: dict[tuple[int, bool], Verdict] = {}

    def verdict(self, ruling: Ruling) -> Verdict | None:
        """What a rule says; None where its denominator leaves the case out. Rules that agree share the verdict."""
        _, rule, seen, in_several = ruling
        decides, channels = rule.survey == "decide", self._case.channels
        if decides and not self._answers:
            return None
        if len(channels) != 1:
            seen = in_several
        elif channels[0] not in rule.channels:
            return None
        if seen in self._courses:
            course = self._courses[seen]
        else:
            course = self._courses[seen] = self._course(rule)
        if course is None:
            return None
        if decides:
            return self._surveyed(course)
        base = course.base
        moved = (rule.transfers == "forbid" and bool(base.transfers)) or (rule.agents == "one" and len(base.agents) > 1)
        said = self._verdicts.get((seen, moved))
        if said is None:
            said = self._verdicts[seen, moved] = self._judged(course, rule, moved=moved)
        return said

    def _judged(self, course: Course, rule: RulePolicy, *, moved: bool) -> Verdict:
        """What happens to a course; ``moved``: the rule forbids how many served the first contact."""
        first, cohort, decider, resolved, over, found = course
        told = self._told(course.base, over, rule, moved=moved)
        window_end = None if resolved is None else over
        if told is not None or found is not None:
            reason, at, by = told or found or ("", 0, "")
            return Verdict("failed", first, cohort, reason, decider, resolved, window_end, at, by)
        due = None if over == FOREVER else over
        if resolved is None:
            return Verdict("open", first, cohort, None, decider, due=due)
        if self._watermark is not None and self._watermark >= over:
            return Verdict("settled", first, cohort, None, decider, resolved, window_end)
        return Verdict("provisional", first, cohort, None, decider, resolved, window_end, due=due)

    def _surveyed(self, course: Course) -> Verdict | None:
        """The customer's last answer about the first contact decides."""
        first, decider = course.first, course.decider
        answer = self._answers.get(first.contact_id) or self._answers.get(course.base.contact_id)
        if answer is None:
            return None
        if answer[5].resolved == "yes":
            return Verdict("settled", first, course.cohort, decider=decider)
        found = (answer[0], answer[3])
        return Verdict("failed", first, course.cohort, "survey", decider, None, None, *found)

    def _course(self, rule: RulePolicy) -> Course | None:
        first, later = self._seen(rule)
        if first is None:
            return None
        decider: Fact | None = first
        if first.outcome in ASKED:
            decider = next((fact for fact in later if fact.outcome == "handled"), None)
        base, window = decider or first, self._window
        end = first_end(base)
        deadline = FOREVER if end is None else end + window
        resolved = None if decider is None else self._resolution(decider)
        if resolved is not None and resolved >= deadline:
            resolved = None
        resolved, found = self._after(base, later, resolved, owed=_owed(base, rule))
        over = deadline if resolved is None else resolved + window
        if found is None and resolved is None and self._watermark is not None and self._watermark >= deadline:
            found = "unresolved", deadline, base.contact_id
        if resolved is not None and (found is None or found[0] == "repeat"):
            found = self._reopened(base, resolved, over) or found
        cohort = self._policy.calendar(first.queue).local_day(first.begins_at)
        return Course(first, cohort, decider, resolved, over, found)

    def _seen(self, rule: RulePolicy) -> tuple[Fact | None, Iterator[Fact]]:
        """The first contact under the rule, and those after it that the rule sees."""
        contacts, policy = self._case.contacts, self._policy
        if len(contacts) == 1:
            return (contacts[0] if contacts[0].direction == "inbound" else None), iter(())
        start: int | None = None
        for place, fact in enumerate(contacts):
            if fact.direction != "inbound" or fact.channel not in rule.channels:
                continue
            if policy.cases.after_hours == "count" or policy.calendar(fact.queue).in_hours(fact.arrived_at):
                start = place
                break
            start = place if start is None else start
        if start is None:
            return None, iter(())
        first = contacts[start]
        channels: Sequence[str] = (first.channel,) if rule.repeat_channels == "same" else rule.channels
        return first, (fact for fact in islice(contacts, start + 1, None) if fact.channel in channels)

    def _resolution(self, fact: Fact) -> int | None:
        """When the first contact resolved the case, or a ticket did; whoever came in between is heard later."""
        own = resolved_at(fact, self._mode, ticket=bool(self._words))
        if not self._words:
            return own
        refused = [said.at for said in fact.dispositions if said.resolution != "resolved"]
        since = max([fact.arrived_at, *(at + 1 for at in refused if self._mode == "auto")])
        found = [event[0] for event in self._words if event[2] in RESOLVING and event[0] >= since][:1]
        return min([*found, *([] if own is None else [own])], default=None)

    def _after(
        self, base: Fact, later: Iterator[Fact], resolved: int | None, *, owed: bool
    ) -> tuple[int | None, Found | None]:
        """What the later contacts do to the case: nothing, a repeat, or work on what was not resolved.

        Args:
            base: the first contact; until W after it was last active, an unresolved case takes contacts.
            later: in order; each is heard once.
            resolved: by the first contact, ms.
            owed: who calls back does what was owed, and fails nothing.
        """
        end = first_end(base)
        taken_until = FOREVER if end is None else max(end, base.last_at or end) + self._window
        ticket = bool(self._words)
        for fact in later:
            if fact.direction == "inbound":
                at = fact.arrived_at
                if resolved is None or at < resolved:
                    if going_on(base, at):
                        continue
                    return resolved, ("later_contact", at, fact.contact_id) if at < taken_until else None
                return resolved, ("repeat", at, fact.contact_id) if at < resolved + self._window else None
            done = resolved_at(fact, self._mode, ticket=ticket)
            if done is None or done >= taken_until or (resolved is not None and resolved <= done):
                continue
            if not owed:
                return resolved, ("later_contact", done, fact.contact_id)
            resolved = done
        return resolved, None

    def _told(self, base: Fact, over: int, rule: RulePolicy, *, moved: bool) -> Found | None:
        """What the first contact itself, or the ticket system until ``over``, says against it."""
        said = last_word(base)
        if rule.escalation == "fail":
            if said is not None and said.resolution == "escalated":
                return "escalated", said.at, base.contact_id
            for event in self._case.events:
                if event[2] == ESCALATED and base.arrived_at <= event[0] < over:
                    return "escalated", event[0], event[3]
        if rule.follow_up == "fail" and said is not None and said.resolution == "follow_up":
            return "follow_up", said.at, base.contact_id
        if moved:
            return "transfer", base.decided_at, base.contact_id
        return None

    def _reopened(self, base: Fact, resolved: int, over: int) -> Found | None:
        """Whether the ticket system, or a person who served again, reopened it inside the window."""
        if not base.reopens and not self._case.events:
            return None
        found = [(event[0], event[3]) for event in self._case.events if event[2] == REOPENED]
        found += [(served, base.contact_id) for _, served in base.reopens]
        inside = min(((at, by) for at, by in found if resolved <= at < over), default=None)
        return None if inside is None else ("reopened", *inside)


def _owed(base: Fact, rule: RulePolicy) -> bool:
    """Whether the rule allows what the agent left to somebody else: who then calls back does not fail the case."""
    said = last_word(base)
    if said is None:
        return False
    allowed = {"follow_up": rule.follow_up, "escalated": rule.escalation}
    return allowed.get(said.resolution) == "allow"
