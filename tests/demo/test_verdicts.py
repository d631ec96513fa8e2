"""The simulator's account of a case against hand arithmetic: the definitions of 2-numbers 2.7 and 2.8, one by one.

Times in hours after midnight; the window is 7 d = 168 h.

    arrives 10    ends 11                                    179
    |--- first ---|=============== window ====================|
"""

import pytest

from stream.demo.centre.people import Errand, Person
from stream.demo.centre.simulator import Simulator
from stream.demo.scenario import HOUR_MS, WINDOW_MS
from stream.demo.truth.facts import Facts, Ticket, Word
from stream.demo.truth.verdicts import RULES, Case, Verdict
from tests.demo.worlds import START, scenario

W = WINDOW_MS // HOUR_MS
PROVISIONAL, OPEN, SETTLED = Verdict("provisional"), Verdict("open"), Verdict("settled")


def hours(number: float) -> int:
    """Ms after the start of the day."""
    return round(number * HOUR_MS)


def handled(arrives: float, ends: float | None, *words: tuple[float, str], inbound: bool = True) -> Facts:
    """A call one agent took, and the verdicts on it."""
    facts = Facts("voice", hours(arrives), inbound=inbound)
    facts.name, facts.queue, facts.outcome, facts.agents = "phone:1", "billing", "handled", ["anna"]
    facts.ended_at = None if ends is None else hours(ends)
    facts.words = [Word(hours(at), resolution) for at, resolution in words]
    return facts


def asked(arrives: float, outcome: str) -> Facts:
    """A call that ended with a message or a request."""
    facts = handled(arrives, arrives)
    facts.outcome, facts.agents, facts.asked_at = outcome, [], hours(arrives)
    return facts


def case(*contacts: Facts, words: tuple[tuple[float, str], ...] = ()) -> Case:
    """A case of these contacts and ticket words."""
    made = Case()
    made.contacts, made.words = list(contacts), [(hours(at), what) for at, what in words]
    return made


def check(made: Case, at: float, expected: Verdict | None, rule: int = 0) -> None:
    """The verdict of a rule (`contact` first) as of a settlement watermark."""
    assert made.judge(RULES[rule], hours(at)) == expected


def test_provisional_until_the_window_ends() -> None:
    """Resolved at its end; settled from resolution + W on, and not a millisecond sooner."""
    made = case(handled(10, 11))
    assert made.judge(RULES[0], hours(11 + W) - 1) == PROVISIONAL
    check(made, 11 + W, SETTLED)


@pytest.mark.parametrize(("later", "expected"), [(11, "failed"), (11 + W - 0.01, "failed"), (11 + W, "settled")])
def test_a_repeat_is_half_open(later: float, expected: str) -> None:
    """From the resolution on, up to but not at W."""
    made = case(handled(10, 11), handled(later, later + 1))
    found = made.judge(RULES[0], hours(400))
    assert found is not None
    assert found == (Verdict("failed", "repeat") if expected == "failed" else SETTLED)
    assert [fact.arrived_at for fact in made.repeated()] == ([hours(10)] if expected == "failed" else [])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([(11.01, "resolved")], PROVISIONAL),
        ([(11.01, "unresolved")], OPEN),
        ([(11.01, "escalated")], Verdict("failed", "escalated")),
        ([(11.01, "follow_up")], Verdict("failed", "follow_up")),
        ([(11.01, "resolved"), (12, "follow_up")], Verdict("failed", "follow_up")),
        ([(11.01, "unresolved"), (12, "resolved")], PROVISIONAL),
    ],
)
def test_the_last_word_counts(words: list[tuple[float, str]], expected: Verdict) -> None:
    """A later verdict replaces an earlier one."""
    check(case(handled(10, 11, *words)), 20, expected)


def test_unresolved_and_nobody_came_back() -> None:
    """Open until a window after the end, then failed; a later contact fails it at once, by its own reason."""
    made = case(handled(10, 11, (11.01, "unresolved")))
    assert made.judge(RULES[0], hours(11 + W) - 1) == OPEN
    check(made, 11 + W, Verdict("failed", "unresolved"))
    check(case(*made.contacts, handled(50, 51)), 60, Verdict("failed", "later_contact"))
    check(case(*made.contacts, handled(50, 51, inbound=False)), 60, Verdict("failed", "later_contact"))
    unhelpful = handled(50, 51, (51.01, "unresolved"), inbound=False)
    check(case(*made.contacts, unhelpful), 60, OPEN)


def test_a_redial_during_the_wrap_up_is_a_repeat() -> None:
    """The resolution counts from the end of the call, though the verdict came after the redial."""
    check(case(handled(10, 11, (11.02, "resolved")), handled(11.01, 12)), 20, Verdict("failed", "repeat"))


def test_a_message_is_decided_by_the_first_contact_with_an_agent() -> None:
    """Open until then; the agent's call decides, and so does the customer's own."""
    message = asked(10, "voicemail")
    check(case(message), 20, OPEN)
    check(case(message), 10 + W, Verdict("failed", "unresolved"))
    called = handled(30, 31, inbound=False)
    check(case(message, called), 40, PROVISIONAL)
    check(case(message, called, handled(50, 51)), 60, Verdict("failed", "repeat"))
    check(case(message, handled(30, 31, (31.01, "unresolved"))), 40, OPEN)


def test_an_outbound_call_is_no_repeat() -> None:
    """It joins the case and fails nothing."""
    check(case(handled(10, 11), handled(30, 31, inbound=False)), 40, PROVISIONAL)


def test_the_rules_differ() -> None:
    """Another channel is not seen by `channel`; a second agent fails `one_touch`; `survey` counts answers alone."""
    chat = handled(30, 31)
    chat.channel = "chat"
    made = case(handled(10, 11), chat)
    check(made, 40, Verdict("failed", "repeat"), 0)
    check(made, 40, PROVISIONAL, 1)
    check(made, 40, None, 3)
    first = handled(10, 11)
    first.agents, first.said = ["anna", "ben"], "no"
    check(case(first), 40, Verdict("failed", "transfer"), 2)
    check(case(first), 40, Verdict("failed", "survey"), 3)
    first.said = "yes"
    check(case(first, handled(30, 31)), 40, SETTLED, 3)


def test_with_a_ticket_the_ticket_decides() -> None:
    """Nothing is implied by the end; reopened or escalated inside the window fails, outside it does not."""
    opened = (10, "opened")
    check(case(handled(10, 11), words=(opened,)), 20, OPEN)
    resolved = (opened, (12, "resolved"))
    check(case(handled(10, 11), words=resolved), 12 + W, SETTLED)
    check(case(handled(10, 11), words=(*resolved, (20, "reopened"))), 30, Verdict("failed", "reopened"))
    check(case(handled(10, 11), words=(*resolved, (12 + W, "reopened"))), 400, SETTLED)
    check(case(handled(10, 11), words=(*resolved, (20, "escalated"))), 30, Verdict("failed", "escalated"))
    check(case(handled(10, 11), words=(*resolved, (12 + W, "escalated"))), 400, SETTLED)
    check(case(handled(10, 11), handled(11.5, 11.6), words=resolved), 20, Verdict("failed", "later_contact"))
    check(case(handled(10, 11), words=(opened, (12, "closed"))), 20, PROVISIONAL)
    check(case(words=(opened,)), 20, None)


def test_help_that_comes_too_late_or_from_an_agent() -> None:
    """Unresolved, nobody fails it any more once a window has passed; who calls may resolve it before the first does."""
    denied = handled(10, 11, (12, "unresolved"))
    denied.last_at = hours(12)
    check(case(denied, handled(12 + W, 13 + W)), 400, Verdict("failed", "unresolved"))
    check(case(denied, handled(11.9 + W, 13 + W)), 400, Verdict("failed", "later_contact"))
    late = handled(10, 40, (39, "resolved"))
    check(case(late, handled(20, 21, inbound=False)), 60, Verdict("failed", "later_contact"))
    check(case(late, handled(39, 41, inbound=False)), 60, PROVISIONAL)


def test_a_ticket_is_counted_under_what_names_it() -> None:
    """Nobody was served: channel and queue are those of the first contact that names it, unless who called gave up."""
    world = Simulator(scenario("calm"), 1, START).world
    person = next(one for one in iter(lambda: Person(world), None) if one.names)
    errand = Errand(person, "billing", "invoice")
    errand.tickets = [Ticket("T1", person.names[0])]
    gave_up, by_machine = (asked(at, outcome) for at, outcome in ((9, "abandoned"), (10, "self_served")))
    for one in (gave_up, by_machine):
        one.name, one.ticket, one.queue = person.names[0], errand.tickets[0], "sales"
    errand.contacts = [gave_up]
    assert [made.place[:2] for made in errand.cases()] == [("none", "unassigned")]
    errand.contacts = [gave_up, by_machine]
    assert [made.place[:2] for made in errand.cases()] == [("voice", "sales")]


def test_the_latest_contact_says_whether_a_case_is_open() -> None:
    """Resolved by the first, open again while the second goes on."""
    assert case(handled(10, 11)).solved_at() == hours(11)
    assert case(handled(10, 11), handled(20, None)).solved_at() is None
    assert case(handled(10, 11), handled(20, 21, (21.01, "unresolved"))).solved_at() is None
    assert case(handled(10, 11, (11.01, "unresolved")), handled(20, 21)).solved_at() == hours(21)
    assert case(handled(10, 11), words=((10, "opened"), (12, "closed"))).solved_at() == hours(12)
    opened, solved = (10, "opened"), (30.01, "resolved")
    assert case(handled(10, 11), handled(30, 31, solved), words=(opened, (12, "closed"))).solved_at() == hours(30.01)
    denied = handled(30, 31, (31.01, "unresolved"))
    assert case(handled(10, 11), denied, words=(opened, (12, "closed"))).solved_at() is None


def test_an_errand_is_one_case_as_far_as_anybody_knows() -> None:
    """Names nobody has linked and tickets nobody has merged make cases of their own, until somebody does."""
    simulator = Simulator(scenario("calm"), 1, START)
    person = next(one for one in iter(lambda: Person(simulator.world), None) if len(one.names) > 1)
    errand = Errand(person, "billing", "invoice")
    first, second, third = handled(10, 11), handled(20, 21), handled(30, 31)
    first.name, second.name, third.name = person.names[0], person.names[1], ""
    errand.contacts = [first, second, third]
    assert [made.contacts for made in errand.cases()] == [[first], [second]]
    person.link(*person.names[:2])
    assert [made.contacts for made in errand.cases()] == [[first, second]]
    errand.tickets = [Ticket("T1", first.name), Ticket("T2", first.name)]
    first.ticket, second.ticket = errand.tickets
    assert len(list(errand.cases())) == 2
    errand.tickets[1].into = errand.tickets[0]
    assert [made.contacts for made in errand.cases()] == [[first, second]]
