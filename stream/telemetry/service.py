"""Telemetry as one object: what a worker is given, wired by the command line.

Never in this module: a setting read from the environment, a policy; both arrive as values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.telemetry.collector import ShardCollector
from stream.telemetry.http import Address, Server
from stream.telemetry.process import ProcessMetrics
from stream.telemetry.rendering import Renderer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from stream.telemetry.collector import InForce
    from stream.telemetry.figures import ShardFigures
    from stream.telemetry.http import Health
    from stream.telemetry.known import Key


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """What the metrics page needs to know before anything runs.

    Attributes:
        now: ms since the epoch, for figures of open rows.
        address: where to listen.
        known: stage -> series its shards show at 0 from the start (`stream.telemetry.known.known_by_stage`).
        policy: targets and definitions, `(family, *label values)` -> value (ms where the unit is seconds; 1 for an
            info).
        in_force: what else the policy says, that depends on the time; None = nothing.
    """

    now: Callable[[], int]
    address: Address = field(default_factory=Address)
    known: Mapping[int, tuple[Key, ...]] = field(default_factory=dict)
    policy: Mapping[Key, float] = field(default_factory=dict)
    in_force: InForce | None = None


class Telemetry:
    """Metrics and health of one worker."""

    def __init__(self, settings: TelemetrySettings) -> None:
        """Open nothing; facts may be stated before `start`."""
        self.process = ProcessMetrics()
        self._settings = settings
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The port bound; 0 while not started."""
        return self._server.port if self._server else 0

    async def start(self, views: Callable[[], Iterable[ShardFigures]], health: Callable[[], Health]) -> None:
        """Listen.

        Args:
            views: owned, loaded and live shards; called once per scrape, from another thread.
            health: asked at every health request, in the event loop.

        Raises:
            Trouble: the address cannot be bound.
        """
        settings = self._settings
        shards = ShardCollector(views, settings.now, settings.known, settings.policy, settings.in_force)
        server = Server(settings.address, Renderer(shards, self.process), health)
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Stop listening; safe to call twice, or without `start`."""
        if self._server is not None:
            await self._server.stop()
            self._server = None
