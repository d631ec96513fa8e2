"""Which names the events of a centre use, and how often: what a policy file is drafted from (2-numbers 2.11).

Counted are events, one by one, in any order. The channel of a chat contact may be stated by any of its events, so its
queues wait for it. Never in this module: a name of a customer, a contact or a case.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from stream.core.events import DEFAULT_CHANNEL, LAST_CONTACT_RANK, RANKS

if TYPE_CHECKING:
    from stream.core.events import Body, Event

_STEP: Final = RANKS["step.entered"]
_STATUS: Final = RANKS["agent.status"]
_MENU: Final = "menu:"
_CHAT: Final = DEFAULT_CHANNEL["chats"]


class Names:
    """How many events name each queue, issue, menu node, team, reason for a break and agent.

    Attributes:
        issues: as contacts state them.
        menus: nodes of menus, without `menu:`.
        teams: of agents.
        reasons: why an agent is on a break.
        agents: who serves, or tells a status.
        teams_of: agent -> the teams named beside it.
        first, last: the oldest and the newest event, ms; None = there is none.
    """

    def __init__(self) -> None:
        """Nothing was seen."""
        self.issues: Counter[str] = Counter()
        self.menus: Counter[str] = Counter()
        self.teams: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.agents: Counter[str] = Counter()
        self.teams_of: dict[str, Counter[str]] = defaultdict(Counter)
        self.first: int | None = None
        self.last: int | None = None
        self._queues: dict[str, Counter[str]] = defaultdict(Counter)
        self._stated: dict[str, str] = {}  # chat contact -> its channel
        self._unstated: dict[str, Counter[str]] = defaultdict(Counter)  # chat contact -> its queues

    def add(self, event: Event) -> None:
        """Look at one event of a contact or of an agent; any other says nothing here."""
        at, _, rank, _, _, body = event
        if rank <= LAST_CONTACT_RANK:
            self._add_contact(body)
            if rank == _STEP and body.step.startswith(_MENU):
                self.menus[body.step.removeprefix(_MENU)] += 1
        elif rank == _STATUS:
            for queue in body.queues or ():
                self._queues[queue].update(())
            if body.reason:
                self.reasons[body.reason] += 1
        else:
            return
        self.first = at if self.first is None else min(at, self.first)
        self.last = at if self.last is None else max(at, self.last)
        if body.team:
            self.teams[body.team] += 1
        if body.agent:
            self.agents[body.agent] += 1
            if body.team:
                self.teams_of[body.agent][body.team] += 1

    def queues(self) -> dict[str, Counter[str]]:
        """Queue -> channel -> how many events of contacts name the queue; no channel = only agents name it."""
        found = {queue: Counter(channels) for queue, channels in self._queues.items()}
        for queues in self._unstated.values():
            for queue, events in queues.items():
                found.setdefault(queue, Counter())[_CHAT] += events
        return found

    def _add_contact(self, body: Body) -> None:
        channel = body.channel or body.default_channel
        if body.default_channel == _CHAT:
            contact = body.contact_id
            if contact not in self._stated and body.channel is not None:
                self._stated[contact] = body.channel
                for queue, events in self._unstated.pop(contact, Counter()).items():
                    self._queues[queue][body.channel] += events
            channel = self._stated.get(contact, "")
        if body.queue and channel:
            self._queues[body.queue][channel] += 1
        elif body.queue:
            self._unstated[body.contact_id][body.queue] += 1
        if body.issue:
            self.issues[body.issue] += 1
