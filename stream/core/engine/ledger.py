"""What every shard writes: counters, cells, its own row, corrections, rejected records; and how they are read back.

    n/<family, two labels>              counters that share them: [rest of the key, total, retracted]
    i/<interval, by, place>             one interval cell
    s                                   the shard row: next, watermark, what was seen, the stage's own state
    p                                   the policy it counted under, and how often another one was adopted
    c/<contact_id>                      stage 1: a contact's row
    t/<number>/<contact_id>             stage 1: a page of its tail, when that is very long
    a/<agent, time, sequence, event>    stage 1: a status of an agent
    h/<person>                          stage 2: a person's head
    f/<person, origin, contact>         stage 2: a contact
    v/<person, origin, event>           stage 2: an event of the ticket system, a survey, a link

Every output carries an id computed from its inputs. Source: 1-events 1.6 and 1.7, 4-architecture 4.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from stream import __version__
from stream.core.engine.batch import Output
from stream.core.engine.watermark import LONG_AGO
from stream.core.figures.figures import INTERVAL_MS
from stream.core.figures.series import series_of

if TYPE_CHECKING:
    from stream.core.engine.batch import Changes, Record, ShardId
    from stream.core.engine.engine import Engine
    from stream.core.events import Rejection
    from stream.core.figures.figures import Cell, Figure

CELL_PACE_MS = 1_000  # a cell is published at most this often
WATERMARK_PACE_MS = 1_000
WATERMARK_REPEAT_MS = 10_000
SHARD_ROW = b"s"
POLICY_ROW = b"p"
WATERMARK_KEY = b"~watermark"
UNPUBLISHED = (
    frozenset(  # these may fall unsaid: an oddity says nothing a report shows, a gauge is not a published count
        ("contact_stream_quality_total", "contact_cases_open", "~cohort", "~running", "~repeated")
    )
)


def load(shard: Engine, key: bytes, value: bytes | None) -> None:
    """Take one changelog record; see `Engine.load`."""
    kind = key[:2]
    if kind == b"n/":
        _load_counters(shard, key, value)
    elif kind == b"i/":
        _load_cell(shard, key, value)
    elif key == SHARD_ROW:
        if value is not None:
            _load_shard_row(shard, value)
    elif key == POLICY_ROW:
        if value is not None:
            _load_policy(shard, value)
    else:
        shard.load_row(key, value)


def _load_counters(shard: Engine, key: bytes, value: bytes | None) -> None:
    group: Any = shard.codec.unpack(key[2:])
    rows: Any = [] if value is None else shard.codec.unpack(value)
    for *rest, total, retracted in rows:
        figure = shard.figures.restore((*group, *rest))
        figure.total, figure.retracted = total, retracted


def _load_cell(shard: Engine, key: bytes, value: bytes | None) -> None:
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


def _load_shard_row(shard: Engine, value: bytes) -> None:
    state: Any = shard.codec.unpack(value)
    shard.former.definition = state["policy"]
    shard.next = dict(state["next"])
    shard.clock.value = state["watermark"]
    shard.clock.seen = dict(state["seen"])
    shard.clock.since = state.get("since")  # a former version did not know
    shard.clock.closed = state.get("closed", LONG_AGO)
    shard.load_state(state)


def _load_policy(shard: Engine, value: bytes) -> None:
    stored: Any = shard.codec.unpack(value)
    shard.former.number, text = stored
    shard.former.policy = shard.codec.read_policy(text)


def show(shard: Engine) -> None:
    """Show the figures as loaded."""
    view = shard.view
    figures = shard.figures.known.values()
    view.counters = {f.key: (f.total, f.retracted) for f in figures if f.total or f.retracted}
    view.loaded()
    view.watermark, view.since = shard.shown_watermark(), shard.clock.since
    view.rows = shard.rows()


def owes(shard: Engine, now: int) -> bool:
    """Whether cells or the watermark wait to be published."""
    if any(cell.published_at + CELL_PACE_MS <= now for cell in shard.book.dirty):
        return True
    return shard.clock.value is not None and _watermark_due(shard, now)


def _watermark_due(shard: Engine, now: int) -> bool:
    told, at = shard.told_watermark
    moved = told != (shard.clock.value, shard.clock.since) and (now - at >= WATERMARK_PACE_MS or not now)
    return moved or now - at >= WATERMARK_REPEAT_MS


def settle(shard: Engine, changes: Changes, now: int) -> None:
    """Close a batch: tallies, cells, counters, the watermark and the shard row."""
    book, clock = shard.book, shard.clock
    for (topic, result), count in changes.tally.items():
        if count:
            book.count(shard.figures.get(("contact_stream_records_total", topic, result)), count)
    for result in ("applied", "duplicate", "rejected"):
        amount = sum(count for (_, name), count in changes.tally.items() if name == result)
        setattr(changes, "duplicates" if result == "duplicate" else result, amount)
    _publish_cells(shard, changes, now)
    known_at = shard.cells_known_at()
    if known_at is not None:
        for key in book.spent(known_at, shard.cells_kept_ms):
            changes.changelog.append((b"i/" + shard.codec.pack(key), None))
    _store_book(shard, changes)
    if clock.value is not None and _watermark_due(shard, now):
        shard.told_watermark = ((clock.value, clock.since), now)
        changes.outputs.append(shard.broadcast(clock.value))
    if changes.changelog or changes.outputs or changes.tally or changes.adopted:
        changes.changelog.append((SHARD_ROW, _shard_row(shard)))
        if shard.former.policy is None or shard.former.definition != shard.definition:
            changes.changelog.append((POLICY_ROW, _policy_row(shard)))
    changes.watermark, changes.since = shard.shown_watermark(), clock.since
    changes.rows = shard.rows()


def _publish_cells(shard: Engine, changes: Changes, now: int) -> None:
    book = shard.book
    book.dirty |= book.changed_cells
    for cell in [c for c in book.dirty if now and c.published_at + CELL_PACE_MS <= now]:
        cell.published_at = now
        cell.version += 1
        book.dirty.discard(cell)
        book.changed_cells.add(cell)
        changes.outputs.append(
            Output("intervals", _cell_name(shard, cell).encode(), shard.codec.pack(cell_value(shard, cell)), [], None)
        )


def _cell_name(shard: Engine, cell: Cell) -> str:
    interval, *place = cell.key
    stage, partition = shard.id
    return "/".join(map(str, (stage, partition, interval * INTERVAL_MS, *place)))


def cell_value(shard: Engine, cell: Cell) -> dict[str, object]:
    """A cell as the interval topic holds it; a version of 0 was never published."""
    interval, by, channel, queue, issue = cell.key
    stage, partition = shard.id
    return {
        "id": f"{_cell_name(shard, cell)}/{cell.version}",
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


def _store_book(shard: Engine, changes: Changes) -> None:
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


def _shard_row(shard: Engine) -> bytes:
    clock = shard.clock
    common = {"policy": shard.definition, "next": shard.next, "watermark": clock.value, "seen": clock.seen}
    return shard.codec.pack({**common, "since": clock.since, "closed": clock.closed, **shard.state()})


def _policy_row(shard: Engine) -> bytes:
    former = shard.former
    former.definition, former.policy = shard.definition, shard.policy
    return shard.codec.pack([former.number, shard.codec.write_policy(shard.policy)])


def watermark_record(shard: Engine, topic: str, watermark: int) -> Output:
    """The record that tells a shard's watermark, and since when it counts (ms), to every partition of ``topic``."""
    stage, partition = shard.id
    name = f"{stage}/{partition}/{watermark}"
    value = {"id": name, "stage": stage, "shard": partition, "watermark": watermark, "since": shard.clock.since}
    return Output(topic, WATERMARK_KEY, shard.codec.pack(value), [("x-kind", b"watermark")], -1)


class About(NamedTuple):
    """What a correction is about: a name of its own, what caused it (an event, ``tick``, ``definition``), and whose."""

    name: str
    cause: str
    whose: dict[str, str]


def correct(shard: Engine, about: About, fallen: list[tuple[Figure, int]], changes: Changes) -> None:
    """Say in the open which published figures fell, and why."""
    for figure, amount in fallen:
        if figure.family in UNPUBLISHED:
            continue
        shard.book.count(shard.figures.get(("contact_stream_corrections_total", figure.family)))
        net = figure.total - figure.retracted
        cell = series_of(figure.key)
        value = {
            "id": f"{about.name}/{cell}",
            "cell": cell,
            "stage": shard.id.stage,
            "shard": shard.id.partition,
            "old": net + amount,
            "new": net,
            "cause": about.cause,
            **about.whose,
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
