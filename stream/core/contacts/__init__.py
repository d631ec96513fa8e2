"""One contact: the fold of its events, what it is called, what it is worth, and the shard of stage one."""
