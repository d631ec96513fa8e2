"""What a policy file may say, what the policy makes of it, and that every mistake is told with its place."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from stream.core.calendar import Hours
from stream.core.policies.reader import read_policy
from stream.core.policies.tables import PolicyError
from stream.core.policy import DAY_MS, HOUR_MS, Policy

MORNING = ((540, 720),)
AFTERNOON = ((780, 1020),)


def expect_problem(tables: dict[str, Any], at: str, *words: str) -> None:
    """Check that these tables have one problem, told at this key with these words."""
    with pytest.raises(PolicyError) as refused:
        read_policy(tables)
    (problem,) = refused.value.problems
    assert ".".join(problem.path) == at
    for word in words:
        assert word in problem.message
    assert str(refused.value).startswith(at)


def hours_of(said: object) -> tuple[Hours, ...]:
    """The hours of a queue whose file says this."""
    hours = read_policy({"queues": {"billing": {"hours": said}}}).queues["billing"].hours
    assert hours is not None
    return hours


def test_nothing_said_is_the_defaults_shipped() -> None:
    """Both ways to them are one."""
    assert read_policy({}) == Policy()
    assert Policy().identity_ttl_ms == 400 * DAY_MS
    goals = {"abandonment": 0.05, "service_level": 0.80, "fcr": 0.65, "fcr_high": 0.90, "fcr_low": 0.40}
    assert Policy().goals_of("any") == goals


def test_a_week_is_seven_days_of_minutes() -> None:
    """Spans in order, whatever order they are written in; midnight is 24:00."""
    (hours,) = hours_of({"tue": [["13:00", "17:00"], ["09:00", "12:00"]], "sun": [["00:00", "24:00"]]})
    assert hours == Hours("", ((), MORNING + AFTERNOON, (), (), (), (), ((0, 1440),)))


@pytest.mark.parametrize("day", ["2026-04-01", date(2026, 4, 1)])
def test_versions_stand_in_order(day: object) -> None:
    """A day is a string or a date of TOML; a week may be closed."""
    hours = hours_of(
        [{"effective_from": day, "week": {}}, {"effective_from": "2026-01-01", "week": {"mon": [["09:00", "12:00"]]}}]
    )
    assert hours == (Hours("2026-01-01", (MORNING, *((),) * 6)), Hours("2026-04-01", ((),) * 7))


def test_touching_spans_do_not_overlap() -> None:
    """Half-open spans may follow one another at once."""
    (hours,) = hours_of({"mon": [["09:00", "12:00"], ["12:00", "13:00"]]})
    assert hours.week[0] == ((540, 720), (720, 780))


@pytest.mark.parametrize(
    ("said", "at", "words"),
    [
        ("09:00-17:00", "", "expected hours such as"),
        ([], "", "expected hours such as"),
        ({}, "", "open on no day"),
        ({"mon": []}, "", "open on no day"),
        ({"sunday": []}, ".sunday", "is not a day"),
        ({"mon": "09:00"}, ".mon", "expected a list of spans"),
        ({"mon": [["09:00"]]}, ".mon", "expected a span"),
        ({"mon": [["9:00", "17:00"]]}, ".mon", "00:00 to 24:00, got '9:00'"),
        ({"mon": [["09:00", "24:01"]]}, ".mon", "00:00 to 24:00, got '24:01'"),
        ({"mon": [["09:00", "10:60"]]}, ".mon", "got '10:60'"),
        ({"mon": [["22:00", "02:00"]]}, ".mon", "past midnight"),
        ({"mon": [["09:00", "09:00"]]}, ".mon", "ends after it begins"),
        ({"mon": [["11:00", "13:00"], ["09:00", "12:00"]]}, ".mon", "one ends at 12:00, the next begins at 11:00"),
        ({"mon": [["09:00", "12:00"]], "monday": []}, ".monday", "is not a day"),
        ([7], ".1", "expected a table"),
        ([{"week": {}}], ".1", "effective_from is missing"),
        ([{"effective_from": "2026-04-01"}], ".1", "week is missing"),
        ([{"effective_from": "20260401", "week": {}}], ".1.effective_from", "expected a date"),
        ([{"effective_from": "2026-02-30", "week": {}}], ".1.effective_from", "expected a date"),
        ([{"effective_from": datetime(2026, 4, 1), "week": {}}], ".1.effective_from", "a date"),  # noqa: DTZ001  TOML has such
        ([{"effective_from": "2026-04-01", "week": {}}] * 2, ".2", "a second version from 2026-04-01 on"),
        ([{"effective_from": "2026-04-01", "week": {}, "until": 1}], ".1.until", "not a setting"),
        ([{"effective_from": "2026-04-01", "week": {"fry": []}}], ".1.week.fry", "is not a day"),
    ],
)
def test_wrong_hours_are_told_at_their_place(said: object, at: str, words: str) -> None:
    """Each with what was expected."""
    expect_problem({"queues": {"billing": {"hours": said}}}, f"queues.billing.hours{at}", words)


@pytest.mark.parametrize("said", [["2026-02-30"], ["Christmas"], [20261225], "2026-12-25", [None]])
def test_holidays_are_dates(said: object) -> None:
    """That exist."""
    expect_problem({"calendars": {"de": {"holidays": said}}}, "calendars.de.holidays", "a list of dates")


def test_holidays_stand_in_order_once() -> None:
    """However they are written."""
    policy = read_policy({"calendars": {"de": {"holidays": ["2026-12-26", date(2026, 12, 25), "2026-12-25"]}}})
    assert policy.calendars["de"].holidays == ("2026-12-25", "2026-12-26")


@pytest.mark.parametrize("tables", [{"cases": {"window_ms": 3_599_999}}, {"issues": {"refund": {"window_ms": 0}}}])
def test_a_window_is_an_hour_at_least(tables: dict[str, Any]) -> None:
    """Because pauses shorter than that are not kept, which the message says."""
    (name,) = tables
    at = f"{name}.window_ms" if name == "cases" else f"{name}.refund.window_ms"
    expect_problem(tables, at, "at least 3_600_000 ms", "pauses shorter than an hour are not kept")
    assert read_policy({"cases": {"window_ms": HOUR_MS}}).cases.window_ms == HOUR_MS


def test_an_issue_has_its_own_window_or_the_default() -> None:
    """R06: unknown and unlisted issues have the default."""
    policy = read_policy({"issues": {"refund": {"window_ms": DAY_MS}, "login": {}}, "cases": {"window_ms": 2 * DAY_MS}})
    issues = ("refund", "login", "else", None)
    assert [policy.window_ms(issue) for issue in issues] == [DAY_MS, 2 * DAY_MS, 2 * DAY_MS, 2 * DAY_MS]
    assert [policy.issue_label(issue) for issue in issues] == ["refund", "login", "other", "none"]
    assert policy.longest_window_ms == 2 * DAY_MS


def test_a_queue_may_have_goals_of_its_own() -> None:
    """R08, R26: what it leaves out is the policy's, and what the policy leaves out is shipped; bands like goals."""
    policy = read_policy(
        {"queues": {"billing": {}}, "goals": {"fcr": 0.7, "queues": {"billing": {"abandonment": 0.1, "fcr_low": 0.5}}}}
    )
    shipped = {"abandonment": 0.05, "service_level": 0.80, "fcr": 0.65, "fcr_high": 0.90, "fcr_low": 0.40}
    assert policy.goals_of("billing") == {**shipped, "fcr": 0.7, "abandonment": 0.1, "fcr_low": 0.5}
    assert policy.goals_of("sales") == {**shipped, "fcr": 0.7}


def test_lists_stand_in_one_order() -> None:
    """Channels in that of the specification, issues by name, each once."""
    policy = read_policy(
        {"issues": {"a": {}, "b": {}}, "queues": {"q": {"channels": ["email", "voice", "email"], "issues": ["b", "a"]}}}
    )
    assert (policy.queues["q"].channels, policy.queues["q"].issues) == (("voice", "email"), ("a", "b"))


@pytest.mark.parametrize(
    ("tables", "at", "words"),
    [
        ({"queues": {"q": {"issues": ["refund"]}}}, "queues.q.issues", "there is no issue 'refund'"),
        ({"queues": {"q": {"calendar": "de"}}}, "queues.q.calendar", "there is no calendar 'de'"),
        ({"queues": {"q": {"zone": "Berlin"}}}, "queues.q.zone", "an IANA zone"),
        ({"queues": {"q": {"channels": ["fax"]}}}, "queues.q.channels", "voice, chat"),
        ({"queues": {"q": {"group": "g" * 65}}}, "queues.q.group", "at most 64 characters"),
        ({"queues": {"q": {"site": "a\nb"}}}, "queues.q.site", "at most 64 characters"),
        ({"queues": {"q": {"goal": 1}}}, "queues.q.goal", "is not a setting of the policy"),
        ({"queues": {"q": {"target": 5}}}, "queues.q.target", 'did you mean "target_ms"?'),
        ({"queues": {"other": {}}}, "queues.other", "other, none, unassigned"),
        ({"queues": {"": {}}}, "queues.", "1 to 64"),
        ({"queues": {"a\tb": {}}}, "queues.a\tb", "printable"),
        ({"issues": {"i" * 65: {}}}, f"issues.{'i' * 65}", "1 to 64"),
        ({"issues": {"none": {}}}, "issues.none", "other, none, unassigned"),
        ({"issues": []}, "issues", "expected a table"),
        ({"calendars": {"": {}}}, "calendars.", "1 to 64"),
        ({"steps": {"menu": ["m" * 65]}}, "steps.menu", "1 to 64"),
        ({"rules": {"": {}}}, "rules.", "1 to 64"),
        ({"rules": {"my rule": {}}}, "rules.my rule", "letters"),
        ({"rules": {"r" * 65: {}}}, f"rules.{'r' * 65}", "1 to 64"),
        ({"rules": {"mine": {"channels": []}}}, "rules.mine.channels", "a list of voice"),
        ({"rules": {"mine": {"survey": "maybe"}}}, "rules.mine.survey", "one of ignore, decide"),
        ({"goals": {"fcr": 65}}, "goals.fcr", "a share from 0 to 1"),
        ({"goals": {"frc": 0.65}}, "goals.frc", 'did you mean "fcr"?'),
        ({"goals": {"fcr": 0.95}}, "goals.fcr", "not between fcr_low 0.4 and fcr_high 0.9"),
        ({"goals": {"fcr_low": 0.7}}, "goals.fcr", "is 0.65, which is not between fcr_low 0.7"),
        ({"queues": {"q": {}}, "goals": {"queues": {"q": {"fcr_high": 0.5}}}}, "goals.queues.q.fcr", "fcr_high 0.5"),
        ({"goals": {"queues": {"q": {"fcr": 0.7}}}}, "goals.queues.q", "there is no such queue"),
        ({"calendars": {"de": {"target_ms": 5}}}, "calendars.de.target_ms", "is not a setting"),
        ({"channels": {"fax": {}}}, "channels.fax", "is not a channel"),
        ({"channels": {"voice": {"target_ms": True}}}, "channels.voice.target_ms", "milliseconds above 0"),
        ({"identity_ttl_ms": 0}, "identity_ttl_ms", "milliseconds above 0"),
        ({"lateness_ms": -1}, "lateness_ms", "milliseconds"),
        ({"zone": ""}, "zone", "an IANA zone"),
        ({"zone": "../etc/passwd"}, "zone", "an IANA zone"),
        ({"latness_ms": 1}, "latness_ms", 'did you mean "lateness_ms"?'),
    ],
)
def test_one_mistake_is_one_problem(tables: dict[str, Any], at: str, words: str) -> None:
    """Told at its key, with what was expected."""
    expect_problem(tables, at, words)


def test_every_mistake_is_told_at_once() -> None:
    """Not the first only."""
    with pytest.raises(PolicyError) as refused:
        read_policy(
            {"zone": 5, "queues": {"q": {"hours": {"mon": [["a", "b"]]}, "x": 1}}, "rules": {"contact": {"a": 1}}}
        )
    assert len(refused.value.problems) >= 4


def test_the_values_are_frozen_and_hashable() -> None:
    """Also those that hold hours."""
    policy = read_policy({"queues": {"q": {"hours": {"mon": [["09:00", "12:00"]]}, "holidays": ["2026-12-25"]}}})
    assert len({policy.queues["q"], policy.queues["q"], policy.cases, policy.rules["contact"]}) == 3
    with pytest.raises(AttributeError):
        policy.zone = "UTC"  # type: ignore[misc]  # that is the point
