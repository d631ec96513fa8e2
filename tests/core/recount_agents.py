"""Figures by agent in the recount (3-metrics 3.2, R26, R46): whose credit, whose repeats. Times in ms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.core.recount import END_OF_TIME

if TYPE_CHECKING:
    from stream.core.policy import Policy
    from tests.core.recount import Case, Contact
    from tests.core.recount_rules import Ruled

Figures = dict[tuple[str | int, ...], int]


def count_agents(case: Case, known: tuple[Ruled | None, int | None], policy: Policy, figures: Figures) -> None:
    """What a case is worth to agents; ``known``: what the headline rule says of it, and its first resolution."""
    headline, solved = known

    def label(agent: str) -> str:
        return agent if agent in policy.agents else "other"

    for number, contact in enumerate(case.eligible):
        until = -END_OF_TIME if contact.ended_at is None else contact.ended_at + policy.window_ms(case.issue)
        followed = any(other.arrived_at < until for other in case.eligible[number + 1 :])
        for agent in _served(contact):
            figures["contact_agent_contacts_total", label(agent), contact.channel] += 1
            figures["contact_agent_repeats_total", label(agent), contact.channel] += followed
    if headline is not None:
        for agent in _served(headline.first)[:1]:
            name = (label(agent), headline.first.channel)
            figures["contact_agent_fcr_eligible_total", *name] += 1
            figures["contact_agent_fcr_credited_total", *name] += headline.state in ("settled", "provisional")
    served = [contact for contact in case.contacts if _served(contact)]
    if solved is not None and case.home is not None and served:
        name = (label(_served(served[0])[0]), case.home.channel)
        figures["contact_agent_resolutions_total", *name] += 1
        figures["contact_agent_resolution_seconds_total", *name] += max(0, solved - case.home.arrived_at)


def _served(contact: Contact) -> list[str]:
    """Who served, in order; whoever handles a contact and has no name is somebody, too."""
    if contact.outcome != "handled":
        return []
    return contact.agents or ["nobody knows"]
