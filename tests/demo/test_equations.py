"""The equations every page must satisfy: true pages do, and a page with one wrong figure does not."""

import re

import pytest

from stream.demo.centre.simulator import TOPICS, Simulator
from stream.demo.disturbance import Disturber
from stream.demo.equations import broken
from stream.demo.scenario import DAY_MS
from stream.demo.scrape import Figures
from tests.demo.worlds import ROUGH, START, Centre, deliveries, moments, pages, scenario


def _page(later_ms: int = 7 * DAY_MS) -> str:
    """A page that shows the truth of a small world so much later, most of it settled."""
    simulator = Simulator(scenario("outage-spike"), 1, START)
    for _ in moments(simulator, 900, cut=True):
        pass
    truth, at = simulator.truth, simulator.now + later_ms
    return "\n".join(f"{name} {value}" for name, value in {**truth.counters(at), **truth.gauges(at)}.items())


def test_a_true_page_adds_up() -> None:
    """Nothing is said of the truth, nor of a page with no cases at all."""
    assert broken(Figures([_page()])) == []
    assert broken(Figures([""])) == []


@pytest.mark.parametrize(
    ("series", "equation"),
    [
        (
            'contact_fcr_cases_total{rule="contact",channel="voice",.*state="credited"}',
            "settled + provisional = credited",
        ),
        ('contact_fcr_cases_total{rule="one_touch",channel="chat",.*state="settled"}', "settled = settled"),
        ('contact_fcr_cases_total{rule="channel",channel="voice",.*state="failed"}', "failed = failed"),
        ('contact_fcr_failed_total{rule="survey",channel="voice",', "failed = failed for some reason"),
        ('contact_fcr_cohort_cases{rule="contact",channel="voice",state="open"', "all states <= cases"),
    ],
)
def test_one_wrong_figure_is_named(series: str, equation: str) -> None:
    """More than true in any of the families breaks the equation it stands in, and is said of its rule."""
    page = _page(0 if "open" in series else 7 * DAY_MS)
    line = next(line for line in page.splitlines() if re.match(series.replace("{", r"\{").replace("}", r"\}"), line))
    name, value = line.rsplit(" ", 1)
    found = broken(Figures([page.replace(line, f"{name} {int(value) + 1000}")]))
    assert any(equation in sentence for sentence in found), found
    rule = re.search('rule="(.*?)"', name)
    assert rule is not None
    assert all(f"rule {rule[1]}," in sentence for sentence in found)


def test_tickets_without_a_contact_are_in_no_denominator() -> None:
    """They are opened, and no rule counts them."""
    assert broken(Figures(['contact_cases_opened_total{channel="none",queue="unassigned",issue="none"} 7'])) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_every_shard_adds_up_at_every_moment(seed: int) -> None:
    """However the events come: late, twice, in small batches, names linked and verdicts corrected in between."""
    simulator, disturber = (
        Simulator(scenario("outage-spike"), seed, START, 900_000),
        Disturber(ROUGH, seed, 6_000, TOPICS),
    )
    centre = Centre()
    records = deliveries(simulator, disturber, 250)
    for first in range(0, len(records), 50):
        centre.feed(records[first : first + 50], 9)
        for page in pages(centre, simulator.now):
            assert broken(Figures([page])) == []
