"""Prints the policy in force as a complete policy file, checks a policy file, or drafts one from the names in use.

`show` writes every default out; `check` says everything that is wrong with its line (exit code 2), what the rules say,
and how many series the names make, which it refuses above 200,000 (exit code 1). `draft` counts the queues with their
channels, issues, menu nodes, teams and reasons that a recording (`--file`) or the topics (`--from-topic`) use, and
prints a policy file with them, the most frequent first; agents are named with `--agents` alone.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stream.cli.drafted import draft
from stream.cli.errors import DONE, FAILED
from stream.cli.settings import add_option
from stream.core.events import CHANNELS
from stream.core.policy import Policy
from stream.core.trouble import Trouble
from stream.telemetry.declared import declared_by
from stream.telemetry.known import series_lines
from stream.wire.json import dumps
from stream.wire.policy import canonical, examine, load_policy, policy_hash
from stream.wire.policy_text import policy_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

    from stream.cli.settings import Settings
    from stream.core.policy import RulePolicy
    from stream.wire.policy import Finding

MOST_SERIES: Final = 200_000
"""More than this is refused; source: 3-metrics 3.1."""
WRONG: Final = 2
"""Exit code for a file that cannot be used."""
_NAMED: Final = 5
_SAYS: Final = {
    "escalation": {"fail": "an escalation fails", "allow": "escalations are allowed"},
    "follow_up": {"fail": "a follow-up fails", "allow": "follow-ups are allowed"},
    "transfers": {"forbid": "a transfer fails", "allow": "transfers are allowed"},
    "agents": {"one": "a second agent fails", "any": "any number of agents"},
    "repeat_channels": {"same": "repeats in the channel of the first contact", "any": "repeats in any channel"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `policy`."""
    parser.add_argument("action", choices=("show", "check", "draft"), help="what to do")
    parser.add_argument("--json", action="store_true", help="for programs; of show the canonical form and its hash")
    drafted = parser.add_mutually_exclusive_group()
    drafted.add_argument("--file", metavar="FILE", help="draft from a recording; - = standard input")
    drafted.add_argument("--from-topic", action="store_true", help="draft from the topics, up to where they end now")
    parser.add_argument("--agents", action="store_true", help="draft agents too, which makes figures by agent")
    add_option(parser, "CONTACT_STREAM_POLICY", "--policy")
    add_option(parser, "CONTACT_STREAM_PARTITIONS", "--partitions")
    add_option(parser, "CONTACT_STREAM_PREFIX", "--prefix")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Show, check or draft; 2 when the file cannot be used, 1 when it makes too many series."""
    drafts, begun = options.action == "draft", options.from_topic or options.file is not None
    if drafts != begun or (options.agents and not drafts):
        raise Trouble("draft, and nothing else, takes --from-topic or --file, and --agents", exit_code=WRONG)
    if drafts:
        return draft(options, settings)
    path = settings.path("CONTACT_STREAM_POLICY")
    partitions = settings.integer("CONTACT_STREAM_PARTITIONS") or 1
    settings.check()
    if options.action == "show":
        return _show(path, as_json=options.json)
    found = examine(path) if path else Policy()
    answer = report(found, partitions) if isinstance(found, Policy) else {"problems": [f._asdict() for f in found]}
    if options.json:
        sys.stdout.buffer.write(dumps({"policy": _origin(path), **answer}) + b"\n")
    elif isinstance(found, Policy):
        _say(found, answer, f"{_origin(path)}, {partitions} partitions")
    else:
        _say_findings(found, _origin(path))
    if not isinstance(found, Policy):
        return WRONG
    return FAILED if answer["too_many"] else DONE


def report(policy: Policy, partitions: int) -> dict[str, object]:
    """What `check --json` says of a policy that can be used.

    Args:
        policy: to be looked at.
        partitions: of every topic.

    Returns:
        `hash`, `rules` (name -> what it says), `series` (lines on the metrics pages of all workers), `most_series`,
        `too_many` (what brings how many of them, only where there are too many), `warnings`.
    """
    lines = _lines(policy, partitions)
    return {
        "hash": policy_hash(policy),
        "rules": {name: rule_line(rule) for name, rule in policy.rules.items()},
        "series": lines,
        "most_series": MOST_SERIES,
        "too_many": brought_by(policy, partitions) if lines > MOST_SERIES else {},
        "warnings": [
            f'queue "{name}" declares no channels; its series appear when first met, not at 0 from the start'
            for name, queue in policy.queues.items()
            if not queue.channels
        ],
    }


def rule_line(rule: RulePolicy) -> str:
    """What a rule says, in one line for people."""
    channels = "every channel" if set(rule.channels) == set(CHANNELS) else ", ".join(rule.channels)
    if rule.survey == "decide":
        return f"{channels}; the customer's last answer decides, and nothing else"
    return "; ".join([channels, *(words[getattr(rule, key)] for key, words in _SAYS.items())])


def brought_by(policy: Policy, partitions: int) -> dict[str, int]:
    """The names that bring the most series, the largest first.

    Args:
        policy: with too many of them.
        partitions: of every topic.

    Returns:
        A name or a group of names -> how many lines would go with it; they overlap, because names multiply.
    """
    every = _lines(policy, partitions)
    plain = {name: replace(queue, issues=()) for name, queue in policy.queues.items()}
    without = {
        f"{len(policy.issues)} issues": replace(policy, issues={}, queues=plain),
        f"{len(policy.rules)} rules": replace(policy, rules={}),
        f"{len(policy.menus)} menu nodes": replace(policy, menus=frozenset()),
    }
    brought = {name: every - _lines(other, partitions) for name, other in without.items()}
    none = _lines(replace(policy, queues={}), partitions)
    for name, queue in policy.queues.items():
        brought[f'queue "{name}"'] = _lines(replace(policy, queues={name: queue}), partitions) - none
    most = sorted(brought.items(), key=lambda item: (-item[1], item[0]))
    return {name: lines for name, lines in most[:_NAMED] if lines}


def _lines(policy: Policy, partitions: int) -> int:
    return series_lines(declared_by(policy), partitions)


def _show(path: Path | None, *, as_json: bool) -> int:
    policy = load_policy(path) if path else Policy()
    if as_json:
        digest = dumps(policy_hash(policy))
        sys.stdout.buffer.write(b'{"hash":%b,"policy":%b}\n' % (digest, canonical(policy)))
    else:
        sys.stdout.write(policy_text(policy, _origin(path)))
    return DONE


def _origin(path: Path | None) -> str:
    return str(path) if path else "the defaults shipped"


def _say_findings(found: list[Finding], origin: str) -> None:
    for finding in found:
        print(f"{origin}: {finding}")


def _say(policy: Policy, answer: Mapping[str, object], about: str) -> None:
    print(f"{about}: hash {answer['hash']}")
    width = max(map(len, policy.rules))
    for name, rule in policy.rules.items():
        print(f"rule {name:<{width}}  {rule_line(rule)}")
    print(f"{answer['series']:,} series of at most {MOST_SERIES:,}")
    warnings, too_many = answer["warnings"], answer["too_many"]
    for warning in warnings if isinstance(warnings, list) else ():
        print(f"warning: {warning}")
    for name, lines in too_many.items() if isinstance(too_many, dict) else ():
        print(f"too many series: {lines:,} of them come with {name}")
    if too_many:
        print("declare fewer channels and issues for these queues; what is not declared appears once it is met")
