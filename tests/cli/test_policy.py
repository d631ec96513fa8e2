"""`contact-stream policy`: what is shown can be used again, what is wrong is told, what is too much is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from stream.cli.main import main
from stream.cli.policy import MOST_SERIES, brought_by, rule_line
from stream.core.policies.reader import read_policy
from stream.core.policy import Policy, RulePolicy
from stream.telemetry.declared import declared_by
from stream.telemetry.known import series_lines
from stream.wire.policy import load_policy, policy_hash

if TYPE_CHECKING:
    from pathlib import Path

SMALL = """\
zone = "Europe/Berlin"
[queues]
billing = { channels = ["voice"], issues = ["refund"] }
care = {}
[issues]
refund = { window_ms = 86_400_000 }
[rules.mine]
transfers = "forbid"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A policy file with two queues, one of which declares its channels."""
    path = tmp_path / "policy.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's environment counts."""
    for name in ("CONTACT_STREAM_POLICY", "CONTACT_STREAM_PARTITIONS"):
        monkeypatch.delenv(name, raising=False)


def test_what_is_shown_is_the_same_policy(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The defaults shipped, and a file: read again, both have the hash they had."""
    for arguments, policy in (([], Policy()), (["--policy", str(file)], load_policy(file))):
        assert main(["policy", "show", *arguments]) == 0
        again = tmp_path / "again.toml"
        again.write_text(capsys.readouterr().out, encoding="utf-8")
        assert load_policy(again) == policy
        assert policy_hash(load_policy(again)) == policy_hash(policy)


def test_programs_are_shown_the_canonical_form(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its hash, in one line."""
    assert main(["policy", "show", "--json", "--policy", str(file)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["hash"] == policy_hash(load_policy(file))
    assert shown["policy"]["queues"]["billing"]["issues"] == ["refund"]
    assert shown["policy"]["rules"]["mine"]["transfers"] == "forbid"


def test_a_good_file_is_told_with_its_rules_and_series(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Hash, a line for each rule, the number of series, and the queue whose series cannot be known."""
    assert main(["policy", "check", "--policy", str(file), "--partitions", "4"]) == 0
    policy = load_policy(file)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{file}, 4 partitions: hash {policy_hash(policy)}"
    assert [line.split()[1] for line in lines[1:6]] == ["contact", "channel", "one_touch", "survey", "mine"]
    assert lines[6] == f"{series_lines(declared_by(policy), 4):,} series of at most 200,000"
    assert lines[7].startswith('warning: queue "care" declares no channels')
    assert len(lines) == 8


def test_programs_are_told_the_same(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As one JSON object; without a file it is about the defaults."""
    assert main(["policy", "check", "--json", "--policy", str(file)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["hash"], told["most_series"], told["too_many"]) == (policy_hash(load_policy(file)), MOST_SERIES, {})
    assert told["series"] == series_lines(declared_by(load_policy(file)), 8)
    assert len(told["warnings"]) == 1
    assert main(["policy", "check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["policy"] == "the defaults shipped"


def test_every_problem_of_a_wrong_file_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each with its place, exit code 2; `show` cannot show it either."""
    file.write_text('zone = "Berlin"\n[queues]\ncare = { issues = ["x"], target = 1 }\n', encoding="utf-8")
    assert main(["policy", "check", "--policy", str(file)]) == 2
    lines = capsys.readouterr().out.splitlines()
    starts = ["line 1: zone ", "line 3: queues.care.issues ", "line 3: queues.care.target "]
    assert len(lines) == 3
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(f"{file}: {start}")
    assert main(["policy", "check", "--json", "--policy", str(file)]) == 2
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [problem["line"] for problem in problems] == [1, 3, 3]
    assert problems[0]["key"] == "zone"
    assert main(["policy", "show", "--policy", str(file)]) == 2
    assert "line 1" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Once, on standard error."""
    assert main(["policy", "check", "--policy", str(tmp_path / "none.toml")]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("cannot use the policy file")) == ("", 1)


def test_too_many_series_are_refused_by_name(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and the names that make it so; with fewer partitions the same file is good."""
    issues = "".join(f"i{number} = {{}}\n" for number in range(40))
    queues = 'small = { channels = ["voice"], issues = ["i1"] }\nlarge = { channels = ["voice", "chat", "email"] }\n'
    file.write_text(f"[issues]\n{issues}[queues]\n{queues}", encoding="utf-8")
    assert main(["policy", "check", "--policy", str(file), "--partitions", "1"]) == 0
    capsys.readouterr()
    assert main(["policy", "check", "--policy", str(file), "--partitions", "128"]) == 1
    lines = capsys.readouterr().out.splitlines()
    told = [line for line in lines if line.startswith("too many series: ")]
    assert any(line.endswith("40 issues") for line in told)
    assert next(line for line in told if "queue" in line).endswith('queue "large"')
    assert main(["policy", "check", "--json", "--policy", str(file), "--partitions", "128"]) == 1
    assert json.loads(capsys.readouterr().out)["too_many"]['queue "large"'] > MOST_SERIES


def test_what_a_name_brings_goes_with_it() -> None:
    """The number told for the issues is the difference that leaving them out makes."""
    issues: dict[str, object] = {f"i{number}": {} for number in range(5)}
    queues = {"q": {"channels": ["voice"]}}
    policy, without = read_policy({"issues": issues, "queues": queues}), read_policy({"queues": queues})
    difference = series_lines(declared_by(policy), 3) - series_lines(declared_by(without), 3)
    assert brought_by(policy, 3)["5 issues"] == difference > 0
    assert brought_by(policy, 3)['queue "q"'] > difference


def test_a_rule_is_one_line() -> None:
    """That says what fails and what is looked at."""
    assert rule_line(RulePolicy(channels=("voice",), transfers="forbid", agents="one", repeat_channels="same")) == (
        "voice; an escalation fails; a follow-up fails; a transfer fails; a second agent fails; "
        "repeats in the channel of the first contact"
    )
    assert (
        rule_line(RulePolicy(survey="decide")) == "every channel; the customer's last answer decides, and nothing else"
    )
