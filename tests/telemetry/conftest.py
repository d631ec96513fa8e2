"""Two shards whose figures cover every kind of family, as plain values."""

from __future__ import annotations

import pytest

from stream.telemetry.figures import PlainShard


@pytest.fixture
def two_shards() -> list[PlainShard]:
    """Shard 0 has one of everything, shard 1 a second count of the same visits; all hand-made."""
    return [
        PlainShard(
            1,
            0,
            counters={
                ("contact_arrivals_total", "voice", "inbound"): (1_234_567, 0),
                ("contact_visits_entered_total", "voice", "billing"): (7, 1),
                ("contact_visits_total", "voice", "billing", "answered"): (5, 1),
                ("contact_wait_seconds", "voice", "billing", "answered", 0): (3, 1),
                ("contact_wait_seconds", "voice", "billing", "answered", 2): (1, 0),
                ("contact_wait_seconds", "voice", "billing", "answered", 16): (1, 0),
                ("contact_wait_seconds", "voice", "billing", "answered", "sum"): (9_012_345, 4_000),
                ("contact_first_response_seconds", "email", "care", 1): (2, 0),
                ("contact_first_response_seconds", "email", "care", "sum"): (10_000_001, 0),
                ("contact_talk_seconds_total", "voice", "billing"): (61_001, 1),
                ("contact_stream_records_total", "calls", "applied"): (42, 0),
                ("contact_stream_quality_total", "contradiction"): (2, 1),
            },
            open_figures={
                ("contact_queue_waiting", "voice", "billing"): 2,
                ("contact_queue_oldest_entered_timestamp_seconds", "voice", "billing"): 1_772_445_600_123,
                ("contact_stream_event_time_seconds", "calls"): 1_772_445_601_000,
            },
            unaccounted={("contact_unaccounted", "billing"): 0},
            watermark=1_772_445_540_000,
            rows=3,
        ),
        PlainShard(
            1,
            1,
            counters={("contact_visits_total", "voice", "billing", "answered"): (4, 0)},
            open_figures={("contact_stream_event_time_seconds", "calls"): 1_772_445_700_000},
            rows=4,
        ),
    ]
