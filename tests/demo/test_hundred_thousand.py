"""Many simulated contacts on a real Kafka, rough way included, against the simulator's truth; asked for, 100,000."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.cli.simulate import KafkaSink
from stream.demo.centre.simulator import TOPICS, Simulator
from stream.demo.disturbance import Disturber
from stream.demo.drive import Drive
from stream.demo.scenario import Disturbance
from tests.centre.house import House
from tests.demo.proof import prove
from tests.demo.worlds import FOLDER, START, scenario

if TYPE_CHECKING:
    from tests.conftest import MakeTopics

PLAN = Disturbance(duplicates=0.05, disorder_ms=7_200_000, poison=200)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("contacts", [15_000, pytest.param(100_000, marks=pytest.mark.full)])
async def test_many_contacts(kafka: str, make_topics: "MakeTopics", tmp_path: Path, contacts: int) -> None:
    """Applied + duplicate + rejected = records, every figure is the truth, and every poison record is kept, once."""
    layout = make_topics(partitions=8)
    policy = str(FOLDER / "policy.toml")
    house = House(kafka, layout, tmp_path, CONTACT_STREAM_POLICY=policy, CONTACT_STREAM_IDLE_AFTER="never")
    simulator = Simulator(scenario("monday-morning", scale=20), 1, START, 900_000)
    disturber = Disturber(PLAN, 1, contacts * 10, TOPICS)
    with house.open(), house.producer() as producer:
        drive = Drive(simulator, disturber, KafkaSink(producer, layout.prefix))
        while simulator.contacts < contacts:
            drive.advance_by(20_000)
            house.supervisor.watch()
        drive.complete()
        drive.stop()
        comparison = await prove(house, drive, producer)
        assert comparison.compared > 2_000
