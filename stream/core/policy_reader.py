"""From the tables of a policy file to a `Policy`, or every problem at once.

`read_policy` takes the parsed TOML (dicts, lists, numbers, strings); reading the file and finding
the line of a problem are not its business.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from stream.core.events import CHANNELS
from stream.core.policy import CasesPolicy, ChannelPolicy, Policy, QueuePolicy, RulePolicy

NAME_LENGTH = 64
HOUR_MINUTES = 60
Table = Mapping[str, object]
T = TypeVar("T")


class Problem(NamedTuple):
    """What is wrong at which key (``queues.billing.target_ms``)."""

    path: tuple[str, ...]
    message: str


class PolicyError(Exception):
    """The policy cannot be used; ``problems`` says all that is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep every problem."""
        super().__init__("; ".join(f"{'.'.join(p.path)}: {p.message}" for p in problems))
        self.problems = problems


_CHOICES: dict[str, tuple[str, ...]] = {
    "match": ("issue_if_known", "issue", "customer"),
    "resolution": ("auto", "disposition", "case", "confirmed", "no_repeat"),
    "abandoned": ("exclude", "fail"),
    "after_hours": ("shift", "count"),
    "unidentified": ("exclude", "count"),
    "escalation": ("fail", "allow"),
    "follow_up": ("fail", "allow"),
    "transfers": ("allow", "forbid"),
    "agents": ("any", "one"),
    "repeat_channels": ("any", "same"),
    "survey": ("ignore", "decide"),
}
_NOTHING: tuple[str, ...] = ()
_TAKEN = ("other", "none", "unassigned")  # labels with a meaning of their own
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Reader:
    """One table: takes known keys with a check, and reports the rest."""

    def __init__(self, table: object, path: tuple[str, ...], problems: list[Problem]) -> None:
        self.path = path
        self.problems = problems
        self.left: dict[str, object] = {}
        if isinstance(table, Mapping):
            self.left = dict(table)
        else:
            self.say("expected a table")

    def say(self, message: str, *keys: str) -> None:
        self.problems.append(Problem((*self.path, *keys), message))

    def take(self, key: str, default: T, check: Callable[[object], T | None], expected: str) -> T:
        if key not in self.left:
            return default
        value = self.left.pop(key)
        good = check(value)
        if good is None:
            self.say(f"expected {expected}, got {value!r}", key)
            return default
        return good

    def tables(self, key: str) -> dict[str, "_Reader"]:
        value = self.left.pop(key, {})
        if not isinstance(value, Mapping):
            self.say("expected a table", key)
            return {}
        return {name: _Reader(table, (*self.path, key, name), self.problems) for name, table in value.items()}

    def table(self, key: str) -> "_Reader":
        return _Reader(self.left.pop(key, {}), (*self.path, key), self.problems)

    def done(self) -> None:
        for key in self.left:
            self.say("is not a setting of the policy", key)


def _duration(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _positive(value: object) -> int | None:
    return _duration(value) or None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _zone(value: object) -> str | None:
    try:
        return ZoneInfo(value).key if isinstance(value, str) else None
    except (OSError, ValueError, KeyError):
        return None


def _strings(value: object) -> tuple[str, ...] | None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def _channel_list(value: object) -> tuple[str, ...] | None:
    names = _strings(value)
    return names if names is not None and all(name in CHANNELS for name in names) else None


def _ratio(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= 1 else None


def _week(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        day in _DAYS and isinstance(spans, list) and all(_span(span) for span in spans) for day, spans in value.items()
    )


def _span(value: object) -> bool:
    match value:
        case [str() as begin, str() as end]:
            return 0 <= _clock(begin) < _clock(end)
    return False


def _clock(text: str) -> int:
    """Minutes since midnight of ``HH:MM``; 24:00 is the end of the day; -1 makes a span fail."""
    match = re.fullmatch(r"(\d\d):([0-5]\d)", text, re.ASCII)
    total = int(match[1]) * HOUR_MINUTES + int(match[2]) if match else -1
    return total if total <= 24 * HOUR_MINUTES else -1


def _hours(value: object) -> object | None:
    if _week(value):
        return value
    if isinstance(value, list) and value:
        return value if all(isinstance(v, Mapping) and _week(v.get("week")) for v in value) else None
    return None


def _choice(reader: _Reader, key: str, default: str) -> str:
    choices = _CHOICES[key]

    def check(value: object) -> str | None:
        return value if isinstance(value, str) and value in choices else None

    return reader.take(key, default, check, "one of " + ", ".join(choices))


def _queue(reader: _Reader) -> QueuePolicy:
    queue = QueuePolicy(
        target_ms=reader.take("target_ms", None, _positive, "milliseconds above 0"),
        short_abandon_ms=reader.take("short_abandon_ms", None, _duration, "milliseconds, 0 = off"),
        zone=reader.take("zone", None, _zone, "an IANA zone such as Europe/Berlin"),
        hours=reader.take("hours", None, _hours, 'hours such as { mon = [["09:00", "17:00"]] }'),
        holidays=reader.take("holidays", (), _strings, "a list of dates"),
        channels=reader.take("channels", (), _channel_list, "a list of " + ", ".join(CHANNELS)),
        issues=reader.take("issues", (), _strings, "a list of issue names"),
        group=reader.take("group", "", _string, "a string"),
        site=reader.take("site", "", _string, "a string"),
        owner=reader.take("owner", "", _string, "a string"),
        calendar=reader.take("calendar", None, _string, "the name of a calendar"),
    )
    reader.done()
    return queue


def _channels(root: _Reader) -> Mapping[str, ChannelPolicy]:
    channels = dict(Policy().channels)
    for name, reader in root.tables("channels").items():
        if name not in channels:
            root.say("is not a channel; channels are " + ", ".join(CHANNELS), "channels", name)
            continue
        own = channels[name]
        channels[name] = ChannelPolicy(
            reader.take("timeout_ms", own.timeout_ms, _positive, "milliseconds above 0"),
            reader.take("target_ms", own.target_ms, _positive, "milliseconds above 0"),
            reader.take("response_target_ms", own.response_target_ms, _positive, "milliseconds above 0"),
        )
        reader.done()
    return MappingProxyType(channels)


def _cases(reader: _Reader) -> CasesPolicy:
    own = CasesPolicy()
    cases = CasesPolicy(
        window_ms=reader.take("window_ms", own.window_ms, _positive, "milliseconds above 0"),
        match=_choice(reader, "match", own.match),
        resolution=_choice(reader, "resolution", own.resolution),
        abandoned=_choice(reader, "abandoned", own.abandoned),
        after_hours=_choice(reader, "after_hours", own.after_hours),
        unidentified=_choice(reader, "unidentified", own.unidentified),
    )
    reader.done()
    return cases


def _rule(reader: _Reader, own: RulePolicy) -> RulePolicy:
    rule = RulePolicy(
        channels=reader.take("channels", own.channels, _channel_list, "a list of " + ", ".join(CHANNELS)),
        escalation=_choice(reader, "escalation", own.escalation),
        follow_up=_choice(reader, "follow_up", own.follow_up),
        transfers=_choice(reader, "transfers", own.transfers),
        agents=_choice(reader, "agents", own.agents),
        repeat_channels=_choice(reader, "repeat_channels", own.repeat_channels),
        survey=_choice(reader, "survey", own.survey),
    )
    reader.done()
    return rule


def _rules(root: _Reader) -> Mapping[str, RulePolicy]:
    shipped = Policy().rules
    readers = root.tables("rules")
    start = _rule(readers.pop("contact"), RulePolicy()) if "contact" in readers else RulePolicy()
    rules = {"contact": start}
    for name in (*shipped, *readers):
        if name not in rules:
            own = _over(start, shipped[name]) if name in shipped else start
            rules[name] = _rule(readers[name], own) if name in readers else own
    return MappingProxyType(rules)


def _over(start: RulePolicy, shipped: RulePolicy) -> RulePolicy:
    """``shipped``'s own differences from the defaults, laid over ``start``."""
    plain = RulePolicy()
    names = RulePolicy.__dataclass_fields__
    values = {n: getattr(shipped if getattr(shipped, n) != getattr(plain, n) else start, n) for n in names}
    return RulePolicy(**values)


def read_policy(tables: Table) -> Policy:
    """The policy the tables say, laid over the shipped defaults.

    Raises:
        PolicyError: with every unknown key and every bad value.
    """
    problems: list[Problem] = []
    root = _Reader(tables, (), problems)
    own = Policy()
    issues = {name: _issue(reader) for name, reader in root.tables("issues").items()}
    steps = root.table("steps")
    policy = Policy(
        lateness_ms=root.take("lateness_ms", own.lateness_ms, _duration, "milliseconds"),
        disorder_ms=root.take("disorder_ms", own.disorder_ms, _duration, "milliseconds"),
        zone=root.take("zone", own.zone, _zone, "an IANA zone such as Europe/Berlin"),
        short_abandon_ms=root.take("short_abandon_ms", own.short_abandon_ms, _duration, "milliseconds, 0 = off"),
        channels=_channels(root),
        queues=MappingProxyType({name: _queue(r) for name, r in root.tables("queues").items()}),
        issues=MappingProxyType(issues),
        menus=frozenset(steps.take("menu", _NOTHING, _strings, "a list of menu nodes")),
        cases=_cases(root.table("cases")),
        rules=_rules(root),
        calendars=MappingProxyType({name: _queue(r) for name, r in root.tables("calendars").items()}),
        goals=_goals(root.table("goals")),
    )
    steps.done()
    root.done()
    _check_names(policy, problems)
    if problems:
        raise PolicyError(problems)
    return policy


def _issue(reader: _Reader) -> int | None:
    window = reader.take("window_ms", None, _positive, "milliseconds above 0")
    reader.done()
    return window


def _goals(reader: _Reader) -> Mapping[str, float]:
    defaults = {"abandonment": 0.05, "service_level": 0.80, "fcr": 0.65}
    goals = {n: reader.take(n, value, _ratio, "a share from 0 to 1") for n, value in defaults.items()}
    reader.done()
    return MappingProxyType(goals)


def _check_names(policy: Policy, problems: list[Problem]) -> None:
    said = f"must have 1 to {NAME_LENGTH} characters and not be {', '.join(_TAKEN)}"
    named = [(kind, name) for kind, names in (("queues", policy.queues), ("issues", policy.issues)) for name in names]
    problems.extend(Problem(at, said) for at in named if not 1 <= len(at[1]) <= NAME_LENGTH or at[1] in _TAKEN)
    for name, queue in policy.queues.items():
        if queue.calendar is not None and queue.calendar not in policy.calendars:
            problems.append(Problem(("queues", name, "calendar"), f"there is no calendar {queue.calendar!r}"))
