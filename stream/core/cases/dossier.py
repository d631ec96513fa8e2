"""A person with its conclusions and its rows in the changelog.

    h/<person>                          the head: due, first event, last look, revision, leader, links, last use
    f/<person, contact, generation>     what was told of one contact, by the id that told it
    v/<person, source, event_id>        an event of the ticket system, a survey or a link, and the ids that told it

A row a contact, so that a customer with ten thousand is appended to (4-architecture 4.3). A person that is not needed
rests as bytes: its head, then its rows; only the due time is read from it then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stream.core.cases.book import CaseBook
from stream.core.cases.person import Person

if TYPE_CHECKING:
    from stream.core.cases.codec import CaseCodec
    from stream.core.cases.fact import FactKey
    from stream.core.cases.figures import CaseFigures
    from stream.core.cases.person import EventKey

Rest = tuple[bytes, ...]  # a head and its rows
NEVER_DUE = 1 << 61


class Dossier:
    """What a shard holds of one person while it is needed."""

    __slots__ = ("book", "codec", "due_at", "head", "home", "person", "revision", "rows", "written")

    def __init__(self, key: str, figures: CaseFigures, codec: CaseCodec) -> None:
        """Nothing is known."""
        self.person = Person(key, figures.policy)
        self.book = CaseBook(self.person, figures)
        self.codec = codec
        self.revision = 0
        self.home: int | None = None  # first event (ms) under which cells are kept for it
        self.head = b""
        self.due_at = NEVER_DUE  # as last taken
        self.rows: dict[bytes, bytes] = {}
        self.written: dict[bytes, bytes | None] = {}  # rows changed since they were last taken

    def store_fact(self, key: FactKey) -> None:
        """Write the row of a contact as it is now."""
        told = self.person.facts.get(key)
        self.written[b"f/" + self.codec.pack([self.person.key, *key])] = self.codec.encode_facts(told) if told else None

    def store_event(self, key: EventKey) -> None:
        """Write the row of an event as it is now."""
        heard = self.person.events.get(key)
        packed = None if heard is None else self.codec.encode_heard(heard)
        self.written[b"v/" + self.codec.pack([self.person.key, *key])] = packed

    def take_rows(self) -> list[tuple[bytes, bytes | None]]:
        """The changed rows for the changelog, the head among them."""
        name = b"h/" + self.person.key.encode()
        if self.person.empty:
            self.written[name] = None
            self.head = b""
        else:
            person, book = self.person, self.book
            parts = [person.first_at, book.known_at, self.revision, person.leader, sorted(person.links), person.used_at]
            self.due_at = self.due()
            self.head = self.codec.pack([self.due_at, *parts])
            self.written[name] = self.head
        written, self.written = self.written, {}
        for row, value in written.items():
            if value is None:
                self.rows.pop(row, None)
            elif row != name:
                self.rows[row] = value
        return list(written.items())

    def due(self) -> int:
        """When the watermark must look at it (ms), as things are now."""
        dues = [at for at in (self.book.due(), self.person.sweep_at()) if at is not None]
        return min(dues, default=NEVER_DUE)

    def rest(self) -> Rest:
        """As bytes, as last taken."""
        return (self.head, *self.rows.values())


def wake(key: str, rest: Rest, figures: CaseFigures, codec: CaseCodec) -> Dossier:
    """The dossier of a resting person: the same facts, and the conclusions drawn from them at its last look."""
    dossier = Dossier(key, figures, codec)
    person = dossier.person
    dossier.head = rest[0]
    head: Any = codec.unpack(rest[0])
    _, person.first_at, known_at, dossier.revision, person.leader, links, person.used_at = head
    person.links = set(links)
    dossier.home = person.first_at
    for packed in rest[1:]:
        if packed[:1] == b"{":
            told = codec.decode_facts(packed)
            fact = next(iter(told.values()))
            contact = (fact.contact_id, fact.generation)
            person.facts[contact] = told
            dossier.rows[b"f/" + codec.pack([key, *contact])] = packed
        else:
            heard = codec.decode_heard(packed)
            name = (heard.event[4], heard.event[3])
            person.events[name] = heard
            dossier.rows[b"v/" + codec.pack([key, *name])] = packed
    person.remember()
    dossier.book.revalue(known_at)
    return dossier


def due_of(head: bytes) -> int:
    """When the watermark must look at a resting person (ms)."""
    return int(head[1 : head.index(b",")])


def first_of(head: bytes) -> int:
    """The first event of a resting person (ms)."""
    return int(head[1:].split(b",", 2)[1])
