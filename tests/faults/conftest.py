"""Topics on a broker that a test may kill."""

from __future__ import annotations

import uuid
from typing import Protocol

import pytest

from stream.admin import topics as admin_topics
from stream.core.topics import Layout
from stream.wire.broker import Broker


class MakeTopicsOn(Protocol):
    """Creates every topic of the product on a given broker."""

    def __call__(self, bootstrap_servers: str, partitions: int) -> Layout:
        """Return the layout that was created, with names of its own."""
        ...


@pytest.fixture
def make_topics_on() -> MakeTopicsOn:
    """Create the product's topics on a broker of the test's own."""

    def create(bootstrap_servers: str, partitions: int) -> Layout:
        name = uuid.uuid4().hex[:10]
        layout = Layout(prefix=f"t{name}.", app_id=f"app-{name}", partitions=partitions)
        admin_topics.create(Broker(bootstrap_servers), layout)
        return layout

    return create
