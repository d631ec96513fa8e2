"""`contact-stream report --against`: which of our definitions another system follows, in a line each."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from stream.cli.main import main
from stream.core.figures.ratios import abandonment, service_levels
from stream.core.reports.periods import periods
from stream.core.reports.sheets import QUEUES, queue_counts
from stream.core.reports.sums import ATTRIBUTIONS, total
from tests.reporting import BUSY, MARCH, past, rows

if TYPE_CHECKING:
    from pathlib import Path

MAP = """\
zone = "Europe/Berlin"
interval = "30m"
start_format = "%d.%m.%Y %H:%M"
delimiter = ";"
decimal = ","
[columns]
start = "Interval"
channel = "Medium"
queue = "Skill"
offered = "Offered"
answered = "Answered"
abandoned = "Abandoned"
service_level = "SVL %"
abandonment = "ABN %"
[channels]
Phone = "voice"
"""
NAMES = {"voice": "Phone"}


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cells of a busy day."""
    path = tmp_path_factory.mktemp("against") / "cells"
    world = past(MARCH, 1, BUSY)
    path.write_bytes(b"\n".join(world.known.stages.cells()))
    return path


def old(folder: Path, level: str, given_up: str, attribution: str) -> list[str]:
    """Options that name a report of another system, made by these definitions, and its map."""
    table = StringIO()
    writer = csv.writer(table, delimiter=";")
    writer.writerow(["Interval", "Medium", "Skill", "Offered", "Answered", "Abandoned", "SVL %", "ABN %"])
    found = rows(past(MARCH, 1, BUSY).cells, QUEUES, length="30m", zone="Europe/Berlin", attribution=attribution)
    for name, sums in sorted(found.items()):
        counts = queue_counts(sums)
        abandoned = counts.of("abandoned", "exited") + (counts.of("abandoned_short") if given_up == "gross" else 0)
        shares = (service_levels(counts)[level], abandonment(counts)[given_up])
        percents = [f"{100 * part / whole:.1f}".replace(".", ",") if whole else "" for part, whole in shares]
        offered = sums.get(("contact_visits_entered_total",), 0)
        clock = periods("Europe/Berlin", "30m").local(name.period.start)
        place = [f"{clock:%d.%m.%Y %H:%M}", NAMES.get(name.labels[0], name.labels[0]), name.labels[1]]
        writer.writerow([*place, offered, counts.of("answered"), abandoned, *percents])
    (folder / "old.csv").write_text(table.getvalue())
    (folder / "map.toml").write_text(MAP)
    return ["--against", str(folder / "old.csv"), "--map", str(folder / "map.toml")]


def answered(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """What `report --json` says."""
    capsys.readouterr()
    assert main(["report", *options, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("level", ["SL1", "SL2", "SL3", "SL4", "SL5", "SL6"])
@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_a_report_by_each_definition_is_recognised(
    level: str, attribution: str, cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file of another system, in its own form and clock, tells which definitions it was made by, in a line each."""
    given_up = "gross" if level in ("SL1", "SL3", "SL5") else "net"
    options = ["--file", str(cells), *old(tmp_path, level, given_up, attribution)]
    found = answered(capsys, *options)
    names = {about: choice["names"] for about, choice in found["nearest"].items()}
    assert names == {"service level": [level], "abandonment": [given_up], "attribution": [attribution]}
    assert main(["report", *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"attribution: {attribution} is nearest, 0 apart over ")
    assert lines[1].startswith(f"service level: {level} is nearest, ")
    assert lines[2].startswith(f"abandonment: {given_up} is nearest, ")
    values = f"{len(found['values']):,}"
    assert lines[3] == f"{values} of {values} values are equal under these definitions, but for rounding"
    assert lines[4:] == []


def test_what_differs_is_shown_by_interval(cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A count that is wrong and an interval that is missing stand there with theirs, ours and the difference."""
    options = ["--file", str(cells), *old(tmp_path, "SL3", "net", "arrival")]
    lines = (tmp_path / "old.csv").read_text().splitlines()
    wrong = lines[20].split(";")
    lines[20] = ";".join([*wrong[:4], str(int(wrong[4]) + 5), *wrong[5:]])
    missing = lines.pop(30).split(";")
    (tmp_path / "old.csv").write_text("\n".join(lines))
    found = [
        each for each in answered(capsys, *options)["values"] if each["theirs"] is None or each["difference"] == -5
    ]
    [changed] = [each for each in found if each["column"] == "answered" and each["theirs"] is not None]
    assert (changed["theirs"], changed["ours"]) == (int(wrong[4]) + 5, int(wrong[4]))
    gone = {each["column"]: each["ours"] for each in found if each["theirs"] is None}
    assert (gone["offered"], gone["answered"]) == (int(missing[3]), int(missing[4]))
    assert main(["report", *options]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[4].split()[-3:] == ["theirs", "ours", "±"]
    assert any(line.split()[-3:] == [str(changed["theirs"]), wrong[4], "-5"] for line in shown[5:])
    assert main(["report", *options, "--csv"]) == 0
    told = list(csv.DictReader(StringIO(capsys.readouterr().out)))
    assert {line["difference"] for line in told if line["column"] == "answered"} == {"0", "-5", ""}


def test_what_cannot_be_told_is_said(cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without shares nothing is said of them; what fits equally well is named together."""
    (tmp_path / "map.toml").write_text('zone = "UTC"\ninterval = "month"\n[columns]\nstart = "m"\nabandoned = "a"\n')
    counts = queue_counts(total(rows(past(MARCH, 1, BUSY).cells, QUEUES).values()))
    given_up = counts.of("abandoned", "exited")
    (tmp_path / "old.csv").write_text(f"m,a\n2026-03-01,{given_up}\n")
    options = ["--against", str(tmp_path / "old.csv"), "--map", str(tmp_path / "map.toml"), "--file", str(cells)]
    assert main(["report", *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "attribution: arrival and outcome are equally near, 0 apart over 1 values"
    assert lines[1] == "service level: nothing to compare"
    short = counts.of("abandoned_short")
    assert lines[2] == f"abandonment: net is nearest, 0 apart over 1 values; gross {short}"
