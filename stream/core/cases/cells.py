"""What a case adds to which figure: the contributions of the case stage (2-numbers 2.7, 2.8; 3-metrics 3.2).

A case's cells lie in the interval of its first arrival, by arrival; gauges have none. Where the policy names agents,
the agent who served the first contact first has the credit of the case, and each who served an eligible contact has
that contact once. Times in ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.core.cases.case import RESOLVING
from stream.core.cases.fact import resolved_at, served_by
from stream.core.cases.fcr import Judge
from stream.core.figures.figures import INTERVAL_MS, NEVER
from stream.core.policy import DAY_MS, HOUR_MS, NONE, UNASSIGNED

if TYPE_CHECKING:
    from stream.core.cases.case import Case
    from stream.core.cases.fact import Fact
    from stream.core.cases.fcr import Verdict
    from stream.core.cases.figures import CaseFigures, HomeFigures, RuleFigures
    from stream.core.events import Event
    from stream.core.figures.figures import Contributions, Figure

HEADLINE = "contact"
CREDITED = frozenset(("settled", "provisional"))
Verdicts = dict[str, "Verdict | None"]  # by rule
Answers = dict[str, "Event"]  # contact_id -> the last answer that says yes or no


class Standing(NamedTuple):
    """How a case stands, by contacts and tickets alone. Times in ms."""

    case: Case
    home: Fact | None  # the contact it is counted under
    first_resolved: int | None
    last_resolved: int | None  # None while it is open

    @property
    def arrived_at(self) -> int:
        """When it began."""
        return self.case.arrived_at if self.home is None else self.home.arrived_at


def verdicts(case: Case, answers: Answers, figures: CaseFigures, watermark: int | None, *, counted: bool) -> Verdicts:
    """What every rule says of the case; None where a rule leaves it out, or where it is not ``counted`` at all."""
    if not counted or not case.contacts:
        return dict.fromkeys(figures.policy.rules)
    judge = Judge(case, answers, figures.policy, watermark)
    return {ruling.name: judge.verdict(ruling) for ruling in figures.rulings}


def standing(case: Case, mode: str) -> Standing:
    """How a case stands; ``mode`` is the policy's ``resolution``."""
    if len(case.contacts) == 1 and not case.events:
        solved = resolved_at(case.contacts[0], mode, ticket=False)
        return Standing(case, case.home, solved, solved)
    return Standing(case, case.home, _first_resolution(case, mode), case.resolved_as_of(mode))


def case_worth(stands: Standing, said: Verdicts, answers: Answers, figures: CaseFigures) -> Contributions:
    """What a counted case is worth, ``said`` of it by the rules."""
    case, home, solved, last = stands
    policy, at = figures.policy, stands.arrived_at // INTERVAL_MS
    series = _home(home, case, figures)
    into: Contributions = {(series.opened, at, NEVER): 1}
    if case.handled:
        into[series.handled, at, NEVER] = 1
    if last is None:
        into[series.open, NEVER, NEVER] = 1
    else:
        into[series.resolved, at, NEVER] = 1
    if case.reopened(policy.cases.resolution, policy.window_ms(case.issue)):
        into[series.reopened, at, NEVER] = 1
    for (channel, queue), (eligible, followed) in case.tally.items():
        own = figures.home(channel, queue, case.issue)
        _add(into, own.eligible, at, eligible)
        _add(into, own.repeats, at, followed)
    if home is not None:
        _resolution(into, home, (solved, last), series, figures)
    for rule, one in said.items():
        if one is not None:
            own = series if one.first is home else _home(one.first, case, figures)
            _rule(into, at, one, own.rule(rule), figures)
    headline = said.get(HEADLINE)
    if headline is not None and answers and _disagree(headline, answers):
        channel = headline.first.channel
        key = ("contact_survey_disagreements_total", channel)
        into[figures.get(key, figures.place(channel, NONE, NONE)), at, NEVER] = 1
    if policy.agents:
        _agents(into, stands, headline, figures)
    return into


def _first_resolution(case: Case, mode: str) -> int | None:
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


def credit_of(said: Verdict) -> str | None:
    """The agent whose credit a verdict is: who served the first contact first, ``""`` if nameless; None = nobody."""
    return next(iter(served_by(said.first)), None)


def _resolution(
    into: Contributions, home: Fact, resolved: tuple[int | None, int | None], series: HomeFigures, figures: CaseFigures
) -> None:
    """How long a case took that began with ``home``, to its first and its last resolution.

    Of the first also how much of it the queue was open, if it ever closes.
    """
    solved, last = resolved
    policy, at = figures.policy, home.arrived_at // INTERVAL_MS
    if last is not None:
        series.full_resolution.add(into, max(0, last - home.arrived_at), at, NEVER)
    if solved is None:
        return
    series.resolution.add(into, max(0, solved - home.arrived_at), at, NEVER)
    if policy.has_hours(home.queue):
        open_ms = policy.calendar(home.queue).open_ms(home.arrived_at, solved)
        series.resolution_open.add(into, open_ms, at, NEVER)


def _rule(into: Contributions, at: int, said: Verdict, own: RuleFigures, figures: CaseFigures) -> None:
    """What one rule's verdict is worth, counted on its ``own`` figures at the place of the first contact it sees."""
    state, day, since = said.state, said.cohort, said.resolved_at
    into[own.cohort(day, state), NEVER, NEVER] = 1
    if state in CREDITED:
        into[own.credited, at, NEVER] = 1
        if state == "settled":
            into[own.settled, at, NEVER] = 1
        elif since is not None and said.window_end is not None:
            hour, rest = divmod(since, HOUR_MS)
            cases, into_hour = own.running(day, hour, said.window_end - since)
            into[cases, NEVER, NEVER] = 1
            if rest:
                into[into_hour, NEVER, NEVER] = rest
    elif state == "failed":
        into[own.failed, at, NEVER] = 1
        into[own.failure(said.reason or NONE, said.cause), at, NEVER] = 1
        if since is not None and said.failed_at is not None and said.reason in ("repeat", "reopened"):
            age = str((said.failed_at - since) // DAY_MS)
            into[figures.get(("~repeated", own.name, day, age)), NEVER, NEVER] = 1


def _agents(into: Contributions, stands: Standing, headline: Verdict | None, figures: CaseFigures) -> None:
    """What a case is worth to the agents who served in it."""
    case, home, solved, _ = stands
    at, label = stands.arrived_at // INTERVAL_MS, figures.policy.agent_label
    for (agent, channel), (contacts, followed) in case.served.items():
        own = figures.agent(agent, channel)
        _add(into, own.contacts, at, contacts)
        _add(into, own.repeats, at, followed)
    credited = None if headline is None else credit_of(headline)
    if headline is not None and credited is not None:
        own = figures.agent(label(credited), headline.first.channel)
        into[own.eligible, at, NEVER] = 1
        if headline.state in CREDITED:
            into[own.credited, at, NEVER] = 1
    first = next((agents[0] for fact in case.contacts if (agents := served_by(fact))), None)
    if solved is not None and home is not None and first is not None:
        own = figures.agent(label(first), home.channel)
        into[own.resolutions, at, NEVER] = 1
        _add(into, own.resolution, at, max(0, solved - home.arrived_at))


def _disagree(said: Verdict, answers: Answers) -> bool:
    """Whether the customer's answer contradicts what was observed; an open case says nothing."""
    answer = answers.get(said.first.contact_id)
    if answer is None or said.state == "open":
        return False
    return (answer[5].resolved == "yes") == (said.state == "failed")


def _home(fact: Fact | None, case: Case, figures: CaseFigures) -> HomeFigures:
    """The figures of the place of a contact of the case; of a ticket nobody has come for, those of no channel."""
    if fact is None:
        return figures.home(NONE, UNASSIGNED, case.issue)
    return figures.home(fact.channel, fact.queue, case.issue)


def _add(into: Contributions, figure: Figure, at: int, amount: int) -> None:
    """Add to a figure that may be met twice."""
    if amount:
        into[figure, at, NEVER] = into.get((figure, at, NEVER), 0) + amount
