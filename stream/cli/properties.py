"""A properties file as Kafka's own tools take it (`--command-config`), turned into our settings' names.

Only what says how to connect is taken; keys for other clients are passed over. A Java key store is refused with the
way out, because no Python client reads one. It never prints a value.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bootstrap.servers": "KAFKA_BOOTSTRAP_SERVERS",
        "security.protocol": "KAFKA_SECURITY_PROTOCOL",
        "sasl.mechanism": "KAFKA_SASL_MECHANISM",
        "ssl.truststore.location": "KAFKA_SSL_CAFILE",
        "ssl.keystore.location": "KAFKA_SSL_CERTFILE",
        "ssl.key.password": "KAFKA_SSL_PASSWORD",
    }
)
_LOGIN: Final = re.compile(r'\b(username|password)\s*=\s*"((?:[^"\\]|\\.)*)"')
_STORE_TYPES: Final = ("ssl.truststore.type", "ssl.keystore.type")


def read_properties(path: Path) -> dict[str, str]:
    """Return a file's settings under the names of `stream.cli.catalogue`.

    Args:
        path: of a Java properties file.

    Raises:
        Trouble: it cannot be read, or names a Java key store.
    """
    attempted = f"cannot read {path}"
    try:
        found = dict(_pairs(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(attempted, str(error), "give --command-config a properties file", exit_code=2) from error
    for kind in _STORE_TYPES:
        if found.get(kind, "PEM").upper() != "PEM":
            raise Trouble(attempted, f"{kind} is {found[kind]}", "export it to PEM", exit_code=2)
    settings = {_NAMES[key]: value for key, value in found.items() if key in _NAMES}
    for what, value in _LOGIN.findall(found.get("sasl.jaas.config", "")):
        settings[f"KAFKA_SASL_{what.upper()}"] = re.sub(r"\\(.)", r"\1", value)
    if "ssl.endpoint.identification.algorithm" in found:
        checked = bool(found["ssl.endpoint.identification.algorithm"])
        settings["KAFKA_SSL_CHECK_HOSTNAME"] = "yes" if checked else "no"
    return settings


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield key and value of each line; a backslash at a line's end joins the next, `#` and `!` begin comments."""
    joined = re.sub(r"\\\r?\n[ \t]*", "", text)
    for line in joined.splitlines():
        stripped = line.strip()
        if stripped and stripped[0] not in "#!":
            key, _, value = stripped.partition("=") if "=" in stripped else stripped.partition(":")
            yield key.strip(), value.strip()
