"""The clockwork of the simulation: processes that sleep until a time or until somebody wakes them.

A process is a generator. It yields how long it wants to sleep (ms, or None for "until woken") and is resumed with
the message of whoever woke it, or with None when the time is up. At most one wake-up is under way to a process; it
cancels the sleep.

    yields 20_000 --time is up--> resumed with None
                  --wake(p, m)--> resumed with m, at the time of the wake-up

Never in this module: a real clock or chance. Equal times are served in the order in which they were asked for, so a
run is a function of what its processes do.
"""

import heapq
from collections.abc import Generator
from typing import Any

Journey = Generator[int | None, Any, None]
"""What a process runs."""


class Process:
    """One generator in the agenda.

    Attributes:
        booked: whether it is only planned: struck out by `Agenda.strike` while it has not begun.
        journey: the generator.
        turn: number of the resumption waited for; older entries of the agenda are stale.
        woken: whether a wake-up is under way.
    """

    __slots__ = ("booked", "journey", "turn", "woken")

    def __init__(self, journey: Journey, *, booked: bool) -> None:
        """Make a process that has not begun."""
        self.booked = booked
        self.journey = journey
        self.turn = 0
        self.woken = False


class Agenda:
    """Everything that is going to happen, by time.

    Attributes:
        now: simulated time, ms since the epoch.
        alive: processes that have begun and not ended.
    """

    __slots__ = ("_count", "_entries", "alive", "now")

    def __init__(self, start: int) -> None:
        """Begin at `start` (ms since the epoch) with nothing to do."""
        self.now = start
        self.alive = 0
        self._entries: list[tuple[int, int, Process, int, object]] = []
        self._count = 0

    def start(self, journey: Journey, delay_ms: int = 0, *, booked: bool = False) -> Process:
        """Let a process begin after `delay_ms`; a `booked` one may be struck out before."""
        process = Process(journey, booked=booked)
        self.alive += 1
        self._push(self.now + delay_ms, process, None)
        return process

    def wake(self, process: Process, message: object) -> None:
        """Resume a sleeping process now, with `message`, instead of at the end of its sleep."""
        process.turn += 1
        process.woken = True
        self._push(self.now, process, message)

    def strike(self) -> None:
        """Strike out every booked process that has not begun; those that have begun go on."""
        for _, _, process, _, _ in self._entries:
            if process.booked and process.turn == 0:
                self.cancel(process)

    def cancel(self, process: Process) -> None:
        """Strike out a process that has not begun."""
        process.turn += 1
        process.journey.close()
        self.alive -= 1

    def step(self) -> bool:
        """Let the next thing happen; return False when nothing is left."""
        while self._entries:
            at, _, process, turn, message = heapq.heappop(self._entries)
            if turn != process.turn:
                continue
            self.now = at
            self._resume(process, message)
            return True
        return False

    def next_at(self) -> int | None:
        """Return when the next thing happens (ms since the epoch), None when nothing is left."""
        while self._entries and self._entries[0][3] != self._entries[0][2].turn:
            heapq.heappop(self._entries)
        return self._entries[0][0] if self._entries else None

    def _resume(self, process: Process, message: object) -> None:
        process.turn += 1
        process.woken = False
        try:
            sleep = process.journey.send(message)
        except StopIteration:
            self.alive -= 1
            return
        if sleep is not None and not process.woken:
            self._push(self.now + max(0, sleep), process, None)

    def _push(self, at: int, process: Process, message: object) -> None:
        self._count += 1
        heapq.heappush(self._entries, (at, self._count, process, process.turn, message))
