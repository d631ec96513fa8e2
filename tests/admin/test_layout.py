"""The topics as values: names, kinds and the words a broker may answer with."""

from __future__ import annotations

import pytest

from stream.core.topics import TOPICS, Layout, Setting, changelog_name, source_names, topic_name


def test_names_follow_the_prefix_and_the_application() -> None:
    """A prefix replaces `contact.`; a changelog is named as Faust names the table `stage<n>`."""
    assert topic_name("contact.", "calls") == "contact.calls.v1"
    assert topic_name("trial.", "rejected") == "trial.rejected.v1"
    assert changelog_name("contact-stream", 1) == "contact-stream-stage1-changelog"


def test_a_layout_holds_every_topic_once() -> None:
    """Eleven topics of 1-events and one changelog for each stage."""
    names = [topic.name for topic in Layout(prefix="x.", app_id="a").topics()]
    assert len(names) == len(set(names)) == 13
    assert names[-2:] == ["a-stage1-changelog", "a-stage2-changelog"]
    assert source_names(1) == ("calls", "chats", "emails", "agents")
    assert source_names(2) == ("cases", "outcomes", "identities")


def test_sources_keep_two_weeks_and_carry_two_mebibytes() -> None:
    """The limits of 1-events 1.2."""
    for short in ("calls", "chats", "emails", "cases", "agents"):
        config = TOPICS[short].config
        assert int(config["retention.ms"].value) == 14 * 86_400_000
        assert int(config["max.message.bytes"].value) == 2 * 1024 * 1024
        assert config["message.timestamp.type"].value == "LogAppendTime"


@pytest.mark.parametrize(
    ("short", "cleanup", "days", "mebibytes", "stage"),
    [
        ("outcomes", "delete", 30, 2, 2),
        ("identities", "delete", 30, 2, 2),
        ("verdicts", "compact,delete", 400, 2, None),
        ("corrections", "delete", 30, 2, None),
        ("intervals", "compact,delete", 400, 2, None),
        ("rejected", "delete", 14, 4, None),
    ],
)
def test_outputs_are_kept_as_long_as_they_are_needed(
    short: str, cleanup: str, days: int, mebibytes: int, stage: int | None
) -> None:
    """The table of 1-events 1.7; what the case stage joins has as many partitions as the sources."""
    topic = TOPICS[short]
    assert (topic.kind, topic.stage, topic.joined) == ("output", stage, stage is not None)
    assert topic.config["cleanup.policy"].value == cleanup
    assert int(topic.config["retention.ms"].value) == days * 86_400_000
    assert int(topic.config["max.message.bytes"].value) == mebibytes * 1024 * 1024


def test_three_copies_ask_for_two_in_sync() -> None:
    """Where a replica can be lost, a write needs two."""
    lone, triple = Layout(replication_factor=1), Layout(replication_factor=3)
    assert all("min.insync.replicas" not in topic.config for topic in lone.topics())
    assert all(topic.config["min.insync.replicas"].value == "2" for topic in triple.topics())


@pytest.mark.parametrize(
    ("setting", "actual", "accepted"),
    [
        (Setting("compact,delete"), "delete,compact", True),
        (Setting("delete"), "compact", False),
        (Setting("100", "at_least"), "100", True),
        (Setting("100", "at_least"), "99", False),
        (Setting("100", "at_least"), "-1", True),
        (Setting("100", "at_most"), "-1", False),
        (Setting("100", "at_most"), "64", True),
        (Setting("100", "at_least"), "plenty", False),
        (Setting("100"), None, False),
    ],
)
def test_a_setting_accepts_what_is_at_least_as_good(setting: Setting, actual: str | None, accepted: bool) -> None:
    """Words compare as sets, limits as limits."""
    assert setting.accepts(actual) is accepted
