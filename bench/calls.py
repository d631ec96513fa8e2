"""Canonical call events for measurements: seeded, endless, in the order in which they happen.

A contact centre without queueing theory: waits and patience are drawn, agents are names. It never touches
Kafka or the clock, and the same arguments always give the same bytes. Format: 1-events 1.3 and 1.4.
"""

from __future__ import annotations

import heapq
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

QUEUES: Final = ("billing", "sales", "support-en", "support-de", "retention")
START_MS: Final = 1_772_443_800_000  # Monday 2 March 2026, 09:30 UTC
INTERVAL_MS: Final = 15 * 60 * 1000
ABANDONING: Final = 0.15
HOLDING: Final = 0.15
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Plan:
    """What to generate.

    Attributes:
        start_ms: arrival of the first call, milliseconds since the epoch.
        between_ms: mean time between arrivals, milliseconds.
        short: only calls that are started, queue and hang up (3 events each): many contacts with few events.
        seed: of all draws.
    """

    start_ms: int = START_MS
    between_ms: float = 250.0
    short: bool = False
    seed: int = 7


class Line(NamedTuple):
    """One event: its time in milliseconds, its type, contact and queue ("" without one), and its JSON."""

    at: int
    type: str
    contact_id: str
    queue: str
    value: bytes


def lines(plan: Plan) -> Iterator[Line]:
    """Yield the events of endless calls ordered by time; source_seq rises with every event."""
    waiting: list[tuple[int, int, dict[str, str]]] = []
    seq = 0
    drawn = 0
    for number, (arrived_at, steps) in enumerate(_calls(plan)):
        while waiting and waiting[0][0] <= arrived_at:
            at, _, fields = heapq.heappop(waiting)
            seq += 1
            yield _line(at, seq, fields)
        envelope = _envelope(number, plan.seed)
        for position, (at, fields) in enumerate(steps):
            drawn += 1
            identity = {"event_id": f"{number:07d}-{position + 1}", **envelope}
            heapq.heappush(waiting, (at, drawn, identity | fields))


def _calls(plan: Plan) -> Iterator[tuple[int, list[tuple[int, dict[str, str]]]]]:
    """Yield each call as its arrival and its events."""
    draws = random.Random(plan.seed)  # noqa: S311 - repeatable measurements need a seeded generator
    at = float(plan.start_ms)
    while True:
        steps = _short(draws, int(at)) if plan.short else _call(draws, int(at))
        yield int(at), steps
        at += draws.expovariate(1.0 / plan.between_ms)


def _short(draws: random.Random, at: int) -> list[tuple[int, dict[str, str]]]:
    queue = draws.choice(QUEUES)
    entered = at + draws.randrange(500, 2_000)
    return [
        (at, {"type": "contact.started"}),
        (entered, {"type": "queue.entered", "queue": queue}),
        (entered + draws.randrange(6_000, 60_000), {"type": "contact.ended", "by": "customer"}),
    ]


def _call(draws: random.Random, at: int) -> list[tuple[int, dict[str, str]]]:
    queue = draws.choice(QUEUES)
    chosen = at + draws.randrange(3_000, 20_000)
    entered = chosen + draws.randrange(20, 400)
    steps = [
        (at, {"type": "contact.started"}),
        (at + 200, {"type": "step.entered", "step": "menu:main"}),
        (chosen, {"type": "step.left", "result": "continued"}),
        (entered, {"type": "queue.entered", "queue": queue}),
    ]
    if draws.random() < ABANDONING:
        patience = int(draws.expovariate(1 / 60_000)) + 1
        return [*steps, (entered + patience, {"type": "contact.ended", "by": "customer"})]
    agent = f"agent-{draws.randrange(200):03d}"
    connected = entered + int(draws.expovariate(1 / 25_000)) + 1
    steps.append((connected, {"type": "agent.connected", "agent": agent, "queue": queue}))
    ended = connected + draws.randrange(60_000, 400_000)
    if draws.random() < HOLDING:
        held = connected + draws.randrange(10_000, 40_000)
        steps.append((held, {"type": "hold.started", "agent": agent}))
        steps.append((held + draws.randrange(5_000, 20_000), {"type": "hold.ended", "agent": agent}))
    steps.append((ended, {"type": "contact.ended", "by": draws.choice(("customer", "customer", "agent"))}))
    steps.append((ended + 150, {"type": "wrapup.started", "agent": agent}))
    steps.append((ended + draws.randrange(5_000, 90_000), {"type": "wrapup.ended", "agent": agent}))
    return steps


def _envelope(number: int, seed: int) -> dict[str, str]:
    customer = (number // 2 + seed) * 0x9E3779B97F4A7C15 % 2**64
    return {
        "source": "asterisk:pbx1",
        "contact_id": f"pbx1-{seed:04d}.{number:08d}",
        "channel": "voice",
        "direction": "inbound",
        "customer": f"phone:{customer:016x}",
    }


def _line(at: int, seq: int, fields: dict[str, str]) -> Line:
    moment = datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    event: dict[str, object] = {
        **fields,
        "occurred_at": f"{moment}.{at % 1000:03d}Z",
        "source_seq": seq,
        "attributes": {
            "trunk": "carrier-2",
            "site": "north",
            "codec": "g722",
            "dialled": "service-line",
            "language": "en-GB",
        },
    }
    return Line(at, fields["type"], fields["contact_id"], fields.get("queue", ""), _encode(event).encode())
