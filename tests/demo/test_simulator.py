"""The simulated centre: the same seed gives the same world, and its books always balance."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from stream.core.events import Rejection
from stream.demo.centre.simulator import Simulator
from stream.demo.scenario import DAY_MS, SCENARIOS
from stream.demo.truth.truth import Book, Truth
from stream.wire.decode import decode
from stream.wire.json import dumps
from tests.demo.worlds import START, moments, scenario

LONG = 8 * DAY_MS
"""Until then everybody who is not heard of any more has ended, and every callback was served or has expired."""


def _run(name: str, contacts: int, seed: int = 1, scale: float = 1.0) -> tuple[Simulator, list[bytes]]:
    simulator = Simulator(scenario(name, scale=scale), seed, START, 600_000)
    return simulator, [dumps(said.event) for moment in moments(simulator, contacts) for said in moment.events]


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_same_seed_gives_the_same_world(name: str) -> None:
    """Scenario, seed and start decide every byte and every figure."""
    first, events = _run(name, 150)
    second, again = _run(name, 150)
    assert events == again
    assert first.truth.counters() == second.truth.counters()


def test_another_seed_gives_another_world() -> None:
    """Nothing but the seed is random."""
    assert _run("calm", 50, seed=1)[1] != _run("calm", 50, seed=2)[1]


def test_every_event_is_canonical() -> None:
    """The decoder of the product accepts every event under the key the specification names."""
    simulator = Simulator(scenario("outage-spike"), 3, START, 600_000)
    for moment in moments(simulator, 600):
        for said in moment.events:
            decoded = decode(said.topic or "cases", said.key.encode(), dumps(said.event))
            assert not isinstance(decoded, Rejection), decoded
            assert decoded[0] == moment.at


def test_moments_are_in_order_of_time_and_ids_are_unique() -> None:
    """Time never goes back, and no event id is used twice."""
    simulator = Simulator(scenario("monday-morning"), 4, START, 600_000)
    at, ids = START, Counter[object]()
    for moment in moments(simulator, 400):
        assert moment.at >= at
        at = moment.at
        ids.update((said.event["source"], said.event["event_id"]) for said in moment.events)
    assert max(ids.values()) == 1


@pytest.mark.parametrize("name", ["calm", "outage-spike"])
def test_the_books_balance_at_every_moment(name: str) -> None:
    """Visits entered are those that ended plus those that wait, after every single moment (2-numbers 2.2)."""
    simulator = Simulator(scenario(name), 5, START)
    for _ in moments(simulator, 500):
        assert _unaccounted(simulator.truth) == 0
    left = {name.partition("{")[0] for name in simulator.truth.gauges(simulator.now + LONG)}
    assert left == {"contact_agents", "contact_queue_agents", "contact_cases_open", "contact_fcr_cohort_cases"}


def _total(book: Book, family: str) -> int:
    return sum(number for key, number in book.counts.items() if key[0] == family)


def _unaccounted(truth: Truth) -> int:
    entered = truth.total("contact_visits_entered_total")
    return entered - truth.total("contact_visits_total") - truth.total("contact_queue_waiting")


def test_a_complete_world_adds_up() -> None:
    """When every contact has ended: contacts = arrivals, steps entered = steps ended, waits = answered and given up."""
    simulator, _ = _run("outage-spike", 1_500)
    truth, ended = simulator.truth, simulator.truth.of_contacts(simulator.now + LONG)
    visits = truth.by_label("contact_visits_total", 2)
    arrivals = truth.by_label("contact_arrivals_total", 1)
    assert _total(ended, "contact_contacts_total") == arrivals["inbound"]
    callbacks = Counter[str]()
    for family, *labels in ended.counts:
        if family == "contact_callbacks_total":
            callbacks[labels[1]] += ended.counts[(family, *labels)]
    assert callbacks["requested"] == callbacks["reached"] + callbacks["expired"] > 0
    assert arrivals.total() == simulator.contacts
    steps = truth.by_label("contact_steps_total", 1)
    assert steps.pop("entered") == steps.total()
    assert truth.count("contact_wait_seconds", 2, "answered") == visits["answered"]
    given_up = visits["abandoned"] + visits["abandoned_short"] + visits["exited"]
    assert truth.count("contact_wait_seconds", 2, "abandoned") == given_up
    assert truth.by_label("contact_contacts_total", 1)["handled"] >= _total(ended, "contact_handled_total") > 0


def test_it_shows_the_whole_slice() -> None:
    """A busy day meets every way out of a queue but the rarest, every kind of transfer, and every end of a step."""
    simulator, _ = _run("outage-spike", 6_000, seed=2)
    truth = simulator.truth
    outcomes = {"answered", "abandoned", "abandoned_short", "exited", "callback", "voicemail", "overflow", "system"}
    assert outcomes <= truth.by_label("contact_visits_total", 2).keys()
    assert {"blind", "queue", "consult", "external"} <= truth.by_label("contact_transfers_total", 2).keys()
    ends = {"entered", "continued", "abandoned", "self_served", "system"}
    assert ends == truth.by_label("contact_steps_total", 1).keys()
    for family in ("contact_ended_on_hold_total", "contact_agent_dropped_total", "contact_escalations_total"):
        assert _total(truth.of_contacts(None), family) > 0, family


def test_nothing_begins_once_no_contact_is_taken() -> None:
    """What is open goes on to its end, e-mail for some days; nobody comes back, no ticket is worked on."""
    simulator, _ = _run("calm", 800)
    contacts = [contact for errand in simulator.truth.cases.errands for contact in errand.contacts]
    last = max(contact.arrived_at for contact in contacts)
    assert simulator.contacts <= 802
    assert all(contact.ended_at is not None for contact in contacts if contact.channel != "email")
    assert simulator.now - last < LONG


def test_every_fate_of_a_case_is_met() -> None:
    """Every state, every reason but those that need a window to pass, and every kind of customer and ticket."""
    simulator, events = _run("outage-spike", 4_000, seed=3, scale=2)
    cases = simulator.truth.of_cases(simulator.now)
    reasons = {key[3] for key, number in cases.counts.items() if key[0] == "contact_fcr_failed_total" and number}
    assert reasons == {"escalated", "follow_up", "transfer", "later_contact", "reopened", "repeat", "survey"}
    said = Counter(json.loads(event)["type"] for event in events)
    words = {"opened", "resolved", "reopened", "escalated", "closed", "merged"}
    assert {f"case.{word}" for word in words} | {"survey.offered", "survey.answered", "identity.linked"} <= said.keys()
    states = {key[3] for key, number in cases.counts.items() if key[0] == "contact_fcr_cohort_cases" and number}
    assert states == {"settled", "provisional", "failed", "open"}, "a survey settles at once"
    people = {len(errand.person.names) for errand in simulator.truth.cases.errands}
    assert people == {0, 1, 2, 3}


def _net_abandonment(name: str, calls: int = 2_000) -> float:
    visits = _run(name, calls)[0].truth.by_label("contact_visits_total", 2)
    return (visits["abandoned"] + visits["exited"]) / (visits.total() - visits["abandoned_short"])


def test_abandonment_follows_from_load() -> None:
    """Calm loses few callers, a Monday morning more, an outage by far the most, above any goal."""
    calm, monday, outage = (_net_abandonment(name) for name in ("calm", "monday-morning", "outage-spike"))
    assert calm < 0.03 < monday < outage
    assert outage > 0.1


def test_more_agents_mean_fewer_lost_callers() -> None:
    """The same callers at a larger centre wait less: nobody's fate is thrown by dice alone."""
    busy = scenario("outage-spike")
    small = Simulator(busy, 6, START)
    queues = {name: replace(plan, agents=plan.agents * 5) for name, plan in busy.queues.items()}
    roomy = Simulator(replace(busy, queues=queues), 6, START)
    for simulator in (small, roomy):
        for _ in moments(simulator, 1_500):
            pass
    lost = [simulator.truth.by_label("contact_visits_total", 2)["abandoned"] for simulator in (small, roomy)]
    assert lost[1] < lost[0] / 4


def test_closed_queues_turn_callers_away() -> None:
    """Outside the hours a queue is closed: out at once, and not abandoned."""
    simulator, _ = _run("calm", 4_500)
    assert simulator.truth.by_label("contact_visits_total", 2)["closed"] > 0
