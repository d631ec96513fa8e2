"""Who stands behind a figure of an interval cell, and whether they add up to it (R54, 3-metrics 3.4).

Contacts and cases; behind the time of agents nobody but the agents themselves, with the spells that ended there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from stream.core.figures.families import SERVICE
from stream.core.figures.family import CASE_STAGE, CONTACT_STAGE
from stream.core.figures.series import family_of
from stream.replay.answers import case_brief
from stream.replay.counted import in_cell, named, shown
from stream.replay.sentences import asked_words, contact_words
from stream.wire.policy import policy_hash
from stream.wire.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.replay.answers import Answer
    from stream.replay.counted import Cell
    from stream.replay.known import CaseSeen, Known, PersonSeen

_RULE: Final = re.compile(r'[{,]rule="([^"]*)"')
_SHORT: Final = 3  # lines of a contact's words that say what became of it


def about_cell(known: Known, cell: Cell, figure: str | None) -> Answer | None:
    """A cell: of each figure in it who counted, how much, why; what they add up to, and what the cell says.

    Args:
        known: with every contact, case and agent that may have counted in the cell.
        cell: asked for.
        figure: a family or a series; None = all of the cell.
    """
    behind: dict[str, list[Answer]] = {}
    sums: dict[str, int] = {}
    for who, counts in _who(known, cell):
        for series, amount in named(counts, figure).items():
            line = who | {"says": who["says"](series), "amount": shown(series, amount)}
            behind.setdefault(series, []).append(line)
            sums[series] = sums.get(series, 0) + amount
    counts = named(known.counts or {}, figure)
    if not behind and not counts:
        return None
    figures = [_figure(series, sums, counts, behind) for series in sorted(sums.keys() | counts.keys())]
    return {
        "cell": str(cell),
        "policy": policy_hash(known.stages.policy),
        "figures": figures,
        "adds_up": known.counts is not None and all(each["difference"] == 0 for each in figures),
        "warnings": _warnings(known, figures),
    }


def _figure(series: str, sums: dict[str, int], counts: dict[str, int], behind: dict[str, list[Answer]]) -> Answer:
    family = SERVICE[family_of(series)]
    count, total = counts.get(series, 0), sums.get(series, 0)
    return {
        "figure": series,
        "definition": f"{family.help} ({family.reference})",
        "cell": shown(series, count),
        "sum": shown(series, total),
        "difference": shown(series, count - total),
        "who": sorted(behind.get(series, []), key=lambda line: (str(line["at"]), str(line["id"]))),
    }


def _who(known: Known, cell: Cell) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
    """Whoever counted in the cell, with what; `says` tells a series' reason."""
    if cell.stage in (None, CONTACT_STAGE):
        for contact_id, row in known.rows():
            for contact in row.contacts:
                counts = in_cell(known.worth_of(contact_id, contact), cell)
                if counts:
                    words = contact_words(known.report_of(contact_id, contact))
                    yield _line("contact", contact_id, contact.arrived_at, "; ".join(words[1 : 1 + _SHORT])), counts
        yield from _spells(known, cell)
    if cell.stage in (None, CASE_STAGE):
        for seen in known.people():
            if cell.shard is None or known.home_of(seen.person.id) == cell.shard:
                yield from _cases_of(known, seen, cell)


def _spells(known: Known, cell: Cell) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
    """The spells of agents that ended in the cell: nothing but time, so no contact stands behind them."""
    for agent, (told, after), worth in known.spells():
        counts = in_cell(worth, cell)
        if counts:
            yield _line("agent", agent, told[0], f"{told[5].status} until {format_time(after[0])}"), counts


def _cases_of(known: Known, seen: PersonSeen, cell: Cell) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
    for one in seen.cases.values():
        counts = in_cell(one.worth, cell)
        if counts:
            yield _case_line(known, seen, one), counts
    for contact_id, worth in seen.surveys.items():
        counts = in_cell(worth, cell)
        if counts:
            at = seen.person.surveys[contact_id][0][0]
            yield _line("survey", contact_id, at, "; ".join(map(asked_words, seen.person.asked(contact_id)))), counts


def _line(what: str, name: str, at: int, says: str) -> dict[str, Any]:
    return {"what": what, "id": name, "at": format_time(at), "says": lambda _series: says}


def _case_line(known: Known, seen: PersonSeen, one: CaseSeen) -> dict[str, Any]:
    rules = case_brief(known, seen, one)["rules"]
    resolved = "resolved" if one.report["resolved"] else "not resolved"
    text = f"{one.report['contacts_total']} contacts, {resolved}"

    def says(series: str) -> str:
        rule = _RULE.search(series)
        return str(rules[rule[1]]["says"]) if rule and rule[1] in rules else text

    return _line("case", one.case.id, one.case.arrived_at, "") | {"says": says}


def _warnings(known: Known, figures: list[Answer]) -> list[str]:
    if known.counts is None:
        return ["the cell itself is not there (any more): nothing to compare with"]
    wrong = [each["figure"] for each in figures if each["difference"]]
    if not wrong:
        return []
    why = "older records have left the topics, newer ones are not in the cell yet, or it was counted under other rules"
    return [f"{len(wrong)} of {len(figures)} figures do not add up to the cell: {why}"]
