"""Two days of three channels over the night in which the clock is put forward, on a real Kafka, against the truth."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.cli.simulate import KafkaSink
from stream.demo.centre.simulator import TOPICS, Simulator
from stream.demo.disturbance import Disturber
from stream.demo.drive import Drive
from stream.demo.scenario import DAY_MS, HOUR_MS, Disturbance
from tests.centre.house import House
from tests.demo.proof import prove
from tests.demo.worlds import FOLDER, SATURDAY, scenario

if TYPE_CHECKING:
    from tests.conftest import MakeTopics

PLAN = Disturbance(duplicates=0.05, disorder_ms=2 * HOUR_MS, poison=100)
EVENTS_AT_FULL_SIZE = 130_000


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scale", [0.4, pytest.param(4.0, marks=pytest.mark.full)])
async def test_two_days(kafka: str, make_topics: "MakeTopics", tmp_path: Path, scale: float) -> None:
    """R09, R14, R37, R54: a worker is killed in the middle, and every figure is the truth where the centre is cut."""
    layout = make_topics(partitions=4)
    policy = str(FOLDER / "berlin.toml")
    house = House(kafka, layout, tmp_path, CONTACT_STREAM_POLICY=policy, CONTACT_STREAM_IDLE_AFTER="never")
    simulator = Simulator(scenario("clock-change", scale=scale), 1, SATURDAY, HOUR_MS // 4)
    disturber = Disturber(PLAN, 1, round(EVENTS_AT_FULL_SIZE * scale), TOPICS)
    with house.open(), house.producer() as producer:
        drive = Drive(simulator, disturber, KafkaSink(producer, layout.prefix))
        drive.advance_to(SATURDAY + DAY_MS)
        producer.flush()
        counted = "contact_stream_records_total"
        sight = house.until_seen(lambda seen: seen.figures.total(counted) > producer.sent // 2, 120, "half is counted")
        house.kill_owner((1, 0), sight)
        drive.advance_to(SATURDAY + 2 * DAY_MS)
        drive.stop()
        comparison = await prove(house, drive, producer)
        assert house.supervisor.restarts == 1
        assert comparison.compared > 2_000
        for channel in ("voice", "chat", "email"):
            name = f'contact_contacts_total{{channel="{channel}",outcome="handled"}}'
            assert comparison.expected[name] > 0
        days = {name.partition('day="')[2][:10] for name in comparison.expected if "cohort_cases" in name}
        assert days == {"2026-03-28", "2026-03-29", "2026-03-30"}
