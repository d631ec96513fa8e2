"""`contact-stream explain` as a person calls it: from a recording, and from the topics of a real Kafka."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stream.admin.producer import write_all
from stream.cli.main import main
from stream.core.policies.reader import read_policy
from stream.replay.lines import records
from stream.wire.broker import Broker
from stream.wire.times import parse_time
from tests.replay.centre import Centre

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeTopics

POLICY = "[queues.billing]\n[queues.sales]\n[issues]\nrefund = {}\n[agents]\nanna = {}\n"
TABLES: dict[str, Any] = {"queues": {"billing": {}, "sales": {}}, "issues": {"refund": {}}, "agents": {"anna": {}}}
STAFF = "2026-03-02T10:00:00Z,outcome,none,none"
LATER = "2026-03-12T00:00:00Z"


def said(topic: str, kind: str, at: str, **fields: object) -> dict[str, Any]:
    """A line of a recording."""
    event = {"type": kind, "occurred_at": f"2026-03-{at}Z", "source": "pbx1", "event_id": f"{kind} {at}", **fields}
    return {"topic": topic, "event": event}


def call(contact_id: str, day: str, customer: str, queue: str = "billing") -> list[dict[str, Any]]:
    """A call that anna answers after 12 s and the customer ends after a minute."""
    about = {"contact_id": contact_id, "customer": customer}
    return [
        said("calls", "queue.entered", f"{day}T10:00:00", queue=queue, issue="refund", **about),
        said("calls", "agent.connected", f"{day}T10:00:12", agent="anna", **about),
        said("calls", "contact.ended", f"{day}T10:01:12", by="customer", **about),
    ]


LINES = [
    *call("c1", "02", "u1"),
    *call("c2", "03", "u2"),
    *call("c3", "04", "u3", "sales"),
    said("cases", "identity.linked", "03T09:00:00", customer="u1", alias="u2"),
    said("cases", "survey.answered", "02T12:00:00", customer="u1", contact_id="c1", resolved="yes", csat=5),
    said("cases", "case.opened", "05T09:00:00", customer="u4", case_id="t1"),
    said("cases", "case.merged", "05T10:00:00", customer="u4", case_id="t0", into="t1"),
    said("agents", "agent.status", "02T09:50:00", agent="anna", status="available", queues=["billing"]),
    said("agents", "agent.status", "02T10:00:12", agent="anna", status="busy"),
    said("agents", "agent.status", "02T10:01:12", agent="anna", status="offline"),
    said("agents", "agent.status", "02T10:10:00", agent="ben", status="busy"),
    said("agents", "agent.status", "02T10:14:00", agent="ben", status="offline"),
]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Options that name a recording and its policy."""
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "lines").write_text("\n".join(map(json.dumps, LINES)))
    return ["--file", str(tmp_path / "lines"), "--policy", str(tmp_path / "policy.toml"), "--until", LATER]


def explained(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """What `explain --json` says."""
    assert main(["explain", *options, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_contact(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R54: its events in order, what became of it, its case, and every figure it counted in."""
    answer = explained(capsys, "--contact", "c1", *files)
    [generation] = answer["generations"]
    assert [event["type"] for event in generation["events"]] == ["queue.entered", "agent.connected", "contact.ended"]
    assert "billing: answered after 12 s" in generation["says"]
    counted = {line["figure"]: line for line in generation["counted"]}
    visit = counted['contact_visits_total{channel="voice",queue="billing",outcome="answered"}']
    assert (visit["amount"], visit["arrival"], visit["queue"]) == (1, "2026-03-02T10:00:00Z", "billing")
    assert counted['contact_handle_seconds_sum{channel="voice",queue="billing"}']["amount"] == 60
    [case] = answer["cases"]
    assert (case["role"], case["customer"]) == ("contact 1 of 2", "u1")
    assert case["rules"]["contact"]["reason"] == "repeat"
    assert [line["figure"] for line in answer["surveys_counted"]]
    assert main(["explain", "--contact", "c1", *files]) == 0
    shown = capsys.readouterr().out
    assert "served by anna" in shown
    assert "repeat: resolved by c1 at 2026-03-02T10:01:12Z; c2 came back at 2026-03-03T10:00:00Z, 23 h 58 min" in shown


def test_a_case(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Its contacts in order, what the customer said, every rule in a sentence; a ticket without a contact too."""
    name = f"contact:c1/{parse_time('2026-03-02T10:00:00Z')}/u1"
    answer = explained(capsys, "--case", name, *files)
    assert [each["contact_id"] for each in answer["contacts"]] == ["c1", "c2"]
    assert answer["ids"] == ["u1", "u2"]
    assert answer["rules"]["survey"]["says"] == "settled: the customer said it is solved"
    assert [event["details"] for event in answer["surveys"]] == [{"resolved": "yes", "csat": 5}]
    ticket = explained(capsys, "--case", "t1", *files)
    assert (ticket["contacts"], ticket["rules"]["contact"]["says"]) == ([], "left out: no contact with a person yet")
    assert [event["type"] for event in ticket["ticket"]] == ["case.opened"]
    merged = explained(capsys, "--case", "t0", *files)
    assert (merged["case"], merged["warnings"]) == ("t1", ["t0 became part of t1"])
    assert main(["explain", "--case", name, *files]) == 0
    shown = capsys.readouterr().out
    assert "contact_fcr_failed_total" in shown
    assert "says it is solved, gives 5 of 5; handle time of 1 min: 0-2m" in shown
    assert "anna served c1 first and has no credit: the case failed" in shown


def test_how_long_a_case_took(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R45: to the first resolution and, where somebody came back, to the last."""
    name = f"contact:c1/{parse_time('2026-03-02T10:00:00Z')}/u1"
    answer = explained(capsys, "--case", name, *files)
    assert (answer["first_resolution_ms"], answer["last_resolution_ms"]) == (72_000, 86_472_000)
    assert main(["explain", "--case", name, *files]) == 0
    words = "resolved 1 min 12 s after it began, and for the last time 1 d after"
    assert words in capsys.readouterr().out


def test_a_customer(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R29: everything in order of time, over linked ids."""
    answer = explained(capsys, "--customer", "u2", *files)
    happened = [(line["what"], line["id"]) for line in answer["timeline"]]
    assert happened == [("contact", "c1"), ("survey", "c1"), ("link", "u2"), ("contact", "c2")]
    assert (answer["ids"], answer["leader"], len(answer["cases"])) == (["u1", "u2"], "u1", 1)
    assert main(["explain", "--customer", "u2", *files]) == 0
    assert "one person: u1, u2; u1 leads" in capsys.readouterr().out


def test_a_cell(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R54: from a figure to the contacts behind it, and that they add up to it."""
    name = "2026-03-02T10:05:00Z,arrival,voice,billing"
    answer = explained(capsys, "--cell", name, "--figure", "contact_visits_total", *files)
    [figure] = answer["figures"]
    assert [(who["id"], who["amount"]) for who in figure["who"]] == [("c1", 1)]
    assert (figure["cell"], figure["sum"], figure["difference"], answer["adds_up"]) == (1, 1, 0, True)
    assert main(["explain", "--cell", f"{name},refund", *files]) == 0
    shown = capsys.readouterr().out
    assert "contact_cases_opened_total" in shown
    assert main(["explain", "--cell", f"{name},refund", "--figure", "contact_fcr_cases_total", *files]) == 0
    assert "1 add up to 1, the cell says 1" in capsys.readouterr().out


def test_a_cell_of_agents(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R27, R54: behind the time of a team stand the spells of its agents that ended in the interval."""
    answer = explained(capsys, "--cell", STAFF, *files)
    named, others, somebody, available, busy = answer["figures"]
    assert named["sum"] + others["sum"] + somebody["sum"] == available["sum"] + busy["sum"]
    assert available["figure"] == 'contact_team_status_seconds_total{team="none",status="available"}'
    assert [(who["id"], who["at"], who["amount"]) for who in available["who"]] == [
        ("anna", "2026-03-02T09:50:00Z", 612)
    ]
    assert [(who["what"], who["id"], who["amount"]) for who in busy["who"]] == [
        ("agent", "anna", 60),
        ("agent", "ben", 240),
    ]
    assert (busy["cell"], busy["sum"], answer["adds_up"], answer["warnings"]) == (300, 300, True, [])
    assert main(["explain", "--cell", STAFF, "--figure", "contact_team_status_seconds_total", *files]) == 0
    shown = capsys.readouterr().out
    assert "busy until 2026-03-02T10:14:00Z" in shown
    assert "2 add up to 300, the cell says 300" in shown


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--contact", "c9"], 1, "contact c9 is not known; searched"),
        (["--case", "t9"], 1, "case t9 is not known"),
        (["--customer", "u9"], 1, "customer u9 is not known"),
        (["--cell", "2026-03-02T11:00:00Z,arrival,voice,billing"], 1, "is not known"),
        (["--cell", "here,arrival"], 2, "cannot read --cell; expected"),
        (["--contact", "c1", "--figure", "contact_visits_total"], 2, "--figure needs --cell"),
        (["--cell", "x", "--figure", "contact_visit_total"], 2, "did you mean contact_visits_total?"),
    ],
)
def test_not_found_and_wrong_usage(
    options: list[str], code: int, words: str, files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One message that says what was searched, or what was expected."""
    assert main(["explain", *options, *files]) == code
    assert words in capsys.readouterr().err


def test_what_does_not_go_together(capsys: pytest.CaptureFixture[str]) -> None:
    """Exactly one thing is asked for; `--until` is of a recording."""
    for options in ([], ["--contact", "c1", "--case", "t1"]):
        with pytest.raises(SystemExit) as ended:
            main(["explain", *options])
        assert ended.value.code == 2
    assert main(["explain", "--contact", "c1", "--until", LATER]) == 2
    assert "--until needs --file" in capsys.readouterr().err


def test_from_the_topics(
    kafka: str, make_topics: MakeTopics, tmp_path: Path, capsys: pytest.CaptureFixture[str], files: list[str]
) -> None:
    """R29, R54: the same answers from a real Kafka as from the recording; where it looked when there is nothing."""
    centre = Centre(read_policy(TABLES))
    centre.feed(list(records((json.dumps(line).encode() for line in LINES), "the test")))
    centre.advance(parse_time(LATER))
    centre.publish()
    layout = make_topics(partitions=centre.partitions)
    write_all(Broker(kafka), centre.outgoing(layout.prefix))
    stored = ["-b", kafka, "--prefix", layout.prefix, "--policy", str(tmp_path / "policy.toml")]
    case = f"contact:c1/{parse_time('2026-03-02T10:00:00Z')}/u1"
    cell = "2026-03-02T10:00:00Z,arrival,voice,billing"
    for options in (
        ["--contact", "c1"],
        ["--case", case],
        ["--case", "t1"],
        ["--customer", "u2"],
        ["--cell", cell],
        ["--cell", STAFF],
    ):
        found = explained(capsys, *options, *stored)
        assert plain(found) == plain(explained(capsys, *options, *files))
        assert found["warnings"] == []
    assert explained(capsys, "--contact", "c1", *stored)["cases"][0]["told"]
    assert main(["explain", "--contact", "c9", *stored]) == 1
    shown = capsys.readouterr().err
    assert "contact c9 is not known; searched rejected (partition " in shown
    assert "outcomes (every partition, since " in shown


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what says where it comes from."""
    text = json.loads(json.dumps(answer), object_hook=_without)
    return {name: value for name, value in text.items() if name != "corrections"}


def _without(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != "told"}
