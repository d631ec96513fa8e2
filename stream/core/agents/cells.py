"""Contributions: what the statuses of one agent add to which figure in which interval (3-metrics 3.2, R27).

    status  ── until the next status of that agent ──>  a spell: its team and status, and so many ms

A spell is worth something once it is over; its cell lies at its end, where no channel, queue and issue are. A status
says everything: team, reason and queues hold for its spell alone. Pure functions; no row, no watermark.
"""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, NamedTuple

from stream.core.figures.figures import INTERVAL_MS, NEVER
from stream.core.figures.view import Present
from stream.core.policy import DAY_MS, NONE

if TYPE_CHECKING:
    from stream.core.events import Body, Event
    from stream.core.figures.figures import Contributions, Figure, Figures
    from stream.core.policy import Policy

SILENCE_MS = 7 * DAY_MS
"""After so long without a word nobody knows when the spell ended: it counts for nothing, and the row leaves."""


class Status(NamedTuple):
    """What an agent said to be doing, in the words of the event; an empty text = not said.

    Statuses can be compared, so that of two copies of an event that differ in nothing but what they say the same one
    counts in whatever order they come.
    """

    status: str
    team: str
    reason: str
    queues: tuple[str, ...]


Told = tuple[int, int, int, str, str, Status]
"""An event of an agent: its place in the fold order (`stream.core.events`), and the status."""


def status_of(body: Body) -> Status:
    """What an ``agent.status`` says."""
    return Status(body.status, body.team or "", body.reason or "", tuple(body.queues or ()))


def told_of(event: Event) -> Told:
    """The event with nothing but its status."""
    return (*event[:4], intern(event[4]), status_of(event[5]))


def add_spell(agent: str, told: Told, after: Told, figures: Figures, into: Contributions) -> None:
    """Add the spell from one status of an agent to the next to ``into``.

    Args:
        agent: its name.
        told: the status.
        after: the next one, which ends the spell.
        figures: of the policy in force.
        into: receives (figure, `NEVER`, interval of the end) -> ms.
    """
    lasted = after[0] - told[0]
    if not 0 < lasted < SILENCE_MS:
        return
    status, policy = told[5], figures.policy
    team = policy.team_label(status.team or None, agent)
    ended = after[0] // INTERVAL_MS
    _add(into, _figure(figures, "contact_team_status_seconds_total", team, status.status), ended, lasted)
    if policy.agents:
        name = policy.agent_label(agent)
        _add(into, _figure(figures, "contact_agent_status_seconds_total", name, status.status), ended, lasted)


def add_oddities(agent: str, told: Told, figures: Figures, into: Contributions) -> None:
    """Add how many names of a status the policy does not list to ``into``; a team of the policy's own is listed."""
    status, policy = told[5], figures.policy
    unlisted = sum(policy.queue_label(queue) != queue for queue in set(status.queues))
    if status.team:
        unlisted += policy.team_label(status.team, agent) != status.team
    if status.reason:
        unlisted += policy.reason_label(status.reason) != status.reason
    if unlisted:
        _add(into, figures.quality("unlisted_label"), NEVER, unlisted)


def present(agent: str, status: Status, policy: Policy) -> Present:
    """What an agent is doing now, in labels; unlisted queues are one, ``other``."""
    return Present(
        policy.team_label(status.team or None, agent),
        status.status,
        policy.reason_label(status.reason or None),
        tuple(sorted({policy.queue_label(queue) for queue in status.queues})),
    )


def _figure(figures: Figures, family: str, name: str, status: str) -> Figure:
    return figures.known.get((family, name, status)) or figures.get(
        (family, name, status), figures.place(NONE, NONE, NONE)
    )


def _add(into: Contributions, figure: Figure, outcome: int, amount: int) -> None:
    key = (figure, NEVER, outcome)
    into[key] = into.get(key, 0) + amount
