"""The truth of a simulated world: every figure, counted by the world itself while it decides.

Nothing here reads events, and nothing is shared with the program under test: when a simulated caller gives up after
w ms, the caller's account says so here. `Truth` is exact whenever the world stands still, that is between any two
moments of `stream.demo.simulator`, so a run may be cut anywhere.

Counters are net figures with the keys of the golden scenarios,
`contact_visits_total{channel="voice",queue="billing", outcome="abandoned"}`. A family named in `FAMILIES` is
complete: a series of it that is absent is 0. Families of durations hold integer ms inside and are shown in seconds.

Source: 2-numbers 2.2 to 2.6, 3-metrics 3.2.
"""

from bisect import bisect_left
from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANNEL: Final = "voice"
"""The only channel of this simulator so far."""

BOUNDS_MS: Final = tuple(
    1_000 * seconds for seconds in (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 1_800, 3_600, 7_200)
)
"""Upper bounds of the histograms of voice, inclusive, ms (2.6)."""

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
        "contact_stream_quality_total": ("kind",),
    }
)
"""Counters the truth is complete in, with their labels in order."""

HISTOGRAMS: Final = MappingProxyType(
    {
        "contact_wait_seconds": ("channel", "queue", "outcome"),
        "contact_handle_seconds": _CHANNEL_QUEUE,
        "contact_first_response_seconds": _CHANNEL_QUEUE,
    }
)
"""Histograms the truth is complete in: `_count`, `_sum` and cumulative `_bucket` series."""

GAUGES: Final = MappingProxyType({"contact_queue_waiting": _CHANNEL_QUEUE})
"""Gauges the truth is complete in, as of the moment it is asked."""

Key = tuple[str, ...]


class Truth:
    """What has happened so far, as figures."""

    __slots__ = ("_counts", "_histograms", "_sums")

    def __init__(self) -> None:
        """Nothing has happened."""
        self._counts: Counter[Key] = Counter()
        self._sums: Counter[Key] = Counter()
        self._histograms: dict[Key, list[int]] = {}

    def add(self, family: str, *values: str, by: int = 1) -> None:
        """Book `by` (a count, or ms where the family is a duration) to one series; a fall is negative."""
        self._counts[(family, *values)] += by

    def observe(self, family: str, *values: str, ms: int, by: int = 1) -> None:
        """Book one duration of `ms` to a histogram; `by=-1` takes it back."""
        key = (family, *values)
        buckets = self._histograms.setdefault(key, [0] * (len(BOUNDS_MS) + 1))
        buckets[bisect_left(BOUNDS_MS, ms)] += by
        self._sums[key] += by * ms

    def get(self, family: str, *values: str) -> int:
        """Return one series' value (a count, or ms); 0 when it was never booked."""
        return self._counts[(family, *values)]

    def total(self, family: str) -> int:
        """Return the sum over every series of one counter or gauge (a count, or ms)."""
        return sum(value for key, value in self._counts.items() if key[0] == family)

    def by_label(self, family: str, position: int) -> Counter[str]:
        """Return a counter's sums by the label at `position` of its labels."""
        sums: Counter[str] = Counter()
        for key, value in self._counts.items():
            if key[0] == family:
                sums[key[1 + position]] += value
        return sums

    def count(self, family: str, position: int, label: str) -> int:
        """Return how many durations a histogram holds in series whose label at `position` is `label`."""
        return sum(
            sum(buckets) for key, buckets in self._histograms.items() if key[0] == family and key[1 + position] == label
        )

    def raw(self) -> dict[tuple[Any, ...], int]:
        """Return every figure as booked: by family and label values, durations in ms.

        Histograms have one entry for each bucket, by its index and for itself alone, and one by `"sum"`.
        """
        figures: dict[tuple[Any, ...], int] = dict(self._counts)
        for key, buckets in self._histograms.items():
            figures |= {(*key, index): number for index, number in enumerate(buckets)}
            figures[(*key, "sum")] = self._sums[key]
        return figures

    def counters(self) -> dict[str, float]:
        """Return every nonzero net figure by its series name, sorted; durations in seconds, exact to the ms."""
        return dict(sorted((*self._plain(), *self._spread())))

    def _plain(self) -> "Iterator[tuple[str, float]]":
        for (family, *values), value in self._counts.items():
            if value and family in FAMILIES:
                yield series(family, FAMILIES[family], values), _seconds(value) if _timed(family) else value

    def _spread(self) -> "Iterator[tuple[str, float]]":
        for (family, *values), buckets in self._histograms.items():
            count = sum(buckets)
            if not count:
                continue
            labels = HISTOGRAMS[family]
            yield series(f"{family}_count", labels, values), count
            yield series(f"{family}_sum", labels, values), _seconds(self._sums[(family, *values)])
            reached = 0
            for index, number in enumerate(buckets):
                reached += number
                bound = f"{BOUNDS_MS[index] / 1000}" if index < len(BOUNDS_MS) else "+Inf"
                if reached:
                    yield series(f"{family}_bucket", (*labels, "le"), (*values, bound)), reached

    def gauges(self) -> dict[str, int]:
        """Return every nonzero gauge as of now by its series name, sorted."""
        found = {
            series(family, GAUGES[family], values): value
            for (family, *values), value in self._counts.items()
            if value and family in GAUGES
        }
        return dict(sorted(found.items()))

    def families(self) -> list[str]:
        """Return the names of every complete family as `counters` and `gauges` spell them."""
        spread = [f"{name}_{part}" for name in HISTOGRAMS for part in ("bucket", "count", "sum")]
        return sorted((*FAMILIES, *GAUGES, *spread))


def series(family: str, labels: "tuple[str, ...]", values: "list[str] | tuple[str, ...]") -> str:
    """Return a series name as the exposition writes it, labels in the given order."""
    inside = ",".join(f'{label}="{value}"' for label, value in zip(labels, values, strict=True))
    return f"{family}{{{inside}}}"


def _timed(family: str) -> bool:
    return family.endswith("_seconds_total")


def _seconds(ms: int) -> float:
    return ms // 1000 if ms % 1000 == 0 else ms / 1000
