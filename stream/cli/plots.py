"""Pictures of a report: visits, rates and times over local time; weekday by hour as a heat map. PNG or SVG.

The one home of matplotlib, which is an extra (`contact-stream[plots]`): nothing else imports this module but who wants
a picture. A value that does not exist is a gap, never 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import matplotlib as mpl
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from stream.cli.report_heat import HeatMap
from stream.cli.report_table import Table
from stream.cli.report_values import exact
from stream.core.calendar import WEEKDAYS
from stream.core.reports.heat import HOURS, by_weekday
from stream.core.reports.sums import total
from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from stream.cli.report_table import Report
    from stream.core.reports.periods import Period
    from stream.core.reports.sheets import Value, Values

_DPI: Final = 110
_MOST_BARS_WITH_MARKS: Final = 60
_MOST_NAMED: Final = 4
_DAY_MS: Final = 86_400_000  # the library counts time in days since 1970
_FILLED: Final = 0.92  # of a period, by its bar
_CLOSED: Final[dict[str, Any]] = {"fill": False, "hatch": "///", "edgecolor": "#cccccc", "linewidth": 0}
_NOTHING: Final = float("nan")
_WRITTEN_IN_WHITE: Final = 0.55  # of the scale; darker cells carry white figures
# Colours that people who cannot tell red from green can tell apart (Okabe and Ito, 2008).
_VISITS: Final = (
    ("in_target", "answered in target", "#0072b2"),
    ("later", "answered later", "#56b4e9"),
    ("abandoned", "abandoned", "#d55e00"),
    ("short", "short abandons", "#e69f00"),
    ("lost", "lost", "#555555"),
    ("other", "other ways", "#c8c8c8"),
)
_LINES: Final = (
    (
        "share",
        "% of visits",
        (("service_level", "service level", "#0072b2"), ("net_abandonment", "abandonment", "#d55e00")),
    ),
    ("seconds", "mean wait\nof answered, s", (("speed_of_answer", "", "#009e73"),)),
    ("seconds", "mean handle\ntime, s", (("handle_time", "", "#cc79a7"),)),
)


def draw(report: Report, path: Path) -> None:
    """Draw a table of queues or a heat map.

    Args:
        report: with all its cells.
        path: ends in .png or .svg.

    Raises:
        Trouble: there is nothing to draw, or no picture of this kind of report.
    """
    with mpl.rc_context({"svg.hashsalt": "contact-stream", "svg.fonttype": "none", "font.size": 9}):
        if isinstance(report, HeatMap):
            figure = _heat(report)
        elif isinstance(report, Table) and report.rows:
            figure = _table(report)
        else:
            raise Trouble("cannot draw a picture", "there are no rows in what was asked for")
        figure.savefig(path, dpi=_DPI, metadata={"Date": None} if path.suffix == ".svg" else {})


def _table(report: Table) -> Figure:
    """All rows of a period together, one above the other: visits, shares, times."""
    sums: dict[Period, list[Any]] = {}
    for name, row in report.rows:
        sums.setdefault(name.period, []).append(row)
    values = {period: report.sheet.of(total(rows)) for period, rows in sums.items()}
    zone, *others = sorted({name.zone for name, _ in report.rows})
    if others:
        detail = f"queues live in {', '.join((zone, *others))}, and their periods overlap"
        raise Trouble("cannot draw them in one picture", detail, "choose one local time with --zone, or --queue")
    figure = Figure(figsize=(9.6, 8.0), layout="constrained")
    panels = figure.subplots(4, 1, sharex=True, height_ratios=(3.2, 2, 1.3, 1.3))
    queues = sorted({name.labels[-1] for name, _ in report.rows})
    figure.suptitle(f"Queue visits by {report.selection.length}: {_few(queues)}", fontsize=11)
    _bars(panels[0], values)
    for axes, (unit, title, lines) in zip(panels[1:], _LINES, strict=True):
        for column, label, colour in lines:
            _line(axes, {period: exact(row[column], unit) for period, row in values.items()}, unit, (label, colour))
        axes.set_ylabel(title)
        axes.margins(y=0.15)
        axes.set_ylim(bottom=0, top=102 if unit == "share" else None)
        axes.grid(color="#eeeeee")
        if len(lines) > 1:
            axes.legend(frameon=False, ncols=len(lines), fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 0.98))
    locator = AutoDateLocator(tz=ZoneInfo(zone))  # type: ignore[no-untyped-call]  # the library's dates have no types
    panels[-1].xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, tz=ZoneInfo(zone))  # type: ignore[no-untyped-call]  # the same
    panels[-1].xaxis.set_major_formatter(formatter)
    panels[-1].set_xlabel(f"{'local time' if zone != 'UTC' else 'time'}, {zone}")
    return figure


def _bars(axes: Axes, values: dict[Period, Values]) -> None:
    counts = {period: {name: row[name] for name in row if isinstance(row[name], int)} for period, row in values.items()}
    starts = [period.start / _DAY_MS for period in values]
    widths = [_FILLED * (period.end - period.start) / _DAY_MS for period in values]
    floor = [0.0] * len(values)
    for name, label, colour in _VISITS:
        heights = [float(_of(row, name)) for row in counts.values()]
        axes.bar(starts, heights, widths, floor, align="edge", color=colour, label=label)
        floor = [low + high for low, high in zip(floor, heights, strict=True)]
    axes.set_ylabel("visits that ended")
    axes.grid(axis="y", color="#eeeeee")
    axes.set_axisbelow(True)
    axes.legend(frameon=False, ncols=6, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))


def _of(row: dict[str, Any], name: str) -> int:
    return int(row["answered"] - row["in_target"] if name == "later" else row[name])


def _line(axes: Axes, points: dict[Period, float | int | None], unit: str, style: tuple[str, str]) -> None:
    """A line that breaks where there is no value, and where no row is."""
    label, colour = style
    scale = 100 if unit == "share" else 1
    middles, heights, end = [], [], None
    for period, value in points.items():
        if end not in (None, period.start):
            middles.append(period.start / _DAY_MS)
            heights.append(_NOTHING)
        middles.append((period.start + period.end) / 2 / _DAY_MS)
        heights.append(_NOTHING if value is None else scale * value)
        end = period.end
    marker = "o" if len(points) <= _MOST_BARS_WITH_MARKS else ""
    axes.plot(middles, heights, color=colour, label=label, linewidth=1.6, marker=marker, markersize=3)


def _heat(report: HeatMap) -> Figure:
    matrix = report.heat.matrix()
    rows = [
        [None if value is None else exact(value, report.unit) for value in hours] for _, hours, _ in by_weekday(matrix)
    ]
    scale = 100 if report.unit == "share" else 1
    shown = [[_NOTHING if value is None else scale * value for value in row] for row in rows]
    known = [value for row in shown for value in row if value == value]  # noqa: PLR0124  not a number is not itself
    if not known:
        raise Trouble("cannot draw a picture", "there is nothing in what was asked for")
    figure = Figure(figsize=(10.5, 3.9), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shown, cmap="YlGnBu" if report.unit == "count" else "OrRd", aspect="auto", vmin=0)
    top = max(known) or 1.0
    for weekday, row in enumerate(shown):
        for hour, value in enumerate(row):
            if value == value:  # noqa: PLR0124  as above
                text = f"{value:,.0f}" if report.unit == "count" else f"{value:.1f}"
                colour = "white" if value > _WRITTEN_IN_WHITE * top else "#333333"
                axes.text(hour, weekday, text, ha="center", va="center", fontsize=7, color=colour)
    _mark_closed(axes, report)
    axes.set_xticks(list(HOURS), [f"{hour:02d}" for hour in HOURS])
    axes.set_yticks(range(len(WEEKDAYS)), WEEKDAYS)
    axes.set_xlabel(f"hour of local time, {', '.join(matrix.zones)}")
    axes.set_title(report.says[0].upper() + report.says[1:], fontsize=11)
    figure.colorbar(image, ax=axes, label="abandoned, %" if report.unit == "share" else "contacts", pad=0.01)
    return figure


def _mark_closed(axes: Axes, report: HeatMap) -> None:
    """Hatch the hours in which everything was outside opening hours."""
    matrix = report.heat.matrix()
    closed = [hour for hour in matrix.all if not _any(matrix.inside.get(hour, 0))]
    if report.heat.kind == "outside" or not closed:
        return
    for weekday, hour in closed:
        frame = (hour - 0.5, weekday - 0.5)
        axes.add_patch(Rectangle(frame, 1, 1, **_CLOSED))
    patch = Patch(**_CLOSED, label="outside opening hours")
    axes.legend(handles=[patch], frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1.0, 1.0))


def _any(value: Value) -> bool:
    return bool(value if isinstance(value, int) else value[1])


def _few(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= _MOST_NAMED else f"{len(names)} queues"
