"""Settings: where they come from, how they are read, and that every problem is told at once."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

from stream.cli.catalogue import ENTRIES
from stream.cli.properties import read_properties
from stream.cli.settings import Settings, add_option
from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from pathlib import Path


def settings(environment: dict[str, str] | None = None, **options: object) -> Settings:
    """Return settings of an environment, with options by the name of their setting."""
    return Settings(options, environment or {}, {})


def test_the_first_place_that_says_something_wins() -> None:
    """Option, then environment, then properties file, then default."""
    name = "CONTACT_STREAM_WEB_PORT"
    properties = {"KAFKA_BOOTSTRAP_SERVERS": "file:1"}
    assert Settings({name: "1"}, {name: "2"}, {}).integer(name) == 1
    assert Settings({name: None}, {name: "2"}, {}).integer(name) == 2
    assert Settings({}, {}, {}).integer(name) == 6066
    assert Settings({}, {}, properties).broker().servers == ["file:1"]
    assert Settings({}, {"KAFKA_BOOTSTRAP_SERVERS": "env:1"}, properties).broker().servers == ["env:1"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30.0), ("500ms", 0.5), ("2m", 120.0), ("1.5h", 5400.0), ("7d", 604800.0)],
)
def test_durations_carry_their_unit(text: str, seconds: float) -> None:
    """A number with its unit."""
    read = settings({"CONTACT_STREAM_IDLE_AFTER": text})
    assert read.seconds("CONTACT_STREAM_IDLE_AFTER") == seconds
    assert read.problems == []


def test_a_duration_may_be_never() -> None:
    """Where that makes sense."""
    assert settings({"CONTACT_STREAM_IDLE_AFTER": "never"}).seconds("CONTACT_STREAM_IDLE_AFTER") is None
    read = settings({"CONTACT_STREAM_SESSION_TIMEOUT": "never"})
    assert read.seconds("CONTACT_STREAM_SESSION_TIMEOUT") == 10.0
    assert len(read.problems) == 1


def test_every_problem_is_told_at_once() -> None:
    """One message with all of them; the exit code says usage."""
    read = settings(
        {
            "CONTACT_STREAM_IDLE_AFTER": "soon",
            "CONTACT_STREAM_WEB_PORT": "70000",
            "CONTACT_STREAM_LOG_FORMAT": "xml",
            "KAFKA_SSL_CHECK_HOSTNAME": "perhaps",
            "KAFKA_SSL_CAFILE": "/no/such/file",
            "KAFKA_BOOTSTRAP_SERVERS": "broker",
            "CONTACT_STREAM_IDLE_AFTR": "1s",
        }
    )
    read.seconds("CONTACT_STREAM_IDLE_AFTER")
    read.integer("CONTACT_STREAM_WEB_PORT")
    read.text("CONTACT_STREAM_LOG_FORMAT")
    read.broker()
    with pytest.raises(Trouble) as caught:
        read.check()
    assert caught.value.exit_code == 2
    expected = [
        ("CONTACT_STREAM_IDLE_AFTER", 'a duration such as "30s", "500ms" or "24h", or never', "soon"),
        ("CONTACT_STREAM_WEB_PORT", "a whole number from 0 to 65535", "70000"),
        ("CONTACT_STREAM_LOG_FORMAT", "one of logfmt, json", "xml"),
        ("KAFKA_SSL_CAFILE", "a file that exists", "/no/such/file"),
        ("KAFKA_SSL_CHECK_HOSTNAME", "yes or no", "perhaps"),
        ("KAFKA_BOOTSTRAP_SERVERS", "host:port, several divided by commas", "broker"),
    ]
    assert str(caught.value).splitlines() == [
        'unknown setting "CONTACT_STREAM_IDLE_AFTR"; did you mean "CONTACT_STREAM_IDLE_AFTER"?',
        *(
            f'cannot read setting "{name}": expected {wanted}, got "{got}"; see README, Settings'
            for name, wanted, got in expected
        ),
    ]


def test_sasl_needs_its_credentials() -> None:
    """Each missing one is named."""
    read = settings({"KAFKA_SECURITY_PROTOCOL": "sasl_ssl", "KAFKA_SASL_USERNAME": "worker"})
    assert read.broker().security_protocol == "SASL_SSL"
    assert [problem.split('"')[1] for problem in read.problems] == ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_PASSWORD"]


def test_a_secret_may_come_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    """`_FILE` names a file; neither a repr nor a problem holds the secret."""
    (tmp_path / "password").write_text("hunter2\n", encoding="utf-8")
    read = settings(
        {
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA_SASL_MECHANISM": "PLAIN",
            "KAFKA_SASL_USERNAME": "worker",
            "KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "password"),
        }
    )
    broker = read.broker()
    read.check()
    assert broker.sasl_password == "hunter2"
    assert "hunter2" not in repr(broker)
    missing = settings({"KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "none")})
    missing.broker()
    assert "KAFKA_SASL_PASSWORD_FILE" in missing.problems[0]


def test_a_properties_file_of_kafkas_own_tools_is_understood(tmp_path: Path) -> None:
    """Comments, continued lines, a JAAS line with an escaped quote, TLS names; other keys are passed over."""
    path = tmp_path / "client.properties"
    path.write_text(
        "# how we connect\n"
        "bootstrap.servers = one:9092,two:9092\n"
        "security.protocol=SASL_SSL\n"
        "sasl.mechanism: SCRAM-SHA-512\n"
        "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n"
        '    username="worker" password="a\\"b;c";\n'
        "ssl.truststore.type=PEM\n"
        "ssl.truststore.location=/etc/ca.pem\n"
        "ssl.endpoint.identification.algorithm=\n"
        "group.id=other\n",
        encoding="utf-8",
    )
    assert read_properties(path) == {
        "KAFKA_BOOTSTRAP_SERVERS": "one:9092,two:9092",
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": "worker",
        "KAFKA_SASL_PASSWORD": 'a"b;c',
        "KAFKA_SSL_CAFILE": "/etc/ca.pem",
        "KAFKA_SSL_CHECK_HOSTNAME": "no",
    }


def test_a_java_key_store_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """No Python client reads one."""
    path = tmp_path / "client.properties"
    path.write_text("ssl.truststore.type=JKS\n", encoding="utf-8")
    with pytest.raises(Trouble, match=r"ssl\.truststore\.type is JKS; export it to PEM"):
        read_properties(path)


def test_an_option_tells_its_setting_and_default() -> None:
    """Help is made from the catalogue."""
    parser = argparse.ArgumentParser()
    add_option(parser, "CONTACT_STREAM_WEB_PORT", "--web-port")
    assert "CONTACT_STREAM_WEB_PORT, default 6066" in " ".join(parser.format_help().split())
    assert vars(parser.parse_args(["--web-port", "7"])) == {"CONTACT_STREAM_WEB_PORT": "7"}


def test_every_default_can_be_read() -> None:
    """No entry of the catalogue has a default that its own kind refuses."""
    read = settings()
    for name, entry in ENTRIES.items():
        reader = {"whole number": read.integer, "duration": read.seconds, "yes or no": read.flag}.get(
            entry.kind, read.text
        )
        reader(name)
    assert read.problems == []
