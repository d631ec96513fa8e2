"""What may be shown of one shard of the case stage: committed counters, and gauges made from stored tallies."""

from stream.core.cohorts import TALLIES, Known, cohort_gauges
from stream.core.figures import CounterKey
from stream.core.policy import Policy
from stream.core.view import Counters, ShardView, Shown


class CaseView(ShardView):
    """Committed figures of one shard; gauges are known at the settlement watermark."""

    def __init__(self, stage: int, partition: int, *, policy: Policy) -> None:
        """Empty."""
        super().__init__(stage, partition)
        self._policy = policy
        self._tallies: dict[CounterKey, int] = {}

    def show(self, changes: Shown) -> None:
        """Take over what a committed batch changed, all at once."""
        super().show(changes)
        self._sort_out(changes.counters)

    def loaded(self) -> None:
        """The counters have been loaded."""
        self._sort_out(self.counters)

    def _sort_out(self, counters: Counters) -> None:
        """Keep the tallies by themselves; replaced, not changed."""
        told = {key: total - fell for key, (total, fell) in counters.items() if key[0] in TALLIES}
        if told:
            self._tallies = {key: amount for key, amount in {**self._tallies, **told}.items() if amount}

    def gauges(self, now: int) -> dict[CounterKey, float]:
        """The cohorts at the settlement watermark, and what the sources said last."""
        known = Known(self.watermark, self.since)
        return {**super().gauges(now), **cohort_gauges(self._tallies, self._policy, known)}
