"""The truth of a simulated world: every figure, counted by the world itself while it decides.

Nothing here reads events, and nothing is shared with the program under test: when a simulated caller gives up after
w ms, the caller's account says so here. `Truth` is exact whenever the world stands still, that is between any two
moments of `simulator.Simulator`, so a run may be cut anywhere. Figures of cases, and of contacts that fall silent,
depend on time alone as well (a window ends), so they are asked for as of a watermark.

Counters are net figures with the keys of the golden scenarios,
`contact_visits_total{channel="voice",queue="billing", outcome="abandoned"}`. A family named in `known` is
complete: a series of it that is absent is 0. Families of durations hold integer ms inside and are shown in seconds.

Source: 2-numbers 2.2 to 2.8, 3-metrics 3.2.
"""

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Any

from stream.demo.truth.casebook import CaseBook
from stream.demo.truth.known import COUNTED, MEASURED, NOW, bounds_ms, is_time, series

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Protocol

    from stream.demo.scenario import Scenario

    class Standing(Protocol):
        """Whose figures follow from how it stands when somebody asks."""

        def stand(self, book: "Book", at: int | None) -> None:
            """Book them as of a watermark (ms); None = nothing has fallen silent or expired."""


Key = tuple[str, ...]


class Book:
    """Figures by family and label values: counts, and durations in buckets."""

    __slots__ = ("_histograms", "_sums", "counts")

    def __init__(self, counts: "Counter[Key] | None" = None) -> None:
        """Begin with `counts`, or with nothing."""
        self.counts: Counter[Key] = Counter() if counts is None else counts
        self._sums: Counter[Key] = Counter()
        self._histograms: dict[Key, list[int]] = {}

    def copy(self) -> "Book":
        """Return another book with the same figures."""
        other = Book(Counter(self.counts))
        other._sums = Counter(self._sums)
        other._histograms = {key: list(buckets) for key, buckets in self._histograms.items()}
        return other

    def add(self, family: str, *values: str, by: int = 1) -> None:
        """Book `by` (a count, or ms where the family is a duration) to one series; a fall is negative."""
        self.counts[(family, *values)] += by

    def since(self, family: str, *values: str, at: int) -> None:
        """Book that something is so since `at`, ms since the epoch; the earliest of all is the figure."""
        key = (family, *values)
        self.counts[key] = min(self.counts.get(key, at), at)

    def observe(self, family: str, *values: str, ms: int, by: int = 1) -> None:
        """Book one duration of `ms` to a histogram; `by=-1` takes it back."""
        key = (family, *values)
        bounds = bounds_ms(family, values[0])
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
        """Every nonzero net figure by its series name."""
        for (family, *values), value in self.counts.items():
            if value and family in COUNTED:
                yield series(family, COUNTED[family], values), _seconds(value) if is_time(family) else value
        yield from self._spread()

    def gauges(self) -> "Iterator[tuple[str, float]]":
        """Every nonzero gauge by its series name."""
        for (family, *values), value in self.counts.items():
            if value and family in NOW:
                yield series(family, NOW[family], values), _seconds(value) if is_time(family) else value

    def _spread(self) -> "Iterator[tuple[str, float]]":
        for (family, *values), buckets in self._histograms.items():
            count = sum(buckets)
            if not count:
                continue
            labels, bounds = MEASURED[family], bounds_ms(family, values[0])
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

    __slots__ = ("_book", "_standing", "cases")

    def __init__(self, scenario: "Scenario") -> None:
        """Nothing has happened."""
        self._book = Book()
        self._standing: list[Standing] = []
        self.cases = CaseBook(scenario)

    def follow(self, one: "Standing") -> None:
        """Ask `one` as well, whenever somebody asks for figures."""
        self._standing.append(one)

    def add(self, family: str, *values: str, by: int = 1) -> None:
        """Book `by` (a count, or ms where the family is a duration) to one series; a fall is negative."""
        self._book.counts[(family, *values)] += by

    def observe(self, family: str, *values: str, ms: int, by: int = 1) -> None:
        """Book one duration of `ms` to a histogram; `by=-1` takes it back."""
        self._book.observe(family, *values, ms=ms, by=by)

    def total(self, family: str) -> int:
        """Return the sum over every series of one counter or gauge booked by decisions alone (a count, or ms)."""
        return sum(value for key, value in self._book.counts.items() if key[0] == family)

    def by_label(self, family: str, position: int) -> Counter[str]:
        """Return such a counter's sums by the label at `position` of its labels."""
        sums: Counter[str] = Counter()
        for key, value in self._book.counts.items():
            if key[0] == family:
                sums[key[1 + position]] += value
        return sums

    def count(self, family: str, position: int, label: str) -> int:
        """Return how many durations such a histogram holds in series whose label at `position` is `label`."""
        return self._book.count(family, position, label)

    def of_contacts(self, at: int | None) -> Book:
        """Return the figures of contacts and agents as of a watermark (ms since the epoch).

        Args:
            at: None = nothing has fallen silent or expired.
        """
        book = self._book.copy()
        for one in self._standing:
            one.stand(book, at)
        return book

    def of_cases(self, at: int) -> Book:
        """Return the figures of cases as of a settlement watermark (ms since the epoch)."""
        counts, times = self.cases.figures(at)
        book = Book(counts)
        for (family, *values), ms in times:
            book.observe(family, *values, ms=ms)
        return book

    def raw(self, at: int | None = None) -> dict[tuple[Any, ...], int]:
        """Return every figure as booked: by family and label values, durations in ms.

        Args:
            at: settlement watermark, ms since the epoch; None = without the figures of cases.

        Returns:
            Histograms have one entry for each bucket, by its index and for itself alone, and one by `"sum"`.
        """
        return self.of_contacts(at).raw() | ({} if at is None else self.of_cases(at).raw())

    def counters(self, at: int | None = None) -> dict[str, float]:
        """Return every nonzero net figure by its series name, sorted; durations in seconds, exact to the ms."""
        return _sorted(book.counters() for book in self._books(at))

    def gauges(self, at: int | None = None) -> dict[str, float]:
        """Return every nonzero gauge as of now by its series name, sorted; times in seconds since the epoch."""
        return _sorted(book.gauges() for book in self._books(at))

    def _books(self, at: int | None) -> list[Book]:
        contacts = self.of_contacts(at)
        return [contacts] if at is None else [contacts, self.of_cases(at)]


def _sorted(books: "Iterable[Iterable[tuple[str, float]]]") -> dict[str, float]:
    return dict(sorted(entry for entries in books for entry in entries))


def _seconds(ms: int) -> float:
    return ms // 1000 if ms % 1000 == 0 else ms / 1000
