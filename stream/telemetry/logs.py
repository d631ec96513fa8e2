"""Log lines: logfmt for people, JSON for programs; one line a fact, fields beside the message.

Level = who must act: error = now, warning = soon, info = nobody, debug = a developer (6-craft 6.1). Never in a log:
secrets, names of customers or contacts, whole events.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Encode = Callable[[Mapping[str, object]], bytes]

Style = Literal["logfmt", "json"]

_QUIET: Final = ("aiokafka", "kafka", "faust", "mode", "aiohttp.access")
"""Libraries that tell at info what nobody acts on."""


class Lines(logging.Formatter):
    """Writes a record as one line of logfmt, or of JSON if an encoder is given."""

    def __init__(self, encode: Encode | None = None) -> None:
        """Keep the JSON encoder; None = logfmt."""
        super().__init__()
        self._encode = encode

    def format(self, record: logging.LogRecord) -> str:
        """One line, without the line's end."""
        fields = facts(record)
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        if self._encode is not None:
            return self._encode(fields).decode()
        return " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())


def facts(record: logging.LogRecord) -> dict[str, object]:
    """What a record says: `at`, `level`, `logger`, `message`, then the fields given as `extra={"fields": {...}}`."""
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    fields: dict[str, object] = {
        "at": at,
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    return fields | getattr(record, "fields", {})


def _quoted(value: object) -> str:
    """A logfmt value: quoted where it holds a space, a quote, an equals sign or a control character, or is empty."""
    text = str(value)
    if text and text.isprintable() and not set(text) & set(' "=\\'):
        return text
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f'"{escaped}"'


def set_up(level: int = logging.INFO, encode: Encode | None = None, to: TextIO | None = None) -> logging.Handler:
    """Send every log line of the process to one place.

    Args:
        level: lowest level written, of our own loggers; libraries write from warning on.
        encode: a JSON encoder (the one of `stream.wire`); None = logfmt.
        to: where to; None = standard error, so that standard output stays with the command's result.

    Returns:
        The handler installed, the only one of the root logger; `close` it by `logging.getLogger().removeHandler`.
    """
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(Lines(encode))
    root = logging.getLogger()
    for former in list(root.handlers):
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    return handler
