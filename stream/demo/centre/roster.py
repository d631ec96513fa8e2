"""What every agent of the simulated centre is doing, said and booked: at work, at rest, or at home.

    offline --the doors open--> available --a contact--> busy --> wrapup --> available, or a break
    available, or whoever has just done with somebody, --the doors close--> offline

Who serves whom is the floor's business; the floor says here whom it takes and who is free again.

Source: 1-events 1.4, 3-metrics 3.2.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from stream.demo.scenario import LISTED_AGENTS, LISTED_REASONS, LISTED_TEAMS, TEAMS

if TYPE_CHECKING:
    from random import Random

    from stream.demo.centre.floor import Agent
    from stream.demo.centre.world import World

STAFF: Final = "acd:floor"
"""Who tells what agents do."""
_BREAKS: Final = 0.03
_REASONS: Final = (("lunch", 1_500_000), ("training", 2_700_000), ("smoke", 400_000), ("", 200_000))
_LOOKS_MS: Final = 900_000
NONE: Final = "none"
OTHER: Final = "other"


class _Spell:
    """One agent in one status."""

    __slots__ = ("reason", "since", "status", "team")

    def __init__(self, status: str, reason: str, team: str, since: int) -> None:
        self.status = status
        self.reason = reason
        self.team = team
        self.since = since


class Roster:
    """Every agent's spell, as labels."""

    __slots__ = ("_said", "_spells", "_world")

    def __init__(self, world: "World") -> None:
        """Nobody has said anything."""
        self._world = world
        self._spells: dict[str, _Spell] = {}
        self._said = 0
        world.floor.roster = self

    def work(self) -> Generator[int | None, Any, None]:
        """The first word of everybody, at the beginning; then the doors of every queue open and close."""
        for agent in self._world.floor.agents:
            if self._world.is_open(agent.skills[0]):
                self.turn(agent, "available")
            else:
                self._world.floor.send_home(agent)
                self.turn(agent, "offline")
        for queue in self._world.scenario.queues:
            self._world.book(self._mind_the_door(queue), self._next_look())
        yield 0

    def turn(self, agent: "Agent", status: str, reason: str = "") -> None:
        """An agent begins to do something else; whoever goes on with the same says nothing."""
        spell = self._spells.get(agent.name)
        if spell is not None and (spell.status, spell.reason) == (status, _reason(reason)):
            return
        now, truth, queues = self._world.now, self._world.truth, agent.skills
        if spell is not None:
            lasted = now - spell.since
            truth.add("contact_team_status_seconds_total", spell.team, spell.status, by=lasted)
            name = agent.name if agent.name in LISTED_AGENTS else OTHER
            truth.add("contact_agent_status_seconds_total", name, spell.status, by=lasted)
            self._count(spell, queues, -1)
        listed, team = agent.name in LISTED_AGENTS, TEAMS[queues[0]]
        self._spells[agent.name] = new = _Spell(status, _reason(reason), _team(team, listed=listed), now)
        self._count(new, queues, 1)
        fields: dict[str, object] = {"status": status, "queues": list(queues)}
        if not listed:
            fields["team"] = team
        if reason:
            fields["reason"] = reason
        strange = (not listed and team not in LISTED_TEAMS) + bool(reason and reason not in LISTED_REASONS)
        truth.add("contact_stream_quality_total", "unlisted_label", by=strange)
        self._said += 1
        name = f"{STAFF}-{self._world.seed}-{self._world.starts_at // 1000:x}-{self._said}"
        self._world.say_status(name, agent.name, fields)

    def wrap_up(self, agent: "Agent") -> None:
        """An agent writes notes."""
        self.turn(agent, "wrapup")

    def rest(self, agent: "Agent", reason: str, lasts_ms: int) -> None:
        """An agent who has nobody takes a break."""
        self.turn(agent, "break", reason)
        self._world.agenda.start(self._back(agent, lasts_ms))

    def let_go(self, agent: "Agent", rng: "Random") -> None:
        """An agent has done with somebody: on to the next, on a break, or home."""
        if not self._world.taking or rng.random() >= _BREAKS:
            self._world.floor.release(agent)
            return
        reason, lasts_ms = rng.choice(_REASONS)
        self.rest(agent, reason, round(lasts_ms * rng.uniform(0.5, 1.5)))

    def at_home(self, agent: "Agent") -> bool:
        """Whether an agent who is free goes home now."""
        return not self._world.is_open(agent.skills[0])

    def _back(self, agent: "Agent", lasts_ms: int) -> Generator[int | None, Any, None]:
        yield lasts_ms
        self._world.floor.release(agent)

    def _mind_the_door(self, queue: str) -> Generator[int | None, Any, None]:
        """Every quarter of an hour: send everybody home who is free, or let everybody in."""
        self._world.floor.open_door(queue, opened=self._world.is_open(queue))
        self._world.book(self._mind_the_door(queue), self._next_look())
        yield 0

    def _next_look(self) -> int:
        return _LOOKS_MS - self._world.now % _LOOKS_MS

    def _count(self, spell: _Spell, queues: tuple[str, ...], sign: int) -> None:
        truth = self._world.truth
        truth.add("contact_agents", spell.team, spell.status, spell.reason, by=sign)
        for queue in queues:
            truth.add("contact_queue_agents", queue, spell.status, by=sign)


def _reason(reason: str) -> str:
    if not reason:
        return NONE
    return reason if reason in LISTED_REASONS else OTHER


def _team(team: str, *, listed: bool) -> str:
    """The policy knows the teams of the agents it lists, and of one team nothing."""
    return team if team in LISTED_TEAMS else NONE if listed else OTHER
