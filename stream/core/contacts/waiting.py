"""What of a contact waits now: visits in queues, messages without a reply, callbacks (2-numbers 2.6)."""

from stream.core.contacts import outcome as of
from stream.core.contacts.contact import Contact
from stream.core.figures.figures import Figures
from stream.core.figures.view import Open


def open_now(contacts: list[Contact], figures: Figures, watermark: int | None) -> tuple[Open, ...]:
    """The open things of a row's contacts at ``watermark`` (ms or None); usually none or one."""
    if len(contacts) == 1:
        return _open(contacts[0], figures, watermark)
    return tuple(entry for contact in contacts for entry in _open(contact, figures, watermark))


def _open(contact: Contact, figures: Figures, watermark: int | None) -> tuple[Open, ...]:
    policy = figures.policy
    if (contact.direction or "inbound") != "inbound":
        return ()
    asked = _callback(contact, figures, watermark) if contact.callbacks.requests else ()
    if contact.ended_at is not None:
        return asked
    since = contact.responses.since
    waits = [visit for visit in contact.seen_visits if visit.outcome == "waiting"]
    if (since is None and not waits) or of.is_inferred(contact, watermark, policy):
        return asked
    channel = contact.channel
    found = list(asked)
    for visit in waits:
        queue = of.queue_of(visit, contact)
        found.append(
            Open("queue", channel, policy.queue_label(queue), visit.entered_at, policy.target_ms(channel, queue))
        )
    if since is not None:
        home = of.home_queue(contact)
        target = policy.response_target_ms(channel, home)
        found.append(Open("message", channel, policy.queue_label(home), since, target))
    return tuple(found)


def _callback(contact: Contact, figures: Figures, watermark: int | None) -> tuple[Open, ...]:
    policy, request = figures.policy, contact.callbacks.waiting
    if request is None or of.expired_at(request, watermark, policy) is not None:
        return ()
    queue = policy.queue_label(request.queue or of.home_queue(contact))
    return (Open("callback", contact.channel, queue, request.requested_at, policy.callback_expires_ms),)
