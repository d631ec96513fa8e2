"""The tables a report can show: which figures, by which labels, in which columns; as data.

A column is a count, or a numerator with its denominator. A quotient is made only where it is shown, so that rows can be
added; where the denominator is 0 there is no value. `Sheet.of` makes the values of one row, or of a sum of rows.

Source: 5-operating 5.4, 2-numbers 2.2 to 2.8.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

from stream.core.figures.families import (
    CALLBACK_OUTCOMES,
    CONTACT_OUTCOMES,
    DIRECTIONS,
    STEP_OUTCOMES,
    VISIT_OUTCOMES,
    bounds_ms,
)
from stream.core.figures.ratios import QueueCounts, Ratio, abandonment, service_levels
from stream.core.policy import NONE
from stream.core.reports.sums import Key, Sums, side

Unit = Literal["count", "share", "seconds"]
Value = int | Ratio
Values = Mapping[str, Value]

_VISITS: Final = "contact_visits_total"
_WAIT: Final = "contact_wait_seconds_sum"
_RESPONSE: Final = "contact_first_response_seconds"
_RESOLUTION: Final = "contact_resolution_seconds"
_FULL: Final = "contact_full_resolution_seconds"
_FCR: Final = "contact_fcr_cases_total"
_LEFT_BY_DESIGN: Final = ("callback", "voicemail", "overflow", "transferred", "external")
_HANDLED_MS: Final = ("contact_handle_seconds_sum",)
_MINUTE: Final = 60.0
_HOUR: Final = 3600.0


class Column(NamedTuple):
    """One column: a count, or a share or mean time as (numerator, denominator); numerators of times are in ms."""

    name: str  # in CSV and JSON
    title: str  # for people
    unit: Unit
    of: Callable[[Sums], Value]


class Sheet(NamedTuple):
    """One table."""

    name: str
    says: str
    rows: tuple[str, ...]  # the labels a row goes by
    columns: tuple[Column, ...]
    series: frozenset[str]
    channels: tuple[str, ...] = ()  # of these channels only; empty = of all

    def of(self, sums: Sums) -> Values:
        """The values of a row by column."""
        return {column.name: column.of(sums) for column in self.columns}

    def sides(self, attribution: str) -> dict[str, str]:
        """Column -> the attribution it is really taken from, where ``attribution`` was asked for."""
        found = {}
        for column in self.columns:
            asked = _Asked()
            column.of(asked)
            found[column.name] = " and ".join(sorted({side(key, attribution) for key in asked.keys_asked}))
        return found


class _Asked(dict[Key, int]):
    """Nothing but zeros; remembers which figures it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.keys_asked: list[Key] = []

    def get(self, key: Key, _default: int | None = None) -> int:  # type: ignore[override]  # only ever asked with 0
        self.keys_asked.append(key)
        return 0


def queue_counts(sums: Sums) -> QueueCounts:
    """The finished visits of a row, as the rates of `ratios` take them."""
    return QueueCounts(
        {outcome: sums.get((_VISITS, outcome), 0) for outcome in VISIT_OUTCOMES},
        sums.get(("contact_answered_in_target_total",), 0),
        sums.get(("contact_abandoned_in_target_total",), 0),
    )


def _count(name: str, title: str, *keys: Key) -> Column:
    return Column(name, title, "count", lambda sums: _sum(sums, *keys))


def _share(name: str, title: str, part: Key, whole: Key) -> Column:
    return Column(name, title, "share", lambda sums: (_sum(sums, part), _sum(sums, whole)))


def _mean(name: str, title: str, time: Key, *counts: Key) -> Column:
    return Column(name, title, "seconds", lambda sums: (_sum(sums, time), _sum(sums, *counts)))


def _sum(sums: Sums, *keys: Key) -> int:
    return sum(sums.get(key, 0) for key in keys)


def _visits(name: str, title: str, *outcomes: str) -> Column:
    return _count(name, title, *((_VISITS, outcome) for outcome in outcomes))


QUEUES: Final = Sheet(
    "queues",
    "queue visits: offered, answered, abandoned, lost, service level, waits; handled contacts and handle time",
    ("channel", "queue"),
    (
        _count("offered", "offered", ("contact_visits_entered_total",)),
        _visits("answered", "answered", "answered"),
        _count("in_target", "in target", ("contact_answered_in_target_total",)),
        _visits("abandoned", "abandoned", "abandoned", "exited"),
        _visits("short", "short", "abandoned_short"),
        Column("lost", "lost", "count", lambda sums: queue_counts(sums).lost),
        _visits("other", "other", *_LEFT_BY_DESIGN, "unknown"),
        Column("service_level", "service level", "share", lambda sums: service_levels(queue_counts(sums))["SL3"]),
        Column("net_abandonment", "abandonment", "share", lambda sums: abandonment(queue_counts(sums))["net"]),
        _mean("speed_of_answer", "speed of answer", (_WAIT, "answered"), (_VISITS, "answered")),
        _count("handled", "handled", ("contact_handled_total",)),
        _mean("handle_time", "handle time", _HANDLED_MS, ("contact_handled_total",)),
    ),
    frozenset(
        (
            "contact_visits_entered_total",
            _VISITS,
            "contact_answered_in_target_total",
            "contact_abandoned_in_target_total",
            _WAIT,
            "contact_handled_total",
            *_HANDLED_MS,
        )
    ),
)

CONTACTS: Final = Sheet(
    "contacts",
    "contacts by channel: arrivals by direction and outside opening hours, and what became of those from outside",
    ("channel",),
    (
        _count("arrivals", "arrivals", *(("contact_arrivals_total", direction) for direction in DIRECTIONS)),
        *(_count(direction, direction, ("contact_arrivals_total", direction)) for direction in DIRECTIONS),
        _count("outside_opening", "outside opening", ("contact_arrivals_outside_opening_total",)),
        *(
            _count(outcome, outcome.replace("_", " "), ("contact_contacts_total", outcome))
            for outcome in CONTACT_OUTCOMES
        ),
    ),
    frozenset(("contact_arrivals_total", "contact_arrivals_outside_opening_total", "contact_contacts_total")),
)


def _bands(family: str, channel: str, edges: Mapping[str, float]) -> tuple[Column, ...]:
    """Columns of what a histogram counts by the time it took: each edge is one of its bounds, in seconds."""
    bounds = [bound / 1000 for bound in bounds_ms(family, channel)]
    columns, low = [], 0.0
    for name, high in edges.items():
        inside = [f"{bound}" for bound in bounds if low < bound <= high]
        inside += ["+Inf"] if high > bounds[-1] else []
        title = name.replace("up_to_", "≤ ").replace("over_", "> ").replace("_", " ")
        columns.append(_count(name, title, *((f"{family}_bucket", bound) for bound in inside)))
        low = high
    return tuple(columns)


def _all_of(family: str, channel: str) -> tuple[Key, ...]:
    """Every bucket of a histogram: what it counts in all."""
    bounds = [str(bound / 1000) for bound in bounds_ms(family, channel)]
    return tuple((f"{family}_bucket", bound) for bound in (*bounds, "+Inf"))


def _responses(name: str, says: str, channels: tuple[str, ...], edges: Mapping[str, float]) -> Sheet:
    every = _all_of(_RESPONSE, channels[0])
    mean = _mean("mean", "mean", (f"{_RESPONSE}_sum",), *every)
    reached = Column(
        "in_target",
        "in target",
        "share",
        lambda sums: (_sum(sums, ("contact_responses_in_target_total",)), _sum(sums, *every)),
    )
    columns = (_count("responses", "responses", *every), *_bands(_RESPONSE, channels[0], edges), reached, mean)
    series = (f"{_RESPONSE}_bucket", f"{_RESPONSE}_sum", "contact_responses_in_target_total")
    return Sheet(name, says, ("channel", "queue"), columns, frozenset(series), channels)


RESPONSES: Final = _responses(
    "responses",
    "first responses on voice, chat, messaging, sms and social by the time they took",
    ("voice", "chat", "messaging", "sms", "social"),
    {
        "up_to_20_s": 20,
        "20_s_to_1_min": _MINUTE,
        "1_to_3_min": 3 * _MINUTE,
        "3_to_10_min": 10 * _MINUTE,
        "10_to_60_min": _HOUR,
        "1_to_2_h": 2 * _HOUR,
        "over_2_h": float("inf"),
    },
)
REPLIES: Final = _responses(
    "replies",
    "first replies to e-mail by the time they took",
    ("email",),
    {
        "up_to_1_h": _HOUR,
        "1_to_2_h": 2 * _HOUR,
        "2_to_6_h": 6 * _HOUR,
        "6_to_12_h": 12 * _HOUR,
        "12_to_24_h": 24 * _HOUR,
        "24_to_48_h": 48 * _HOUR,
        "over_48_h": float("inf"),
    },
)

STEPS: Final = Sheet(
    "steps",
    "steps before the queue: entered, how they ended, and the share of those ended in which the caller gave up",
    ("channel", "step"),
    (
        *(_count(name, name.replace("_", " "), ("contact_steps_total", name)) for name in STEP_OUTCOMES),
        Column(
            "abandonment",
            "abandonment",
            "share",
            lambda sums: (
                _sum(sums, ("contact_steps_total", "abandoned")),
                _sum(sums, *(("contact_steps_total", ending) for ending in STEP_OUTCOMES[1:])),
            ),
        ),
    ),
    frozenset(("contact_steps_total",)),
)

_ASKED: Final = "contact_callbacks_total"
_CALLBACK_WAIT: Final = ("contact_callback_wait_seconds_sum",)
CALLBACKS: Final = Sheet(
    "callbacks",
    "callbacks by queue, and the speed of answer without and with them",
    ("queue",),
    (
        *(_count(name, name, (_ASKED, name)) for name in CALLBACK_OUTCOMES),
        _mean("callback_wait", "callback wait", _CALLBACK_WAIT, (_ASKED, "reached")),
        _visits("answered", "answered", "answered"),
        _mean("speed_of_answer", "speed of answer", (_WAIT, "answered"), (_VISITS, "answered")),
        Column(
            "speed_of_answer_with_callbacks",
            "with callbacks",
            "seconds",
            lambda sums: (
                _sum(sums, (_WAIT, "answered"), _CALLBACK_WAIT),
                _sum(sums, (_VISITS, "answered"), (_ASKED, "reached")),
            ),
        ),
    ),
    frozenset((_ASKED, *_CALLBACK_WAIT, _VISITS, _WAIT)),
)

AGENTS: Final = Sheet(
    "agents",
    "agents that the policy names: handled, handle time, first responses, first contact resolution, repeats",
    ("channel", "agent"),
    (
        _count("handled", "handled", ("contact_agent_handled_total",)),
        _mean("handle_time", "handle time", ("contact_agent_handle_seconds_total",), ("contact_agent_handled_total",)),
        _count("first_responses", "first responses", ("contact_agent_first_responses_total",)),
        _mean(
            "response_time",
            "response time",
            ("contact_agent_first_response_seconds_total",),
            ("contact_agent_first_responses_total",),
        ),
        _share(
            "first_contact_resolution",
            "FCR",
            ("contact_agent_fcr_credited_total",),
            ("contact_agent_fcr_eligible_total",),
        ),
        _share("repeats", "repeats", ("contact_agent_repeats_total",), ("contact_agent_contacts_total",)),
    ),
    frozenset(
        (
            "contact_agent_handled_total",
            "contact_agent_handle_seconds_total",
            "contact_agent_first_responses_total",
            "contact_agent_first_response_seconds_total",
            "contact_agent_fcr_credited_total",
            "contact_agent_fcr_eligible_total",
            "contact_agent_repeats_total",
            "contact_agent_contacts_total",
        )
    ),
)


def cases(rule: str) -> Sheet:
    """Cases by the interval in which they began, under one rule of first contact resolution.

    The bounds take every case received as one of the rule, because cells do not tell which are not: a ticket without a
    contact widens them, and holds the settled figure back. Source: 2-numbers 2.7 and 2.8.
    """
    received, handled = ("contact_cases_opened_total",), ("contact_cases_handled_total",)
    credited, settled, failed = ((_FCR, rule, state) for state in ("credited", "settled", "failed"))

    def settled_share(sums: Sums) -> Ratio:
        """No value while any case is provisional or open: failures show early, successes settle last."""
        done = _sum(sums, settled, failed)
        return (_sum(sums, settled), done if done == _sum(sums, received) else 0)

    def known(sums: Sums) -> int:
        """Cases that the rule may count; one that nobody handled yet says nothing."""
        return _sum(sums, received) if _sum(sums, handled, credited, failed) else 0

    return Sheet(
        "cases",
        "cases by when they began: received, handled, resolved, and first contact resolution under a rule",
        ("channel", "queue"),
        (
            _count("received", "received", received),
            _count("handled", "handled", handled),
            _count("resolved", "resolved", ("contact_cases_resolved_total",)),
            _count("reopened", "reopened", ("contact_cases_reopened_total",)),
            _count("credited", "credited", credited),
            _count("settled", "settled", settled),
            _count("failed", "failed", failed),
            Column("fcr", "FCR so far", "share", lambda s: (_sum(s, credited), _sum(s, credited, failed))),
            Column("fcr_at_worst", "at worst", "share", lambda s: (_sum(s, settled), known(s))),
            Column("fcr_at_best", "at best", "share", lambda s: (max(0, known(s) - _sum(s, failed)), known(s))),
            Column("fcr_settled", "FCR settled", "share", settled_share),
        ),
        frozenset(
            (
                *received,
                *handled,
                "contact_cases_resolved_total",
                "contact_cases_reopened_total",
                _FCR,
            )
        ),
    )


RESOLUTIONS: Final = Sheet(
    "resolutions",
    "cases by when they began: the time to their first resolution, and to the one that stands",
    ("channel", "issue"),
    (
        _count("resolved", "resolved", *_all_of(_RESOLUTION, NONE)),
        _mean("first", "first resolution", (f"{_RESOLUTION}_sum",), *_all_of(_RESOLUTION, NONE)),
        _count("stand", "stand resolved", *_all_of(_FULL, NONE)),
        _mean("full", "full resolution", (f"{_FULL}_sum",), *_all_of(_FULL, NONE)),
        *_bands(
            _FULL,
            NONE,
            {
                "up_to_1_h": _HOUR,
                "1_to_6_h": 6 * _HOUR,
                "6_to_24_h": 24 * _HOUR,
                "1_to_3_d": 72 * _HOUR,
                "3_to_7_d": 168 * _HOUR,
                "over_7_d": float("inf"),
            },
        ),
    ),
    frozenset(f"{family}_{part}" for family in (_RESOLUTION, _FULL) for part in ("bucket", "sum")),
)


SHEETS: Final = ("queues", "contacts", "responses", "replies", "steps", "callbacks", "agents", "cases", "resolutions")


def sheet(name: str, rule: str) -> Sheet:
    """A table by its name, one of `SHEETS`; ``rule`` matters to the cases only."""
    fixed = {each.name: each for each in (QUEUES, CONTACTS, RESPONSES, REPLIES, STEPS, CALLBACKS, AGENTS, RESOLUTIONS)}
    return fixed.get(name) or cases(rule)
