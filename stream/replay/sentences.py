"""Contacts and verdicts in sentences that a supervisor understands. Times in UTC; values in, text out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stream.wire.times import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.core.cases.surveys import Asked

Told = dict[str, Any]

_UNITS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))
_WAITS: Final = {
    "answered": "answered after {wait}",
    "abandoned": "abandoned after {wait}",
    "abandoned_short": "abandoned after {wait}, a short one",
    "exited": "chose to leave after {wait}",
    "callback": "asked for a callback after {wait}",
    "voicemail": "went to voicemail after {wait}",
    "overflow": "went on to another queue after {wait}",
    "transferred": "was transferred after {wait}",
    "external": "was passed to another company after {wait}",
    "timeout": "was sent away after {wait}: waited too long",
    "empty": "was sent away after {wait}: nobody was there",
    "full": "was sent away after {wait}: the queue was full",
    "closed": "was sent away after {wait}: closed",
    "system": "was ended by the system after {wait}",
    "unknown": "left nobody knows how after {wait}",
}
_OPEN: Final = "open: {decided_by} has not resolved it"
_STATES: Final = {
    "settled": "resolved by {decided_by} at {resolved_at}, and nobody came back until {window_end}",
    "provisional": "resolved by {decided_by} at {resolved_at}; settled at {window_end} if nobody comes back before",
    "failed": "failed",
}
_REASONS: Final = {
    "escalated": "escalated at {failed_at} ({failed_by})",
    "follow_up": "{failed_by} ended with a follow-up promised at {failed_at}",
    "transfer": "{failed_by} took more than one person",
    "unresolved": "{failed_by} ended unresolved, and nobody came until {failed_at}",
    "later_contact": "{decided_by} had not resolved it when {failed_by} followed at {failed_at}",
    "reopened": "resolved at {resolved_at}, reopened at {failed_at} ({failed_by}), {after} later",
    "repeat": "resolved by {decided_by} at {resolved_at}; {failed_by} came back at {failed_at}, {after} later",
    "survey": "the customer said no at {failed_at}",
}


def span(milliseconds: int) -> str:
    """A duration in its two largest units: `3 min 2 s`."""
    rest = abs(milliseconds)
    parts: list[tuple[int, str]] = []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append((count, unit))
    said = " ".join(f"{count} {unit}" for count, unit in parts[:2] if count)
    sign = "-" if milliseconds < 0 and said else ""
    return sign + said if said else f"{milliseconds} ms" if milliseconds else "0 s"


def verdict_words(trace: Mapping[str, Any]) -> str:
    """One rule's verdict of the verdicts topic, in one sentence."""
    said = {name: format_time(at) for name in ("resolved_at", "window_end", "failed_at") if (at := trace[name])}
    said |= {name: trace[name] or "somebody" for name in ("decided_by", "failed_by")}
    state, reason = trace["state"], trace["reason"]
    if state == "open":
        words = _OPEN if trace["decided_by"] else "open: {first} waits to be called back"
        return words.format(**said, first=trace["first"])
    if state == "failed":
        if trace["failed_at"] and trace["resolved_at"]:
            said["after"] = span(trace["failed_at"] - trace["resolved_at"])
        text = f"{reason}: {_REASONS[reason].format(**said)}"
        return text if trace["cause"] == "none" else f"{text}; the agent gave as cause: {trace['cause']}"
    if trace["resolved_at"] is None:
        return f"{state}: the customer said it is solved"
    return f"{state}: {_STATES[state].format(**said)}"


def left_out_words(rule: Mapping[str, str], *, counted: bool, contacts: bool) -> str:
    """Why a rule says nothing of a case.

    Args:
        rule: `survey` and `channels` of the policy's rule.
        counted: whether callers nobody knows count, or this one is known.
        contacts: whether the case has a contact that can count.
    """
    if not counted:
        return "left out: nobody knows who this is, and the policy leaves unknown callers out"
    if not contacts:
        return "left out: no contact with a person yet"
    if rule["survey"] == "decide":
        return "left out: the customer was not asked, or did not say yes or no"
    return f"left out: it begins on no channel of this rule ({rule['channels']})"


def contact_words(report: Told) -> list[str]:
    """What became of a contact, as the outcomes topic tells it, line by line."""
    lines = [
        f"{report['outcome']} since {format_time(report['decided_at'])}"
        if report["outcome"] != "open"
        else "open: not decided yet",
        f"{report['direction']} {report['channel']}, arrived {format_time(report['arrived_at'])}",
    ]
    lines += [_visit_words(visit) for visit in report["visits"]]
    lines += _work_words(report)
    lines += [f"{kind} transfer" for kind in report["transfers"]]
    for said in report["dispositions"]:
        cause = f", cause {said['cause']}" if said["cause"] else ""
        confirmed = {True: ", confirmed by the customer", False: ", not confirmed by the customer", None: ""}
        agent = f"the agent said {said['resolution']}{cause}{confirmed[said['confirmed']]}"
        lines.append(f"{agent} at {format_time(said['at'])}")
    return [*lines, _end_words(report)]


def _visit_words(visit: Told) -> str:
    outcome, queue = visit["outcome"], visit["queue"]
    if outcome == "waiting":
        return f"{queue}: waits since {format_time(visit['entered_at'])}"
    flags = "".join(f", {word}" for name, word in _FLAGS.items() if visit[name])
    return f"{queue}: {_WAITS[outcome].format(wait=span(visit['wait_ms']))}{flags}"


_FLAGS: Final = {"after_agent": "had spoken to an agent before", "ringing": "while it rang at an agent"}


def _work_words(report: Told) -> list[str]:
    lines = []
    if report["agents"]:
        lines.append(f"served by {', '.join(name or 'somebody' for name in report['agents'])}")
    if report["handle_ms"] is not None:
        parts = ", ".join(f"{word} {span(report[f'{word}_ms'])}" for word in ("talk", "hold", "wrapup"))
        lines.append(f"handle time {span(report['handle_ms'])}: {parts}")
    if report["first_response_ms"] is not None:
        lines.append(f"first response after {span(report['first_response_ms'])}")
    if report["next_response_ms"]:
        lines.append(f"next responses after {', '.join(map(span, report['next_response_ms']))}")
    return lines


def _end_words(report: Told) -> str:
    if report["ended_at"] is None:
        return "goes on"
    at = format_time(report["ended_at"])
    return (
        f"ended {at} by inference: nothing more was heard"
        if report["inferred"]
        else (f"ended {at} by {report['ended_by']}")
    )


def asked_words(asked: Asked) -> str:
    """What a customer said of one contact, in one line."""
    if not asked.answers:
        return "was asked, and has not answered"
    said = {"yes": "says it is solved", "no": "says it is not solved", "none": "does not say whether it is solved"}
    score = "gives no score" if asked.score is None else f"gives {asked.score} of 5"
    fact = asked.fact
    took = "" if fact is None or fact.handle_ms is None else f" of {span(fact.handle_ms)}"
    return f"{said[asked.resolved]}, {score}; handle time{took}: {asked.handle_band}"


def resolution_words(first_ms: int | None, last_ms: int | None) -> str:
    """How long a case took from the arrival of its first contact to its first and to its last resolution (R45)."""
    if first_ms is None:
        return "not resolved"
    if last_ms is None:
        return f"resolved {span(first_ms)} after it began, and open again"
    if last_ms == first_ms:
        return f"resolved {span(first_ms)} after it began"
    return f"resolved {span(first_ms)} after it began, and for the last time {span(last_ms)} after"


def credit_words(agent: str, contact_id: str, state: str) -> str:
    """Who has the credit of a case under the headline rule, or would have it (R26)."""
    served = f"{agent} served {contact_id} first"
    if state == "open":
        return f"{served}; the case is not decided"
    return f"{served} and has {'the credit' if state != 'failed' else 'no credit: the case failed'}"


def fact_words(fact: Any) -> str:  # noqa: ANN401  a fact of the core, of whatever type the codec makes
    """A contact as the case stage knows it, in one line."""
    agents = f" with {', '.join(name or 'somebody' for name in fact.agents)}" if fact.agents else ""
    said = f"; {fact.dispositions[-1].resolution}" if fact.dispositions else ""
    end = "goes on" if fact.ended_at is None else f"until {format_time(fact.ended_at)}"
    return f"{fact.direction} {fact.channel}, {fact.queue}: {fact.outcome}{agents}, {end}{said}"
