"""A folded contact as plain lists and back: what a row's prefix is stored as.

Only ``__slots__`` classes of this package are described here; every other value is a number, a
string, a flag, None, or a list or table of those.
"""

from typing import Any

from stream.core.contact import Contact, Disposition
from stream.core.handling import Handling, Leg
from stream.core.implicit import ImplicitVisit
from stream.core.steps import Step, Steps
from stream.core.times import Responses
from stream.core.visits import Visit, Visits

# class -> {attribute: class of it, or of the items of the list}
_PARTS: dict[type, dict[str, type]] = {
    Contact: {
        "dispositions": Disposition,
        "handling": Handling,
        "implicit": ImplicitVisit,
        "responses": Responses,
        "steps": Steps,
        "visits": Visits,
    },
    Handling: {"legs": Leg},
    ImplicitVisit: {"visits": Visits},
    Steps: {"path": Step},
    Visits: {"entered": Visit},
}
_PAIRS = {Responses: ("first", "following"), Visits: ("early",), Contact: ("transfers",)}
_DERIVED = {Visits: ("waiting",)}


def freeze(value: Any) -> Any:
    """``value`` as lists, tables and plain values."""
    if isinstance(value, (list, tuple)):
        return [freeze(item) for item in value]
    if isinstance(value, dict):
        return {key: freeze(item) for key, item in value.items()}
    slots = getattr(type(value), "__slots__", None)
    if not slots or isinstance(value, (str, int)):
        return value
    skip = _DERIVED.get(type(value), ())
    return [freeze(getattr(value, name)) for name in slots if name not in skip]


def thaw(kind: type, state: list[Any]) -> Any:
    """The object of ``kind`` that `freeze` made ``state`` of."""
    found = kind.__new__(kind)
    parts, pairs, skip = _PARTS.get(kind, {}), _PAIRS.get(kind, ()), _DERIVED.get(kind, ())
    names = [name for name in kind.__slots__ if name not in skip]  # type: ignore[attr-defined]
    for name, value in zip(names, state, strict=True):
        setattr(found, name, _part(parts.get(name), name in pairs, value))
    if isinstance(found, Visits):
        found.waiting = next((v for v in found.entered if v.outcome == "waiting"), None)
    return found


def _part(kind: type | None, pair: bool, value: Any) -> Any:
    if kind is not None and value is not None:
        if value and isinstance(value[0], list) and kind in (Disposition, Leg, Step, Visit):
            return [thaw(kind, item) for item in value]
        return value if kind in (Disposition, Leg, Step, Visit) else thaw(kind, value)
    if pair and value is not None:
        return _pairs(value)
    return value


def _pairs(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: tuple(item) for key, item in value.items()}
    if value and isinstance(value[0], list):
        return [tuple(item) for item in value]
    return tuple(value) if value else value
