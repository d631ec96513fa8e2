"""Reads the metrics pages of several workers as one centre.

A series that carries `partition` belongs to a shard, so it is summed over partitions; should two workers show the
same shard while it moves, the newer page of the two counts more and is taken. Figures are net: total less
retracted; of points in time the earliest is the centre's. Never in this module: the truth.

Source: 3-metrics 3.1.
"""

import http.client
import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

Labels = tuple[tuple[str, str], ...]
"""Label names and values, sorted by name."""

_SERIES: Final = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_WATERMARK: Final = "contact_stream_watermark_seconds"
_SINCE: Final = "_timestamp_seconds"
_OF_A_SHARD: Final = frozenset(("partition", "stage"))
_TIMEOUT_S: Final = 2.0
_SERIES_KEPT: Final = 200_000  # a page hardly differs from the one before in anything but values


def fetch(port: int, path: str = "/metrics") -> str | None:
    """Return a page of the worker on a loopback port; None when it does not answer, or not with success."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        page = answer.read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return page if answer.status == http.HTTPStatus.OK else None


def parse(page: str) -> dict[tuple[str, Labels], float]:
    """Return every sample of a text exposition by name and labels."""
    samples = {}
    for line in page.splitlines():
        text, _, value = line.rpartition(" ")
        if text and text[0] != "#":
            samples[_key(text)] = float(value)
    return samples


@lru_cache(maxsize=_SERIES_KEPT)
def _key(series: str) -> tuple[str, Labels]:
    found = _SERIES.fullmatch(series)
    if found is None:
        raise ValueError(f"no series: {series!r}")
    return found[1], tuple(sorted(_LABEL.findall(found[2] or "")))


@lru_cache(maxsize=_SERIES_KEPT)
def _of_the_centre(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] not in _OF_A_SHARD)


class Figures:
    """What the whole centre shows.

    Attributes:
        shards: how many partitions are shown by any worker.
    """

    __slots__ = ("_marks", "_sums", "shards")

    def __init__(self, pages: "Iterable[str]") -> None:
        """Put the workers' pages together."""
        shards: dict[tuple[str, Labels], float] = {}
        for page in pages:
            for key, value in parse(page).items():
                shards[key] = max(value, shards.get(key, value))
        self.shards = len({value for _, labels in shards for name, value in labels if name == "partition"})
        self._marks = {
            (place["stage"], place["shard"]): round(value * 1000)
            for (name, labels), value in shards.items()
            if name == _WATERMARK and {"stage", "shard"} <= (place := dict(labels)).keys()
        }
        self._sums: dict[str, dict[Labels, float]] = defaultdict(dict)
        for (name, labels), value in shards.items():
            kept = _of_the_centre(labels)
            known = self._sums[name].get(kept)
            if known is None:
                self._sums[name][kept] = value
            else:
                self._sums[name][kept] = min(known, value) if name.endswith(_SINCE) else known + value

    def watermark(self, stage: int, count: int) -> int | None:
        """Return how far a stage of `count` shards has come, ms since the epoch; None while one is not shown."""
        marks = [mark for (of, _), mark in self._marks.items() if of == str(stage)]
        return min(marks) if len(marks) >= count else None

    def family(self, name: str) -> dict[Labels, float]:
        """Return a family's net value by its labels, as they are on the page (durations in seconds)."""
        sums = dict(self._sums.get(name, {}))
        if name.endswith("_total"):
            twin = self._sums.get(f"{name.removesuffix('_total')}_retracted_total", {})
            for labels, value in twin.items():
                sums[labels] = sums.get(labels, 0.0) - value
        return sums

    def total(self, name: str, **where: str) -> float:
        """Return the net sum over all series of a family that have these label values."""
        wanted = set(where.items())
        return sum(value for labels, value in self.family(name).items() if wanted <= set(labels))
