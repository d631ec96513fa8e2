"""Every figure as data, the counters and cells of a shard, and what may be shown of them."""
