"""The figures of the case stage, interned: everything counted at one place, under one rule there, and of one agent.

Never in this module: what counts; that is `case_cells`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from stream.core.cases.fcr import rulings
from stream.core.figures.figures import NAMES_KEPT, Figures
from stream.core.policy import NONE

if TYPE_CHECKING:
    from stream.core.figures.figures import Figure, Timing
    from stream.core.policy import Policy

REMEMBERED = 100  # cohorts of a rule at a place, and hours in which its cases were resolved


class RuleFigures:
    """What one rule says of the cases of one place."""

    __slots__ = ("_cohorts", "_failures", "_figures", "_labels", "_running", "credited", "failed", "name", "settled")

    def __init__(self, figures: Figures, rule: str, home: HomeFigures) -> None:
        """Intern the series of a rule."""
        self._figures = figures
        self.name = rule
        self._labels = (home.channel, home.queue)
        self._failures: dict[tuple[str, str], Figure] = {}
        self._cohorts: dict[tuple[str, str], Figure] = {}
        self._running: dict[tuple[str, int, int], tuple[Figure, Figure]] = {}
        labels = ("contact_fcr_cases_total", rule, home.channel, home.queue, home.issue)
        self.credited = figures.get((*labels, "credited"), home.place)
        self.settled = figures.get((*labels, "settled"), home.place)
        self.failed = figures.get((*labels, "failed"), home.place)

    def failure(self, reason: str, cause: str) -> Figure:
        """Cases that failed so; by channel alone."""
        found = self._failures.get((reason, cause))
        if found is None:
            channel = self._labels[0]
            key = ("contact_fcr_failed_total", self.name, channel, reason, cause)
            found = self._failures[reason, cause] = self._figures.get(key, self._figures.place(channel, NONE, NONE))
        return found

    def cohort(self, day: str, state: str) -> Figure:
        """Cases of a local day that are in a state."""
        found = self._cohorts.get((day, state))
        if found is None:
            if len(self._cohorts) >= REMEMBERED:
                self._cohorts.clear()
            key = ("~cohort", self.name, day, *self._labels, state)
            found = self._cohorts[day, state] = self._figures.get(key)
        return found

    def running(self, day: str, hour: int, window_ms: int) -> tuple[Figure, Figure]:
        """Provisional cases of a local day by the hour of their resolution: how many, and the ms into that hour."""
        found = self._running.get((day, hour, window_ms))
        if found is None:
            if len(self._running) >= REMEMBERED:
                self._running.clear()
            key = ("~running", self.name, day, str(hour), str(window_ms))
            found = self._figures.get((*key, "n")), self._figures.get((*key, "since"))
            self._running[day, hour, window_ms] = found
        return found


class HomeFigures:
    """What is counted of cases, and of contacts of cases, with one channel, queue and issue."""

    __slots__ = (
        "_figures",
        "_rules",
        "channel",
        "eligible",
        "full_resolution",
        "handled",
        "issue",
        "open",
        "opened",
        "place",
        "queue",
        "reopened",
        "repeats",
        "resolution",
        "resolution_open",
        "resolved",
    )

    def __init__(self, figures: Figures, channel: str, queue: str, issue: str) -> None:
        """Intern the series of these labels."""
        self._figures = figures
        self._rules: dict[str, RuleFigures] = {}
        self.channel, self.queue, self.issue = channel, queue, issue
        self.place = place = figures.place(channel, queue, issue)

        def series(family: str) -> Figure:
            return figures.get((family, channel, queue, issue), place)

        self.opened = series("contact_cases_opened_total")
        self.handled = series("contact_cases_handled_total")
        self.open = series("contact_cases_open")
        self.resolved = series("contact_cases_resolved_total")
        self.reopened = series("contact_cases_reopened_total")
        self.eligible = series("contact_eligible_contacts_total")
        self.repeats = series("contact_repeat_contacts_total")
        self.resolution = self._timing("contact_resolution_seconds")
        self.full_resolution = self._timing("contact_full_resolution_seconds")
        self.resolution_open = self._timing("contact_resolution_open_seconds")

    def rule(self, name: str) -> RuleFigures:
        """The figures of a rule."""
        found = self._rules.get(name)
        if found is None:
            found = self._rules[name] = RuleFigures(self._figures, name, self)
        return found

    def _timing(self, family: str) -> Timing:
        return self._figures.timing(family, (self.channel, self.issue), (self.channel, NONE, self.issue))


class AgentFigures:
    """What is counted of one agent in one channel."""

    __slots__ = ("contacts", "credited", "eligible", "repeats", "resolution", "resolutions")

    def __init__(self, figures: Figures, agent: str, channel: str) -> None:
        """Intern the series of an agent's label."""
        place = figures.place(channel, NONE, NONE)

        def series(family: str) -> Figure:
            return figures.get((family, agent, channel), place)

        self.eligible = series("contact_agent_fcr_eligible_total")
        self.credited = series("contact_agent_fcr_credited_total")
        self.contacts = series("contact_agent_contacts_total")
        self.repeats = series("contact_agent_repeats_total")
        self.resolutions = series("contact_agent_resolutions_total")
        self.resolution = series("contact_agent_resolution_seconds_total")


class CaseFigures(Figures):
    """All figures of a shard of the case stage."""

    def __init__(self, policy: Policy) -> None:
        """Nothing counted yet."""
        super().__init__(policy)
        self._homes: dict[tuple[str, str, str], HomeFigures] = {}  # by labels
        self._named: dict[tuple[str, str, str | None], HomeFigures] = {}  # by names, the issue may not be known
        self._agents: dict[tuple[str, str], AgentFigures] = {}
        self.rulings = rulings(policy)

    def under(self, policy: Policy) -> Self:
        """The same series, named as another policy names them."""
        other = super().under(policy)
        other._named = {}  # noqa: SLF001  of the same class
        other.rulings = rulings(policy)
        return other

    def home(self, channel: str, queue: str, issue: str | None) -> HomeFigures:
        """The figures of a place by the names that contacts give it."""
        found = self._named.get((channel, queue, issue))
        if found is None:
            labels = (channel, self.policy.queue_label(queue), self.policy.issue_label(issue))
            found = self._homes.get(labels)
            if found is None:
                found = self._homes[labels] = HomeFigures(self, *labels)
            if len(self._named) < NAMES_KEPT:
                self._named[channel, queue, issue] = found
        return found

    def agent(self, agent: str, channel: str) -> AgentFigures:
        """The figures of an agent by label."""
        found = self._agents.get((agent, channel))
        if found is None:
            found = self._agents[agent, channel] = AgentFigures(self, agent, channel)
        return found
