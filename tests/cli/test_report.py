"""`contact-stream report` as a person calls it: from a file of cells, and from the topic of a real Kafka."""

from __future__ import annotations

import csv
import json
import tomllib
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from stream.admin.producer import write_all
from stream.cli.main import main
from stream.core.events import CHANNELS
from stream.core.policies.reader import read_policy
from stream.core.reports.sheets import CONTACTS, SHEETS
from stream.core.reports.sums import total
from stream.wire.broker import Broker
from stream.wire.json import dumps
from tests.replay.centre import Centre
from tests.reporting import MARCH, past, rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeTopics

POLICY_TEXT = """\
zone = "Europe/Berlin"
[calendars.office]
hours = { mon = [["09:00", "17:00"]], fri = [["09:00", "17:00"]], sat = [["10:00", "14:00"]] }
[queues.billing]
calendar = "office"
[queues.sales]
zone = "Asia/Kathmandu"
[queues.support-en]
[queues.support-de]
[queues.retention]
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options that name the cells of a simulated weekend, as `replay --cells` wrote them, and a policy with zones."""
    folder = tmp_path_factory.mktemp("report")
    lines = [dumps({"topic": each.topic, "event": json.loads(each.value or b"")}) for each in past(MARCH).events]
    (folder / "events").write_bytes(b"\n".join(lines))
    (folder / "policy.toml").write_text(POLICY_TEXT)
    policy = ["--policy", str(folder / "policy.toml")]
    assert main(["replay", "--file", str(folder / "events"), "--cells", str(folder / "cells"), "--json", *policy]) == 0
    return ["--file", str(folder / "cells"), *policy]


def said(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What `report` prints."""
    capsys.readouterr()
    assert main(["report", *options]) == 0
    return capsys.readouterr().out


def answered(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """What `report --json` says."""
    found: dict[str, Any] = json.loads(said(capsys, *options, "--json"))
    return found


def spread(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, str]]:
    """What `report --csv` says."""
    return list(csv.DictReader(StringIO(said(capsys, *options, "--csv"))))


def test_days_are_local_days_of_each_queue(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R09: each queue by the zone of its calendar, with the start in UTC beside it; `--zone` is one for all."""
    found = answered(capsys, *files)
    zones = {(row["queue"], row["zone"]) for row in found["rows"]}
    assert {("billing", "Europe/Berlin"), ("sales", "Asia/Kathmandu"), ("retention", "Europe/Berlin")} <= zones
    starts = {(row["zone"], row["start"], row["local_start"]) for row in found["rows"]}
    assert ("Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T00:00:00+01:00") in starts
    assert ("Europe/Berlin", "2026-03-29T22:00:00Z", "2026-03-30T00:00:00+02:00") in starts
    assert ("Asia/Kathmandu", "2026-03-27T18:15:00Z", "2026-03-28T00:00:00+05:45") in starts
    every = {name: value for name, value in found["all"].items() if isinstance(value, int)}
    assert every == {name: sum(row[name] for row in found["rows"]) for name in every}
    for zone in ("Europe/Berlin", "Asia/Kathmandu", "UTC"):
        for length in ("15m", "30m", "hour", "week", "month"):
            assert answered(capsys, *files, "--by", length, "--zone", zone)["all"] == found["all"]


def test_every_table_as_text_and_csv(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R01, R37, R39, R42: every table is said in every form, and the forms say the same."""
    for name in SHEETS:
        found = answered(capsys, *files, "--table", name)
        lines = said(capsys, *files, "--table", name).splitlines()
        told = spread(capsys, *files, "--table", name)
        assert lines[0].startswith(f"{name} by day, attributed by ")
        assert len(told) == len(found["rows"]) == max(0, len(lines) - 3)
        for row, line in zip(found["rows"], told, strict=True):
            assert (line["start_utc"], line["start_local"]) == (row["start"], row["local_start"])
            for column, value in row.items():
                if isinstance(value, int):
                    assert line[column] == str(value)
    queues = said(capsys, *files, "--attribute", "outcome").splitlines()
    assert queues[0] == "queues by day, attributed by outcome; offered by arrival"
    assert queues[1].split()[:6] == ["start", "(UTC)", "local", "start", "channel", "queue"]
    assert queues[-1].split()[0] == "all"


def test_a_denominator_of_nothing_is_no_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R54: a quarter in which nobody was answered or gave up has no service level, neither 0 nor 100 %."""
    place = {"stage": 1, "shard": 0, "start": 1_772_442_000_000, "by": "arrival", "channel": "voice"}
    counts = {
        'contact_visits_entered_total{channel="voice",queue="q"}': 2,
        'contact_visits_total{channel="voice",queue="q",outcome="timeout"}': 2,
    }
    cells = tmp_path / "cells"
    cells.write_bytes(dumps({**place, "queue": "q", "issue": "none", "version": 1, "counts": counts}))
    [row] = answered(capsys, "--file", str(cells))["rows"]
    assert row["service_level"] == {"numerator": 0, "denominator": 0, "value": None}
    assert row["net_abandonment"] == {"numerator": 0, "denominator": 2, "value": 0.0}
    assert (row["speed_of_answer"]["value"], row["handle_time"]["value"], row["lost"]) == (None, None, 2)
    [line] = spread(capsys, "--file", str(cells))
    assert (line["service_level"], line["service_level_denominator"], line["speed_of_answer_seconds"]) == ("", "0", "")
    text = said(capsys, "--file", str(cells)).splitlines()[2]
    assert text.split()[5:] == ["voice", "q", "2", "0", "0", "0", "0", "2", "0", "0.0", "0"]


def test_what_is_asked_for_of_channels_queues_and_time(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R39: channels add up to the whole, spans put end to end too; a day is the local day, a time is UTC."""
    whole = answered(capsys, *files)["all"]["offered"]
    parts = [answered(capsys, *files, "--channel", channel)["all"]["offered"] for channel in CHANNELS]
    assert (sum(parts), parts[0] > 0 < parts[1]) == (whole, True)
    both = answered(capsys, *files, "--queue", "billing", "--queue", "sales")
    assert {row["queue"] for row in both["rows"]} == {"billing", "sales"}
    before = answered(capsys, *files, "--to", "2026-03-28")
    after = answered(capsys, *files, "--from", "2026-03-28")
    assert before["all"]["offered"] + after["all"]["offered"] == whole
    assert {row["local_start"] for row in after["rows"] if row["queue"] == "sales"} >= {"2026-03-28T00:00:00+05:45"}
    assert main(["report", *files, "--from", "2026-03-28T00:00", "--zone", "Europe/Berlin"]) == 0
    shown = capsys.readouterr()
    assert "--from cuts through a day of Europe/Berlin: that row is not complete" in shown.err
    assert main(["report", *files, "--from", "2027-01-01"]) == 0
    assert "no interval cells in what was asked for" in capsys.readouterr().err


def test_arrivals_by_channel_are_the_contacts(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R37, R39: arrivals per day and channel, each contact once, add up to the contacts there are."""
    found = answered(capsys, *files, "--table", "contacts")["all"]
    sums = total(rows(past(MARCH).cells, CONTACTS).values())
    contacts = [contact for _, row in past(MARCH).known.rows() for contact in row.contacts]
    assert found["arrivals"] == len(contacts) == CONTACTS.of(sums)["arrivals"]
    assert found["inbound"] + found["outbound"] + found["internal"] == found["arrivals"]


def test_a_reopened_case_is_measured_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R45: to the first resolution, and to the one that stands; a case that is open again has none."""
    said_of = {"T1": (("resolved", 2),), "T2": (("resolved", 5), ("reopened", 30), ("closed", 80))}
    said_of["T3"] = (("resolved", 1), ("reopened", 170), ("resolved", 180), ("reopened", 181))
    events = [line for ticket, words in said_of.items() for line in ticketed(ticket, words)]
    (tmp_path / "events").write_bytes(b"\n".join(events))
    cells = str(tmp_path / "cells")
    assert main(["replay", "--file", str(tmp_path / "events"), "--cells", cells, "--json"]) == 0
    [row] = answered(capsys, "--file", cells, "--table", "resolutions", "--by", "month")["rows"]
    hour = 3_600
    assert (row["resolved"], row["first"]) == (3, {"numerator": 8 * hour, "denominator": 3, "value": 8 / 3 * hour})
    assert (row["stand"], row["full"]) == (2, {"numerator": 82 * hour, "denominator": 2, "value": 41 * hour})
    assert {name: row[name] for name in row if row[name] == 1} == {"1_to_6_h": 1, "3_to_7_d": 1}


def test_replies_are_in_one_band_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R42: bands of e-mail replies have edges at 1, 2, 6, 12 and 24 h, without a hole, and add up to the count."""
    hours = (0.5, 1, 1.001, 2, 5, 6, 7, 12, 13, 24, 25, 48, 200)
    events = [line for number, spent in enumerate(hours) for line in thread(number, spent)]
    (tmp_path / "events").write_bytes(b"\n".join(events))
    cells = str(tmp_path / "cells")
    assert main(["replay", "--file", str(tmp_path / "events"), "--cells", cells, "--json"]) == 0
    [row] = answered(capsys, "--file", cells, "--table", "replies", "--by", "month")["rows"]
    bands = {name: row[name] for name in row if name.startswith(("up_to", "over")) or "_to_" in name}
    assert bands == {
        "up_to_1_h": 2,
        "1_to_2_h": 2,
        "2_to_6_h": 2,
        "6_to_12_h": 2,
        "12_to_24_h": 2,
        "24_to_48_h": 2,
        "over_48_h": 1,
    }
    assert sum(bands.values()) == row["responses"] == len(hours)
    assert row["in_target"] == {"numerator": 10, "denominator": 13, "value": 10 / 13}


def thread(number: int, hours: float) -> list[bytes]:
    """An e-mail, and its reply so many hours later."""
    about = {"source": "mail", "contact_id": f"m{number}", "channel": "email", "queue": "care"}
    moments = (0, round(hours * 3600))
    kinds = ({"type": "message.received"}, {"type": "message.sent", "by": "agent", "agent": "anna"})
    return [
        dumps({"topic": "emails", "event": {**about, **kind, "event_id": f"{number}/{at}", "occurred_at": moment(at)}})
        for kind, at in zip(kinds, moments, strict=True)
    ]


def ticketed(ticket: str, words: tuple[tuple[str, int], ...]) -> list[bytes]:
    """A call about a ticket, and what became of that so many hours later."""
    own = {"customer": f"u{ticket}", "case_id": ticket}
    told: list[tuple[str, int, dict[str, str]]] = [
        ("cases", 0, {"type": "case.opened"}),
        ("calls", 0, {"type": "contact.started", "contact_id": f"c{ticket}"}),
        ("calls", 60, {"type": "agent.connected", "contact_id": f"c{ticket}", "agent": "anna"}),
        ("calls", 600, {"type": "contact.ended", "contact_id": f"c{ticket}", "by": "customer"}),
        *(("cases", hours * 3600, {"type": f"case.{word}"}) for word, hours in words),
    ]
    return [
        dumps(
            {
                "topic": topic,
                "event": {**own, **kind, "source": "desk", "event_id": f"{ticket}/{n}", "occurred_at": moment(at)},
            }
        )
        for n, (topic, at, kind) in enumerate(told)
    ]


def moment(seconds: int) -> str:
    """So long after the beginning of March."""
    days, rest = divmod(seconds, 86_400)
    return f"2026-03-{1 + days:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


def test_weekday_by_hour(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R38, R48: the rush and the abandonment by local weekday and hour, within and outside opening hours."""
    found = answered(capsys, *files, "--heat", "arrivals", "--queue", "billing")
    hours = {(each["weekday"], each["hour"], each["in_hours"]): each["value"] for each in found["hours"]}
    assert found["zones"] == ["Europe/Berlin"]
    assert sum(hours.values()) == found["all"] == answered(capsys, *files, "--queue", "billing")["all"]["offered"]
    assert {hour for day, hour, inside in hours if day == "Sat" and inside} <= {10, 11, 12, 13}
    assert not any(inside for day, _, inside in hours if day == "Sun")
    lines = said(capsys, *files, "--heat", "arrivals", "--queue", "billing").splitlines()
    assert lines[0] == "visits that began, billing, by weekday and hour of local time (Europe/Berlin)"
    assert [line.split()[0] for line in lines[1:9]] == ["00", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    outside = sum(count for (_, _, inside), count in hours.items() if not inside)
    assert lines[-1] == f"within opening hours {found['all'] - outside}; outside opening hours {outside}"
    told = spread(capsys, *files, "--heat", "abandonment")
    assert {line["in_hours"] for line in told} == {"yes", "no"}
    share = answered(capsys, *files, "--heat", "abandonment")["all"]
    assert sum(int(line["abandonment_denominator"]) for line in told) == share["denominator"]
    assert share == answered(capsys, *files)["all"]["net_abandonment"]
    closed = answered(capsys, *files, "--heat", "outside", "--queue", "billing")
    assert (closed["all"], {each["in_hours"] for each in closed["hours"]}) == (outside, {False})


def test_period_over_period(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R35: each value beside that of the span before, or of one that is named, with the difference."""
    span = ["--zone", "Europe/Berlin", "--from", "2026-03-28", "--to", "2026-03-29"]
    now, before = (answered(capsys, *files, *span[:2], "--from", day, "--to", end) for day, end in DAYS)
    found = answered(capsys, *files, *span, "--compare", "previous")
    assert found["before"] == ["2026-03-27", "2026-03-28"]
    for name, value in found["all"].items():
        assert (value["now"], value["before"]) == (now["all"][name], before["all"][name])
        ends = [each["value"] if isinstance(each, dict) else each for each in (value["now"], value["before"])]
        assert value["difference"] == ends[0] - ends[1]
    named = answered(capsys, *files, *span, "--compare", "2026-03-27..2026-03-28")
    assert named == found
    [line] = (
        each
        for each in spread(capsys, *files, *span, "--compare", "previous")
        if each["queue"] == "billing" and each["channel"] == "voice"
    )
    [row] = (each for each in found["rows"] if (each["channel"], each["queue"]) == ("voice", "billing"))
    assert line["answered_difference"] == str(row["answered"]["difference"])
    assert (line["answered"], line["answered_before"]) == (str(row["answered"]["now"]), str(row["answered"]["before"]))
    text = said(capsys, *files, *span, "--compare", "previous").splitlines()
    assert text[0].endswith("± against 2026-03-27..2026-03-28")
    assert f"{found['all']['offered']['difference']:+,}" in text[-1].split()


DAYS = (("2026-03-28", "2026-03-29"), ("2026-03-27", "2026-03-28"))


def test_agents_period_over_period(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R35, R44: the figures of an agent beside those of the day before."""
    place = {"stage": 1, "shard": 0, "channel": "voice", "queue": "none", "issue": "none", "version": 1}
    lines = []
    for day, handled, seconds in ((0, 4, 800), (1, 5, 900)):
        at = 1_772_442_000_000 + 86_400_000 * day
        label = '{agent="anna",channel="voice"}'
        counts = {f"contact_agent_handled_total{label}": handled}
        counts |= {f"contact_agent_handle_seconds_total{label}": seconds * 1000}
        lines.append(dumps({**place, "start": at, "by": "outcome", "counts": counts}))
        first = {f"contact_agent_first_responses_total{label}": handled - 1}
        lines.append(dumps({**place, "start": at, "by": "arrival", "counts": first}))
    (tmp_path / "cells").write_bytes(b"\n".join(lines))
    span = ["--from", "2026-03-03", "--to", "2026-03-04", "--compare", "previous", "--table", "agents"]
    [row] = answered(capsys, "--file", str(tmp_path / "cells"), *span)["rows"]
    assert (row["agent"], row["channel"]) == ("anna", "voice")
    assert row["handled"] == {"now": 5, "before": 4, "difference": 1}
    assert (row["handle_time"]["now"]["value"], row["handle_time"]["difference"]) == (180, -20)
    assert row["first_responses"] == {"now": 4, "before": 3, "difference": 1}


def test_speed_of_answer_without_and_with_callbacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R17: a customer who was called back waited from the request to the connect; requests by what became of them."""
    about = {"source": "pbx", "queue": "care"}
    told = [
        (0, "c1", {"type": "queue.entered"}),
        (10, "c1", {"type": "agent.connected", "agent": "anna"}),
        (20, "c1", {"type": "contact.ended", "by": "customer"}),
        (0, "c2", {"type": "queue.entered"}),
        (30, "c2", {"type": "queue.left", "reason": "callback"}),
        (320, "c2", {"type": "callback.attempted", "result": "reached"}),
        (330, "c2", {"type": "agent.connected", "agent": "anna"}),
        (400, "c2", {"type": "contact.ended", "by": "agent"}),
        (0, "c3", {"type": "queue.entered"}),
        (60, "c3", {"type": "queue.left", "reason": "callback"}),
    ]
    lines = [
        dumps(
            {
                "topic": "calls",
                "event": {**about, **kind, "event_id": str(n), "contact_id": name, "occurred_at": moment(at)},
            }
        )
        for n, (at, name, kind) in enumerate(told)
    ]
    (tmp_path / "events").write_bytes(b"\n".join(lines))
    cells, until = str(tmp_path / "cells"), "2026-03-09T00:00:00Z"
    assert main(["replay", "--file", str(tmp_path / "events"), "--cells", cells, "--until", until, "--json"]) == 0
    for attribution in ("arrival", "outcome"):
        found = answered(capsys, "--file", cells, "--table", "callbacks", "--attribute", attribution)["all"]
        counts = [found[name] for name in ("requested", "attempted", "reached", "expired", "answered")]
        assert counts == [2, 1, 1, 1, 1]
        times = [
            found[name]["value"] for name in ("callback_wait", "speed_of_answer", "speed_of_answer_with_callbacks")
        ]
        assert times == [300, 10, 155]


def test_cases_by_when_they_began(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """R01, R02, R09: received, handled and resolved beside FCR by week; settled only when all is decided."""
    found = answered(capsys, *files, "--table", "cases", "--by", "week")["all"]
    assert found["fcr"] == {
        "numerator": found["credited"],
        "denominator": found["credited"] + found["failed"],
        "value": found["credited"] / (found["credited"] + found["failed"]),
    }
    assert found["received"] >= found["handled"] > found["credited"] > found["settled"] == 0
    assert found["fcr_settled"]["value"] is None
    assert found["fcr_at_worst"]["value"] < found["fcr"]["value"] < found["fcr_at_best"]["value"]


def test_settled_first_contact_resolution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R01, R09: once every window has passed, of two cases one was resolved at the first contact; before, no value."""
    kinds = (
        {"type": "queue.entered"},
        {"type": "agent.connected", "agent": "anna"},
        {"type": "contact.ended", "by": "agent"},
    )
    calls = (("c1", "u1", 0), ("c2", "u2", 0), ("c3", "u2", 86_400))
    lines = []
    for name, customer, begin in calls:
        about = {"source": "pbx", "queue": "care", "contact_id": name, "customer": customer}
        for at, kind in enumerate(kinds):
            event = {**about, **kind, "event_id": f"{name}-{at}", "occurred_at": moment(begin + at)}
            lines.append(dumps({"topic": "calls", "event": event}))
    (tmp_path / "events").write_bytes(b"\n".join(lines))
    recorded = ["replay", "--file", str(tmp_path / "events"), "--json", "--cells", str(tmp_path / "cells")]
    for until, settled in (("2026-03-05T00:00:00Z", None), ("2026-03-20T00:00:00Z", 0.5)):
        assert main([*recorded, "--until", until]) == 0
        for length in ("day", "week", "month"):
            [row] = answered(capsys, "--file", str(tmp_path / "cells"), "--table", "cases", "--by", length)["rows"]
            assert (row["received"], row["credited"], row["failed"]) == (2, 1, 1)
            assert (row["fcr"]["value"], row["fcr_settled"]["value"]) == (0.5, settled)


def test_the_topic_of_a_real_kafka(
    kafka: str, make_topics: MakeTopics, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R54: the latest of every cell on the topic, whatever stood there before, gives the report of their file."""
    policy = read_policy(tomllib.loads(POLICY_TEXT))
    centre = Centre(policy)
    events = past(MARCH, 1).events
    for begin in range(0, len(events), len(events) // 3):
        centre.feed(events[begin : begin + len(events) // 3])
        centre.publish()
    layout = make_topics(partitions=centre.partitions)
    write_all(Broker(kafka), centre.outgoing(layout.prefix))
    latest = {record.key: record.value for part in centre.topics["intervals"] for record in part}
    assert sum(map(len, centre.topics["intervals"])) > len(latest)
    (tmp_path / "cells").write_bytes(b"\n".join(value or b"" for value in latest.values()))
    (tmp_path / "policy.toml").write_text(POLICY_TEXT)
    chosen = ["--policy", str(tmp_path / "policy.toml")]
    stored = ["-b", kafka, "--prefix", layout.prefix, *chosen]
    recorded = ["--file", str(tmp_path / "cells"), *chosen]
    for options in (["--by", "hour"], ["--table", "cases"], ["--heat", "abandonment"], ["--from", "2026-03-27T08:00"]):
        assert answered(capsys, *options, *stored) == answered(capsys, *options, *recorded)
    offered = sum(n for key, n in centre.counters.items() if key[0] == "contact_visits_entered_total")
    assert answered(capsys, *stored)["all"]["offered"] == offered > 0
