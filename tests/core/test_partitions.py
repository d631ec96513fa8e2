"""Our murmur2 is Kafka's."""

from __future__ import annotations

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from stream.core.partitions import partition_of


@given(st.binary(max_size=70), st.integers(1, 64))
def test_a_key_goes_where_every_client_sends_it(key: bytes, partitions: int) -> None:
    """Any key, any number of partitions."""
    everything = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, everything, everything)
