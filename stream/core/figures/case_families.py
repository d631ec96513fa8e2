"""The figures of cases: first contact resolution, repeats, reopens, resolution times, surveys.

`families.SERVICE` holds them beside those of the contact stage. All are counted by the shards of the case stage but
one: `contact_resolutions_total` is of contacts and belongs to the contact stage.

The tallies at the end begin with `~`: stored with the rows so that the cohort gauges can be computed from them at any
moment, and shown nowhere.

Never in this module: values, or a rule's name.

Source: 3-metrics 3.2, 2-numbers 2.7 and 2.8.
"""

from dataclasses import replace
from typing import Final

from stream.core.events import CHANNELS
from stream.core.figures.family import CASE_STAGE, Family, counted, timed

CASE_CHANNELS: Final = (*CHANNELS, "none")
"""Channels of a case: that of its first contact, `none` for a ticket without any contact."""
CREDITS: Final = ("credited", "settled", "failed")
"""States of the FCR counters: credited = resolved at the first contact, settled ones included."""
CASE_STATES: Final = ("settled", "provisional", "failed", "open")
"""S, P, F and O of 2-numbers 2.8: every case of a cohort is in exactly one."""
FCR_REASONS: Final = (
    "escalated",
    "follow_up",
    "transfer",
    "unresolved",
    "later_contact",
    "reopened",
    "repeat",
    "survey",
)
"""Why a case failed, in the order in which they are asked: the first that applies is the reason (R13)."""
CAUSES: Final = ("policy", "authority", "skill", "information", "tool", "misroute", "customer", "other", "none")
"""Causes a disposition may name (1-events 1.4, R24), and `none` where it names none."""
SURVEY_ANSWERS: Final = ("yes", "no", "none")
"""Whether the customer says it is solved; `none` = the answer is a score alone."""
SCORES: Final = ("1", "2", "3", "4", "5")
"""What a customer may give (CSAT)."""
HANDLE_BANDS: Final = ("0-2m", "2-5m", "5-10m", "10m+", "none")
"""Handle time of the contact asked about, upper ends exclusive; `none` = it has no complete handle time (e-mail)."""
HANDLE_BOUNDS_MS: Final = (120_000, 300_000, 600_000)
"""Where one band of handle time ends and the next begins, in ms."""
CONFIRMED: Final = ("yes", "no", "unasked")
QUEUE_AGES: Final = ("0", "1", "settled")
"""Cohorts of the gauge by queue: today's, yesterday's, the newest complete one."""

_PLACE: Final = ("channel", "queue", "issue")
_PLACES: Final = {"channel": CASE_CHANNELS}


def _of_cases(
    name: str,
    text: str,
    reference: str,
    labels: tuple[str, ...] = _PLACE,
    values: dict[str, tuple[str, ...]] | None = None,
) -> Family:
    """A counter of the case stage, with its twin."""
    family = counted(name, text, reference, labels, _PLACES | (values or {}))
    return replace(family, stage=CASE_STAGE)


def _of_surveys(name: str, text: str, values: dict[str, tuple[str, ...]] | None = None) -> Family:
    """A counter of surveys: by channel of the contact asked about, and the labels that `values` names."""
    own = values or {}
    return _of_cases(name, text, "2.8, R20", ("channel", *own), own)


def _cohort(
    name: str,
    text: str,
    labels: tuple[str, ...],
    values: dict[str, tuple[str, ...]] | None = None,
    reference: str = "2.8",
) -> Family:
    """A gauge over cohorts, computed at the settlement watermark; by day or age, so its series come and go."""
    return Family(name, "gauge", text, labels, stage=CASE_STAGE, values=values or {}, reference=reference)


CASE_FAMILIES: Final = (
    replace(
        timed(
            "contact_resolution_seconds",
            "Time from the arrival of a case's first contact to its first resolution.",
            "2.6, R45, R46",
            ("channel", "issue"),
            _PLACES,
        ),
        stage=CASE_STAGE,
        hours=True,
    ),
    replace(
        timed(
            "contact_full_resolution_seconds",
            "Time from the arrival of a case's first contact to the resolution that stands; anew when reopened.",
            "2.6, R45",
            ("channel", "issue"),
            _PLACES,
        ),
        stage=CASE_STAGE,
        hours=True,
    ),
    replace(
        timed(
            "contact_resolution_open_seconds",
            "The part of the time to a case's first resolution in which its queue was open by its calendar.",
            "2.6, 2.9, R14, R45",
            ("channel", "issue"),
            _PLACES,
        ),
        stage=CASE_STAGE,
        hours=True,
        opening=True,
    ),
    Family(
        "contact_cases_open",
        "gauge",
        "Cases that are not resolved now.",
        _PLACE,
        stage=CASE_STAGE,
        tally=True,
        values=_PLACES,
        reference="2.7",
    ),
    _of_cases("contact_cases_opened_total", "Cases received, tickets without a contact included.", "2.7, R01"),
    _of_cases("contact_cases_handled_total", "Cases with a handled contact.", "2.8, R01, R02"),
    _of_cases("contact_cases_resolved_total", "Cases that are resolved.", "2.7, R01, R04"),
    _of_cases("contact_cases_reopened_total", "Cases reopened after a resolution.", "2.7, R05"),
    _of_cases(
        "contact_repeat_contacts_total",
        "Eligible contacts followed, less than W after their end, by another of the same case.",
        "2.8, R16, R22",
    ),
    _of_cases(
        "contact_eligible_contacts_total", "Inbound contacts that count in first contact resolution.", "2.7, R22"
    ),
    _of_cases(
        "contact_fcr_cases_total",
        "Cases by rule: credited (resolved at the first contact, settled included), settled, failed; never sum states.",
        "2.8, R01, R02, R03, R10, R11, R12, R25",
        ("rule", "channel", "queue", "issue", "state"),
        {"state": CREDITS},
    ),
    _of_cases(
        "contact_fcr_failed_total",
        "Cases not resolved at the first contact, by the one reason and the cause the agent gave.",
        "2.8, R13, R24",
        ("rule", "channel", "reason", "cause"),
        {"reason": FCR_REASONS, "cause": CAUSES},
    ),
    _cohort(
        "contact_fcr_cohort_cases",
        "Cases of a local day by their state now; the days of the last W and two more.",
        ("rule", "channel", "state", "day"),
        {"channel": CASE_CHANNELS, "state": CASE_STATES},
        "2.8, R09",
    ),
    _cohort(
        "contact_fcr_cohort_elapsed_cases",
        "Sum over a day's cases of the share of their window that has passed; divided by the cases: maturity.",
        ("rule", "day"),
    ),
    _cohort(
        "contact_fcr_at_risk_cases",
        "Cases resolved at the first contact that were still without a repeat when they reached the age in days.",
        ("rule", "age"),
    ),
    _cohort(
        "contact_fcr_repeated_cases",
        "Of those at risk, cases failed by a repeat or reopened at that age.",
        ("rule", "age"),
    ),
    _cohort(
        "contact_fcr_queue_cases",
        "Cases of today's (0), yesterday's (1) and the newest complete (settled) cohort by queue and state.",
        ("rule", "channel", "queue", "state", "age"),
        {"channel": CASE_CHANNELS, "state": CASE_STATES, "age": QUEUE_AGES},
    ),
    _cohort(
        "contact_fcr_cohort_warming_cases",
        "Cases of a day that began less than W after counting did: an earlier contact of theirs may be uncounted.",
        ("rule", "day"),
    ),
    _cohort(
        "contact_fcr_queue_warming_cases",
        "The same of today's (0), yesterday's (1) and the newest complete (settled) cohort by queue.",
        ("rule", "channel", "queue", "age"),
        {"channel": CASE_CHANNELS, "age": QUEUE_AGES},
    ),
    Family(
        "contact_counting_since_timestamp_seconds",
        "gauge",
        "The first event of a contact that any shard counted; absent while there is none.",
        (),
        unit="seconds",
        stage=CASE_STAGE,
        reference="2.8, 3.2",
    ),
    _of_surveys("contact_survey_offered_total", "Surveys offered."),
    _of_surveys(
        "contact_survey_answered_total",
        "Surveys answered, by whether the customer says it is solved.",
        {"resolved": SURVEY_ANSWERS},
    ),
    _of_cases(
        "contact_csat_total",
        "Surveyed contacts by the score last given and the handle time (none where there is no handle time).",
        "2.8, R34",
        ("channel", "score", "handle_band"),
        {"score": SCORES, "handle_band": HANDLE_BANDS},
    ),
    _of_surveys("contact_survey_disagreements_total", "Answers that contradict what the repeat contacts say."),
    counted(
        "contact_resolutions_total",
        "Contacts an agent called resolved, by whether the customer confirmed it.",
        "2.7, R21",
        ("channel", "confirmed"),
        {"channel": CHANNELS, "confirmed": CONFIRMED},
    ),
)
"""Every exported family about cases, in the order of the specification's table."""


def _stored(name: str, text: str, *labels: str) -> Family:
    """A tally that is kept and not shown; like every tally it is a rise and a fall."""
    return Family(name, "counter", text, labels, scope="state", stage=CASE_STAGE, reference="2.8")


STORED_TALLIES: Final = (
    _stored("~cohort", "Cases of a local day by queue and state.", "rule", "day", "channel", "queue", "state"),
    _stored(
        "~running",
        "Provisional cases by hour of resolution and window: their number (n), the sum of their resolutions (since).",
        "rule",
        "day",
        "hour",
        "window",
        "part",
    ),
    _stored("~repeated", "Cases failed by a repeat or reopened, by their age in days then.", "rule", "day", "age"),
)
"""What the cohort gauges are computed from."""
