"""Style as a test, without an allow-list: sizes, words, names, documentation, who may read the environment."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("stream", "tests", "bench")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)
OURS = [path for path in FILES if path.is_relative_to(ROOT / "stream")]

MAX_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_ARGUMENTS = 5
# Written in halves, because this file is read like every other.
UNFINISHED = re.compile("TO" + "DO|FIX" + "ME|XX" + "X|NotImplemented" + "Error|place" + "holder")
PRETENDING = re.compile(r"unittest\.mo" + r"ck|Magic" + r"Mock|\bmo" + r"cker\b")
SILENCE = r"#\s*(?:noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*|type: ignore\[[a-z0-9, -]+\])"
EXPLAINED = re.compile(rf"{SILENCE}[\s#-]+(?!noqa|type:)\w")
SILENCED = re.compile(r"#\s*(?:noqa|type:\s*ignore)")
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "base", "manager", "common", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a file parsed."""
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path, line: int) -> str:
    """Return `file:line` as editors take it."""
    return f"{path.relative_to(ROOT)}:{line}"


def functions(path: Path) -> list[Function]:
    """Return every function and method of a file, nested ones included."""
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, Function)]


def lines(path: Path) -> list[str]:
    """Return the lines of a file."""
    return path.read_text(encoding="utf-8").splitlines()


def check_none(found: list[str]) -> None:
    """Check that nothing was found; the message lists what was."""
    assert not found, "\n".join(found)


def test_files_are_short() -> None:
    """Four hundred lines at most."""
    check_none([f"{place(path, 1)} has {len(lines(path))} lines" for path in FILES if len(lines(path)) > MAX_LINES])


def test_functions_are_short() -> None:
    """Sixty lines at most, docstring included."""
    sizes = [(path, node, (node.end_lineno or 0) - node.lineno + 1) for path in FILES for node in functions(path)]
    check_none([f"{place(p, n.lineno)} {n.name} has {size} lines" for p, n, size in sizes if size > MAX_FUNCTION_LINES])


def test_functions_take_few_arguments() -> None:
    """Five at most, `self` aside; then a value object."""
    found = []
    for path in FILES:
        for node in functions(path):
            named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = len([argument for argument in named if argument.arg not in {"self", "cls"}])
            if count > MAX_ARGUMENTS:
                found.append(f"{place(path, node.lineno)} {node.name} takes {count}")
    check_none(found)


@pytest.mark.parametrize("words", [UNFINISHED, PRETENDING], ids=["unfinished", "pretending"])
def test_no_forbidden_word_stands_in_the_code(words: re.Pattern[str]) -> None:
    """Nothing is left for later, and nothing real is replaced by something that only pretends."""
    check_none(
        [
            f"{place(path, number)} {line.strip()}"
            for path in FILES
            for number, line in enumerate(lines(path), 1)
            if words.search(line)
        ]
    )


def test_a_silenced_check_says_which_and_why() -> None:
    """Rule and reason stand on the line."""
    check_none(
        [
            f"{place(path, number)} {line.strip()}"
            for path in FILES
            if path != Path(__file__)
            for number, line in enumerate(lines(path), 1)
            if SILENCED.search(line) and not EXPLAINED.search(line)
        ]
    )


def test_names_say_what_a_module_is() -> None:
    """No room is called after nothing in particular."""
    check_none([place(path, 1) for path in FILES if VAGUE_NAMES & {path.stem, *path.relative_to(ROOT).parts}])


def test_everything_public_is_documented() -> None:
    """Modules, classes, functions and methods of the product whose names do not begin with an underscore."""
    found = []
    for path in OURS:
        tree = tree_of(path)
        if ast.get_docstring(tree) is None:
            found.append(place(path, 1))
        owners: list[ast.Module | ast.ClassDef] = [tree]
        owners += [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
        for owner in owners:
            found += [
                f"{place(path, node.lineno)} {node.name}"
                for node in owner.body
                if isinstance(node, Function | ast.ClassDef)
                and not node.name.startswith("_")
                and ast.get_docstring(node) is None
            ]
    check_none(found)


def test_only_the_command_line_reads_the_environment() -> None:
    """Everybody else is given frozen values."""
    check_none(
        [
            f"{place(path, node.lineno)} {node.attr}"
            for path in OURS
            if not path.is_relative_to(ROOT / "stream" / "cli")
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
        ]
    )


def test_a_skipped_test_says_why() -> None:
    """`pytest.skip` and the skip marks carry a reason."""
    found = []
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"pytest.skip", "pytest.mark.skip"}:
                found += [] if node.args or node.keywords else [place(path, node.lineno)]
    check_none(found)


def test_every_test_can_fail() -> None:
    """Each asserts, expects an exception, or calls something named check or expect."""
    speaks = re.compile(r"\bassert\b|raises|check|expect")
    check_none(
        [
            f"{place(path, node.lineno)} {node.name}"
            for path in FILES
            for node in functions(path)
            if node.name.startswith("test_") and not speaks.search(ast.unparse(node))
        ]
    )


def test_nothing_names_a_private_place() -> None:
    """No address of a registry of one's own, no credentials, no path of somebody's machine in any file of ours."""
    private = re.compile(
        r"https?://[^/\s]*@|https?://(?:\d+\.){3}\d+[:/].*(?:simple|registry)|/(?:work|root|home/\w+)/"
    )
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607  git is wherever git is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    found = []
    for name in names:
        path = ROOT / name
        if path == Path(__file__) or path.suffix in {".gz", ".png", ".jar", ".bin"} or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{name}: {match[0]}" for match in private.finditer(text)]
    check_none(found)


def test_the_lock_takes_packages_from_one_public_index() -> None:
    """Every package has hashes, and all come from the same place over https, without credentials or ports."""
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    indexes = set(re.findall(r'registry = "([^"]+)"', lock))
    assert len(indexes) == 1
    hosts = {re.sub(r"^(https://[^/]+)/.*", r"\1", url) for url in re.findall(r'url = "([^"]+)"', lock)} | indexes
    assert all(re.match(r"https://[a-z.]+(?:/simple)?$", host) for host in hosts), hosts
    assert lock.count("url = ") == lock.count("hash = ")
