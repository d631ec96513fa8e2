"""A table of a policy file, read key by key: known keys with a check, the rest reported, nothing raised before the end.

Reads parsed TOML (dicts, lists, numbers, strings, dates); files and the lines of problems are not its business.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import NamedTuple, TypeVar

Table = Mapping[str, object]
T = TypeVar("T")


class Problem(NamedTuple):
    """What is wrong at which key (``queues.billing.target_ms``); members of a list are counted from 1."""

    path: tuple[str, ...]
    message: str


class PolicyError(Exception):
    """What a file says cannot be used; ``problems`` says all that is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep every problem."""
        super().__init__("; ".join(f"{'.'.join(p.path)}: {p.message}" for p in problems))
        self.problems = problems


class TableReader:
    """One table; whatever was not taken by `done` is a problem."""

    def __init__(self, table: object, path: tuple[str, ...], problems: list[Problem]) -> None:
        """Begin to read.

        Args:
            table: what should be one.
            path: where it stands in the file.
            problems: where to add what is wrong.
        """
        self.path = path
        self.problems = problems
        self.left: dict[str, object] = {}
        self._known: list[str] = []
        if isinstance(table, Mapping):
            self.left = dict(table)
        else:
            self.say("expected a table")

    def say(self, message: str, *keys: str) -> None:
        """Report a problem at a key below this table, or at the table itself."""
        self.problems.append(Problem((*self.path, *keys), message))

    def take(self, key: str, default: T, check: Callable[[object], T | None], expected: str) -> T:
        """The checked value of a key; its default where it is absent or wrong."""
        self._known.append(key)
        if key not in self.left:
            return default
        value = self.left.pop(key)
        good = check(value)
        if good is None:
            self.say(f"expected {expected}, got {value!r}", key)
            return default
        return good

    def tables(self, key: str) -> dict[str, "TableReader"]:
        """The tables of a table, by name: ``[queues.X]``."""
        self._known.append(key)
        value = self.left.pop(key, {})
        if not isinstance(value, Mapping):
            self.say("expected a table", key)
            return {}
        return {name: TableReader(table, (*self.path, key, name), self.problems) for name, table in value.items()}

    def table(self, key: str) -> "TableReader":
        """The table of a key; an empty one where it is absent."""
        self._known.append(key)
        return TableReader(self.left.pop(key, {}), (*self.path, key), self.problems)

    def done(self, of: str = "the policy") -> None:
        """Report every key nobody took; ``of`` is what the file is."""
        for key in self.left:
            close = get_close_matches(key, self._known, 1)
            hint = f'; did you mean "{close[0]}"?' if close else ""
            self.say(f"is not a setting of {of}{hint}", key)


def duration(value: object) -> int | None:
    """Milliseconds, 0 or more."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def positive(value: object) -> int | None:
    """Milliseconds above 0."""
    return duration(value) or None


def string(value: object) -> str | None:
    """Any text."""
    return value if isinstance(value, str) else None


def strings(value: object) -> tuple[str, ...] | None:
    """A list of texts, in the order of the file."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def ratio(value: object) -> float | None:
    """A share from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= 1 else None
