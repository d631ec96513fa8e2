"""The people of the simulated centre and the lines in front of them: who is free, who waits, who serves whom next.

First come, first served per queue. A queue is served by those whose first skill it is, then by those who help out.
An agent who becomes free takes the first caller of the own queue, else of the queues helped out in. Waits follow
from this and from nothing else.

Never in this module: chance, events or figures.
"""

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.demo.centre.agenda import Agenda, Process
    from stream.demo.centre.roster import Roster
    from stream.demo.scenario import QueuePlan


class Agent:
    """One person: a label-safe name, and the queues served, first skill first."""

    __slots__ = ("name", "skills")

    def __init__(self, name: str, skills: tuple[str, ...]) -> None:
        """Hire somebody."""
        self.name = name
        self.skills = skills


class Floor:
    """Every agent and every waiting caller.

    Attributes:
        agents: everybody, in order of their queues.
        roster: hears who is taken, who is free and who goes home.
    """

    __slots__ = ("_agenda", "_free", "_helpers", "_home", "_waiting", "agents", "roster")

    roster: "Roster"

    def __init__(self, agenda: "Agenda", queues: "Mapping[str, QueuePlan]") -> None:
        """Open the floor with everybody free."""
        self._agenda = agenda
        self._waiting: dict[str, deque[Process]] = {queue: deque() for queue in queues}
        self._free: dict[str, deque[Agent]] = {
            queue: deque(Agent(f"{queue}-{number + 1:02d}", (queue, *plan.also)) for number in range(plan.agents))
            for queue, plan in queues.items()
        }
        self._home: dict[str, deque[Agent]] = {queue: deque() for queue in queues}
        self.agents = tuple(agent for free in self._free.values() for agent in free)
        self._helpers = {
            queue: (queue, *(home for home, plan in queues.items() if queue in plan.also)) for queue in queues
        }

    def seek(self, queue: str, process: "Process", *, first: bool = False) -> None:
        """Line a caller up; the process is woken with an `Agent` when one is there, perhaps at once.

        Args:
            queue: name of the queue.
            process: the caller's.
            first: back to the head of the line (an agent did not pick up).
        """
        agent = self.take(queue)
        if agent is not None:
            self._agenda.wake(process, agent)
        elif first:
            self._waiting[queue].appendleft(process)
        else:
            self._waiting[queue].append(process)

    def leave(self, queue: str, process: "Process") -> None:
        """Take a caller out of the line."""
        self._waiting[queue].remove(process)

    def take(self, queue: str) -> Agent | None:
        """Return somebody who can serve `queue` now and is not free any more; None when all are busy."""
        for home in self._helpers[queue]:
            if self._free[home]:
                agent = self._free[home].popleft()
                self.roster.turn(agent, "busy")
                return agent
        return None

    def release(self, agent: Agent) -> None:
        """An agent is free again: the next caller, home, or a place among the free."""
        for queue in agent.skills:
            if self._waiting[queue]:
                self.roster.turn(agent, "busy")
                self._agenda.wake(self._waiting[queue].popleft(), agent)
                return
        if self.roster.at_home(agent):
            self.roster.turn(agent, "offline")
            self._home[agent.skills[0]].append(agent)
            return
        self.roster.turn(agent, "available")
        self._free[agent.skills[0]].append(agent)

    def send_home(self, agent: Agent) -> None:
        """A free agent goes home."""
        self._free[agent.skills[0]].remove(agent)
        self._home[agent.skills[0]].append(agent)

    def open_door(self, queue: str, *, opened: bool) -> None:
        """Let in everybody of a queue, or send home whoever of it is free."""
        where = self._home if opened else self._free
        agents, where[queue] = where[queue], deque()
        for agent in agents:
            if opened:
                self.release(agent)
            else:
                self.roster.turn(agent, "offline")
                self._home[queue].append(agent)

    def waiting(self, queue: str) -> int:
        """Return how many callers wait in the line of `queue`; who is being rung for is not counted."""
        return len(self._waiting[queue])
