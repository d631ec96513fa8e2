"""Holds the figures of the metrics pages against the simulator's truth, series by series.

Figures of cases are known at a settlement watermark, so the truth is asked as of the one the pages show. Cohorts are
compared for the days that every page still shows.

Counters (net) and gauges must be equal. Histograms may hold more, since Prometheus cannot take back what was counted
(3-metrics 3.1): handle times always, because they are counted before a wrap-up begins, waits and first responses only
where events came out of order. What may be taken back is compared exactly by its net counters.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stream.demo.centre.world import stamp
from stream.demo.scenario import DAY_MS
from stream.demo.truth.known import labels_of, series

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stream.demo.scrape import Figures
    from stream.demo.truth.truth import Truth

_TAKEN_BACK: Final = (
    "contact_handle_seconds",
    "contact_resolution_seconds",
    "contact_full_resolution_seconds",
    "contact_resolution_open_seconds",
)
"""Histograms that may show more than the truth even where events come in order."""
_DISORDERED: Final = (
    "contact_wait_seconds",
    "contact_wait_open_seconds",
    "contact_first_response_seconds",
    "contact_first_response_open_seconds",
    "contact_next_response_seconds",
    "contact_next_response_open_seconds",
    "contact_callback_wait_seconds",
)
"""Histograms that may where they do not."""
_DAYS_SHOWN: Final = 8
"""Days before today whose cohorts are shown whatever "the last W + 2 days" means to whom (3-metrics 3.2)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One series that is not as it should be; values as on the page (durations in seconds)."""

    series: str
    truth: float
    shown: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result: how many series were compared, those that differ, and the truth by series."""

    compared: int
    differences: tuple[Difference, ...]
    expected: "Mapping[str, float]"


def compare(truth: "Truth", figures: "Figures", at: int | None = None, *, ordered: bool = True) -> Comparison:
    """Compare every family the truth is complete in; a series absent on one side is 0 there.

    Args:
        truth: of the simulator.
        figures: of every worker.
        at: settlement watermark of the figures, ms since the epoch; None = figures of cases are not compared.
        ordered: whether the events of each contact came in order; then fewer histograms may hold more.
    """
    exceeding = _TAKEN_BACK if ordered else (*_TAKEN_BACK, *_DISORDERED)
    oldest = "" if at is None else stamp(at - _DAYS_SHOWN * DAY_MS)[:10]
    expected = {
        name: value for name, value in {**truth.counters(at), **truth.gauges(at)}.items() if _is_shown(name, oldest)
    }
    shown = {name: value for name, value in _shown(figures, cases=at is not None) if _is_shown(name, oldest)}
    names = sorted(expected.keys() | shown.keys())
    differences = [
        Difference(name, expected.get(name, 0), shown.get(name, 0.0))
        for name in names
        if not _agree(name, expected, shown, exceeding)
    ]
    return Comparison(len(names), tuple(differences), expected)


def _is_shown(name: str, oldest: str) -> bool:
    """Whether a series is no cohort, or one that is young enough."""
    _, found, day = name.partition('day="')
    return not found or day[:10] >= oldest


def _agree(
    name: str, expected: "Mapping[str, float]", shown: "Mapping[str, float]", exceeding: tuple[str, ...]
) -> bool:
    true_ms, shown_ms = round(expected.get(name, 0) * 1000), round(shown.get(name, 0.0) * 1000)
    if name.startswith(exceeding):
        return shown_ms >= true_ms
    return shown_ms == true_ms


def _shown(figures: "Figures", *, cases: bool) -> "Iterator[tuple[str, float]]":
    """Every nonzero series of the compared families, named as the truth names it."""
    for family, order in labels_of(cases=cases).items():
        for labels, value in figures.family(family).items():
            if value:
                found = dict(labels)
                yield series(family, order, [found.get(label, "") for label in order]), value
