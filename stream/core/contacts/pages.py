"""Very long tails, stored in pages, so that no changelog value grows without bound (4-architecture 4.3).

A contact with thousands of events inside the lateness would else be one huge row, refused by the broker for ever. From
`PAGED_FROM` events on, the oldest stand in pages of `PAGE`; a page is written when it changed. The row holds the rest.
"""

from collections.abc import Callable

from stream.core.events import Event

PAGE = 64
PAGED_FROM = 2 * PAGE

Pack = Callable[[list[Event]], bytes]
Written = list[tuple[bytes, bytes | None]]


class Pages:
    """The pages of all rows of a shard that have any."""

    __slots__ = ("_by_row",)

    def __init__(self) -> None:
        """No row has pages."""
        self._by_row: dict[str, dict[int, bytes]] = {}

    def of(self, contact_id: str) -> list[bytes]:
        """The pages of a row in order; usually none."""
        pages = self._by_row.get(contact_id)
        return [] if pages is None else [pages[number] for number in sorted(pages)]

    def load(self, key: bytes, page: bytes | None) -> None:
        """Take one page from the changelog; None = it is gone."""
        _, number, contact_id = key.split(b"/", 2)
        pages = self._by_row.setdefault(contact_id.decode(), {})
        if page is None:
            pages.pop(int(number), None)
        else:
            pages[int(number)] = page

    def store(self, contact_id: str, tail: list[Event], pack: Pack) -> tuple[int, Written]:
        """Put the oldest events of ``tail`` into pages.

        Returns:
            How many events stand in pages, and what of them must be written.
        """
        paged = len(tail) // PAGE * PAGE if len(tail) >= PAGED_FROM else 0
        old = self._by_row.pop(contact_id, {})
        new = {number: pack(tail[number * PAGE : (number + 1) * PAGE]) for number in range(paged // PAGE)}
        if new:
            self._by_row[contact_id] = new
        written: Written = [(_key(number, contact_id), page) for number, page in new.items() if old.get(number) != page]
        written += [(_key(number, contact_id), None) for number in old if number not in new]
        return paged, written


def _key(number: int, contact_id: str) -> bytes:
    return b"t/%d/" % number + contact_id.encode()
