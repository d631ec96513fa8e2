"""What a shard writes: its changelog rows, its outputs, and how the rows are read back.

    c/<contact_id>                      a contact's row
    t/<number>/<contact_id>             a page of its tail, when that is very long
    n/<family, two labels>              counters that share them: [rest of the key, total, retracted]
    i/<interval, by, place>             one interval cell
    s                                   the shard row: next, watermark, what was seen, restarts

Every output carries an id computed from its inputs. Source: 1-events 1.6 and 1.7, 4-architecture 4.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stream import __version__
from stream.core.batch import Output
from stream.core.cells import INTERVAL_MS
from stream.core.events import Rejection
from stream.core.outcome import is_inferred
from stream.core.report import contact_report, told
from stream.core.series import series_of
from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from stream.core.batch import Changes, Record, ShardId
    from stream.core.cells import Cell, Figure
    from stream.core.row import Row
    from stream.core.shard import Shard

CELL_PACE_MS = 1_000  # a cell is published at most this often
WATERMARK_PACE_MS = 1_000
WATERMARK_REPEAT_MS = 10_000
SHARD_ROW = b"s"
WATERMARK_KEY = b"~watermark"


def load(shard: Shard, key: bytes, value: bytes | None) -> None:
    """Take one changelog record; see `Shard.load`."""
    kind = key[:2]
    if kind == b"c/":
        if value is None:
            shard.frozen.pop(key[2:].decode(), None)
        else:
            shard.frozen[key[2:].decode()] = value
    elif kind == b"t/":
        shard.pages.load(key, value)
    elif kind == b"n/":
        _load_counters(shard, key, value)
    elif kind == b"i/":
        _load_cell(shard, key, value)
    elif key == SHARD_ROW and value is not None:
        _load_shard_row(shard, value)


def _load_counters(shard: Shard, key: bytes, value: bytes | None) -> None:
    group: Any = shard.codec.unpack(key[2:])
    rows: Any = [] if value is None else shard.codec.unpack(value)
    for *rest, total, retracted in rows:
        figure = shard.figures.restore((*group, *rest))
        figure.total, figure.retracted = total, retracted


def _load_cell(shard: Shard, key: bytes, value: bytes | None) -> None:
    book = shard.book
    parts: Any = shard.codec.unpack(key[2:])
    interval, by, *name = parts
    cell = book.cell(shard.figures.place(*name), interval, by)
    if value is None:
        book.forget(cell)
        return
    state: Any = shard.codec.unpack(value)
    cell.version = state["version"]
    cell.counts = {shard.figures.restore(tuple(counter)): amount for *counter, amount in state["counts"]}
    (book.dirty.add if state["dirty"] else book.dirty.discard)(cell)


def _load_shard_row(shard: Shard, value: bytes) -> None:
    state: Any = shard.codec.unpack(value)
    if state["policy"] != shard.definition:
        raise Trouble(
            f"cannot go on counting in shard {shard.id.stage}-{shard.id.partition}",
            f"its figures were counted under policy {state['policy']}, this one is {shard.definition}",
            "use the policy of before, or start anew with another CONTACT_STREAM_APP_ID; a replay shows the difference",
            exit_code=2,
        )
    shard.next = dict(state["next"])
    shard.clock.value = state["watermark"]
    shard.clock.seen = dict(state["seen"])
    shard.restarts = [
        event
        for topic, key, body in state["restarts"]
        if not isinstance(event := shard.codec.decode(topic, key.encode(), body.encode()), Rejection)
    ]


def loaded(shard: Shard) -> None:
    """Set timers, find what is open, and show the figures."""
    shard.timers.fill({name: shard.codec.row_times(packed).due for name, packed in shard.frozen.items()})
    for name, packed in list(shard.frozen.items()):
        times = shard.codec.row_times(packed)
        shard.book.begin(times.channel, times.first_at)
        if times.waits:
            shard.find_open(name)
    view = shard.view
    figures = shard.figures.known.values()
    view.counters = {f.key: (f.total, f.retracted) for f in figures if f.total or f.retracted}
    view.open = dict(shard.open)
    view.watermark = shard.clock.value
    view.rows = shard.rows()


def owes(shard: Shard, now: int) -> bool:
    """Whether cells or the watermark wait to be published."""
    if any(cell.published_at + CELL_PACE_MS <= now for cell in shard.book.dirty):
        return True
    return shard.clock.value is not None and _watermark_due(shard, now)


def _watermark_due(shard: Shard, now: int) -> bool:
    value, at = shard.told_watermark
    moved = value != shard.clock.value and (now - at >= WATERMARK_PACE_MS or not now)
    return moved or now - at >= WATERMARK_REPEAT_MS


def settle(shard: Shard, changes: Changes, now: int) -> None:
    """Close a batch: tallies, cells, counters, the watermark and the shard row."""
    book, clock = shard.book, shard.clock
    for (topic, result), count in changes.tally.items():
        if count:
            book.count(shard.figures.get(("contact_stream_records_total", topic, result)), count)
    for result in ("applied", "duplicate", "rejected"):
        amount = sum(count for (_, name), count in changes.tally.items() if name == result)
        setattr(changes, "duplicates" if result == "duplicate" else result, amount)
    _publish_cells(shard, changes, now)
    if clock.value is not None:
        for key in book.spent(clock.value, shard.policy.lateness_ms):
            changes.changelog.append((b"i/" + shard.codec.pack(key), None))
        oldest = clock.value - shard.policy.lateness_ms
        shard.restarts = [event for event in shard.restarts if event[0] >= oldest]
    _store_book(shard, changes)
    if clock.value is not None and _watermark_due(shard, now):
        shard.told_watermark = (clock.value, now)
        changes.outputs.append(_watermark(shard, clock.value))
    if changes.changelog or changes.outputs or changes.tally:
        changes.changelog.append((SHARD_ROW, _shard_row(shard)))
    changes.watermark = clock.value
    changes.rows = shard.rows()


def _publish_cells(shard: Shard, changes: Changes, now: int) -> None:
    book = shard.book
    book.dirty |= book.changed_cells
    for cell in [c for c in book.dirty if now and c.published_at + CELL_PACE_MS <= now]:
        cell.published_at = now
        cell.version += 1
        book.dirty.discard(cell)
        book.changed_cells.add(cell)
        changes.outputs.append(_interval(shard, cell))


def _interval(shard: Shard, cell: Cell) -> Output:
    interval, by, channel, queue, issue = cell.key
    stage, partition = shard.id
    name = f"{stage}/{partition}/{interval * INTERVAL_MS}/{by}/{channel}/{queue}/{issue}"
    value = {
        "id": f"{name}/{cell.version}",
        "stage": stage,
        "shard": partition,
        "start": interval * INTERVAL_MS,
        "by": by,
        "channel": channel,
        "queue": queue,
        "issue": issue,
        "version": cell.version,
        "counts": {series_of(figure.key): amount for figure, amount in cell.counts.items() if amount},
    }
    return Output("intervals", name.encode(), shard.codec.pack(value), [], None)


def _store_book(shard: Shard, changes: Changes) -> None:
    book, pack = shard.book, shard.codec.pack
    for cell in book.changed_cells:
        counts = [[*figure.key, amount] for figure, amount in cell.counts.items()]
        state = {"version": cell.version, "dirty": cell in book.dirty, "counts": counts}
        changes.changelog.append((b"i/" + pack(cell.key), pack(state)))
    for group in {figure.key[:3] for figure in book.changed_figures}:
        members = [f for f in shard.figures.groups[group] if f.total or f.retracted]
        rows = [[*figure.key[3:], figure.total, figure.retracted] for figure in members]
        changes.changelog.append((b"n/" + pack(group), pack(rows)))
    changes.counters = {figure.key: (figure.total, figure.retracted) for figure in book.changed_figures}
    book.changed_cells = set()
    book.changed_figures = set()


def _shard_row(shard: Shard) -> bytes:
    restarts = [["calls", event[4], shard.codec.body(event)] for event in shard.restarts]
    clock = shard.clock
    return shard.codec.pack(
        {
            "policy": shard.definition,
            "next": shard.next,
            "watermark": clock.value,
            "seen": clock.seen,
            "restarts": restarts,
        }
    )


def _watermark(shard: Shard, watermark: int) -> Output:
    stage, partition = shard.id
    value = {"id": f"{stage}/{partition}/{watermark}", "stage": stage, "shard": partition, "watermark": watermark}
    return Output("outcomes", WATERMARK_KEY, shard.codec.pack(value), [("x-kind", b"watermark")], -1)


def tell(shard: Shard, contact_id: str, row: Row, changes: Changes) -> None:
    """Write the outcome of each generation that has one and is not told as it is now."""
    watermark, policy = shard.clock.value, shard.policy
    current: dict[int, list[object]] = {}
    for contact in row.contacts:
        inferred = is_inferred(contact, watermark, policy)
        now = told(contact, policy, inferred=inferred)
        before = row.sent.get(contact.first_at)
        if now[1] == "open" and before is None:
            continue
        current[contact.first_at] = now
        if now == before:
            continue
        if before is not None and before[0] != now[0]:
            changes.outputs.append(_withdrawn(shard, contact_id, contact.first_at, row.revision, before[0]))
        report = {
            "id": f"{contact_id}/{contact.first_at}/{row.revision}",
            "contact_id": contact_id,
            "generation": contact.first_at,
            "revision": row.revision,
            **contact_report(contact, policy, inferred=inferred),
            "final": contact.ended_at is not None,
            "withdrawn": False,
        }
        changes.outputs.append(Output("outcomes", _owner(now[0], contact_id), shard.codec.pack(report), [], None))
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
    }
    return Output("outcomes", _owner(customer, contact_id), shard.codec.pack(value), [], None)


def correct(
    shard: Shard, contact_id: str, row: Row, fallen: list[tuple[Figure, int]], why: tuple[str, Changes]
) -> None:
    """Say in the open which published figures fell, and why."""
    cause, changes = why
    generation = row.contacts[-1].first_at
    for figure, amount in fallen:
        if figure.family == "contact_stream_quality_total":
            continue  # it has a twin, and says nothing a report shows
        shard.book.count(shard.figures.get(("contact_stream_corrections_total", figure.family)))
        net = figure.total - figure.retracted
        cell = series_of(figure.key)
        value = {
            "id": f"{contact_id}/{generation}/{row.revision}/{cell}",
            "cell": cell,
            "stage": shard.id.stage,
            "shard": shard.id.partition,
            "old": net + amount,
            "new": net,
            "cause": cause,
            "contact_id": contact_id,
            "at": shard.clock.value,
        }
        changes.outputs.append(Output("corrections", cell.encode(), shard.codec.pack(value), [], None))


def rejected(identity: ShardId, record: Record, rejection: Rejection, now: int) -> Output:
    """The record as it came, with what was wrong (1-events 1.6)."""
    said = (
        ("reason", rejection.reason),
        ("detail", rejection.detail),
        ("topic", record.topic),
        ("partition", str(identity.partition)),
        ("offset", str(record.offset)),
        ("at", str(now)),
        ("app-version", __version__),
    )
    headers = [*record.headers, *((f"x-rejected-{name}", value.encode()) for name, value in said)]
    return Output("rejected", record.key, record.value, headers, None)
