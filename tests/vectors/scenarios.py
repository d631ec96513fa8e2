"""Golden scenarios as steps of records: reads the files, expands the templates, lays policies over."""

import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream.core.contacts.shard import Record
from stream.core.policies.reader import read_policy
from stream.core.policy import Policy
from stream.wire.times import format_time, parse_time

FOLDER = Path(os.environ.get("CONTACT_STREAM_VECTORS", Path(__file__).parents[3] / "shared" / "vectors"))


@dataclass(frozen=True)
class Step:
    """Records to feed, where the watermark stands after them, and what must hold then."""

    records: list[Record]
    advance_to: int | None
    expect: dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """One golden scenario."""

    group: str
    name: str
    policy: Policy
    steps: list[Step]

    def __str__(self) -> str:
        """Group and name, as the test run shows it."""
        return f"{self.group}: {self.name}"


def scenarios() -> list[Scenario]:
    """Every scenario of the folder; none when it is missing."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        base = tomllib.loads((FOLDER / "policy.toml").read_text())
        for raw in json.loads(path.read_text())["scenarios"]:
            policy = read_policy(_over(base, raw.get("policy", {})))
            steps = [_step(step) for step in raw["steps"]]
            found.append(Scenario(path.stem, raw["name"], policy, steps))
    return found


def _over(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        known = merged.get(key)
        merged[key] = _over(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _step(raw: dict[str, Any]) -> Step:
    entries = [entry for item in raw["events"] for entry in _expand(item)]
    advance = raw.get("advance_to")
    return Step(
        [_record(entry, offset) for offset, entry in enumerate(entries)],
        None if advance is None else parse_time(advance),
        raw["expect"],
    )


def _expand(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "repeat" not in item:
        yield item
        return
    for i in range(item["repeat"]):
        for entry in item["template"]:
            copy = json.loads(json.dumps(entry).replace("{i}", str(i)))
            at = parse_time(copy["event"]["occurred_at"]) + i * item["shift_ms"]
            copy["event"]["occurred_at"] = format_time(at)
            yield copy


def _record(entry: dict[str, Any], offset: int) -> Record:
    event = entry.get("event")
    value = entry["raw"].encode() if event is None else json.dumps(event).encode()
    key = None if "key" in entry and entry["key"] is None else _key(entry["topic"], event or {}).encode()
    recorded = entry.get("recorded_at")
    return Record(entry["topic"], offset, None if recorded is None else parse_time(recorded), key, value, [])


def _key(topic: str, event: dict[str, Any]) -> str:
    kind = event.get("type", "")
    if kind.startswith("source."):
        return str(event["source"])
    if topic == "cases":
        return str(event["alias"] if kind == "identity.linked" else event.get("customer", "x"))
    return str((event.get("agent") if topic == "agents" else event.get("contact_id")) or "x")
