"""Worlds that go on under another policy, policies to go on under, and everything a world can be asked for."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from stream.core.cases.person import KNOWN
from stream.core.cases.shard import CaseShard
from stream.core.contacts.shard import Shard, ShardId
from stream.core.engine.ledger import WATERMARK_KEY
from stream.core.policies.reader import read_policy
from stream.core.policy import DAY_MS, HOUR_MS
from stream.wire import json
from stream.wire.rows import JsonCodec
from tests.core.case_histories import START, Shape, history
from tests.core.case_policies import AGENTS, AGES_MS, CALENDAR, OFFICE
from tests.core.case_worlds import CaseWorld
from tests.vectors.world import MANUAL, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stream.core.engine.batch import Changes, Output
    from stream.core.engine.engine import Engine
    from stream.core.policy import Policy
    from tests.core.case_histories import Told

Tables = dict[str, Any]
BASE: Tables = {
    "lateness_ms": AGES_MS,  # nothing leaves
    "queues": {"billing": {}, "sales": {"target_ms": 30_000}},
    "issues": {"invoice": {}, "refund": {"window_ms": DAY_MS}},
    "steps": {"menu": ["main"]},
    "staff": {"teams": ["first-line"], "reasons": []},
}
NAMES: dict[str, Tables] = {
    "a queue": {"queues": {"quux": {}}},
    "an issue": {"issues": {"weather": {}}},
    "other menus": {"steps": {"menu": ["lost"]}},
    "the zone of a queue": {"queues": {"billing": {"zone": "Asia/Tokyo"}}},
    "the zone": {"zone": "America/New_York"},
    "hours": {"queues": {"billing": {"hours": OFFICE}}},
    "a calendar": {
        "calendars": {"de": {"zone": "Europe/Berlin", "hours": OFFICE, "holidays": ["2026-03-03"]}},
        "queues": {"sales": {"calendar": "de"}},
    },
    "hours of a shop": {"calendars": {"shop": CALENDAR}, "queues": {"billing": {"calendar": "shop"}}},
    "agents": {"agents": AGENTS},
    "another agent": {"agents": {"carl": {}}},
    "goals": {"goals": {"fcr": 0.7, "queues": {"sales": {"fcr": 0.9}}}},
    "teams": {"staff": {"teams": ["night", "quux"], "reasons": ["lunch"]}},
    "an agent of a team": {"agents": {"anna": {"team": "first"}}, "staff": {"teams": ["first"]}},
}
DEFINITIONS: dict[str, Tables] = {
    "short abandons": {"short_abandon_ms": 2_000},
    "short abandons of a queue": {"queues": {"billing": {"short_abandon_ms": 60_000}}},
    "targets": {
        "queues": {"sales": {"target_ms": 5_000}},
        "channels": {"voice": {"target_ms": 1_000, "response_target_ms": 5_000}},
    },
    "response target of a queue": {"queues": {"billing": {"response_target_ms": 2_000}}},
    "callbacks": {"callback_expires_ms": HOUR_MS},
    "timeouts": {
        "channels": {
            "voice": {"timeout_ms": HOUR_MS},
            "chat": {"timeout_ms": 40 * DAY_MS},
            "email": {"timeout_ms": 2 * DAY_MS},
        }
    },
    "transfers": {"rules": {"contact": {"transfers": "forbid"}}},
    "a rule": {"rules": {"mine": {"channels": ["voice"], "follow_up": "allow"}}},
    "windows of issues": {"issues": {"refund": {"window_ms": 3 * DAY_MS}, "invoice": {"window_ms": 12 * HOUR_MS}}},
    "a long window": {"cases": {"window_ms": 40 * DAY_MS}},
    "a short window": {"cases": {"window_ms": 2 * DAY_MS}},
    "match": {"cases": {"match": "customer"}},
    "resolution": {"cases": {"resolution": "disposition"}},
    "unidentified": {"cases": {"unidentified": "count"}},
    "abandoned": {"cases": {"abandoned": "fail"}},
    "after hours": {"cases": {"after_hours": "count"}, "queues": {"sales": {"hours": OFFICE}}},
}


def over(base: Tables, own: Tables) -> Tables:
    """``own`` laid over ``base``, table by table."""
    laid = {key: over(base[key], value) if isinstance(base.get(key), dict) else value for key, value in own.items()}
    return {**base, **laid}


POLICIES: dict[str, Policy] = {
    name: read_policy(over(BASE, own)) for name, own in {"base": {}, **NAMES, **DEFINITIONS}.items()
}


class AdoptingWorlds(CaseWorld):
    """Many partitions; a shard that comes back goes on under ``policy``, whatever it was counted under."""

    def _new(self, name: ShardId) -> Engine:
        shard = super()._new(name)
        shard.redefines = True
        return shard


class AdoptingWorld(World):
    """One partition; `adopt` is a restart under another policy."""

    redefines = True

    def __init__(self, policy: Policy) -> None:
        self.told: dict[tuple[str | None, str], dict[str, Any]] = {}  # the last word of each person on a case
        super().__init__(policy)

    def reload(self) -> None:
        """A crash, or a restart: what is not in the changelogs is gone."""
        self.shard = Shard(ShardId(1, 0), self.policy, JsonCodec(), MANUAL)
        self.cases = CaseShard(ShardId(2, 0), self.policy, JsonCodec(), 1)
        self.cases.clock.sources = ("nobody",)
        for shard, changelog in zip((self.shard, self.cases), self.changelogs, strict=True):
            shard.redefines = self.redefines
            for key, value in changelog.items():
                shard.load(key, value)
            shard.loaded()

    def _read(self, output: Output) -> None:
        super()._read(output)
        if output.topic == "verdicts":
            verdict = json.loads(output.value or b"")
            person = (verdict["customer"], verdict["case_id"])
            if verdict["withdrawn"]:
                self.told.pop(person, None)
            else:
                self.told[person] = verdict

    def current(self) -> dict[tuple[str | None, str], dict[str, Any]]:
        """The last word on every case of whoever leads now."""
        return {name: told for name, told in self.told.items() if self.leads(name[0])}

    def leads(self, customer: str | None) -> bool:
        """Whether cases are told under this id; those of an unknown customer are."""
        dossier = None if customer is None else self.cases.people.get(KNOWN + customer)
        return dossier is None or dossier.person.leads

    def restart(self, policy: Policy) -> None:
        """Start again under ``policy``; nothing is stored yet."""
        self.policy = policy
        self.reload()

    def first_batches(self) -> tuple[Changes, Changes]:
        """Let both shards store what the restart made of their rows; what travels is applied, too."""
        contacts = self.shard.apply((), {}, 0)
        told = self._keep(self.shard, contacts)
        cases = self.cases.apply((), {}, 0)
        self._keep(self.cases, cases)
        self._travel(told)
        return contacts, cases

    def adopt(self, policy: Policy) -> tuple[Changes, Changes]:
        """Go on under ``policy``; the first batch of each shard."""
        self.restart(policy)
        return self.first_batches()


def net(shards: Iterable[Engine]) -> dict[Any, int]:
    """Every nonzero net counter but those of the program itself."""
    total: dict[Any, int] = defaultdict(int)
    for shard in shards:
        for key, (rose, fell) in shard.view.counters.items():
            if not str(key[0]).startswith("contact_stream_") or key[0] == "contact_stream_quality_total":
                total[key] += rose - fell
    return {key: amount for key, amount in total.items() if amount}


def cells(shards: Iterable[Engine]) -> dict[Any, int]:
    """Every nonzero count of every interval cell."""
    total: dict[Any, int] = defaultdict(int)
    for shard in shards:
        for name, cell in shard.book.cells.items():
            for figure, amount in cell.counts.items():
                total[name, figure.key] += amount
    return {key: amount for key, amount in total.items() if amount}


def waiting(shards: Iterable[Engine]) -> dict[str, Any]:
    """What is open, and what agents are doing; and that no visit is unaccounted for."""
    found: dict[str, Any] = {}
    for shard in shards:
        assert not any(shard.view.unaccounted.values())
        found |= shard.view.open
        found |= {f"agent {name}": now for name, now in shard.view.staff.items()}
    return found


def said(verdicts: Mapping[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Verdicts without what depends on the way."""
    return {
        name: {key: value for key, value in told.items() if key not in ("id", "revision", "policy")}
        for name, told in verdicts.items()
    }


def lived(seed: int, policy: Policy) -> AdoptingWorld:
    """A world that has seen a history, and some time after it."""
    world = AdoptingWorld(policy)
    feed(world, history(seed, Shape(days=20)))
    world.advance(START + 30 * DAY_MS)
    return world


def feed(world: AdoptingWorld, told: list[Told]) -> None:
    """Give a world these events."""
    world.feed([one.record for one in told], 50)


def outputs(changes: Changes, topic: str) -> list[dict[str, Any]]:
    """What a batch told on a topic, watermarks left out."""
    return [json.loads(o.value or b"") for o in changes.outputs if o.topic == topic and o.key != WATERMARK_KEY]


def laid(**own: Any) -> Policy:  # noqa: ANN401  any value of a policy file
    """The base policy with ``own`` laid over it."""
    return read_policy(over(BASE, own))
