"""Exclusive time of named functions while the program runs as it is: each call belongs to its innermost phase.

Python's garbage collector is a phase of its own, wherever it strikes. CPU time of the calling thread is taken, so that
a busy machine disturbs it little. Costs about 0.5 us a timed call: only coarse functions are timed, and totals are
compared with a run that is not. Functions are put back when the context ends.
"""

from __future__ import annotations

import functools
import gc
from time import thread_time_ns
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

GARBAGE: Final = "garbage"
Place = tuple[object, str]
"""Where a function is looked up when it is called: a class or module, and its name there."""


class Stopwatch:
    """Times phases; `spent` maps each to nanoseconds, without the time of phases inside it."""

    def __init__(self, phases: Mapping[str, Sequence[Place]]) -> None:
        """Take the phases: name -> the functions that belong to it."""
        self.spent: dict[str, int] = {**dict.fromkeys(phases, 0), GARBAGE: 0}
        self._phases = phases
        self._kept: list[tuple[object, str, object]] = []
        self._inner = [0]
        self._collecting_since = 0

    def __enter__(self) -> Self:
        """Begin to time."""
        for phase, places in self._phases.items():
            for owner, name in places:
                function = getattr(owner, name)
                self._kept.append((owner, name, function))
                setattr(owner, name, self._timed(phase, function))
        gc.callbacks.append(self._collected)
        return self

    def __exit__(self, *_exception: object) -> None:
        """Put every function back."""
        gc.callbacks.remove(self._collected)
        while self._kept:
            owner, name, function = self._kept.pop()
            setattr(owner, name, function)

    def _collected(self, step: str, _facts: Mapping[str, int]) -> None:
        """The collector begins or ends; it never nests."""
        if step == "start":
            self._collecting_since = thread_time_ns()
            return
        took = thread_time_ns() - self._collecting_since
        self.spent[GARBAGE] += took
        self._inner[-1] += took

    def _timed(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        spent, inner = self.spent, self._inner

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any function's arguments
            inner.append(0)
            began = thread_time_ns()
            try:
                return function(*args, **kwargs)
            finally:
                took = thread_time_ns() - began
                spent[phase] += took - inner.pop()
                inner[-1] += took

        return timed
