"""Verdicts and figures of the recount: 2-numbers 2.8 once more, from scratch. Times in ms."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stream.core.figures.family import HOURS_BOUNDS_MS
from stream.core.policy import DAY_MS, HOUR_MS
from tests.core.recount import END_OF_TIME, TYPES, cases_of, people_of
from tests.core.recount_agents import count_agents
from tests.core.recount_calendar import closes, time_open
from tests.core.recount_surveys import count_surveys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stream.core.events import Event
    from stream.core.policy import Policy, RulePolicy
    from tests.core.case_histories import Told
    from tests.core.recount import Case, Contact, Person


@dataclass
class Ruled:
    """What a rule says of a case."""

    state: str
    first: Contact
    reason: str | None = None
    resolved_at: int | None = None
    window_end: int | None = None
    failed_at: int | None = None
    cause: str = "none"


@dataclass
class Recounted:
    """Everything the recount found."""

    cases: list[tuple[Case, dict[str, Ruled | None]]]
    figures: dict[tuple[str | int, ...], int]


def recount(told: Iterable[Told], policy: Policy, events_at: int | None, settled_at: int | None) -> Recounted:
    """Cases, verdicts and net figures of all events; ``settled_at`` is the settlement watermark."""
    found: list[tuple[Case, dict[str, Ruled | None]]] = []
    figures: dict[tuple[str | int, ...], int] = defaultdict(int)
    for person in people_of(told, policy, events_at):
        answers = _answers(person)
        counted = person.name is not None or policy.cases.unidentified == "count"
        for case in cases_of(person, policy):
            said = {
                name: _ruled(case, answers, rule, policy, settled_at) if counted else None
                for name, rule in policy.rules.items()
            }
            found.append((case, said))
            if counted:
                _count(case, said, answers, policy, figures)
        count_surveys(person, figures)
    return Recounted(found, {key: amount for key, amount in figures.items() if amount})


def _answers(person: Person) -> dict[str, Event]:
    """The last answer about each contact that says yes or no."""
    found = {}
    for contact_id, events in person.surveys.items():
        for event in sorted(events):
            if getattr(event[5], "resolved", None) in ("yes", "no"):
                found[contact_id] = event
    return found


def _ruled(
    case: Case, answers: dict[str, Event], rule: RulePolicy, policy: Policy, settled_at: int | None
) -> Ruled | None:
    visible = [contact for contact in case.contacts if contact.channel in rule.channels]
    eligible = [contact for contact in visible if contact.inbound]
    if not eligible:
        return None
    in_hours = [one for one in eligible if policy.calendar(one.queue).in_hours(one.arrived_at)]
    shifted = policy.cases.after_hours == "shift" and in_hours
    first = in_hours[0] if shifted else eligible[0]
    if rule.repeat_channels == "same":
        visible = [contact for contact in visible if contact.channel == first.channel]
    later = visible[visible.index(first) + 1 :]
    base: Contact | None = first
    if first.outcome in ("voicemail", "callback"):  # decided by the first two-way contact
        base = next((contact for contact in later if contact.outcome == "handled"), None)
        later = [] if base is None else later[later.index(base) + 1 :]
    if rule.survey == "decide":
        answer = answers.get(first.contact_id) or (answers.get(base.contact_id) if base else None)
        if answer is None:
            return None
        body: Any = answer[5]
        good = body.resolved == "yes"
        return Ruled("settled" if good else "failed", first, None if good else "survey", cause=_cause(base or first))
    said = _judged(_Matter(case, rule, policy, first, base, later), settled_at)
    said.cause = _cause(base or first)
    return said


def _cause(contact: Contact) -> str:
    said = contact.dispositions
    return (said[-1]["cause"] if said else None) or "none"


@dataclass
class _Matter:
    case: Case
    rule: RulePolicy
    policy: Policy
    first: Contact
    base: Contact | None
    later: list[Contact]

    @property
    def window(self) -> int:
        return self.policy.window_ms(self.case.issue)


def _judged(matter: _Matter, settled_at: int | None) -> Ruled:
    """State and reason, the first that applies."""
    base, window = matter.base or matter.first, matter.window
    end = base.first_over
    gives_up = END_OF_TIME if end is None else end + window
    resolved = _resolved_by_first(matter)
    if resolved is not None and resolved >= gives_up:  # too late: it failed as unresolved before
        resolved = None
    found, resolved = _later(matter, resolved, gives_up)
    window_end = gives_up if resolved is None else resolved + window
    reasons: list[tuple[str, int]] = _against(matter, base, window_end)
    passed = settled_at is not None and settled_at >= gives_up
    if resolved is None and found is None and passed:
        reasons.append(("unresolved", gives_up))
    if found is not None and found[0] == "later_contact":
        reasons.append(found)
    if resolved is not None:
        again = [event[0] for event in matter.case.ticket if TYPES[event[2]] == "case.reopened"]
        again += [served for _, served in base.reopens]
        inside = [at for at in again if resolved <= at < window_end]
        if inside:
            reasons.append(("reopened", min(inside)))
    if found is not None and found[0] == "repeat":
        reasons.append(found)
    known = None if resolved is None else window_end
    if reasons:
        reason, at = reasons[0]
        return Ruled("failed", matter.first, reason, resolved, known, at)
    if resolved is None:
        return Ruled("open", matter.first)
    state = "settled" if settled_at is not None and settled_at >= window_end else "provisional"
    return Ruled(state, matter.first, None, resolved, known)


def _resolved_by_first(matter: _Matter) -> int | None:
    """When the first contact, or the ticket system after it arrived, resolved the case."""
    base, mode = matter.base, matter.policy.cases.resolution
    if base is None:
        return None
    words = matter.case.spoken(mode, END_OF_TIME)
    own = base.resolved(mode, END_OF_TIME, ticket=bool(words))
    found = [] if own is None else [own]
    against = [word["at"] for word in base.dispositions if word["resolution"] != "resolved"] if mode == "auto" else []
    for event in words:
        resolves = TYPES[event[2]] in ("case.resolved", "case.closed")
        if resolves and event[0] >= base.arrived_at and all(event[0] > at for at in against):
            found.append(event[0])
    return min(found, default=None)


def _later(matter: _Matter, resolved: int | None, gives_up: int) -> tuple[tuple[str, int] | None, int | None]:
    """What later contacts do to the case, and when it is resolved then."""
    base, window, mode = matter.base or matter.first, matter.window, matter.policy.cases.resolution
    ticket = mode == "auto" and bool(matter.case.spoken(mode, END_OF_TIME))
    end = base.first_over
    until = gives_up if end is None else max(end, base.last_at or end) + window
    for contact in matter.later:
        if contact.inbound:
            at = contact.arrived_at
            if resolved is not None and at >= resolved:
                return (("repeat", at) if at < resolved + window else None), resolved
            if base.going_on(at):  # it meets no unresolved contact, but one that is being served
                continue
            return (("later_contact", at) if at < until else None), resolved
        done = contact.resolved(mode, END_OF_TIME, ticket=ticket)
        if done is None or done >= until or (resolved is not None and resolved <= done):
            continue
        if not _left_to_others(matter, base):
            return ("later_contact", done), resolved
        resolved = done
    return None, resolved


def _left_to_others(matter: _Matter, base: Contact) -> bool:
    """Whether the rule allows what the first agent left: whoever then calls back does not fail the case."""
    last = base.dispositions[-1]["resolution"] if base.dispositions else None
    rule = matter.rule
    return (last == "follow_up" and rule.follow_up == "allow") or (last == "escalated" and rule.escalation == "allow")


def _against(matter: _Matter, base: Contact, until: int) -> list[tuple[str, int]]:
    """Escalated, follow_up, transfer: what the first contact or the ticket system says against it."""
    rule, last = matter.rule, base.dispositions[-1] if base.dispositions else None
    found: list[tuple[str, int]] = []
    if rule.escalation == "fail":
        if last is not None and last["resolution"] == "escalated":
            found.append(("escalated", last["at"]))
        told = [event[0] for event in matter.case.ticket if TYPES[event[2]] == "case.escalated"]
        found += [("escalated", at) for at in told if base.arrived_at <= at < until][:1]
    if rule.follow_up == "fail" and last is not None and last["resolution"] == "follow_up":
        found.append(("follow_up", last["at"]))
    if (rule.transfers == "forbid" and base.transfers) or (rule.agents == "one" and len(base.agents) > 1):
        found.append(("transfer", base.decided_at))
    return found


Figures = dict[tuple[str | int, ...], int]


def _labels(home: Contact | None, case: Case, policy: Policy) -> tuple[str, str, str]:
    issue = "none" if case.issue is None else case.issue if case.issue in policy.issues else "other"
    if home is None:
        return "none", "unassigned", issue
    listed = home.queue in policy.queues or home.queue == "unassigned"
    return home.channel, home.queue if listed else "other", issue


def _first_resolution(case: Case, mode: str) -> int | None:
    words = case.spoken(mode, END_OF_TIME)
    solved = [event[0] for event in words if TYPES[event[2]] in ("case.resolved", "case.closed")]
    for contact in case.contacts:
        own_at = contact.resolved(mode, END_OF_TIME, ticket=bool(words))
        solved += [] if own_at is None else [own_at]
    return min(solved, default=None)


def _resolution_times(
    home: Contact, resolved: tuple[int | None, int | None], policy: Policy
) -> Iterator[tuple[str, int]]:
    """Family and ms, to the first and the last resolution of a case."""
    first, last = resolved
    if first is not None:
        yield "contact_resolution_seconds", max(0, first - home.arrived_at)
        if closes(policy, home.queue):
            yield "contact_resolution_open_seconds", time_open(policy, home.queue, home.arrived_at, first)
    if last is not None:
        yield "contact_full_resolution_seconds", max(0, last - home.arrived_at)


def _count(
    case: Case, said: dict[str, Ruled | None], answers: dict[str, Event], policy: Policy, figures: Figures
) -> None:
    """The figures of one case."""
    home, mode = case.home, policy.cases.resolution
    place = _labels(home, case, policy)
    window = policy.window_ms(case.issue)
    figures["contact_cases_opened_total", *place] += 1
    figures["contact_cases_handled_total", *place] += any(one.outcome == "handled" for one in case.contacts)
    resolved = case.resolved(mode, END_OF_TIME)
    figures["contact_cases_open" if resolved is None else "contact_cases_resolved_total", *place] += 1
    words = case.spoken(mode, END_OF_TIME)
    reopened = any(TYPES[event[2]] == "case.reopened" for event in case.ticket)
    for contact in case.contacts:  # or its customer came back after a resolution, and was served in the window
        since = contact.resolved(mode, END_OF_TIME, ticket=bool(words))
        reopened |= since is not None and any(since <= at < since + window for _, at in contact.reopens)
    figures["contact_cases_reopened_total", *place] += reopened
    for number, contact in enumerate(case.eligible):
        own = (*_labels(contact, case, policy)[:2], place[2])
        figures["contact_eligible_contacts_total", *own] += 1
        until = -END_OF_TIME if contact.ended_at is None else contact.ended_at + window
        followed = any(other.arrived_at < until for other in case.eligible[number + 1 :])  # overlapping ones, too
        figures["contact_repeat_contacts_total", *own] += followed
    solved = _first_resolution(case, mode)
    if home is not None:
        for family, span in _resolution_times(home, (solved, resolved), policy):
            figures[family, place[0], place[2], bisect_left(HOURS_BOUNDS_MS, span)] += 1
            figures[family, place[0], place[2], "sum"] += span
    for rule, one in said.items():
        if one is not None:
            _count_rule(rule, one, case, policy, figures)
    headline = said.get("contact")
    if policy.agents:
        count_agents(case, (headline, solved), policy, figures)
    if headline is not None:
        _count_disagreement(headline, answers.get(headline.first.contact_id), figures)


def _count_disagreement(headline: Ruled, answer: Any, figures: Figures) -> None:  # noqa: ANN401  an event, if any
    if answer is not None and headline.state != "open":
        figures["contact_survey_disagreements_total", headline.first.channel] += (answer[5].resolved == "yes") == (
            headline.state == "failed"
        )


def _count_rule(rule: str, one: Ruled, case: Case, policy: Policy, figures: Figures) -> None:
    place = _labels(one.first, case, policy)
    day = policy.calendar(one.first.queue).local_day(one.first.begins_at)
    figures["contact_fcr_cases_total", rule, *place, "credited"] += one.state in ("settled", "provisional")
    figures["contact_fcr_cases_total", rule, *place, "settled"] += one.state == "settled"
    figures["contact_fcr_cases_total", rule, *place, "failed"] += one.state == "failed"
    if one.state == "failed":
        figures["contact_fcr_failed_total", rule, place[0], one.reason or "", one.cause] += 1
    figures["~cohort", rule, day, *place[:2], one.state] += 1
    if one.resolved_at is None:
        return
    if one.state == "provisional":
        hour, rest = divmod(one.resolved_at, HOUR_MS)
        running = ("~running", rule, day, str(hour), str(policy.window_ms(case.issue)))
        figures[*running, "n"] += 1
        figures[*running, "since"] += rest
    if one.reason in ("repeat", "reopened") and one.failed_at is not None:
        figures["~repeated", rule, day, str((one.failed_at - one.resolved_at) // DAY_MS)] += 1
