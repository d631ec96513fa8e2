"""Creates the topics that are missing, or checks those that exist.

`create` says what it would do and does it with `--execute`; an existing topic is never altered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.admin import topics
from stream.cli.errors import DONE, FAILED
from stream.cli.settings import add_option
from stream.wire.json import dumps

if TYPE_CHECKING:
    import argparse

    from stream.admin.topics import Findings
    from stream.cli.settings import Settings
    from stream.core.topics import Layout


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `topics`."""
    parser.add_argument("action", choices=("create", "check"), help="what to do")
    parser.add_argument("--execute", action="store_true", help="create them; without it only say what is missing")
    parser.add_argument("--json", action="store_true", help="for programs")
    add_option(parser, "CONTACT_STREAM_PREFIX", "--prefix")
    add_option(parser, "CONTACT_STREAM_APP_ID", "--app-id")
    add_option(parser, "CONTACT_STREAM_PARTITIONS", "--partitions")
    add_option(parser, "CONTACT_STREAM_REPLICATION_FACTOR", "--replication-factor")
    add_option(parser, "CONTACT_STREAM_TIMESTAMPS", "--timestamps")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Create or check; 1 when something is missing or differs."""
    broker, layout = settings.broker(), settings.layout()
    settings.check()
    if options.action == "create" and options.execute:
        created = topics.create(broker, layout)
        _say(options, {"created": [topic.name for topic in created]})
        if not created and not options.json:
            print("every topic exists as it should")
        return DONE
    findings = topics.check(broker, layout)
    _report(options, layout, findings)
    if options.action == "create":
        return FAILED if findings.differences else DONE
    return DONE if findings.right else FAILED


def _report(options: argparse.Namespace, layout: Layout, findings: Findings) -> None:
    verb = "would create" if options.action == "create" else "missing"
    _say(
        options,
        {
            verb: [topic.name for topic in findings.missing],
            "differs": [str(difference) for difference in findings.differences],
        },
    )
    if options.json:
        return
    if findings.right:
        print(f"{len(findings.present)} topics exist as they should, {layout.partitions} partitions each")
    elif options.action == "create" and not findings.differences:
        print(f"{layout.partitions} partitions each; add --execute to do it")


def _say(options: argparse.Namespace, found: dict[str, list[str]]) -> None:
    if options.json:
        print(dumps({key.replace(" ", "_"): names for key, names in found.items()}).decode())
        return
    for key, names in found.items():
        for name in names:
            print(f"{key}: {name}")
