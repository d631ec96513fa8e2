"""A contact or an agent, counted under one policy, decided again under another (2-numbers 2.11).

Of an agent the spells are decided again that may still change, from exactly the lateness of before the watermark on, so
that it does not matter when it was touched last. A tail is folded anew where another span begins a new generation; a
prefix is not, its events are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.core.contacts.outcome import is_inferred
from stream.core.contacts.outcomes import tell
from stream.core.contacts.report import contact_report
from stream.core.contacts.waiting import open_now
from stream.core.engine.redecide import CAUSE

if TYPE_CHECKING:
    from stream.core.contacts.report import Report
    from stream.core.contacts.row import Row
    from stream.core.contacts.shard import Shard
    from stream.core.engine.redecide import Redecision
    from stream.core.policy import Policy


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
    row.stand(figures.policy, watermark)
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
