"""The answers of `explain` about one contact, one case, one customer, as plain values that `--json` prints.

Times are RFC 3339 in UTC, but inside a record of an output topic (`outcome`), which stands as it was told. An answer is
None where nothing at all is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stream.core.cases.case import MERGED
from stream.core.cases.cells import HEADLINE, credit_of, verdicts
from stream.core.cases.fact import first_contact
from stream.core.cases.person import KNOWN, LINKED
from stream.replay.counted import lines_of
from stream.replay.sentences import (
    asked_words,
    contact_words,
    credit_words,
    fact_words,
    left_out_words,
    resolution_words,
    verdict_words,
)
from stream.wire.json import loads
from stream.wire.policy import policy_hash
from stream.wire.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stream.core.cases.fact import Fact, FactKey
    from stream.core.events import Event
    from stream.replay.known import CaseSeen, Known, PersonSeen

Answer = dict[str, Any]

_ENVELOPE = frozenset(
    ("type", "event_id", "occurred_at", "source", "contact_id", "customer", "case_id", "~default_channel")
)
_TIMES = ("resolved_at", "window_end", "failed_at")


def about_contact(known: Known, contact_id: str) -> Answer | None:
    """A contact_id: its generations with their events and what each counted, its surveys, and its cases."""
    row = known.row(contact_id)
    people = list(known.people(contact_id))
    generations = _generations(known, contact_id)
    surveys = [(seen, told) for seen in people if (told := seen.person.surveys.get(contact_id))]
    cases = [
        (seen, one, role)
        for seen in people
        for one in seen.cases.values()
        for role in roles_in(one.case).get(contact_id, ())
    ]
    if row is None and not generations and not surveys and not cases and not known.kept_out:
        return None
    return {
        "contact": contact_id,
        "policy": policy_hash(known.stages.policy),
        "generations": generations,
        "surveys": [event_line(known, event) for _, told in surveys for event in told],
        "surveys_counted": [line.plain for seen, _ in surveys for line in lines_of(seen.surveys[contact_id])],
        "cases": [{"role": role, **case_brief(known, seen, one)} for seen, one, role in cases],
        "kept_out": known.kept_out,
        "corrections": known.corrections,
        "warnings": _contact_warnings(known, contact_id, generations) + _verdict_warnings(known, [c[1] for c in cases]),
    }


def about_case(known: Known, case_id: str) -> Answer | None:
    """A case: its contacts in order, what the ticket system and the customer said, every rule, what it counted.

    A ticket that became part of another is answered with that one, and a warning.
    """
    people = list(known.people(_needle(case_id)))
    name = _merged(people, case_id)
    seen = next((seen for seen in people if name in seen.cases), None)
    if seen is None:
        return _told_only(known, case_id)
    one = seen.cases[name]
    case = one.case
    parts = (("contact", case.contacts), ("attempt before", case.attempts), ("names the ticket", case.linked))
    facts = sorted(((f.arrived_at, f.contact_id, f, role) for role, fs in parts for f in fs), key=lambda row: row[:2])
    ids = {fact.contact_id for _, _, fact, _ in facts}
    surveys = sorted(event for name, told in seen.person.surveys.items() if name in ids for event in told)
    return {
        **case_brief(known, seen, one),
        "ids": sorted(known.ids_of(seen.person.id)) if not seen.person.alone else [],
        "contacts": [_fact_line(fact) | {"role": role} for _, _, fact, role in facts],
        "ticket": [event_line(known, event) for event in case.events],
        "surveys": [event_line(known, event) for event in surveys],
        "asked": _asked(seen, ids),
        "credit": _credit(known, seen, one),
        "left": one.left,
        "corrections": known.corrections,
        "counted": [line.plain for line in lines_of(one.worth)],
        "warnings": _verdict_warnings(known, [one]) + ([] if name == case_id else [f"{case_id} became part of {name}"]),
    }


def about_customer(known: Known, customer: str) -> Answer | None:
    """A customer: everything that happened, in order of time and across channels, and every case (R29)."""
    seen = known.person(customer)
    ids = known.ids_of(customer)
    lines = sorted(_timeline(known, seen, ids), key=lambda line: (line["at"], line["what"], line["id"]))
    here = [] if seen is None else list(seen.cases.values())
    briefs = [] if seen is None else [case_brief(known, seen, one) for one in here]
    told = [name for name in known.verdicts if seen is None or name not in seen.cases]
    briefs += [_told_brief(known, name) for name in told if not known.verdicts[name]["withdrawn"]]
    if not lines and not briefs:
        return None
    return {
        "customer": customer,
        "ids": sorted(ids),
        "leader": customer if seen is None else seen.person.id,
        "policy": policy_hash(known.stages.policy),
        "timeline": lines,
        "cases": sorted(briefs, key=lambda brief: brief["arrived_at"] or ""),
        "warnings": _verdict_warnings(known, here),
    }


def case_brief(known: Known, seen: PersonSeen, one: CaseSeen) -> Answer:
    """A case in a few words: where it lies, and what every rule says; as told where it was told."""
    told = known.verdicts.get(one.case.id)
    report = one.report if told is None or told["withdrawn"] else told
    outside = _left_out(known, seen, one)
    return _brief(report, outside) | {
        "customer": None if seen.person.alone else seen.person.id,
        "policy": policy_hash(known.stages.policy) if report is one.report else report["policy"],
        "told": report is not one.report,
    }


def roles_in(case: Any) -> dict[str, list[str]]:  # noqa: ANN401  a case, also of a person at rest
    """contact_id -> what each of its generations is to the case."""
    found: dict[str, list[str]] = {}
    total = len(case.contacts)
    for number, fact in enumerate(case.contacts, 1):
        found.setdefault(fact.contact_id, []).append(f"contact {number} of {total}")
    for fact in case.attempts:
        found.setdefault(fact.contact_id, []).append("attempt before")
    for fact in case.linked:
        found.setdefault(fact.contact_id, []).append("names the ticket")
    return found


def event_line(known: Known, event: Event) -> Answer:
    """An event: when, what, from where, and its own fields."""
    body = loads(known.stages.codec.body(event))
    details = {name: value for name, value in body.items() if name not in _ENVELOPE}
    return {
        "at": format_time(event[0]),
        "type": body["type"],
        "source": event[4],
        "event_id": event[3],
        **({"contact_id": body["contact_id"]} if body["type"].startswith("survey.") else {}),
        "details": details,
    }


def _generations(known: Known, contact_id: str) -> list[Answer]:
    row = known.row(contact_id)
    contacts = [] if row is None else row.contacts
    found = []
    for number, contact in enumerate(contacts):
        until = contacts[number + 1].first_at if number + 1 < len(contacts) else None
        events = [e for e in row.tail if e[0] >= contact.first_at and (until is None or e[0] < until)] if row else []
        report = known.report_of(contact_id, contact)
        found.append(
            {
                "generation": format_time(contact.first_at),
                "says": contact_words(report),
                "outcome": report,
                "told": (contact_id, contact.first_at) in known.outcomes,
                "events": [event_line(known, event) for event in events],
                "counted": [line.plain for line in lines_of(known.worth_of(contact_id, contact))],
            }
        )
    folded = {contact.first_at for contact in contacts}
    for (name, generation), told in known.outcomes.items():
        if name == contact_id and generation not in folded:
            report = {"generation": format_time(generation), "says": contact_words(told), "outcome": told}
            found.append({**report, "told": True, "events": [], "counted": []})
    return sorted(found, key=lambda one: str(one["generation"]))


def _contact_warnings(known: Known, contact_id: str, generations: list[Answer]) -> list[str]:
    warnings = []
    for one in generations:
        if not one["events"]:
            text = "the topics no longer hold its events; what it counted cannot be made again"
            warnings.append(f"generation {one['generation']}: {text}")
    for (name, generation), told in known.outcomes.items():
        mine = next((one for one in generations if one["generation"] == format_time(generation)), None)
        if name == contact_id and mine is not None and mine["outcome"]["outcome"] != told["outcome"]:
            text = f"told as {told['outcome']}, but its events make it {mine['outcome']['outcome']}"
            warnings.append(f"generation {mine['generation']}: {text}; another policy, or newer events, or older gone")
    return warnings


def _verdict_warnings(known: Known, cases: list[CaseSeen]) -> list[str]:
    own, warnings = policy_hash(known.stages.policy), []
    for one in cases:
        told = known.verdicts.get(one.case.id)
        if told is None or told["withdrawn"]:
            continue
        if told["policy"] != own:
            text = (
                f"decided under policy {told['policy']}, counted here under {own}; give --policy as the worker has it"
            )
            warnings.append(f"case {one.case.id}: {text}")
        elif told["rules"] != one.report["rules"]:
            text = "what the topics still hold makes another verdict than was told: older records have left them"
            warnings.append(f"case {one.case.id}: {text}")
    return warnings


def _told_only(known: Known, case_id: str) -> Answer | None:
    """Of a case whose contacts have left the topics: what was told last."""
    told = known.verdicts.get(case_id)
    if told is None:
        return None
    gone = "it is no case any more: its contacts belong to another" if told["withdrawn"] else None
    kept = "the topics no longer hold its contacts: this was told last, and what it counted cannot be made again"
    empty: Answer = {name: [] for name in ("ids", "contacts", "ticket", "surveys", "asked", "counted")}
    rest = {"credit": None, "left": gone is None, "corrections": known.corrections, "warnings": [gone or kept]}
    if gone is None:
        contacts = [{"contact_id": each["contact_id"], "says": "gone"} for each in told["contacts"]]
        return {**_told_brief(known, case_id), **empty, **rest, "contacts": contacts}
    brief = {"case": case_id, "customer": told["customer"], "policy": told["policy"], "told": True, "rules": {}}
    return {**brief, **empty, **rest}


def _told_brief(known: Known, case_id: str) -> Answer:
    told = known.verdicts[case_id]
    return _brief(told, {}) | {"customer": told["customer"], "policy": told["policy"], "told": True}


def _brief(report: Mapping[str, Any], outside: Mapping[str, str]) -> Answer:
    rules = {
        rule: {"state": None, "says": outside.get(rule, "left out")} if trace is None else _trace(trace)
        for rule, trace in report["rules"].items()
    }
    took = {name: report[name] for name in ("first_resolution_ms", "last_resolution_ms")}
    return {
        "case": report["case_id"],
        "arrived_at": format_time(report["arrived_at"]),
        "channel": report["channel"],
        "queue": report["queue"],
        "issue": report["issue"],
        "resolved": report["resolved"],
        **took,
        "resolution": resolution_words(*took.values()),
        "rules": rules,
    }


def _trace(trace: Mapping[str, Any]) -> Answer:
    times = {name: None if trace[name] is None else format_time(trace[name]) for name in _TIMES}
    return {**trace, **times, "says": verdict_words(trace)}


def _asked(seen: PersonSeen, contacts: Iterable[str]) -> list[Answer]:
    """What the customer said of each of these contacts."""
    return [
        {"contact_id": name, "score": asked.score, "handle_band": asked.handle_band, "says": asked_words(asked)}
        for name in sorted(contacts)
        for asked in seen.person.asked(name)
    ]


def _credit(known: Known, seen: PersonSeen, one: CaseSeen) -> Answer | None:
    """Who has the credit of a case under the headline rule; None where the policy names no agents, or nobody served."""
    figures, counted = known.stages.cases.figures, _is_counted(known, seen)
    if not figures.policy.agents:
        return None
    said = verdicts(one.case, seen.person.answers, figures, known.settled, counted=counted).get(HEADLINE)
    agent = None if said is None else credit_of(said)
    if said is None or agent is None:
        return None
    label, contact_id = figures.policy.agent_label(agent), said.first.contact_id
    return {"agent": label, "contact_id": contact_id, "says": credit_words(label, contact_id, said.state)}


def _is_counted(known: Known, seen: PersonSeen) -> bool:
    return not seen.person.alone or known.stages.policy.cases.unidentified == "count"


def _left_out(known: Known, seen: PersonSeen, one: CaseSeen) -> dict[str, str]:
    policy = known.stages.policy
    counted = _is_counted(known, seen)
    contacts = one.case.first is not None
    return {
        name: left_out_words(
            {"survey": rule.survey, "channels": ", ".join(rule.channels)}, counted=counted, contacts=contacts
        )
        for name, rule in policy.rules.items()
    }


def _fact_line(fact: Fact) -> Answer:
    return {
        "at": format_time(fact.arrived_at),
        "contact_id": fact.contact_id,
        "generation": format_time(fact.generation),
        "says": fact_words(fact),
    }


def _timeline(known: Known, seen: PersonSeen | None, ids: set[str]) -> Iterator[Answer]:
    """Whatever happened to a person, in any order."""
    if seen is not None:
        yield from _told_of(known, seen)
    for name in ids:
        dossier = known.stages.cases.people.get(KNOWN + name)
        for heard in () if dossier is None else dossier.person.events.values():
            if heard.event[2] == LINKED:
                says = f"{heard.event[5].alias} is {heard.event[5].customer}"
                yield {"at": format_time(heard.event[0]), "what": "link", "id": name, "case": None, "says": says}


def _told_of(known: Known, seen: PersonSeen) -> Iterator[Answer]:
    """Contacts, tickets and surveys of who leads."""
    cases: dict[FactKey, str] = {}
    for name, one in seen.cases.items():
        for fact in (*one.case.contacts, *one.case.attempts, *one.case.linked):
            cases[fact.contact_id, fact.generation] = name
        for event in one.case.events:
            yield _happened(known, event, "ticket", name)
    for key, fact in seen.person.timeline.facts.items():
        line = _fact_line(fact)
        yield {"at": line["at"], "what": "contact", "id": key[0], "case": cases.get(key), "says": line["says"]}
    for told in seen.person.surveys.values():
        for event in told:
            yield _happened(known, event, "survey", None)


def _happened(known: Known, event: Event, what: str, case: str | None) -> Answer:
    line = event_line(known, event)
    details = ", ".join(f"{name} {value}" for name, value in line["details"].items())
    about = event[5].contact_id if what == "survey" else case
    return {"at": line["at"], "what": what, "id": about, "case": case, "says": f"{line['type']} {details}".strip()}


def _merged(people: list[PersonSeen], case_id: str) -> str:
    """The ticket that a ticket has become part of, through any number of steps; itself if of none."""
    heard = [each.event for seen in people for each in seen.person.events.values() if each.event[2] == MERGED]
    into = {event[5].case_id: event[5].into for event in sorted(heard)}
    name, met = case_id, {case_id}
    while name in into and into[name] not in met and not any(name in seen.cases for seen in people):
        name = into[name]
        met.add(name)
    return name


def _needle(case_id: str) -> str:
    """What the rows of whoever has the case name: a ticket, or its first contact."""
    return first_contact(case_id) or case_id
