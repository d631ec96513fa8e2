"""Bytes to values and back, of the case stage; ``wire`` implements it."""

from typing import Protocol

from stream.core.cases.fact import Fact
from stream.core.cases.links import Message
from stream.core.cases.person import Heard
from stream.core.engine.batch import Codec
from stream.core.events import Rejection


class CaseCodec(Codec, Protocol):
    """What stage two reads and stores beside what both do."""

    def decode_outcome(self, value: bytes | None) -> Fact | Rejection:
        """The contact in an outcome record."""

    def decode_watermark(self, value: bytes | None) -> tuple[int, int, int | None] | Rejection:
        """Which shard told which watermark, and since when it counts, ms."""

    def decode_message(self, value: bytes | None) -> Message | Rejection:
        """What the home of another id tells."""

    def encode_message(self, message: Message) -> bytes:
        """The message as a record's value."""

    def encode_facts(self, told: dict[str, Fact]) -> bytes:
        """What the ids of a person told of one contact; begins with ``{``."""

    def decode_facts(self, packed: bytes) -> dict[str, Fact]:
        """The facts of `encode_facts`."""

    def encode_heard(self, heard: Heard) -> bytes:
        """An event and the ids that told it; begins with ``[``."""

    def decode_heard(self, packed: bytes) -> Heard:
        """The event of `encode_heard`."""
