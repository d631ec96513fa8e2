"""A world as agents see it: what the policy lists, what they say, and everything the shard says of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from stream.core.policies.reader import read_policy
from stream.wire.times import format_time
from tests.core.recount_staff import Names
from tests.core.worlds import START

if TYPE_CHECKING:
    from stream.core.engine.batch import Record
    from stream.core.policy import Policy
    from tests.vectors.world import World

LISTED = Names(
    frozenset(("first-line", "night")), frozenset(("lunch",)), frozenset(("billing", "sales")), {"anna": "first-line"}
)
NOBODY = Names(LISTED.teams, LISTED.reasons, LISTED.queues)
SECONDS = ("contact_team_status_seconds_total", "contact_agent_status_seconds_total")
NOW = ("contact_agents", "contact_queue_agents")


def policy_of(names: Names, **own: int) -> Policy:
    """A policy that lists these names."""
    agents = {name: {"team": team} if team else {} for name, team in names.agents.items()}
    staff = {"teams": sorted(names.teams), "reasons": sorted(names.reasons)}
    return read_policy({"staff": staff, "agents": agents, "queues": {queue: {} for queue in names.queues}, **own})


def sent(records: list[Record]) -> list[dict[str, Any]]:
    """The events in records."""
    return [json.loads(one.value or b"") for one in records]


def status(at: int, number: int, **said: object) -> dict[str, Any]:
    """A status of anna (or as ``agent`` says) at START + ``at`` ms."""
    own = {"agent": "anna", "status": "available", **said}
    told = {"event_id": f"e{number}", "type": "agent.status", "occurred_at": format_time(START + at), "source": "acd"}
    return {**told, **own}


def net(world: World, *families: str) -> dict[Any, int]:
    """Net counters of these families."""
    counters = world.shard.view.counters.items()
    return {key: rose - fell for key, (rose, fell) in counters if key[0] in families and rose != fell}


def shown(world: World) -> dict[Any, float]:
    """What agents are doing now."""
    return {key: value for key, value in world.shard.view.gauges(0).items() if key[0] in NOW}


def known(world: World) -> dict[str, Any]:
    """Everything a world says of agents."""
    cells = {
        (name, figure.key): amount
        for name, cell in world.shard.book.cells.items()
        for figure, amount in cell.counts.items()
        if amount
    }
    kept = {agent: statuses.told for agent, statuses in world.shard.staff.agents.items()}
    return {"net": net(world, *SECONDS, "contact_stream_quality_total"), "now": shown(world), "cells": cells} | kept
