"""What the demo prints: a line every few seconds, and the table at the end. Plain text, pure.

Service level is SL3 (answered in target over answered and abandoned), abandonment is net (2-numbers 2.2 and 2.3).
First contact resolution is the provisional one of rule `contact`, with its maturity beside it (2.8).
"""

from typing import TYPE_CHECKING, Final, NamedTuple

from stream.core.figures.ratios import QueueCounts, abandonment, service_levels

if TYPE_CHECKING:
    from stream.demo.comparison import Comparison
    from stream.demo.scrape import Figures

_MOST_SHOWN: Final = 20
_ROWS: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("arrivals", "contact_arrivals_total", {}),
    ("queue visits entered", "contact_visits_entered_total", {}),
    ("  answered", "contact_visits_total", {"outcome": "answered"}),
    ("  abandoned", "contact_visits_total", {"outcome": "abandoned"}),
    ("  abandoned, short", "contact_visits_total", {"outcome": "abandoned_short"}),
    ("  exited", "contact_visits_total", {"outcome": "exited"}),
    ("  callback", "contact_visits_total", {"outcome": "callback"}),
    ("  overflow", "contact_visits_total", {"outcome": "overflow"}),
    ("  still waiting", "contact_queue_waiting", {}),
    ("answered within 20 s", "contact_answered_in_target_total", {}),
    ("steps entered", "contact_steps_total", {"outcome": "entered"}),
    ("contacts handled", "contact_contacts_total", {"outcome": "handled"}),
    ("contacts self-served", "contact_contacts_total", {"outcome": "self_served"}),
    ("transfers", "contact_transfers_total", {}),
    ("ended on hold", "contact_ended_on_hold_total", {}),
    ("with handle time", "contact_handled_total", {}),
    ("talk, s", "contact_talk_seconds_total", {}),
    ("hold, s", "contact_hold_seconds_total", {}),
    ("wrap-up, s", "contact_wrapup_seconds_total", {}),
    ("cases", "contact_cases_opened_total", {}),
    ("  open", "contact_cases_open", {}),
    ("  credited", "contact_fcr_cases_total", {"rule": "contact", "state": "credited"}),
    ("  settled", "contact_fcr_cases_total", {"rule": "contact", "state": "settled"}),
    ("  failed", "contact_fcr_cases_total", {"rule": "contact", "state": "failed"}),
    ("eligible contacts", "contact_eligible_contacts_total", {}),
    ("  repeated", "contact_repeat_contacts_total", {}),
    ("surveys answered", "contact_survey_answered_total", {}),
)


class Flow(NamedTuple):
    """What is not on a metrics page.

    Attributes:
        clock: simulated time, RFC 3339.
        workers: how many answered.
        partitions: how many shards there are.
        records_per_second: records counted since the line before; None = not all shards were shown then or now.
    """

    clock: str
    workers: int
    partitions: int
    records_per_second: float | None


def share(part: float, whole: float) -> str:
    """Return a ratio in per cent; a dash where there is nothing to divide by."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def summary(figures: "Figures", flow: Flow) -> str:
    """Return one line: what a wallboard would show; of calls and chats, because e-mail waits for hours."""
    answered = _talking(figures, "contact_visits_total", outcome="answered")
    counts = _counts(figures)
    waiting = _talking(figures, "contact_queue_waiting")
    waits = _talking(figures, "contact_wait_seconds_sum", outcome="answered")
    level = share(*service_levels(counts)["SL3"])
    abandoned = share(*abandonment(counts)["net"])
    rate = "-" if flow.records_per_second is None else f"{flow.records_per_second:,.0f}"
    moving = (
        "" if figures.shards >= flow.partitions else f" (only {figures.shards} of {flow.partitions} shards, moving)"
    )
    speed = f"{waits / answered:.1f} s" if answered else "-"
    return (
        f"{flow.clock[11:19]}  arrivals {figures.total('contact_arrivals_total'):>7,.0f}  waiting {waiting:>4,.0f}  "
        f"service level {level:>7}  abandoned {abandoned:>7}  speed of answer {speed:>7}  "
        f"FCR {_resolution(figures)}  "
        f"{rate:>6} records/s  workers {flow.workers}{moving}"
    )


def _resolution(figures: "Figures") -> str:
    """First contact resolution as far as it is known, and how much of the windows has passed."""
    states = {
        state: figures.total("contact_fcr_cohort_cases", rule="contact", state=state)
        for state in ("settled", "provisional", "failed", "open")
    }
    credited = states["settled"] + states["provisional"]
    elapsed = figures.total("contact_fcr_cohort_elapsed_cases", rule="contact")
    return f"{share(credited, credited + states['failed']):>7} (mature {share(elapsed, sum(states.values()))})"


def _counts(figures: "Figures") -> QueueCounts:
    """All queues together, calls and chats."""
    outcomes: dict[str, int] = {}
    for labels, amount in figures.family("contact_visits_total").items():
        named = dict(labels)
        if named["channel"] != "email":
            outcomes[named["outcome"]] = outcomes.get(named["outcome"], 0) + round(amount)
    within = (f"contact_{name}_in_target_total" for name in ("answered", "abandoned"))
    return QueueCounts(outcomes, *(round(_talking(figures, family)) for family in within))


def _talking(figures: "Figures", name: str, **where: str) -> float:
    """A net sum without e-mail."""
    return figures.total(name, **where) - figures.total(name, channel="email", **where)


def table(figures: "Figures", comparison: "Comparison") -> str:
    """Return the table of figures and truth, and below it every difference."""
    expected = comparison.expected
    lines = [f"{'':<24}{'truth':>14}{'metrics':>14}"]
    for text, family, where in _ROWS:
        wanted = [f'{label}="{value}"' for label, value in where.items()]
        true = sum(
            value
            for name, value in expected.items()
            if name.startswith(f"{family}{{") and all(w in name for w in wanted)
        )
        shown = figures.total(family, **where)
        lines.append(f"{text:<24}{_number(true):>14}{_number(shown):>14}{_mark(true, shown)}")
    lines.append("")
    lines += [
        f"  {difference.series}: truth {difference.truth:g}, metrics {difference.shown:g}"
        for difference in comparison.differences[:_MOST_SHOWN]
    ]
    if len(comparison.differences) > _MOST_SHOWN:
        lines.append(f"  and {len(comparison.differences) - _MOST_SHOWN} more")
    verdict = f"{len(comparison.differences)} differ" if comparison.differences else "all equal"
    lines.append(f"{comparison.compared} series compared with the simulator's truth: {verdict}")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.3f}" if round(value, 3) % 1 else f"{value:,.0f}"


def _mark(true: float, shown: float) -> str:
    return "" if round(true * 1000) == round(shown * 1000) else "  differs"
