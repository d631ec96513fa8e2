"""`contact-stream COMMAND …`: finds the command's module, reads options and settings, runs it.

A command is a module of this package with `add_arguments(parser)` and `run(options, settings)`; its docstring's first
line is its help. Only the module of the command that was called is imported, so `--help` is quick and a command needs
only its own libraries. Nothing is read when this module is imported.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import pkgutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

import stream.cli
from stream.cli.errors import guarded
from stream.cli.properties import read_properties
from stream.cli.settings import Settings, add_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EPILOG: Final = "Exit codes: 0 done, 1 failed, 2 usage, 3 stopped early and resumable. Settings: see README, Settings."


class Command(Protocol):
    """What the module of a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's own options."""

    def run(self, options: argparse.Namespace, settings: Settings) -> int:
        """Do it and return the exit code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit code.

    Args:
        arguments: as typed after `contact-stream`; None = those of the process.
    """
    return guarded(lambda: _run(arguments, os.environ))


def command_names() -> dict[str, str]:
    """Return every command and its help line, without importing any of them."""
    found = {}
    for module in pkgutil.iter_modules(stream.cli.__path__):
        source = (Path(stream.cli.__path__[0]) / f"{module.name}.py").read_text(encoding="utf-8")
        tree = ast.parse(source)
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        if {"add_arguments", "run"} <= functions:
            found[module.name] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def parser_of(name: str) -> argparse.ArgumentParser:
    """Import a command and return the parser of its options."""
    return _parser_with(name, load(name))


def load(name: str) -> Command:
    """Import the module of a command."""
    return cast("Command", importlib.import_module(f"stream.cli.{name}"))


def _run(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> int:
    names = command_names()
    parser = argparse.ArgumentParser(
        prog="contact-stream",
        description="Contact-centre figures from Kafka events, exact while they happen.",
        epilog="Commands:\n" + "\n".join(f"  {name:<10} {text}" for name, text in names.items()) + f"\n\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"contact-stream {version('contact-stream')}")
    parser.add_argument("command", choices=sorted(names), metavar="COMMAND", help="one of those below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="…", help="see contact-stream COMMAND --help")
    called = parser.parse_args(arguments)
    command = load(called.command)
    options = _parser_with(called.command, command).parse_args(called.rest)
    properties = read_properties(options.command_config) if options.command_config else {}
    return command.run(options, Settings(vars(options), environment, properties))


def _parser_with(name: str, command: Command) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"contact-stream {name}", description=command_names()[name], epilog=_EPILOG, allow_abbrev=False
    )
    add_option(parser, "KAFKA_BOOTSTRAP_SERVERS", "-b", "--bootstrap-server")
    parser.add_argument(
        "--command-config", type=Path, metavar="FILE", help="properties file as Kafka's own tools take it"
    )
    command.add_arguments(parser)
    return parser
