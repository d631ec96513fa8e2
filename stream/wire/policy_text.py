"""A `Policy` as a policy file that people can read: every key written out, with what else it may say beside it.

Reading the text gives a policy with the same hash. What a queue leaves to its calendar, its channel or the policy is
left out again. TOML is written by tomlkit, which keeps comments beside their keys. Source: 2-numbers 2.11.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import tomlkit
from tomlkit.items import Item

from stream.core.policies.calendar_reader import WEEK_KEYS, clock_text
from stream.core.policies.reader import CHOICES
from stream.core.policy import DAY_MS, HOUR_MS
from stream.wire.policy import policy_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tomlkit.items import InlineTable, Table

    from stream.core.calendar import Hours, Week
    from stream.core.policy import CalendarPolicy, Policy, QueuePolicy, RulePolicy

_UNITS: Final = ((DAY_MS, "d"), (HOUR_MS, "h"), (60_000, "min"), (1_000, "s"))
_TOP: Final = {
    "lateness_ms": "what comes later than this is late and in no figure",
    "disorder_ms": "event time stays this far behind the newest event",
    "identity_ttl_ms": "two ids are one person so long after the link was last used",
    "zone": "of days and hours where a queue has no zone of its own",
    "short_abandon_ms": "a shorter wait is abandoned_short; 0 = off",
    "callback_expires_ms": "a callback that nobody served by then has expired",
}
_SECTIONS: Final = {
    "channels": "timeout_ms is the silence that ends a contact, target_ms that of the service level",
    "queues": "may say target_ms, response_target_ms, short_abandon_ms, zone, hours, holidays, calendar",
    "issues": "each may say window_ms, else it has that of [cases]",
    "steps": "menu nodes that keep their name; the fixed steps always do",
    "calendars": "zone, hours and holidays that queues name; ics names an .ics file of holidays beside this one",
    "agents": "opt-in: figures by agent, each may say its team; nobody else's name is ever shown",
    "staff": "teams and reasons for a break that keep their name",
    "goals": "shares from 0 to 1, fcr_high and fcr_low are bands; [goals.queues.NAME] where a queue has its own",
}


def policy_text(policy: Policy, origin: str) -> str:
    """The policy as TOML.

    Args:
        policy: to be written.
        origin: where it came from, for the first line.
    """
    document = tomlkit.document()
    document.add(tomlkit.comment(f"The policy in force: {origin}. Hash {policy_hash(policy)}."))
    document.add(tomlkit.comment("Keys that end in _ms are milliseconds. Names that are not here are shown as other."))
    document.add(tomlkit.nl())
    for key, meaning in _TOP.items():
        document.add(key, _said(getattr(policy, key), meaning))
    for name, table in _tables(policy).items():
        document.add(tomlkit.nl())
        if name in _SECTIONS:
            document.add(tomlkit.comment(f"{name}: {_SECTIONS[name]}"))
        document.add(name, table)
    return tomlkit.dumps(document)


def _tables(policy: Policy) -> dict[str, Table]:
    return {
        "channels": _table({name: _inline(_values(channel)) for name, channel in policy.channels.items()}),
        "queues": _named({name: _queue(queue) for name, queue in policy.queues.items()}),
        "issues": _table({name: _issue(window) for name, window in policy.issues.items()}),
        "steps": _table({"menu": sorted(policy.menus)}),
        "calendars": _named({name: _table(_calendar(own)) for name, own in policy.calendars.items()}),
        "cases": _table({key: _chosen(key, value) for key, value in _values(policy.cases).items()}),
        "rules": _named({name: _rule(rule, explained=name == "contact") for name, rule in policy.rules.items()}),
        "agents": _table({name: _inline(_values(agent)) for name, agent in policy.agents.items()}),
        "staff": _table(_values(policy.staff)),
        "goals": _goals(policy),
    }


def _values(value: Any) -> dict[str, Any]:  # noqa: ANN401  any of the policy's dataclasses
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _table(values: Mapping[str, object]) -> Table:
    table = tomlkit.table()
    for key, value in values.items():
        table.add(key, value if isinstance(value, Item) else _item(value))
    return table


def _named(tables: Mapping[str, Table]) -> Table:
    """``[queues.X]`` for every X, without a header of its own where there is an X."""
    named = tomlkit.table(is_super_table=bool(tables))
    for name, table in tables.items():
        named.add(name, table)
    return named


def _inline(values: Mapping[str, object]) -> InlineTable:
    table = tomlkit.inline_table()
    for key, value in values.items():
        table.add(key, value if isinstance(value, Item) else _item(value))
    return table


def _item(value: object) -> Item:
    if isinstance(value, int):
        return tomlkit.value(f"{value:_}")
    return tomlkit.item(list(value) if isinstance(value, tuple) else value)


def _said(value: object, meaning: str) -> Item:
    """A value with its meaning beside it, durations also in units people use."""
    spoken = f"{_spoken(value)}; " if isinstance(value, int) and _spoken(value) else ""
    return _item(value).comment(spoken + meaning)


def _spoken(ms: int) -> str:
    """``7 d``, ``90 min``: in the largest unit that is exact; empty where that is ms."""
    return next((f"{ms // unit} {name}" for unit, name in _UNITS if ms and ms % unit == 0), "")


def _chosen(key: str, value: object) -> Item:
    """A value with whatever else it may be beside it."""
    if key not in CHOICES:
        return _said(value, "a further contact within it is a repeat") if isinstance(value, int) else _item(value)
    return _item(value).comment("or " + " or ".join(choice for choice in CHOICES[key] if choice != value))


def _queue(queue: QueuePolicy) -> Table:
    values = _values(queue) | _calendar(queue)
    return _table({key: value for key, value in values.items() if value is not None})


def _issue(window_ms: int | None) -> InlineTable:
    return _inline({} if window_ms is None else {"window_ms": window_ms})


def _calendar(own: CalendarPolicy | QueuePolicy) -> dict[str, object]:
    """What is said of zone, hours and holidays."""
    hours = None if own.hours is None else _hours(own.hours)
    values = {"zone": own.zone, "hours": hours, "holidays": own.holidays}
    return {key: value for key, value in values.items() if value is not None}


def _hours(versions: tuple[Hours, ...]) -> Item:
    if not versions[0].effective_from:
        return _week(versions[0].week)
    several = tomlkit.array().multiline(multiline=True)
    for version in versions:
        several.append(_inline({"effective_from": version.effective_from, "week": _week(version.week)}))
    return several


def _week(week: Week) -> InlineTable:
    days = zip(WEEK_KEYS, week, strict=True)
    return _inline({key: [[clock_text(a), clock_text(b)] for a, b in spans] for key, spans in days if spans})


def _rule(rule: RulePolicy, *, explained: bool) -> Table:
    return _table({key: _chosen(key, value) if explained else value for key, value in _values(rule).items()})


def _goals(policy: Policy) -> Table:
    goals = _table(policy.goals)
    if policy.queue_goals:
        goals.add("queues", _named({name: _table(own) for name, own in policy.queue_goals.items()}))
    return goals
