"""`contact-stream simulate` to a file: lines a replay can read, and a truth beside them."""

import json
import signal
import subprocess
import sys
import time
from base64 import b64decode
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import stream.demo
from stream.cli.main import main
from stream.demo.pacing import Pace


def _simulate(folder: Path, *options: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    lines, truth = folder / "events.jsonl", folder / "truth.json"
    assert main(["simulate", "--file", str(lines), "--truth", str(truth), *options]) == 0
    return [json.loads(line) for line in lines.read_bytes().splitlines()], json.loads(truth.read_bytes())


def test_a_file_and_its_truth(tmp_path: Path) -> None:
    """Records of the file are those the truth speaks of; poison is kept byte for byte."""
    lines, truth = _simulate(tmp_path, "--scenario", "late-and-duplicated", "--events", "4000", "--poison", "50")
    records = truth["records"]
    assert len(lines) == (
        records["events"]
        + records["duplicates"]
        + sum(records["heartbeats_per_partition"].values())
        + sum(records["rejected"].values())
    )
    arrivals = [value for name, value in truth["counters"].items() if name.startswith("contact_arrivals_total{")]
    assert sum(arrivals) == truth["contacts"]
    assert not truth["open"]
    spoiled = [line for line in lines if "event" not in line]
    assert len(spoiled) == len(truth["rejected"]) == 50
    for line, rejected in zip(spoiled, truth["rejected"], strict=True):
        key = None if rejected["key"] is None else b64decode(rejected["key"]).decode()
        assert line["key"] == key
        value = None if rejected["value"] is None else b64decode(rejected["value"])
        assert value == (b64decode(line["raw_base64"]) if "raw_base64" in line else _encoded(line["raw"]))


def test_a_replay_of_the_file_gives_the_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`simulate --file` and `replay --file` agree in every series, whatever came late, twice or as rubbish."""
    lines, truth = _simulate(tmp_path, "--scenario", "late-and-duplicated", "--events", "5000", "--scale", "3")
    policy = Path(stream.demo.__path__[0]) / "policy.toml"
    capsys.readouterr()
    options = ("--file", str(tmp_path / "events.jsonl"), "--policy", str(policy), "--json")
    assert main(["replay", *options]) == 1, "a replay that rejected something says so by its exit code"
    replayed = json.loads(capsys.readouterr().out)
    assert replayed["records"] == len(lines)
    assert replayed["duplicates"] == truth["records"]["duplicates"]
    assert replayed["rejected"] == truth["records"]["rejected"]
    known = set(truth["families"])
    figures = {name: value for name, value in replayed["figures"].items() if value and name.partition("{")[0] in known}
    assert figures == truth["counters"] | truth["gauges"]


def test_a_history_may_cross_the_window(tmp_path: Path) -> None:
    """With customers who take days to come back, cases settle, and others fail weeks later."""
    options = ("--scenario", "calm", "--events", "9000", "--scale", "0.01", "--returns", "120")
    _, truth = _simulate(tmp_path, *options)
    states = {name.rpartition("state=")[2] for name in truth["counters"] if name.startswith("contact_fcr_cases_total")}
    assert states == {'"credited"}', '"failed"}', '"settled"}'}
    assert truth["settled_until"] == truth["until"] > truth["start"]
    assert any('reason="unresolved"' in name for name in truth["counters"])


def _encoded(raw: str | None) -> bytes | None:
    return None if raw is None else raw.encode()


def test_history_is_the_same_every_time(tmp_path: Path) -> None:
    """Nothing of a history depends on when it is made."""
    assert _simulate(tmp_path, "--events", "2000") == _simulate(tmp_path, "--events", "2000")


def test_the_command_line_is_laid_over_the_scenario(tmp_path: Path) -> None:
    """Duplicates, disorder and start are those asked for."""
    options = ("--events", "1500", "--duplicates", "1", "--disorder", "0", "--start", "2026-03-02T08:00:00+00:00")
    lines, truth = _simulate(tmp_path, *options)
    assert truth["start"] == "2026-03-02T08:00:00.000Z"
    assert truth["records"]["duplicates"] == truth["records"]["events"]
    copies = Counter(line["event"]["event_id"] for line in lines if line["event"]["type"] != "source.heartbeat")
    assert set(copies.values()) == {2}


@pytest.mark.parametrize(
    "options",
    [
        ["--scenario", "hurricane"],
        ["--scale", "0"],
        ["--disorder", "30"],
        ["--duplicates", "1.5"],
        ["--speed", "0.5"],
        ["--returns", "0"],
        ["--returns", "168"],
        ["--start", "2026-03-02T08:00:00"],
        ["--start", "2999-01-01T00:00:00Z"],
        ["--events", "10", "--speed", "2"],
    ],
)
def test_impossible_options_are_usage_errors(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each is refused with exit code 2 and one message."""
    try:
        code = main(["simulate", "--file", "-", *options])
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    assert code == 2
    assert "Traceback" not in capsys.readouterr().err


ENOUGH_BYTES = 1_000_000  # some thousand events


def test_real_time_ends_where_it_stands(tmp_path: Path) -> None:
    """SIGTERM ends a run in real time in order: every line is whole and the truth is written, calls open."""
    lines, truth = tmp_path / "events.jsonl", tmp_path / "truth.json"
    command = [sys.executable, "-m", "stream.cli", "simulate", "--speed", "3600", "--scale", "3"]
    with subprocess.Popen(
        [*command, "--file", str(lines), "--truth", str(truth)], stderr=subprocess.DEVNULL
    ) as process:
        while not lines.exists() or lines.stat().st_size < ENOUGH_BYTES:
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    said = json.loads(truth.read_bytes())
    events = [json.loads(line) for line in lines.read_bytes().splitlines()]
    assert said["open"]
    assert said["records"]["events"] == sum(line["event"]["type"] != "source.heartbeat" for line in events) > 1_000


def test_simulated_time_catches_up_and_never_passes_real_time() -> None:
    """Ten times as fast from an hour ago, it is there after 6 min 40 s, and then goes with the clock."""
    pace = Pace(begun_at=10_000_000, start=6_400_000, speed=10.0)
    assert pace.simulated(10_000_000) == 6_400_000
    assert pace.simulated(10_100_000) == 7_400_000
    assert pace.simulated(10_400_000) == 10_400_000
    assert pace.simulated(11_000_000) == 11_000_000
    assert not pace.live(10_100_000)
    assert pace.live(10_400_000)
