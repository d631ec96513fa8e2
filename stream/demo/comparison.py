"""Holds the figures of the metrics pages against the simulator's truth, series by series.

Counters (net) and gauges must be equal. Histograms may hold more, since Prometheus cannot take back what was counted
(3-metrics 3.1): handle times always, because they are counted before a wrap-up begins, waits and first responses only
where events came out of order. What may be taken back is compared exactly by its net counters.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stream.demo.truth import FAMILIES, GAUGES, HISTOGRAMS, series

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stream.demo.scrape import Figures
    from stream.demo.truth import Truth

_TAKEN_BACK: Final = ("contact_handle_seconds",)
"""Histograms that may show more than the truth even where events come in order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One series that is not as it should be; values as on the page (durations in seconds)."""

    series: str
    truth: float
    shown: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result: how many series were compared, and those that differ."""

    compared: int
    differences: tuple[Difference, ...]


def compare(truth: "Truth", figures: "Figures", *, ordered: bool = True) -> Comparison:
    """Compare every family the truth is complete in; a series absent on one side is 0 there.

    Args:
        truth: of the simulator.
        figures: of every worker.
        ordered: whether the events of each call came in order; then fewer histograms may hold more.
    """
    exceeding = _TAKEN_BACK if ordered else tuple(HISTOGRAMS)
    expected: dict[str, float] = {**truth.counters(), **truth.gauges()}
    shown = dict(_shown(figures))
    names = sorted(expected.keys() | shown.keys())
    differences = [
        Difference(name, expected.get(name, 0), shown.get(name, 0.0))
        for name in names
        if not _agree(name, expected, shown, exceeding)
    ]
    return Comparison(len(names), tuple(differences))


def _agree(
    name: str, expected: "Mapping[str, float]", shown: "Mapping[str, float]", exceeding: tuple[str, ...]
) -> bool:
    true_ms, shown_ms = round(expected.get(name, 0) * 1000), round(shown.get(name, 0.0) * 1000)
    if name.startswith(exceeding):
        return shown_ms >= true_ms
    return shown_ms == true_ms


def _shown(figures: "Figures") -> "Iterator[tuple[str, float]]":
    """Every nonzero series of the compared families, named as the truth names it."""
    plain = {**FAMILIES, **GAUGES}
    spread = {f"{name}_{part}": labels for name, labels in HISTOGRAMS.items() for part in ("count", "sum")}
    buckets = {f"{name}_bucket": (*labels, "le") for name, labels in HISTOGRAMS.items()}
    for family, order in {**plain, **spread, **buckets}.items():
        for labels, value in figures.family(family).items():
            if value:
                found = dict(labels)
                yield series(family, order, [found.get(label, "") for label in order]), value
