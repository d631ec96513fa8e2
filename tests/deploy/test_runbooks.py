"""Every alert says how bad it is, what was seen and where to read on; every page is an alert's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from stream.telemetry.catalogue import series_names
from tests.deploy.stories import DEPLOY, alerts, names_in, shipped_rules

RUNBOOKS = DEPLOY.parent / "runbooks"
SECTIONS = ["What it means", "See it", "What to do", "What it is not"]
PAGES = {path.stem: path.read_text() for path in sorted(RUNBOOKS.glob("*.md"))}


def field(alert: str, name: str) -> str:
    """A label or annotation of an alert, as the file says it."""
    [value] = re.findall(rf'^ +{name}: "?(.*?)"?$', alerts()[alert].text, re.MULTILINE)
    return str(value)


def queries(page: str) -> list[str]:
    """The queries of a page, one a line."""
    return [line for block in re.findall(r"```promql\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    """And there are as many as are wanted."""
    assert PAGES.keys() == alerts().keys()
    assert len(PAGES) == 20


def test_pages_have_one_base_in_one_place() -> None:
    """Each alert leads to its page under the label that prometheus.yml alone sets; the path it ships leads there."""
    [base] = re.findall(r"^ +runbooks: (\S+)$", (DEPLOY / "prometheus.yml").read_text(), re.MULTILINE)
    assert (Path(__file__).parents[2] / base).resolve() == RUNBOOKS.resolve()
    for alert in alerts():
        assert field(alert, "runbook_url") == f"{{{{ $externalLabels.runbooks }}}}/{alert}.md"


@pytest.mark.parametrize("alert", alerts())
def test_an_alert_says_what_was_seen(alert: str) -> None:
    """Severity and area from closed sets, a summary that names the place, a description with the value."""
    assert field(alert, "severity") in {"page", "warning"}
    assert field(alert, "area") in {"operations", "quality", "pipeline"}
    assert f"Severity: {field(alert, 'severity')}." in PAGES[alert]
    said = field(alert, "summary") + field(alert, "description")
    labelled = set(re.findall(r"\$labels\.(\w+)", said))
    assert labelled or alert == "ContactStreamAbsent"
    if alert not in {"ContactStreamAbsent", "ContactHandleTimeAndFcrFell", "ContactShardUnowned"}:
        assert "$value" in said


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_to_do(name: str) -> None:
    """Its name, what it means, how to see it, what to do, what it is not: none of them empty."""
    page = PAGES[name]
    assert page.startswith(f"# {name}\n")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == SECTIONS
    assert all(part.strip() for part in re.split(r"^## .*$", page, flags=re.MULTILINE))
    assert queries(page)


def test_every_query_of_a_page_can_be_asked(promtool: str, tmp_path: Path) -> None:
    """Prometheus reads each, and it names nothing that is not exported or recorded."""
    asked = [query for page in PAGES.values() for query in queries(page)]
    recorded = {rule.name for rule in shipped_rules() if not rule.alert}
    used = {name for query in asked for name in names_in(query)}
    assert used - recorded <= series_names()
    rules = "".join(f"      - record: q{i}\n        expr: |\n          {query}\n" for i, query in enumerate(asked))
    (tmp_path / "queries.yml").write_text(f"groups:\n  - name: queries\n    rules:\n{rules}")
    command = [promtool, "check", "rules", str(tmp_path / "queries.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert f"{len(asked)} rules found" in done.stdout, done.stdout + done.stderr
