"""What may be shown of one shard of the case stage: committed counters, and gauges made from stored tallies."""

from stream.core.cases.cohorts import TALLIES, Known, cohort_gauges, day_of, first_day_shown
from stream.core.figures.figures import CounterKey
from stream.core.figures.view import Counters, ShardView, Shown
from stream.core.policy import Policy


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
        """Keep the tallies by themselves, those that are 0 left out."""
        with self._lock:
            for key, (total, fell) in counters.items():
                if key[0] not in TALLIES:
                    continue
                if total != fell:
                    self._tallies[key] = total - fell
                else:
                    self._tallies.pop(key, None)

    def gauges(self, now: int) -> dict[CounterKey, float]:
        """The cohorts at the settlement watermark, and what the sources said last."""
        oldest = first_day_shown(self._policy, self.watermark)
        with self._lock:
            for key in [key for key in self._tallies if day_of(key) < oldest]:
                del self._tallies[key]
            tallies = dict(self._tallies)
        known = Known(self.watermark, self.since)
        return {**super().gauges(now), **cohort_gauges(tallies, self._policy, known)}
