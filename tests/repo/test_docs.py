"""Documentation in step with the code: pages made from it, and every name that the README mentions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stream.cli.catalogue import ENTRIES
from stream.cli.docs import PAGES
from stream.cli.main import command_names, parser_of
from stream.telemetry.catalogue import CATALOGUE, series_names

ROOT = Path(__file__).parents[2]
FIELDS = {"contact_id", "previous_contact_id"}  # of events, not metrics
PROSE = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "bench/README.md")]


def prose() -> str:
    """Return everything written by hand."""
    return "\n".join(path.read_text(encoding="utf-8") for path in PROSE if path.exists())


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_code_is_up_to_date(name: str) -> None:
    """`contact-stream docs --execute` writes it."""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == PAGES[name]()


def test_every_command_mentioned_exists() -> None:
    """With every option given to it."""
    for name, rest in re.findall(r"contact-stream ([a-z]+)((?: [^\n`;|]*)?)", prose()):
        if name not in command_names():
            assert not re.search(rf"contact-stream {name}\b", prose()), f"contact-stream {name}"
        known = {flag for action in parser_of(name)._actions for flag in action.option_strings}
        for flag in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", rest):
            assert flag in known, f"contact-stream {name} {flag}"


def test_every_verb_of_make_mentioned_exists_and_is_documented() -> None:
    """And the README names the two that matter."""
    targets = re.findall(r"^([a-z]+):[^#\n]*## \S", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for verb in re.findall(r"(?:`|\n|\$ )(?:[A-Z_]+=\S+ )?make ([a-z]+)", prose()):
        assert verb in targets, f"make {verb}"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme


def test_every_setting_mentioned_exists() -> None:
    """Also in what is written by hand."""
    for name in re.findall(r"\b(?:CONTACT_STREAM|KAFKA|DEMO)_[A-Z_]+[A-Z]\b", prose()):
        assert name.removesuffix("_FILE") in ENTRIES, name


def test_every_metric_mentioned_exists() -> None:
    """A family, its twin, or a histogram's part; recorded names (with a colon) are the rules' business."""
    known = series_names() | {entry.name for entry in CATALOGUE.values()}
    for name in re.findall(r"\bcontact_[a-z_]+[a-z](?![\w:*…])", prose()):
        assert name in known or name in FIELDS, name


def test_links_lead_somewhere() -> None:
    """Every relative link of every page."""
    for page in [*PROSE, *(ROOT / "docs").glob("*.md"), *ROOT.glob("deploy/**/*.md"), ROOT / "CHANGELOG.md"]:
        if not page.exists():
            continue
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"
