"""How tests are spread over two processes: those on a real Kafka one after the other, all others where there is room.

pytest-xdist's own groups are marks, which it does not read with every pytest; so a file says it by its fixtures.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]
_ON_KAFKA = re.compile(r"\b(kafka|own_kafka|kafka_settings|make_topics|house)\b")


class KafkaInOneProcess(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist is not typed
    """A scheduler of pytest-xdist; a scope is what runs in one process, in order."""

    def _split_scope(self, nodeid: str) -> str:
        return "kafka" if on_kafka(nodeid.partition("::")[0]) else nodeid


@cache
def on_kafka(path: str) -> bool:
    """Whether any test of a file, or a fixture beside it, may ask for a broker."""
    file = ROOT / path
    return any(
        _ON_KAFKA.search(one.read_text(encoding="utf-8")) for one in (file, file.parent / "conftest.py") if one.exists()
    )
