"""`docs/requirements.md`: what the customer asks for, the tests that prove it, and what it is met by.

The statements stand in `docs/requirements.toml`. A test names requirements in its docstring, a golden scenario in its
`covers`, a figure in its `reference`. Golden scenarios stand beside the checkout: where they are missing, their column
is left as the page has it, so the page is the same wherever it is made.

Write it anew with `python -m tests.repo.requirements --execute`.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stream.core.figures.families import SERVICE
from stream.wire import json
from tests.vectors.scenarios import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "requirements.md"
STATEMENTS: Final = ROOT / "docs" / "requirements.toml"
KINDS: Final = {"rules": "recorded", "alerts": "alert", "commands": "command", "policy": "policy", "topics": "topic"}
"""By what a requirement may be met besides figures -> the word for it on the page."""
NAMED: Final = 3
"""How many golden scenarios are named."""
_NUMBER: Final = re.compile(r"\bR\d\d\b")
_NONE: Final = "-"
_HEAD: Final = """\
# Requirements

Made by `python -m tests.repo.requirements --execute`: the statements from `docs/requirements.toml`, the tests from
what their docstrings name, the golden scenarios from what they cover, the figures from the catalogue. Golden
scenarios stand beside the checkout (`CONTACT_STREAM_VECTORS`). Tests are below `tests/`; how each figure is counted
stands in [metrics.md](metrics.md).

| requirement | tests | golden scenarios | figures and other means |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement, and by what it is met besides figures: kind -> names."""

    name: str
    says: str
    means: Mapping[str, tuple[str, ...]]


def requirements() -> dict[str, Requirement]:
    """Every requirement by its number, in order."""
    tables = tomllib.loads(STATEMENTS.read_text(encoding="utf-8"))
    return {
        name: Requirement(name, table.pop("says"), {kind: tuple(named) for kind, named in table.items()})
        for name, table in tables.items()
    }


def named_by_tests() -> Iterator[tuple[str, str, str]]:
    """Requirement, file below `tests/`, and name, of every test that names it in its docstring."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for number in sorted(set(_NUMBER.findall(ast.get_docstring(node) or ""))):
                    yield number, path.relative_to(ROOT / "tests").as_posix(), node.name


def named_by_figures() -> Iterator[tuple[str, str]]:
    """Requirement and name of every family whose `reference` names it, in the order of the catalogue."""
    for family in SERVICE.values():
        for number in _NUMBER.findall(family.reference):
            yield number, family.name


def named_by_scenarios() -> dict[str, list[str]]:
    """Requirement -> the golden scenarios that cover it, as the tests call them; empty where there are none."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(FOLDER.glob("*.json")):
        for scenario in json.loads(path.read_bytes())["scenarios"]:
            for number in scenario["covers"]:
                found[number].append(f"{path.stem}: {scenario['name']}")
    return dict(found)


def cells_of_scenarios() -> dict[str, str]:
    """Requirement -> what its row says of golden scenarios: how many, and the first few."""
    return {number: _few(names) for number, names in named_by_scenarios().items()}


def standing_cells() -> dict[str, str]:
    """The same as the page says it now."""
    if not PAGE.exists():
        return {}
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| R")]
    return {row[0][2:5]: row[2] for row in rows if row[2] != _NONE}


def page(scenarios: Mapping[str, str]) -> str:
    """The whole page as Markdown.

    Args:
        scenarios: `cells_of_scenarios`, or `standing_cells` where there are none.
    """
    tests: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for number, file, name in named_by_tests():
        tests[number][file].append(name)
    figures: dict[str, list[str]] = defaultdict(list)
    for number, family in named_by_figures():
        figures[number].append(family)
    rows = []
    for number, one in requirements().items():
        named = [f"`{file}`: {', '.join(sorted(names))}" for file, names in sorted(tests[number].items())]
        means = [f"`{name}`" for name in figures[number]]
        means += [f"{KINDS[kind]} `{name}`" for kind, names in one.means.items() for name in names]
        cells = (f"{number} {one.says}", "<br>".join(named), scenarios.get(number, ""), "<br>".join(means))
        rows.append(f"| {' | '.join(cell or _NONE for cell in cells)} |\n")
    return _HEAD + "".join(rows)


def _few(names: list[str]) -> str:
    shown = "; ".join(names[:NAMED])
    return f"{len(names)}: {shown}; …" if len(names) > NAMED else f"{len(names)}: {shown}"


def main(arguments: list[str]) -> int:
    """Write the page, or say that it differs (exit code 1)."""
    made = page(cells_of_scenarios() or standing_cells())
    differs = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != made
    if differs and "--execute" in arguments:
        PAGE.write_text(made, encoding="utf-8")
    if differs:
        print(f"{'written' if '--execute' in arguments else 'differs'}: {PAGE.relative_to(ROOT)}")
    return 1 if differs and "--execute" not in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
