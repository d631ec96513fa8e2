"""The product's shards under the policy of the measurements."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from stream.core.cases.shard import CaseShard
from stream.core.contacts.shard import Shard, ShardId
from stream.wire.policy import load_policy
from stream.wire.rows import JsonCodec

POLICY: Final = Path(__file__).parent / "policy.toml"


def new_shard(partition: int) -> Shard:
    """Return an empty shard of stage 1, as the worker makes them."""
    return Shard(ShardId(1, partition), load_policy(POLICY), JsonCodec())


def new_case_shard(partition: int, shards: int) -> CaseShard:
    """Return an empty shard of stage 2, one of so many."""
    return CaseShard(ShardId(2, partition), load_policy(POLICY), JsonCodec(), shards)
