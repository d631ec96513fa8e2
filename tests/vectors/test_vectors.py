"""Every golden scenario, in order, shuffled with repetitions, in other batches, and across crashes."""

import os
from collections.abc import Mapping
from typing import Any

import pytest

from stream.core.figures.families import SERVICE
from stream.core.figures.series import family_of
from stream.wire import json
from stream.wire.times import format_time, parse_time
from tests.vectors.scenarios import FOLDER, Scenario, Step, scenarios
from tests.vectors.world import World, by_labels, shuffled

SCENARIOS = scenarios()
NAMES = [str(scenario) for scenario in SCENARIOS]


def test_the_scenarios_are_there() -> None:
    """In CI the folder must exist; on a laptop without it nothing below runs, and this says so."""
    if not SCENARIOS and not os.environ.get("CI"):
        pytest.skip(f"no golden scenarios in {FOLDER}; set CONTACT_STREAM_VECTORS")
    assert SCENARIOS


@pytest.mark.parametrize("size", [1, 2, 10_000])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_in_order(scenario: Scenario, size: int) -> None:
    """Batches of any size give what the scenario expects, retractions, rejects and duplicates included."""
    world = World(scenario.policy)
    for step in scenario.steps:
        world.feed(step.records, size)
        if step.advance_to is not None:
            world.advance(step.advance_to)
        check(world, step, in_order=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_shuffled(scenario: Scenario, seed: int) -> None:
    """Any order inside a step, any repetition and a crash after every batch give the same net figures."""
    world = World(scenario.policy)
    for step in scenario.steps:
        records = shuffled(step.records, seed)
        size = 1 if len(records) < 50 else 400
        for start in range(0, len(records), size):
            world.feed(records[start : start + size], size)
            world.reload()
        if step.advance_to is not None:
            world.advance(step.advance_to)
            world.reload()
        check(world, step, in_order=False)


def check(world: World, step: Step, *, in_order: bool) -> None:
    """Everything the step expects of this stage."""
    expect = step.expect
    figures = by_labels(world.figures())
    complete(figures, expect.get("counters", {}))
    for family in expect.get("zero", ()):
        assert family_of(family) in SERVICE, family
        assert not of_family(figures, family), family
    check_contacts(world, expect.get("contacts", {}))
    for entry in expect.get("cells", ()):
        counts = by_labels(world.cell(parse_time(entry["start"]), entry["by"]))
        for name, value in by_labels(entry["counts"]).items():
            assert counts.get(name, 0) == value, (entry["start"], entry["by"], name, counts)
    for kind in ("service_level", "abandonment"):
        for queue, ratios in expect.get(kind, {}).items():
            assert {name: list(ratio) for name, ratio in world.queue(queue)[kind].items()} == ratios
    if "cases" in expect:
        check_cases(world, expect["cases"])
    for rule, wanted in expect.get("fcr", {}).items():
        found = fcr(figures, rule)
        assert {name: found[name] for name in wanted} == wanted
    assert not any(world.shard.view.unaccounted.values()), world.shard.view.unaccounted
    if in_order:
        complete(by_labels(world.retracted()), expect.get("retracted", {}))
        check_kept_out(world, expect)


def check_contacts(world: World, expected: dict[str, dict[str, Any]]) -> None:
    """The fields named, of the contacts named."""
    for contact_id, known in expected.items():
        report = world.contact(contact_id)
        for name, value in known.items():
            assert same(report[name], value), (contact_id, name, report.get(name), value)


def check_cases(world: World, expected: list[dict[str, Any]]) -> None:
    """All cases, each with its contacts in order; of the rules and fields only those named."""
    known = {tuple(c["contact_id"] for c in told["contacts"]): told for told in world.verdicts.values()}
    wanted = {tuple(case["contacts"]): case for case in expected}
    assert set(known) - {()} == set(wanted)
    for contacts, case in wanted.items():
        told = known[contacts]
        for rule, state in case.get("rules", {}).items():
            found = told["rules"][rule]
            if found is not None and found["window_end"] is not None:
                found = {**found, "window_end": format_time(found["window_end"])}
            assert same(found, state) if found and state else found == state, (contacts, rule, found, state)
        if "prior_attempts" in case:
            assert [c["contact_id"] for c in told["prior_attempts"]] == case["prior_attempts"], contacts
        for name in case.keys() - {"contacts", "rules", "prior_attempts"}:
            assert told[name] == case[name], (contacts, name)


def fcr(figures: Mapping[str, int | float], rule: str) -> dict[str, Any]:
    """Provisional, bounds and settled of a rule over all cohorts shown."""
    counts = dict.fromkeys(("settled", "provisional", "failed", "open"), 0)
    for name, value in of_family(figures, "contact_fcr_cohort_cases").items():
        labels = dict(label.split("=") for label in name.partition("{")[2][:-1].split(","))
        if labels["rule"] == f'"{rule}"':
            counts[labels["state"].strip('"')] += int(value)
    settled, provisional, failed, waiting = counts.values()
    known, total = settled + provisional, sum(counts.values())
    return {
        "provisional": [known, known + failed],
        "bounds": [[settled, total], [known + waiting, total]],
        "settled": None if provisional or waiting else [settled, settled + failed],
    }


def complete(figures: Mapping[str, int | float], expected: Mapping[str, int | float]) -> None:
    """A family with one entry is complete: every series of it that is not listed is 0."""
    wanted = by_labels(expected)
    for family in {name.partition("{")[0] for name in wanted}:
        assert family_of(family) in SERVICE, family
        assert of_family(figures, family) == {n: v for n, v in of_family(wanted, family).items() if v}, family


def of_family(figures: Mapping[str, int | float], family: str) -> dict[str, int | float]:
    """The nonzero series of a family."""
    found = {name: value for name, value in figures.items() if name.partition("{")[0] == family and value}
    return {name: value for name, value in found.items() if 'le="+Inf"' not in name}


def same(found: Any, expected: Any) -> bool:  # noqa: ANN401  any JSON
    """Lists in order and complete, tables by the fields named."""
    if isinstance(expected, dict):
        return all(same(found[name], value) for name, value in expected.items())
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    return bool(found == expected)


def check_kept_out(world: World, expect: dict[str, Any]) -> None:
    """What was rejected so far, in order, and how many duplicates there were."""
    if "rejected" in expect:
        found = [{"event_id": event_id(entry["value"]), "reason": entry["reason"]} for entry in world.rejected]
        assert found == expect["rejected"]
    if "duplicates" in expect:
        assert world.duplicates == expect["duplicates"]


def event_id(value: bytes) -> str | None:
    """The id in a rejected value, if it has one."""
    try:
        decoded = json.loads(value)
    except ValueError:
        return None
    return decoded.get("event_id") if isinstance(decoded, dict) else None
