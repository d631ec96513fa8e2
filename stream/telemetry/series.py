"""One labelled series and its exposition lines, kept from scrape to scrape.

The client library's writer needs 300 to 500 ms for 40,000 lines, nearly all of it spent on sorting and escaping
labels that never change (bench/scrape.py). Here the text around a value is made once per series, and a line only
when its value has changed; the tests hold the result byte for byte against the client library's own.

Never in this module: headers, threads; a series does not know who shows it.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stream.telemetry.catalogue import Exposed
    from stream.telemetry.figures import StateKey

Sample = tuple[str, dict[str, str], float]
"""Series name, labels, value: as the client library wants it."""

NOTHING: Final = (0, 0)
_go: Callable[[float], str] = floatToGoString
_PLAIN_BELOW: Final = 1_000_000
"""From seven digits on Go, and so the client library, writes an exponent."""


def number(value: float) -> str:
    """The value as the client library writes it, quickly where it is a small count."""
    if type(value) is int and 0 <= value < _PLAIN_BELOW:
        return f"{value}.0"
    return _go(value)


@lru_cache(4096)
def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


class Shape:
    """What the series of one family in one shard have in common."""

    def __init__(self, entries: Sequence[Exposed], place: Mapping[str, str]) -> None:
        """Prepare the text around the label values.

        Args:
            entries: the total and, if the family has one, its twin.
            place: values of the labels the exposition adds, `stage` and `partition`.
        """
        self.entries = tuple(entries)
        self.family = entries[0].family
        self.divisor = 1000 if self.family.unit == "seconds" else 1
        added = entries[0].labels[len(self.family.labels) :]
        self.place = {label: place[label] for label in added}
        values = {label: f"{{{index}}}" for index, label in enumerate(self.family.labels)} | self.place
        if self.family.kind == "histogram":
            name = entries[0].name
            bucket = _template(f"{name}_bucket", values | {"le": "\0"}).split("\0")
            self.templates = (*bucket, _template(f"{name}_count", values), _template(f"{name}_sum", values))
        else:
            self.templates = tuple(_template(entry.name, values) for entry in entries)

    def texts(self, key: StateKey) -> list[str]:
        """The texts before the values (of a histogram: before and after `le`, before the count, before the sum)."""
        values = [_escape(value) for value in key[1 : 1 + len(self.family.labels)]]
        return [template.format(*values) for template in self.templates]

    def labels(self, key: StateKey) -> dict[str, str]:
        """The labels of one series by name."""
        return dict(zip(self.family.labels, key[1:], strict=False)) | self.place


def _template(name: str, values: Mapping[str, str]) -> str:
    """A line up to its value: name, labels sorted by name, a space; `{0}` stands for the first label value."""
    pairs = ",".join(f'{label}="{values[label]}"' for label in sorted(values))
    return f"{name}{{{{{pairs}}}}} " if pairs else f"{name} "


class CounterSeries:
    """A counter and, where its family has one, its twin."""

    __slots__ = ("_pair", "_shape", "_starts", "key", "texts")

    def __init__(self, shape: Shape, key: StateKey) -> None:
        """A series without text: `refresh` writes it."""
        self.key = key
        self._shape = shape
        self._starts = shape.texts(key)
        self._pair: tuple[int, int] = NOTHING
        self.texts = [""] * len(self._starts)

    def refresh(self, figures: Mapping[StateKey, tuple[int, int]]) -> None:
        """Take the value of `figures`; a series without one keeps its last."""
        before = self._pair
        pair = figures.get(self.key, before)
        unwritten = not self.texts[0]
        if pair == before and not unwritten:
            return
        self._pair = pair
        divisor = self._shape.divisor
        for place, start in enumerate(self._starts):
            value = pair[place]
            if unwritten or value != before[place]:
                self.texts[place] = f"{start}{number(value if divisor == 1 else value / divisor)}\n"

    def samples(self, place: int) -> Iterator[Sample]:
        """The sample of the total (place 0) or of the twin (place 1)."""
        value = self._pair[place] / self._shape.divisor
        yield self._shape.entries[place].name, self._shape.labels(self.key), value


class HistogramSeries:
    """A histogram: the state counts each bucket for itself, the exposition adds them up."""

    __slots__ = ("_counts", "_keys", "_shape", "_starts", "_upper", "key", "texts")

    def __init__(self, shape: Shape, key: StateKey, upper: tuple[str, ...]) -> None:
        """A series without text: `refresh` writes it; `upper` are the values of `le`, +Inf included."""
        self.key = key
        self._shape = shape
        self._upper = upper
        self._starts = shape.texts(key)
        self._keys = [(*key, bucket) for bucket in (*range(len(upper)), "sum")]
        self._counts = [0] * len(self._keys)
        self.texts = [""]

    def refresh(self, figures: Mapping[StateKey, tuple[int, int]]) -> None:
        """Take the totals of `figures`: nothing is ever taken back from a histogram."""
        counts = [figures.get(key, NOTHING)[0] for key in self._keys]
        if counts != self._counts or not self.texts[0]:
            self._counts = counts
            self.texts[0] = self._written()

    def _written(self) -> str:
        before, after, count, total = self._starts
        cumulative = list(accumulate(self._counts[:-1]))
        lines = [
            f"{before}{upper}{after}{number(value)}\n" for upper, value in zip(self._upper, cumulative, strict=True)
        ]
        lines.append(f"{count}{number(cumulative[-1])}\n{total}{number(self._counts[-1] / 1000)}\n")
        return "".join(lines)

    def samples(self, place: int) -> Iterator[Sample]:
        """Cumulative buckets, count, and sum in seconds; `place` is always 0."""
        del place
        name, labels = self._shape.entries[0].name, self._shape.labels(self.key)
        cumulative = list(accumulate(self._counts[:-1]))
        for upper, value in zip(self._upper, cumulative, strict=True):
            yield f"{name}_bucket", {**labels, "le": upper}, float(value)
        yield f"{name}_count", labels, float(cumulative[-1])
        yield f"{name}_sum", labels, self._counts[-1] / 1000


class GaugeSeries:
    """A gauge or an info; 0 while nothing is open, absent then if it is a timestamp or of a day or age."""

    __slots__ = ("_nothing", "_shape", "_start", "_value", "key", "texts")

    def __init__(self, shape: Shape, key: StateKey) -> None:
        """A series of which nothing is open."""
        self.key = key
        self._shape = shape
        (self._start,) = shape.texts(key)
        self._nothing = None if shape.family.timestamp or shape.family.rolling else 0
        self._value: float | None = self._nothing
        self.texts = ["" if self._value is None else f"{self._start}0.0\n"]

    def refresh(self, figures: Mapping[StateKey, float]) -> None:
        """Take the value of `figures`, or what stands for nothing open."""
        value = figures.get(self.key, self._nothing)
        if value is not None and self._shape.divisor != 1:
            value /= self._shape.divisor
        if value != self._value:
            self._value = value
            self.texts[0] = "" if value is None else f"{self._start}{number(value)}\n"

    def samples(self, place: int) -> Iterator[Sample]:
        """One sample, or none; `place` is always 0."""
        del place
        if self._value is not None:
            yield self._shape.entries[0].name, self._shape.labels(self.key), float(self._value)


class TallySeries:
    """A gauge that the state keeps as what it rose and what it fell; shown is what is left, without a twin."""

    __slots__ = ("_gauge", "key")

    def __init__(self, shape: Shape, key: StateKey) -> None:
        """Nothing is left of it yet."""
        self.key = key
        self._gauge = GaugeSeries(shape, key)

    @property
    def texts(self) -> list[str]:
        """Its one line."""
        return self._gauge.texts

    def refresh(self, figures: Mapping[StateKey, tuple[int, int]]) -> None:
        """Take the rise less the fall of `figures`."""
        rise, fall = figures.get(self.key, NOTHING)
        self._gauge.refresh({self.key: rise - fall})

    def samples(self, place: int) -> Iterator[Sample]:
        """One sample; `place` is always 0."""
        yield from self._gauge.samples(place)


Series = CounterSeries | HistogramSeries | GaugeSeries | TallySeries


def upper_bounds(bounds_ms: Sequence[int]) -> tuple[str, ...]:
    """The values of `le` for bounds in ms: seconds as floats, then +Inf."""
    return (*(_go(bound / 1000) for bound in bounds_ms), "+Inf")
