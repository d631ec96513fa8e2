"""`schemas/` says what the decoder does. Write them anew with `python -m tests.wire.test_schemas`."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events import Rejection
from stream.wire import events as kinds
from stream.wire.decode import decode
from stream.wire.schemas import all_schemas, examples_of, file_name, schema_of

FOLDER = Path(__file__).parents[2] / "schemas"
KINDS = pytest.mark.parametrize("kind", kinds.ALL_EVENTS, ids=kinds.tag_of)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 10**17),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer()),
    st.text(max_size=3),
    st.sampled_from(("x" * 64, "x" * 65, "x" * 129, "menu:", "menu:a", "agent", "customer", "yes", "policy")),
    st.lists(st.text(max_size=2), max_size=2),
    st.dictionaries(st.text(max_size=2), st.none(), max_size=1),
    st.sampled_from(("2026-03-02T10:00:00Z", "2026-03-02T10:00:00", "2026-03-02T10:00:00.1234567+05:30", "now")),
)


def test_the_folder_holds_every_schema_and_nothing_else() -> None:
    """The files are those the structs make."""
    assert {path.name: json.loads(path.read_text()) for path in FOLDER.glob("*.json")} == all_schemas()


@KINDS
def test_examples_are_accepted_by_both(kind: type) -> None:
    """Each example passes its schema and the decoder."""
    jsonschema.Draft202012Validator.check_schema(schema_of(kind))
    for example in examples_of(kind):
        jsonschema.Draft202012Validator(schema_of(kind)).validate(example)
        assert not isinstance(decoded(kind, example), Rejection)


@KINDS
@given(data=st.data())
def test_schema_and_struct_agree(kind: type, data: st.DataObject) -> None:
    """With any field replaced or left out, both accept or both refuse."""
    event = dict(data.draw(st.sampled_from(examples_of(kind))))
    names = [name for name in schema_of(kind)["properties"] if name != "type"]
    for name in data.draw(st.lists(st.sampled_from([*names, "colour"]), min_size=1, max_size=2)):
        if data.draw(st.booleans()):
            event.pop(name, None)
        else:
            event[name] = data.draw(VALUES)
    accepted = jsonschema.Draft202012Validator(schema_of(kind)).is_valid(event)
    found = decoded(kind, event)
    assert accepted == (not isinstance(found, Rejection)), found


def decoded(kind: type, event: dict[str, Any]) -> object:
    """What the decoder says of the event as a record with its own key, on a topic where it belongs."""
    if kind in kinds.CONTACT_EVENTS or kind in kinds.SOURCE_EVENTS:
        topic = "calls"
    else:
        topic = "agents" if kind is kinds.AgentStatus else "cases"
    owner = (
        "source"
        if kind in kinds.SOURCE_EVENTS
        else {"calls": "contact_id", "agents": "agent", "cases": "customer"}[topic]
    )
    key = str(event.get("alias" if kind is kinds.IdentityLinked else owner, "x"))
    return decode(topic, key.encode(), json.dumps(event).encode())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, schema in all_schemas().items():
        (FOLDER / name).write_text(json.dumps(schema, indent=2) + "\n")
    assert file_name(kinds.QueueLeft) in {path.name for path in FOLDER.iterdir()}
