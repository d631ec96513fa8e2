"""Recordings: the real month gives its known figures, of both stages; a bad line is told with its number."""

import json
import random
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stream.core.policy import Policy
from stream.core.trouble import Trouble
from stream.replay.lines import records
from stream.replay.run import Figures, read, replay
from stream.replay.stages import Stages
from stream.wire.times import parse_time
from tests import bank
from tests.vectors.world import by_labels

FEBRUARY = parse_time("1999-02-01T00:00:00Z")
OWN = ("contact_stream_records", "contact_stream_corr")  # of the run, not of the centre
MARCH = parse_time("2026-03-02T10:00:00Z")


def lines(events: list[dict[str, Any]]) -> list[bytes]:
    """Events as the lines of a recording."""
    return [json.dumps({"topic": topic_of(event), "event": event}).encode() for event in events]


def topic_of(event: dict[str, Any]) -> str:
    """Where an event belongs."""
    kind = str(event.get("type", "")).partition(".")[0]
    return "cases" if kind in ("case", "survey", "identity") else "calls"


def figures_of(events: list[dict[str, Any]], until: int | None) -> Figures:
    """What a replay of the events says."""
    return replay(records(lines(events), "a test"), bank.policy(), until, lambda _read, _at: None)


@pytest.fixture(scope="module")
def month() -> list[dict[str, Any]]:
    """The events of the real month; skipped on a laptop without them, failing in CI."""
    return bank.events_or_skip()


def month_policy(**cases: str) -> Policy:
    """The bank's policy with the two rules that its known figures have."""
    plain = bank.policy()
    rules = {name: plain.rules[name] for name in ("contact", "one_touch")}
    return replace(plain, rules=rules, cases=replace(plain.cases, **cases))  # type: ignore[arg-type]  # words only


def month_read(month: list[dict[str, Any]], policy: Policy) -> Stages:
    """Both stages with the month in them, and nothing due yet."""
    stages = Stages(policy)
    read(stages, records(lines(month), "the month"), lambda _read, _at: None)
    return stages


def check_month(stages: Stages, expected: dict[str, Any]) -> None:
    """Every figure, state, reason and cohort of the month at the watermark that stands."""
    own = by_labels(expected["counters"])
    families = {name.partition("{")[0] for name in own}
    found = {n: v for n, v in by_labels(stages.figures).items() if n.partition("{")[0] in families and v}
    assert found == own
    states, cohorts = cohorts_of(stages)
    assert states == expected["fcr_states"]
    assert cohorts == expected.get("fcr_cohorts", cohorts)
    reasons: dict[str, dict[str, int]] = defaultdict(dict)
    for (name, *labels), (total, fell) in stages.counters.items():
        if name == "contact_fcr_failed_total" and total != fell:
            reasons[str(labels[0])][str(labels[2])] = total - fell
    assert reasons == expected["fcr_reasons"]


def cohorts_of(stages: Stages) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, dict[str, int]]]]:
    """By rule the cases of each state, and the same by day of the first contact."""
    states: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    cohorts: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for (name, *labels), (total, fell) in stages.cases.view.counters.items():
        if name == "~cohort" and total != fell:
            rule, day, _, _, state = map(str, labels)
            states[rule][state] += total - fell
            cohorts[rule][day][state] += total - fell
    return states, cohorts


def test_the_real_month(month: list[dict[str, Any]]) -> None:
    """R03, R13, R47: every figure of both stages is exact, at the end of January and eight days later."""
    stages = month_read(month, month_policy())
    assert (stages.applied, stages.duplicates) == (len(month), 0)
    for expected in bank.expected()["at"]:
        stages.close(parse_time(expected["watermark"]))
        stages.settle(parse_time(expected["watermark"]))
        check_month(stages, expected)
    assert len(bank.expected()["at"]) == 2


def test_callers_nobody_knows_lift_the_real_month(month: list[dict[str, Any]]) -> None:
    """R19: counted as cases of their own they lift first contact resolution from 70 % to 93 %."""
    stages = month_read(month, month_policy(unidentified="count"))
    for expected in bank.expected()["at"]:
        stages.close(parse_time(expected["watermark"]))
        stages.settle(parse_time(expected["watermark"]))
        check_month(stages, expected["unidentified_counted"])
    assert stages.cases.rows() == 0, "in February nothing of January can change any more"


def test_the_order_of_a_recording_does_not_matter(month: list[dict[str, Any]]) -> None:
    """R37: backwards, with every third line twice, the figures are the same."""
    part = month[:6_000]
    found = figures_of([*reversed(part), *part[::3]], FEBRUARY)
    plain = figures_of(part, FEBRUARY)
    told = {name: value for name, value in found.net.items() if not name.startswith(OWN)}
    assert told == {name: value for name, value in plain.net.items() if not name.startswith(OWN)}
    assert found.duplicates == len(part[::3])


def story() -> list[dict[str, Any]]:
    """A customer under two ids: a call, a ticket, a reopening, a mail, a repeat, a survey; and one who gave up."""
    number = 0
    found = []

    def say(kind: str, minute: int, **fields: object) -> None:
        nonlocal number
        number += 1
        at = f"2026-03-{2 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z"
        found.append({"event_id": f"e{number}", "type": kind, "occurred_at": at, "source": "test", **fields})

    for contact_id, minute, customer in (
        ("c1", 600, "u1"),
        ("c2", 3_000, "u2"),
        ("c3", 5_000, "u1"),
        ("c4", 610, "u9"),
    ):
        fields = {"contact_id": contact_id, "customer": customer}
        say("queue.entered", minute, queue="PS", **fields)
        if contact_id != "c4":
            say("agent.connected", minute + 1, agent="anna", **fields)
        say("contact.ended", minute + 5, by="customer", **fields)
    say("contact.dispositioned", 606, resolution="resolved", contact_id="c1", customer="u1")
    say("identity.linked", 2_900, customer="u1", alias="u2")
    for kind, minute in (("opened", 620), ("resolved", 700), ("reopened", 4_000), ("closed", 4_900)):
        say(f"case.{kind}", minute, case_id="t1", customer="u1")
    say("survey.answered", 800, contact_id="c1", customer="u1", resolved="yes", csat=5)
    say("case.opened", 900, case_id="t2", customer="u5")
    say("case.merged", 950, case_id="t2", into="t3", customer="u5")
    return found


@pytest.mark.parametrize("seed", range(8))
def test_the_order_does_not_matter_between_the_stages(seed: int) -> None:
    """R19, R20: tickets, surveys and links before or after the contacts they are about: the same cases."""
    events = story()
    plain = figures_of(events, MARCH + 30 * 86_400_000)
    dice = random.Random(seed)  # noqa: S311  a seed, not a secret
    mixed = [*events, *dice.sample(events, 7)]
    dice.shuffle(mixed)
    found = figures_of(mixed, MARCH + 30 * 86_400_000)
    told = {name: value for name, value in found.net.items() if not name.startswith(OWN)}
    assert told == {name: value for name, value in plain.net.items() if not name.startswith(OWN)}
    assert sum(v for n, v in told.items() if n.startswith("contact_cases_opened_total")) >= 3
    assert (found.duplicates, found.rejected) == (7, {})


def test_what_is_kept_for_gauges_alone_is_not_printed() -> None:
    """Cohorts by day are; the tallies they are made from are not."""
    found = figures_of(story(), MARCH + 86_400_000).net
    assert not [name for name in found if name.startswith("~")]
    assert [name for name in found if name.startswith("contact_fcr_cohort_cases")]


def test_cells_and_figures_do_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many lines are read at once, and however many rows fall due at once."""
    plain = figures_of(story(), MARCH + 30 * 86_400_000)
    for size in (1, 3):
        monkeypatch.setattr("stream.replay.run.BATCH", size)
        monkeypatch.setattr("stream.replay.stages.BATCH", size)
        found = figures_of(story(), MARCH + 30 * 86_400_000)
        assert {n: v for n, v in found.net.items() if not n.startswith(OWN)} == {
            n: v for n, v in plain.net.items() if not n.startswith(OWN)
        }


def test_without_until_the_newest_event_is_now() -> None:
    """Who waits at the newest event waits."""
    waiting = {
        "event_id": "1",
        "type": "queue.entered",
        "occurred_at": "1999-01-01T10:00:00Z",
        "source": "bank",
        "contact_id": "c1",
        "queue": "PS",
    }
    assert figures_of([waiting], None).net['contact_queue_waiting{channel="voice",queue="PS"}'] == 1
    assert 'contact_queue_waiting{channel="voice",queue="PS"}' not in figures_of([waiting], FEBRUARY).net


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b'{"topic": "faxes", "event": {}}', b'{"topic": "calls"}', b'{"event": {}}']
)
def test_a_line_that_is_none(text: bytes) -> None:
    """The message names the line and says what was expected."""
    good = lines([{"event_id": "1"}])[0]
    with pytest.raises(Trouble, match=r"cannot read line 3 of calls\.jsonl; .*; expected"):
        list(records([good, b"\n", text], "calls.jsonl"))


def test_a_recording_may_tell_key_and_time(tmp_path: Path) -> None:
    """``key`` and ``recorded_at`` of a line are those of the record."""
    line = {"topic": "calls", "event": {"contact_id": "c1"}, "key": "k", "recorded_at": "1999-01-01T00:00:00Z"}
    path = tmp_path / "lines"
    path.write_text(json.dumps(line) + "\n")
    with path.open("rb") as file:
        [record] = records(file, "lines")
    assert (record.key, record.recorded_at, record.offset) == (b"k", parse_time("1999-01-01T00:00:00Z"), 1)
