"""The statuses of agents counted again in one loop, from the events as they were sent; shares nothing with the core."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from stream.wire.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable

WEEK_MS = 7 * 86_400_000
STATUSES = ("available", "busy", "break", "wrapup", "offline")
Sent = dict[str, Any]


@dataclass(frozen=True)
class Names:
    """What a policy lists."""

    teams: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    agents: dict[str, str] = field(default_factory=dict)  # with their teams


def label(name: str | None, listed: Iterable[str]) -> str:
    """A name as a label."""
    return "none" if name is None else name if name in listed else "other"


def order_of(sent: Sent) -> tuple[Any, ...]:
    """Where an event stands, to the last doubt."""
    said = tuple(str(sent.get(name) or "") for name in ("status", "team", "reason"))
    place = (parse_time(sent["occurred_at"]), sent.get("source_seq", 0), sent["event_id"], sent["source"])
    return (*place, *said, tuple(sent.get("queues") or ()))


def told_once(sent: Iterable[Sent]) -> dict[str, list[Sent]]:
    """The statuses of each agent in order, the first of all copies."""
    first: dict[tuple[str, str, str], Sent] = {}
    for one in sorted(sent, key=order_of):
        first.setdefault((one["agent"], one["source"], one["event_id"]), one)
    found: dict[str, list[Sent]] = defaultdict(list)
    for one in first.values():
        found[one["agent"]].append(one)
    return found


def spent_ms(sent: Iterable[Sent], names: Names) -> dict[tuple[str, str, str], int]:
    """Milliseconds in every status that is over: (family, team or agent, status) -> ms."""
    found: dict[tuple[str, str, str], int] = defaultdict(int)
    for agent, told in told_once(sent).items():
        for one, after in pairwise(told):
            lasted = parse_time(after["occurred_at"]) - parse_time(one["occurred_at"])
            if 0 < lasted < WEEK_MS:
                team = label(one.get("team") or names.agents.get(agent) or None, names.teams)
                found["contact_team_status_seconds_total", team, one["status"]] += lasted
                if names.agents:
                    own = label(agent, names.agents)
                    found["contact_agent_status_seconds_total", own, one["status"]] += lasted
    return dict(found)


def doing(sent: Iterable[Sent], names: Names) -> dict[tuple[str, ...], int]:
    """Agents by what they said last: (family, labels) -> how many."""
    found: dict[tuple[str, ...], int] = defaultdict(int)
    for agent, told in told_once(sent).items():
        last = told[-1]
        team = label(last.get("team") or names.agents.get(agent) or None, names.teams)
        found["contact_agents", team, last["status"], label(last.get("reason"), names.reasons)] += 1
        for queue in {label(queue, names.queues) for queue in last.get("queues") or ()}:
            for status in STATUSES:
                found["contact_queue_agents", queue, status] += status == last["status"]
    return dict(found)


def unlisted(sent: Iterable[Sent], names: Names) -> int:
    """How often a status named what the policy does not list."""
    count = 0
    for told in told_once(sent).values():
        for one in told:
            asked = [(queue, names.queues) for queue in set(one.get("queues") or ())]
            asked += [(one[name], listed) for name, listed in _kinds(names) if one.get(name)]
            count += sum(name not in listed for name, listed in asked)
    return count


def _kinds(names: Names) -> tuple[tuple[str, frozenset[str]], ...]:
    return ("team", names.teams), ("reason", names.reasons)
