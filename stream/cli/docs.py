"""Writes the reference pages that are made from code: settings, commands, metrics.

A test compares the pages in `docs/` with what this makes, so they cannot differ.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from stream.cli.catalogue import GROUPS
from stream.cli.errors import DONE, FAILED
from stream.cli.main import command_names, parser_of
from stream.telemetry import document

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from stream.cli.catalogue import Entry
    from stream.cli.settings import Settings

_SETTINGS_HEAD: Final = """\
# Settings

Made from the catalogue in code (`stream/cli/catalogue.py`). Where a setting comes from, first wins: a command's
option, the environment variable, the properties file of `--command-config`, the default. A secret may also stand in
the file named by `<NAME>_FILE`. Durations carry their unit: `500ms`, `30s`, `2m`, `24h`, `7d`. All problems are
reported at once; a name that begins with `CONTACT_STREAM_` and is not here is one of them.
"""
_COMMANDS_HEAD: Final = """\
# Commands

Made from the commands' own parsers. Each also takes `-b/--bootstrap-server` and `--command-config FILE` (a properties
file as Kafka's own tools take it). Exit codes: 0 done, 1 failed, 2 usage, 3 stopped early and resumable; `worker` also
70: start it again.
"""
_EVERYWHERE: Final = ("-h", "-b", "--command-config")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `docs`."""
    parser.add_argument("--folder", type=Path, default=Path("docs"), metavar="FOLDER", help="where the pages stand")
    parser.add_argument("--execute", action="store_true", help="write them; without it only say which differ")


def run(options: argparse.Namespace, _settings: Settings) -> int:
    """Write the pages, or say which differ (exit code 1)."""
    differing = [name for name, page in PAGES.items() if _standing(options.folder / name) != page()]
    for name in differing:
        if options.execute:
            (options.folder / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"{'written' if options.execute else 'differs'}: {options.folder / name}")
    return DONE if options.execute or not differing else FAILED


def settings_page() -> str:
    """`docs/settings.md` as Markdown."""
    return "\n".join([_SETTINGS_HEAD, *(_settings_table(title, entries) for title, entries in GROUPS.items())])


def commands_page() -> str:
    """`docs/commands.md` as Markdown."""
    return "\n".join([_COMMANDS_HEAD, *(_command_section(name, line) for name, line in command_names().items())])


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "metrics.md": document.page,
}
"""Every page made from code, by its name in `docs/`."""


def _standing(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _settings_table(title: str, entries: tuple[Entry, ...]) -> str:
    lines = [f"## {title}", "", "| name | kind | default | says |", "|---|---|---|---|"]
    for entry in entries:
        default = f"`{entry.default}`" if entry.default else "-"
        kind = ", ".join(f"`{choice}`" for choice in entry.choices) or entry.kind
        lines.append(f"| `{entry.name}` | {kind} | {default} | {entry.meaning} |")
    return "\n".join([*lines, ""])


def _command_section(name: str, line: str) -> str:
    every = parser_of(name)._actions  # noqa: SLF001  argparse has no other way to list them
    actions = [action for action in every if not set(_EVERYWHERE) & set(action.option_strings)]
    lines = [f"## `contact-stream {name}`", "", line]
    if actions:
        lines += ["", "| argument | says |", "|---|---|"]
        lines += [f"| {_shown(action)} | {_sentence(action)} |" for action in actions]
    return "\n".join([*lines, ""])


def _shown(action: argparse.Action) -> str:
    flags = ", ".join(f"`{flag}`" for flag in action.option_strings)
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    choices = " or ".join(f"`{choice}`" for choice in action.choices or ())
    if not flags:
        return choices or f"`{metavar}`"
    return flags if action.nargs == 0 else f"{flags} {choices or metavar}"


def _sentence(action: argparse.Action) -> str:
    return " ".join((action.help or "").replace("%%", "%").replace("|", "\\|").split())
