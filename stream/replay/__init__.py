"""Bounded runs of the same shards without Faust. Never touches the live group or topics."""
