"""Policies for the laws of cases: every mode of grouping, resolving and ruling, from a seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from stream.core.policies.reader import CHOICES, read_policy
from stream.core.policy import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from stream.core.policy import Policy

AGES_MS = 4_000 * DAY_MS  # a lateness with which nothing is late and nothing leaves
DIRECT = ["voice", "chat"]
OFFICE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
LATE = {day: [["00:00", "02:30"], ["22:15", "24:00"]] for day in ("mon", "sat", "sun")}
SHIFTS = [{"effective_from": "2026-01-01", "week": OFFICE}, {"effective_from": "2026-03-08", "week": OFFICE | LATE}]
CALENDAR = {"zone": "America/New_York", "hours": SHIFTS, "holidays": ["2026-03-09"]}
AGENTS: dict[str, dict[str, str]] = {"anna": {}, "ben": {}}


def policy_of(seed: int, window_ms: int = 7 * DAY_MS, **over: Any) -> Policy:  # noqa: ANN401  any value of a policy file
    """A policy; most of it as shipped, the rest by the dice. ``over`` lays values over the top level."""
    dice = random.Random(seed)  # noqa: S311  a seed, not a secret
    hours = dice.random() < 0.5
    cases = {name: dice.choice(CHOICES[name]) for name in ("match", "resolution", "abandoned", "after_hours")}
    shipped = {"match": "issue_if_known", "resolution": "auto", "abandoned": "exclude", "after_hours": "shift"}
    tables = {
        "lateness_ms": AGES_MS,
        "queues": {
            "billing": {"hours": OFFICE, "zone": "Europe/Berlin"} if hours else {},
            "sales": {"calendar": "shop"} if dice.random() < 0.4 else {"zone": "America/New_York"},
        },
        "calendars": {"shop": CALENDAR},
        "agents": AGENTS if dice.random() < 0.6 else {},
        "issues": {"invoice": {}, "refund": {"window_ms": DAY_MS}, "login": {"window_ms": 12 * HOUR_MS}},
        "cases": {
            **{name: value if dice.random() < 0.4 else shipped[name] for name, value in cases.items()},
            "window_ms": window_ms,
            "unidentified": dice.choice(CHOICES["unidentified"]),
        },
        "rules": {
            "voice_only": {"channels": ["voice"]},
            "generous": {"follow_up": "allow", "escalation": "allow"},
            "strict": {
                "transfers": "forbid",
                "agents": "one",
                "repeat_channels": "same",
                "channels": ["voice", "chat"],
            },
        },
    }
    return read_policy({**tables, **over})
