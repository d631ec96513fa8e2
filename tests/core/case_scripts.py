"""Short histories of the case stage as scripts: contacts and tickets told one after the other, each in a line.

Times are ms since `START`.
"""

from __future__ import annotations

from typing import Any

from stream.core.policies.reader import read_policy
from stream.core.policy import DAY_MS
from stream.wire.times import format_time
from tests.core.case_checks import dice_of
from tests.core.case_histories import MINUTE, START, Told
from tests.core.case_policies import AGES_MS
from tests.core.case_worlds import CaseWorld, Schedule


class Script:
    """Events told one after the other."""

    def __init__(self) -> None:
        self.number = 0

    def say(self, topic: str, kind: str, at: int, /, **fields: object) -> Told:
        """One event."""
        self.number += 1
        event: dict[str, Any] = {"event_id": f"e{self.number}", "type": kind, "source": "pbx", **fields}
        return Told(topic, {**event, "occurred_at": format_time(START + at)}, START + at)

    def ticket(self, word: str, at: int, case_id: str, customer: str = "u", **fields: object) -> Told:
        """One event of a ticket."""
        return self.say("cases", f"case.{word}", at, case_id=case_id, customer=customer, **fields)

    def link(self, alias: str, customer: str) -> Told:
        """Two ids are one person."""
        return self.say("cases", "identity.linked", 0, alias=alias, customer=customer)

    def call(self, contact_id: str, at: int, customer: str = "u", **fields: object) -> list[Told]:
        """A call of five minutes, answered after ten seconds; in ``queue`` if one is named, else in billing."""
        named, queue = {"contact_id": contact_id}, fields.pop("queue", "billing")
        return [
            self.say("calls", "contact.started", at, **named, customer=customer, **fields),
            self.say("calls", "queue.entered", at, **named, queue=queue),
            self.say("calls", "agent.connected", at + 10_000, **named, agent="anna"),
            self.say("calls", "contact.ended", at + 5 * MINUTE, **named, by="customer"),
        ]

    def verdict(self, contact_id: str, at: int, resolution: str, **fields: object) -> Told:
        """What the agent says of a contact."""
        return self.say("calls", "contact.dispositioned", at, contact_id=contact_id, resolution=resolution, **fields)

    def named(self, contact_id: str, at: int, customer: str, topic: str = "calls") -> Told:
        """A contact turns out to be somebody else's."""
        return self.say(topic, "hold.ended", at, contact_id=contact_id, customer=customer)


def world_of(lateness_ms: int = AGES_MS, partitions: int = 1, **tables: object) -> CaseWorld:
    """A world in which a shard reads all it has at once; ``tables`` of the policy beside its names."""
    named = {"queues": {"billing": {}}, "issues": {"refund": {"window_ms": DAY_MS}}, **tables}
    policy = read_policy({"lateness_ms": lateness_ms, **named})
    return CaseWorld(policy, Schedule(partitions, whole=True), dice_of(0))


def net(world: CaseWorld, family: str) -> int:
    """A family over all its labels."""
    return sum(amount for key, amount in world.counters().items() if key[0] == family)


def state_of(world: CaseWorld, state: str, **labels: str) -> int:
    """Cases of the headline rule that are ``credited``, ``settled`` or ``failed``, of some channel, queue or issue."""
    names = ("family", "rule", "channel", "queue", "issue", "state")
    wanted = {"family": "contact_fcr_cases_total", "rule": "contact", "state": state, **labels}
    rows = ((dict(zip(names, key, strict=False)), amount) for key, amount in world.counters().items())
    return sum(amount for row, amount in rows if wanted.items() <= row.items())


def contacts_of(world: CaseWorld, case_id: str) -> list[str]:
    """The contacts of a case as told."""
    return [contact["contact_id"] for contact in world.verdicts[case_id]["contacts"]]
