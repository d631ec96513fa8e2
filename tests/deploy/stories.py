"""Alerts under promtool: a story says what Prometheus is told over time, and who must be alarmed when.

Only the rules that the alert under test needs are loaded, as they are shipped: those that record what its expression
names, and what those name in turn. They are evaluated in the order of who needs whom, so that a moment is the same in
every run. A story may tell a recorded figure instead of what it is made of; then its rule is left out.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, field
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPLOY = Path(__file__).parents[2] / "deploy" / "prometheus"
Labels = dict[str, str]
Series = dict[str, str]
"""A series as PromQL writes it -> its samples as promtool reads them."""
FRAME = ("alertname", "alertstate", "severity", "area")
"""What every alert has; left out where a test says which alerts it expects."""


@dataclass(frozen=True)
class Rule:
    """One rule as it is shipped.

    Attributes:
        name: what it records, or the alert it raises.
        alert: whether it raises one.
        expression: PromQL, comments left out.
        text: the whole rule.
        group: the name of its group.
        file: where it stands.
    """

    name: str
    alert: bool
    expression: str
    text: str
    group: str
    file: Path

    @property
    def names(self) -> set[str]:
        """Every metric and recorded figure that the expression names."""
        return names_in(self.expression)


def names_in(expression: str) -> set[str]:
    """Every metric and recorded figure that PromQL names; what stands in quotation marks is none."""
    return set(re.findall(r"[a-z_]+:[a-z0-9_:]+|\bcontact_\w+", re.sub(r'"[^"]*"', "", expression)))


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """Every rule and alert of the files that the shipped configuration loads."""
    return tuple(
        rule
        for folder in ("rules", "alerts")
        for path in sorted((DEPLOY / folder).glob("*.yml"))
        for rule in _rules_of(path)
    )


def _rules_of(path: Path) -> list[Rule]:
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE)
    [group] = re.findall(r"- name: (\S+)", text)
    rules = []
    for part in re.split(r"\n(?=      - (?:record|alert): )", text)[1:]:
        kind, name = re.findall(r"- (record|alert): (\S+)", part)[0]
        expression = re.findall(r"expr: \|\n((?: {10}.*\n?)+)", part)[0]
        rules.append(Rule(name, kind == "alert", expression, part, group, path))
    return rules


def alerts() -> dict[str, Rule]:
    """Every alert by its name."""
    return {rule.name: rule for rule in shipped_rules() if rule.alert}


def _in_order(wanted: set[str], told: set[str]) -> list[Rule]:
    """The rules that record what is named but not told, and what those name in turn, each before whoever reads it."""
    by_name: dict[str, list[Rule]] = {}
    for rule in shipped_rules():
        if rule.name not in told:
            by_name.setdefault(rule.name, []).append(rule)
    reads: dict[str, set[str]] = {}
    names = list(wanted)
    while names:
        name = names.pop()
        if name in by_name and name not in reads:
            reads[name] = {read for rule in by_name[name] for read in rule.names if read in by_name}
            names += reads[name]
    return [rule for name in TopologicalSorter(reads).static_order() for rule in by_name[name]]


@dataclass(frozen=True)
class Story:
    """What Prometheus is told, and what must come of it.

    Attributes:
        tells: for the message when it fails.
        series: what it is told.
        firing: moment -> the labels of every alert that fires then, `FRAME` left out.
    """

    tells: str
    series: Series
    firing: Mapping[str, list[Labels]]

    def told(self, tells: str, other: Series, firing: Mapping[str, list[Labels]] | None = None) -> Story:
        """The same with other series laid over it; unless said, at every moment of this story nobody is alarmed."""
        silent: dict[str, list[Labels]] = {moment: [] for moment in self.firing}
        return Story(tells, {**self.series, **other}, silent if firing is None else firing)


@dataclass(frozen=True)
class Figures:
    """A recorded figure and its samples at one moment.

    Attributes:
        expression: PromQL.
        at: the moment.
        samples: labels and value of each.
    """

    expression: str
    at: str
    samples: list[tuple[Labels, float]] = field(default_factory=list)


def series(name: str, **labels: str) -> str:
    """A series as PromQL writes it."""
    return f"{name}{{{', '.join(f'{label}=' + json.dumps(value) for label, value in labels.items())}}}"


def check_alert(promtool: str, folder: Path, alert: str, stories: list[Story], step: int = 15) -> None:
    """Run promtool on some stories about one alert, one after the other.

    Args:
        promtool: its path.
        folder: for the test file.
        alert: its name.
        stories: each with a Prometheus of its own.
        step: s between samples and between evaluations.
    """
    raised = f'sum without ({", ".join(FRAME)}) (ALERTS{{alertname="{alert}", alertstate="firing"}})'
    for story in stories:
        expected: list[dict[str, object]] = [
            {
                "expr": raised,
                "eval_time": moment,
                "exp_samples": [{"labels": series("", **labels), "value": 1} for labels in firing],
            }
            for moment, firing in story.firing.items()
        ]
        said = _run(promtool, folder, {alert}, _Test(step, story.series, expected))
        assert not said, f"{alert}, {story.tells}: {said}"


def check_figures(promtool: str, folder: Path, told: Series, figures: list[Figures], step: int = 15) -> None:
    """Run promtool on recorded figures: each must have exactly these samples.

    Args:
        promtool: its path.
        folder: for the test file.
        told: what Prometheus is told.
        figures: what it must have recorded; values are compared in billionths.
        step: s between samples and between evaluations.
    """
    expected: list[dict[str, object]] = [
        {
            "expr": f"round(1e9 * ({figure.expression}))",
            "eval_time": figure.at,
            "exp_samples": [
                {"labels": series("", **labels), "value": round(1e9 * value)} for labels, value in figure.samples
            ],
        }
        for figure in figures
    ]
    names = {name for figure in figures for name in names_in(figure.expression)}
    said = _run(promtool, folder, names, _Test(step, told, expected))
    assert not said, said


class _Test(NamedTuple):
    """One test of promtool: s between samples, what is told, what is expected."""

    step: int
    told: Series
    expected: list[dict[str, object]]


def _run(promtool: str, folder: Path, names: set[str], test: _Test) -> str:
    """What promtool objects to when it loads the rules of these names; nothing when all is as expected."""
    rules = _in_order(names, {name.partition("{")[0] for name in test.told})
    texts = "".join(rule.text.rstrip() + "\n" for rule in rules)
    (folder / "rules.yml").write_text(f"groups:\n  - name: needed\n    rules:\n{texts}")
    told = [{"series": name, "values": values} for name, values in test.told.items()]
    interval = f"{test.step}s"
    one = {"interval": interval, "input_series": told, "promql_expr_test": test.expected}
    document = {"rule_files": ["rules.yml"], "evaluation_interval": interval, "tests": [one]}
    (folder / "test.yml").write_text(json.dumps(document))
    command = [promtool, "test", "rules", str(folder / "test.yml")]
    done = subprocess.run(command, capture_output=True, timeout=240, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()
