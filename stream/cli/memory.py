"""The collector of cyclic garbage, told that this program makes almost none.

A shard holds hundreds of thousands of small objects that refer to each other in one direction only. With Python's
defaults the collector walks them again and again: half of all CPU time, measured. It still runs, much less often.
"""

import gc
from typing import Final

_YOUNG: Final = 200_000  # new objects between two looks at the young generation
_MIDDLE: Final = 10
_OLD: Final = 100


def calm_collector() -> None:
    """Make cyclic garbage collection rare in this process."""
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
