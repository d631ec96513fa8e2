"""The policy as frozen values: names, targets, windows, rules (2-numbers 2.11).

Made from a TOML file by `policy_reader`; nothing here reads a file. Durations in ms.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from stream.core.calendar import Calendar, Hours
from stream.core.events import CHANNELS

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FIXED_STEPS = frozenset(("welcome", "bot", "hold_message", "callback_offer", "voicemail"))
OTHER = "other"
UNASSIGNED = "unassigned"
NONE = "none"


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """What holds for a channel where a queue says nothing."""

    timeout_ms: int  # silence after which a contact has ended by inference
    target_ms: int  # service level
    response_target_ms: int  # R41


@dataclass(frozen=True, slots=True)
class CalendarPolicy:
    """A calendar that queues may name (2-numbers 2.9); None = the policy's zone, always open, no holidays."""

    zone: str | None = None
    hours: tuple[Hours, ...] | None = None  # versions, in order
    holidays: tuple[str, ...] | None = None  # local days, in order


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """One queue; None = the value of its calendar, its channel or the policy."""

    target_ms: int | None = None
    response_target_ms: int | None = None
    short_abandon_ms: int | None = None
    zone: str | None = None
    hours: tuple[Hours, ...] | None = None
    holidays: tuple[str, ...] | None = None
    channels: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    group: str = ""
    site: str = ""
    owner: str = ""
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class AgentPolicy:
    """One agent whose name may be a label; ``team`` empty = as the agent's events say."""

    team: str = ""


@dataclass(frozen=True, slots=True)
class StaffPolicy:
    """Teams and reasons for a break that keep their name as a label."""

    teams: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CasesPolicy:
    """How contacts become cases (2-numbers 2.7)."""

    window_ms: int = 7 * DAY_MS
    match: str = "issue_if_known"
    resolution: str = "auto"
    abandoned: str = "exclude"
    after_hours: str = "shift"
    unidentified: str = "exclude"


@dataclass(frozen=True, slots=True)
class RulePolicy:
    """One rule of first contact resolution (2-numbers 2.8)."""

    channels: tuple[str, ...] = CHANNELS
    escalation: str = "fail"
    follow_up: str = "fail"
    transfers: str = "allow"
    agents: str = "any"
    repeat_channels: str = "any"
    survey: str = "ignore"


def _default_channels() -> Mapping[str, ChannelPolicy]:
    chat = ChannelPolicy(24 * HOUR_MS, 60_000, 60_000)
    return MappingProxyType(
        {
            "voice": ChannelPolicy(4 * HOUR_MS, 20_000, 180_000),
            "chat": chat,
            "messaging": chat,
            "sms": chat,
            "social": chat,
            "email": ChannelPolicy(30 * DAY_MS, DAY_MS, DAY_MS),
        }
    )


def _default_rules() -> Mapping[str, RulePolicy]:
    return MappingProxyType(
        {
            "contact": RulePolicy(),
            "channel": RulePolicy(repeat_channels="same"),
            "one_touch": RulePolicy(transfers="forbid", agents="one"),
            "survey": RulePolicy(survey="decide"),
        }
    )


def _default_goals() -> Mapping[str, float]:
    return MappingProxyType(
        {"abandonment": 0.05, "service_level": 0.80, "fcr": 0.65, "fcr_high": 0.90, "fcr_low": 0.40}
    )


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Policy:
    """Every definition a figure depends on."""

    lateness_ms: int = DAY_MS
    disorder_ms: int = 60_000
    identity_ttl_ms: int = 400 * DAY_MS  # a link between two ids of a person ends so long after its last use
    zone: str = "UTC"
    short_abandon_ms: int = 5_000
    callback_expires_ms: int = DAY_MS  # a callback that nobody served by then has expired
    channels: Mapping[str, ChannelPolicy] = field(default_factory=_default_channels)
    queues: Mapping[str, QueuePolicy] = field(default_factory=_empty)
    issues: Mapping[str, int | None] = field(default_factory=_empty)  # own window
    menus: frozenset[str] = frozenset()
    cases: CasesPolicy = field(default_factory=CasesPolicy)
    rules: Mapping[str, RulePolicy] = field(default_factory=_default_rules)
    calendars: Mapping[str, CalendarPolicy] = field(default_factory=_empty)
    agents: Mapping[str, AgentPolicy] = field(default_factory=_empty)  # opt-in: figures by agent
    staff: StaffPolicy = field(default_factory=StaffPolicy)
    goals: Mapping[str, float] = field(default_factory=_default_goals)
    queue_goals: Mapping[str, Mapping[str, float]] = field(default_factory=_empty)  # what differs, by queue

    def queue_label(self, queue: str) -> str:
        """The queue's name if the policy lists it, else ``other``."""
        return queue if queue in self.queues or queue == UNASSIGNED else OTHER

    def issue_label(self, issue: str | None) -> str:
        """The issue's name if the policy lists it, ``none`` where it is not known, else ``other``."""
        if issue is None:
            return NONE
        return issue if issue in self.issues else OTHER

    def agent_label(self, agent: str) -> str:
        """The agent's name if the policy lists it, else ``other``; asked only where it lists any."""
        return agent if agent in self.agents else OTHER

    def team_label(self, team: str | None, agent: str) -> str:
        """The team an event names, else that of the agent's entry, else ``none``; an unlisted one is ``other``."""
        if team is None:
            own = self.agents.get(agent)
            team = own.team if own is not None and own.team else NONE
        return team if team in self.staff.teams or team == NONE else OTHER

    def reason_label(self, reason: str | None) -> str:
        """Why an agent is on a break: ``none`` where nothing is said, ``other`` if unlisted."""
        if reason is None:
            return NONE
        return reason if reason in self.staff.reasons else OTHER

    @cached_property
    def any_hours(self) -> bool:
        """Whether any queue is ever closed by its calendar."""
        return any(map(self.has_hours, self.queues))

    def has_hours(self, queue: str) -> bool:
        """Whether the queue is ever closed by its calendar."""
        return self.calendar(queue).closes

    @cached_property
    def _steps(self) -> frozenset[str]:
        return FIXED_STEPS | {f"menu:{node}" for node in self.menus}

    def lists_step(self, step: str) -> bool:
        """Whether a step keeps its name as a label."""
        return step in self._steps

    def step_label(self, step: str) -> str:
        """The step's name if it is a fixed step or a listed menu node, else ``other``."""
        return step if step in self._steps else OTHER

    def target_ms(self, channel: str, queue: str) -> int:
        """Service level target of the queue, else of its channel."""
        own = self.queues.get(queue)
        if own is not None and own.target_ms is not None:
            return own.target_ms
        return self.channels[channel].target_ms

    def response_target_ms(self, channel: str, queue: str) -> int:
        """Target of the first response of the queue, else of its channel (R41)."""
        own = self.queues.get(queue)
        if own is not None and own.response_target_ms is not None:
            return own.response_target_ms
        return self.channels[channel].response_target_ms

    def short_ms(self, queue: str) -> int:
        """Abandons with a shorter wait are short; 0 = the class is off."""
        own = self.queues.get(queue)
        if own is not None and own.short_abandon_ms is not None:
            return own.short_abandon_ms
        return self.short_abandon_ms

    def window_ms(self, issue: str | None) -> int:
        """W of 2-numbers 2.7: the issue's own window, else the default."""
        own = self.issues.get(issue) if issue is not None else None
        return self.cases.window_ms if own is None else own

    def goals_of(self, queue: str) -> Mapping[str, float]:
        """The goals and bands of a queue by kind: its own, else those of the policy (R08).

        First contact resolution is good from ``fcr`` on and high from ``fcr_high`` on, and low under ``fcr_low``.
        """
        return {**self.goals, **self.queue_goals.get(queue, {})}

    def calendar(self, queue: str) -> Calendar:
        """The calendar of a queue, the same object each time; an unlisted queue has the policy's zone, always open."""
        return self._calendars.get(queue, self._own_calendar)

    @cached_property
    def _own_calendar(self) -> Calendar:
        return Calendar(self.zone)

    @cached_property
    def _calendars(self) -> Mapping[str, Calendar]:
        return {name: self._calendar_of(queue) for name, queue in self.queues.items()}

    def _calendar_of(self, queue: QueuePolicy) -> Calendar:
        named = self.calendars.get(queue.calendar or "", CalendarPolicy())
        hours = named.hours if queue.hours is None else queue.hours
        holidays = named.holidays if queue.holidays is None else queue.holidays
        return Calendar(queue.zone or named.zone or self.zone, hours or (), holidays or ())

    @cached_property
    def longest_window_ms(self) -> int:
        """The largest W of all issues."""
        return max(self.cases.window_ms, *(w for w in self.issues.values() if w), 0)

    @cached_property
    def _kept(self) -> dict[str, int]:
        return {name: max(self.longest_window_ms, channel.timeout_ms) for name, channel in self.channels.items()}

    def kept_ms(self, channel: str) -> int:
        """K of 1-events 1.5: an event this much after its predecessor is a new generation."""
        return self._kept[channel]
