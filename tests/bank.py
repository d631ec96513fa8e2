"""The real month of one bank's call centre as canonical events, by the mapping of its README."""

import csv
import gzip
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stream.core.policies.reader import read_policy
from stream.core.policy import Policy

FOLDER = Path(os.environ.get("CONTACT_STREAM_BANK", Path(__file__).parents[2] / "shared" / "data" / "anonymous_bank"))
QUEUES = ("IN", "NE", "NW", "PE", "PS", "TT")
POLICY_TABLES: dict[str, Any] = {
    "short_abandon_ms": 5001,
    "queues": {queue: {} for queue in QUEUES},
    "steps": {"menu": ["vru"]},
}
Row = dict[str, str]
Event = dict[str, Any]


def policy() -> Policy:
    """The defaults with the bank's names, and 5 s or less as short."""
    return read_policy(POLICY_TABLES)


def expected() -> dict[str, Any]:
    """What the product must give."""
    found: dict[str, Any] = json.loads((FOLDER / "product-1999-01.json").read_text())
    return found


def events_or_skip() -> list[Event]:
    """`events`; skipped on a laptop without the data, failing in CI."""
    if not FOLDER.is_dir() and not os.environ.get("CI"):
        pytest.skip(f"no recorded month in {FOLDER}; set CONTACT_STREAM_BANK")
    return events()


def events() -> list[Event]:
    """All events of the month, as a live system would have told them: in order of time."""
    with gzip.open(FOLDER / "calls-1999-01.csv.gz", "rt", newline="") as lines:
        numbered = [(event, i) for row in csv.DictReader(lines) for i, event in enumerate(_contact(row))]
    numbered.sort(key=lambda pair: (pair[0]["occurred_at"], pair[0]["contact_id"], pair[1]))
    return [event for event, _ in numbered]


def _contact(row: Row) -> Iterator[Event]:
    if row["outcome"] == "PHANTOM":
        return
    contact_id = f"{row['line']}-{row['call_id']}"
    entered = _moment(row, "vru_entry", None)
    told: list[tuple[datetime, Event]] = [
        (entered, {"type": "contact.started"}),
        (entered, {"type": "step.entered", "step": "menu:vru"}),
    ]
    queue, queued = row["type"], row["q_start"] != "0:00:00" or int(row["q_time"]) > 0
    wait_ms = int(row["q_time"]) * 1000
    if queued:
        told.append((_moment(row, "q_start", entered), {"type": "queue.entered", "queue": queue}))
    if row["outcome"] == "AGENT":
        clock = "ser_start" if row["ser_start"] != "0:00:00" else ("q_exit" if queued else "vru_exit")
        served = _moment(row, clock, entered)
        if not queued:
            told.append((served, {"type": "queue.entered", "queue": queue}))
        agent = row["server"] or "unknown"
        told.append((served, {"type": "agent.connected", "agent": agent, "queue": queue, "wait_ms": wait_ms}))
        told.append((served + timedelta(seconds=int(row["ser_time"])), {"type": "contact.ended", "by": "customer"}))
    elif queued:
        left = _moment(row, "q_exit", entered)
        told.append((left, {"type": "queue.left", "queue": queue, "reason": "abandoned", "wait_ms": wait_ms}))
        told.append((left, {"type": "contact.ended", "by": "customer"}))
    else:
        told.append((_moment(row, "vru_exit", entered), {"type": "contact.ended", "by": "customer"}))
    if row["customer_id"]:
        told[0][1]["customer"] = row["customer_id"]
    for i, (at, event) in enumerate(told, 1):
        moment = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        yield {
            "event_id": f"{contact_id}-{i}",
            "occurred_at": moment,
            "source": "bank",
            "contact_id": contact_id,
            **event,
        }


def _moment(row: Row, clock: str, entered: datetime | None) -> datetime:
    date = row["date"]
    day = datetime(1900 + int(date[:2]), int(date[2:4]), int(date[4:]), tzinfo=UTC)
    hours, minutes, seconds = map(int, row[clock].split(":"))
    at = day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if entered is not None and entered - at > timedelta(hours=12):
        at += timedelta(days=1)
    return at
