"""The rows of a shard, counted under one policy, decided again under another (2-numbers 2.11).

    load -> begin (may it?) -> the shard stands as it was counted -> go_on, some rows at a time -> close -> first batch

What every row is worth under both policies is compared in the same series, because two `Figures` share them. The
differences are summed over the whole shard and booked once, so a figure falls, and a correction with the cause
`definition` is told, only where the shard's net falls. Rows are written where something of them changed; contacts and
cases are told again where what is said of them did. What has left the state keeps its figures.

Of an agent the spells are decided again that may still change, from exactly the lateness of before the watermark on, so
that it does not matter when it was touched last.

A tail is folded anew where another span begins a new generation; a prefix is not, its events are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from stream.core import ledger
from stream.core.adoption import Adopted, changed
from stream.core.batch import Changes
from stream.core.case_book import Revalued
from stream.core.dossier import wake
from stream.core.outcome import is_inferred
from stream.core.outcomes import tell
from stream.core.report import contact_report
from stream.core.trouble import Trouble
from stream.core.waiting import open_now

if TYPE_CHECKING:
    from stream.core.adoption import Change
    from stream.core.case_figures import CaseFigures
    from stream.core.case_shard import CaseShard
    from stream.core.dossier import Dossier
    from stream.core.engine import Engine
    from stream.core.figures import Contributions
    from stream.core.policy import Policy
    from stream.core.report import Report
    from stream.core.row import Row
    from stream.core.shard import Shard

CAUSE: Final = "definition"
PIECE: Final = 500  # rows decided again at a time, some tenths of a second


class Former:
    """The policy a shard has counted under, as its changelog says."""

    __slots__ = ("definition", "number", "policy")

    def __init__(self) -> None:
        """Nothing was counted."""
        self.definition: str | None = None
        self.policy: Policy | None = None
        self.number = 0  # how often another one was put in its place


def begin(shard: Engine) -> Redecision | None:
    """What is to be done so that the shard may count on under its policy; None = nothing.

    Raises:
        Trouble: it counted under other definitions, and may not adopt others.
    """
    former = shard.former
    if former.definition is None or former.definition == shard.definition:
        return None
    attempted = f"cannot go on counting in shard {shard.id.stage}-{shard.id.partition}"
    anew = "start anew with another CONTACT_STREAM_APP_ID; a replay shows the difference"
    if former.policy is None:
        raise Trouble(
            attempted,
            f"its figures were counted under policy {former.definition}, this one is {shard.definition}, and what the "
            "former one said was not stored",
            f"use the policy of before, or {anew}",
            exit_code=2,
        )
    change = changed(former.policy, shard.policy)
    if change.definitions and not shard.redefines:
        raise Trouble(
            attempted,
            "its figures were counted under other definitions: " + ", ".join(change.definitions),
            f"start with --adopt to decide again what it holds, use the policy of before, or {anew}",
            exit_code=2,
        )
    return Redecision(shard, former.policy, change)


class Redecision:
    """The rows of one shard on their way from a policy to another. Times in ms."""

    def __init__(self, shard: Engine, former: Policy, change: Change) -> None:
        """Nothing is decided again yet; the figures of the policy in force are the shard's."""
        self.before = shard.figures.under(former)
        self.changes = Changes()
        channels = shard.policy.channels
        self.regroups = any(former.kept_ms(channel) != shard.policy.kept_ms(channel) for channel in channels)
        self._shard = shard
        self._change = change
        self._difference: Contributions = {}
        self._names: list[str] = []
        self._decided = 0

    def take(self, names: list[str]) -> None:
        """These rows were counted under the policy of before."""
        self._names = names if self._change.recounts else []

    def go_on(self) -> bool:
        """Decide some rows again; whether any are left."""
        piece = self._names[self._decided : self._decided + PIECE]
        for name in piece:
            self._shard.decide_again(name, self)
        self._decided += len(piece)
        return self._decided < len(self._names)

    def add(self, was: Contributions, worth: Contributions) -> None:
        """Something is worth this and not that."""
        difference = self._difference
        for name in was.keys() | worth.keys():
            amount = worth.get(name, 0) - was.get(name, 0)
            if amount:
                difference[name] = difference.get(name, 0) + amount

    def close(self) -> Changes:
        """Book the differences, say what fell; the changes so far are the beginning of the batch that stores them."""
        shard, former = self._shard, self._shard.former
        former.number += 1
        rises = {name: amount for name, amount in self._difference.items() if amount > 0}
        falls = {name: -amount for name, amount in self._difference.items() if amount < 0}
        fallen = shard.book.differ(falls, rises)
        name = f"{shard.id.stage}/{shard.id.partition}/{CAUSE}/{former.number}"
        ledger.correct(shard, ledger.About(name, CAUSE, {"policy": shard.definition}), fallen, self.changes)
        known = former.definition or ""
        self.changes.adopted = Adopted(known, shard.definition, self._change, self._decided, len(fallen))
        return self.changes


def contact(shard: Shard, contact_id: str, redecision: Redecision) -> None:
    """Decide a contact's row again: what it is worth, what is told of it, what waits, when it is due."""
    watermark, figures, changes = shard.clock.value, shard.figures, redecision.changes
    row = shard.wake(contact_id, shard.frozen[contact_id], redecision.before)
    stored = (shard.codec.row_times(row.packed), row.known_at, row.revision)
    said = _reports(row, redecision.before.policy, watermark)
    if redecision.regroups:
        row.fold(figures.policy)
    if watermark is not None and row.times(row.known_at, figures.policy, waits=False).due <= watermark:
        row.known_at = watermark
    was, row.booked = row.booked, row.book(figures, row.known_at)
    redecision.add(was, row.booked)
    now = _reports(row, figures.policy, watermark)
    for generation, sent in row.sent.items():
        if now.get(generation) != said.get(generation):
            row.sent[generation] = sent[:1]  # whose it is; the rest is told again
    told = len(changes.outputs)
    row.revision += 1
    tell(shard, contact_id, row, changes, CAUSE)
    if len(changes.outputs) > told:
        row.known_at = watermark
    else:
        row.revision -= 1
    entries = open_now(row.contacts, figures, row.known_at)
    if entries != shard.open.get(contact_id, ()):
        shard.wait(contact_id, entries, changes)
    times = row.times(row.known_at, figures.policy, waits=bool(entries))
    if (times, row.known_at, row.revision) != stored:
        shard.store(contact_id, row, times, changes)
        shard.frozen[contact_id] = row.packed


def agent(shard: Shard, name: str, redecision: Redecision) -> None:
    """Decide an agent again: what its spells are worth that may still change, and what it is doing now."""
    staff, former, changes = shard.staff, redecision.before, redecision.changes
    if shard.clock.staff is not None:
        changes.changelog += staff.trim(name, shard.clock.staff - former.policy.lateness_ms, shard.codec)
    known = staff.agents[name]
    redecision.add(known.worth(name, former), known.worth(name, shard.figures))
    changes.staff[name] = staff.now(name, shard.policy)
    staff.arm(name, shard.policy.lateness_ms)


def _reports(row: Row, policy: Policy, watermark: int | None) -> dict[int, Report]:
    """What is said of each generation that was told."""
    told = (contact for contact in row.contacts if contact.first_at in row.sent)
    return {
        contact.first_at: contact_report(contact, policy, watermark, inferred=is_inferred(contact, watermark, policy))
        for contact in told
    }


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
