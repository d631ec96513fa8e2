"""Pictures of `contact-stream report`, and the options that do not go together."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stream.cli.main import main
from tests.reporting import MARCH, past

if TYPE_CHECKING:
    from pathlib import Path

POLICY = '[queues.billing]\nzone = "Europe/Berlin"\nhours = { fri = [["09:00", "17:00"]] }\n'
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options that name the cells of a weekend and a policy."""
    folder = tmp_path_factory.mktemp("plots")
    cells = list(past(MARCH).known.stages.cells())
    cells += [cell.replace(b"sales", b"other") for cell in cells if b"sales" in cell]
    (folder / "cells").write_bytes(b"\n".join(cells))
    (folder / "policy.toml").write_text(POLICY)
    return ["--file", str(folder / "cells"), "--policy", str(folder / "policy.toml"), "--queue", "billing"]


def drawn(folder: Path, *options: str) -> str:
    """The words in a picture."""
    path = folder / "picture.svg"
    assert main(["report", *options, "--plot", str(path)]) == 0
    text = path.read_text()
    assert text.startswith("<?xml")
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def test_a_picture_of_the_queues(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R48: visits, rates and times by local time, with what is on every axis; the table is said as well."""
    words = drawn(tmp_path, *files, "--by", "hour")
    for word in (
        "Queue visits by hour: billing",
        "visits that ended",
        "answered in target",
        "% of visits",
        "service level",
        "of answered, s",
        "time, s",
        "local time, Europe/Berlin",
        "Mar-28",
    ):
        assert f"{word}<" in words, word
    assert "queues by hour" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("arrivals", "Visits that began, billing"),
        ("abandonment", "Visits abandoned, % of those that ended, short abandons left out, billing"),
    ],
)
def test_a_picture_of_the_week(kind: str, title: str, files: list[str], tmp_path: Path) -> None:
    """R38, R48: weekday by hour of local time; hours outside opening hours are marked."""
    words = drawn(tmp_path, *files, "--heat", kind)
    for word in (title, "hour of local time, Europe/Berlin", "Mon", "Sun", "00", "23", "outside opening hours"):
        assert f"{word}<" in words, word


def test_a_picture_as_png(files: list[str], tmp_path: Path) -> None:
    """The form follows the name of the file."""
    path = tmp_path / "picture.png"
    assert main(["report", *files, "--plot", str(path)]) == 0
    assert path.read_bytes().startswith(PNG)


def test_local_times_that_overlap_are_not_drawn_together(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Days of two zones in one picture would count some hours twice; with `--zone` they are one."""
    path = tmp_path / "picture.png"
    both = [*files, "--queue", "other", "--plot", str(path)]
    assert main(["report", *both]) == 1
    assert "queues live in Europe/Berlin, UTC, and their periods overlap; choose" in capsys.readouterr().err
    assert main(["report", *both, "--zone", "UTC"]) == 0
    assert path.exists()


@pytest.mark.parametrize("options", [[], ["--heat", "arrivals"]])
def test_nothing_to_draw(
    options: list[str], files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Is said, and no file is left."""
    path = tmp_path / "picture.png"
    assert main(["report", *files, "--from", "2027-01-01", *options, "--plot", str(path)]) == 1
    assert "cannot draw a picture; there" in capsys.readouterr().err
    assert not path.exists()


def test_without_the_library(files: list[str], tmp_path: Path) -> None:
    """One message that says what to install, before anything is read; without `--plot` nobody misses it."""
    start = (
        "import sys; sys.modules['matplotlib'] = None; from stream.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", start, "report", *files]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONTACT_STREAM_")}
    done = subprocess.run(
        [*command, "--plot", str(tmp_path / "x.png")], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "contact-stream: cannot draw a picture; matplotlib is not installed; install it: pip "
    )
    assert "contact-stream[plots]" in done.stderr
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--against", "x.csv"], "--against and --map go together"),
        (["--map", "x.toml"], "--against and --map go together"),
        (["--from", "2026-03-02", "--to", "2026-03-02"], "--from must lie before --to"),
        (["--from", "2026-03-02T10:00", "--to", "2026-03-02T09:00"], "--from must lie before --to"),
        (["--table", "steps", "--queue", "q"], "--table steps does not know queues"),
        (["--table", "callbacks", "--channel", "voice"], "--table callbacks does not know channels"),
        (["--table", "replies", "--channel", "voice"], "--table replies has only the channels email"),
        (["--table", "cases", "--rule", "mine"], "the policy has no rule mine; it has contact"),
        (["--heat", "arrivals", "--by", "day"], "--heat has neither --by nor --table"),
        (["--heat", "arrivals", "--attribute", "outcome"], "is always by arrival"),
        (["--against", "x", "--map", "y", "--by", "day"], "--against takes --by"),
        (["--plot", "x.png", "--table", "steps"], "--plot goes with --table queues and with --heat"),
        (["--compare", "previous"], "--compare needs --from and --to"),
        (["--compare", "previous", "--from", "2026-03-02T10:00", "--to", "2026-03-03T10:00"], "cuts through a period"),
        (["--against", "no.csv", "--map", "no.toml"], "cannot use the map file"),
    ],
)
def test_options_that_do_not_go_together(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One message, exit code 2, before anything is read."""
    assert main(["report", "--file", "no-such-file", *options]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--from", "yesterday"], "expected a day such as 2026-03-02 or a time"),
        (["--from", "2026-03-02T10:10"], "expected a whole quarter of an hour"),
        (["--zone", "Berlin"], "expected an IANA zone"),
        (["--zone", "../x"], "expected an IANA zone"),
        (["--plot", "x.gif"], "expected a file that ends in .png or .svg"),
        (["--compare", "2026-02"], "expected previous, or a span such as"),
        (["--compare", "2026-02-01..soon"], "expected a day such as"),
        (["--heat", "arrivals", "--compare", "previous"], "not allowed with argument --heat"),
        (["--csv", "--json"], "not allowed with argument --csv"),
        (["--channel", "fax"], "invalid choice"),
    ],
)
def test_options_that_cannot_be_read(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Usage, with what was expected."""
    with pytest.raises(SystemExit) as ended:
        main(["report", *options])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
