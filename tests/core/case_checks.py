"""What the laws of cases compare: worlds with the recount, with each other, and with what they have told."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from stream.core.engine.ledger import UNPUBLISHED
from stream.core.figures.series import series_of
from stream.core.policy import DAY_MS
from tests.core.case_histories import START
from tests.core.case_worlds import CaseWorld, Schedule
from tests.core.recount import END_OF_TIME, TYPES
from tests.core.recount_gauges import recount_gauges
from tests.core.recount_rules import recount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.core.policy import Policy
    from tests.core.case_histories import Told
    from tests.core.recount_rules import Recounted

DONE = START + 120 * DAY_MS
Table = dict[Any, Any]
RULED = ("state", "reason", "cause", "first", "resolved_at", "window_end")


def dice_of(seed: int | str) -> random.Random:
    """The same dice for the same seed."""
    return random.Random(seed)  # noqa: S311  a seed, not a secret


def schedule_of(seed: int, *, barrier: bool = False) -> Schedule:
    """How a world of this seed runs."""
    dice = dice_of(f"schedule {seed}")
    return Schedule(dice.choice((1, 2, 3, 4)), dice.choice((0.0, 0.0, 0.1, 0.3)), barrier)


def epochs(told: list[Told], policy: Policy, seed: int) -> list[tuple[list[Told], int]]:
    """The events in another order, some twice, cut into pieces; after each the watermark moves, and makes none late."""
    dice = dice_of(f"epochs {seed}")
    windows = (policy.cases.window_ms, DAY_MS)
    edges = [one.at + dice.choice(windows) + dice.choice((-1, 0, 1)) for one in told]  # a window ends, or nearly
    edges += [START + day * DAY_MS for day in range(40)]
    ticks = [*sorted(dice.sample(edges, dice.randint(0, 4))), DONE]
    pieces: list[list[Told]] = [[] for _ in ticks]
    for one in told:
        last = sum(tick <= one.at + policy.lateness_ms for tick in ticks[:-1])
        first = 0 if dice.random() < 0.5 else last
        for _ in range(dice.choice((1, 1, 1, 2))):
            pieces[dice.randint(first, last)].append(one)
    for piece in pieces:
        if dice.random() < 0.7:
            dice.shuffle(piece)
    return list(zip(pieces, ticks, strict=True))


def brief_epochs(told: list[Told], policy: Policy, seed: int) -> list[tuple[list[Told], int]]:
    """The events as they come, up to the lateness after they happened, and many steps of time."""
    dice = dice_of(f"brief {seed}")
    end = max((one.at for one in told), default=START) + 10 * DAY_MS
    ticks = sorted(START + dice.randrange(end - START) for _ in range(dice.randint(4, 14)))
    due = sorted(((one.at + dice.randrange(policy.lateness_ms), one) for one in told), key=lambda pair: pair[0])
    pieces = []
    for tick in [*ticks, end]:
        piece = [one for at, one in due if at <= tick]
        due = due[len(piece) :]
        pieces.append((piece, tick))
    return pieces


def played(told: list[Told], policy: Policy, seed: int) -> CaseWorld:
    """A world that has run the events by the schedule of the seed."""
    world = CaseWorld(policy, schedule_of(seed), dice_of(seed))
    for piece, tick in epochs(told, policy, seed):
        world.feed(piece, tick)
    return world


def same(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    """Whether two tables are equal; the first difference is raised."""
    for key in one.keys() | other.keys():
        here, there = one.get(key), other.get(key)
        if isinstance(here, dict) and isinstance(there, dict):
            assert not {name: (here[name], there[name]) for name in here if here[name] != there[name]}, key
        assert here == there, (key, here, there)
    return True


def rounded(gauges: Mapping[Any, float]) -> Table:
    """Sums of shares, whatever the order of adding; a little more, so that no round share lies on the edge."""
    return {key: float(f"{amount + 3e-10:.7f}") for key, amount in gauges.items() if abs(amount) > 1e-7}


def closed(world: CaseWorld) -> Table:
    """Net counters but the gauge of open cases, from which a case that leaves is taken."""
    return {key: net for key, net in world.counters().items() if key[0] != "contact_cases_open"}


def told_by(world: CaseWorld) -> Table:
    """What was told last of every case, without what depends on the way."""
    way = ("id", "revision", "policy")
    return {
        name: {key: value for key, value in told.items() if key not in way} for name, told in world.current().items()
    }


def check_recount(world: CaseWorld, told: list[Told], events_at: int) -> None:
    """Cases, verdicts, figures and cohorts are those of the recount; stage one has come to ``events_at``."""
    settled = world.case_shards[0].clock.settled
    found = recount(told, world.policy, events_at, settled)
    assert same(_as_told(world), _by_case(found))
    assert same(world.counters(), found.figures)
    own = {key: amount for key, amount in world.gauges().items() if key[-1] != "settled"}
    since = min((one.at for one in told if one.topic != "cases"), default=None)
    assert same(rounded(own), rounded(recount_gauges(found, world.policy, settled, since)))


def _by_case(found: Recounted) -> Table:
    """The recount's cases in the words of the verdicts."""
    return {
        (case.person, case.name): {
            "issue": case.issue,
            "contacts": [one.contact_id for one in case.contacts],
            "attempts": [one.contact_id for one in case.attempts],
            **{
                rule: one and (one.state, one.reason, one.cause, one.first.contact_id, one.resolved_at, one.window_end)
                for rule, one in said.items()
            },
        }
        for case, said in found.cases
    }


def _as_told(world: CaseWorld) -> Table:
    return {
        name: {
            "issue": told["issue"],
            "contacts": [one["contact_id"] for one in told["contacts"]],
            "attempts": [one["contact_id"] for one in told["prior_attempts"]],
            **{rule: said and tuple(said[field] for field in RULED) for rule, said in told["rules"].items()},
        }
        for name, told in world.current().items()
    }


def check_compacted(world: CaseWorld) -> None:
    """Who reads the last word on each case knows them all; a ticket of two people is left out."""
    own = {case: told for (_, case), told in world.current().items() if case.startswith(("contact:", "unidentified:"))}
    assert same({case: told for case, told in world.verdicts.items() if not case.startswith("T")}, own)


def check_states(world: CaseWorld, channels: Mapping[str, str]) -> None:
    """S + P + F + O = N for every rule, channel and day, N counted from the cases told; credited = S + P >= settled."""
    expected: dict[Any, int] = defaultdict(int)
    for told in world.current().values():
        for rule, said in told["rules"].items():
            if said is not None:
                expected[rule, channels[said["first"]], said["cohort"], said["state"]] += 1
    found: dict[Any, int] = defaultdict(int)
    states: dict[Any, int] = defaultdict(int)
    counted: dict[Any, int] = defaultdict(int)
    for key, net in world.counters().items():
        if key[0] == "~cohort":
            _, rule, day, channel, _, state = key
            found[rule, channel, day, state] += net
            states[rule, channel, state] += net
        elif key[0] == "contact_fcr_cases_total":
            counted[key[1], key[2], key[5]] += net
    assert {key: net for key, net in found.items() if net} == expected
    for rule, channel in {key[:2] for key in states}:
        settled, provisional = states[rule, channel, "settled"], states[rule, channel, "provisional"]
        assert counted[rule, channel, "settled"] == settled
        assert counted[rule, channel, "credited"] == settled + provisional
        assert counted[rule, channel, "failed"] == states[rule, channel, "failed"]


def check_corrections(world: CaseWorld) -> None:
    """Every published figure that ever fell, fell by what corrections say: no credit is taken back unsaid."""
    fallen: dict[str, int] = defaultdict(int)
    for shard in world.case_shards:
        for key, (_, fell) in shard.view.counters.items():
            if fell and key[0] not in UNPUBLISHED:
                fallen[series_of(key)] += fell
    assert fallen == world.fallen


def check_stored(world: CaseWorld) -> None:
    """What was booked is what the rows are worth, in the counters and in the cells."""
    worth: dict[Any, int] = defaultdict(int)
    cells: dict[Any, int] = defaultdict(int)
    for shard in world.case_shards:
        for key in [*shard.people.hot, *shard.people.resting]:
            dossier = shard.people.get(key)
            assert dossier is not None
            for booked in (*dossier.book.booked.values(), *dossier.book.asked.values()):
                for (figure, arrival, _), amount in booked.items():
                    worth[figure.key] += amount
                    if figure.place is not None and arrival >= 0:
                        cells[(arrival, "arrival", *figure.place.name), figure.key] += amount
    assert same({key: amount for key, amount in worth.items() if amount}, world.counters())
    assert same({key: amount for key, amount in cells.items() if amount}, world.cells())


def leaders_of(told: list[Told]) -> dict[str, str]:
    """The smallest id of each person."""
    persons: list[set[str]] = []
    for one in told:
        if one.event["type"] == "identity.linked":
            pair = {one.event["alias"], one.event["customer"]}
            persons = [p for p in persons if not p & pair] + [pair.union(*(p for p in persons if p & pair))]
    return {name: min(person) for person in persons for name in person}


def one_id_each(told: list[Told]) -> list[Told]:
    """The same history with every id replaced by its leader, and nothing linked."""
    leaders = leaders_of(told)
    plain = []
    for one in told:
        customer = one.event.get("customer")
        named = {} if customer is None else {"customer": leaders.get(customer, customer)}
        if one.event["type"] != "identity.linked":
            plain.append(one._replace(event={**one.event, **named}))
    return plain


def waiting_tickets(told: list[Told], policy: Policy) -> list[str]:
    """The tickets that are open: their cases never leave."""
    spoken = [(case.name, case.spoken("case", END_OF_TIME)) for case, _ in recount(told, policy, None, None).cases]
    return [name for name, words in spoken if words and TYPES[words[-1][2]] in ("case.opened", "case.reopened")]


def window_ends(told: list[Told], policy: Policy, at: int) -> list[int]:
    """When a window that runs from a contact's end or a resolution is over, and the ms before."""
    ends = set()
    for case, said in recount(told, policy, at, None).cases:
        window = policy.window_ms(case.issue)
        ends |= {one.first_over + window for one in case.contacts if one.first_over is not None}
        ends |= {one.window_end for one in said.values() if one is not None and one.window_end is not None}
    return sorted(ends | {end - 1 for end in ends})
