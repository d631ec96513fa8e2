"""The demo's reader of metrics pages and its comparison: equal figures agree, and any other are named."""

from stream.demo.centre.simulator import Simulator
from stream.demo.comparison import compare
from stream.demo.scenario import DAY_MS
from stream.demo.scrape import Figures, parse
from stream.demo.screen import Flow, summary, table
from stream.demo.truth.truth import Truth
from tests.demo.worlds import START, moments, scenario

AT = START + 2 * DAY_MS


def _page(truth: Truth, partition: int = 0, at: int | None = AT) -> str:
    """A metrics page that shows exactly the truth as of `at`, as one shard's."""
    figures = {**truth.counters(at), **truth.gauges(at)}
    lines = ["# HELP contact_arrivals_total Contacts that arrived."]
    lines += [f'{name[:-1]},partition="{partition}"}} {float(value)!r}' for name, value in figures.items()]
    return "\n".join(lines)


def _world() -> Truth:
    simulator = Simulator(scenario("outage-spike"), 1, START)
    for _ in moments(simulator, 500, cut=True):
        pass
    return simulator.truth


def test_lines_are_read_with_escapes() -> None:
    """Names, labels in any order, values in any notation; comments are none."""
    page = '# TYPE a_total counter\na_total{q="b\\"c",p="1"} 1e+03\nplain 2.5\n'
    assert parse(page) == {("a_total", (("p", "1"), ("q", 'b\\"c'))): 1000.0, ("plain", ()): 2.5}


def test_figures_are_net_and_summed_over_partitions() -> None:
    """Total less retracted, over all shards; a shard that two workers show for a moment counts once."""
    first = 'v_total{outcome="a",partition="0"} 5\nv_retracted_total{outcome="a",partition="0"} 2\n'
    second = 'v_total{outcome="a",partition="1"} 7\nv_total{outcome="a",partition="0"} 4\n'
    figures = Figures([first, second])
    assert figures.total("v_total", outcome="a") == 10
    assert figures.total("v_total", outcome="b") == 0
    assert figures.shards == 2


def test_a_true_page_agrees() -> None:
    """Every series of the truth is compared."""
    truth = _world()
    comparison = compare(truth, Figures([_page(truth)]), AT)
    assert comparison.differences == ()
    assert comparison.compared == len(truth.counters(AT)) + len(truth.gauges(AT))
    assert "all equal" in table(Figures([_page(truth)]), comparison)


def test_one_wrong_figure_is_named() -> None:
    """One more, one less, or a series too many: each is a difference."""
    truth = _world()
    page = _page(truth)
    line = next(line for line in page.splitlines() if line.startswith("contact_arrivals_total"))
    for wrong in (
        line.rsplit(" ", 1)[0] + " 3.0",
        "",
        line + '\ncontact_visits_total{channel="voice",queue="x",outcome="full"} 1',
    ):
        figures = Figures([page.replace(line, wrong)])
        comparison = compare(truth, figures, AT)
        assert len(comparison.differences) == 1
        assert comparison.differences[0].series in table(figures, comparison)


def test_a_histogram_may_hold_more_only_where_it_can_be_taken_back() -> None:
    """Handle times always, waits only when events came out of order; less is always wrong."""
    truth = _world()
    name = next(name for name in truth.counters() if name.startswith("contact_wait_seconds_count"))
    true = f'{name[:-1]},partition="0"}} {float(truth.counters()[name])!r}'
    page = _page(truth)
    more = Figures([page.replace(true, true + "9")])
    assert [one.series for one in compare(truth, more, AT).differences] == [name]
    assert compare(truth, more, AT, ordered=False).differences == ()
    assert len(compare(truth, Figures([page.replace(true, "")]), AT, ordered=False).differences) == 1
    handled = next(line for line in page.splitlines() if line.startswith("contact_handle_seconds_sum"))
    assert compare(truth, Figures([page.replace(handled, handled.replace(" ", " 9"))]), AT).differences == ()


def test_cases_are_compared_as_of_the_settlement_watermark() -> None:
    """Asked as of another time the truth is another; without one, figures of cases are left out on both sides."""
    truth = _world()
    figures = Figures([_page(truth)])
    late = compare(truth, figures, START + 15 * DAY_MS // 2).differences
    assert {one.series.partition("{")[0] for one in late} == {
        "contact_fcr_cases_total",
        "contact_fcr_cohort_cases",
        "contact_fcr_failed_total",
        "contact_survey_disagreements_total",
    }
    plain = compare(truth, Figures([_page(truth, at=None)]))
    assert plain.differences == ()
    assert plain.compared == len(truth.counters()) + len(truth.gauges()) < len(truth.counters(AT))


def test_cohorts_that_may_have_left_the_page_are_not_compared() -> None:
    """After nine days a page need not show the first day any more, and the counters are still compared."""
    truth = _world()
    at = AT + 9 * DAY_MS
    figures = {**truth.counters(at), **truth.gauges(at)}
    lines = [f"{name} {value}" for name, value in figures.items() if "cohort" not in name]
    assert compare(truth, Figures(["\n".join(lines)]), at).differences == ()


def test_the_watermark_of_a_stage() -> None:
    """The least of all shards, in ms; none while one of them is not shown."""
    line = 'contact_stream_watermark_seconds{{shard="{0}",stage="2"}} {1}'
    pages = [line.format(0, "1.7410788e+09"), line.format(1, "1741078800.5")]
    assert Figures(pages).watermark(stage=2, count=2) == 1_741_078_800_000
    assert Figures(pages[:1]).watermark(stage=2, count=2) is None
    assert Figures(pages).watermark(stage=1, count=1) is None


def test_the_line_on_the_terminal() -> None:
    """Ratios of nothing are a dash; a shard that is missing is said."""
    flow = Flow("2026-03-02T10:00:00.000Z", 1, 8, None)
    line = summary(Figures([]), flow)
    assert line.startswith("10:00:00  arrivals       0")
    assert "only 0 of 8 shards" in line
    truth = _world()
    shown = summary(Figures([_page(truth)]), Flow("2026-03-02T10:00:00.000Z", 2, 1, 12.4))
    assert f"arrivals {truth.total('contact_arrivals_total'):>7}" in shown
    assert "FCR" in shown
    assert "(mature -)" in line
    assert "12 records/s" in shown
