"""Reads settings once, into frozen values; every problem is reported at once.

Where a setting comes from, first wins: a command's option, the environment, the `--command-config` file, the default.
Nothing else in the product looks at any of them. Source: 6-craft 6.7.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from stream.cli.catalogue import ENTRIES, OWN_PREFIX
from stream.core.topics import Layout
from stream.core.trouble import Trouble
from stream.demo.kafka import KafkaSettings
from stream.wire.broker import Broker

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from stream.cli.catalogue import Entry
    from stream.core.topics import Timestamps
    from stream.wire.broker import SaslMechanism, SecurityProtocol

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_FLAGS: Final = {
    "yes": True,
    "true": True,
    "on": True,
    "1": True,
    "no": False,
    "false": False,
    "off": False,
    "0": False,
}
_SPELLINGS: Final = 'a duration such as "30s", "500ms" or "24h"'


def add_option(parser: argparse.ArgumentParser, name: str, *flags: str) -> None:
    """Give a command an option that overrides a setting; its help is the setting's meaning.

    Args:
        parser: of the command.
        name: of the setting, which is also where the value lands in the parsed options.
        flags: as typed, for example `--web-port`.
    """
    entry = ENTRIES[name]
    shown = entry.meaning.replace("`", "").rstrip(".")
    given = f"{name}, default {entry.default}" if entry.default else name
    said = f"{shown} [{given}]".replace("%", "%%")
    if entry.kind == "yes or no":
        parser.add_argument(*flags, dest=name, action="store_const", const="yes", default=None, help=said)
        return
    metavar = flags[-1].lstrip("-").replace("-", "_").upper()
    parser.add_argument(*flags, dest=name, metavar=metavar, default=None, help=said)


class Settings:
    """The settings of one run. Reading never raises; `check` raises everything that was wrong.

    Attributes:
        problems: what is wrong so far, one sentence each.
    """

    def __init__(
        self, options: Mapping[str, object], environment: Mapping[str, str], properties: Mapping[str, str]
    ) -> None:
        """Keep the places to look in, and look for names of ours that do not exist.

        Args:
            options: the command's parsed options, by name of the setting where one was given.
            environment: of the process.
            properties: from `--command-config`.
        """
        self.problems: list[str] = []
        self._options = options
        self._environment = environment
        self._properties = properties
        for name in sorted(environment):
            if name.startswith(OWN_PREFIX) and name.removesuffix("_FILE") not in ENTRIES:
                close = difflib.get_close_matches(name, ENTRIES, 1)
                hint = f'; did you mean "{close[0]}"?' if close else "; see README, Settings"
                self.problems.append(f'unknown setting "{name}"{hint}')

    def check(self) -> None:
        """Stop when anything read so far was wrong.

        Raises:
            Trouble: holds every problem; exit code 2.
        """
        if self.problems:
            raise Trouble("\n".join(self.problems), exit_code=2)

    def text(self, name: str) -> str | None:
        """Return a setting's text (also a choice, a path or a secret); None = not set."""
        entry = ENTRIES[name]
        found = self._found(entry)
        if found and entry.choices and found not in entry.choices:
            fitting = [choice for choice in entry.choices if choice.lower() == found.lower()]
            if not fitting:
                self._expected(entry, f"one of {', '.join(entry.choices)}", found)
            return fitting[0] if fitting else entry.default
        return found

    def integer(self, name: str) -> int | None:
        """Return a whole number; None = not set."""
        entry = ENTRIES[name]
        found = self._found(entry)
        if found is None:
            return None
        if not re.fullmatch(r"-?\d+", found) or not entry.least <= int(found) <= entry.most:
            self._expected(entry, f"a whole number from {entry.least} to {entry.most}", found)
            return int(entry.default or entry.least)
        return int(found)

    def seconds(self, name: str) -> float | None:
        """Return a duration in seconds; None = `never`."""
        entry = ENTRIES[name]
        found = self._found(entry) or entry.default
        if entry.nullable and found == "never":
            return None
        match = _DURATION.fullmatch(found)
        if match is None:
            self._expected(entry, f"{_SPELLINGS}{', or never' if entry.nullable else ''}", found)
            match = cast("re.Match[str]", _DURATION.fullmatch(entry.default))
        return float(match[1]) * _SECONDS[match[2]]

    def flag(self, name: str) -> bool:
        """Return a yes or no."""
        entry = ENTRIES[name]
        found = (self._found(entry) or entry.default).lower()
        if found not in _FLAGS:
            self._expected(entry, "yes or no", found)
        return _FLAGS.get(found, False)

    def path(self, name: str) -> Path | None:
        """Return a path with `~` resolved; None = not set."""
        found = self._found(ENTRIES[name])
        return Path(found).expanduser() if found else None

    def broker(self) -> Broker:
        """Return how to reach Kafka."""
        protocol = cast("SecurityProtocol", self.text("KAFKA_SECURITY_PROTOCOL"))
        broker = Broker(
            bootstrap_servers=self.text("KAFKA_BOOTSTRAP_SERVERS") or "",
            security_protocol=protocol,
            sasl_mechanism=cast("SaslMechanism | None", self.text("KAFKA_SASL_MECHANISM")),
            sasl_username=self.text("KAFKA_SASL_USERNAME"),
            sasl_password=self.text("KAFKA_SASL_PASSWORD"),
            ssl_cafile=self._file("KAFKA_SSL_CAFILE"),
            ssl_certfile=self._file("KAFKA_SSL_CERTFILE"),
            ssl_keyfile=self._file("KAFKA_SSL_KEYFILE"),
            ssl_password=self.text("KAFKA_SSL_PASSWORD"),
            ssl_check_hostname=self.flag("KAFKA_SSL_CHECK_HOSTNAME"),
        )
        for server in broker.servers:
            if not re.fullmatch(r"\[?[\w.:-]+\]?:\d{1,5}", server):
                self._expected(ENTRIES["KAFKA_BOOTSTRAP_SERVERS"], "host:port, several divided by commas", server)
        if broker.authenticated:
            for name in ("KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"):
                if not self.text(name):
                    self.problems.append(f'setting "{name}" is missing; {protocol} needs it; see README, Settings')
        return broker

    def layout(self) -> Layout:
        """Return what the topics look like."""
        return Layout(
            prefix=self.text("CONTACT_STREAM_PREFIX") or "",
            app_id=self.text("CONTACT_STREAM_APP_ID") or "",
            partitions=self.integer("CONTACT_STREAM_PARTITIONS") or 1,
            replication_factor=self.integer("CONTACT_STREAM_REPLICATION_FACTOR"),
            timestamps=cast("Timestamps", self.text("CONTACT_STREAM_TIMESTAMPS")),
        )

    def kafka(self) -> KafkaSettings:
        """Return where the embedded Kafka finds Java, Maven and its cache."""
        return KafkaSettings(
            cache=self.path("CONTACT_STREAM_CACHE") or Path(),
            java=self.text("CONTACT_STREAM_JAVA") or "java",
            maven=self.text("CONTACT_STREAM_MAVEN") or "mvn",
        )

    def given(self, name: str) -> bool:
        """Tell whether somebody set this, so that it is not just the default."""
        return any(place.get(name) for place in (self._options, self._environment, self._properties))

    def _file(self, name: str) -> str | None:
        """Return the path of a file that must be readable."""
        path = self.path(name)
        if path is not None and not path.is_file():
            self._expected(ENTRIES[name], "a file that exists", str(path))
        return str(path) if path is not None else None

    def _found(self, entry: Entry) -> str | None:
        option = self._options.get(entry.name)
        if option is not None:
            return str(option)
        if entry.kind == "secret" and f"{entry.name}_FILE" in self._environment:
            return self._secret(f"{entry.name}_FILE")
        return self._environment.get(entry.name) or self._properties.get(entry.name) or entry.default or None

    def _secret(self, name: str) -> str | None:
        try:
            return Path(self._environment[name]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f'cannot read setting "{name}": {error}; name a file that holds only the secret')
            return None

    def _expected(self, entry: Entry, expected: str, got: str) -> None:
        shown = "something else" if entry.kind == "secret" else f'"{got}"'
        problem = f'cannot read setting "{entry.name}": expected {expected}, got {shown}; see README, Settings'
        if problem not in self.problems:
            self.problems.append(problem)
