"""One simulated call: a contact by telephone, over one of two exchanges.

Source: 1-events 1.3 and 1.4.
"""

from typing import TYPE_CHECKING, Final

from stream.demo.centre.contact import Contact
from stream.demo.centre.world import SOURCES

if TYPE_CHECKING:
    from stream.demo.centre.agenda import Process
    from stream.demo.centre.contact import Reason
    from stream.demo.centre.world import World

_TALKATIVE: Final = 0.5


class Call(Contact):
    """One call.

    Attributes:
        concern: the queue that can help.
        visited: queues it has been in, in order.
        told: whether its exchange is the talkative one (pbx2).
        callback: the queue that shall call back; empty = none.
        process: its journey.
    """

    __slots__ = ("callback", "concern", "process", "told", "visited")

    process: "Process"

    def __init__(self, world: "World", reason: "Reason") -> None:
        """Let the telephone ring: the call arrives now."""
        super().__init__(world, reason)
        self.concern = reason.errand.concern
        self.told = self.happens(_TALKATIVE)
        self.visited: list[str] = []
        self.callback = ""
        self._source = SOURCES[self.told]
        self._numbered = self.told
        fields = self.greeting()
        if reason.previous:
            fields["previous_contact_id"] = reason.previous
        self.say("contact.started", **fields)
