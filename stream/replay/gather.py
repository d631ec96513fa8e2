"""What topics hold of one question, as a `Known`: the events of its contacts, the outcomes of its people.

Where the key is known only its partition is read; else the whole topic. Cases are made again from the newest outcome of
each contact, because an older one may have expired; contacts from their events. What a worker kept out stays out:
the decision on `late` is taken once, live (1-events 1.5). Never a figure is counted here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from stream.core.cases.fact import first_contact
from stream.core.cases.links import LINK
from stream.core.cases.person import LINKED
from stream.core.engine.batch import Record
from stream.core.engine.ledger import WATERMARK_KEY
from stream.core.events import AGENT_STATUS, LAST_CONTACT_RANK, RANKS, RESTARTED, Rejection
from stream.core.figures.families import SERVICE
from stream.core.figures.family import CASE_STAGE, CONTACT_STAGE
from stream.core.figures.figures import INTERVAL_MS
from stream.core.figures.series import family_of
from stream.core.partitions import partition_of
from stream.core.policy import NONE
from stream.replay.answers import roles_in
from stream.replay.known import Known
from stream.replay.recorded import headline
from stream.replay.stages import BATCH, Stages
from stream.wire.json import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.core.events import Event
    from stream.core.policy import Policy
    from stream.replay.archive import Archive
    from stream.replay.counted import Cell

SOURCES = ("calls", "chats", "emails")
_RESTART = b'"source.restarted"'
_ASKING = frozenset((RANKS["queue.left"], RANKS["callback.requested"]))
_PLAIN = re.compile("[A-Za-z0-9]+")


class Gathering:
    """One question to an archive; ask once."""

    def __init__(self, archive: Archive, policy: Policy) -> None:
        """Nothing read."""
        self._archive = archive
        self._stages = Stages(policy, keep=True, join=False)
        self._codec = self._stages.codec
        self._contacts_at: dict[int, int] = {}  # shard of the contact stage -> its watermark, ms
        self._homes_at: dict[int, int] = {}  # the same of the case stage
        self._known = Known(
            self._stages,
            lambda contact_id: self._contacts_at.get(self._home(contact_id)),
            None,
            home_of=self._home,
        )
        self._left_out: set[tuple[str, int, int]] = set()  # topic, partition, offset

    def contact(self, contact_id: str) -> Known:
        """What there is of a contact, its people and their cases."""
        key = contact_id.encode()
        self._keep_out({key})
        self._feed_contacts({key})
        row = self._stages.contacts.row(contact_id)
        owners = {contact.customer or contact_id for contact in row.contacts} if row is not None else set()
        if not owners:
            told = self._scan("outcomes", "contact_id", {contact_id})
            owners = {str(each.get("customer") or contact_id) for each in told}
        owners |= self._customers_saying("contact_id", contact_id)
        self._feed_people(self._linked(owners))
        cases = (one.case for seen in self._known.people(contact_id) for one in seen.cases.values())
        self._told_verdicts({case.id for case in cases if contact_id in roles_in(case)})
        self._known.corrections = self._scan("corrections", "contact_id", {contact_id})
        return self._known

    def case(self, case_id: str) -> Known:
        """What there is of a case, its customer's other cases among it."""
        self._told_verdicts({case_id})
        told = self._known.verdicts.get(case_id)
        contact_id = first_contact(case_id)
        if told is not None and not told["withdrawn"]:
            self._feed_people(self._linked({str(told["customer"] or contact_id or case_id)}))
        elif contact_id:
            self.contact(contact_id)
        else:
            told_of = self._customers_saying("case_id", case_id) | self._customers_saying("into", case_id)
            self._feed_people(self._linked(told_of))
        self._known.corrections = self._scan("corrections", "case_id", {case_id})
        return self._known

    def customer(self, customer: str) -> Known:
        """What there is of a customer under every id linked to it."""
        ids = self._linked({customer})
        self._feed_people(ids)
        for told in self._scan("verdicts", "customer", ids):
            self._take_verdict(told)
        return self._known

    def cell(self, cell: Cell, figure: str | None) -> Known:
        """Whatever may have counted in a cell."""
        family = None if figure is None else SERVICE.get(family_of(figure))
        stages = {CONTACT_STAGE, CASE_STAGE} if family is None else {family.stage}
        stages &= {CONTACT_STAGE, CASE_STAGE} if cell.stage is None else {cell.stage}
        self._read_counts(cell, stages)
        if CONTACT_STAGE in stages:
            shards = None if cell.shard is None else {cell.shard}
            self._keep_out(None)
            self._feed_contacts(self._active_in(cell, shards), shards)
            if cell.channel == NONE:
                self._feed_agents(cell, shards)
            for record in self._archive.read(("outcomes",), partitions={0}, wanted=lambda key, _: key == WATERMARK_KEY):
                self._hear(self._contacts_at, record)
        people = self._arrived_in(cell) if CASE_STAGE in stages else set()
        self._feed_people(self._linked(people, everywhere=True))
        return self._known

    def _home(self, key: str) -> int:
        return partition_of(key.encode(), self._archive.partitions)

    def _feed_contacts(self, keys: set[bytes], partitions: set[int] | None = None) -> None:
        """Fold the events of these contacts, and the restarts their shards heard of."""
        where = partitions or {partition_of(key, self._archive.partitions) for key in keys}

        def wanted(key: bytes | None, value: bytes | None) -> bool:
            return key in keys or (value is not None and _RESTART in value)

        if keys:
            self._feed(self._archive.read(SOURCES, partitions=where, wanted=wanted))

    def _feed_agents(self, cell: Cell, partitions: set[int] | None) -> None:
        """Every status of the agents that ended a spell in the cell's interval."""
        number = cell.start // INTERVAL_MS
        told = (e for e in self._events(("agents",), partitions) if e[2] == AGENT_STATUS)
        keys = {(event[5].agent or "").encode() for event in told if event[0] // INTERVAL_MS == number}
        if keys:
            self._feed(self._archive.read(("agents",), keys))

    def _feed(self, records: Iterable[Record]) -> None:
        batch = []
        for record in records:
            if self._place(record) not in self._left_out:
                batch.append(record)
            if len(batch) >= BATCH:
                self._stages.feed(batch)
                batch = []
        self._stages.feed(batch)

    def _place(self, record: Record) -> tuple[str, int, int]:
        return record.topic, partition_of(record.key or b"", self._archive.partitions), record.offset

    def _keep_out(self, keys: set[bytes] | None) -> None:
        """Learn what the workers rejected; of given keys also why, to be shown."""
        for record in self._archive.read(("rejected",), keys):
            said = {name.removeprefix("x-rejected-"): value.decode() for name, value in record.headers}
            self._left_out.add((said["topic"], int(said["partition"]), int(said["offset"])))
            if keys is not None:
                self._known.kept_out.append({**headline(record.value), **{k: said[k] for k in ("reason", "detail")}})

    def _linked(self, ids: set[str], *, everywhere: bool = False) -> set[str]:
        """Every id that is the same person as one of these, as far as the topics still tell."""
        pairs: set[tuple[str, str]] = set()
        found, new = set(ids), set(ids)
        while new:
            keys = None if everywhere else {name.encode() for name in new}
            where = None if keys is None else {partition_of(key, self._archive.partitions) for key in keys}
            pairs |= self._links(where)
            new = set()
            while more := {other for pair in pairs for other in pair if found & set(pair)} - found:
                found |= more
                new |= more
            new = set() if everywhere else new
        return found

    def _links(self, partitions: set[int] | None) -> set[tuple[str, str]]:
        """All pairs of ids that these partitions say are one person; the settlement is heard as well."""
        pairs = set()
        for record in self._archive.read(
            ("cases",), partitions=partitions, wanted=lambda _, value: value is not None and b"identity.linked" in value
        ):
            event = self._codec.decode(record.topic, record.key, record.value)
            if not isinstance(event, Rejection) and event[2] == LINKED:
                pairs.add((event[5].alias, event[5].customer or event[5].alias))
        for record in self._archive.read(("identities",), partitions=partitions):
            if record.key == WATERMARK_KEY:
                self._hear(self._homes_at, record)
                continue
            message = self._codec.decode_message(record.value)
            if not isinstance(message, Rejection) and message.kind == LINK:
                pairs.add((message.to, message.sender))
        if len(self._homes_at) >= self._archive.partitions:
            self._known.settled = min(self._homes_at.values())
        return pairs

    def _hear(self, told: dict[int, int], record: Record) -> None:
        said = self._codec.decode_watermark(record.value)
        if not isinstance(said, Rejection):
            told[said[0]] = max(said[1], told.get(said[0], said[1]))

    def _feed_people(self, ids: set[str]) -> None:
        """Make the cases of these ids (a contact nobody is known of is one, too) from their newest outcomes."""
        keys = {name.encode() for name in ids}
        if not keys:
            return
        newest: dict[tuple[bytes | None, str, int], dict[str, Any]] = {}
        wanted = {*keys, WATERMARK_KEY}
        partitions = {partition_of(key, self._archive.partitions) for key in keys}
        for record in self._archive.read(("outcomes",), partitions=partitions, wanted=lambda key, _: key in wanted):
            if record.key == WATERMARK_KEY:
                self._hear(self._contacts_at, record)
                continue
            told = loads(record.value or b"{}")
            name = (record.key, told["contact_id"], told["generation"])
            if name not in newest or newest[name]["revision"] <= told["revision"]:
                newest[name] = told
        there = {name: told for name, told in newest.items() if not told["withdrawn"]}
        for (_, contact_id, generation), told in there.items():
            known = self._known.outcomes.get((contact_id, generation))
            if known is None or known["revision"] <= told["revision"]:
                self._known.outcomes[contact_id, generation] = told
        first = [_record("outcomes", key, told | {"first": True}) for (key, _, _), told in there.items()]
        self._keep_out_cases(keys)
        self._feed([*first, *self._archive.read(("cases",), keys)])

    def _keep_out_cases(self, keys: set[bytes]) -> None:
        for record in self._archive.read(("rejected",), keys):
            said = dict(record.headers)
            if said["x-rejected-topic"] == b"cases":
                place = int(said["x-rejected-partition"]), int(said["x-rejected-offset"])
                self._left_out.add(("cases", *place))

    def _told_verdicts(self, names: set[str]) -> None:
        """Learn what was told of these cases."""
        if names:
            for record in self._archive.read(("verdicts",), {name.encode() for name in names}):
                self._take_verdict(loads(record.value or b"{}"))

    def _take_verdict(self, told: dict[str, Any]) -> None:
        """The last one written counts; a former customer's home that lets go of a case takes nothing from the new."""
        known = self._known.verdicts.get(told["case_id"])
        if known is None or not told["withdrawn"] or known["customer"] == told["customer"]:
            self._known.verdicts[told["case_id"]] = told

    def _customers_saying(self, name: str, value: str) -> set[str]:
        """The customers of whom an event of the case stage says this in its field ``name``."""
        plain = max(_PLAIN.findall(value), key=len, default="").encode()  # however a source spaces and escapes its JSON
        found = set()
        for record in self._archive.read(("cases",), wanted=lambda _, told: told is not None and plain in told):
            event = self._codec.decode(record.topic, record.key, record.value)
            if not isinstance(event, Rejection) and getattr(event[5], name, None) == value:
                found.add(event[5].customer or "")
        return found

    def _scan(self, topic: str, name: str, values: set[str]) -> list[dict[str, Any]]:
        """Every record of an output topic whose field ``name`` has one of these values."""
        needles = [dumps({name: value})[1:-1] for value in values]
        records = self._archive.read(
            (topic,), wanted=lambda _, told: told is not None and any(needle in told for needle in needles)
        )
        found = [loads(record.value or b"{}") for record in records]
        return [told for told in found if told.get(name) in values]

    def _read_counts(self, cell: Cell, stages: set[int]) -> None:
        """Add up what the cell's records of all shards say."""
        shards = range(self._archive.partitions) if cell.shard is None else (cell.shard,)
        keys = {cell.key(stage, shard) for stage in stages for shard in shards}
        newest: dict[bytes | None, dict[str, Any]] = {}
        for record in self._archive.read(("intervals",), keys):
            told = loads(record.value or b"{}")
            if record.key not in newest or newest[record.key]["version"] <= told["version"]:
                newest[record.key] = told
        if not newest:
            return
        counts: dict[str, int] = {}
        for told in newest.values():
            for series, amount in told["counts"].items():
                counts[series] = counts.get(series, 0) + amount
        self._known.counts = counts

    def _active_in(self, cell: Cell, shards: set[int] | None) -> set[bytes]:
        """The contacts that may have counted in a cell: an event of theirs, a restart, or an expiry lies in it."""
        found, restarts = set(), []
        expires = self._stages.policy.callback_expires_ms
        for event in self._events(SOURCES, shards):
            asks = event[2] in _ASKING and (event[0] + expires) // INTERVAL_MS == cell.start // INTERVAL_MS
            inside = asks or event[0] // INTERVAL_MS == cell.start // INTERVAL_MS
            if inside and event[2] <= LAST_CONTACT_RANK:
                found.add(event[5].contact_id.encode())
            elif inside and event[2] == RESTARTED:
                restarts.append(event)
        if restarts:
            for event in self._events(SOURCES, shards):
                if event[2] <= LAST_CONTACT_RANK and any(event[4] == r[4] and event[0] < r[0] for r in restarts):
                    found.add(event[5].contact_id.encode())
        return found

    def _arrived_in(self, cell: Cell) -> set[str]:
        """Whose contacts arrived in a cell's interval, or whose ticket or survey began in it."""
        number, found = cell.start // INTERVAL_MS, set()
        for record in self._archive.read(("outcomes",), wanted=lambda key, _: key != WATERMARK_KEY):
            if loads(record.value or b"{}").get("arrived_at", 0) // INTERVAL_MS == number:
                found.add((record.key or b"").decode())
        for event in self._events(("cases",), None):
            if event[0] // INTERVAL_MS == number and event[2] <= LINKED:
                found.add(event[5].customer or "")
        return found

    def _events(self, topics: tuple[str, ...], partitions: set[int] | None) -> Iterable[Event]:
        for record in self._archive.read(topics, partitions=partitions):
            event = self._codec.decode(record.topic, record.key, record.value)
            if not isinstance(event, Rejection):
                yield event


def _record(topic: str, key: bytes | None, value: object) -> Record:
    return Record(topic, 0, None, key, dumps(value), ())
