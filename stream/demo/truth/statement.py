"""The truth as a document: what `simulate --truth` writes and what a comparison reads.

    scenario, seed, scale, start, until   which run, and how far simulated time went (RFC 3339)
    contacts, open                        contacts that began; whether some were left open
    families                              every family the truth is complete in: a series that is absent is 0
    settled_until                         watermark at which cases are settled in these figures (RFC 3339)
    counters, gauges                      net figures by series name; `_seconds` in seconds, exact to the ms
    records                               what must come out of the records written, by result
    rejected                              every poison record in order: topic, key, value (base64, null = none), reason

Source: 5-operating 5.3; `../shared/vectors` for the names.
"""

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.demo.centre.world import stamp
from stream.demo.truth.known import families

if TYPE_CHECKING:
    from stream.demo.centre.simulator import Simulator
    from stream.demo.disturbance import Delivered, Delivery


@dataclass(frozen=True, slots=True)
class RunName:
    """Which run a statement is about.

    Attributes:
        scenario: its name.
        seed: of simulator and disturbance.
        scale: size of the centre.
        start: simulated time of the beginning, ms since the epoch.
    """

    scenario: str
    seed: int
    scale: float
    start: int


def statement(run: RunName, simulator: "Simulator", delivered: "Delivered") -> dict[str, object]:
    """Return the truth of a run that has stopped, as values JSON knows."""
    truth, at = simulator.truth, simulator.now
    heartbeats = dict(sorted(delivered.heartbeats.items()))
    return {
        "scenario": run.scenario,
        "seed": run.seed,
        "scale": run.scale,
        "start": stamp(run.start),
        "until": stamp(at),
        "contacts": simulator.contacts,
        "open": simulator.next_at is not None,
        "families": families(),
        "settled_until": stamp(at),
        "counters": truth.counters(at),
        "gauges": truth.gauges(at),
        "records": {
            "events": delivered.events.total(),
            "duplicates": delivered.duplicates.total(),
            "heartbeats_per_partition": heartbeats,
            "rejected": delivered.reasons(),
        },
        "rejected": [_rejected(delivery) for delivery in delivered.rejected],
    }


def _rejected(delivery: "Delivery") -> dict[str, str | None]:
    return {
        "topic": delivery.topic,
        "key": _text(delivery.key),
        "value": _text(delivery.value),
        "reason": delivery.reason,
    }


def _text(content: bytes | None) -> str | None:
    return None if content is None else b64encode(content).decode()
