"""FCR by cohort, as gauges made from stored tallies when somebody looks (2-numbers 2.8, 3-metrics 3.2).

    ~cohort    (rule, day, channel, queue, state) -> cases
    ~running   (rule, day, hour of the resolution, window, "n" | "since") -> provisional cases, and ms into that hour
    ~repeated  (rule, day, age in days) -> cases that were resolved and came back at that age

Everything is a sum, so that shards add up: maturity is elapsed / N, the projection Kaplan-Meier over at-risk and
repeated. A cohort is warming where its day began less than W after the first event of all shards: what is its first
contact may be a repeat of one that nobody counted. Pure; times in ms.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from stream.core.figures.figures import CounterKey
from stream.core.policy import DAY_MS, HOUR_MS, Policy

TALLIES = ("~cohort", "~running", "~repeated")
SPARE_DAYS = 2  # cohorts shown beyond the window
Tallies = Mapping[CounterKey, int]
Gauges = dict[CounterKey, float]


class Known(NamedTuple):
    """What cohorts are known by: the settlement watermark, and the first event of all shards (ms)."""

    watermark: int | None
    since: int | None


def first_day_shown(policy: Policy, watermark: int | None) -> str:
    """The oldest cohort that is shown at ``watermark``: the window and two days back, in the policy's zone."""
    if watermark is None:
        return ""
    window_days = -(-policy.longest_window_ms // DAY_MS)
    today = date.fromisoformat(policy.calendar("").local_day(watermark))
    return (today - timedelta(days=window_days + SPARE_DAYS)).isoformat()


def last_day_warming(policy: Policy, queue: str, since: int | None) -> str:
    """The last local day of a queue that began less than W after ``since``; empty where nothing was counted."""
    return "" if since is None else policy.calendar(queue).local_day(since + policy.longest_window_ms - 1)


def day_of(key: CounterKey) -> str:
    """The cohort of a tally."""
    return str(key[2])


def cohort_gauges(tallies: Tallies, policy: Policy, known: Known) -> Gauges:
    """Every cohort gauge at the settlement watermark, and since when anything was counted."""
    watermark = known.watermark
    oldest = first_day_shown(policy, watermark)
    gauges: dict[CounterKey, float] = defaultdict(float)
    queues: dict[tuple[str, str, str], dict[str, dict[str, int]]] = {}
    for key, amount in tallies.items():
        if not amount or day_of(key) < oldest:
            continue
        family, rule, *labels = (str(label) for label in key)
        if family == "~cohort":
            day, channel, queue, state = labels
            gauges["contact_fcr_cohort_cases", rule, channel, state, day] += amount
            if state in ("settled", "failed"):
                gauges["contact_fcr_cohort_elapsed_cases", rule, day] += amount
            days = queues.setdefault((rule, channel, queue), {})
            days.setdefault(day, {})[state] = amount
        elif family == "~running":
            _elapse(gauges, rule, labels, amount, watermark)
        else:
            gauges["contact_fcr_repeated_cases", rule, labels[1]] += amount
    for place, days in queues.items():
        ages = _ages(policy, place[2], watermark)
        for age, day in ages:
            for state, amount in days.get(day, {}).items():
                gauges["contact_fcr_queue_cases", *place, state, age] = amount
        _warm(gauges, place, ages, days, last_day_warming(policy, place[2], known.since))
    if known.since is not None:
        gauges["contact_counting_since_timestamp_seconds",] = known.since
    _at_risk(gauges, tallies, policy, watermark)
    return dict(gauges)


def _warm(
    gauges: Gauges,
    place: tuple[str, str, str],
    ages: list[tuple[str, str]],
    days: Mapping[str, Mapping[str, int]],
    last: str,
) -> None:
    """The cases of a rule, channel and queue whose cohort is not later than the ``last`` that is warming."""
    warming = {day: sum(states.values()) for day, states in days.items() if day <= last}
    for day, amount in warming.items():
        gauges["contact_fcr_cohort_warming_cases", place[0], day] += amount
    for age, day in ages:
        if day in warming:
            gauges["contact_fcr_queue_warming_cases", *place, age] = warming[day]


def _elapse(gauges: Gauges, rule: str, labels: list[str], amount: int, watermark: int | None) -> None:
    """The share of the window that has passed, of provisional cases; the two parts of one hour add up."""
    day, hour, window, part = labels
    if watermark is None:
        return
    passed = amount * (watermark - int(hour) * HOUR_MS) if part == "n" else -amount
    key = ("contact_fcr_cohort_elapsed_cases", rule, day)
    gauges[key] = gauges.get(key, 0) + passed / int(window)


def _ages(policy: Policy, queue: str, watermark: int | None) -> list[tuple[str, str]]:
    """Which cohort of a queue is today's, yesterday's, and the newest whose windows have passed, on every shard."""
    if watermark is None:
        return []
    calendar = policy.calendar(queue)
    days = (date.fromisoformat(calendar.local_day(at)) for at in (watermark, watermark - policy.longest_window_ms))
    today, last = days
    before = timedelta(days=1)
    return [("0", today.isoformat()), ("1", (today - before).isoformat()), ("settled", (last - before).isoformat())]


def _at_risk(gauges: Gauges, tallies: Tallies, policy: Policy, watermark: int | None) -> None:
    """Cases resolved at the first contact that reached each age, those that came back at it included."""
    oldest = first_day_shown(policy, watermark)
    days = -(-policy.longest_window_ms // DAY_MS)
    reached: dict[str, list[int]] = {}
    for key, amount in tallies.items():
        if not amount or day_of(key) < oldest:
            continue
        rule = str(key[1])
        if policy.rules.get(rule) is None or policy.rules[rule].survey == "decide":
            continue
        age = _age_reached(key, days, watermark)
        if age is not None:
            counts = reached.setdefault(rule, [0] * days)
            counts[min(age, days - 1)] += amount
    for rule, counts in reached.items():
        above = 0
        for age in reversed(range(days)):
            above += counts[age]
            if above:
                gauges["contact_fcr_at_risk_cases", rule, str(age)] = above


def _age_reached(key: CounterKey, days: int, watermark: int | None) -> int | None:
    """The last age in days at which the cases of a tally were still at risk."""
    if key[0] == "~repeated":
        return int(key[3])
    if key[0] == "~cohort":
        return days - 1 if key[5] == "settled" else None
    if key[5] != "n" or watermark is None:
        return None
    return max(0, (watermark - int(key[3]) * HOUR_MS) // DAY_MS)
