"""Every family the simulated world knows the truth of, with its labels in order; and the bounds of its histograms.

Names, labels and bounds are written down here once more, so that nothing is shared with the program under test.

Source: 3-metrics 3.2, 2-numbers 2.6.
"""

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

BOUNDS_MS: Final = tuple(
    1_000 * seconds for seconds in (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 1_800, 3_600, 7_200)
)
"""Upper bounds of the histograms of calls and chats, inclusive, ms (2.6)."""
HOURS_MS: Final = tuple(3_600_000 * hours for hours in (1, 2, 3, 4, 5, 6, 12, 24, 48, 72, 168))
"""Upper bounds of the histograms of e-mail and of cases, inclusive, ms (2.6)."""

_CHANNEL_QUEUE: Final = ("channel", "queue")
_AGENT: Final = ("agent", "channel")
_PLACE: Final = ("channel", "queue", "issue")

FAMILIES: Final = MappingProxyType(
    {
        "contact_arrivals_total": ("channel", "direction"),
        "contact_arrivals_outside_opening_total": ("channel",),
        "contact_visits_entered_total": _CHANNEL_QUEUE,
        "contact_visits_total": ("channel", "queue", "outcome"),
        "contact_answered_in_target_total": _CHANNEL_QUEUE,
        "contact_abandoned_in_target_total": _CHANNEL_QUEUE,
        "contact_offers_missed_total": ("queue", "reason"),
        "contact_steps_total": ("step", "outcome"),
        "contact_step_seconds_total": ("step",),
        "contact_step_repeats_total": ("step",),
        "contact_abandoned_path_total": ("channel", "menu_steps"),
        "contact_contacts_total": ("channel", "outcome"),
        "contact_transfers_total": ("channel", "queue", "kind"),
        "contact_escalations_total": _CHANNEL_QUEUE,
        "contact_escalated_contacts_total": _CHANNEL_QUEUE,
        "contact_escalated_wait_seconds_total": _CHANNEL_QUEUE,
        "contact_escalated_handle_seconds_total": _CHANNEL_QUEUE,
        "contact_ended_on_hold_total": _CHANNEL_QUEUE,
        "contact_ended_unresolved_total": _CHANNEL_QUEUE,
        "contact_agent_dropped_total": _CHANNEL_QUEUE,
        "contact_misroutes_total": _CHANNEL_QUEUE,
        "contact_callbacks_total": ("queue", "outcome"),
        "contact_handled_total": _CHANNEL_QUEUE,
        "contact_talk_seconds_total": _CHANNEL_QUEUE,
        "contact_hold_seconds_total": _CHANNEL_QUEUE,
        "contact_wrapup_seconds_total": _CHANNEL_QUEUE,
        "contact_responses_in_target_total": _CHANNEL_QUEUE,
        "contact_response_excess_seconds_total": ("channel", "issue"),
        "contact_resolutions_total": ("channel", "confirmed"),
        "contact_team_status_seconds_total": ("team", "status"),
        "contact_agent_status_seconds_total": ("agent", "status"),
        "contact_agent_handled_total": _AGENT,
        "contact_agent_handle_seconds_total": _AGENT,
        "contact_agent_first_responses_total": _AGENT,
        "contact_agent_first_response_seconds_total": _AGENT,
        "contact_stream_quality_total": ("kind",),
    }
)
"""Counters of contacts and agents the truth is complete in."""

HISTOGRAMS: Final = MappingProxyType(
    {
        "contact_wait_seconds": ("channel", "queue", "outcome"),
        "contact_wait_open_seconds": ("channel", "queue", "outcome"),
        "contact_handle_seconds": _CHANNEL_QUEUE,
        "contact_first_response_seconds": _CHANNEL_QUEUE,
        "contact_first_response_open_seconds": _CHANNEL_QUEUE,
        "contact_next_response_seconds": _CHANNEL_QUEUE,
        "contact_next_response_open_seconds": _CHANNEL_QUEUE,
        "contact_callback_wait_seconds": ("queue",),
    }
)
"""Histograms of contacts the truth is complete in: `_count`, `_sum` and cumulative `_bucket` series."""

GAUGES: Final = MappingProxyType(
    {
        "contact_queue_waiting": _CHANNEL_QUEUE,
        "contact_queue_oldest_entered_timestamp_seconds": _CHANNEL_QUEUE,
        "contact_unanswered": _CHANNEL_QUEUE,
        "contact_unanswered_oldest_timestamp_seconds": _CHANNEL_QUEUE,
        "contact_callbacks_waiting": ("queue",),
        "contact_callbacks_oldest_timestamp_seconds": ("queue",),
        "contact_agents": ("team", "status", "reason"),
        "contact_queue_agents": ("queue", "status"),
    }
)
"""Gauges of contacts and agents the truth is complete in, as of the moment it is asked."""

CASE_COUNTERS: Final = MappingProxyType(
    {
        "contact_cases_opened_total": _PLACE,
        "contact_cases_handled_total": _PLACE,
        "contact_cases_resolved_total": _PLACE,
        "contact_cases_reopened_total": _PLACE,
        "contact_eligible_contacts_total": _PLACE,
        "contact_repeat_contacts_total": _PLACE,
        "contact_fcr_cases_total": ("rule", *_PLACE, "state"),
        "contact_fcr_failed_total": ("rule", "channel", "reason", "cause"),
        "contact_survey_offered_total": ("channel",),
        "contact_survey_answered_total": ("channel", "resolved"),
        "contact_survey_disagreements_total": ("channel",),
        "contact_csat_total": ("channel", "score", "handle_band"),
        "contact_agent_fcr_eligible_total": _AGENT,
        "contact_agent_fcr_credited_total": _AGENT,
        "contact_agent_contacts_total": _AGENT,
        "contact_agent_repeats_total": _AGENT,
        "contact_agent_resolutions_total": _AGENT,
        "contact_agent_resolution_seconds_total": _AGENT,
    }
)
"""Counters of cases and surveys the truth is complete in."""

CASE_GAUGES: Final = MappingProxyType(
    {
        "contact_cases_open": _PLACE,
        "contact_fcr_cohort_cases": ("rule", "channel", "state", "day"),
    }
)
"""Gauges of cases; the truth of the cohorts knows every day there was."""

CASE_TIMES: Final = MappingProxyType(
    {
        "contact_resolution_seconds": ("channel", "issue"),
        "contact_full_resolution_seconds": ("channel", "issue"),
        "contact_resolution_open_seconds": ("channel", "issue"),
    }
)
"""Histograms of cases, in bands of hours."""

COUNTED: Final = {**FAMILIES, **CASE_COUNTERS}
MEASURED: Final = {**HISTOGRAMS, **CASE_TIMES}
NOW: Final = {**GAUGES, **CASE_GAUGES}


def families(*, cases: bool = True) -> list[str]:
    """Return the names of every complete family as `Truth.counters` and `Truth.gauges` spell them."""
    plain = (*COUNTED, *NOW) if cases else (*FAMILIES, *GAUGES)
    measured = MEASURED if cases else HISTOGRAMS
    return sorted((*plain, *(f"{name}_{part}" for name in measured for part in ("bucket", "count", "sum"))))


def labels_of(*, cases: bool = True) -> dict[str, tuple[str, ...]]:
    """Return the labels, in order, of every name that `families` returns."""
    plain = {**COUNTED, **NOW} if cases else {**FAMILIES, **GAUGES}
    measured = MEASURED if cases else HISTOGRAMS
    spread = {f"{name}_{part}": labels for name, labels in measured.items() for part in ("count", "sum")}
    return {**plain, **spread, **{f"{name}_bucket": (*labels, "le") for name, labels in measured.items()}}


def bounds_ms(family: str, first_label: str) -> tuple[int, ...]:
    """Return the upper bounds of a histogram's buckets, ms, inclusive, +Inf left out.

    Args:
        family: its name.
        first_label: value of its first label, which is the channel where it has one.
    """
    return HOURS_MS if family in CASE_TIMES or first_label == "email" else BOUNDS_MS


def series(family: str, labels: "Iterable[str]", values: "Iterable[str]") -> str:
    """Return a series name as the exposition writes it, labels in the given order."""
    inside = ",".join(f'{label}="{value}"' for label, value in zip(labels, values, strict=True))
    return f"{family}{{{inside}}}"


def is_time(family: str) -> bool:
    """Tell whether a plain figure is kept in ms and shown in seconds."""
    return family.endswith(("_seconds_total", "_timestamp_seconds"))
