"""Cohort gauges of the recount at a settlement watermark: 2-numbers 2.8 and 3-metrics 3.2 once more. Times in ms."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

from stream.core.policy import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from stream.core.policy import Policy
    from tests.core.recount_rules import Recounted, Ruled

SPARE_DAYS = 2
Gauges = dict[tuple[str | int, ...], float]


def recount_gauges(found: Recounted, policy: Policy, at: int | None, since: int | None) -> Gauges:
    """Every cohort gauge but the newest complete cohort of a queue, which each shard says of its own cases.

    Args:
        found: of all events.
        policy: to count under.
        at: settlement watermark.
        since: the first event of a contact.
    """
    gauges: Gauges = defaultdict(float)
    if at is None:
        return gauges
    days = -(-policy.longest_window_ms // DAY_MS)
    oldest = _before(policy.calendar("").local_day(at), days + SPARE_DAYS)
    for case, said in found.cases:
        for rule, one in said.items():
            if one is None:
                continue
            day = policy.calendar(one.first.queue).local_day(one.first.begins_at)
            if day >= oldest:
                gauges["contact_fcr_cohort_cases", rule, one.first.channel, one.state, day] += 1
                gauges["contact_fcr_cohort_elapsed_cases", rule, day] += _elapsed(one, policy.window_ms(case.issue), at)
                warms = since is not None and day <= policy.calendar(one.first.queue).local_day(
                    since + policy.longest_window_ms - 1
                )
                gauges["contact_fcr_cohort_warming_cases", rule, day] += warms
                _count_queue(gauges, rule, one, policy, (day, at, warms))
                _count_ages(gauges, rule, one, policy, at)
    return {key: amount for key, amount in gauges.items() if amount}


def _before(day: str, days: int) -> str:
    return (date.fromisoformat(day) - timedelta(days=days)).isoformat()


def _count_queue(gauges: Gauges, rule: str, one: Ruled, policy: Policy, when: tuple[str, int, bool]) -> None:
    """Cases of today's and yesterday's cohort of a queue, by its calendar; ``when``: cohort, settlement, warming."""
    day, at, warms = when
    listed = one.first.queue in policy.queues or one.first.queue == "unassigned"
    queue = one.first.queue if listed else "other"
    for age in (0, 1):
        if day == _before(policy.calendar(queue).local_day(at), age):
            gauges["contact_fcr_queue_cases", rule, one.first.channel, queue, one.state, str(age)] += 1
            gauges["contact_fcr_queue_warming_cases", rule, one.first.channel, queue, str(age)] += warms


def _count_ages(gauges: Gauges, rule: str, one: Ruled, policy: Policy, at: int) -> None:
    """At which ages the case was at risk, and at which it came back."""
    if one.reason in ("repeat", "reopened") and one.resolved_at is not None:
        gauges["contact_fcr_repeated_cases", rule, str(_age(one))] += 1
    if policy.rules[rule].survey == "ignore":
        days = -(-policy.longest_window_ms // DAY_MS)
        for age in range(min(_reached(one, at, days), days - 1) + 1):
            gauges["contact_fcr_at_risk_cases", rule, str(age)] += 1


def _elapsed(one: Ruled, window: int, at: int) -> float:
    if one.state == "provisional" and one.resolved_at is not None:
        return (at - one.resolved_at) / window
    return 0 if one.state == "open" else 1


def _age(one: Ruled) -> int:
    return ((one.failed_at or 0) - (one.resolved_at or 0)) // DAY_MS


def _reached(one: Ruled, at: int, days: int) -> int:
    """The last age (days) at which the case was still without a repeat; -1: it never was resolved at first contact."""
    if one.state == "settled":
        return days - 1
    if one.resolved_at is None:
        return -1
    if one.reason in ("repeat", "reopened"):
        return _age(one)
    if one.state == "provisional":
        return max(0, (at - one.resolved_at // HOUR_MS * HOUR_MS) // DAY_MS)  # r is kept by the hour
    return -1
