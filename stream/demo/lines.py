"""Deliveries as JSON lines: the file form of what else goes to Kafka.

{"topic":"calls","event":{…}}             a canonical event; its key is what 1-events 1.2 says
{"topic":"calls","key":"c1","raw":"…"}    a value that is no event; `raw` null = no value, `key` null = no key
{"topic":"calls","key":"c1","raw_base64":"…"}   the same where the value is not UTF-8
"""

from base64 import b64encode
from typing import TYPE_CHECKING, BinaryIO

from stream.wire.json import dumps

if TYPE_CHECKING:
    from stream.demo.disturbance import Delivery


def line(delivery: "Delivery") -> bytes:
    """Return one delivery as a line, newline included."""
    if delivery.event is not None:
        return dumps({"topic": delivery.topic, "event": delivery.event}) + b"\n"
    key = None if delivery.key is None else delivery.key.decode()
    record: dict[str, str | None] = {"topic": delivery.topic, "key": key}
    try:
        record["raw"] = None if delivery.value is None else delivery.value.decode()
    except UnicodeDecodeError:
        record["raw_base64"] = b64encode(delivery.value or b"").decode()
    return dumps(record) + b"\n"


class LineSink:
    """Writes deliveries to a binary file."""

    __slots__ = ("_file",)

    def __init__(self, file: BinaryIO) -> None:
        """Write to `file`; whoever opened it closes it."""
        self._file = file

    def deliver(self, delivery: "Delivery") -> None:
        """Write one line."""
        self._file.write(line(delivery))

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._file.flush()
