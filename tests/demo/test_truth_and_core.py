"""The simulator's truth against the real shards: two independent books of the same world.

A difference is a defect of one side, and 2-numbers says of which.
"""

from collections import Counter

import pytest

from stream.demo.disturbance import Disturber
from stream.demo.scenario import Disturbance
from stream.demo.simulator import Simulator
from tests.demo.worlds import CALM, ROUGH, START, Centre, deliveries, scenario, shuffled, truth_figures


def _simulated(name: str, seed: int, scale: float) -> Simulator:
    return Simulator(scenario(name, scale=scale), seed, START, 900_000)


@pytest.mark.parametrize(
    ("name", "seed", "plan", "batch"),
    [
        ("calm", 1, CALM, 500),
        ("monday-morning", 2, ROUGH, 2_000),
        ("outage-spike", 3, ROUGH, 37),
        ("outage-spike", 4, CALM, 1),
    ],
)
def test_a_complete_world(name: str, seed: int, plan: Disturbance, batch: int) -> None:
    """Every figure of every family equals the truth, whatever came late, twice or as rubbish, in any batches."""
    simulator, disturber = _simulated(name, seed, 2), Disturber(plan, seed, 6_000, ("calls", "chats", "emails"))
    centre = Centre()
    centre.feed(deliveries(simulator, disturber, 500), batch)
    assert centre.figures(simulator.now) == truth_figures(simulator.truth)
    assert centre.tally == disturber.delivered.results(len(centre.shards))
    assert centre.unaccounted() == 0


def test_two_thousand_calls_in_any_order() -> None:
    """Even shuffled through and through, with duplicates and poison, the figures are the truth."""
    simulator, disturber = _simulated("outage-spike", 5, 3), Disturber(ROUGH, 5, 24_000)
    records = shuffled(deliveries(simulator, disturber, 2_000), 5)
    centre = Centre()
    centre.feed(records, 4_000)
    assert centre.figures(simulator.now) == truth_figures(simulator.truth)
    assert centre.tally == disturber.delivered.results(len(centre.shards))


@pytest.mark.parametrize("seed", [6, 7, 8])
def test_a_world_cut_in_the_middle(seed: int) -> None:
    """With calls open, waiting callers and unfinished wrap-ups, the figures are still the truth, gauges included."""
    simulator, disturber = _simulated("outage-spike", seed, 5), Disturber(ROUGH, seed, 9_000)
    centre = Centre()
    centre.feed(deliveries(simulator, disturber, 700 + 30 * seed, cut=True), 300)
    assert simulator.next_at is not None
    assert centre.figures(simulator.now) == truth_figures(simulator.truth)
    assert centre.unaccounted() == 0


def test_the_truth_is_exact_after_every_moment() -> None:
    """Fed moment by moment, shard and truth agree all the way: a run may be cut anywhere."""
    simulator, disturber = _simulated("outage-spike", 9, 1), Disturber(CALM, 9)
    centre = Centre(1)
    while simulator.calls < 130 and (moment := simulator.step()) is not None:
        centre.feed(disturber.feed(moment), 100)
        assert centre.figures(simulator.now) == truth_figures(simulator.truth), moment


def test_every_poison_record_is_in_the_rejected_topic_once_byte_for_byte() -> None:
    """Key, value and reason are those remembered when the poison was made."""
    simulator, disturber = _simulated("calm", 10, 1), Disturber(ROUGH, 10, 2_000)
    centre = Centre()
    centre.feed(deliveries(simulator, disturber, 150), 100)
    found = Counter(
        (output.key, output.value, dict(output.headers)["x-rejected-reason"].decode()) for output in centre.rejected
    )
    wanted = Counter((one.key, one.value, one.reason) for one in disturber.delivered.rejected)
    assert found == wanted
    assert found.total() == ROUGH.poison
