"""Holds what workers on a real Kafka say against the truth of the run they were fed with, everything at once."""

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

from stream.demo.comparison import Comparison, compare
from stream.demo.equations import broken
from stream.demo.truth.known import CASE_TIMES, HISTOGRAMS, MEASURED, bounds_ms, series
from tests.faults.harness import read_all

if TYPE_CHECKING:
    from stream.admin.producer import EventProducer
    from stream.demo.drive import Drive
    from stream.demo.scrape import Figures
    from stream.demo.truth.truth import Book
    from tests.centre.house import House

RESULTS = ("applied", "duplicate", "rejected")
_DECIDED_S = 25.0
_TOLD_S = 2.5  # cells are published at most once a second


async def prove(house: "House", drive: "Drive", producer: "EventProducer") -> Comparison:
    """Wait until all is counted and decided, then compare records, figures, histograms and rejected records."""
    partitions = house.layout.partitions
    expected = drive.delivered.results(partitions)
    figures = house.until(lambda f: f.total("contact_stream_records_total") == producer.sent, 400, "all are counted")
    assert {result: figures.total("contact_stream_records_total", result=result) for result in RESULTS} == expected
    assert sum(expected.values()) == producer.sent
    late = time.monotonic() + _DECIDED_S
    figures = house.until(
        lambda f: _compared(f, drive, partitions).differences == () or time.monotonic() > late, 120, "pages answer"
    )
    comparison = _compared(figures, drive, partitions)
    assert comparison.differences == (), comparison.differences[:20]
    assert broken(figures) == []
    await asyncio.sleep(_TOLD_S)
    truth, at = drive.simulator.truth, figures.watermark(stage=2, count=partitions) or 0
    for by, families, book in (
        ("outcome", HISTOGRAMS, truth.of_contacts(at)),
        ("arrival", CASE_TIMES, truth.of_cases(at)),
    ):
        cells = await house.cells(by)
        assert {name: n for name, n in cells.items() if n and name.startswith(tuple(families))} == _histograms(book)
    kept = Counter([(record.key, record.value) async for record in read_all(house.kafka, [house.topic("rejected")])])
    assert kept == Counter((one.key, one.value) for one in drive.delivered.rejected)
    return comparison


def _compared(figures: "Figures", drive: "Drive", partitions: int) -> Comparison:
    settled = figures.watermark(stage=2, count=partitions)
    return compare(drive.simulator.truth, figures, settled or 0, ordered=False)


def _histograms(book: "Book") -> dict[str, int]:
    """The truth's histograms as interval cells write them: each bucket for itself, sums in ms."""
    found = {}
    for (family, *values), amount in book.raw().items():
        if family not in MEASURED or not amount:
            continue
        labels, part = MEASURED[family], values.pop()
        if part == "sum":
            found[series(f"{family}_sum", labels, values)] = amount
        else:
            bounds = bounds_ms(family, values[0])
            bound = str(bounds[part] / 1000) if part < len(bounds) else "+Inf"
            found[series(f"{family}_bucket", (*labels, "le"), [*values, bound])] = amount
    return found
