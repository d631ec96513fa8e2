"""What the policy says that Prometheus may know: names whose series stand at 0, targets, goals and definitions as data.

So that no panel and no alert needs a literal target (3-metrics 3.2). Never in this module: a figure, or a default of
the policy.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from stream.core.figures.case_families import FCR_REASONS
from stream.core.policy import FIXED_STEPS, NONE, OTHER
from stream.telemetry.collector import InForce
from stream.telemetry.known import Declared, RuleNames
from stream.wire.json import dumps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.core.policy import Policy, RulePolicy
    from stream.telemetry.known import Key


def declared_by(policy: Policy) -> Declared:
    """The names of the policy.

    A queue that declares no channels makes no known series; one that declares no issues is known with every issue of
    the policy.
    """
    menus = (f"menu:{node}" for node in policy.menus)
    return Declared(
        queues={name: queue.channels for name, queue in policy.queues.items()},
        steps=(*sorted(FIXED_STEPS), *sorted(menus)),
        issues={name: queue.issues or tuple(policy.issues) for name, queue in policy.queues.items()},
        rules={name: RuleNames(rule.channels, failing_reasons(rule)) for name, rule in policy.rules.items()},
        closing=frozenset(name for name in policy.queues if policy.has_hours(name)),
        agents=(*policy.agents, OTHER) if policy.agents else (),
        teams=policy.staff.teams,
        reasons=(NONE, *policy.staff.reasons) if policy.staff.teams else (),
    )


def failing_reasons(rule: RulePolicy) -> tuple[str, ...]:
    """The reasons for which a rule can fail a case, in the order in which they are asked (2-numbers 2.8)."""
    if rule.survey == "decide":
        return ("survey",)
    unasked = {
        "escalated": rule.escalation == "allow",
        "follow_up": rule.follow_up == "allow",
        "transfer": rule.transfers == "allow" and rule.agents == "any",
        "survey": True,
    }
    return tuple(reason for reason in FCR_REASONS if not unasked.get(reason))


def definition_version(policy: Policy, name: str) -> str:
    """Eight hex digits that change when, and only when, the definition of one rule changes.

    Its own block, how contacts become cases, and the windows of issues that have their own; queues, calendars and
    names are left to the hash of the policy.
    """
    windows = {issue: window for issue, window in sorted(policy.issues.items()) if window is not None}
    said = [sorted(asdict(block).items()) for block in (policy.rules[name], policy.cases)]
    return hashlib.sha256(dumps([*said, windows])).hexdigest()[:8]


def policy_figures(policy: Policy, digest: str) -> dict[Key, float]:
    """The policy's targets, goals, structure and definitions as constant series.

    Args:
        policy: in force in this worker.
        digest: hash of the policy's canonical form; a rule has a version of its own beside it.

    Returns:
        `(family, *label values)` -> value: ms where the unit is seconds, a ratio, or 1 for an info.
    """
    return dict([*_targets(policy), *_goals(policy), *_structure(policy, digest)])


def queues_open(policy: Policy, now: int) -> dict[Key, float]:
    """Of every queue of the policy whether its calendar says that it is open at ``now`` (ms): 1 or 0."""
    return {("contact_queue_open", queue): float(policy.calendar(queue).in_hours(now)) for queue in policy.queues}


def in_force(policy: Policy, *, historic: bool) -> InForce:
    """What of the policy is not a constant; ``historic``: event time is taken for now."""
    agents = frozenset((*policy.agents, OTHER) if policy.agents else ())
    return InForce(partial(queues_open, policy), historic, agents)


def _targets(policy: Policy) -> Iterator[tuple[Key, float]]:
    for queue, own in policy.queues.items():
        for channel in own.channels or tuple(policy.channels):
            name = "contact_target_seconds"
            yield (name, "service_level", channel, queue), policy.target_ms(channel, queue)
            yield (name, "response", channel, queue), policy.response_target_ms(channel, queue)
            yield (name, "short_abandon", channel, queue), policy.short_ms(queue)


def _goals(policy: Policy) -> Iterator[tuple[Key, float]]:
    for queue in policy.queues:
        for kind, ratio in policy.goals_of(queue).items():
            yield ("contact_target_ratio", queue, kind), ratio


def _structure(policy: Policy, digest: str) -> Iterator[tuple[Key, float]]:
    for queue, own in policy.queues.items():
        yield ("contact_queue_info", queue, own.group, own.site, own.owner), 1
    for agent, entry in policy.agents.items():
        yield ("contact_agent_info", agent, entry.team or NONE), 1
    for rule in policy.rules:
        yield ("contact_definition_info", rule, definition_version(policy, rule), digest), 1
