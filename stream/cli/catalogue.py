"""Every setting of the product: name, kind, default, meaning. The docs and the reader are made from this table.

It never reads anything; `stream.cli.settings` does. `KAFKA_…` names are those users have; ours begin with
`CONTACT_STREAM_`. Source: 6-craft 6.7, 5-operating 5.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["text", "path", "whole number", "duration", "yes or no", "choice", "secret"]
OWN_PREFIX: Final = "CONTACT_STREAM_"


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting.

    Attributes:
        name: of the environment variable.
        kind: how its text is read; a secret may also come from the file named by `<name>_FILE`.
        default: as it would be written; empty = not set.
        meaning: one sentence, with the unit where there is one.
        choices: of a `choice`.
        least: of a `whole number`.
        most: of a `whole number`.
        nullable: whether a duration may be `never`.
    """

    name: str
    kind: Kind
    default: str
    meaning: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 2**31
    nullable: bool = False


_KAFKA: Final = (
    Entry("KAFKA_BOOTSTRAP_SERVERS", "text", "127.0.0.1:9092", "Kafka's `host:port`, several divided by commas."),
    Entry(
        "KAFKA_SECURITY_PROTOCOL",
        "choice",
        "PLAINTEXT",
        "How to connect.",
        choices=("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    ),
    Entry(
        "KAFKA_SASL_MECHANISM",
        "choice",
        "",
        "How to log in; needed with `SASL_…`.",
        choices=("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
    ),
    Entry("KAFKA_SASL_USERNAME", "secret", "", "User to log in as."),
    Entry("KAFKA_SASL_PASSWORD", "secret", "", "Password of that user; never printed."),
    Entry("KAFKA_SSL_CAFILE", "path", "", "PEM file of the authorities to trust; without it the system's."),
    Entry("KAFKA_SSL_CERTFILE", "path", "", "PEM file of the client's certificate chain."),
    Entry("KAFKA_SSL_KEYFILE", "path", "", "PEM file of the client's private key."),
    Entry("KAFKA_SSL_PASSWORD", "secret", "", "Password of the private key; never printed."),
    Entry("KAFKA_SSL_CHECK_HOSTNAME", "yes or no", "yes", "Whether the broker's certificate must name its host."),
)

_TOPICS: Final = (
    Entry("CONTACT_STREAM_PREFIX", "text", "contact.", "Put before every source and output topic."),
    Entry("CONTACT_STREAM_APP_ID", "text", "contact-stream", "Consumer group; names changelogs and transactions."),
    Entry("CONTACT_STREAM_PARTITIONS", "whole number", "8", "Partitions of every topic.", least=1, most=1024),
    Entry(
        "CONTACT_STREAM_REPLICATION_FACTOR",
        "whole number",
        "",
        "Copies of every partition when topics are created; without it the broker's default.",
        least=1,
        most=32,
    ),
    Entry(
        "CONTACT_STREAM_TIMESTAMPS",
        "choice",
        "LogAppendTime",
        "Who stamps source records: the broker or the sender.",
        choices=("LogAppendTime", "CreateTime"),
    ),
)

_WORKER: Final = (
    Entry("CONTACT_STREAM_POLICY", "path", "", "Policy file (TOML); without it the defaults shipped."),
    Entry(
        "CONTACT_STREAM_ADOPT",
        "yes or no",
        "no",
        "Go on under other definitions (rules, windows, thresholds) and decide again what is held; else stop and say.",
    ),
    Entry("CONTACT_STREAM_WEB_HOST", "text", "127.0.0.1", "Where metrics and health are served."),
    Entry("CONTACT_STREAM_WEB_PORT", "whole number", "6066", "Port of metrics and health; 0 = any free.", most=65535),
    Entry("CONTACT_STREAM_WEB_TOKEN", "secret", "", "Bearer token asked for on `/metrics`; without it none."),
    Entry(
        "CONTACT_STREAM_IDLE_AFTER",
        "duration",
        "30s",
        "A source partition read to its end and silent for so long no longer holds time back; `never` for history.",
        nullable=True,
    ),
    Entry("CONTACT_STREAM_SESSION_TIMEOUT", "duration", "10s", "A worker silent for so long loses its shards."),
    Entry("CONTACT_STREAM_BROKER_PATIENCE", "duration", "30s", "A broker that is down at start is waited for so long."),
    Entry(
        "CONTACT_STREAM_LOG_LEVEL",
        "choice",
        "info",
        "Lowest level of log lines.",
        choices=("debug", "info", "warning", "error"),
    ),
    Entry("CONTACT_STREAM_LOG_FORMAT", "choice", "logfmt", "Form of log lines.", choices=("logfmt", "json")),
)

_TRIAL: Final = (
    Entry("CONTACT_STREAM_CACHE", "path", "~/.cache/contact-stream", "Folder that keeps the embedded Kafka's jars."),
    Entry("CONTACT_STREAM_JAVA", "text", "java", "Java's command, for the embedded Kafka."),
    Entry("CONTACT_STREAM_MAVEN", "text", "mvn", "Maven's command, to fetch the embedded Kafka once."),
    Entry("CONTACT_STREAM_VECTORS", "path", "", "Folder of golden scenarios that the tests run."),
    Entry("CONTACT_STREAM_BANK", "path", "", "Folder of the recorded month that the tests replay."),
    Entry("DEMO_SECONDS", "whole number", "", "`demo` ends by itself after so many seconds and checks its figures."),
)

GROUPS: Final[Mapping[str, tuple[Entry, ...]]] = MappingProxyType(
    {
        "Kafka": _KAFKA,
        "Topics": _TOPICS,
        "Worker": _WORKER,
        "Trying out and testing": _TRIAL,
    }
)
"""Settings under the headings of the docs."""

ENTRIES: Final[Mapping[str, Entry]] = MappingProxyType(
    {entry.name: entry for group in GROUPS.values() for entry in group}
)
"""Every setting by name."""
