"""The persons of one partition: a few as objects, the others at rest as bytes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from stream.core.cases.dossier import Dossier, wake

if TYPE_CHECKING:
    from stream.core.cases.codec import CaseCodec
    from stream.core.cases.dossier import Rest
    from stream.core.cases.figures import CaseFigures

HOT_PERSONS = 1_000  # kept as objects


class People:
    """Every person of a shard, by key."""

    __slots__ = ("_codec", "_figures", "_loading", "hot", "resting")

    def __init__(self, figures: CaseFigures, codec: CaseCodec) -> None:
        """Nobody is known."""
        self._figures = figures
        self._codec = codec
        self._loading: dict[str, dict[bytes, bytes]] = {}
        self.hot: dict[str, Dossier] = {}
        self.resting: dict[str, Rest] = {}

    def __len__(self) -> int:
        """How many persons there are."""
        return len(self.hot) + len(self.resting)

    def load(self, key: bytes, value: bytes | None) -> None:
        """Take a row of the changelog."""
        if key[:2] == b"h/":
            person = key[2:].decode()
        else:
            named: Any = self._codec.unpack(key[2:])
            person = named[0]
        rows = self._loading.setdefault(person, {})
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value

    def loaded(self) -> None:
        """The changelog has been read: everybody rests."""
        while self._loading:
            key, rows = self._loading.popitem()
            head = rows.pop(b"h/" + key.encode(), None)
            if head is not None:
                self.resting[key] = (head, *rows.values())

    def get(self, key: str) -> Dossier | None:
        """A person as an object, or None."""
        found = self.hot.pop(key, None)
        if found is None:
            rest = self.resting.pop(key, None)
            if rest is None:
                return None
            found = wake(key, rest, self._figures, self._codec)
        self.hot[key] = found
        return found

    def open(self, key: str) -> Dossier:
        """A person as an object, new if nobody is known by the key."""
        found = self.get(key)
        if found is None:
            found = self.hot[key] = Dossier(key, self._figures, self._codec)
        return found

    def forget(self, key: str) -> None:
        """Nothing is left of a person."""
        self.hot.pop(key, None)
        self.resting.pop(key, None)

    def revert(self, key: str) -> None:
        """Back to the person as stored; whatever was told since is undone."""
        dossier = self.hot.pop(key, None)
        if dossier is not None and dossier.head:
            self.resting[key] = dossier.rest()

    def cool(self) -> None:
        """Put those touched longest ago to rest."""
        for coldest in list(islice(self.hot, max(0, len(self.hot) - HOT_PERSONS))):
            self.resting[coldest] = self.hot.pop(coldest).rest()
