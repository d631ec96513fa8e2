"""Replays recorded events through the shards of both stages, in this process, and prints the net figures.

The file holds canonical JSON lines, `{"topic": "calls", "event": {...}}`, in any order; `-` reads standard input.
Every net figure is printed by its series, as `/metrics` names it, with seconds where the name says so. After the last
line every watermark stands at `--until`, so whatever falls due by then has been done. `--cells` writes the interval
cells as well, in the form in which the interval topic holds them.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from stream.cli.errors import DONE, FAILED
from stream.cli.memory import calm_collector
from stream.cli.settings import add_option
from stream.core.policy import Policy
from stream.replay.lines import records
from stream.replay.run import Figures, replay
from stream.wire.json import dumps
from stream.wire.policy import load_policy, policy_hash
from stream.wire.times import format_time, parse_time

if TYPE_CHECKING:
    from stream.cli.settings import Settings

_TERMINAL_S: Final = 0.5
_PLAIN_S: Final = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `replay`."""
    parser.add_argument(
        "--file", required=True, metavar="FILE", help="JSON lines of recorded events; - = standard input"
    )
    parser.add_argument(
        "--until",
        type=moment,
        metavar="TIME",
        help="where event time stands after the last line; default the newest event",
    )
    parser.add_argument(
        "--cells",
        type=Path,
        metavar="FILE",
        help="write the interval cells there, one JSON line each, for report --file",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    add_option(parser, "CONTACT_STREAM_POLICY", "--policy")


def run(options: argparse.Namespace, settings: "Settings") -> int:
    """Replay the file; 1 when records were rejected, which standard error says."""
    path = settings.path("CONTACT_STREAM_POLICY")
    settings.check()
    policy = load_policy(path) if path else Policy()
    calm_collector()
    progress = Progress()
    with opened(options.file) as lines:
        take = None if options.cells is None else partial(_write_cells, options.cells)
        figures = replay(records(lines, options.file), policy, options.until, progress.show, take)
    progress.done(figures.records)
    answer = report(figures, policy)
    if options.json:
        sys.stdout.buffer.write(dumps(answer) + b"\n")
    else:
        _table(figures)
    if figures.rejected:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in sorted(figures.rejected.items()))
        print(f"contact-stream: rejected {counts}; they are in no figure", file=sys.stderr)
        return FAILED
    return DONE


def report(figures: Figures, policy: Policy) -> dict[str, object]:
    """What `--json` prints."""
    return {
        "policy": policy_hash(policy),
        "watermark": None if figures.watermark is None else format_time(figures.watermark),
        "records": figures.records,
        "applied": figures.applied,
        "duplicates": figures.duplicates,
        "rejected": figures.rejected,
        "figures": dict(sorted(figures.net.items())),
    }


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """The lines of a file; `-` is standard input."""
    if name == "-":
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield file


def _write_cells(path: Path, cells: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(cell + b"\n" for cell in cells)


def _table(figures: Figures) -> None:
    width = max((len(name) for name in figures.net), default=0)
    for name, value in sorted(figures.net.items()):
        if "_bucket{" not in name:
            print(f"{name:<{width}} {value:>14,}" if isinstance(value, int) else f"{name:<{width}} {value:>14,.3f}")
    at = "" if figures.watermark is None else f", event time {format_time(figures.watermark)}"
    rejected = sum(figures.rejected.values())
    parts = f"{figures.applied:,} applied, {figures.duplicates:,} duplicate, {rejected:,} rejected"
    print(f"{figures.records:,} records: {parts}{at}")


class Progress:
    """Where the replay is: a line that renews itself on a terminal, else a JSON line every 10 s; on standard error."""

    def __init__(self) -> None:
        """Begin to count."""
        self._terminal = sys.stderr.isatty()
        self._begun = self._shown = time.monotonic()

    def show(self, read: int, newest: int) -> None:
        """Say where the replay is, if it is time to."""
        interval = _TERMINAL_S if self._terminal else _PLAIN_S
        if time.monotonic() - self._shown >= interval:
            self._shown = time.monotonic()
            self._say(read, newest)

    def done(self, read: int) -> None:
        """Leave the last line standing."""
        if self._terminal and read:
            print(file=sys.stderr)

    def _say(self, read: int, newest: int) -> None:
        rate = round(read / max(0.001, time.monotonic() - self._begun))
        if self._terminal:
            print(f"\r\x1b[K{read:,} records  {format_time(newest)}  {rate:,}/s", end="", file=sys.stderr, flush=True)
        else:
            line = {"records": read, "event_time": format_time(newest), "records_per_second": rate}
            print(dumps(line).decode(), file=sys.stderr)


def moment(text: str) -> int:
    """A time as an option, in ms."""
    try:
        return parse_time(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
