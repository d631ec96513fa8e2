"""A folded contact as plain lists and back: what a row's prefix is stored as.

Only ``__slots__`` classes of this package are described here; every other value is a number, a
string, a flag, None, or a list or table of those.
"""

from typing import TypeVar, cast

from stream.core.contacts.callbacks import Callback, Callbacks
from stream.core.contacts.contact import Contact, Disposition
from stream.core.contacts.handling import Handling, Leg
from stream.core.contacts.implicit import ImplicitVisit
from stream.core.contacts.steps import Step, Steps
from stream.core.contacts.times import Responses
from stream.core.contacts.visits import Visit, Visits

Plain = object  # None, numbers, strings, flags, and lists and tables of those
T = TypeVar("T")

_PARTS: dict[type, dict[str, type]] = {  # class -> {attribute: class of what it holds}
    Contact: {
        "callbacks": Callbacks,
        "handling": Handling,
        "implicit": ImplicitVisit,
        "responses": Responses,
        "steps": Steps,
        "visits": Visits,
    },
    ImplicitVisit: {"visits": Visits},
}
_LISTS: dict[type, dict[str, type]] = {  # class -> {attribute: class of the items of the list}
    Callbacks: {"requests": Callback},
    Contact: {"dispositions": Disposition, "missed": tuple, "pauses": tuple, "transfers": tuple},
    Handling: {"legs": Leg},
    Responses: {"following": tuple, "reopens": tuple},
    Steps: {"path": Step},
    Visits: {"entered": Visit},
}
_DERIVED: dict[type, tuple[str, ...]] = {Contact: ("channel",), Visits: ("waiting",)}


def freeze(value: object) -> Plain:
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


def thaw(kind: type[T], state: Plain) -> T:
    """The object of ``kind`` that `freeze` made ``state`` of."""
    found = kind.__new__(kind)
    skip = _DERIVED.get(kind, ())
    names = [name for name in cast("list[str]", vars(kind)["__slots__"]) if name not in skip]
    for name, value in zip(names, cast("list[Plain]", state), strict=True):
        setattr(found, name, _attribute(kind, name, value))
    if isinstance(found, Contact):
        found.channel = found.channel_stated or found.default_channel
    elif isinstance(found, Visits):
        found.waiting = next((visit for visit in found.entered if visit.outcome == "waiting"), None)
    return found


def _attribute(kind: type, name: str, value: Plain) -> object:
    part, item = _PARTS.get(kind, {}).get(name), _LISTS.get(kind, {}).get(name)
    if part is not None:
        return None if value is None else thaw(part, value)
    if item is not None:
        states = cast("list[list[Plain]]", value)
        return [tuple(state) if item is tuple else thaw(item, state) for state in states]
    if kind is Visits and name == "early":
        return {queue: tuple(told) for queue, told in cast("dict[str, list[Plain]]", value).items()}
    if kind is Responses and name == "first" and value is not None:
        return tuple(cast("list[Plain]", value))
    return value
