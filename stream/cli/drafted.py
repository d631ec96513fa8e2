"""`contact-stream policy draft`: the names in a recording, or in the source topics, as a policy file.

Topics are read once, up to where they ended at the start; committed records only, without a group.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from stream.admin.reader import open_reader
from stream.cli.errors import DONE
from stream.cli.replay import Progress, opened
from stream.cli.tables import warn
from stream.core.events import Rejection
from stream.core.figures.family import CONTACT_STAGE
from stream.core.policies.names import Names
from stream.core.topics import source_names
from stream.core.trouble import Trouble
from stream.replay.lines import records
from stream.wire.decode import decode
from stream.wire.json import dumps
from stream.wire.policy_draft import draft_text, frequent

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from stream.cli.settings import Settings
    from stream.core.engine.batch import Record

_TOPICS = source_names(CONTACT_STAGE)


def draft(options: argparse.Namespace, settings: Settings) -> int:
    """Print the draft; what was kept out of it is said on standard error.

    Raises:
        Trouble: there is no event to draft from, or none can be read.
    """
    broker, prefix = settings.broker(), settings.text("CONTACT_STREAM_PREFIX") or ""
    settings.check()
    progress = Progress()
    names, counter = Names(), Counter[str]()
    if options.file is not None:
        origin = "standard input" if options.file == "-" else options.file
        with opened(options.file) as lines:
            _count(names, counter, (r for r in records(lines, origin) if r.topic in _TOPICS), progress)
    else:
        origin = f"the topics {prefix}*"
        with open_reader(broker, prefix, progress.show) as reader:
            _count(names, counter, reader.read(_TOPICS), None)
    progress.done(counter.total())
    if names.first is None:
        raise Trouble("there is nothing to draft a policy from", f"{origin} has no event of a contact or an agent")
    warn(
        [f"{count:,} records are {reason}; nothing is drafted from them" for reason, count in counter.items() if reason]
    )
    if options.json:
        sys.stdout.buffer.write(dumps(_plain(names, agents=options.agents)) + b"\n")
    else:
        sys.stdout.write(draft_text(names, origin, agents=options.agents))
    return DONE


def _count(names: Names, counter: Counter[str], found: Iterable[Record], progress: Progress | None) -> None:
    """Count the names in records; ``counter``: the reason why a record says nothing, "" where it does."""
    for record in found:
        event = decode(record.topic, record.key, record.value)
        if isinstance(event, Rejection):
            counter[event.reason] += 1
            continue
        counter[""] += 1
        names.add(event)
        if progress is not None and counter[""] % 10_000 == 0:
            progress.show(counter.total(), names.last or 0)


def _plain(names: Names, *, agents: bool) -> dict[str, object]:
    """What `--json` prints: events by name, those of a queue by channel."""
    counts = {"issues": names.issues, "menu": names.menus, "teams": names.teams, "reasons": names.reasons}
    if agents:
        counts["agents"] = names.agents
    listed = {kind: {name: found[name] for name in frequent(found)} for kind, found in counts.items()}
    return {"queues": names.queues(), **listed}
