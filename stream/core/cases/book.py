"""What a person's cases are booked with, what was told of them, and when time alone changes one.

The figures of a case are a function of what is told and of the watermark; `revalue` looks at the cases that were
touched or fell due, and gives the difference. After loading, the same function at the watermark of the last look says
what was booked and told: neither is stored.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from stream.core.cases.case import OPENED, REOPENED
from stream.core.cases.cells import case_worth, standing, verdicts
from stream.core.cases.fact import FOREVER
from stream.core.cases.person import hour_after
from stream.core.cases.report import case_report
from stream.core.cases.surveys import survey_worth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stream.core.cases.case import Case
    from stream.core.cases.cells import Verdicts
    from stream.core.cases.figures import CaseFigures
    from stream.core.cases.person import Person
    from stream.core.cases.report import Report
    from stream.core.figures.figures import Contributions

SURVEYS = ""  # surveys looked at again stand under this name; no case has it


class Revalued(NamedTuple):
    """A case looked at again: what it was and is worth, and what is to be told of it."""

    case: str
    old: Contributions
    new: Contributions
    report: Report | None = None  # None: as told before, or gone
    gone: bool = False  # told before, and no case any more


class CaseBook:
    """The conclusions drawn from one person, as of `known_at` (ms)."""

    __slots__ = ("_due", "_dues", "_told", "asked", "booked", "counted", "figures", "known_at", "leaves", "person")

    def __init__(self, person: Person, figures: CaseFigures) -> None:
        """Nothing is concluded."""
        self.person = person
        self.figures = figures
        self.known_at: int | None = None
        self.booked: dict[str, Contributions] = {}
        self.asked: dict[str, Contributions] = {}  # by contact_id: what the surveys about it are worth
        self.leaves: dict[str, int] = {}  # case -> when nothing can change it any more
        self.counted = not person.alone or figures.policy.cases.unidentified == "count"
        self._told: dict[str, Report] = {}
        self._dues: dict[str, int] = {}
        self._due: list[tuple[int, str]] = []

    def revalue(self, watermark: int | None) -> list[Revalued]:
        """Look at every case touched or due at ``watermark``; those that are worth something else, or to be told."""
        timeline = self.person.timeline
        timeline.place()
        names = set(timeline.touched)
        timeline.touched.clear()
        while watermark is not None and self._due and self._due[0][0] <= watermark:
            names.add(heappop(self._due)[1])
        self.known_at = watermark
        found = [self._look(name, watermark) for name in sorted(names)]
        if self.person.surveyed:
            found.append(self._look_at_surveys(self.person.surveyed))
            self.person.surveyed = set()
        return [one for one in found if one.report is not None or one.gone or one.old or one.new]

    @property
    def told(self) -> Mapping[str, Report]:
        """What was told of each case last."""
        return self._told

    def due(self) -> int | None:
        """When time alone changes a case at the earliest, or lets it leave (ms)."""
        while self._due and self._dues.get(self._due[0][1]) != self._due[0][0]:
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def leaving(self, watermark: int) -> list[Case]:
        """The cases that nothing can change any more; they are forgotten here, and stay counted."""
        names = [name for name, at in self.leaves.items() if at <= watermark]
        cases = [self.person.timeline.cases[name] for name in names]
        for name in names:
            del self.leaves[name], self._told[name]
            self._dues.pop(name, None)
        return cases

    def forget_surveys(self) -> None:
        """Some surveys have left; they stay counted."""
        self._look_at_surveys(list(self.asked))

    def _look(self, name: str, watermark: int | None) -> Revalued:
        case = self.person.timeline.cases.get(name)
        old, told = self.booked.pop(name, {}), self._told.pop(name, None)
        self.leaves.pop(name, None)
        self._dues.pop(name, None)
        if case is None:
            return Revalued(name, old, {}, gone=told is not None)
        person, figures = self.person, self.figures
        stands = standing(case, figures.policy.cases.resolution)
        said = verdicts(case, person.answers, figures, watermark, counted=self.counted)
        new = case_worth(stands, said, person.answers, figures) if self.counted else {}
        report = case_report(stands, said, figures.policy)
        self.booked[name], self._told[name] = new, report
        self._set_due(case, said)
        unsaid = None if report == told else report
        return Revalued(name, {}, {}, unsaid) if new == old else Revalued(name, old, new, unsaid)

    def _look_at_surveys(self, contacts: Iterable[str]) -> Revalued:
        """Look at the surveys about some contacts; the difference is one for all of them."""
        old: Contributions = {}
        new: Contributions = {}
        for contact_id in contacts:
            _add(old, self.asked.pop(contact_id, {}))
            worth: Contributions = {}
            for asked in self.person.asked(contact_id):
                survey_worth(asked, self.figures, worth)
            if worth:
                self.asked[contact_id] = worth
                _add(new, worth)
        return Revalued(SURVEYS, old, new)

    def _set_due(self, case: Case, said: Verdicts) -> None:
        dues = [one.due for one in said.values() if one is not None and one.due is not None]
        leaves_at = self._leaves_at(case)
        if leaves_at is not None:  # and never undecided: an end by inference may be later than the last word
            leaves_at = self.leaves[case.id] = max([leaves_at, *map(hour_after, dues)])
            dues.append(leaves_at)
        if dues:
            self._dues[case.id] = min(dues)
            heappush(self._due, (min(dues), case.id))

    def _leaves_at(self, case: Case) -> int | None:
        """When nothing accepted can change the case any more; None while a contact or the ticket is open."""
        words = case.words()
        if case.going or (words and words[-1][2] in (OPENED, REOPENED)):
            return None
        if any(fact.ended_at is None for fact in case.linked):
            return None
        active = case.active_as_of(FOREVER)
        policy = self.figures.policy
        return None if active is None else hour_after(active + policy.window_ms(case.issue) + policy.lateness_ms)


def _add(into: Contributions, worth: Contributions) -> None:
    for name, amount in worth.items():
        into[name] = into.get(name, 0) + amount
