"""What stage one tells the case stage: each contact as known now, on the outcomes topic (1-events 1.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.core.contacts.report import report_of, told
from stream.core.engine.batch import Output

if TYPE_CHECKING:
    from stream.core.contacts.row import Row
    from stream.core.contacts.shard import Shard
    from stream.core.engine.batch import Changes


def tell(shard: Shard, contact_id: str, row: Row, changes: Changes, cause: str) -> None:
    """Write the outcome of each generation that has one and is not told as it stands; ``cause`` made the difference."""
    watermark, policy = shard.clock.value, shard.policy
    current: dict[int, list[object]] = {}
    for contact, stands in zip(row.contacts, row.standings, strict=True):
        if stands.outcome == "open" and contact.case_id is None:
            continue  # nothing depends on it yet, or (an end that was inferred is none) no longer
        known = told(contact, stands, watermark)
        now: list[object] = [*known]
        before = row.sent.get(contact.first_at)
        current[contact.first_at] = now
        if now == before:
            continue
        if before is not None and before[0] != known.customer:
            changes.outputs.append(_withdrawn(shard, contact_id, contact.first_at, row.revision, before[0]))
        report = {
            "id": f"{contact_id}/{contact.first_at}/{row.revision}",
            "contact_id": contact_id,
            "generation": contact.first_at,
            "revision": row.revision,
            **report_of(contact, stands, known, policy),
            "final": contact.ended_at is not None,
            "first": before is None or before[0] != known.customer,
            "withdrawn": False,
            "cause": cause,
        }
        owner = _owner(known.customer, contact_id)
        changes.outputs.append(Output("outcomes", owner, shard.codec.pack(report), [], None))
    for generation, before in row.sent.items():
        if generation not in current:
            changes.outputs.append(_withdrawn(shard, contact_id, generation, row.revision, before[0]))
    row.sent = current


def _owner(customer: object, contact_id: str) -> bytes:
    return str(contact_id if customer is None else customer).encode()


def _withdrawn(shard: Shard, contact_id: str, generation: int, revision: int, customer: object) -> Output:
    value = {
        "id": f"{contact_id}/{generation}/{revision}/withdrawn",
        "contact_id": contact_id,
        "generation": generation,
        "revision": revision,
        "withdrawn": True,
        "customer": customer,
    }
    return Output("outcomes", _owner(customer, contact_id), shard.codec.pack(value), [], None)
