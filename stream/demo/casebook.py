"""The figures of cases: summed over everything anybody in the simulated world has wanted, when somebody asks.

Nothing is booked ahead: a case is what its contacts and tickets are now, so a customer who turns out to be two, a
ticket that is merged or a verdict that is corrected needs no undoing.

Source: 2-numbers 2.7 and 2.8, 3-metrics 3.2.
"""

from collections import Counter
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from stream.demo.verdicts import RULES, Case

if TYPE_CHECKING:
    from stream.demo.people import Errand

_PLACE: Final = ("channel", "queue", "issue")

CASE_COUNTERS: Final = MappingProxyType(
    {
        "contact_cases_opened_total": _PLACE,
        "contact_cases_handled_total": _PLACE,
        "contact_cases_resolved_total": _PLACE,
        "contact_cases_reopened_total": _PLACE,
        "contact_eligible_contacts_total": _PLACE,
        "contact_repeat_contacts_total": _PLACE,
        "contact_fcr_cases_total": ("rule", *_PLACE, "state"),
        "contact_fcr_failed_total": ("rule", "channel", "reason", "cause"),
        "contact_survey_offered_total": ("channel",),
        "contact_survey_answered_total": ("channel", "resolved"),
        "contact_survey_disagreements_total": ("channel",),
    }
)
"""Counters of cases and surveys the truth is complete in, with their labels in order."""

CASE_GAUGES: Final = MappingProxyType(
    {
        "contact_cases_open": _PLACE,
        "contact_fcr_cohort_cases": ("rule", "channel", "state", "day"),
    }
)
"""Gauges of cases; the truth of the cohorts knows every day there was."""

CASE_TIMES: Final = MappingProxyType({"contact_resolution_seconds": ("channel", "issue")})
"""Histograms of cases, in bands of hours."""

Key = tuple[str, ...]


class CaseBook:
    """Everything anybody wants.

    Attributes:
        errands: in the order in which they began.
    """

    __slots__ = ("errands",)

    def __init__(self) -> None:
        """Nobody wants anything."""
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
                counts["contact_survey_offered_total", contact.channel] += contact.asked
                counts["contact_survey_answered_total", contact.channel, contact.said] += bool(contact.said)
            for case in errand.cases():
                counts.update(_of_case(case, at))
                _of_rules(case, at, counts)
                solved = case.first_solved_at()
                if solved is not None and case.contacts:
                    channel, _, issue = case.place
                    arrived = (case.inbound or case.contacts)[0].arrived_at
                    times.append((("contact_resolution_seconds", channel, issue), solved - arrived))
        return counts, times


def _of_case(case: Case, at: int) -> Counter[Key]:
    """What a case is worth whatever a rule says; nobody waits for one that is over."""
    counts: Counter[Key] = Counter()
    place, issue = case.place, case.place[2]
    counts["contact_cases_opened_total", *place] = 1
    counts["contact_cases_handled_total", *place] = any(contact.outcome == "handled" for contact in case.contacts)
    solved = case.solved()
    counts["contact_cases_resolved_total", *place] = solved
    counts["contact_cases_open", *place] = not solved and not case.over(at)
    counts["contact_cases_reopened_total", *place] = case.reopened()
    for contact in case.inbound:
        counts["contact_eligible_contacts_total", contact.channel, contact.queue, issue] += 1
    for contact in case.repeated():
        counts["contact_repeat_contacts_total", contact.channel, contact.queue, issue] += 1
    return counts


def _of_rules(case: Case, at: int, counts: Counter[Key]) -> None:
    """What each rule's verdict on a case is worth as of `at`."""
    if not case.inbound:
        return
    place = channel, _, _ = case.place
    first = case.inbound[0]
    day = datetime.fromtimestamp(first.begins_at / 1000, UTC).date().isoformat()
    for rule in RULES:
        said = case.judge(rule, at)
        if said is None:
            continue
        counts["contact_fcr_cohort_cases", rule.name, channel, said.state, day] += 1
        if said.state in {"settled", "provisional"}:
            counts["contact_fcr_cases_total", rule.name, *place, "credited"] += 1
        if said.state in {"settled", "failed"}:
            counts["contact_fcr_cases_total", rule.name, *place, said.state] += 1
        if said.state == "failed":
            counts["contact_fcr_failed_total", rule.name, channel, said.reason, said.cause] += 1
        if rule.name == "contact" and first.answer and said.state != "open":
            disagrees = (first.answer == "yes") == (said.state == "failed")
            counts["contact_survey_disagreements_total", channel] += disagrees
