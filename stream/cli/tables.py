"""Columns of text for people, and one-line warnings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = "  "


class Right(str):
    """Text that stands to the right, as numbers do."""

    __slots__ = ()


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Rows under their titles, as wide as they need; numbers stand to the right, empty or not. Nothing for no rows."""
    cells = [["" if cell is None else cell for cell in row] for row in rows]
    if not cells:
        return []
    texts = [[f"{cell:,}" if isinstance(cell, int | float) else str(cell) for cell in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(titles, *texts, strict=True)]
    right = [
        any(isinstance(row[i], int | float | Right) for row in cells)
        and all(isinstance(row[i], int | float | Right) or row[i] == "" for row in cells)
        for i in range(len(titles))
    ]

    def line(parts: Sequence[str]) -> str:
        padded = (
            part.rjust(width) if to_right else part.ljust(width)
            for part, width, to_right in zip(parts, widths, right, strict=True)
        )
        return GAP.join(padded).rstrip()

    return [line(titles), *map(line, texts)]


def indented(lines: Iterable[str]) -> list[str]:
    """Lines that belong to the one before."""
    return [GAP + line for line in lines]


def warn(warnings: Iterable[str]) -> None:
    """Say each on standard error."""
    for warning in warnings:
        print(f"contact-stream: {warning}", file=sys.stderr)
