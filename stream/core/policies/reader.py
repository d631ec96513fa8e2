"""From the tables of a policy file to a `Policy`, or every problem at once (2-numbers 2.11).

`read_policy` takes the parsed TOML (dicts, lists, numbers, strings, dates); reading the file and finding the line of
a problem are not its business. Lists whose order says nothing are put in order, so that it does not change the hash.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from stream.core.events import CHANNELS
from stream.core.policies.calendar_reader import take_holidays, take_hours, take_zone
from stream.core.policies.tables import (
    PolicyError,
    Problem,
    T,
    Table,
    TableReader,
    duration,
    positive,
    ratio,
    string,
    strings,
)
from stream.core.policy import (
    HOUR_MS,
    AgentPolicy,
    CalendarPolicy,
    CasesPolicy,
    ChannelPolicy,
    Policy,
    QueuePolicy,
    RulePolicy,
    StaffPolicy,
)

NAME_LENGTH = 64
MOST_AGENTS = 500  # each brings some twenty series for every channel
CHOICES: Mapping[str, tuple[str, ...]] = {
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
"""What a key of ``[cases]`` or of a rule may say."""
_NOTHING: tuple[str, ...] = ()
_LABEL = f"a text of at most {NAME_LENGTH} characters"
_CHANNEL_NAMES = "a list of " + ", ".join(CHANNELS)
_RULE_NAME = re.compile(rf"[A-Za-z0-9_.-]{{1,{NAME_LENGTH}}}")
_TAKEN = ("other", "none", "unassigned")  # labels with a meaning of their own


def _channel_list(value: object) -> tuple[str, ...] | None:
    names = strings(value)
    if names is None or not set(names) <= set(CHANNELS):
        return None
    return tuple(name for name in CHANNELS if name in names)


def _some_channels(value: object) -> tuple[str, ...] | None:
    return _channel_list(value) or None


def _names(value: object) -> tuple[str, ...] | None:
    names = strings(value)
    return None if names is None else tuple(sorted(set(names)))


def _label(value: object) -> str | None:
    text = string(value)
    return text if text is not None and len(text) <= NAME_LENGTH and (text.isprintable() or not text) else None


def _window(reader: TableReader, default: T) -> T | int:
    """The key ``window_ms``; what happens within an hour is not kept apart, so no shorter one could be told."""
    said = f"at least {HOUR_MS:_} ms (one hour), because pauses shorter than an hour are not kept"
    own = reader.take("window_ms", None, _hour_or_more, said)
    return default if own is None else own


def _hour_or_more(value: object) -> int | None:
    ms = duration(value)
    return ms if ms is not None and ms >= HOUR_MS else None


def _choice(reader: TableReader, key: str, default: str) -> str:
    choices = CHOICES[key]

    def check(value: object) -> str | None:
        return value if isinstance(value, str) and value in choices else None

    return reader.take(key, default, check, "one of " + ", ".join(choices))


def _queue(reader: TableReader) -> QueuePolicy:
    queue = QueuePolicy(
        target_ms=reader.take("target_ms", None, positive, "milliseconds above 0"),
        response_target_ms=reader.take("response_target_ms", None, positive, "milliseconds above 0"),
        short_abandon_ms=reader.take("short_abandon_ms", None, duration, "milliseconds, 0 = off"),
        zone=take_zone(reader),
        hours=take_hours(reader),
        holidays=take_holidays(reader),
        channels=reader.take("channels", (), _channel_list, _CHANNEL_NAMES),
        issues=reader.take("issues", (), _names, "a list of issue names"),
        group=reader.take("group", "", _label, _LABEL),
        site=reader.take("site", "", _label, _LABEL),
        owner=reader.take("owner", "", _label, _LABEL),
        calendar=reader.take("calendar", None, string, "the name of a calendar"),
    )
    reader.done()
    return queue


def _calendar(reader: TableReader) -> CalendarPolicy:
    calendar = CalendarPolicy(take_zone(reader), take_hours(reader), take_holidays(reader))
    reader.done()
    return calendar


def _channels(root: TableReader) -> Mapping[str, ChannelPolicy]:
    channels = dict(Policy().channels)
    for name, reader in root.tables("channels").items():
        if name not in channels:
            root.say("is not a channel; channels are " + ", ".join(CHANNELS), "channels", name)
            continue
        own = channels[name]
        channels[name] = ChannelPolicy(
            reader.take("timeout_ms", own.timeout_ms, positive, "milliseconds above 0"),
            reader.take("target_ms", own.target_ms, positive, "milliseconds above 0"),
            reader.take("response_target_ms", own.response_target_ms, positive, "milliseconds above 0"),
        )
        reader.done()
    return MappingProxyType(channels)


def _cases(reader: TableReader) -> CasesPolicy:
    own = CasesPolicy()
    cases = CasesPolicy(
        window_ms=_window(reader, own.window_ms),
        match=_choice(reader, "match", own.match),
        resolution=_choice(reader, "resolution", own.resolution),
        abandoned=_choice(reader, "abandoned", own.abandoned),
        after_hours=_choice(reader, "after_hours", own.after_hours),
        unidentified=_choice(reader, "unidentified", own.unidentified),
    )
    reader.done()
    return cases


def _rule(reader: TableReader, own: RulePolicy) -> RulePolicy:
    rule = RulePolicy(
        channels=reader.take("channels", own.channels, _some_channels, _CHANNEL_NAMES),
        escalation=_choice(reader, "escalation", own.escalation),
        follow_up=_choice(reader, "follow_up", own.follow_up),
        transfers=_choice(reader, "transfers", own.transfers),
        agents=_choice(reader, "agents", own.agents),
        repeat_channels=_choice(reader, "repeat_channels", own.repeat_channels),
        survey=_choice(reader, "survey", own.survey),
    )
    reader.done()
    return rule


def _rules(root: TableReader) -> Mapping[str, RulePolicy]:
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
    root = TableReader(tables, (), problems)
    own = Policy()
    issues = {name: _issue(reader) for name, reader in root.tables("issues").items()}
    steps = root.table("steps")
    goals, queue_goals = _goals(root.table("goals"))
    staff = root.table("staff")
    policy = Policy(
        lateness_ms=root.take("lateness_ms", own.lateness_ms, duration, "milliseconds"),
        disorder_ms=root.take("disorder_ms", own.disorder_ms, duration, "milliseconds"),
        identity_ttl_ms=root.take("identity_ttl_ms", own.identity_ttl_ms, positive, "milliseconds above 0"),
        zone=take_zone(root) or own.zone,
        short_abandon_ms=root.take("short_abandon_ms", own.short_abandon_ms, duration, "milliseconds, 0 = off"),
        callback_expires_ms=root.take("callback_expires_ms", own.callback_expires_ms, positive, "milliseconds above 0"),
        channels=_channels(root),
        queues=MappingProxyType({name: _queue(r) for name, r in root.tables("queues").items()}),
        issues=MappingProxyType(issues),
        menus=frozenset(steps.take("menu", _NOTHING, strings, "a list of menu nodes")),
        cases=_cases(root.table("cases")),
        rules=_rules(root),
        calendars=MappingProxyType({name: _calendar(r) for name, r in root.tables("calendars").items()}),
        agents=MappingProxyType({name: _agent(reader) for name, reader in root.tables("agents").items()}),
        staff=StaffPolicy(
            staff.take("teams", _NOTHING, _names, "a list of team names"),
            staff.take("reasons", _NOTHING, _names, "a list of reasons"),
        ),
        goals=goals,
        queue_goals=queue_goals,
    )
    steps.done()
    staff.done()
    root.done()
    _check_names(policy, problems)
    if problems:
        raise PolicyError(problems)
    return policy


def _issue(reader: TableReader) -> int | None:
    window = _window(reader, None)
    reader.done()
    return window


def _agent(reader: TableReader) -> AgentPolicy:
    agent = AgentPolicy(reader.take("team", "", _label, _LABEL))
    reader.done()
    return agent


def _goals(reader: TableReader) -> tuple[Mapping[str, float], Mapping[str, Mapping[str, float]]]:
    """``[goals]`` laid over the defaults, and what ``[goals.queues.X]`` says."""
    share = "a share from 0 to 1"
    goals = {kind: reader.take(kind, value, ratio, share) for kind, value in Policy().goals.items()}
    queue_goals = {}
    for queue, own in reader.tables("queues").items():
        said = {kind: own.take(kind, goals[kind], ratio, share) for kind in goals if kind in own.left}
        queue_goals[queue] = MappingProxyType(said)
        own.done()
    reader.done()
    return MappingProxyType(goals), MappingProxyType(queue_goals)


def _check_names(policy: Policy, problems: list[Problem]) -> None:
    said = f"must have 1 to {NAME_LENGTH} printable characters and not be {', '.join(_TAKEN)}"
    kinds = {"queues": policy.queues, "issues": policy.issues, "calendars": policy.calendars, "agents": policy.agents}
    named = [(kind, name) for kind, names in kinds.items() for name in names]
    named += [("staff", name) for name in (*policy.staff.teams, *policy.staff.reasons)]
    problems.extend(Problem(at, said) for at in named if not nameable(at[1]))
    problems.extend(
        Problem(("steps", "menu"), f"{node!r} {said}") for node in sorted(policy.menus) if not nameable(node)
    )
    said = f"must have 1 to {NAME_LENGTH} letters (A to Z), digits, dots, dashes or underscores"
    problems.extend(Problem(("rules", name), said) for name in policy.rules if not _RULE_NAME.fullmatch(name))
    for name, queue in policy.queues.items():
        if queue.calendar is not None and queue.calendar not in policy.calendars:
            problems.append(Problem(("queues", name, "calendar"), f"there is no calendar {queue.calendar!r}"))
        unknown = [issue for issue in queue.issues if issue not in policy.issues]
        problems.extend(Problem(("queues", name, "issues"), f"there is no issue {i!r} in [issues]") for i in unknown)
    if len(policy.agents) > MOST_AGENTS:
        problems.append(Problem(("agents",), f"names {len(policy.agents)} agents, at most {MOST_AGENTS} are allowed"))
    for name, agent in policy.agents.items():
        if agent.team and agent.team not in policy.staff.teams:
            problems.append(Problem(("agents", name, "team"), f"there is no team {agent.team!r} in [staff] teams"))
    _check_bands(("goals", "fcr"), policy.goals, problems)
    for name in policy.queue_goals:
        _check_bands(("goals", "queues", name, "fcr"), policy.goals_of(name), problems)
    strangers = [queue for queue in policy.queue_goals if queue not in policy.queues]
    problems.extend(Problem(("goals", "queues", queue), "there is no such queue in [queues]") for queue in strangers)


def _check_bands(at: tuple[str, ...], goals: Mapping[str, float], problems: list[Problem]) -> None:
    """The goal of first contact resolution lies between its bands."""
    low, goal, high = (goals[kind] for kind in ("fcr_low", "fcr", "fcr_high"))
    if not low <= goal <= high:
        problems.append(Problem(at, f"is {goal}, which is not between fcr_low {low} and fcr_high {high}"))


def nameable(name: str) -> bool:
    """Whether a queue, an issue or anybody may have this name in a policy."""
    return 1 <= len(name) <= NAME_LENGTH and name.isprintable() and name not in _TAKEN
