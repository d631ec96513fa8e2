"""Explains a contact, a case, a customer or a cell: what happened, which rule decided, and what it counted.

It reads the topics (committed records, bounded, without a group), or with `--file` a recording, and makes every
contribution again under the policy given. `--contact` shows the events in their order, the outcome, the cases and the
figures; `--case` the contacts, the tickets, every rule's verdict and what decided it; `--customer` everything in order
of time, across channels and linked ids; `--cell` who stands behind a figure (contacts, cases, spells of agents), and
whether they add up to it. Not found is exit code 1, with what was searched.
"""

import argparse
import difflib
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from stream.admin.reader import TopicReader, open_reader
from stream.cli.errors import DONE
from stream.cli.explained import case_lines, cell_lines, contact_lines, customer_lines
from stream.cli.memory import calm_collector
from stream.cli.replay import Progress, moment, opened
from stream.cli.settings import add_option
from stream.cli.tables import warn
from stream.core.figures.families import SERVICE
from stream.core.figures.series import family_of
from stream.core.policy import Policy
from stream.core.trouble import Trouble
from stream.replay.answers import about_case, about_contact, about_customer
from stream.replay.behind import about_cell
from stream.replay.counted import CELL_FORMS, Cell, parse_cell
from stream.replay.gather import Gathering
from stream.replay.known import Known
from stream.replay.lines import records
from stream.replay.recorded import from_recording, look_for_cell, look_for_rejected
from stream.wire.json import dumps
from stream.wire.policy import load_policy
from stream.wire.times import format_time

if TYPE_CHECKING:
    from stream.cli.settings import Settings

_USAGE: Final = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `explain`."""
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--contact", metavar="ID", help="a contact_id")
    asked.add_argument("--case", metavar="ID", help="a case: a ticket's id, or contact:ID/GENERATION")
    asked.add_argument("--customer", metavar="ID", help="a customer's pseudonym")
    asked.add_argument("--cell", metavar="NAME", help=f"an interval cell: {CELL_FORMS}")
    parser.add_argument("--figure", metavar="NAME", help="of a cell only this family or series, and who is behind it")
    parser.add_argument("--file", metavar="FILE", help="a recording instead of the topics; - = standard input")
    parser.add_argument(
        "--until", type=moment, metavar="TIME", help="where event time stands after the recording; default its newest"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    add_option(parser, "CONTACT_STREAM_POLICY", "--policy")
    add_option(parser, "CONTACT_STREAM_PREFIX", "--prefix")


def run(options: argparse.Namespace, settings: "Settings") -> int:
    """Find it and explain it; 1 when it is not found."""
    kind = next(kind for kind in _PRINTED if getattr(options, kind) is not None)
    name: str = getattr(options, kind)
    cell = _checked(options, kind)
    path = settings.path("CONTACT_STREAM_POLICY")
    broker, prefix = settings.broker(), settings.text("CONTACT_STREAM_PREFIX") or ""
    settings.check()
    policy = load_policy(path) if path else Policy()
    calm_collector()
    progress = Progress()
    if options.file is not None:
        known = _recorded(options, policy, progress)
        searched = f"{options.file}, {known.stages.read:,} records"
    else:
        with open_reader(broker, prefix, progress.show) as reader:
            gathering = Gathering(reader, policy)
            known = getattr(gathering, kind)(name) if cell is None else gathering.cell(cell, options.figure)
            searched = _searched(reader)
    progress.done(known.stages.read)
    answer = _ANSWERS[kind](known, name) if cell is None else about_cell(known, cell, options.figure)
    if answer is None:
        raise Trouble(f"{kind} {name} is not known", f"searched {searched}")
    if options.json:
        sys.stdout.buffer.write(dumps(answer) + b"\n")
    else:
        print("\n".join(_PRINTED[kind](answer) if cell is None else cell_lines(answer, listed=bool(options.figure))))
        warn(answer["warnings"])
    return DONE


def _checked(options: argparse.Namespace, kind: str) -> Cell | None:
    """The cell asked for, if it is one; options that do not go together are refused."""
    if options.until is not None and options.file is None:
        raise Trouble("--until needs --file", "topics are read up to where they stand now", exit_code=_USAGE)
    if options.figure is not None and kind != "cell":
        raise Trouble("--figure needs --cell", exit_code=_USAGE)
    if options.figure is not None and family_of(options.figure) not in SERVICE:
        close = difflib.get_close_matches(family_of(options.figure), SERVICE, 1)
        raise Trouble(
            f"no figure is called {options.figure}", f"did you mean {close[0]}?" if close else "", exit_code=2
        )
    if kind != "cell":
        return None
    try:
        return parse_cell(options.cell)
    except ValueError as problem:
        raise Trouble("cannot read --cell", str(problem), exit_code=_USAGE) from None


def _recorded(options: argparse.Namespace, policy: Policy, progress: Progress) -> Known:
    """Everything in a recording, and what of it only this question needs."""
    with opened(options.file) as lines:
        known = from_recording(records(lines, options.file), policy, options.until, progress.show)
    if options.contact is not None:
        look_for_rejected(known, options.contact)
    if options.cell is not None:
        look_for_cell(known, parse_cell(options.cell))
    return known


def _searched(reader: TopicReader) -> str:
    """Which topics and partitions, and since when they hold anything."""
    parts = []
    for topic, (partitions, oldest) in reader.looked.items():
        numbers = " and ".join(map(str, sorted(partitions)))
        which = "every partition" if len(partitions) == reader.counts[topic] else f"partition {numbers}"
        parts.append(f"{topic} ({which}, {'empty' if oldest is None else f'since {format_time(oldest)}'})")
    return ", ".join(parts)


_ANSWERS: Final[Mapping[str, Callable[[Known, str], dict[str, Any] | None]]] = MappingProxyType(
    {"contact": about_contact, "case": about_case, "customer": about_customer}
)
_PRINTED: Final[Mapping[str, Callable[..., list[str]]]] = MappingProxyType(
    {"contact": contact_lines, "case": case_lines, "customer": customer_lines, "cell": cell_lines}
)
