"""The answers of `explain` as text for people: titles, sentences, tables. Times as they are in the answer, UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stream.cli.tables import indented, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Answer = dict[str, Any]

_EVENT: Final = ("time", "event", "source", "details")
_COUNTED: Final = ("figure", "amount", "by arrival", "by outcome", "place")


def contact_lines(answer: Answer) -> list[str]:
    """Of a contact: each generation with events and figures, then its cases."""
    lines = [f"contact {answer['contact']}, policy {answer['policy']}"]
    for one in answer["generations"]:
        customer = one["outcome"]["customer"]
        who = "nobody knows who" if customer is None else f"customer {customer}"
        told = "told on the outcomes topic" if one["told"] else "made from its events"
        lines += ["", f"generation {one['generation']}: {who}; {told}"]
        lines += indented([*one["says"], *_events(one["events"]), *_counted(one["counted"])])
    if answer["surveys"]:
        lines += ["", "asked", *indented([*_events(answer["surveys"]), *_counted(answer["surveys_counted"])])]
    for case in answer["cases"]:
        lines += ["", f"{_titled(case)}: {case['role']}", *indented(_rules(case))]
    lines += _kept_out(answer["kept_out"])
    return [*lines, *_corrections(answer["corrections"])]


def case_lines(answer: Answer) -> list[str]:
    """Of a case: contacts, tickets, surveys, rules, figures."""
    lines = [_titled(answer)]
    if len(answer["ids"]) > 1:
        lines.append(f"one person: {', '.join(answer['ids'])}")
    if answer["left"]:
        lines.append("closed: nothing that is still accepted can change it")
    rows = ((c.get("at"), c["contact_id"], c.get("role"), c["says"]) for c in answer["contacts"])
    lines += ["", *table(("arrived", "contact", "is", "what became of it"), rows)]
    for title in ("ticket", "surveys"):
        if answer[title]:
            lines += ["", title, *indented(_events(answer[title]))]
    asked = table(("asked about", "the customer"), ((each["contact_id"], each["says"]) for each in answer["asked"]))
    lines += ["", *asked] if asked else []
    credit = answer["credit"]
    lines += ["", answer.get("resolution", "no case any more"), *([] if credit is None else [credit["says"]])]
    lines += ["", *_rules(answer), *_corrections(answer["corrections"])]
    return [*lines, *([""] if answer["counted"] else []), *_counted(answer["counted"])]


def customer_lines(answer: Answer) -> list[str]:
    """Of a customer: everything in order of time, then the cases."""
    lines = [f"customer {answer['customer']}"]
    if len(answer["ids"]) > 1:
        lines.append(f"one person: {', '.join(answer['ids'])}; {answer['leader']} leads")
    rows = ((line["at"], line["what"], line["id"], line["case"], line["says"]) for line in answer["timeline"])
    lines += ["", *table(("time", "what", "id", "case", "what happened"), rows)]
    for case in answer["cases"]:
        lines += ["", _titled(case), *indented(_rules(case))]
    return lines


def cell_lines(answer: Answer, *, listed: bool) -> list[str]:
    """Of a cell: its figures with what they add up to; ``listed``: who is behind each."""
    lines = [f"{answer['cell']}; policy {answer['policy']}"]
    if not listed:
        rows = (
            (one["figure"], one["cell"], one["sum"], one["difference"], len(one["who"])) for one in answer["figures"]
        )
        lines += ["", *table(("figure", "cell", "adds up to", "difference", "behind it"), rows)]
    for one in answer["figures"] if listed else ():
        lines += ["", one["figure"], *indented([one["definition"]])]
        rows = ((who["at"], who["what"], who["id"], who["amount"], who["says"]) for who in one["who"])
        lines += indented(table(("time", "what", "id", "amount", "why"), rows))
        total = f"{len(one['who']):,} add up to {one['sum']:,}, the cell says {one['cell']:,}"
        lines += indented([total if not one["difference"] else f"{total}: {one['difference']:,} more are not found"])
    return lines


def _titled(case: Answer) -> str:
    who = case.get("customer") or "nobody knows who"
    where = f", {case['channel'] or 'no channel'}, {case['queue']}, issue {case['issue'] or 'none'}"
    begun = f", since {case['arrived_at']}"
    told = f"decided under policy {case['policy']}" if case["told"] else f"policy {case['policy']}"
    return (
        f"case {case['case']} of {who}{where if 'channel' in case else ''}{begun if 'channel' in case else ''}; {told}"
    )


def _rules(case: Mapping[str, Any]) -> list[str]:
    return table(("rule", "verdict"), ((rule, said["says"]) for rule, said in case["rules"].items()))


def _events(events: Iterable[Mapping[str, Any]]) -> list[str]:
    return table(_EVENT, ((e["at"], e["type"], e["source"], _details(e["details"])) for e in events))


def _details(details: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in details.items())


def _counted(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    rows = []
    for line in lines:
        place = ", ".join(line[name] for name in ("channel", "queue", "issue")) if "channel" in line else ""
        rows.append((line["figure"], line["amount"], line["arrival"], line["outcome"], place))
    return table(_COUNTED, rows)


def _kept_out(kept_out: list[Answer]) -> list[str]:
    rows = ((e["occurred_at"], e["type"], e["reason"], e["detail"]) for e in kept_out)
    return ["", "kept out", *indented(table(("time", "event", "reason", "detail"), rows))] if kept_out else []


def _corrections(told: list[Answer]) -> list[str]:
    rows = ((one["cell"], one["old"], one["new"], one["cause"]) for one in told)
    return ["", "corrections", *indented(table(("figure", "was", "became", "because of"), rows))] if told else []
