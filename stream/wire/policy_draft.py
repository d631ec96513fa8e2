"""A policy file with the names that events use: the most frequent first, how many events name each beside it.

Only names are drafted; everything else has its default, which `contact-stream policy show` prints. Names that cannot
stand in a policy, and those beyond `MOST_NAMES` of a kind, are left out and said to be. Source: 2-numbers 2.11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import tomlkit

from stream.core.policies.reader import MOST_AGENTS, nameable
from stream.wire.times import format_time

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping

    from tomlkit import TOMLDocument
    from tomlkit.items import Array, InlineTable, Table

    from stream.core.policies.names import Names

MOST_NAMES: Final = 1_000
"""Of a kind; who sends more does not mean names."""
_SHOWN: Final = 5  # of the names that are left out


def draft_text(names: Names, origin: str, *, agents: bool) -> str:
    """A policy file that lists the names.

    Args:
        names: as counted.
        origin: where the events came from, for the first line.
        agents: whether people are named; figures by agent are opt-in.
    """
    document = tomlkit.document()
    since = "" if names.first is None or names.last is None else _span(names.first, names.last)
    document.add(tomlkit.comment(" ".join(f"A draft from {origin}{since}.".split())))
    document.add(tomlkit.comment("Beside each name: how many events use it. Strike what is none; what is not here is"))
    document.add(tomlkit.comment("shown as other, and every other key has its default (contact-stream policy show)."))
    _add_queues(document, names.queues())
    _add_tables(document, "issues", names.issues, {})
    menus = _listed(document, names.menus, "menu nodes")
    if menus:
        document.add("steps", _table({"menu": _lines(names.menus, menus)}))
    staff = {"teams": names.teams, "reasons": names.reasons}
    found = {
        kind: _lines(counts, listed) for kind, counts in staff.items() if (listed := _listed(document, counts, kind))
    }
    if found:
        document.add("staff", _table(found))
    if agents:
        _add_tables(document, "agents", names.agents, _teams(names), most=MOST_AGENTS)
    return tomlkit.dumps(document)


def _span(first: int, last: int) -> str:
    return f", events from {format_time(first)} to {format_time(last)}"


def frequent(counts: Mapping[str, int]) -> list[str]:
    """The names, the most frequent first, those as frequent by name."""
    return sorted(counts, key=lambda name: (-counts[name], name))


def _listed(document: TOMLDocument, counts: Mapping[str, int], kind: str, most: int = MOST_NAMES) -> list[str]:
    """The names of one kind that are drafted; begins their part of the file and says which are left out."""
    if counts:
        document.add(tomlkit.nl())
    good = [name for name in frequent(counts) if nameable(name)]
    bad = [name for name in frequent(counts) if not nameable(name)]
    if bad:
        shown = ", ".join(map(repr, bad[:_SHOWN])) + (", …" if len(bad) > _SHOWN else "")
        document.add(tomlkit.comment(f"{kind} that cannot have a name of their own: {shown}"))
    if len(good) > most:
        rest = sum(counts[name] for name in good[most:])
        document.add(tomlkit.comment(f"{kind}: {len(good) - most:,} more are named by {rest:,} events"))
    return good[:most]


def _add_queues(document: TOMLDocument, queues: Mapping[str, Counter[str]]) -> None:
    counts = {queue: channels.total() for queue, channels in queues.items()}
    listed = _listed(document, counts, "queues")
    if not listed:
        return
    table = tomlkit.table()
    for queue in listed:
        channels = frequent(queues[queue])
        told = ", ".join(f"{channel} {queues[queue][channel]:,}" for channel in channels)
        value = _inline({"channels": channels} if channels else {})
        table.add(queue, value.comment(told or "named by agents alone"))
    document.add("queues", table)


def _add_tables(
    document: TOMLDocument,
    kind: str,
    counts: Counter[str],
    said: Mapping[str, Mapping[str, str]],
    most: int = MOST_NAMES,
) -> None:
    """``NAME = { … }`` for each name of a kind."""
    listed = _listed(document, counts, kind, most)
    if listed:
        document.add(kind, _table({name: _inline(said.get(name, {})).comment(f"{counts[name]:,}") for name in listed}))


def _teams(names: Names) -> dict[str, dict[str, str]]:
    """Of each agent the team named most often beside it, if the draft lists that."""
    listed = {name for name in frequent(names.teams)[:MOST_NAMES] if nameable(name)}
    found = {agent: [team for team in frequent(teams) if team in listed] for agent, teams in names.teams_of.items()}
    return {agent: {"team": teams[0]} for agent, teams in found.items() if teams}


def _lines(counts: Mapping[str, int], names: Iterable[str]) -> Array:
    """A list with a name a line."""
    array = tomlkit.array()
    for name in names:
        array.add_line(name, comment=f"{counts[name]:,}")
    array.add_line(indent="")
    return array


def _inline(values: Mapping[str, object]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(values)
    return table


def _table(values: Mapping[str, object]) -> Table:
    table = tomlkit.table()
    for name, value in values.items():
        table.add(name, value)
    return table
