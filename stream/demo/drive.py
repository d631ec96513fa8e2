"""One run of the simulator into a sink: at full rate, or step by step as time goes by.

Never in this module: a clock or Kafka. Whoever drives says how far to go; where deliveries end up is the sink's
business.
"""

from typing import TYPE_CHECKING, Protocol

from stream.demo.centre.simulator import Simulator
from stream.demo.disturbance import Disturber

if TYPE_CHECKING:
    from stream.demo.centre.simulator import Moment
    from stream.demo.disturbance import Delivered, Delivery


class Sink(Protocol):
    """Where deliveries go."""

    def deliver(self, delivery: "Delivery") -> None:
        """Take one delivery."""

    def flush(self) -> None:
        """Return when everything taken is where it shall be."""


class Drive:
    """A simulator, what disturbs it, and where it goes.

    Attributes:
        simulator: the world; its truth is exact for what was delivered once `stop` has returned.
    """

    __slots__ = ("_disturber", "_sink", "simulator")

    def __init__(self, simulator: Simulator, disturber: Disturber, sink: Sink) -> None:
        """Connect the three."""
        self.simulator = simulator
        self._disturber = disturber
        self._sink = sink

    @property
    def delivered(self) -> "Delivered":
        """What was delivered so far, and what must become of it."""
        return self._disturber.delivered

    def advance_to(self, at: int) -> None:
        """Deliver everything that happens until `at` (ms since the epoch)."""
        while (moment := self.simulator.step(at)) is not None:
            self._deliver(moment)

    def advance_by(self, events: int) -> bool:
        """Deliver at least `events` further events; False when the world was complete before."""
        goal = self.simulator.events + events
        while self.simulator.events < goal:
            moment = self.simulator.step()
            if moment is None:
                return False
            self._deliver(moment)
        return True

    def complete(self) -> None:
        """Take no more calls and let the open ones go on to their ends, however long that takes in simulated time."""
        self.simulator.close_arrivals()
        for moment in self.simulator.moments():
            self._deliver(moment)

    def stop(self) -> None:
        """End here, whatever is open: deliver what was held back and wait until the sink has everything."""
        self._deliver(self.simulator.beat())
        for delivery in self._disturber.flush(self.simulator.now):
            self._sink.deliver(delivery)
        self._sink.flush()

    def _deliver(self, moment: "Moment") -> None:
        for delivery in self._disturber.feed(moment):
            self._sink.deliver(delivery)
