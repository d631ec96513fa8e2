"""A person's cases, counted under one policy, decided again under another (2-numbers 2.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stream.core.cases.book import Revalued
from stream.core.cases.dossier import wake

if TYPE_CHECKING:
    from stream.core.cases.dossier import Dossier
    from stream.core.cases.figures import CaseFigures
    from stream.core.cases.shard import CaseShard
    from stream.core.engine.redecide import Redecision


def person(shard: CaseShard, key: str, redecision: Redecision) -> None:
    """Decide a person's cases again: what each is worth, what is told of it, when it is due."""
    settled, changes, rest = shard.clock.settled, redecision.changes, shard.people.resting[key]
    was = wake(key, rest, cast("CaseFigures", redecision.before), shard.codec)
    now = wake(key, rest, shard.figures, shard.codec)
    if settled is not None and now.due() <= settled:
        now.book.revalue(settled)
    for before, after in ((was.book.booked, now.book.booked), (was.book.asked, now.book.asked)):
        for name in before.keys() | after.keys():
            redecision.add(before.get(name, {}), after.get(name, {}))
    looked = _told_again(was, now)
    if looked:
        shard.tell(now, looked, changes)
    rows = now.take_rows()
    if now.head != rest[0]:
        changes.changelog += rows
        shard.people.resting[key] = now.rest()
        shard.timers.arm(key, now.due_at)


def _told_again(was: Dossier, now: Dossier) -> list[Revalued]:
    """The cases of which something else is to be said, or that are none any more."""
    before, after = was.book.told, now.book.told
    cases = sorted(case for case in before.keys() | after.keys() if before.get(case) != after.get(case))
    return [Revalued(case, {}, {}, after.get(case), gone=case not in after) for case in cases]
