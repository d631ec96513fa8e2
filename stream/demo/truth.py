"""The truth of a simulated world: every figure, counted by the world itself while it decides.

Nothing here reads events, and nothing is shared with the program under test: when a simulated caller gives up after
w ms, the caller's account says so here. `Truth` is exact whenever the world stands still, that is between any two
moments of `stream.demo.simulator`, so a run may be cut anywhere. Figures of cases depend on time alone as well (a
window ends), so they are asked for as of a settlement watermark.

Counters are net figures with the keys of the golden scenarios,
`contact_visits_total{channel="voice",queue="billing", outcome="abandoned"}`. A family named in `families` is
complete: a series of it that is absent is 0. Families of durations hold integer ms inside and are shown in seconds.

Source: 2-numbers 2.2 to 2.8, 3-metrics 3.2.
"""

from bisect import bisect_left
from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from stream.demo.casebook import CASE_COUNTERS, CASE_GAUGES, CASE_TIMES, CaseBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BOUNDS_MS: Final = tuple(
    1_000 * seconds for seconds in (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 1_800, 3_600, 7_200)
)
"""Upper bounds of the histograms of calls and chats, inclusive, ms (2.6)."""
HOURS_MS: Final = tuple(3_600_000 * hours for hours in (1, 2, 3, 4, 5, 6, 12, 24, 48, 72, 168))
"""Upper bounds of the histograms of cases, inclusive, ms (2.6)."""

_CHANNEL_QUEUE: Final = ("channel", "queue")

FAMILIES: Final = MappingProxyType(
    {
        "contact_arrivals_total": ("channel", "direction"),
        "contact_visits_entered_total": _CHANNEL_QUEUE,
        "contact_visits_total": ("channel", "queue", "outcome"),
        "contact_answered_in_target_total": _CHANNEL_QUEUE,
        "contact_abandoned_in_target_total": _CHANNEL_QUEUE,
        "contact_steps_total": ("step", "outcome"),
        "contact_contacts_total": ("channel", "outcome"),
        "contact_transfers_total": ("channel", "queue", "kind"),
        "contact_escalations_total": _CHANNEL_QUEUE,
        "contact_ended_on_hold_total": _CHANNEL_QUEUE,
        "contact_agent_dropped_total": _CHANNEL_QUEUE,
        "contact_handled_total": _CHANNEL_QUEUE,
        "contact_talk_seconds_total": _CHANNEL_QUEUE,
        "contact_hold_seconds_total": _CHANNEL_QUEUE,
        "contact_wrapup_seconds_total": _CHANNEL_QUEUE,
        "contact_responses_in_target_total": _CHANNEL_QUEUE,
        "contact_resolutions_total": ("channel", "confirmed"),
        "contact_stream_quality_total": ("kind",),
    }
)
"""Counters of contacts the truth is complete in, with their labels in order."""

HISTOGRAMS: Final = MappingProxyType(
    {
        "contact_wait_seconds": ("channel", "queue", "outcome"),
        "contact_handle_seconds": _CHANNEL_QUEUE,
        "contact_first_response_seconds": _CHANNEL_QUEUE,
        "contact_next_response_seconds": _CHANNEL_QUEUE,
    }
)
"""Histograms the truth is complete in: `_count`, `_sum` and cumulative `_bucket` series."""

GAUGES: Final = MappingProxyType({"contact_queue_waiting": _CHANNEL_QUEUE, "contact_unanswered": _CHANNEL_QUEUE})
"""Gauges of contacts the truth is complete in, as of the moment it is asked."""

_COUNTED: Final = {**FAMILIES, **CASE_COUNTERS}
_MEASURED: Final = {**HISTOGRAMS, **CASE_TIMES}
_NOW: Final = {**GAUGES, **CASE_GAUGES}

Key = tuple[str, ...]


class Book:
    """Figures by family and label values: counts, and durations in buckets."""

    __slots__ = ("_histograms", "_sums", "counts")

    def __init__(self, counts: "Counter[Key] | None" = None) -> None:
        """Begin with `counts`, or with nothing."""
        self.counts: Counter[Key] = Counter() if counts is None else counts
        self._sums: Counter[Key] = Counter()
        self._histograms: dict[Key, list[int]] = {}

    def observe(self, key: Key, ms: int, by: int = 1) -> None:
        """Book one duration to a histogram; `by=-1` takes it back."""
        bounds = bounds_ms(key[0])
        buckets = self._histograms.setdefault(key, [0] * (len(bounds) + 1))
        buckets[bisect_left(bounds, ms)] += by
        self._sums[key] += by * ms

    def count(self, family: str, position: int, label: str) -> int:
        """Return how many durations a histogram holds in series whose label at `position` is `label`."""
        return sum(
            sum(buckets) for key, buckets in self._histograms.items() if key[0] == family and key[1 + position] == label
        )

    def raw(self) -> dict[tuple[Any, ...], int]:
        """Return every figure as booked; a histogram has one entry for each bucket for itself, and one by `"sum"`."""
        figures: dict[tuple[Any, ...], int] = dict(self.counts)
        for key, buckets in self._histograms.items():
            figures |= {(*key, index): number for index, number in enumerate(buckets)}
            figures[(*key, "sum")] = self._sums[key]
        return figures

    def counters(self) -> "Iterator[tuple[str, float]]":
        """Every nonzero net figure by its series name; durations in seconds."""
        for (family, *values), value in self.counts.items():
            if value and family in _COUNTED:
                yield series(family, _COUNTED[family], values), _seconds(value) if _timed(family) else value
        yield from self._spread()

    def gauges(self) -> "Iterator[tuple[str, int]]":
        """Every nonzero gauge by its series name."""
        for (family, *values), value in self.counts.items():
            if value and family in _NOW:
                yield series(family, _NOW[family], values), value

    def _spread(self) -> "Iterator[tuple[str, float]]":
        for (family, *values), buckets in self._histograms.items():
            count = sum(buckets)
            if not count:
                continue
            labels, bounds = _MEASURED[family], bounds_ms(family)
            yield series(f"{family}_count", labels, values), count
            yield series(f"{family}_sum", labels, values), _seconds(self._sums[(family, *values)])
            reached = 0
            for index, number in enumerate(buckets):
                reached += number
                bound = f"{bounds[index] / 1000}" if index < len(bounds) else "+Inf"
                if reached:
                    yield series(f"{family}_bucket", (*labels, "le"), (*values, bound)), reached


class Truth:
    """What has happened so far, as figures.

    Attributes:
        cases: everything anybody has wanted.
    """

    __slots__ = ("_book", "cases")

    def __init__(self) -> None:
        """Nothing has happened."""
        self._book = Book()
        self.cases = CaseBook()

    def add(self, family: str, *values: str, by: int = 1) -> None:
        """Book `by` (a count, or ms where the family is a duration) to one series; a fall is negative."""
        self._book.counts[(family, *values)] += by

    def observe(self, family: str, *values: str, ms: int, by: int = 1) -> None:
        """Book one duration of `ms` to a histogram; `by=-1` takes it back."""
        self._book.observe((family, *values), ms, by)

    def get(self, family: str, *values: str) -> int:
        """Return one series' value (a count, or ms); 0 when it was never booked."""
        return self._book.counts[(family, *values)]

    def total(self, family: str) -> int:
        """Return the sum over every series of one counter or gauge of contacts (a count, or ms)."""
        return sum(value for key, value in self._book.counts.items() if key[0] == family)

    def by_label(self, family: str, position: int) -> Counter[str]:
        """Return a counter's sums by the label at `position` of its labels."""
        sums: Counter[str] = Counter()
        for key, value in self._book.counts.items():
            if key[0] == family:
                sums[key[1 + position]] += value
        return sums

    def count(self, family: str, position: int, label: str) -> int:
        """Return how many durations a histogram holds in series whose label at `position` is `label`."""
        return self._book.count(family, position, label)

    def of_cases(self, at: int) -> Book:
        """Return the figures of cases as of a settlement watermark (ms since the epoch)."""
        counts, times = self.cases.figures(at)
        book = Book(counts)
        for key, ms in times:
            book.observe(key, ms)
        return book

    def raw(self, at: int | None = None) -> dict[tuple[Any, ...], int]:
        """Return every figure as booked: by family and label values, durations in ms.

        Args:
            at: settlement watermark, ms since the epoch; None = without the figures of cases.

        Returns:
            Histograms have one entry for each bucket, by its index and for itself alone, and one by `"sum"`.
        """
        return self._book.raw() | ({} if at is None else self.of_cases(at).raw())

    def counters(self, at: int | None = None) -> dict[str, float]:
        """Return every nonzero net figure by its series name, sorted; durations in seconds, exact to the ms."""
        return _sorted(book.counters() for book in self._books(at))

    def gauges(self, at: int | None = None) -> dict[str, float]:
        """Return every nonzero gauge as of now by its series name, sorted."""
        return _sorted(book.gauges() for book in self._books(at))

    def _books(self, at: int | None) -> list[Book]:
        return [self._book] if at is None else [self._book, self.of_cases(at)]


def families(*, cases: bool = True) -> list[str]:
    """Return the names of every complete family as `Truth.counters` and `Truth.gauges` spell them."""
    plain = (*_COUNTED, *_NOW) if cases else (*FAMILIES, *GAUGES)
    measured = _MEASURED if cases else HISTOGRAMS
    return sorted((*plain, *(f"{name}_{part}" for name in measured for part in ("bucket", "count", "sum"))))


def labels_of(*, cases: bool = True) -> dict[str, tuple[str, ...]]:
    """Return the labels, in order, of every name that `families` returns."""
    plain = {**_COUNTED, **_NOW} if cases else {**FAMILIES, **GAUGES}
    measured = _MEASURED if cases else HISTOGRAMS
    spread = {f"{name}_{part}": labels for name, labels in measured.items() for part in ("count", "sum")}
    return {**plain, **spread, **{f"{name}_bucket": (*labels, "le") for name, labels in measured.items()}}


def bounds_ms(family: str) -> tuple[int, ...]:
    """Return the upper bounds of a histogram's buckets, ms, inclusive, +Inf left out."""
    return HOURS_MS if family in CASE_TIMES else BOUNDS_MS


def series(family: str, labels: "tuple[str, ...]", values: "list[str] | tuple[str, ...]") -> str:
    """Return a series name as the exposition writes it, labels in the given order."""
    inside = ",".join(f'{label}="{value}"' for label, value in zip(labels, values, strict=True))
    return f"{family}{{{inside}}}"


def _sorted(books: "Iterable[Iterable[tuple[str, float]]]") -> dict[str, float]:
    return dict(sorted(entry for entries in books for entry in entries))


def _timed(family: str) -> bool:
    return family.endswith("_seconds_total")


def _seconds(ms: int) -> float:
    return ms // 1000 if ms % 1000 == 0 else ms / 1000
