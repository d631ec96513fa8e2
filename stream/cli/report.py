"""Reports what the interval cells add up to, by local day, week, month or less; heat maps, comparisons, pictures.

It reads the interval topic (committed records, bounded, without a group), or with `--file` what `replay --cells` wrote.
Facts that stand in two intervals are attributed by arrival unless `--attribute outcome` is said; what stands in one
only is taken from there. `--compare` sets an earlier span beside it, `--against` another system's report.
"""

import argparse
import csv
import importlib
import sys
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast
from zoneinfo import ZoneInfo

from stream.admin.reader import open_reader
from stream.cli.errors import DONE
from stream.cli.memory import calm_collector
from stream.cli.replay import Progress, opened
from stream.cli.report_against import Against
from stream.cli.report_heat import HeatMap
from stream.cli.report_table import Compared, Report, Table
from stream.cli.settings import add_option
from stream.cli.tables import warn
from stream.core.events import CHANNELS
from stream.core.figures.figures import INTERVAL_MS
from stream.core.policy import DAY_MS, HOUR_MS, NONE, Policy
from stream.core.reports.comparison import Span
from stream.core.reports.heat import KINDS
from stream.core.reports.periods import LENGTHS, Bound
from stream.core.reports.sheets import QUEUES, SHEETS, Sheet, sheet
from stream.core.reports.sums import ATTRIBUTIONS, IntervalCell, Selection
from stream.core.trouble import Trouble
from stream.replay.cells import from_lines, from_topic
from stream.wire.cells import stage_and_start
from stream.wire.json import dumps
from stream.wire.other_report import read_other_report
from stream.wire.policy import load_policy
from stream.wire.times import parse_bound

if TYPE_CHECKING:
    from stream.cli.settings import Settings

_USAGE: Final = 2
_FURTHEST_MS: Final = 15 * HOUR_MS  # no zone is further from UTC
_PICTURES: Final = (".png", ".svg")


class Drawing(Protocol):
    """What `stream.cli.plots` offers; imported only where a picture is wanted, because its library may be missing."""

    def draw(self, report: Report, path: Path) -> None:
        """Draw a table of queues or a heat map."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `report`."""
    parser.add_argument("--by", choices=LENGTHS, help="length of a row (day); weeks begin on Monday")
    parser.add_argument("--table", choices=SHEETS, default="queues", help="which figures (queues)")
    parser.add_argument("--rule", default="contact", metavar="NAME", help="of --table cases (contact)")
    parser.add_argument(
        "--from",
        dest="begin",
        type=_bound,
        metavar="TIME",
        help="from then on: ISO 8601, UTC unless it has an offset; a plain day is that local day",
    )
    parser.add_argument("--to", dest="end", type=_bound, metavar="TIME", help="until then, exclusive; like --from")
    parser.add_argument(
        "--zone", type=_zone, metavar="ZONE", help="local time of all rows; default each queue's own, by its calendar"
    )
    parser.add_argument(
        "--attribute", choices=ATTRIBUTIONS, default="arrival", help="where a fact counts that has both (arrival)"
    )
    parser.add_argument(
        "--channel", action="append", choices=CHANNELS, default=[], help="only this channel; may be repeated"
    )
    parser.add_argument("--queue", action="append", default=[], metavar="NAME", help="only this queue; may be repeated")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--heat", choices=KINDS, help="weekday by hour of local time, instead of rows")
    kind.add_argument(
        "--compare",
        type=_compared,
        metavar="SPAN",
        help="an earlier span of equal length beside it: previous, or FROM..TO as in --from and --to",
    )
    kind.add_argument("--against", type=Path, metavar="FILE", help="another system's report, CSV; needs --map")
    parser.add_argument("--map", type=Path, metavar="FILE", help="what the columns of --against are, TOML")
    parser.add_argument("--plot", type=_picture, metavar="FILE", help="draw it as well, .png or .svg")
    parser.add_argument(
        "--file", metavar="FILE", help="cells of replay --cells instead of the topic; - = standard input"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="for spreadsheets")
    form.add_argument("--json", action="store_true", help="for programs")
    add_option(parser, "CONTACT_STREAM_POLICY", "--policy")
    add_option(parser, "CONTACT_STREAM_PREFIX", "--prefix")


def run(options: argparse.Namespace, settings: "Settings") -> int:
    """Add up what was asked for and say it."""
    path = settings.path("CONTACT_STREAM_POLICY")
    broker, prefix = settings.broker(), settings.text("CONTACT_STREAM_PREFIX") or ""
    settings.check()
    policy = load_policy(path) if path else Policy()
    report = _chosen(options, policy)
    drawing = None if options.plot is None else _drawing()
    calm_collector()
    progress = Progress()
    wanted = _wanted(report)
    if options.file is not None:
        with opened(options.file) as lines:
            count = _add_all(report, from_lines(lines, options.file, wanted, progress.show))
    else:
        with open_reader(broker, prefix, progress.show) as reader:
            count = _add_all(report, from_topic(reader, range(reader.counts["intervals"]), wanted))
    progress.done(count)
    if not count:
        warn(["no interval cells in what was asked for"])
    _say(options, report)
    if drawing is not None:
        drawing.draw(report, options.plot)
    return DONE


def _chosen(options: argparse.Namespace, policy: Policy) -> Report:
    """The kind of report that the options ask for; those that do not go together are refused."""
    chosen = sheet(options.table, options.rule)
    _check(options, policy, chosen)
    selection = Selection(
        policy=policy,
        series=chosen.series,
        rows=chosen.rows,
        length=options.by or "day",
        attribution=options.attribute,
        zone=options.zone,
        begin=options.begin,
        end=options.end,
        channels=frozenset(options.channel or chosen.channels),
        queues=frozenset(options.queue),
    )
    if options.heat is not None:
        return HeatMap(options.heat, selection)
    if options.against is not None:
        return Against(selection, read_other_report(options.against, options.map))
    if options.compare is not None:
        named = options.queue or [NONE, *policy.queues]
        zones = frozenset([options.zone] if options.zone else (policy.calendar(queue).zone for queue in named))
        return Compared(selection, chosen, None if options.compare == "previous" else options.compare, zones)
    return Table(selection, chosen)


def _check(options: argparse.Namespace, policy: Policy, chosen: Sheet) -> None:
    """Refuse options that do not go together.

    Raises:
        Trouble: which ones, and what to do.
    """
    wrong = {
        "--against and --map go together": (options.against is None) != (options.map is None),
        "--from must lie before --to": _reversed(options.begin, options.end),
        f"--table {chosen.name} does not know queues": bool(options.queue) and "queue" not in chosen.rows,
        f"--table {chosen.name} does not know channels": bool(options.channel) and "channel" not in chosen.rows,
        "--heat has neither --by nor --table, and is always by arrival": options.heat is not None
        and (options.by is not None or options.table != QUEUES.name or options.attribute != ATTRIBUTIONS[0]),
        "--against takes --by, --zone, --from and --to from --map and the report": options.against is not None
        and any(each is not None for each in (options.by, options.zone, options.begin, options.end)),
        "--plot goes with --table queues and with --heat": options.plot is not None
        and (chosen != QUEUES or options.compare is not None or options.against is not None),
        f"--table {chosen.name} has only the channels {', '.join(chosen.channels)}": bool(
            chosen.channels and set(options.channel) - set(chosen.channels)
        ),
        f"the policy has no rule {options.rule}; it has {', '.join(policy.rules)}": chosen.name == "cases"
        and options.rule not in policy.rules,
    }
    for said, so in wrong.items():
        if so:
            raise Trouble("cannot report that", said, exit_code=_USAGE)


def _reversed(begin: Bound | None, end: Bound | None) -> bool:
    """Whether nothing can lie between; a day and a moment are not compared, they depend on the zone."""
    if isinstance(begin, int) and isinstance(end, int):
        return begin >= end
    return isinstance(begin, date) and isinstance(end, date) and begin >= end


def _wanted(report: Report) -> Callable[[bytes], bool]:
    """Whether the cell of a key may be needed, as far as its key tells."""
    stages = report.selection.stages
    firsts = [None if begin is None else _moment(begin) - _FURTHEST_MS for begin, _ in report.bounds]
    lasts = [None if end is None else _moment(end) + _FURTHEST_MS for _, end in report.bounds]
    first = None if None in firsts else min(at for at in firsts if at is not None)
    last = None if None in lasts else max(at for at in lasts if at is not None)

    def wanted(key: bytes) -> bool:
        found = stage_and_start(key)
        if found is None or found[0] not in stages:
            return False
        return (first is None or first <= found[1]) and (last is None or found[1] < last)

    return wanted


def _moment(bound: Bound) -> int:
    """A bound in ms, a day as if it were one of UTC."""
    return bound if isinstance(bound, int) else (bound - date(1970, 1, 1)).days * DAY_MS


def _add_all(report: Report, cells: Iterable[IntervalCell]) -> int:
    count = 0
    for count, cell in enumerate(cells, 1):  # noqa: B007  the count is what is left of it
        report.add(cell)
    return count


def _say(options: argparse.Namespace, report: Report) -> None:
    if options.json:
        sys.stdout.buffer.write(dumps(report.answer()) + b"\n")
    elif options.csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows(report.records())
    else:
        print("\n".join(report.lines()))
    warn(report.notes())


def _drawing() -> "Drawing":
    """What draws pictures.

    Raises:
        Trouble: the library for it is not installed.
    """
    try:
        return cast("Drawing", importlib.import_module("stream.cli.plots"))
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "matplotlib":
            raise
        hint = "install it: pip install 'contact-stream[plots]', or in a checkout: uv sync --extra plots"
        raise Trouble("cannot draw a picture", "matplotlib is not installed", hint) from None


def _bound(text: str) -> Bound:
    bound = _parsed(text)
    if isinstance(bound, int) and bound % INTERVAL_MS:
        raise argparse.ArgumentTypeError(f"expected a whole quarter of an hour such as 10:15, got {text}")
    return bound


def _parsed(text: str) -> Bound:
    try:
        return parse_bound(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _compared(text: str) -> Span | str:
    begin, dots, end = text.partition("..")
    if text == "previous":
        return text
    if not dots:
        raise argparse.ArgumentTypeError(f"expected previous, or a span such as 2026-02-01..2026-03-01, got {text}")
    return Span(_bound(begin), _bound(end))


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (OSError, ValueError, KeyError):
        raise argparse.ArgumentTypeError(f"expected an IANA zone such as Europe/Berlin, got {text}") from None


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix not in _PICTURES:
        raise argparse.ArgumentTypeError(f"expected a file that ends in {' or '.join(_PICTURES)}, got {text}")
    return path
