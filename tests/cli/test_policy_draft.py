"""`contact-stream policy draft` as a person calls it: from a recording, and from the topics of a real Kafka."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stream.demo
from stream.cli.main import main
from stream.wire.policy import load_policy

if TYPE_CHECKING:
    from tests.conftest import MakeTopics

WORLD = ("--scenario", "late-and-duplicated", "--seed", "7", "--start", "2026-03-02T09:00:00Z")
UNLISTED = 'contact_stream_quality_total{kind="unlisted_label"}'


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Some hours of the simulated centre, rough way included."""
    path = tmp_path / "events.jsonl"
    assert main(["simulate", "--file", str(path), "--events", "4000", *WORLD]) == 0
    return path


def _unlisted(recording: Path, capsys: pytest.CaptureFixture[str], *options: str) -> int:
    """How many names a replay met that its policy does not list."""
    capsys.readouterr()
    main(["replay", "--file", str(recording), "--json", *options])
    return int(json.loads(capsys.readouterr().out)["figures"].get(UNLISTED, 0))


def test_a_draft_lists_every_name(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those the simulated centre declares; under the draft no name is other, without it every one is."""
    capsys.readouterr()
    assert main(["policy", "draft", "--file", str(recording)]) == 0
    told = capsys.readouterr()
    draft = tmp_path / "draft.toml"
    draft.write_text(told.out, encoding="utf-8")
    found, declared = load_policy(draft), load_policy(Path(stream.demo.__path__[0]) / "policy.toml")
    assert set(found.queues) == set(declared.queues)
    assert (set(found.issues), found.menus) == (set(declared.issues), declared.menus)
    for name, queue in found.queues.items():
        assert {"voice"} <= set(queue.channels) <= set(declared.queues[name].channels), name
    assert not found.agents
    assert re.search(r"^contact-stream: \d+ records are undecodable; nothing is drafted", told.err, re.MULTILINE)
    assert _unlisted(recording, capsys, "--policy", str(draft)) == 0
    assert _unlisted(recording, capsys) > 0


def test_programs_are_told_the_counts(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As one JSON object, agents only where they are asked for."""
    capsys.readouterr()
    assert main(["policy", "draft", "--file", str(recording), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["menu"]["main"] == max(told["menu"].values())
    assert told["queues"]["billing"]["voice"] > 0
    assert "agents" not in told
    assert main(["policy", "draft", "--file", str(recording), "--json", "--agents"]) == 0
    assert json.loads(capsys.readouterr().out)["agents"]


def test_what_does_not_go_together(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A draft is from one place, and nothing else drafts."""
    for arguments in (["draft"], ["show", "--from-topic"], ["check", "--file", str(recording)], ["show", "--agents"]):
        assert main(["policy", *arguments]) == 2
        assert "draft, and nothing else, takes" in capsys.readouterr().err


def test_nothing_to_draft_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One message that says what was looked through."""
    empty = tmp_path / "empty.jsonl"
    empty.write_text("", encoding="utf-8")
    assert main(["policy", "draft", "--file", str(empty)]) == 1
    assert f"{empty} has no event of a contact or an agent" in capsys.readouterr().err


def test_from_the_topics(
    recording: Path, kafka: str, make_topics: MakeTopics, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same draft from a real Kafka as from the recording of the same centre."""
    prefix = make_topics(partitions=3).prefix
    place = ["-b", kafka, "--prefix", prefix]
    assert main(["policy", "draft", "--from-topic", *place]) == 1
    assert "has no event" in capsys.readouterr().err
    assert main(["simulate", *place, "--events", "4000", *WORLD]) == 0
    drafts = []
    for where in (["--from-topic", *place], ["--file", str(recording)]):
        capsys.readouterr()
        assert main(["policy", "draft", *where, "--agents"]) == 0
        drafts.append(capsys.readouterr().out.splitlines())
    assert drafts[0][0].startswith(f"# A draft from the topics {prefix}*, events from 2026-03-02T09:00:00Z to ")
    assert drafts[0][1:] == drafts[1][1:]
    assert len(drafts[0]) > 20
