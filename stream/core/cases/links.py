"""What the homes of ids that are one person tell each other, over the identities topic (2-numbers 2.10).

    link    the sender and ``to`` are one person; ``leader`` is the smallest id the sender knows
    fact    the newest of a contact, relayed to the leader          back    it is no longer relayed
    event   an event of the customer, relayed to the leader         unsay   it is no longer relayed

A leader only ever gets smaller, so passing it on ends, on cycles too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from stream.core.cases.fact import Fact
    from stream.core.events import Event

LINK, FACT, BACK, EVENT, UNSAY = "link", "fact", "back", "event", "unsay"


class Message(NamedTuple):
    """One record of the identities topic, keyed by ``to``."""

    kind: str
    to: str
    sender: str
    cause: str  # the event that made it necessary
    leader: str = ""
    at: int = 0  # event time of the link, ms
    fact: Fact | None = None
    first: bool = True  # the contact is new there, not a change of one that may have left
    event: Event | None = None
    key: tuple[str, str] = ("", "")  # contact_id and generation; source and event_id
    revision: int = 0

    @property
    def name(self) -> str:
        """An id computed from what it says."""
        if self.fact is not None:
            about = f"{self.fact.contact_id}/{self.fact.generation}/{self.fact.revision}"
        elif self.event is not None:
            about = f"{self.event[4]}/{self.event[3]}"
        else:
            about = f"{'/'.join(self.key)}/{self.revision}{self.leader}"
        return f"{self.sender}/{self.to}/{self.kind}/{about}"
