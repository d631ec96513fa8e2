"""What customers do: they get in touch, come back the same day or after the window, about the same thing or another.

Everybody decides after each contact, by what came of it and by their own dice. What is true of cases follows from how
they decide, and needs no matching:

    one contact at a time, but for a thread of e-mail that nobody waits for any more; a contact about the same issue
    arrives well inside the window, or well after everything that was said of the issue; two issues within a window
    only from those who always say what it is about

Source: 2-numbers 2.7, 5-operating 5.3.
"""

from collections.abc import Generator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from stream.demo.centre import chat, mail, outbound, service
from stream.demo.centre.call import Call
from stream.demo.centre.contact import Contact, Reason
from stream.demo.centre.menu import listen
from stream.demo.centre.people import ISSUES, Errand, Person
from stream.demo.centre.tickets import open_ticket, work_on
from stream.demo.centre.waiting import seek_help
from stream.demo.centre.world import PEOPLE
from stream.demo.scenario import HOUR_MS, WINDOW_MS

if TYPE_CHECKING:
    from stream.demo.centre.agenda import Process
    from stream.demo.centre.world import World

_INSIDE_MS: Final = WINDOW_MS * 9 // 10
"""An issue about which somebody comes back is not older than this: no contact comes near the end of the window."""
_AFTER_THE_WRAP_UP_MS: Final = 120_000
"""No agent calls sooner, so that whoever calls knows the name the contact was put under."""
_MOST_CONTACTS: Final = 5
_MOST_ERRANDS: Final = 4
_AGAIN: Final = {
    "handled": 0.18,
    "resolved": 0.18,
    "unresolved": 0.65,
    "follow_up": 0.35,
    "escalated": 0.4,
    "voicemail": 0.45,
    "callback": 0.6,
    "abandoned": 0.5,
    "abandoned_short": 0.5,
    "abandoned_step": 0.35,
    "system": 0.25,
    "self_served": 0.05,
    "unknown": 0.3,
    "": 0.5,
}
"""How likely a customer comes back, by the verdict, else by what came of the contact."""
_CALLED: Final = {"voicemail": 0.6, "unresolved": 0.3, "follow_up": 0.5, "resolved": 0.02, "callback": 0.2}
"""How likely an agent calls, likewise."""
_CHANNELS: Final = (("voice", 76), ("chat", 14), ("email", 10))
_WRITTEN_TO: Final = 0.25
_SWITCHES: Final = 0.2
_REFERS: Final = 0.1
_REDIALS: Final = 0.15
_ANOTHER: Final = 0.15
_SAME_ISSUE: Final = 0.6
_LINKED_EARLY: Final = 0.3
_LINKED_LATE: Final = 0.8
_CYCLE: Final = 0.4
_REPEATED: Final = 0.3


def arrive(world: "World", concern: str) -> None:
    """Let somebody new get in touch, now."""
    person = Person(world)
    errand = _want(world, person, concern, person.rng.choice(ISSUES[concern]))
    _plan_links(world, person)
    begin(world, Reason(errand, _channel(person)))


def _channel(person: Person, but: str = "") -> str:
    """How somebody gets in touch, other than by the channel `but`."""
    names, weights = zip(*(one for one in _CHANNELS if one[0] != but), strict=True)
    chosen: str = person.rng.choices(names, weights)[0]
    return chosen


def file_ticket(world: "World", concern: str) -> None:
    """Let somebody new open a ticket on the web, now, and never call."""
    person = Person(world)
    if person.names:
        errand = _want(world, person, concern, person.rng.choice(ISSUES[concern]))
        open_ticket(world, errand, person.names[0])
        work_on(world, errand)


def begin(world: "World", reason: Reason, delay_ms: int = 0) -> None:
    """Plan a contact."""
    holder: list[Process] = []
    holder.append(world.book(_get_in_touch(world, reason, holder), delay_ms))


def _want(world: "World", person: Person, concern: str, issue: str) -> Errand:
    errand = Errand(person, concern, issue)
    world.truth.cases.open(errand)
    return errand


def _get_in_touch(world: "World", reason: Reason, holder: "list[Process]") -> Generator[int | None, Any, None]:
    """One contact from the first word to the last, and what the customer makes of it."""
    contact: Contact
    if reason.channel == "chat":
        contact = talk = chat.Chat(world, reason)
        talk.process = holder[0]
        yield from chat.converse(talk)
    elif reason.channel == "email":
        contact = thread = mail.Mail(world, reason)
        yield from mail.correspond(thread)
    else:
        contact = call = Call(world, reason)
        call.process = holder[0]
        queue = yield from listen(call)
        yield from seek_help(call, queue)
        if call.callback:
            yield from service.call_back(call, call.callback)
    work_on(world, contact.errand)
    yield from _go_on(contact)


def _go_on(contact: Contact) -> Generator[int | None, Any, None]:
    """Decide what comes next, and plan it."""
    world, facts, rng = contact.world, contact.facts, contact.errand.person.rng
    mood = contact.verdict if facts.outcome == "handled" and contact.verdict else facts.outcome
    if facts.counts and rng.random() < _CALLED.get(mood, 0.0):
        world.book(_be_called(contact), max(_AFTER_THE_WRAP_UP_MS, _soon(contact)))
    elif rng.random() < _AGAIN[mood]:
        _come_back(contact)
    else:
        _move_on(contact)
    yield 0


def _be_called(contact: Contact) -> Generator[int | None, Any, None]:
    """An agent calls; then the customer is free to call again."""
    if contact.errand.person.rng.random() < _WRITTEN_TO:
        yield from outbound.write_out(contact)
    else:
        yield from outbound.call_out(contact)
    if contact.errand.person.rng.random() < _AGAIN["handled"]:
        _come_back(contact)
    else:
        _move_on(contact)


def _come_back(contact: Contact) -> None:
    """Get in touch about the same issue, while it is the same case."""
    world, errand = contact.world, contact.errand
    rng = errand.person.rng
    delay_ms = _soon(contact)
    since = _known_at(errand) if errand.person.certain else errand.contacts[0].arrived_at
    if len(errand.contacts) >= _MOST_CONTACTS or world.now + delay_ms >= since + _INSIDE_MS:
        return
    channel = contact.facts.channel
    if rng.random() < _SWITCHES:
        channel = _channel(errand.person, but=channel)
    refers = errand.person.certain and contact.facts.counts and rng.random() < _REFERS
    begin(world, Reason(errand, channel, contact.contact_id if refers and channel == "voice" else ""), delay_ms)


def _known_at(errand: Errand) -> int:
    """Since when the last contact of the case may have resolved it, ms; the first arrival while there is none."""
    last = next((facts for facts in reversed(errand.contacts) if facts.counts and facts.inbound), None)
    if last is None:
        return errand.contacts[0].arrived_at
    said = [word.at for word in last.words if word.resolution == "resolved"]
    return min([last.last_at if last.ended_at is None else last.ended_at, *said])


def _soon(contact: Contact) -> int:
    """When somebody comes back, ms: at once, minutes after nobody helped, else as long as the scenario says."""
    rng = contact.errand.person.rng
    if rng.random() < _REDIALS:
        return rng.randrange(5_000, 60_000)
    if contact.facts.outcome != "handled":
        return rng.randrange(30_000, 900_000)
    return rng.randrange(*contact.world.scenario.returns_ms)


def _move_on(contact: Contact) -> None:
    """Be content; perhaps want something else, perhaps the same once the window has passed."""
    world, errand = contact.world, contact.errand
    person = errand.person
    rng = person.rng
    if not person.names or len(person.errands) >= _MOST_ERRANDS:
        return
    concern = rng.choice(list(ISSUES))
    others = [issue for issue in ISSUES[concern] if all(issue != known.issue for known in person.errands)]
    if person.states_issue and others and rng.random() < _ANOTHER:
        begin(
            world, Reason(_want(world, person, concern, rng.choice(others))), rng.randrange(*world.scenario.returns_ms)
        )
    elif rng.random() < world.scenario.comes_again:
        world.book(_after_the_window(world, errand), rng.randrange(HOUR_MS, WINDOW_MS))


def _after_the_window(world: "World", errand: Errand) -> Generator[int | None, Any, None]:
    """Want the same or something else, once everything about the last time is older than the window."""
    person = errand.person
    over = max(known.last_at for known in person.errands) + WINDOW_MS + 60_000
    if world.now < over:
        world.book(_after_the_window(world, errand), over - world.now)
    elif errand is person.errands[-1]:
        same = person.rng.random() < _SAME_ISSUE
        issue = errand.issue if same else person.rng.choice(ISSUES[errand.concern])
        begin(world, Reason(_want(world, person, errand.concern, issue)))
    yield 0


def _plan_links(world: "World", person: Person) -> None:
    """Decide when, if ever, it is said that several names are one person's."""
    rng, names = person.rng, person.names
    fate = rng.random()
    if len(names) < 2 or fate >= _LINKED_LATE:  # noqa: PLR2004 - one name needs no link
        return
    pairs = list(pairwise(names))
    if len(names) > len(pairs) > 1 and rng.random() < _CYCLE:
        pairs.append((names[-1], names[0]))
    if rng.random() < _REPEATED:
        pairs.append(rng.choice(((names[0], names[1]), (names[1], names[0]))))
    for one, other in pairs:
        late_ms = rng.randrange(*world.scenario.returns_ms)
        world.book(_link(world, person, one, other), 0 if fate < _LINKED_EARLY else late_ms)


def _link(world: "World", person: Person, one: str, other: str) -> Generator[int | None, Any, None]:
    """It turns out that two names are one person's."""
    person.link(one, other)
    world.note("identity.linked", other, PEOPLE, customer=one, alias=other)
    yield 0
