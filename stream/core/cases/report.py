"""The case as known now, in words: what the verdicts topic and ``explain`` say of it (1-events 1.7).

Durations are ``_ms``, times ms since the epoch. Of a case with very many contacts the first and the last are listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.core.policy import UNASSIGNED

if TYPE_CHECKING:
    from stream.core.cases.cells import Standing, Verdicts
    from stream.core.cases.fact import Fact
    from stream.core.cases.fcr import Verdict
    from stream.core.policy import Policy

LISTED = 50  # contacts listed from each end
Report = dict[str, object]


def case_report(stands: Standing, said: Verdicts, policy: Policy) -> Report:
    """Everything known of one case and what every rule says of it."""
    case, home, first, last = stands
    begun = stands.arrived_at
    return {
        "case_id": case.id,
        "channel": None if home is None else home.channel,
        "queue": UNASSIGNED if home is None else home.queue,
        "issue": case.issue,
        "arrived_at": begun,
        "contacts": _listed(case.contacts),
        "contacts_total": len(case.contacts),
        "prior_attempts": _listed(case.attempts),
        "ticket": [event[3] for event in case.events[-LISTED:]],
        "resolved": last is not None,
        "first_resolution_ms": None if first is None else max(0, first - begun),
        "last_resolution_ms": None if last is None else max(0, last - begun),
        "window_ms": policy.window_ms(case.issue),
        "rules": _traces(said),
    }


def _listed(facts: list[Fact]) -> list[dict[str, object]]:
    ends = facts if len(facts) <= 2 * LISTED else [*facts[:LISTED], *facts[-LISTED:]]
    return [{"contact_id": fact.contact_id, "generation": fact.generation} for fact in ends]


def _traces(said: Verdicts) -> dict[str, Report | None]:
    """What each rule says; rules that agree share the verdict, and what is said of it."""
    known: dict[int, Report] = {}
    traces: dict[str, Report | None] = {}
    for rule, one in said.items():
        if one is None:
            traces[rule] = None
        else:
            traces[rule] = known.get(id(one)) or known.setdefault(id(one), _ruled(one))
    return traces


def _ruled(said: Verdict) -> Report:
    """One rule's verdict and the trace that led to it."""
    return {
        "state": said.state,
        "reason": said.reason,
        "cause": said.cause,
        "cohort": said.cohort,
        "first": said.first.contact_id,
        "decided_by": None if said.decider is None else said.decider.contact_id,
        "resolved_at": said.resolved_at,
        "window_end": said.window_end,
        "failed_by": said.failed_by,
        "failed_at": said.failed_at,
    }
