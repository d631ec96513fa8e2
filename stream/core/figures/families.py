"""The figures a shard keeps, as data: the families of the contact stage and of the program; `SERVICE` has all.

One table says of each family its name, kind, labels in their order, unit and closed label values. The state's keys,
the interval cells, the exposition, the metrics page and the tests are all derived from it, so a figure that is not
here cannot be counted under a name of its own nor be exported.

Never in this module: values, a clock, a third-party import, a family of the case stage (those are in
`case_families`, those of agents in `agent_families`), or one that only a process knows (`stream.telemetry.catalogue`).

Four rules hold for every entry:

* State keys are `(name, *label values)` with the values in the order of `Family.labels`; histograms append the
  bucket index (0 … len(bounds), the last being +Inf, each counted for itself) or `"sum"`.
* Wherever `Family.unit` is `"seconds"`, the state holds integer **milliseconds** (counters, histogram sums, gauges,
  timestamps and targets alike); the exposition divides by 1000.
* Every counter of 3-metrics 3.2 has a twin that counts what was taken back: `twin_name`.
* A gauge that is a tally is kept like a counter, as what it rose and what it fell; its value is the difference.

Source: 3-metrics 3.2 and 3.3, 2-numbers 2.6 (bounds).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from stream.core.events import CHANNELS
from stream.core.figures.agent_families import AGENT_FAMILIES, AGENT_POLICY_FAMILIES
from stream.core.figures.case_families import CASE_FAMILIES, STORED_TALLIES
from stream.core.figures.family import Family, Kind, counted, now_value, timed

TALKING_CHANNELS: Final = CHANNELS[:-1]
"""The channels that have handle time: voice and the chat family, never e-mail (R32)."""
DIRECTIONS: Final = ("inbound", "outbound", "internal")
VISIT_OUTCOMES: Final = (
    "answered",
    "abandoned",
    "abandoned_short",
    "exited",
    "callback",
    "voicemail",
    "overflow",
    "transferred",
    "external",
    "timeout",
    "empty",
    "full",
    "closed",
    "system",
    "unknown",
)
"""Every finished outcome of a visit (2-numbers 2.2); `waiting` is open and no outcome of the counter."""
STEP_OUTCOMES: Final = ("entered", "continued", "abandoned", "self_served", "system")
CONTACT_OUTCOMES: Final = (
    "handled",
    "abandoned",
    "abandoned_short",
    "abandoned_step",
    "self_served",
    "voicemail",
    "callback",
    "system",
    "unknown",
)
"""Every counted outcome of a contact (2-numbers 2.5); `open` is not counted."""
CALLBACK_OUTCOMES: Final = ("requested", "attempted", "reached", "expired")
TRANSFER_KINDS: Final = ("blind", "consult", "conference", "queue", "external")
REJECTED_REASONS: Final = ("undecodable", "invalid", "unknown_type", "no_key", "late", "future", "oversize", "bug")
RECORD_RESULTS: Final = ("applied", "duplicate", "rejected")
QUALITY_KINDS: Final = (
    "negative_duration",
    "contradiction",
    "inferred_end",
    "unidentified",
    "unlisted_label",
    "dropped_case",
)
SOURCE_TOPICS: Final = ("calls", "chats", "emails", "agents", "cases")

_TALKING: Final = MappingProxyType({"channel": TALKING_CHANNELS})

_ARRIVALS: Final = (
    counted(
        "contact_arrivals_total",
        "Contacts that arrived, each once.",
        "2.5, R37, R39",
        ("channel", "direction"),
        {"channel": CHANNELS, "direction": DIRECTIONS},
    ),
    counted(
        "contact_arrivals_outside_opening_total",
        "Inbound contacts that arrived while their queue was closed by its calendar.",
        "2.5, R38",
        ("channel",),
    ),
)

_QUEUES: Final = (
    counted("contact_visits_entered_total", "Queue visits that began.", "2.2, R48"),
    counted(
        "contact_visits_total",
        "Queue visits that ended, by their outcome.",
        "2.2, R47, R48",
        ("channel", "queue", "outcome"),
        {"channel": CHANNELS, "outcome": VISIT_OUTCOMES},
    ),
    counted("contact_answered_in_target_total", "Answered visits whose wait was within the queue's target.", "2.3"),
    counted(
        "contact_abandoned_in_target_total",
        "Abandoned, short-abandoned and exited visits whose wait was within the queue's target.",
        "2.3",
    ),
    timed(
        "contact_wait_seconds",
        "Time in queue of answered and of abandoned visits (abandoned, short-abandoned and exited).",
        "2.6, R51",
        ("channel", "queue", "outcome"),
        {"channel": CHANNELS, "outcome": ("answered", "abandoned")},
    ),
    replace(
        timed(
            "contact_wait_open_seconds",
            "The part of the time in queue in which the queue was open by its calendar.",
            "2.6, 2.9, R14",
            ("channel", "queue", "outcome"),
            {"channel": CHANNELS, "outcome": ("answered", "abandoned")},
        ),
        opening=True,
    ),
    now_value("contact_queue_waiting", "Visits waiting now.", "2.6"),
    now_value(
        "contact_queue_waiting_beyond_target", "Visits waiting now for longer than the queue's target.", "2.3, 2.6"
    ),
    now_value(
        "contact_queue_oldest_entered_timestamp_seconds",
        "When the longest waiting visit entered; absent if none waits.",
        "2.6",
    ),
)

_PATHS: Final = (
    counted(
        "contact_steps_total",
        "Steps before the queue: entered, and how they ended.",
        "2.4, R30, R49, R50",
        ("step", "outcome"),
        {"outcome": STEP_OUTCOMES},
    ),
    counted(
        "contact_step_seconds_total",
        "Time spent in steps that are over: until the step was left, went on, or the contact ended.",
        "2.4, R52",
        ("step",),
        {},
    ),
    counted("contact_step_repeats_total", "Steps entered again by the same contact.", "2.4, R52", ("step",), {}),
    counted(
        "contact_contacts_total",
        "Contacts by their one outcome.",
        "2.5, R30",
        ("channel", "outcome"),
        {"channel": CHANNELS, "outcome": CONTACT_OUTCOMES},
    ),
    counted(
        "contact_transfers_total",
        "Transfers, by kind.",
        "2.5, R15",
        ("channel", "queue", "kind"),
        {"channel": CHANNELS, "kind": TRANSFER_KINDS},
    ),
    counted("contact_escalations_total", "Escalations by agents.", "2.5, R07"),
    counted("contact_escalated_contacts_total", "Contacts that an agent escalated.", "2.5, R36"),
    counted("contact_escalated_wait_seconds_total", "Time in queue, all visits, of escalated contacts.", "2.5, R36"),
    counted(
        "contact_escalated_handle_seconds_total",
        "Handle time of escalated contacts, where it is complete; never e-mail.",
        "2.5, R36",
        values=_TALKING,
    ),
    counted("contact_ended_on_hold_total", "Contacts the customer ended while on hold.", "2.5, R53"),
    counted("contact_ended_unresolved_total", "Contacts the customer ended, after a connect, unresolved.", "2.5, R53"),
    counted("contact_agent_dropped_total", "Contacts an agent ended less than 5 s after connecting.", "2.5"),
    counted("contact_misroutes_total", "Contacts whose first queue is not the queue of the resolving leg.", "2.4, R52"),
    counted(
        "contact_abandoned_path_total",
        "Abandoned contacts by the number of menu steps before.",
        "R51",
        ("channel", "menu_steps"),
        {"channel": CHANNELS, "menu_steps": ("0", "1", "2", "3", "4+")},
    ),
)

_CALLBACKS: Final = (
    counted(
        "contact_callbacks_total",
        "Callbacks: requested, attempts made, customers reached, and requests that nobody served in time.",
        "2.5, R17",
        ("queue", "outcome"),
        {"outcome": CALLBACK_OUTCOMES},
    ),
    timed(
        "contact_callback_wait_seconds",
        "Time from the request of a callback to the connect.",
        "2.6, R17",
        ("queue",),
        {},
    ),
    Family(
        "contact_callbacks_waiting", "gauge", "Callbacks asked for and not served yet.", ("queue",), reference="2.6"
    ),
    Family(
        "contact_callbacks_oldest_timestamp_seconds",
        "gauge",
        "When the callback waiting longest was asked for; absent if none waits.",
        ("queue",),
        unit="seconds",
        reference="2.6",
    ),
)

_HANDLING: Final = (
    timed(
        "contact_handle_seconds",
        "Handle time of a contact: talk, hold and wrap-up of all its legs; never e-mail.",
        "2.6, R31, R32, R33",
        values=_TALKING,
    ),
    counted("contact_talk_seconds_total", "Talk time, hold not included.", "2.6, R31", values=_TALKING),
    counted("contact_hold_seconds_total", "Hold time.", "2.6, R33", values=_TALKING),
    counted("contact_wrapup_seconds_total", "Wrap-up time.", "2.6, R31", values=_TALKING),
    counted(
        "contact_handled_total",
        "Contacts with handle time: the denominator of the mean handle time.",
        "2.6, R31",
        values=_TALKING,
    ),
)

_RESPONSES: Final = (
    timed("contact_first_response_seconds", "Time to the first human response.", "2.6, R40, R42"),
    timed(
        "contact_next_response_seconds",
        "Time from the earliest unanswered customer message to the next human reply.",
        "2.6",
    ),
    counted("contact_responses_in_target_total", "First responses within the channel's response target.", "2.6, R41"),
    counted(
        "contact_response_excess_seconds_total",
        "Sum over first responses of the time beyond the channel's response target.",
        "2.6, R43",
        ("channel", "issue"),
    ),
    replace(
        timed(
            "contact_first_response_open_seconds",
            "The part of the time to the first response in which the queue was open by its calendar.",
            "2.6, 2.9, R14",
        ),
        opening=True,
    ),
    replace(
        timed(
            "contact_next_response_open_seconds",
            "The part of the time to the next response in which the queue was open by its calendar.",
            "2.6, 2.9, R14",
        ),
        opening=True,
    ),
    now_value("contact_unanswered", "Contacts with an unanswered customer message now.", "2.6"),
    now_value(
        "contact_unanswered_beyond_target", "Contacts unanswered now for longer than the response target.", "2.6"
    ),
    now_value(
        "contact_unanswered_oldest_timestamp_seconds",
        "When the oldest unanswered message came; absent if none waits.",
        "2.6",
    ),
)

_PROOF: Final = (
    Family(
        "contact_unaccounted",
        "gauge",
        "Visits entered less all their outcomes and those waiting; anything but 0 is a defect.",
        ("queue",),
        reference="2.2, R54",
    ),
)


def _from_policy(name: str, kind: Kind, text: str, labels: tuple[str, ...], unit: str = "") -> Family:
    """A family read from the policy: no partition, the same on every worker (use `max by`)."""
    kinds = {"contact_target_seconds": TARGET_KINDS, "contact_target_ratio": GOAL_KINDS}.get(name)
    values = {} if kinds is None else {"kind": kinds}
    reference = ", ".join(("3.2", *_REQUIREMENTS.get(name, ())))
    return Family(name, kind, text, labels, unit=unit, scope="policy", stage=0, values=values, reference=reference)


TARGET_KINDS: Final = ("service_level", "response", "short_abandon")
GOAL_KINDS: Final = ("fcr", "fcr_high", "fcr_low", "abandonment", "service_level")
_REQUIREMENTS: Final = {
    "contact_target_seconds": ("R41",),
    "contact_target_ratio": ("R08", "R26"),
    "contact_definition_info": ("R04", "R28"),
}

_POLICY: Final = (
    _from_policy("contact_target_seconds", "gauge", "Targets of the policy.", ("kind", "channel", "queue"), "seconds"),
    _from_policy(
        "contact_target_ratio",
        "gauge",
        "Goals, and the bands of first contact resolution: good from fcr on, high from fcr_high on, low under fcr_low.",
        ("queue", "kind"),
        "ratio",
    ),
    _from_policy("contact_queue_info", "info", "Structure of the queues.", ("queue", "group", "site", "owner")),
    _from_policy("contact_queue_open", "gauge", "1 while the queue is open by its calendar, else 0.", ("queue",)),
    *AGENT_POLICY_FAMILIES,
    _from_policy("contact_definition_info", "info", "Definitions in force.", ("rule", "version", "hash")),
)


def _in_state(name: str, text: str, values: Mapping[str, tuple[str, ...]], *, twin: bool = False) -> Family:
    """A program counter that is part of the shard's state, labelled as `values` is keyed."""
    return Family(
        name, "counter", text, tuple(values), scope="program", twin=twin, stage=0, values=values, reference="3.3"
    )


_COUNTED: Final = (
    *_ARRIVALS,
    *_QUEUES,
    *_PATHS,
    *_CALLBACKS,
    *_HANDLING,
    *_RESPONSES,
    *CASE_FAMILIES,
    *AGENT_FAMILIES,
    *_PROOF,
)

_STREAM: Final = (
    _in_state(
        "contact_stream_records_total",
        "Source records read, each in exactly one result.",
        {"topic": SOURCE_TOPICS, "result": RECORD_RESULTS},
    ),
    _in_state(
        "contact_stream_rejected_total",
        "Source records rejected, by reason.",
        {"topic": SOURCE_TOPICS, "reason": REJECTED_REASONS},
    ),
    _in_state(
        "contact_stream_corrections_total",
        "Published figures that fell, by family.",
        {"family": tuple(family.name for family in _COUNTED if family.corrected)},
    ),
    _in_state("contact_stream_quality_total", "Oddities met in the data.", {"kind": QUALITY_KINDS}, twin=True),
)

SERVICE: Final[Mapping[str, Family]] = MappingProxyType(
    {family.name: family for family in (*_COUNTED, *_POLICY, *_STREAM, *STORED_TALLIES)}
)
"""Every family of the state and of the policy by its full name, in the order of the specification's table."""


def bounds_ms(family: str, channel: str) -> tuple[int, ...]:
    """Upper bounds of a histogram's buckets, +Inf left out.

    Args:
        family: name of a histogram in `SERVICE`.
        channel: one of `CHANNELS`, or `none`; e-mail is measured in hours, everything else in seconds, and a family
            of hours in hours everywhere.

    Returns:
        Ascending bounds in ms, inclusive: a value v belongs to the first bucket i with v <= bounds[i], else to
        len(bounds).

    Raises:
        KeyError: `family` is no histogram of `SERVICE`.

    Source: 2-numbers 2.6.
    """
    found = SERVICE[family]
    if found.kind != "histogram":
        raise KeyError(family)
    return found.bounds_ms(channel)
