"""JSON Schema 2020-12 of every event type, made from the structs; `schemas/` holds what this says.

A whole number written with a fraction (``12.0``) is one to JSON Schema and none to us: that is the only difference.
"""

from typing import Any

import msgspec

from stream.wire import events as kinds

MAJOR = 1
_TIME = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$"
_SAMPLE: dict[str, Any] = {
    "event_id": "pbx1-1741",
    "occurred_at": "2026-03-02T10:00:05.250+01:00",
    "source": "asterisk:pbx1",
    "contact_id": "1741.22",
    "customer": "crm:8f1c",
    "queue": "billing",
    "agent": "anna",
    "team": "first-line",
    "issue": "invoice",
    "result": "continued",
    "step": "menu:main",
    "reason": "abandoned",
    "wait_ms": 18_000,
    "kind": "queue",
    "to_queue": "sales",
    "by": "customer",
    "raw_reason": "16",
    "resolution": "resolved",
    "confirmed": True,
    "case_id": "T-100",
    "into": "T-99",
    "alias": "phone:b2",
    "status": "available",
    "queues": ["billing"],
    "resolved": "yes",
    "csat": 5,
}
_OWN: dict[str, dict[str, Any]] = {
    "agent.missed": {"reason": "no_answer"},
    "agent.status": {"reason": "lunch"},
    "message.sent": {"by": "agent"},
    "contact.dispositioned": {"cause": "policy"},
}
_LEFT_OUT = ("team", "issue", "to_queue")
_ASKED_OF = {"agent": ("agent.", "hold.", "wrapup."), "queue": ("contact.started",), "customer": ("contact.started",)}


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of one event type, with examples."""
    raw = msgspec.json.schema(kind)
    schema: dict[str, Any] = raw["$defs"][kind.__name__]
    name = kinds.tag_of(kind)
    properties = schema["properties"]
    del properties["~default_channel"]
    properties["type"] = {"const": name}
    properties["occurred_at"] = {"type": "string", "pattern": _TIME, "format": "date-time"}
    if kind not in kinds.CONTACT_EVENTS and kind not in (kinds.SurveyOffered, kinds.SurveyAnswered):
        properties.pop("contact_id", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"contact-stream/{file_name(kind)}",
        "title": name,
        "description": schema["description"],
        "type": "object",
        "properties": properties,
        "required": schema["required"],
        "examples": examples_of(kind),
    }


def examples_of(kind: type[msgspec.Struct]) -> list[dict[str, Any]]:
    """The least such an event must say, and one that says more."""
    name = kinds.tag_of(kind)
    fields = {field.encode_name: field.required for field in msgspec.structs.fields(kind)}
    values = {**_SAMPLE, **_OWN.get(name, {})}
    needed = {field: values[field] for field, required in fields.items() if required}
    more = {
        field: values[field]
        for field, required in fields.items()
        if field in values and (required or _fits(field, name))
    }
    return [{"type": name, **needed}] if more == needed else [{"type": name, **needed}, {"type": name, **more}]


def _fits(field: str, name: str) -> bool:
    if field == "contact_id" or field in _LEFT_OUT:
        return False
    return name.startswith(_ASKED_OF[field]) if field in _ASKED_OF else True


def file_name(kind: type[msgspec.Struct]) -> str:
    """Where its schema stands in `schemas/`."""
    return f"{kinds.tag_of(kind)}.v{MAJOR}.json"


def all_schemas() -> dict[str, dict[str, Any]]:
    """File name -> schema of every event type."""
    return {file_name(kind): schema_of(kind) for kind in kinds.ALL_EVENTS}
