"""The figures of cases: summed over everything anybody in the simulated world has wanted, when somebody asks.

Nothing is booked ahead: a case is what its contacts and tickets are now, so a customer who turns out to be two, a
ticket that is merged or a verdict that is corrected needs no undoing.

Source: 2-numbers 2.7 and 2.8, 3-metrics 3.2.
"""

from collections import Counter
from typing import TYPE_CHECKING, Final

from stream.demo.scenario import LISTED_AGENTS
from stream.demo.truth.facts import NONE
from stream.demo.truth.verdicts import RULES, Case

if TYPE_CHECKING:
    from stream.demo.centre.people import Errand
    from stream.demo.scenario import Scenario
    from stream.demo.truth.facts import Facts

_BANDS: Final = ((120_000, "0-2m"), (300_000, "2-5m"), (600_000, "5-10m"))

Key = tuple[str, ...]


class CaseBook:
    """Everything anybody wants.

    Attributes:
        errands: in the order in which they began.
    """

    __slots__ = ("_hours", "errands")

    def __init__(self, scenario: "Scenario") -> None:
        """Nobody wants anything."""
        self._hours = scenario.hours
        self.errands: list[Errand] = []

    def open(self, errand: "Errand") -> None:
        """Somebody wants something."""
        self.errands.append(errand)

    def figures(self, at: int) -> tuple[Counter[Key], list[tuple[Key, int]]]:
        """Return what all cases are worth now, as of a settlement watermark.

        Args:
            at: ms since the epoch.

        Returns:
            Counters and gauges by family and label values; and each resolution time, by family and label values, in ms.
        """
        counts: Counter[Key] = Counter()
        times: list[tuple[Key, int]] = []
        for errand in self.errands:
            for contact in errand.contacts:
                _of_survey(contact, counts)
            for case in errand.cases():
                counts.update(_of_case(case, at))
                self._of_rules(case, at, counts)
                times += self._of_times(case, at, counts)
        return counts, times

    def _of_times(self, case: Case, at: int, counts: Counter[Key]) -> list[tuple[Key, int]]:
        """How long it took to resolve a case; the first agent has the credit."""
        solved = case.first_solved_at(at)
        if solved is None or case.home is None:
            return []
        channel, queue, issue = case.place
        arrived = case.home.arrived_at
        took_ms = max(0, solved - arrived)  # a ticket may have been resolved before any contact named it
        times: list[tuple[Key, int]] = [(("contact_resolution_seconds", channel, issue), took_ms)]
        stands = case.solved_at(at)
        if stands is not None:
            times.append((("contact_full_resolution_seconds", channel, issue), max(0, stands - arrived)))
        opening = self._hours.of(queue)
        if opening is not None:
            times.append((("contact_resolution_open_seconds", channel, issue), opening.between(arrived, solved)))
        served = next((contact for contact in case.contacts if contact.agents), None)
        if served is not None:
            key = (agent_label(served.agents[0]), channel)
            counts["contact_agent_resolutions_total", *key] += 1
            counts["contact_agent_resolution_seconds_total", *key] += took_ms
        return times

    def _of_rules(self, case: Case, at: int, counts: Counter[Key]) -> None:
        """What each rule's verdict on a case is worth as of `at`."""
        first = case.first(self._hours)
        if first is None:
            return
        channel, queue, issue = first.channel, first.queue, case.place[2]
        day = self._hours.day(first.begins_at)
        for rule in RULES:
            said = case.judge(rule, at, self._hours)
            if said is None:
                continue
            credited = said.state in {"settled", "provisional"}
            counts["contact_fcr_cohort_cases", rule.name, channel, said.state, day] += 1
            key = ("contact_fcr_cases_total", rule.name, channel, queue, issue)
            if credited:
                counts[*key, "credited"] += 1
            if said.state in {"settled", "failed"}:
                counts[*key, said.state] += 1
            if said.state == "failed":
                counts["contact_fcr_failed_total", rule.name, channel, said.reason, said.cause] += 1
            if rule.name == "contact" and first.answer and said.state != "open":
                disagrees = (first.answer == "yes") == (said.state == "failed")
                counts["contact_survey_disagreements_total", channel] += disagrees
            if rule.name == "contact" and first.agents:
                agent = agent_label(first.agents[0])
                counts["contact_agent_fcr_eligible_total", agent, channel] += 1
                counts["contact_agent_fcr_credited_total", agent, channel] += credited


def agent_label(agent: str) -> str:
    """Return an agent's name as it is shown."""
    return agent if agent in LISTED_AGENTS else "other"


def _of_survey(contact: "Facts", counts: Counter[Key]) -> None:
    """What the customer was asked, and said, about one contact."""
    counts["contact_survey_offered_total", contact.channel] += contact.asked
    counts["contact_survey_answered_total", contact.channel, contact.said] += bool(contact.said)
    if contact.score:
        took = contact.handle_ms
        band = NONE if took is None else next((name for end, name in _BANDS if took < end), "10m+")
        counts["contact_csat_total", contact.channel, str(contact.score), band] += 1


def _of_case(case: Case, at: int) -> Counter[Key]:
    """What a case is worth whatever a rule says; nobody waits for one that is over."""
    counts: Counter[Key] = Counter()
    place, issue = case.place, case.place[2]
    counts["contact_cases_opened_total", *place] = 1
    counts["contact_cases_handled_total", *place] = any(contact.outcome == "handled" for contact in case.contacts)
    solved = case.solved_at(at) is not None
    counts["contact_cases_resolved_total", *place] = solved
    counts["contact_cases_open", *place] = not solved and not case.over(at)
    counts["contact_cases_reopened_total", *place] = case.reopened(at)
    for contact in case.inbound:
        counts["contact_eligible_contacts_total", contact.channel, contact.queue, issue] += 1
        for agent in contact.agents:
            counts["contact_agent_contacts_total", agent_label(agent), contact.channel] += 1
    for contact in case.repeated(at):
        counts["contact_repeat_contacts_total", contact.channel, contact.queue, issue] += 1
        for agent in contact.agents:
            counts["contact_agent_repeats_total", agent_label(agent), contact.channel] += 1
    return counts
