"""The policy file: TOML to a `Policy`, every problem with its line, and the hash of what it says."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path

import orjson

from stream.core.policy import Policy
from stream.core.policy_reader import PolicyError, Problem, read_policy
from stream.core.trouble import Trouble


def load_policy(path: Path) -> Policy:
    """The policy in a file.

    Raises:
        Trouble: it cannot be read, is not TOML, or says what a policy cannot say; all problems, each with its line.
    """
    attempted = f'cannot use the policy file "{path}"'
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError as problem:
        raise Trouble(attempted, problem.strerror or "cannot be read", "give a file that exists", exit_code=2) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise Trouble(attempted, str(problem), "it must be TOML", exit_code=2) from None
    try:
        return read_policy(tables)
    except PolicyError as wrong:
        lines = [f"line {line_of(text, p)}: {'.'.join(p.path) or 'the file'} {p.message}" for p in wrong.problems]
        raise Trouble(attempted, "; ".join(lines), "see the shipped defaults and README, Policy", exit_code=2) from None


def line_of(text: str, problem: Problem) -> int:
    """The line (from 1) where the deepest part of the problem's path stands; 1 if none does."""
    found, start = 1, 0
    lines = text.splitlines()
    for depth, name in enumerate(problem.path):
        header = re.compile(rf"\s*\[+\s*{_dotted(problem.path[: depth + 1])}\s*[\].]")
        setting = re.compile(rf'(?:^|[{{,\s])"?{re.escape(name)}"?\s*=')
        for number in range(start, len(lines)):
            if header.match(lines[number]) or setting.search(lines[number]):
                found, start = number + 1, number
                break
    return found


def _dotted(path: tuple[str, ...]) -> str:
    return r"\s*\.\s*".join(f'"?{re.escape(name)}"?' for name in path)


def policy_hash(policy: Policy) -> str:
    """Twelve hex digits of SHA-256 over the canonical form: sorted keys, every default written out."""
    return hashlib.sha256(canonical(policy)).hexdigest()[:12]


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
