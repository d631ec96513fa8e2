"""What is different between two policies, and whether it is only names, or the definition of what was counted.

    queues.billing.target_ms: 20000 -> 30000       definition
    rules.contact.transfers: allow -> forbid       definition
    queues.sales: new                              name, unless it brings a target or a window of its own

Names, calendars and goals a worker adopts by itself; definitions (rules, windows, thresholds) only when it is told to.
`redecide` does what follows for the rows of a shard. Pure. Source: 2-numbers 2.11, R28.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from stream.core.events import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.core.policy import Policy

Path = tuple[str, ...]
_DEFINITIONS: Final = frozenset(
    (
        "callback_expires_ms",
        "cases",
        "channels",
        "disorder_ms",
        "identity_ttl_ms",
        "lateness_ms",
        "rules",
        "short_abandon_ms",
    )
)
_HERE: Final = "here"  # stands for a table: a queue, an issue, a rule
_TABLES: Final = ("queues", "issues", "rules", "calendars", "steps", "agents")
_COUNTED: Final = ("queues", "issues")  # of these a new one is a name, a target or window it brings a definition
_UNSAID: Final = ("hours",)  # too long for a line


class Change(NamedTuple):
    """From one policy to another: one line a difference, by its path in the file."""

    names: tuple[str, ...]
    definitions: tuple[str, ...]
    recounts: bool  # whether anything that is in the state may be worth something else


def changed(old: Policy, new: Policy) -> Change:
    """Every difference between two policies."""
    before, after = _said(old), _said(new)
    names: list[str] = []
    definitions: list[str] = []
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) == after.get(path):
            continue
        defines, table = _defines(path, old, new), path[:2]
        if path != table and (table in before) != (table in after) and not (defines and path[0] in _COUNTED):
            continue  # said by its table, which is new or gone
        (definitions if defines else names).append(_line(path, before, after))
    return Change(tuple(names), tuple(definitions), _counting(old) != _counting(new))


def _defines(path: Path, old: Policy, new: Policy) -> bool:
    """Whether a difference at ``path`` is one of what is counted, not of what it is called."""
    match path:
        case ("queues", name, "target_ms"):
            told = [policy.queues[name].channels for policy in (old, new) if name in policy.queues]
            channels = {channel for own in told for channel in own} if all(told) else set(old.channels)
            return any(old.target_ms(channel, name) != new.target_ms(channel, name) for channel in channels)
        case ("queues", name, "response_target_ms"):
            return any(
                old.response_target_ms(channel, name) != new.response_target_ms(channel, name) for channel in CHANNELS
            )
        case ("queues", name, "short_abandon_ms"):
            return old.short_ms(name) != new.short_ms(name)
        case ("issues", name, "window_ms"):
            return old.window_ms(name) != new.window_ms(name)
    return path[0] in _DEFINITIONS


def _said(policy: Policy) -> dict[Path, object]:
    """Everything a policy says, flat, by its path in the file."""
    said: dict[Path, object] = {}
    for kind, own in _values(policy).items():
        if isinstance(own, (int, str)):
            said[(kind,)] = own
    tables: dict[str, Mapping[str, object]] = {
        "channels": policy.channels,
        "queues": policy.queues,
        "calendars": policy.calendars,
        "rules": policy.rules,
        "agents": policy.agents,
    }
    for kind, named in tables.items():
        for name, own in named.items():
            said[kind, name] = _HERE
            said |= {(kind, name, key): value for key, value in _values(own).items()}
    said |= {("staff", key): value for key, value in _values(policy.staff).items()}
    said |= {("cases", key): value for key, value in _values(policy.cases).items()}
    said |= {("issues", issue): _HERE for issue in policy.issues}
    said |= {("issues", issue, "window_ms"): window for issue, window in policy.issues.items()}
    said |= {("steps", "menu." + node): _HERE for node in policy.menus}
    said |= {("goals", kind): share for kind, share in policy.goals.items()}
    for queue, goals in policy.queue_goals.items():
        said |= {("goals", "queues", queue, kind): share for kind, share in goals.items()}
    return said


def _values(value: object) -> dict[str, object]:
    """The fields of one of the policy's dataclasses."""
    if not is_dataclass(value):
        return {}
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _line(path: Path, before: Mapping[Path, object], after: Mapping[Path, object]) -> str:
    name = ".".join(path)
    if path[0] in _TABLES and path == path[:2]:
        return f"{name}: {'new' if path in after else 'gone'}"
    if path[-1] in _UNSAID:
        return f"{name}: changed"
    return f"{name}: {_shown(before.get(path))} -> {_shown(after.get(path))}"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return "not set" if value is None or value == "" else str(value)


def _counting(policy: Policy) -> Policy:
    """The policy without what no contribution, and no time at which a row is looked at, depends on."""
    queues = {
        name: replace(queue, channels=(), issues=(), group="", site="", owner="")
        for name, queue in policy.queues.items()
    }
    return replace(policy, queues=queues, goals={}, queue_goals={}, disorder_ms=0)


class Adopted(NamedTuple):
    """A shard has put another policy in place of the one it counted under."""

    former: str  # hash
    definition: str  # hash
    change: Change
    rows: int  # decided again
    corrected: int  # series that fell
