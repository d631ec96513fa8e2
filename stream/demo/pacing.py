"""How simulated time follows real time: behind it and faster until it has caught up, then together with it.

Simulated time never passes real time, because an event from the future is refused (1-events 1.3). A run that shall
be quick begins in the past. Pure: the caller says what time it is.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """A run's relation to the clock on the wall.

    Attributes:
        begun_at: real time of the beginning, ms since the epoch.
        start: simulated time of the beginning, ms since the epoch; not after `begun_at`.
        speed: simulated seconds per real second until real time is reached; at least 1.
    """

    begun_at: int
    start: int
    speed: float

    def simulated(self, now: int) -> int:
        """Return the simulated time (ms since the epoch) at a real time."""
        return min(now, self.start + round((now - self.begun_at) * self.speed))

    def live(self, now: int) -> bool:
        """Tell whether simulated time has caught up with real time."""
        return self.simulated(now) == now
