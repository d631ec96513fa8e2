"""What is shown of agents and of opening hours: who is there, who may be named, which queue is open now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.core.figures.agent_families import STATUSES
from stream.core.policies.reader import read_policy
from stream.core.policy import HOUR_MS
from stream.telemetry.collector import ShardCollector
from stream.telemetry.declared import declared_by, in_force
from stream.telemetry.figures import PlainShard
from stream.telemetry.known import known_by_stage, known_series
from stream.telemetry.process import ProcessMetrics
from stream.telemetry.rendering import Renderer
from tests.core.case_policies import OFFICE
from tests.core.worlds import START  # a Monday, 10:00 UTC

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.core.policy import Policy

TABLES = {
    "queues": {"billing": {"hours": OFFICE, "zone": "Europe/Berlin"}, "night": {"hours": OFFICE}, "always": {}},
    "staff": {"teams": ["first-line"], "reasons": ["lunch"]},
    "agents": {"anna": {"team": "first-line"}},
}
OPEN = "contact_queue_open"


def page(
    policy: Policy, shards: list[PlainShard], now: Callable[[], int] = lambda: 0, *, historic: bool = False
) -> Callable[[], list[str]]:
    """What scrapes the shards of a policy: the lines of the page."""
    known = known_by_stage(declared_by(policy))
    collector = ShardCollector(lambda: shards, now, known, None, in_force(policy, historic=historic))
    renderer = Renderer(collector, ProcessMetrics())
    return lambda: renderer.render("").body.decode().splitlines()


def opened(lines: list[str]) -> dict[str, float]:
    """Queue -> 1 or 0."""
    own = [line for line in lines if line.startswith(OPEN)]
    return {line.partition('queue="')[2].partition('"')[0]: float(line.rsplit(" ", 1)[1]) for line in own}


def test_a_queue_is_open_by_its_calendar_at_the_scrape() -> None:
    """At 1 or 0 for every queue of the policy, in its own zone, anew at each scrape, without a shard too."""
    times = [START, START + 6 * HOUR_MS, START + 7 * HOUR_MS]
    scrape = page(read_policy(TABLES), [], iter(times).__next__)
    assert opened(scrape()) == {"billing": 1, "night": 1, "always": 1}
    assert opened(scrape()) == {"billing": 0, "night": 1, "always": 1}
    lines = scrape()
    assert opened(lines) == {"billing": 0, "night": 0, "always": 1}
    assert f'{OPEN}{{queue="always"}} 1.0' in lines


def test_in_history_the_watermark_is_now() -> None:
    """The least of all shards that have one; while there is none, nothing is said of opening hours."""
    shards = [PlainShard(1, 0), PlainShard(2, 0)]
    scrape = page(read_policy(TABLES), shards, lambda: START + 12 * HOUR_MS, historic=True)
    assert opened(scrape()) == {}
    shards[0].watermark = START + 12 * HOUR_MS
    assert opened(scrape()) == {"billing": 0, "night": 0, "always": 1}
    shards[1].watermark = START
    assert opened(scrape()) == {"billing": 1, "night": 1, "always": 1}


def test_a_name_that_the_policy_no_longer_lists_is_not_shown() -> None:
    """R26, R27: what was counted for it stays in the state; without the list no series names an agent."""
    family = "contact_agent_status_seconds_total"
    counters = {(family, name, "busy"): (1_000, 0) for name in ("anna", "ben", "other")}
    shard = PlainShard(1, 0, dict(counters))
    for tables, names in ((TABLES, {"anna", "other"}), ({**TABLES, "agents": {}}, set())):
        scrape = page(read_policy(tables), [shard])
        shard.counters[family, "zoe", "busy"] = (1, 0)
        for lines in (scrape(), scrape()):
            named = {line.partition('agent="')[2].partition('"')[0] for line in lines if 'agent="' in line}
            assert named == names
        del shard.counters[family, "zoe", "busy"]


@pytest.mark.parametrize("teams", [[], ["first-line", "night"]])
def test_agents_are_known_where_teams_are_declared(teams: list[str]) -> None:
    """R27: every team, status and reason at 0, and every status in every queue; without teams nothing is known."""
    policy = read_policy({"queues": {"billing": {}}, "staff": {"teams": teams, "reasons": ["lunch"]}})
    known = list(known_series(declared_by(policy)))

    def of(family: str) -> list[tuple[str, ...]]:
        return [key[1:] for key in known if key[0] == family]

    assert of("contact_agents") == [(t, s, r) for t in teams for s in STATUSES for r in ("none", "lunch")]
    assert of("contact_queue_agents") == [("billing", s) for s in STATUSES if teams]
    assert of("contact_team_status_seconds_total") == [(team, s) for team in teams for s in STATUSES]
