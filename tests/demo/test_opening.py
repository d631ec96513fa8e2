"""The simulated centre's own reading of the clock on the wall: short and long days, hours, holidays, quarters."""

import tomllib
from datetime import UTC, datetime

import pytest

from stream.demo.opening import WEEKDAYS, Hours, Opening
from stream.demo.scenario import DAY_MS, HOUR_MS, LISTED_AGENTS, LISTED_REASONS, LISTED_TEAMS, SCENARIOS, TEAMS
from stream.wire.policy import load_policy
from tests.demo.worlds import FOLDER

EVERY_DAY = dict.fromkeys(WEEKDAYS, ((60, 240),))
BERLIN = Opening("Europe/Berlin", EVERY_DAY, ("2026-03-30",))


def ms(text: str) -> int:
    """UTC, ms since the epoch."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        ("2026-03-27T23:00", "2026-03-28T23:00", 3),  # an ordinary day
        ("2026-03-28T23:00", "2026-03-29T22:00", 2),  # 23 hours: one between 01:00 and 04:00 is missing
        ("2026-03-29T22:00", "2026-03-30T22:00", 0),  # a holiday
        ("2026-10-24T22:00", "2026-10-25T23:00", 4),  # 25 hours: one comes twice
        ("2026-03-28T00:30", "2026-03-28T00:50", 1 / 3),
        ("2026-03-28T02:50", "2026-03-28T03:10", 1 / 6),
        ("2026-03-28T12:00", "2026-03-28T12:00", 0),
        ("2026-03-28T12:00", "2026-03-28T11:00", 0),
    ],
)
def test_how_long_it_is_open(begin: str, end: str, hours: float) -> None:
    """R14: hours are read off the clock on the wall, on days of 23, 24 and 25 hours."""
    assert BERLIN.between(ms(begin), ms(end)) == round(hours * HOUR_MS)


def test_days_are_local_days() -> None:
    """R09: a moment's day is that of the zone, whatever day it is elsewhere."""
    assert [Hours("Europe/Berlin").day(ms(at)) for at in ("2026-03-28T22:59", "2026-03-28T23:00")] == [
        "2026-03-28",
        "2026-03-29",
    ]


def test_it_opens_and_closes_where_it_should() -> None:
    """Half-open spans: open at the first moment, closed at the end; the next opening is after the holiday."""
    closes = ms("2026-03-28T03:00")
    assert BERLIN.is_open(closes - 1)
    assert not BERLIN.is_open(closes)
    assert BERLIN.opens_at(closes) == ms("2026-03-29T00:00")
    assert BERLIN.opens_at(ms("2026-03-29T02:00")) == ms("2026-03-30T23:00")
    assert BERLIN.opens_at(closes - 1) == closes - 1


def test_asked_backwards_it_says_the_same() -> None:
    """The answer does not depend on what was asked before."""
    later, fresh = ms("2026-03-29T12:00"), Opening("Europe/Berlin", EVERY_DAY)
    assert fresh.between(later, later + DAY_MS) == 3 * HOUR_MS
    assert fresh.between(later - 9 * DAY_MS, later) == 26 * HOUR_MS


def test_hours_stand_on_quarters() -> None:
    """Other hours are refused."""
    with pytest.raises(ValueError, match="quarter"):
        Opening("UTC", {"mon": ((7, 100),)})


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_policy_and_scenario_say_the_same(name: str) -> None:
    """Zone, hours, holidays, silence, expiry and names of a scenario are those of the policy it names."""
    scenario = SCENARIOS[name]
    table = tomllib.loads((FOLDER / scenario.policy).read_text())
    policy = load_policy(FOLDER / scenario.policy)
    assert policy.zone == scenario.hours.zone
    assert policy.queues.keys() == scenario.queues.keys() == TEAMS.keys()
    assert {name: channel.timeout_ms for name, channel in policy.channels.items() if name in scenario.silence_ms} == (
        scenario.silence_ms
    )
    assert policy.callback_expires_ms == scenario.expiry_ms
    assert policy.agents.keys() == LISTED_AGENTS
    assert set(policy.staff.teams) == LISTED_TEAMS
    assert set(policy.staff.reasons) == LISTED_REASONS
    for queue in scenario.queues:
        opening = scenario.hours.of(queue)
        assert policy.has_hours(queue) == (opening is not None)
        if opening is not None:
            calendar = table["calendars"][table["queues"][queue]["calendar"]]
            assert {day: spans for day, spans in calendar["hours"].items() if spans} == _spelled(opening)
            assert tuple(map(str, calendar.get("holidays", ()))) == opening.holidays


def _spelled(opening: Opening) -> dict[str, list[list[str]]]:
    """Hours as a policy spells them."""
    return {
        day: [[f"{minute // 60:02d}:{minute % 60:02d}" for minute in span] for span in spans]
        for day, spans in opening.week.items()
    }
