"""`docs/metrics.md`, made from the catalogue so that the two cannot differ.

Written by `python -m stream.telemetry.document > docs/metrics.md`. Never in this module: a file.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from stream.core.figures.family import HOURS_BOUNDS_MS, SECONDS_BOUNDS_MS
from stream.telemetry.catalogue import CATALOGUE, table

if TYPE_CHECKING:
    from stream.core.figures.family import Scope

_HEAD: Final = """\
# Metrics

Made from the catalogue in code (`stream/core/figures/families.py`, `stream/core/figures/case_families.py`,
`stream/telemetry/catalogue.py`); a metric that is not here cannot be exported. Section numbers are those of the
specification.

* `(+ _retracted)`: the counter has a twin, `contact_visits_retracted_total` beside `contact_visits_total`, that
  counts what corrections took back. The figure people mean is the difference; `deploy/prometheus/rules` records it
  as `…:net`.
* Label sets the policy declares stand at 0 from the start; one it does not declare appears at 0 one scrape before
  its first value.
* Known before anything happens: for each channel and queue the policy declares, the issues the queue declares and
  `none` (a queue that declares none: every issue of the policy); for each rule its own channels, and the reasons for
  which it can fail a case. `other`, `unassigned` and a ticket's channel `none` appear once they are met.
* A channel, queue and issue costs 13 lines and 6 for each rule, in each partition: ten queues with two channels, ten
  issues and the four shipped rules make 8,140 lines in one partition. To have fewer, list the issues of each queue.
* Gauges named `…_timestamp_seconds` are absent while nothing is open, never 0. Gauges by `day` or `age` come and go:
  there is no series of a day that is over, or of a state that nothing is in.
* Histograms are append-only; exact comparisons take the interval cells.
"""

_SECTIONS: Final[tuple[tuple[Scope, str, str], ...]] = (
    (
        "service",
        "Figures of the service",
        (
            "Part of the shard's state, shown once committed. Label `partition`; Prometheus drops `instance`, so"
            " a series goes on when its shard moves. Sum over `partition`."
        ),
    ),
    (
        "policy",
        "Targets and definitions",
        "From the policy file, the same on every worker: use `max by`.",
    ),
    (
        "program",
        "The program, as part of the state",
        "Stored and shown like the figures of the service. Labels `stage`, `partition`; Prometheus drops `instance`.",
    ),
    (
        "process",
        "The program, one process",
        "What only this process knows. Keeps `instance`, never has `partition`.",
    ),
)


def page() -> str:
    """The whole page as Markdown, ending in a line's end."""
    return "\n".join([_HEAD, *(_section(*section) for section in _SECTIONS), _buckets()])


def _section(scope: Scope, title: str, text: str) -> str:
    """One table, in the order of the catalogue."""
    names = {entry.name for entry in CATALOGUE.values() if entry.family.scope == scope}
    lines = [f"## {title}", "", text, "", "| name | kind | labels | unit | from | says |", "|---|---|---|---|---|---|"]
    for name, kind, labels, unit, reference, says in table():
        if name.partition(" ")[0] in names:
            shown = name.replace(" (+ _retracted)", "` (+ `_retracted`)")
            closed = shown if shown.endswith(")") else f"{shown}`"
            lines.append(f"| `{closed} | {kind} | {labels or '-'} | {unit} | {reference} | {says} |")
    return "\n".join([*lines, ""])


def _buckets() -> str:
    """The bounds of the service histograms."""
    seconds = " ".join(str(bound // 1_000) for bound in SECONDS_BOUNDS_MS)
    hours = " ".join(str(bound // 3_600_000) for bound in HOURS_BOUNDS_MS)
    return "\n".join(
        [
            "## Buckets",
            "",
            f"Voice and the chat family, seconds: {seconds}. E-mail, and resolution times everywhere, hours: {hours}.",
            "Upper bounds are inclusive and stand in `le` as seconds.",
            "",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(page())
