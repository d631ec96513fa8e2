"""The rows of a shard, counted under one policy, decided again under another (2-numbers 2.11).

    load -> begin (may it?) -> the shard stands as it was counted -> go_on, some rows at a time -> close -> first batch

What every row is worth under both policies is compared in the same series, because two `Figures` share them. The
differences are summed over the whole shard and booked once, so a figure falls, and a correction with the cause
`definition` is told, only where the shard's net falls. Rows are written where something of them changed; contacts and
cases are told again where what is said of them did. What has left the state keeps its figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stream.core.engine import ledger
from stream.core.engine.batch import Changes
from stream.core.policies.adoption import Adopted, changed
from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from stream.core.engine.engine import Engine
    from stream.core.figures.figures import Contributions
    from stream.core.policies.adoption import Change
    from stream.core.policy import Policy

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
