"""The contract with Faust 0.15.3 and aiokafka 0.14: every private name that the worker touches is still there."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import aiokafka
import faust
import pytest

from stream.worker.hooks import OVERRIDDEN, READ


def class_at(place: str) -> type[Any]:
    """Return the class at `module:name`."""
    module, name = place.split(":")
    found = getattr(importlib.import_module(module), name)
    assert inspect.isclass(found)
    return found


def test_the_versions_are_the_ones_that_were_read() -> None:
    """A new version is taken on purpose, after reading what changed."""
    assert faust.__version__ == "0.15.3"
    assert aiokafka.__version__.startswith("0.14.")


@pytest.mark.parametrize(("place", "names"), OVERRIDDEN.items())
def test_overridden_methods_exist(place: str, names: tuple[str, ...]) -> None:
    """A method that nobody calls any more would silently not be replaced."""
    for name in names:
        assert callable(getattr(class_at(place), name, None)), f"{place}.{name}"


@pytest.mark.parametrize(("place", "names"), READ.items())
def test_read_attributes_exist(place: str, names: tuple[str, ...]) -> None:
    """Methods and properties are looked for on the class, instance attributes in its source."""
    found = class_at(place)
    source = "".join(
        inspect.getsource(each) for each in found.__mro__ if each.__module__.startswith(("faust", "aiokafka", "mode"))
    )
    for name in names:
        assert hasattr(found, name) or f"self.{name}" in source or f"{name}:" in source, f"{place}.{name}"


def test_the_drain_hands_over_what_the_position_says() -> None:
    """What aiokafka has drained it returns without waiting: positions read right after belong to it."""
    source = inspect.getsource(class_at("aiokafka.consumer.fetcher:Fetcher").fetched_records)
    after = source[source.index("drained[tp] = records") :]
    assert "await" not in after[: after.index("return drained")]
    assert "_update_position" in inspect.getsource(class_at("aiokafka.consumer.fetcher:FetchResult").getall)


def test_a_first_row_always_fits_a_batch() -> None:
    """So a single record larger than a batch can be sent in one of its own."""
    builder = class_at("aiokafka.producer.message_accumulator:BatchBuilder")(1_000, 0, is_transactional=1)
    assert builder.append(timestamp=1, key=b"k", value=b"x" * 5_000, headers=[]) is not None
    assert builder.append(timestamp=1, key=b"k", value=b"x", headers=[]) is None
