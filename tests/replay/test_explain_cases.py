"""What `explain` says of scores, agents and business hours adds up to the figures; the scenarios have none of them."""

from __future__ import annotations

from typing import Any

import pytest

from stream.replay.answers import about_case
from stream.replay.behind import about_cell
from stream.replay.counted import parse_cell
from stream.replay.gather import Gathering
from stream.wire.json import loads
from tests.core.case_checks import DONE
from tests.core.case_histories import history
from tests.core.case_policies import AGENTS, CALENDAR, policy_of
from tests.replay.test_explain import check_recording, check_topics, lived
from tests.vectors.scenarios import Scenario, Step

NEW = ("contact_csat_total", "contact_agent_fcr_credited_total", "contact_resolution_open_seconds")
SEEDS = (2, 7, 10, 16, 28)  # histories in which no ticket is told of two people
AT = DONE + 1


def scenario_of(seed: int) -> Scenario:
    """A history under a policy that names agents and closes its queues."""
    queues: dict[str, Any] = {name: {"calendar": "shop"} for name in ("billing", "sales")}
    policy = policy_of(seed, agents=AGENTS, queues=queues, calendars={"shop": CALENDAR})
    return Scenario("histories", str(seed), policy, [Step([told.record for told in history(seed)], AT, {})])


@pytest.mark.parametrize("seed", SEEDS)
def test_histories_add_up(seed: int) -> None:
    """R26, R34, R45, R54: from a recording and from the topics, contact by contact, case by case, cell by cell."""
    check_recording(scenario_of(seed))
    check_topics(scenario_of(seed))


@pytest.mark.parametrize("family", NEW)
def test_the_cell_of_a_figure_says_who_is_behind_it(family: str) -> None:
    """R54: cases, or a survey, each with what it counted and why, and they add up."""
    found = 0
    for seed in SEEDS:
        scenario = scenario_of(seed)
        centre = lived(scenario)
        newest = {(record.key or b""): loads(record.value or b"") for record in centre.read(("intervals",))}
        for key in [key for key, told in newest.items() if any(family in series for series in told["counts"])]:
            cell = parse_cell(key.decode())
            answer = about_cell(Gathering(centre, scenario.policy).cell(cell, family), cell, family)
            assert answer is not None
            for figure in answer["figures"]:
                assert figure["difference"] == 0
                assert {who["what"] for who in figure["who"]} == {"survey" if "csat" in family else "case"}
                assert all(who["says"] for who in figure["who"])
                found += 1
    assert found


def test_a_case_names_its_agent_where_agents_are_named() -> None:
    """R26: the agent is the one under whose name the case counts, and nobody where the policy names none."""
    scenario = scenario_of(SEEDS[0])
    centre, said = lived(scenario), set()
    plain = policy_of(SEEDS[0], agents={})
    for name in sorted({(record.key or b"").decode() for record in centre.read(("verdicts",))}):
        answer = about_case(Gathering(centre, scenario.policy).case(name), name)
        assert answer is not None
        counted = [line["figure"] for line in answer["counted"] if "agent_fcr_eligible" in line["figure"]]
        agent = None if answer["credit"] is None else answer["credit"]["agent"]
        assert counted == ([] if agent is None else [counted[0]])
        assert agent is None or f'agent="{agent}"' in counted[0]
        said.add(agent)
        unnamed = about_case(Gathering(centre, plain).case(name), name)
        assert unnamed is None or unnamed["credit"] is None
    assert len(said - {None}) > 1
