"""The policy file: TOML to a `Policy`, every problem with its line, and the hash of what it says.

The only other file read is the calendar of holidays that a policy file names.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
import orjson

from stream.core.policies.reader import read_policy
from stream.core.policies.tables import PolicyError, Problem
from stream.core.policy import Policy
from stream.core.trouble import Trouble
from stream.wire.holidays import take_files
from stream.wire.toml_lines import key_lines


class Finding(NamedTuple):
    """What is wrong with a policy file, and where."""

    line: int  # from 1
    key: str  # queues.billing.target_ms; empty = the file
    message: str

    def __str__(self) -> str:
        """As people read it."""
        return f"line {self.line}: {self.key or 'the file'} {self.message}"


def load_policy(path: Path) -> Policy:
    """The policy in a file.

    Raises:
        Trouble: it cannot be read, is not TOML, or says what a policy cannot say; all problems, each with its line.
    """
    policy = examine(path)
    if isinstance(policy, Policy):
        return policy
    hint = "contact-stream policy show prints every key with its default"
    raise Trouble(_attempted(path), "; ".join(map(str, policy)), hint, exit_code=2)


def examine(path: Path) -> Policy | list[Finding]:
    """The policy in a file, or everything that is wrong with it, in the order of the file.

    Raises:
        Trouble: the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        detail = problem.strerror or "cannot be read"
        raise Trouble(_attempted(path), detail, "give a file that exists", exit_code=2) from None
    try:
        text = content.decode("utf-8-sig")
        tables = tomllib.loads(text)
    except UnicodeDecodeError as wrong:
        return [Finding(content.count(b"\n", 0, wrong.start) + 1, "", "is not UTF-8")]
    except tomllib.TOMLDecodeError as wrong:
        return [Finding(_line_said(str(wrong), text), "", f"is not TOML: {wrong}")]
    problems = take_files(tables, path.parent)
    try:
        policy = read_policy(tables)
    except PolicyError as wrong:
        problems += wrong.problems
    if not problems:
        return policy
    lines = key_lines(text)
    return sorted(Finding(_line_of(lines, p), ".".join(p.path), p.message) for p in problems)


def _attempted(path: Path) -> str:
    return f'cannot use the policy file "{path}"'


def _line_said(message: str, text: str) -> int:
    """The line in a message of `tomllib`, which also says `at end of document`."""
    said = re.search(r"line (\d+)", message)
    return int(said[1]) if said else len(text.splitlines()) or 1


def _line_of(lines: Mapping[tuple[str, ...], int], problem: Problem) -> int:
    """The line where the deepest part of the problem's path stands; 1 if none does."""
    paths = (problem.path[:length] for length in range(len(problem.path), 0, -1))
    return next((lines[path] for path in paths if path in lines), 1)


def policy_hash(policy: Policy) -> str:
    """Twelve hex digits of SHA-256 over the canonical form: sorted keys, every default written out."""
    return hashlib.sha256(canonical(policy)).hexdigest()[:12]


def write_policy(policy: Policy) -> str:
    """The canonical form as text; `read_policy_text` gives the same policy again."""
    return canonical(policy).decode()


def read_policy_text(text: str) -> Policy:
    """The policy of `write_policy`; what a later version of the program added has its default."""
    return msgspec.json.decode(text, type=Policy)


def canonical(policy: Policy) -> bytes:
    """The policy as JSON with sorted keys and every default."""
    return orjson.dumps(_plain(policy), option=orjson.OPT_SORT_KEYS)


def _plain(value: object) -> object:
    if isinstance(value, Policy):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return sorted(value) if isinstance(value, frozenset) else value
