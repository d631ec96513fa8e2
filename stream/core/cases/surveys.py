"""What customers said when they were asked, and what it is worth (2-numbers 2.8; R20, R34).

A survey is about the generation of its contact that had begun by then; a contact_id that is used again after a long
silence is asked about anew. Told before any contact of that id is known, it is of no channel and has no handle time.

Never in this module: what an answer does to a case; that is `fcr`. Times in ms.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from stream.core.figures.case_families import HANDLE_BANDS, HANDLE_BOUNDS_MS
from stream.core.figures.figures import INTERVAL_MS, NEVER
from stream.core.policy import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.core.cases.fact import Fact
    from stream.core.events import Event
    from stream.core.figures.figures import Contributions, Figures


class Asked(NamedTuple):
    """The surveys about one contact."""

    fact: Fact | None  # None: nothing is known of the contact
    events: list[Event]  # in fold order

    @property
    def channel(self) -> str:
        """Of the contact, ``none`` where it is not known."""
        return NONE if self.fact is None else self.fact.channel

    @property
    def answers(self) -> list[Event]:
        """The answers, in fold order."""
        return [event for event in self.events if is_answer(event)]

    @property
    def resolved(self) -> str:
        """What the customer last said of it being solved: yes, no, or ``none``."""
        return next((event[5].resolved for event in reversed(self.answers) if event[5].resolved is not None), NONE)

    @property
    def score(self) -> int | None:
        """The score given last, 1 to 5; None without one."""
        return next((event[5].csat for event in reversed(self.answers) if event[5].csat is not None), None)

    @property
    def handle_band(self) -> str:
        """The band of the contact's complete handle time, ``none`` where it has none."""
        return handle_band(None if self.fact is None else self.fact.handle_ms)


def is_answer(event: Event) -> bool:
    """Whether a survey event is an answer."""
    return hasattr(event[5], "csat")


def handle_band(handle_ms: int | None) -> str:
    """The band of a complete handle time (ms): its lower end is in it, its upper end is in the next."""
    return HANDLE_BANDS[-1] if handle_ms is None else HANDLE_BANDS[bisect_right(HANDLE_BOUNDS_MS, handle_ms)]


def generation_of(event: Event, generations: Sequence[int]) -> int | None:
    """The generation that a survey event is about, of those known (ascending, ms); None where none is."""
    if not generations:
        return None
    return generations[max(0, bisect_right(generations, event[0]) - 1)]


def asked_about(events: list[Event], facts: Mapping[int, Fact]) -> list[Asked]:
    """The survey events of one contact_id, in fold order, by the contact they are about.

    Args:
        events: at least one.
        facts: what is known of the contact_id, by generation, ascending.
    """
    generations = list(facts)
    found: dict[int | None, list[Event]] = {}
    for event in events:
        found.setdefault(generation_of(event, generations), []).append(event)
    return [Asked(None if name is None else facts[name], told) for name, told in found.items()]


def survey_worth(asked: Asked, figures: Figures, into: Contributions) -> None:
    """Add what the surveys about one contact are worth; an answer proves the offer.

    Their cells lie in the interval of the first survey event, at the contact's channel.
    """
    at, channel = asked.events[0][0] // INTERVAL_MS, asked.channel
    place = figures.place(channel, NONE, NONE)
    keys: list[tuple[str, ...]] = [("contact_survey_offered_total", channel)]
    if asked.answers:
        keys.append(("contact_survey_answered_total", channel, asked.resolved))
    if asked.score is not None:
        keys.append(("contact_csat_total", channel, str(asked.score), asked.handle_band))
    for key in keys:
        name = (figures.get(key, place), at, NEVER)
        into[name] = into.get(name, 0) + 1
