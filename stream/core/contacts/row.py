"""The row of one contact_id: a folded prefix and the tail of events that may still move.

    prefix  contacts folded from events nothing accepted can sort before any more
    tail    the later events, in fold order; duplicates are found here
    contacts = fold(prefix, tail): one a generation, usually one

An event that sorts last continues from `contacts`; any other folds the tail again on the prefix
(1-events 1.5). Folding, inserting and trimming are the only ways a row changes.
"""

from bisect import bisect_left, insort
from typing import NamedTuple

from stream.core.contacts import outcome as of
from stream.core.contacts.cells import contributions
from stream.core.contacts.contact import PAUSE_MS, Contact
from stream.core.contacts.outcome import end_of, is_inferred
from stream.core.events import RESTARTED, Event, sorts_first
from stream.core.figures.figures import Contributions, Figures
from stream.core.policy import Policy

TAIL_EVENTS = 64  # a longer tail is trimmed when it is touched


class RowTimes(NamedTuple):
    """What a shard must know of every row, also of those it keeps as bytes. Times in ms."""

    due: int  # when the watermark must look at it
    last_at: int
    first_at: int
    channel: str
    waits: bool  # something waits in it
    ended: bool  # at ``due`` it leaves


class Row:
    """All generations of one contact_id. Times in ms."""

    __slots__ = (
        "booked",
        "contacts",
        "home",
        "ids",
        "known_at",
        "packed",
        "paged",
        "prefix",
        "revision",
        "sent",
        "standings",
        "tail",
    )

    def __init__(self) -> None:
        """No event yet."""
        self.prefix: list[Contact] = []
        self.tail: list[Event] = []
        self.ids: dict[tuple[str, str], Event] = {}
        self.contacts: list[Contact] = []
        self.standings: list[of.Standing] = []  # of the contacts, as `stand` found them last
        self.known_at: int | None = None  # the watermark `booked` was computed at
        self.booked: Contributions = {}
        self.revision = 0
        self.sent: dict[int, list[object]] = {}  # generation -> the key and content stage 2 was told
        self.home: tuple[str, int] | None = None  # channel and first event it is counted under
        self.packed = b""
        self.paged = 0  # how many events of the tail are stored in pages

    def add(self, events: list[tuple[Event, int]], policy: Policy) -> tuple[int, bool]:
        """Take new events; how many were duplicates, and whether anything changed.

        Args:
            events: (event, cutoff) in order of arrival; a first copy older than cutoff is forgotten.
            policy: for the span that begins a new generation.
        """
        duplicates = 0
        fresh: list[Event] = []
        moved = False
        ids = self.ids
        for event, cutoff in events:
            name = (event[4], event[3])
            known = ids.get(name)
            if known is not None and known[0] >= cutoff:
                duplicates += 1
                if sorts_first(event, known):
                    moved = self._replace(known, event, fresh) or moved
                continue
            ids[name] = event
            fresh.append(event)
        if len(fresh) > 1:
            fresh.sort()
        if moved or (fresh and self.tail and fresh[0] < self.tail[-1]):
            for event in fresh:
                insort(self.tail, event)
            self.fold(policy)
        else:
            fold_on(self.contacts, fresh, policy)
            self.tail += fresh
        return duplicates, bool(fresh)

    def fold(self, policy: Policy) -> None:
        """Fold the whole tail again on the prefix."""
        self.contacts = [contact.copy() for contact in self.prefix]
        fold_on(self.contacts, self.tail, policy)

    def trim(self, cutoff: int, policy: Policy) -> None:
        """Fold events older than ``cutoff`` into the prefix once the tail has grown long."""
        if len(self.tail) <= TAIL_EVENTS:
            return
        old = bisect_left(self.tail, cutoff, key=_at)
        fold_on(self.prefix, self.tail[:old], policy)
        for event in self.tail[:old]:
            if self.ids.get((event[4], event[3])) is event:
                del self.ids[(event[4], event[3])]
        del self.tail[:old]

    def stand(self, policy: Policy, watermark: int | None) -> None:
        """Decide how each contact stands at ``watermark``."""
        self.standings = [
            of.standing(contact, policy, inferred=is_inferred(contact, watermark, policy)) for contact in self.contacts
        ]

    def book(self, figures: Figures, watermark: int | None) -> Contributions:
        """What the row is worth at ``watermark``, and how its contacts stand."""
        self.stand(figures.policy, watermark)
        into: Contributions = {}
        for contact, stands in zip(self.contacts, self.standings, strict=True):
            if len(self.contacts) == 1:
                contributions(contact, stands, figures, watermark, into)
                return into
            own: Contributions = {}
            contributions(contact, stands, figures, watermark, own)
            for key, amount in own.items():
                into[key] = into.get(key, 0) + amount
        return into

    def times(self, watermark: int | None, policy: Policy, *, waits: bool) -> RowTimes:
        """When the watermark must look at the row again: to infer an end, or to let it leave (1-events 1.5)."""
        contact = self.contacts[-1]
        channel = contact.channel
        end = end_of(contact, inferred=is_inferred(contact, watermark, policy))
        if end is None:
            due = contact.last_at + policy.channels[channel].timeout_ms
            if contact.first_at in self.sent and (watermark is None or watermark < contact.last_at + PAUSE_MS):
                due = min(due, contact.last_at + PAUSE_MS)  # to say when it was last active
        else:
            due = max(end, contact.last_at) + policy.kept_ms(channel) + policy.lateness_ms
        ended = end is not None
        if len(self.contacts) > 1:
            for older in self.contacts[:-1]:
                if end_of(older, inferred=is_inferred(older, watermark, policy)) is None:
                    due = min(due, older.last_at + policy.channels[older.channel].timeout_ms)
                    ended = False
        for asking in self.contacts:
            if not asking.callbacks.requests:
                continue
            request = asking.callbacks.waiting
            if request is not None and of.expired_at(request, watermark, policy) is None:
                expires = request.expires_at(policy.callback_expires_ms)
                due = expires if ended else min(due, expires)
                ended = False
        return RowTimes(due, contact.last_at, self.contacts[0].first_at, channel, waits, ended)

    def _replace(self, known: Event, event: Event, fresh: list[Event]) -> bool:
        """The copy that sorts first counts; whether the tail was changed."""
        self.ids[(event[4], event[3])] = event
        for place in (self.tail, fresh):
            for i, other in enumerate(place):
                if other is known:
                    del place[i]
                    fresh.append(event)
                    return place is self.tail
        return False


def fold_on(contacts: list[Contact], events: list[Event], policy: Policy) -> None:
    """Apply ``events``, which sort last, each to the generation it belongs to; a long silence begins a new one."""
    latest = contacts[-1] if contacts else None
    for event in events:
        if event[2] == RESTARTED:
            if latest is not None:
                latest.apply(event)
            continue
        if latest is None or event[0] - latest.last_at >= policy.kept_ms(latest.channel):
            latest = Contact(event)
            contacts.append(latest)
        latest.apply(event)


def _at(event: Event) -> int:
    return event[0]
