"""What the case stage knows of a contact, and what follows from it alone: eligible, resolved when, active when.

A fact is the newest outcome record of one generation of one contact_id (1-events 1.7); ``wire`` makes it, and this
package only reads the attributes named in `Fact`. Times in ms. Source: 2-numbers 2.7.
"""

import re
from typing import Protocol

from stream.core.policy import CasesPolicy

ABANDONED = frozenset(("abandoned", "abandoned_short", "abandoned_step"))
ASKED = frozenset(("voicemail", "callback"))
FOREVER = 1 << 62
OWN, UNKNOWN_OWN = "contact:", "unidentified:"
NAMED = re.compile(f"(?:{OWN}|{UNKNOWN_OWN})(.*?)/[0-9]+(?:/.*)?")
FactKey = tuple[str, int]  # contact_id, generation


class Said(Protocol):
    """One disposition."""

    at: int
    resolution: str
    cause: str | None
    confirmed: bool | None


class Fact(Protocol):
    """A contact as stage one told it last."""

    contact_id: str
    generation: int
    revision: int
    outcome: str
    decided_at: int
    channel: str
    direction: str
    customer: str | None
    case_id: str | None
    previous_contact_id: str | None
    issue: str | None
    queue: str
    arrived_at: int
    begins_at: int
    ended_at: int | None
    last_at: int | None  # None while it goes on
    pauses: list[tuple[int, int]]
    agents: list[str]  # in the order of service
    handle_ms: int | None  # complete handle time; None while it is not, and where there is none
    transfers: list[str]
    reopens: list[tuple[int, int]]
    dispositions: list["Said"]
    withdrawn: bool  # the contact counts no more under this key
    first: bool  # it was never told before under this key
    cause: str  # the event that made it so, or ``tick``


def order_of(fact: Fact) -> tuple[int, str, int]:
    """Where the contact stands among those of its customer."""
    return fact.arrived_at, fact.contact_id, fact.generation


def eligible(fact: Fact, policy: CasesPolicy) -> bool:
    """Whether the contact can be one of a case by itself."""
    if fact.direction != "inbound":
        return False
    outcome = fact.outcome
    return outcome == "handled" or outcome in ASKED or (policy.abandoned == "fail" and outcome in ABANDONED)


def end_as_of(fact: Fact, at: int) -> int | None:
    """When the contact had ended, as of ``at``; None while it went on."""
    if fact.ended_at is not None and fact.ended_at <= at:
        return fact.ended_at
    for stopped, served in reversed(_ends(fact)):
        if stopped <= at:
            return stopped if at < served else None
    return None


def first_end(fact: Fact) -> int | None:
    """When the contact ended for the first time; a customer who came back was not through."""
    ends = _ends(fact)
    if ends and (fact.ended_at is None or ends[0][0] < fact.ended_at):
        return ends[0][0]
    return fact.ended_at


def _ends(fact: Fact) -> list[tuple[int, int]]:
    """Ends after which somebody was served again; a contact that was only called resolved had not ended."""
    if not fact.reopens:
        return fact.reopens
    called = {said.at for said in fact.dispositions if said.resolution == "resolved"}
    return [reopen for reopen in fact.reopens if reopen[0] not in called]


def active_as_of(fact: Fact, at: int) -> int:
    """When the contact was last active, as of ``at``; ``at`` itself while it goes on, pauses of an hour apart."""
    if fact.last_at is not None and fact.last_at <= at:
        return fact.last_at
    for begun, over in reversed(fact.pauses):
        if begun <= at:
            return begun if at < over else at
    return at


def going_on(fact: Fact, at: int) -> bool:
    """Whether somebody is being served in it as of ``at``: who arrives meanwhile meets no unresolved contact.

    A thread of e-mail is never served in this sense; it may lie for days.
    """
    return fact.channel != "email" and end_as_of(fact, at) is None and active_as_of(fact, at) == at


def resolved_by_word(fact: Fact, mode: str, at: int = FOREVER) -> tuple[bool, int | None]:
    """What the dispositions up to ``at`` say: whether any counts, and since when it is resolved by them.

    The latest non-resolved one cancels earlier ones; the contact's end counts where it came before (a redial during
    the wrap-up is a repeat).
    """
    spoken, since = False, None
    for said in fact.dispositions:
        if said.at > at:
            break
        if said.resolution != "resolved":
            spoken, since = True, None
        elif mode != "confirmed" or said.confirmed:
            spoken = True
            since = said.at if since is None else since
    if since is None:
        return spoken, None
    end = first_end(fact) if at == FOREVER else end_as_of(fact, at)
    return True, since if end is None else min(since, end)


def resolved_at(fact: Fact, mode: str, *, ticket: bool, at: int = FOREVER) -> int | None:
    """Since when the contact itself resolved its case, as known at ``at``; None if it did not.

    Args:
        fact: the contact.
        mode: the policy's ``resolution``.
        ticket: a ticket speaks for the case, so nothing is implied by a contact's end.
        at: ms; later words are not heard.
    """
    if mode == "case":
        return None
    if mode != "no_repeat":
        spoken, since = resolved_by_word(fact, mode, at)
        if spoken or mode != "auto" or ticket:
            return since
    if fact.outcome != "handled" or fact.decided_at > at:
        return None
    return first_end(fact) if at == FOREVER else end_as_of(fact, at)


def served_by(fact: Fact) -> list[str]:
    """Everybody who served, in order; a contact that was handled by nobody who is named was served by ``""``."""
    return fact.agents or ([""] if fact.outcome == "handled" else [])


def last_word(fact: Fact) -> Said | None:
    """The disposition in force."""
    return fact.dispositions[-1] if fact.dispositions else None


def first_contact(case: str) -> str:
    """The contact a case without a ticket is named after; empty for a ticket.

    The name also says whose case it is: when ids are joined, or a customer becomes known, the case is another one, and
    no reader can see the old one go after the new one came.
    """
    named = NAMED.fullmatch(case)
    return "" if named is None else named[1]
