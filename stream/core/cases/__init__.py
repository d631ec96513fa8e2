"""Contacts of one person to cases, their verdicts and figures, and the shard of stage two."""
