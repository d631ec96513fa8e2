"""Every requirement is proved by a test and met by something, and `docs/requirements.md` says by what."""

from __future__ import annotations

import os
import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from stream.cli.main import command_names, parser_of
from stream.core.policy import Policy
from stream.core.topics import TOPICS
from stream.wire.policy_text import policy_text
from tests.repo.requirements import (
    KINDS,
    PAGE,
    ROOT,
    cells_of_scenarios,
    named_by_figures,
    named_by_scenarios,
    named_by_tests,
    page,
    requirements,
    standing_cells,
)
from tests.vectors.scenarios import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_requirements_are_all_there() -> None:
    """Fifty-four in order, each with its statement, and nothing but statements and means."""
    assert list(requirements()) == [f"R{number:02d}" for number in range(1, 55)]
    assert not [one for one in requirements().values() if not one.says or set(one.means) - set(KINDS)]


def test_every_requirement_is_proved() -> None:
    """By a test that names it, whatever golden scenarios cover it beside."""
    proved = {number for number, _, _ in named_by_tests()}
    assert [number for number in requirements() if number not in proved] == []


def test_every_requirement_is_met() -> None:
    """By a figure that refers to it, or by a rule, an alert, a command, a key of the policy or a topic."""
    met = {number for number, _ in named_by_figures()}
    assert [number for number, one in requirements().items() if number not in met and not one.means] == []


def test_no_other_number_is_named() -> None:
    """Neither by a test, nor by a scenario, nor by a figure."""
    named = {(number, f"{file}::{name}") for number, file, name in named_by_tests()}
    named |= {(number, scenario) for number, names in named_by_scenarios().items() for scenario in names}
    named |= set(named_by_figures())
    assert sorted(one for one in named if one[0] not in requirements()) == []


def test_what_meets_a_requirement_exists() -> None:
    """Recorded series, alerts, commands with options, keys of the policy, topics: looked up where they are made."""
    deployed = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "deploy" / "prometheus").rglob("*.yml"))
    tables = tomllib.loads(policy_text(Policy(), "the defaults shipped"))
    exists: dict[str, Callable[[str], bool]] = {
        "rules": set(re.findall(r"- record: (\S+)", deployed)).__contains__,
        "alerts": set(re.findall(r"- alert: (\S+)", deployed)).__contains__,
        "commands": _is_command,
        "policy": lambda name: _is_key(tables, name),
        "topics": TOPICS.__contains__,
    }
    named = [
        (one.name, kind, name) for one in requirements().values() for kind, names in one.means.items() for name in names
    ]
    assert [one for one in named if not exists[one[1]](one[2])] == []


def test_the_page_is_in_step() -> None:
    """`python -m tests.repo.requirements --execute` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page(standing_cells())


def test_the_page_names_the_scenarios_that_are_there() -> None:
    """Their column is compared where the golden scenarios stand; in CI they must."""
    found = cells_of_scenarios()
    if not found and not os.environ.get("CI"):
        pytest.skip(f"no golden scenarios in {FOLDER}; set CONTACT_STREAM_VECTORS")
    assert standing_cells() == found


def _is_command(text: str) -> bool:
    """A command, and its option if it has one."""
    name, _, option = text.partition(" ")
    if name not in command_names():
        return False
    return not option or any(option in action.option_strings for action in parser_of(name)._actions)


def _is_key(tables: object, path: str) -> bool:
    """A key of a policy file that says everything."""
    for name in path.split("."):
        if not isinstance(tables, dict) or name not in tables:
            return False
        tables = tables[name]
    return True
