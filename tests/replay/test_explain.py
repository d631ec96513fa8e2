"""What `explain` says counted adds up to the figures: over every golden scenario, from a recording and from topics."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from stream.core.figures.families import SERVICE
from stream.core.figures.series import net_figures, series_of
from stream.replay.answers import about_case, about_contact, about_customer
from stream.replay.behind import about_cell
from stream.replay.counted import parse_cell, shown
from stream.replay.gather import Gathering
from stream.replay.recorded import from_recording, look_for_cell, look_for_rejected
from stream.replay.run import replay
from stream.wire import json
from stream.wire.times import format_time, parse_time
from tests.replay.centre import Centre
from tests.vectors.scenarios import scenarios

if TYPE_CHECKING:
    from stream.core.figures.figures import CounterKey
    from stream.replay.answers import Answer
    from stream.replay.known import Known
    from tests.vectors.scenarios import Scenario

SCENARIOS = scenarios()
NAMES = [str(scenario) for scenario in SCENARIOS]
MANY = 60  # contacts; asked one by one, more would only take time
CELLS = 12  # of a scenario are asked for
OWN = ("contact_stream_records", "contact_stream_rejected", "contact_stream_corrections")


def recorded(scenario: Scenario) -> Known:
    """A scenario as one recording."""
    records = [record for step in scenario.steps for record in step.records]
    return from_recording(records, scenario.policy, end_of(scenario), lambda _read, _at: None)


def end_of(scenario: Scenario) -> int | None:
    """Where a scenario's watermark stands last."""
    return next((step.advance_to for step in reversed(scenario.steps) if step.advance_to is not None), None)


def lived(scenario: Scenario) -> Centre:
    """A scenario as two shards of each stage lived through it, event by event."""
    centre = Centre(scenario.policy)
    for step in scenario.steps:
        centre.feed(step.records)
        if step.advance_to is not None:
            centre.advance(step.advance_to)
    centre.publish()
    return centre


def scenario_named(name: str) -> Scenario:
    """One golden scenario; skipped on a laptop without any, never because of its name."""
    if not SCENARIOS and not os.environ.get("CI"):
        pytest.skip("no golden scenarios; set CONTACT_STREAM_VECTORS")
    [found] = [scenario for scenario in SCENARIOS if scenario.name == name]
    return found


def contacts_of(centre: Centre) -> set[str]:
    """Every contact_id that any event names."""
    found = set()
    for topic in ("calls", "chats", "emails", "cases"):
        for record in centre.read((topic,)):
            try:
                told = json.loads(record.value or b"")
            except ValueError:
                continue
            if isinstance(told, dict) and isinstance(told.get("contact_id"), str):
                found.add(told["contact_id"])
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_a_recording_adds_up(scenario: Scenario) -> None:
    """R54: the sum over all contacts and cases is the net figures, every one; each cell is the sum behind it."""
    check_recording(scenario)


def check_recording(scenario: Scenario) -> None:
    """What is behind the figures of a recording adds up to them."""
    known = recorded(scenario)
    total: dict[CounterKey, int] = defaultdict(int)
    worths = [known.worth_of(name, contact) for name, row in known.rows() for contact in row.contacts]
    for seen in known.people():
        worths += [*seen.surveys.values(), *(one.worth for one in seen.cases.values())]
    for worth in worths:
        for (figure, _, _), amount in worth.items():
            if SERVICE[figure.family].scope != "state":
                total[figure.base.key] += amount
    records = [record for step in scenario.steps for record in step.records]
    net = replay(records, scenario.policy, end_of(scenario), lambda _read, _at: None).net
    found = {name: value for name, value in net_figures(total).items() if value}
    assert found == {name: value for name, value in net.items() if value and summed(name)}
    shards = (known.stages.contacts, known.stages.cases)
    for key in [key for shard in shards for key in shard.book.cells][:: max(1, len(shards[0].book.cells) // CELLS)]:
        cell = parse_cell(",".join([format_time(key[0] * 900_000), *key[1:]]))
        look_for_cell(known, cell)
        answer = about_cell(known, cell, None)
        assert answer is None or answer["adds_up"], answer


def summed(series: str) -> bool:
    """Whether a net figure is the sum of contributions: not what waits now, nor what the program counts of itself."""
    family = SERVICE.get(series.partition("{")[0])
    return not series.startswith(OWN) and (family is None or family.kind != "gauge" or family.tally)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_topics_add_up(scenario: Scenario) -> None:
    """R54: the same, each contact and case looked up by itself in the topics of two shards a stage; every cell."""
    check_topics(scenario)


def check_topics(scenario: Scenario) -> None:
    """What is behind the figures of a deployment adds up to them."""
    centre = lived(scenario)
    asked = sorted(contacts_of(centre))
    if len(asked) <= MANY:
        assert explained(centre, scenario, asked) == {
            series: shown(series, amount)
            for series, amount in ((series_of(key), amount) for key, amount in centre.counters.items())
        }
    keys = sorted({(record.key or b"").decode() for record in centre.read(("intervals",))})
    for key in keys[:: max(1, len(keys) // CELLS)]:
        _, _, start, *labels = key.split("/")
        for name in (key, ",".join([format_time(int(start)), *labels])):
            cell = parse_cell(name)
            answer = about_cell(Gathering(centre, scenario.policy).cell(cell, None), cell, None)
            assert answer is None or answer["adds_up"], answer


def explained(centre: Centre, scenario: Scenario, contacts: list[str]) -> dict[str, float]:
    """What all contacts and cases counted, asked for one by one."""
    total: dict[str, float] = defaultdict(int)
    answers: list[Answer | None] = []
    for name in contacts:
        answer = about_contact(Gathering(centre, scenario.policy).contact(name), name)
        answers.append(answer)
        for generation in answer["generations"] if answer else ():
            add_up(total, generation["counted"])
        add_up(total, answer["surveys_counted"] if answer else [])
    for name in sorted({(record.key or b"").decode() for record in centre.read(("verdicts",))}):
        answer = about_case(Gathering(centre, scenario.policy).case(name), name)
        assert answer, name
        answers.append(answer)
        add_up(total, answer["counted"] if answer["case"] == name else [])
    warnings = {warning for answer in answers if answer for warning in answer["warnings"]}
    merged = {warning for warning in warnings if " became part of " in warning}
    assert warnings - merged <= {"it is no case any more: its contacts belong to another"}
    return {series: round(amount, 3) for series, amount in total.items() if amount}


def add_up(total: dict[str, float], lines: list[dict[str, Any]]) -> None:
    """Add the amounts of some lines."""
    for line in lines:
        total[line["figure"]] += line["amount"]


def test_a_customer_across_channels_and_ids() -> None:
    """R29: three ids, one person: every contact in order of time, under whichever id it is asked for."""
    scenario = scenario_named("three identifiers, one person")
    centre = lived(scenario)
    names = {event["customer"] for record in centre.read(("calls", "chats", "emails")) if (event := told(record.value))}
    answers = [about_customer(Gathering(centre, scenario.policy).customer(name), name) for name in sorted(names)]
    first = answers[0]
    assert first is not None
    assert len(first["ids"]) >= 3
    assert first["timeline"] == sorted(first["timeline"], key=lambda line: str(line["at"]))
    assert {line["what"] for line in first["timeline"]} >= {"contact", "link"}
    for answer in answers:
        assert answer is not None
        assert {**answer, "customer": ""} == {**first, "customer": ""}


def told(value: bytes | None) -> dict[str, Any]:
    """An event that names a customer, or nothing."""
    event = json.loads(value or b"{}")
    return event if event.get("customer") else {}


def test_the_policy_that_decided_is_named() -> None:
    """R28: a verdict says under which policy it was decided; another policy is a warning."""
    scenario = scenario_named("three identifiers, one person")
    centre = lived(scenario)
    other = next(each for each in SCENARIOS if each.policy != scenario.policy)
    verdicts = [json.loads(record.value or b"") for record in centre.read(("verdicts",))]
    case = [told["case_id"] for told in verdicts if not told["withdrawn"]][-1]
    own = about_case(Gathering(centre, scenario.policy).case(case), case)
    foreign = about_case(Gathering(centre, other.policy).case(case), case)
    assert own is not None
    assert foreign is not None
    assert own["policy"] == foreign["policy"]
    assert not [warning for warning in own["warnings"] if "policy" in warning]
    assert [warning for warning in foreign["warnings"] if "decided under policy" in warning] or not foreign["told"]


def test_what_was_kept_out_is_told() -> None:
    """R54: a late event of a contact, with the reason, from topics; from a recording nothing is late."""
    scenario = scenario_named("late")
    centre = lived(scenario)
    late = [
        (record.key or b"").decode()
        for record in centre.read(("rejected",))
        if ("x-rejected-reason", b"late") in list(record.headers)
    ]
    assert late
    answer = about_contact(Gathering(centre, scenario.policy).contact(late[0]), late[0])
    assert answer is not None
    assert [each["reason"] for each in answer["kept_out"]] == ["late"]
    known = recorded(scenario)
    look_for_rejected(known, late[0])
    answer = about_contact(known, late[0])
    assert answer is not None
    assert answer["kept_out"] == []


def test_gone_events_are_said() -> None:
    """A contact whose events have expired is told from the outcomes topic; a case without outcomes from its verdict."""
    scenario = scenario_named("three identifiers, one person")
    centre = lived(scenario)
    name = min(contacts_of(centre))
    for topic in ("calls", "chats", "emails"):
        centre.topics.pop(topic, None)
    answer = about_contact(Gathering(centre, scenario.policy).contact(name), name)
    assert answer is not None
    assert [one["told"] for one in answer["generations"]] == [True]
    assert "no longer hold its events" in answer["warnings"][0]
    case = answer["cases"][0]["case"]
    centre.topics.pop("outcomes")
    centre.topics.pop("cases")
    left = about_case(Gathering(centre, scenario.policy).case(case), case)
    assert left is not None
    assert left["rules"]["contact"]["state"] is not None
    assert "told last" in left["warnings"][0]


def test_cells_that_do_not_add_up_say_by_how_much() -> None:
    """R54: contacts that have left the topics are a difference, not a silence."""
    scenario = scenario_named("three identifiers, one person")
    centre = lived(scenario)
    key = next((r.key or b"").decode() for r in centre.read(("intervals",)) if (r.key or b"").startswith(b"1/"))
    for topic in ("calls", "chats", "emails"):
        centre.topics.pop(topic, None)
    cell = parse_cell(key)
    answer = about_cell(Gathering(centre, scenario.policy).cell(cell, None), cell, None)
    assert answer is not None
    assert not answer["adds_up"]
    assert all(each["difference"] == each["cell"] for each in answer["figures"])
    assert "do not add up" in answer["warnings"][0]


@pytest.mark.parametrize(
    "name", ["", "1/0/x/arrival/voice/billing/none", "2026-03-02T10:00:00Z,arrival", "yesterday,arrival,voice,billing"]
)
def test_a_name_that_is_no_cell(name: str) -> None:
    """It says what was expected."""
    with pytest.raises(ValueError, match="expected"):
        parse_cell(name)


def test_a_cell_has_two_names() -> None:
    """The key on the interval topic, and start and labels; a moment inside the interval names it too."""
    cell = parse_cell("2/1/1772445600000/arrival/voice/billing/none")
    assert parse_cell("2026-03-02T10:07:00Z,arrival,voice,billing") == cell._replace(stage=None, shard=None)
    assert (cell.key(2, 1), cell.start) == (b"2/1/1772445600000/arrival/voice/billing/none", parse_time(START))


START = "2026-03-02T10:00:00Z"
