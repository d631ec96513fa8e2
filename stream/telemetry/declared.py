"""What the policy says that Prometheus may know: names whose series stand at 0, targets, goals and definitions as data.

So that no panel and no alert needs a literal target (3-metrics 3.2). Never in this module: a figure, or a default of
the policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.core.policy import FIXED_STEPS
from stream.telemetry.known import Declared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.core.policy import Policy
    from stream.telemetry.known import Key


def declared_by(policy: Policy) -> Declared:
    """The names of the policy; a queue that declares no channels makes no known series."""
    menus = (f"menu:{node}" for node in policy.menus)
    return Declared(
        queues={name: queue.channels for name, queue in policy.queues.items()},
        steps=(*sorted(FIXED_STEPS), *sorted(menus)),
    )


def policy_figures(policy: Policy, version: str, digest: str) -> dict[Key, float]:
    """The policy's targets, goals, structure and definitions as constant series.

    Args:
        policy: in force in this worker.
        version: of the program.
        digest: hash of the policy's canonical form.

    Returns:
        `(family, *label values)` -> value: ms where the unit is seconds, a ratio, or 1 for an info.
    """
    return dict([*_targets(policy), *_goals(policy), *_structure(policy, version, digest)])


def _targets(policy: Policy) -> Iterator[tuple[Key, float]]:
    for queue, own in policy.queues.items():
        for channel in own.channels or tuple(policy.channels):
            name = "contact_target_seconds"
            yield (name, "service_level", channel, queue), policy.target_ms(channel, queue)
            yield (name, "response", channel, queue), policy.channels[channel].response_target_ms
            yield (name, "short_abandon", channel, queue), policy.short_ms(queue)


def _goals(policy: Policy) -> Iterator[tuple[Key, float]]:
    for queue in policy.queues:
        for kind, ratio in policy.goals.items():
            yield ("contact_target_ratio", queue, kind), ratio


def _structure(policy: Policy, version: str, digest: str) -> Iterator[tuple[Key, float]]:
    for queue, own in policy.queues.items():
        yield ("contact_queue_info", queue, own.group, own.site, own.owner), 1
    for rule in policy.rules:
        yield ("contact_definition_info", rule, version, digest), 1
