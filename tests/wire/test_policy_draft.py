"""A drafted policy file: whatever names were met, it can be used, and says what it leaves out."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from stream.core.policies.names import Names
from stream.core.policies.reader import MOST_AGENTS, nameable, read_policy
from stream.wire.policy_draft import MOST_NAMES, draft_text

if TYPE_CHECKING:
    from stream.core.policy import Policy


class Met(Names):
    """Names as counted, without the events."""

    def __init__(self, queues: dict[str, dict[str, int]], kinds: dict[str, dict[str, int]]) -> None:
        super().__init__()
        self._queues.update({queue: Counter(channels) for queue, channels in queues.items()})
        for kind, counts in kinds.items():
            getattr(self, kind).update(counts)
        for team in self.teams:
            self.teams_of["anna"][team] += self.teams[team]


NAME = st.one_of(st.text(min_size=1, max_size=64), st.sampled_from(["a.b", 'a "b"', "#c", "none", "x\ny", "anna"]))
COUNTS = st.dictionaries(NAME, st.integers(1, 10_000), max_size=4)
KINDS = st.fixed_dictionaries(dict.fromkeys(("issues", "menus", "teams", "reasons", "agents"), COUNTS))
QUEUES = st.dictionaries(NAME, st.dictionaries(st.sampled_from(["voice", "sms", "email"]), st.integers(1, 99)))


def drafted(names: Names, *, agents: bool = True) -> tuple[str, Policy]:
    """The text, and the policy it is."""
    text = draft_text(names, "a file", agents=agents)
    return text, read_policy(tomllib.loads(text))


@given(QUEUES, KINDS)
def test_a_draft_is_a_policy(queues: dict[str, dict[str, int]], kinds: dict[str, dict[str, int]]) -> None:
    """It lists every name that can stand in one, and only those; a queue with the channels it was met in."""
    _, policy = drafted(Met(queues, kinds))
    good = {kind: {name for name in counts if nameable(name)} for kind, counts in kinds.items()}
    assert {name: set(queue.channels) for name, queue in policy.queues.items()} == {
        name: set(channels) for name, channels in queues.items() if nameable(name)
    }
    assert (set(policy.issues), set(policy.menus)) == (good["issues"], good["menus"])
    assert (set(policy.staff.teams), set(policy.staff.reasons)) == (good["teams"], good["reasons"])
    assert set(policy.agents) == good["agents"]
    if "anna" in good["agents"]:
        most = max(good["teams"], key=lambda team: (kinds["teams"][team], [-ord(c) for c in team]), default="")
        assert kinds["teams"].get(policy.agents["anna"].team) == kinds["teams"].get(most)


def test_the_most_frequent_come_first_with_their_counts() -> None:
    """Beside each stands how many events use it, of a queue by channel."""
    queues = {"small": {"voice": 1}, "large": {"email": 5, "voice": 1_200}, "quiet": {}}
    text, _ = drafted(Met(queues, {"issues": {"b": 2, "a": 2, "c": 1_000}, "menus": {"main": 3}}))
    lines = text.splitlines()
    begin = lines.index("[queues]")
    assert lines[begin + 1 : begin + 4] == [
        'large = {channels = ["voice", "email"]} # voice 1,200, email 5',
        'small = {channels = ["voice"]} # voice 1',
        "quiet = {} # named by agents alone",
    ]
    begin = lines.index("[issues]")
    assert lines[begin + 1 : begin + 4] == ["c = {} # 1,000", "a = {} # 2", "b = {} # 2"]
    assert '    "main", # 3' in lines


def test_agents_are_drafted_when_asked_for() -> None:
    """R26, R27: without it no name of a person stands in the file, and no figure has one."""
    names = Met({}, {"agents": {"anna": 5, "ben": 1}, "teams": {"first": 2, "other": 9}})
    text, policy = drafted(names, agents=False)
    assert "anna" not in text
    assert not policy.agents
    text, policy = drafted(names)
    assert 'anna = {team = "first"} # 5' in text
    assert (policy.agents["anna"].team, policy.agents["ben"].team) == ("first", "")


def test_what_is_left_out_is_said() -> None:
    """Names that have a meaning of their own, and those beyond the most a kind may have."""
    issues = {f"i{number:04d}": 2 for number in range(MOST_NAMES)} | {"rare": 1, "rarer": 1}
    agents = {f"a{number:03d}": 2 for number in range(MOST_AGENTS)} | {"temp": 1}
    text, policy = drafted(Met({"other": {"voice": 1}, "x\ty": {"voice": 1}}, {"issues": issues, "agents": agents}))
    assert len(policy.issues) == MOST_NAMES
    assert len(policy.agents) == MOST_AGENTS
    assert {"rare", "temp"}.isdisjoint({*policy.issues, *policy.agents})
    assert "# queues that cannot have a name of their own: 'other', 'x\\ty'" in text
    assert "# issues: 2 more are named by 2 events" in text
    assert "# agents: 1 more are named by 1 events" in text
    assert not policy.queues
