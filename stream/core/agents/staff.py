"""Agents of one shard of stage one: what each said to be doing, as far as it may still count (1-events 1.2, 1.4, 1.5).

    statuses   the last one older than watermark - lateness, and every later one, in fold order
    spells     each status until the next

A spell that no accepted event can split any more is counted and forgotten, so what is kept of an agent is bounded by
the lateness. A status is a row of the changelog by itself: a day of an agent is appended to, never rewritten. Agents
hold no watermark back; their rows leave after a week and the lateness of silence.

Never in this module: what a spell is worth (`staff_cells`), a clock, I/O.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from stream.core.agents.cells import SILENCE_MS, Status, add_oddities, add_spell, present, told_of
from stream.core.engine.ledger import About
from stream.core.engine.timers import Timers
from stream.core.events import AGENT_STATUS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.core.agents.cells import Told
    from stream.core.engine.batch import Codec
    from stream.core.events import Event
    from stream.core.figures.figures import Contributions, Figures
    from stream.core.figures.view import Present
    from stream.core.policy import Policy

KEY: Final = b"a/"
KEPT_STATUSES: Final = 64  # more are trimmed when the agent is touched
WORDS_KEPT: Final = 10_000  # different statuses that are stored once
Written = list[tuple[bytes, bytes | None]]


class Spell(NamedTuple):
    """A status that is over."""

    told: Told
    after: Told


class Turn:
    """What one batch made of the statuses of one agent."""

    __slots__ = ("duplicates", "fresh", "gone", "lost", "new", "old", "won")

    def __init__(self) -> None:
        """Nothing."""
        self.duplicates = 0
        self.fresh: list[Told] = []  # to be stored
        self.gone: list[Told] = []  # to be deleted: a copy that sorts earlier counts instead
        self.lost: list[Spell] = []
        self.won: list[Spell] = []
        self.old: Contributions = {}
        self.new: Contributions = {}

    def weigh(self, agent: str, figures: Figures) -> None:
        """Say what was lost and won in contributions."""
        for statuses, spells, into in ((self.gone, self.lost, self.old), (self.fresh, self.won, self.new)):
            for told in statuses:
                add_oddities(agent, told, figures, into)
            for spell in spells:
                add_spell(agent, *spell, figures, into)

    def about(self, agent: str) -> About:
        """Name the correction it makes: after the last event that changed something."""
        at, _, _, event_id, source, _ = self.fresh[-1]
        return About(f"{agent}/{at}/{source}/{event_id}", event_id, {"agent": agent})


class Statuses:
    """The statuses of one agent that may still count. Times in ms."""

    __slots__ = ("ids", "told")

    def __init__(self) -> None:
        """None."""
        self.told: list[Told] = []
        self.ids: dict[tuple[str, str], Told] = {}

    def put(self, told: list[Told]) -> None:
        """Hold these, and nothing else; in any order."""
        self.told = sorted(told)
        self.ids = {(one[4], one[3]): one for one in self.told}

    def take(self, one: Told, cutoff: int, turn: Turn) -> None:
        """Take one more.

        Args:
            one: as it came.
            cutoff: a first copy older than that is forgotten.
            turn: receives what becomes of it.
        """
        name = (one[4], one[3])
        known = self.ids.get(name)
        if known is not None and known[0] >= cutoff:
            turn.duplicates += 1
            if not one < known:
                return
            self._remove(known, turn)
        self.ids[name] = one
        self._insert(one, turn)

    def undo(self, turn: Turn) -> None:
        """Stand again as before ``turn``."""
        fresh = set(map(id, turn.fresh))
        self.put([*(one for one in self.told if id(one) not in fresh), *turn.gone])

    def spells(self) -> Iterator[Spell]:
        """Those that are over, in order."""
        return map(Spell, self.told, self.told[1:])

    def worth(self, agent: str, figures: Figures) -> Contributions:
        """What all that is kept is worth."""
        turn = Turn()
        turn.fresh, turn.won = self.told, list(self.spells())
        turn.weigh(agent, figures)
        return turn.new

    def trim(self, cutoff: int) -> list[Told]:
        """Forget whatever ended before ``cutoff``; what was forgotten."""
        old = bisect_left(self.told, cutoff, key=_at) - 1  # the last of them is followed by one that may move
        if old <= 0:
            return []
        gone = self.told[:old]
        del self.told[:old]
        for one in gone:
            if self.ids.get((one[4], one[3])) is one:
                del self.ids[one[4], one[3]]
        return gone

    def due(self, lateness_ms: int) -> int:
        """When the watermark must look at them again: to forget all but the last one, then that one, too."""
        last = self.told[-1][0]
        return last + lateness_ms + (1 if len(self.told) > 1 else SILENCE_MS)

    def _insert(self, one: Told, turn: Turn) -> None:
        last = not self.told or self.told[-1] < one
        place = len(self.told) if last else bisect_left(self.told, one)
        self._move(place, place, [one], turn)
        turn.fresh.append(one)

    def _remove(self, known: Told, turn: Turn) -> None:
        place = bisect_left(self.told, known)
        self._move(place, place + 1, [], turn)
        if any(one is known for one in turn.fresh):
            turn.fresh.remove(known)
        else:
            turn.gone.append(known)

    def _move(self, start: int, stop: int, here: list[Told], turn: Turn) -> None:
        """Put ``here`` in the place of statuses ``start`` to ``stop``; note the spells between the neighbours."""
        around = slice(max(0, start - 1), stop + 1)
        before = self.told[around]
        after = [*self.told[around.start : start], *here, *self.told[stop : stop + 1]]
        turn.lost += map(Spell, before, before[1:])
        turn.won += map(Spell, after, after[1:])
        self.told[start:stop] = here


class Staff:
    """The agents of a shard."""

    __slots__ = ("_loading", "_words", "agents", "timers")

    def __init__(self) -> None:
        """Nobody."""
        self.agents: dict[str, Statuses] = {}
        self.timers = Timers()
        self._loading: dict[bytes, bytes] = {}
        self._words: dict[Status, Status] = {}

    def __len__(self) -> int:
        """How many agents there are."""
        return len(self.agents)

    def load(self, key: bytes, value: bytes | None) -> None:
        """Take one changelog record."""
        if value is None:
            self._loading.pop(key, None)
        else:
            self._loading[key] = value

    def loaded(self, codec: Codec, policy: Policy) -> dict[str, Present]:
        """Everything was loaded: set timers; what each agent is doing now."""
        found: dict[str, list[Told]] = {}
        for key, value in self._loading.items():
            agent, at, seq, event_id, source = cast("tuple[str, int, int, str, str]", codec.unpack(key[2:]))
            status, team, reason, queues = cast("tuple[str, str, str, list[str]]", codec.unpack(value))
            words = self._once(Status(status, team, reason, tuple(queues)))
            found.setdefault(agent, []).append((at, seq, AGENT_STATUS, event_id, source, words))
        self._loading.clear()
        for agent, told in found.items():
            self.agents[agent] = Statuses()
            self.agents[agent].put(told)
        self.timers.fill({agent: known.due(policy.lateness_ms) for agent, known in self.agents.items()})
        return {agent: self.now(agent, policy) for agent in self.agents}

    def now(self, agent: str, policy: Policy) -> Present:
        """What an agent is doing now."""
        return present(agent, self.agents[agent].told[-1][5], policy)

    def take(self, agent: str, events: list[tuple[Event, int]], figures: Figures) -> Turn:
        """Take events of an agent, each with the oldest time its copy is known by; what they are worth.

        Whatever is raised, nothing has changed.
        """
        known = self.agents.get(agent) or Statuses()
        turn = Turn()
        try:
            for event, cutoff in events:
                one = told_of(event)
                known.take((*one[:5], self._once(one[5])), cutoff, turn)
            turn.weigh(agent, figures)
        except Exception:
            known.undo(turn)
            raise
        self.agents[agent] = known
        return turn

    def keep(self, agent: str, turn: Turn, cutoff: int | None, codec: Codec) -> Written:
        """What of a turn must be written; long lists are trimmed at ``cutoff`` (None: there is no watermark)."""
        written: Written = [(_key(codec, agent, one), None) for one in turn.gone]
        written += [(_key(codec, agent, one), codec.pack(tuple(one[5]))) for one in turn.fresh]
        if cutoff is not None and len(self.agents[agent].told) > KEPT_STATUSES:
            written += self.trim(agent, cutoff, codec)
        return written

    def trim(self, agent: str, cutoff: int, codec: Codec) -> Written:
        """Forget the spells of an agent that nothing can change at ``cutoff`` (ms); they stay counted."""
        return [(_key(codec, agent, one), None) for one in self.agents[agent].trim(cutoff)]

    def arm(self, agent: str, lateness_ms: int) -> None:
        """Look at an agent again when it is due."""
        self.timers.arm(agent, self.agents[agent].due(lateness_ms))

    def pass_time(self, watermark: int, lateness_ms: int, codec: Codec) -> tuple[Written, list[str]]:
        """Forget what is over; what must be written, and who has left."""
        written: Written = []
        left = []
        while (agent := self.timers.pop(watermark)) is not None:
            known = self.agents.get(agent)
            if known is None:
                continue
            if known.due(lateness_ms) <= watermark:
                written += self.trim(agent, watermark - lateness_ms, codec)
            if known.due(lateness_ms) <= watermark:
                written += [(_key(codec, agent, one), None) for one in known.told]
                del self.agents[agent]
                left.append(agent)
            else:
                self.arm(agent, lateness_ms)
        return written, left

    def _once(self, status: Status) -> Status:
        """The same words are one object."""
        if len(self._words) >= WORDS_KEPT:
            self._words.clear()
        return self._words.setdefault(status, status)


def _key(codec: Codec, agent: str, one: Told) -> bytes:
    return KEY + codec.pack([agent, one[0], one[1], one[3], one[4]])


def _at(one: Told) -> int:
    return one[0]
