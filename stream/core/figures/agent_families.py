"""The figures of agents: what teams and queues are staffed with, and, where the policy names agents, figures by name.

A label `agent` exists only in families that are `opted`: without `[agents]` in the policy there is no such series.
Whoever serves and is not named there is `other`, so that sums over agents equal the figures of the centre.

Never in this module: values, or a name of an agent.

Source: 3-metrics 3.2, R26, R27, R35, R44, R46.
"""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from stream.core.events import CHANNELS
from stream.core.figures.family import ANY_CHANNEL, CASE_STAGE, Family, counted

STATUSES: Final = ("available", "busy", "break", "wrapup", "offline")
"""What an agent may be doing (1-events 1.4)."""
MISSED_REASONS: Final = ("no_answer", "rejected", "busy")

_STATUS: Final = MappingProxyType({"status": STATUSES})
_AGENT: Final = ("agent", "channel")
_TALKING: Final = MappingProxyType({"channel": CHANNELS[:-1]})


def _of_agents(name: str, text: str, reference: str, *, talking: bool = False, cases: bool = False) -> Family:
    """A counter by agent and channel, with its twin."""
    family = replace(counted(name, text, reference, _AGENT, _TALKING if talking else ANY_CHANNEL), opted=True)
    return replace(family, stage=CASE_STAGE) if cases else family


AGENT_FAMILIES: Final = (
    Family(
        "contact_agents",
        "gauge",
        "Agents by what they are doing now, and for what reason (none where none is given).",
        ("team", "status", "reason"),
        values=_STATUS,
        reference="3.2, R27",
    ),
    Family(
        "contact_queue_agents",
        "gauge",
        "Agents serving a queue by what they are doing now; one who serves several counts in each, so never sum.",
        ("queue", "status"),
        values=_STATUS,
        reference="3.2",
    ),
    counted(
        "contact_team_status_seconds_total",
        "Time spent in a status that is over, by team; occupancy = (busy + wrapup) / (available + busy + wrapup).",
        "3.2, R27",
        ("team", "status"),
        _STATUS,
    ),
    counted(
        "contact_offers_missed_total",
        "Offers an agent did not take, by the queue the customer waited in.",
        "3.2",
        ("queue", "reason"),
        {"reason": MISSED_REASONS},
    ),
    _of_agents(
        "contact_agent_handled_total", "Contacts with handle time that the agent worked on.", "R27", talking=True
    ),
    _of_agents(
        "contact_agent_handle_seconds_total", "The agent's own talk, hold and wrap-up.", "R27, R35", talking=True
    ),
    _of_agents("contact_agent_first_responses_total", "First responses that the agent gave.", "R44"),
    _of_agents("contact_agent_first_response_seconds_total", "Time to the first responses that the agent gave.", "R44"),
    replace(
        counted(
            "contact_agent_status_seconds_total",
            "Time spent in a status that is over, by agent.",
            "3.2, R27",
            ("agent", "status"),
            _STATUS,
        ),
        opted=True,
    ),
    _of_agents(
        "contact_agent_fcr_eligible_total",
        "Cases in the headline rule whose first contact the agent served first; a first contact nobody served is none.",
        "2.8, R26",
        cases=True,
    ),
    _of_agents(
        "contact_agent_fcr_credited_total", "Of these, cases resolved at the first contact.", "2.8, R26", cases=True
    ),
    _of_agents(
        "contact_agent_contacts_total",
        "Eligible contacts that the agent served: the denominator of the agent's repeat rate.",
        "2.8, R26",
        cases=True,
    ),
    _of_agents(
        "contact_agent_repeats_total",
        "Of these, contacts followed, less than W after their end, by another of the same case.",
        "2.8, R26",
        cases=True,
    ),
    _of_agents(
        "contact_agent_resolutions_total",
        "Resolved cases whose first handled contact the agent served first.",
        "2.6, R46",
        cases=True,
    ),
    _of_agents(
        "contact_agent_resolution_seconds_total",
        "Time from the arrival of such a case's first contact to its first resolution.",
        "2.6, R46",
        cases=True,
    ),
)
"""Every family about agents that a shard keeps or computes, in the order of the specification's table."""

AGENT_POLICY_FAMILIES: Final = (
    Family(
        "contact_agent_info",
        "info",
        "Teams of the agents that the policy names.",
        ("agent", "team"),
        scope="policy",
        stage=0,
        opted=True,
        reference="3.2, R27",
    ),
)
