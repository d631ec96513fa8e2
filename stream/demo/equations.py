"""What must hold on every metrics page at every moment, whatever the centre did: the cohorts add up to the counters.

    settled + provisional = credited      settled = settled      failed = failed = all reasons
    settled + provisional + failed + open <= cases opened

Left are the cohort gauges, summed over the days shown; right are the net counters. The first line holds while no cohort
has left the days that are shown, for each shard and so for each page. The second is no equation, because a ticket whose
contacts are not told yet is opened too. Never in this module: the truth.

Source: 2-numbers 2.8 (S + P + F + O = N), 3-metrics 3.2.
"""

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.demo.scrape import Figures

Place = tuple[str, str]
"""Rule and channel."""


def broken(figures: "Figures") -> list[str]:
    """Return a sentence for everything that does not hold, sorted; empty when all does.

    Args:
        figures: of one page, or of pages of which no shard is on two.
    """
    cohorts = _by_state(figures, "contact_fcr_cohort_cases")
    counted = _by_state(figures, "contact_fcr_cases_total")
    reasons = _sums(figures, "contact_fcr_failed_total")
    found = []
    for place in sorted({(rule, channel) for rule, channel, _ in (*cohorts, *counted)} | reasons.keys()):
        for text, left, right in _equations(place, cohorts, counted, reasons):
            if left != right:
                found.append(f"rule {place[0]}, channel {place[1]}: {text}: {left:g} is not {right:g}")
    return found + list(_denominators(figures, cohorts))


def _equations(
    place: Place,
    cohorts: Counter[tuple[str, str, str]],
    counted: Counter[tuple[str, str, str]],
    reasons: Counter[Place],
) -> "Iterator[tuple[str, int, int]]":
    """What is said of one rule and channel: in words, and both sides."""
    settled, provisional, failed = (cohorts[*place, state] for state in ("settled", "provisional", "failed"))
    yield "settled + provisional = credited", settled + provisional, counted[*place, "credited"]
    yield "settled = settled", settled, counted[*place, "settled"]
    yield "failed = failed", failed, counted[*place, "failed"]
    yield "failed = failed for some reason", failed, reasons[place]


def _denominators(figures: "Figures", cohorts: Counter[tuple[str, str, str]]) -> "Iterator[str]":
    """No case is in two states of a rule: together they are no more than the cases opened."""
    opened: Counter[str] = Counter()
    for labels, value in figures.family("contact_cases_opened_total").items():
        opened[dict(labels)["channel"]] += round(value)
    stated: Counter[Place] = Counter()
    for (rule, channel, _), value in cohorts.items():
        stated[rule, channel] += value
    for (rule, channel), number in sorted(stated.items()):
        if number > opened[channel]:
            yield f"rule {rule}, channel {channel}: all states <= cases: {number} is more than {opened[channel]}"


def _by_state(figures: "Figures", family: str) -> Counter[tuple[str, str, str]]:
    sums: Counter[tuple[str, str, str]] = Counter()
    for labels, value in figures.family(family).items():
        found = dict(labels)
        sums[found["rule"], found["channel"], found["state"]] += round(value)
    return sums


def _sums(figures: "Figures", family: str) -> Counter[Place]:
    sums: Counter[Place] = Counter()
    for labels, value in figures.family(family).items():
        found = dict(labels)
        sums[found["rule"], found["channel"]] += round(value)
    return sums
