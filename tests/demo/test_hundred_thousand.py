"""100,000 simulated contacts on a real Kafka, rough way included, against the simulator's truth."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stream.demo
from stream.cli.simulate import KafkaSink
from stream.demo.comparison import Comparison, compare
from stream.demo.disturbance import Disturber
from stream.demo.drive import Drive
from stream.demo.equations import broken
from stream.demo.scenario import Disturbance
from stream.demo.scrape import Figures
from stream.demo.simulator import TOPICS, Simulator
from stream.demo.truth import BOUNDS_MS, HISTOGRAMS, series
from tests.centre.house import House
from tests.demo.worlds import START, scenario
from tests.faults.harness import read_all

if TYPE_CHECKING:
    from stream.demo.truth import Truth
    from tests.conftest import MakeTopics

CONTACTS = 100_000
PLAN = Disturbance(duplicates=0.05, disorder_ms=7_200_000, poison=200)
RESULTS = ("applied", "duplicate", "rejected")


@pytest.mark.timeout(900)
async def test_hundred_thousand_contacts(kafka: str, make_topics: "MakeTopics", tmp_path: Path) -> None:
    """Applied + duplicate + rejected = records, every figure is the truth, and every poison record is kept, once."""
    layout = make_topics(partitions=8)
    policy = str(Path(stream.demo.__path__[0]) / "policy.toml")
    house = House(kafka, layout, tmp_path, CONTACT_STREAM_POLICY=policy, CONTACT_STREAM_IDLE_AFTER="never")
    simulator = Simulator(scenario("monday-morning", scale=20), 1, START, 900_000)
    disturber = Disturber(PLAN, 1, CONTACTS * 10, TOPICS)
    with house.open(), house.producer() as producer:
        drive = Drive(simulator, disturber, KafkaSink(producer, layout.prefix))
        while simulator.contacts < CONTACTS:
            drive.advance_by(20_000)
            house.supervisor.watch()
        drive.complete()
        drive.stop()
        expected = disturber.delivered.results(layout.partitions)
        figures = house.until(
            lambda f: f.total("contact_stream_records_total") == producer.sent, 400, "all are counted"
        )
        counted = {result: figures.total("contact_stream_records_total", result=result) for result in RESULTS}
        assert counted == expected
        assert sum(expected.values()) == producer.sent
        figures = house.until(lambda f: _decided(f, drive, layout.partitions), 120, "every case is decided")
        assert broken(figures) == []
        comparison = _compare(figures, drive, layout.partitions)
        assert comparison.differences == ()
        assert comparison.compared > 2_000
        await asyncio.sleep(2.5)  # cells are published at most once a second
        cells = await house.cells("outcome")
        assert {name: n for name, n in cells.items() if name.startswith(tuple(HISTOGRAMS))} == histograms(
            simulator.truth
        )
    kept = Counter([(record.key, record.value) async for record in read_all(kafka, [house.topic("rejected")])])
    assert kept == Counter((one.key, one.value) for one in disturber.delivered.rejected)


def _compare(figures: Figures, drive: Drive, partitions: int) -> Comparison:
    settled = figures.watermark(stage=2, count=partitions)
    return compare(drive.simulator.truth, figures, settled or 0, ordered=False)


def _decided(figures: Figures, drive: Drive, partitions: int) -> bool:
    """Whether the case stage has nothing left to say; what still differs after a while is shown by the comparison."""
    return _compare(figures, drive, partitions).differences == ()


def histograms(truth: "Truth") -> dict[str, int]:
    """The truth's histograms as interval cells write them: each bucket for itself, sums in ms."""
    found = {}
    for (family, *values), amount in truth.raw().items():
        if family not in HISTOGRAMS or not amount:
            continue
        labels, part = HISTOGRAMS[family], values.pop()
        if part == "sum":
            found[series(f"{family}_sum", labels, values)] = amount
        else:
            bound = str(BOUNDS_MS[part] / 1000) if part < len(BOUNDS_MS) else "+Inf"
            found[series(f"{family}_bucket", (*labels, "le"), [*values, bound])] = amount
    return found
