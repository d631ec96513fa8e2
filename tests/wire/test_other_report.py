"""Another system's report: numbers as people write them, its clock, and everything that is wrong with its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.core.reports.nearest import COLUMNS
from stream.core.trouble import Trouble
from stream.wire.other_report import read_map, read_other_report
from stream.wire.times import format_time

if TYPE_CHECKING:
    from stream.wire.other_report import OtherReport

ROOT = Path(__file__).parents[2]
MAP = """\
zone = "Europe/Berlin"
interval = "30m"
start_format = "%d.%m.%Y %H:%M"
delimiter = ";"
decimal = ","
channel = "voice"
[columns]
start = ["Day", "Time"]
queue = "Skill"
answered = "ACD"
service_level = "SVL"
speed_of_answer = "ASA"
[queues]
"Skill 17" = "billing"
"Skill 18" = "billing"
"""
TITLES = "Day;Time;Skill;ACD;SVL;ASA"


def read(folder: Path, *lines: str, told: str = MAP, titles: str = TITLES) -> OtherReport:
    """Read a report of these lines."""
    (folder / "old.csv").write_text("\n".join((titles, *lines)), encoding="utf-8-sig")
    (folder / "map.toml").write_text(told)
    return read_other_report(folder / "old.csv", folder / "map.toml")


def refused(folder: Path, *lines: str, told: str = MAP, titles: str = TITLES) -> str:
    """What is said of a report that cannot be used."""
    with pytest.raises(Trouble) as trouble:
        read(folder, *lines, told=told, titles=titles)
    assert trouble.value.exit_code == 2
    return str(trouble.value)


def test_numbers_as_people_write_them(tmp_path: Path) -> None:
    """Thousands, decimal commas, percent with and without a sign, times by the clock, blanks; names become ours."""
    report = read(
        tmp_path,
        "02.03.2026;10:00;Skill 17;1.234;81,5;0:01:05",
        "02.03.2026;10:30;sales;1 000;81,5 %;12,5",
        "02.03.2026;11:00;sales;n/a;-;",
        "02.03.2026;11:30;sales;0;0;2:05.5",
    )
    assert (report.zone, report.interval, report.labels) == ("Europe/Berlin", "30m", ("channel", "queue"))
    told = {(format_time(name.period.start), *name.labels): given for name, given in report.rows.items()}
    assert told == {
        ("2026-03-02T09:00:00Z", "voice", "billing"): {"answered": 1234, "service_level": 0.815, "speed_of_answer": 65},
        ("2026-03-02T09:30:00Z", "voice", "sales"): {"answered": 1000, "service_level": 0.815, "speed_of_answer": 12.5},
        ("2026-03-02T10:00:00Z", "voice", "sales"): {},
        ("2026-03-02T10:30:00Z", "voice", "sales"): {"answered": 0, "service_level": 0, "speed_of_answer": 125.5},
    }


def test_shares_may_be_ratios_and_times_carry_offsets(tmp_path: Path) -> None:
    """With a decimal point and a comma between columns; without channel and queue a row is the sum over all."""
    told = (
        'zone = "Asia/Kathmandu"\ninterval = "day"\nshares = "ratio"\n[columns]\nstart = "when"\nservice_level = "sl"\n'
    )
    report = read(tmp_path, "2026-03-02,0.815", '2026-03-03T00:00:00+05:45,"81.5%"', told=told, titles="when,sl")
    assert [(format_time(name.period.start), name.labels) for name in report.rows] == [
        ("2026-03-01T18:15:00Z", ()),
        ("2026-03-02T18:15:00Z", ()),
    ]
    assert list(report.rows.values()) == [{"service_level": 0.815}, {"service_level": 0.815}]


def test_an_hour_that_comes_twice_is_told_twice(tmp_path: Path) -> None:
    """The first line is the first of the two hours, for each queue."""
    lines = [
        f"25.10.2026;{time};{skill};{n};;" for skill in ("a", "b") for n, time in enumerate(("02:00", "02:00", "03:00"))
    ]
    report = read(tmp_path, *lines)
    starts = [(format_time(name.period.start)[11:16], name.labels[1]) for name in report.rows]
    assert starts == [(at, skill) for skill in ("a", "b") for at in ("00:00", "01:00", "02:00")]


def test_lines_that_are_one_row_of_ours_are_added_up(tmp_path: Path) -> None:
    """Counts are; a share is not."""
    report = read(tmp_path, "02.03.2026;10:00;Skill 17;3;;", "02.03.2026;10:00;Skill 18;4;;")
    assert list(report.rows.values()) == [{"answered": 7}]
    said = refused(tmp_path, "02.03.2026;10:00;Skill 17;3;80;", "02.03.2026;10:00;Skill 18;4;90;")
    assert "cannot read line 3 of" in said
    assert "service_level cannot be added up" in said


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("02.03.2026;10:10;a;3;;", "no 30m begins at 02.03.2026 10:10 in Europe/Berlin"),
        ("29.03.2026;02:30;a;3;;", "29.03.2026 02:30 does not exist in Europe/Berlin"),
        ("2026-03-02;10:00;a;3;;", "does not match format"),
        ("02.03.2026;10:00;a;many;;", "expected a number as answered, got 'many'"),
        ("02.03.2026;10:00;a;nan;;", "expected a number"),
        ("02.03.2026;10:00;a;3;;1:2:3:4", "expected a number as speed_of_answer"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_with_its_number(line: str, words: str, tmp_path: Path) -> None:
    """And with what is wrong."""
    said = refused(tmp_path, "02.03.2026;09:30;a;3;;", line)
    assert "cannot read line 3 of" in said
    assert words in said


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    """A missing column, an empty file, a file that is not there: one message each."""
    assert 'there is no column "Skill", only Day, Time' in refused(tmp_path, titles="Day;Time")
    assert "it has no lines" in refused(tmp_path)
    (tmp_path / "old.csv").unlink()
    with pytest.raises(Trouble, match=r"old\.csv"):
        read_other_report(tmp_path / "old.csv", tmp_path / "map.toml")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ('[columns]\nstart = "a"\nanswered = "b"', ["zone is missing"]),
        ('zone = "Berlin"\ninterval = "5m"\n[columns]\nanswered = "b"', ["zone expected an IANA zone", "one of 15m"]),
        ('zone = "UTC"\n[columns]\nanswered = "b"', ["columns.start is missing"]),
        ('zone = "UTC"\n[columns]\nstart = "a"', ["columns has nothing to compare"]),
        ('zone = "UTC"\n[columns]\nstart = 3\nanswered = "b"', ["columns.start expected a column"]),
        (
            'zone = "UTC"\n[columns]\nstart = "a"\nanswred = "b"',
            ["columns.answred is not a setting of [columns]; did you"],
        ),
        (
            'zone = "UTC"\nshare = "ratio"\n[columns]\nstart = "a"\nanswered = "b"',
            ["share is not a setting of the map"],
        ),
        ("zone = ", ["Invalid value"]),
    ],
)
def test_everything_that_is_wrong_with_a_map(told: str, words: list[str], tmp_path: Path) -> None:
    """All problems at once, each at its key."""
    (tmp_path / "map.toml").write_text(told)
    with pytest.raises(Trouble) as trouble:
        read_map(tmp_path / "map.toml")
    for word in ["cannot use the map file", *words]:
        assert word in str(trouble.value)


def test_the_map_in_the_documentation_can_be_used(tmp_path: Path) -> None:
    """Every key and every column that can be compared stands in it."""
    page = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "map.toml").write_text(example)
    found = read_map(tmp_path / "map.toml")
    assert {*found.columns, *found.fixed} == {*COLUMNS, "queue", "channel"}
    assert (found.start, found.names["queue"]) == (("Date", "Time"), {"Skill 17": "billing"})
