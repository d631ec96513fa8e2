"""The policy file: every problem with its line, a hash of what it says in any order, a text that says it again."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from stream.core.policies.reader import CHOICES, read_policy
from stream.core.policy import Policy
from stream.core.trouble import Trouble
from stream.wire.json import loads
from stream.wire.policy import Finding, canonical, examine, load_policy, policy_hash
from stream.wire.policy_text import policy_text
from stream.wire.toml_lines import key_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FULL: dict[str, Any] = {
    "lateness_ms": 3_600_000,
    "disorder_ms": 1_001,
    "identity_ttl_ms": 86_400_000,
    "zone": "Europe/Berlin",
    "short_abandon_ms": 0,
    "channels": {"voice": {"timeout_ms": 1, "target_ms": 2, "response_target_ms": 3}},
    "queues": {
        "billing": {
            "target_ms": 30_000,
            "short_abandon_ms": 1,
            "zone": "UTC",
            "hours": [
                {"effective_from": "2026-01-01", "week": {"mon": [["09:00", "12:00"], ["13:00", "24:00"]]}},
                {"effective_from": "2026-04-01", "week": {}},
            ],
            "holidays": ["2026-12-25", "2026-12-26"],
            "channels": ["voice", "email"],
            "issues": ["invoice", "refund"],
            "group": "g",
            "site": "s",
            "owner": "o",
            "calendar": "de",
        },
        "sales": {"hours": {"tue": [["09:00", "12:00"]], "sat": [["09:00", "12:00"]]}},
    },
    "issues": {"invoice": {}, "refund": {"window_ms": 3_600_000}},
    "steps": {"menu": ["main", "billing"]},
    "calendars": {
        "de": {
            "zone": "Europe/Berlin",
            "hours": {"wed": [["09:00", "12:00"]], "thu": [["09:00", "12:00"]]},
            "holidays": ["2026-01-01"],
        }
    },
    "cases": {
        "window_ms": 7_200_000,
        "match": "issue",
        "resolution": "case",
        "abandoned": "fail",
        "after_hours": "count",
        "unidentified": "count",
    },
    "rules": {
        "contact": {"transfers": "forbid"},
        "mine": {
            "channels": ["voice", "chat"],
            "escalation": "allow",
            "follow_up": "allow",
            "transfers": "allow",
            "agents": "one",
            "repeat_channels": "same",
            "survey": "decide",
        },
    },
    "goals": {"fcr": 0.7, "fcr_low": 0.5, "queues": {"sales": {"abandonment": 0.1, "fcr": 0.9, "fcr_high": 0.95}}},
}
"""A policy that says everything there is to say."""


def leaves(value: object, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of everything said, lists whole."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*at, key))
    else:
        yield at


def turned(value: Any) -> Any:  # noqa: ANN401  any value of TOML
    """The same with every table and every list whose order says nothing turned round; spans and pairs stay."""
    if isinstance(value, dict):
        return {key: turned(inner) for key, inner in reversed(value.items())}
    if isinstance(value, list) and not all(isinstance(item, str) and ":" in item for item in value):
        return [turned(item) for item in reversed(value)]
    return value


def without(tables: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The same without one thing said."""
    key, *rest = path
    return {k: without(v, tuple(rest)) if k == key and rest else v for k, v in tables.items() if rest or k != key}


def names() -> st.SearchStrategy[str]:
    """Names that may stand in a policy, with marks that TOML has a use for."""
    plain = st.text(st.sampled_from("ab.\"'\\#=[]{} é-"), min_size=1, max_size=5)
    return st.one_of(st.sampled_from(["billing", "support-en", "a.b"]), plain)


def weeks() -> st.SearchStrategy[dict[str, Any]]:
    """A week with one span on some days."""
    spans = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda s: s[0] < s[1])
    said = spans.map(lambda s: [[f"{s[0]:02d}:00", f"{s[1]:02d}:00"]])
    return st.dictionaries(st.sampled_from(["mon", "thu", "sun"]), said, min_size=1)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy a file can say."""
    issues = draw(st.lists(names(), unique=True, max_size=3))
    calendars = draw(st.lists(names(), unique=True, max_size=2))
    windows: st.SearchStrategy[dict[str, int]] = st.one_of(
        st.just({}), st.builds(dict, window_ms=st.integers(3_600_000, 10**12))
    )
    hours = st.one_of(
        weeks(), st.just([{"effective_from": "2026-01-01", "week": {}}, {"effective_from": "2027-01-01", "week": {}}])
    )
    calendar: dict[str, st.SearchStrategy[Any]] = {
        "zone": st.sampled_from(["UTC", "Asia/Kathmandu"]),
        "hours": hours,
        "holidays": st.lists(st.sampled_from(["2026-12-25", "2026-12-26"])),
    }
    queue: dict[str, st.SearchStrategy[Any]] = calendar | {
        "target_ms": st.integers(1, 10**9),
        "channels": st.lists(st.sampled_from(["voice", "email"])),
        "issues": st.lists(st.sampled_from(issues)) if issues else st.just([]),
        "owner": st.sampled_from(["", 'a "b"', "#c"]),
    }
    if calendars:
        queue["calendar"] = st.sampled_from(calendars)
    queues = draw(st.dictionaries(names(), st.fixed_dictionaries({}, optional=queue), max_size=3))
    shares = st.fixed_dictionaries(
        {}, optional={"abandonment": st.floats(0, 1), "fcr": st.floats(0.4, 0.9), "fcr_high": st.floats(0.9, 1)}
    )
    rule_names = st.sampled_from(["contact", "channel", "my.rule"])
    rule = {key: st.sampled_from(CHOICES[key]) for key in ("transfers", "agents", "repeat_channels", "survey")}
    goals = draw(shares) | ({"queues": {queue: draw(shares) for queue in queues}} if queues else {})
    return read_policy(
        {
            "lateness_ms": draw(st.integers(0, 10**12)),
            "issues": {issue: draw(windows) for issue in issues},
            "calendars": {name: draw(st.fixed_dictionaries({}, optional=calendar)) for name in calendars},
            "queues": queues,
            "steps": {"menu": draw(st.lists(names()))},
            "rules": draw(st.dictionaries(rule_names, st.fixed_dictionaries(rule))),
            "goals": goals,
        }
    )


def expect_findings(path: Path, text: str, *told: str) -> None:
    """Check that a file with this text is told to have exactly these problems."""
    path.write_text(text, encoding="utf-8")
    found = examine(path)
    assert not isinstance(found, Policy)
    assert len(found) == len(told)
    for finding, words in zip(found, told, strict=True):
        assert str(finding).startswith(words)


@given(policies())
def test_the_text_says_the_policy_again(policy: Policy) -> None:
    """Whatever it is: the same values, the same hash, and the hash stands in the text."""
    text = policy_text(policy, "the defaults shipped")
    again = read_policy(tomllib.loads(text))
    assert again == policy
    assert policy_hash(again) == policy_hash(policy)
    assert policy_hash(policy) in text.splitlines()[0]


def test_the_text_of_everything_says_everything() -> None:
    """Every key of the policy, with the defaults written out."""
    policy = read_policy(FULL)
    said = tomllib.loads(policy_text(policy, "a file"))
    assert read_policy(said) == policy
    assert set(leaves(FULL)) - {("issues", "invoice")} <= set(leaves(said))
    assert set(leaves(tomllib.loads(policy_text(Policy(), "none")))) >= {
        ("rules", "one_touch", "channels"),
        ("cases", "unidentified"),
        ("channels", "email", "timeout_ms"),
        ("goals", "fcr"),
        ("identity_ttl_ms",),
    }


def test_the_order_of_a_file_changes_no_hash() -> None:
    """Of its tables, and of lists whose order says nothing."""
    assert repr(turned(FULL)) != repr(FULL)
    assert canonical(read_policy(turned(FULL))) == canonical(read_policy(FULL))


@pytest.mark.parametrize("path", sorted(leaves(FULL)), ids=".".join)
def test_whatever_is_said_changes_the_hash(path: tuple[str, ...]) -> None:
    """R28: nothing is left out of the canonical form, which is complete JSON."""
    policy = read_policy(FULL)
    if path == ("issues", "invoice"):
        other = read_policy({**FULL, "issues": {**FULL["issues"], "invoice": {"window_ms": 3_600_001}}})
    else:
        other = read_policy(without(FULL, path))
    assert policy_hash(other) != policy_hash(policy)
    assert set(loads(canonical(policy))) == set(Policy.__dataclass_fields__)


def test_every_problem_has_its_line(tmp_path: Path) -> None:
    """In the order of the file, however its tables are written."""
    text = """\
# zone = "not this one"
lateness_ms = "soon"
[queues]
sales = { group = "zone = x", zone = "Nowhere",
}
"b.c" = { issues = [ "x" ] }
[queues.billing]
owner = '''
calendar = "not this one"
'''
calendar = "no"
[[queues.billing.hours]]
effective_from = 2026-01-01
week = { mon = [["09:00", "12:00"]] }
[[queues.billing.hours]]
effective_from = 2026-04-01
[queues.billing.hours.week]
mon = [["09:00", "12:00"]]
tue = [["13:00", "12:00"]]
[issues]
refund.window_ms = 5
[calendars.de]
hours = [
  { effective_from = "2026-01-01", week = {} },
  { effective_from = "soon", week = {} },
]
"""
    # An inline table of TOML 1.0 stands on one line.
    text = text.replace('"Nowhere",\n}', '"Nowhere" }')
    expect_findings(
        tmp_path / "policy.toml",
        text,
        "line 2: lateness_ms expected milliseconds, got 'soon'",
        "line 4: queues.sales.zone expected an IANA zone",
        "line 5: queues.b.c.issues there is no issue 'x'",
        "line 7: queues.billing.owner expected a text",
        "line 10: queues.billing.calendar there is no calendar 'no'",
        "line 18: queues.billing.hours.2.week.tue a span ends after it begins",
        "line 20: issues.refund.window_ms expected at least",
        "line 24: calendars.de.hours.2.effective_from expected a date",
    )


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b'zone = "UTC"\nzone = ', 2, "is not TOML"),
        (b'[queues]\nb = "\n', 2, "is not TOML"),
        (b"[queues", 1, "is not TOML"),
        (b'# gr\xc3\xb6\xc3\x9fer\nzone = "\xff"\n', 2, "is not UTF-8"),
    ],
)
def test_what_is_no_toml_has_a_line_too(tmp_path: Path, content: bytes, line: int, words: str) -> None:
    """And is one finding."""
    (tmp_path / "policy.toml").write_bytes(content)
    found = examine(tmp_path / "policy.toml")
    assert isinstance(found, list)
    assert [(finding.line, finding.key, words in finding.message) for finding in found] == [(line, "", True)]


def test_a_byte_order_mark_and_carriage_returns_are_harmless(tmp_path: Path) -> None:
    """Editors leave both; lines stay what they are."""
    path = tmp_path / "policy.toml"
    path.write_bytes(b'\xef\xbb\xbfzone = "UTC"\r\n\r\nlateness_ms = 1\r\n')
    assert load_policy(path) == Policy(zone="UTC", lateness_ms=1)
    path.write_bytes(b'\xef\xbb\xbfzone = "UTC"\r\n\r\nlateness_ms = -1\r\n')
    assert examine(path) == [Finding(3, "lateness_ms", "expected milliseconds, got -1")]


def test_loading_tells_every_problem_in_one_message(tmp_path: Path) -> None:
    """With the command that shows what may be said; a file that is not there is told so."""
    path = tmp_path / "policy.toml"
    path.write_text("lateness_ms = -1\nlost = 1\n", encoding="utf-8")
    with pytest.raises(
        Trouble, match=r"line 1: lateness_ms .*; line 2: lost .*; contact-stream policy show"
    ) as refused:
        load_policy(path)
    assert refused.value.exit_code == 2
    with pytest.raises(Trouble, match="cannot use the policy file"):
        load_policy(tmp_path / "none.toml")


@given(
    st.recursive(
        st.one_of(st.integers(), st.booleans(), st.text(st.sampled_from("a\n\"'#[]{}=,."), max_size=4)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names(), inner, max_size=3)),
        max_leaves=10,
    ).filter(lambda value: isinstance(value, dict))
)
def test_every_key_has_a_line_on_which_it_stands(tables: dict[str, Any]) -> None:
    """Whatever the names and values; nothing that stands in no file has one."""
    text = tomlkit.dumps(tables)
    lines, found = text.splitlines(), key_lines(text)
    expected = set(paths(tomllib.loads(text)))
    assert set(found) == expected
    for path, line in found.items():
        assert 1 <= line <= len(lines)
        if not path[-1].isdecimal() and path[-1].isalpha() and path[-1].isascii():
            assert path[-1] in lines[line - 1]


def paths(value: object, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key and of every member of a list."""
    inside = value.items() if isinstance(value, dict) else enumerate(value, 1) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*at, str(key))
        yield from paths(inner, (*at, str(key)))
