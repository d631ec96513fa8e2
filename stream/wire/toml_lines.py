"""The line on which each key of a TOML file stands, so that a problem can be told with its place.

`tomllib` says what a file says, not where. This looks only at the marks of a text that `tomllib` has read already:

    [queues.billing]                 ("queues",) and ("queues", "billing")
    hours = [{ week = {} }]          (…, "hours"), (…, "hours", "1"), (…, "hours", "1", "week")

Members of a list are counted from 1. Never in this module: a value, or a judgement of one.
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

Path = tuple[str, ...]

_TOKEN: Final = re.compile(
    r"""
      [ \t\r]+ | \#[^\n]*                                               # nothing
    | (?P<text>  \"{3} (?:\\.|[^\\])*? \"{3,5} | '{3} .*? '{3,5}
               | \" (?:\\.|[^"\\\n])* \" | ' [^'\n]* ' )
    | (?P<mark>  [\[\]{}=,.\n] )
    | (?P<bare>  [^\s\[\]{}=,."'\#]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_END: Final = ("", "", 0)


def key_lines(text: str) -> dict[Path, int]:
    """Where each key and each member of a list stands.

    Args:
        text: a TOML document that `tomllib` accepts.

    Returns:
        The path of the key -> the line (from 1) of its first mention.
    """
    return _Walk(text).lines


class _Walk:
    """One walk over the tokens of a document: (kind, text, line)."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._lists: dict[Path, int] = {}  # [[path]] -> how many so far
        self._tokens: list[tuple[str, str, int]] = []
        line = 1
        for match in _TOKEN.finditer(text):
            if match.lastgroup is not None:
                self._tokens.append((match.lastgroup, match[0], line))
            line += match[0].count("\n")
        self._place = 0
        table: Path = ()
        while self._next() != _END:
            if self._is("\n"):
                self._place += 1
            elif self._is("["):
                table = self._header()
            else:
                self._setting(table)

    def _next(self) -> tuple[str, str, int]:
        return self._tokens[self._place] if self._place < len(self._tokens) else _END

    def _is(self, mark: str) -> bool:
        return self._next()[:2] == ("mark", mark)

    def _skip(self, *marks: str) -> None:
        while any(self._is(mark) for mark in marks):
            self._place += 1

    def _key(self, table: Path) -> Path:
        """A key with its dots, below a table; notes where each part stands."""
        path = table
        while self._next()[0] in {"text", "bare"} or self._is("."):
            kind, name, line = self._next()
            if kind != "mark":
                path = (*path, tomllib.loads(f"name = {name}")["name"] if kind == "text" else name)
                self.lines.setdefault(path, line)
                path = self._member(path)
            self._place += 1
        return path

    def _member(self, path: Path) -> Path:
        """The newest member of a list of tables; any other path as it is."""
        return (*path, str(self._lists[path])) if path in self._lists else path

    def _header(self) -> Path:
        line, begin = self._next()[2], self._place
        self._skip("[")
        doubled = self._place - begin > 1
        table = self._key(())
        self._skip("]")
        if not doubled:
            return table
        listed = table[:-1] if table[:-1] in self._lists else table
        self._lists[listed] = self._lists.get(listed, 0) + 1
        self.lines.setdefault(self._member(listed), line)
        return self._member(listed)

    def _setting(self, table: Path) -> None:
        path = self._key(table)
        self._skip("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._is("{"):
            self._place += 1
            self._skip("\n", ",")
            while not self._is("}") and self._next() != _END:
                self._setting(path)
                self._skip("\n", ",")
            self._place += 1
        elif self._is("["):
            self._list(path)
        else:
            self._place += 1
            while self._next() != _END and not any(self._is(mark) for mark in ",]}\n"):
                self._place += 1

    def _list(self, path: Path) -> None:
        self._place += 1
        self._skip("\n", ",")
        number = 0
        while not self._is("]") and self._next() != _END:
            number += 1
            self.lines.setdefault((*path, str(number)), self._next()[2])
            self._value((*path, str(number)))
            self._skip("\n", ",")
        self._place += 1
