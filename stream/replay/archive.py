"""Where stored records are looked up by key: topics, or whatever stands for them.

`stream.admin.reader` is the one for Kafka; this package only knows what it needs of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from stream.core.engine.batch import Record


class Archive(Protocol):
    """Committed records of the product's topics, up to where each ended when it was opened."""

    partitions: int
    """Of every topic that a worker joins."""

    def read(
        self,
        topics: Sequence[str],
        keys: Collection[bytes] | None = None,
        *,
        partitions: Collection[int] | None = None,
        wanted: Callable[[bytes | None, bytes | None], bool] | None = None,
    ) -> Iterator[Record]:
        """Read topics by short name, each partition in its order.

        Args:
            topics: to be read, one after the other.
            keys: only the partitions these belong to, and only their records; None = all.
            partitions: only these; None = those of the keys, or all.
            wanted: which records are handed on, by key and value; None = those of the keys, or all.
        """
