"""Which rows the watermark must look at, and when. Event time only; no clock."""

import heapq


class Timers:
    """One timer a row; setting it later is lazy: the earlier one fires and is set anew."""

    __slots__ = ("_armed", "_heap")

    def __init__(self) -> None:
        """No timer."""
        self._armed: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def arm(self, name: str, due: int) -> None:
        """Look at ``name`` at ``due`` (ms), or earlier if that is already set."""
        armed = self._armed.get(name)
        if armed is None or due < armed:
            self._armed[name] = due
            heapq.heappush(self._heap, (due, name))

    def fill(self, dues: dict[str, int]) -> None:
        """Set many at once (after loading)."""
        self._armed = dict(dues)
        self._heap = [(due, name) for name, due in dues.items()]
        heapq.heapify(self._heap)

    def pop(self, watermark: int) -> str | None:
        """The next row whose timer the watermark has reached; its timer is gone."""
        while self._heap and self._heap[0][0] <= watermark:
            due, name = heapq.heappop(self._heap)
            if self._armed.get(name) == due:
                del self._armed[name]
                return name
        return None
