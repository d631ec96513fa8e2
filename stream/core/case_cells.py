"""What a case adds to which figure: the contributions of the case stage (2-numbers 2.7, 2.8; 3-metrics 3.2).

A case's cells lie in the interval of its first arrival, by arrival; gauges have none. Times in ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.core.cases import RESOLVING
from stream.core.fact import resolved_at
from stream.core.fcr import Judge
from stream.core.figures import INTERVAL_MS, NEVER
from stream.core.policy import DAY_MS, HOUR_MS, NONE, UNASSIGNED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.core.cases import Case
    from stream.core.events import Event
    from stream.core.fact import Fact
    from stream.core.fcr import Verdict
    from stream.core.figures import Contributions, Figures

HEADLINE = "contact"
Verdicts = dict[str, "Verdict | None"]  # by rule
Answers = dict[str, "Event"]  # contact_id -> the last answer that says yes or no


class Place(NamedTuple):
    """Labels of a case family."""

    channel: str
    queue: str
    issue: str


class Worth:
    """Contributions of one interval by arrival."""

    __slots__ = ("at", "figures", "into")

    def __init__(self, figures: Figures, at: int, into: Contributions | None = None) -> None:
        """Count into ``into`` at the interval numbered ``at``."""
        self.figures = figures
        self.at = at
        self.into: Contributions = {} if into is None else into

    def add(self, key: tuple[str, ...], place: Place, amount: int = 1) -> None:
        """A figure with cells."""
        self._book(key, place, self.at, amount)

    def tally(self, key: tuple[str, ...], amount: int = 1, place: Place | None = None) -> None:
        """A gauge: it has no cell."""
        self._book(key, place, NEVER, amount)

    def _book(self, key: tuple[str, ...], place: Place | None, at: int, amount: int) -> None:
        figures = self.figures
        figure = figures.known.get(key) or figures.get(key, None if place is None else figures.place(*place))
        name = (figure, at, NEVER)
        self.into[name] = self.into.get(name, 0) + amount


def verdicts(case: Case, answers: Answers, figures: Figures, watermark: int | None, *, counted: bool) -> Verdicts:
    """What every rule says of the case; None where a rule leaves it out, or where it is not ``counted`` at all."""
    rules = figures.policy.rules
    if not counted:
        return dict.fromkeys(rules)
    judge = Judge(case, answers, figures.policy, watermark)
    return {name: judge.verdict(rule) for name, rule in rules.items()}


def case_worth(case: Case, said: Verdicts, answers: Answers, figures: Figures) -> Contributions:
    """What a counted case is worth, ``said`` of it by the rules."""
    home = case.home
    place = _place(home, case, figures)
    worth = Worth(figures, case.arrived_at // INTERVAL_MS)
    mode = figures.policy.cases.resolution
    worth.add(("contact_cases_opened_total", *place), place)
    if case.counts.handled:
        worth.add(("contact_cases_handled_total", *place), place)
    if case.resolved_as_of(mode) is None:
        worth.tally(("contact_cases_open", *place), place=place)
    else:
        worth.add(("contact_cases_resolved_total", *place), place)
    if case.reopened(mode, figures.policy.window_ms(case.issue)):
        worth.add(("contact_cases_reopened_total", *place), place)
    for (channel, queue), (eligible, followed) in case.tally.items():
        own = Place(channel, figures.policy.queue_label(queue), place.issue)
        worth.add(("contact_eligible_contacts_total", *own), own, eligible)
        if followed:
            worth.add(("contact_repeat_contacts_total", *own), own, followed)
    solved = first_resolution(case, mode)
    if solved is not None and home is not None:
        labels = (place.channel, place.issue)
        timing = figures.timing("contact_resolution_seconds", labels, (place.channel, NONE, place.issue))
        timing.add(worth.into, max(0, solved - case.arrived_at), worth.at, NEVER)
    for rule, one in said.items():
        if one is not None:
            _rule(worth, rule, one, case)
    headline = said.get(HEADLINE)
    if headline is not None and _disagree(headline, answers):
        key = ("contact_survey_disagreements_total", headline.first.channel)
        worth.add(key, Place(headline.first.channel, NONE, NONE))
    return worth.into


def first_resolution(case: Case, mode: str) -> int | None:
    """When the case was resolved for the first time, by whatever contact or ticket; None if never."""
    words = case.words() if mode in ("auto", "case") else []
    best = next((event[0] for event in words if event[2] in RESOLVING), None)
    for fact in case.contacts:
        if best is not None and fact.arrived_at >= best:
            break
        own = resolved_at(fact, mode, ticket=bool(words))
        if own is not None and (best is None or own < best):
            best = own
    return best


def survey_worth(surveys: Mapping[str, list[Event]], channels: Mapping[str, str], figures: Figures) -> Contributions:
    """What the surveys of one customer are worth.

    Args:
        surveys: contact_id -> its survey events in fold order; an answer proves the offer.
        channels: contact_id -> its channel, where it is known.
        figures: of the policy in force.
    """
    into: Contributions = {}
    for contact_id, events in surveys.items():
        channel = channels.get(contact_id, NONE)
        place = Place(channel, NONE, NONE)
        worth = Worth(figures, events[0][0] // INTERVAL_MS, into)
        worth.add(("contact_survey_offered_total", channel), place)
        answers = [event[5] for event in events if is_answer(event)]
        if answers:
            said = next((body.resolved for body in reversed(answers) if body.resolved is not None), NONE)
            worth.add(("contact_survey_answered_total", channel, said), place)
    return into


def is_answer(event: Event) -> bool:
    """Whether a survey event is an answer."""
    return hasattr(event[5], "csat")


def _rule(worth: Worth, rule: str, said: Verdict, case: Case) -> None:
    """What one rule's verdict is worth."""
    day = said.cohort
    place = _place(said.first, case, worth.figures)
    key = ("contact_fcr_cases_total", rule, *place)
    if said.state in ("settled", "provisional"):
        worth.add((*key, "credited"), place)
    if said.state == "settled":
        worth.add((*key, "settled"), place)
    if said.state == "failed":
        worth.add((*key, "failed"), place)
        failed = ("contact_fcr_failed_total", rule, place.channel, said.reason or NONE, said.cause)
        worth.add(failed, Place(place.channel, NONE, NONE))
    worth.tally(("~cohort", rule, place.channel, place.queue, day, said.state))
    if said.resolved_at is None:
        return
    if said.state == "provisional" and said.window_end is not None:
        hour, rest = divmod(said.resolved_at, HOUR_MS)
        running = ("~running", rule, day, str(hour), str(said.window_end - said.resolved_at))
        worth.tally((*running, "n"))
        if rest:
            worth.tally((*running, "since"), rest)
    elif said.reason in ("repeat", "reopened") and said.failed_at is not None:
        age = str((said.failed_at - said.resolved_at) // DAY_MS)
        worth.tally(("~repeated", rule, day, age))


def _disagree(said: Verdict, answers: Answers) -> bool:
    """Whether the customer's answer contradicts what was observed; an open case says nothing."""
    answer = answers.get(said.first.contact_id)
    if answer is None or said.state == "open":
        return False
    return (answer[5].resolved == "yes") == (said.state == "failed")


def _place(home: Fact | None, case: Case, figures: Figures) -> Place:
    policy = figures.policy
    issue = policy.issue_label(case.issue)
    if home is None:
        return Place(NONE, UNASSIGNED, issue)
    return Place(home.channel, policy.queue_label(home.queue), issue)
