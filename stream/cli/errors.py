"""What a command ends with: an exit code, and for expected trouble one message on standard error.

    Trouble            attempted; detail; hint                    1 or 2, as it says
    OSError            the file or address it is about            1
    BrokenPipeError    silence: the reader has seen enough        0
    KeyboardInterrupt  silence: somebody pressed Ctrl-C           3 (stopped early)
    anything else      a bug: the traceback, for the report       1

A Ctrl-C counts also where a library swallowed its exception, as kafka-python does inside its loop, and then failed.
Exit codes: 0 done, 1 failed, 2 usage, 3 stopped early and resumable. It never hides a bug behind a message.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

DONE: Final = 0
FAILED: Final = 1
STOPPED: Final = 3


def guarded(run: Callable[[], int]) -> int:
    """Run a command and return its exit code, saying expected trouble in one message."""
    with _noticed() as pressed:
        try:
            code = run()
            sys.stdout.flush()
        except Trouble as trouble:
            return STOPPED if pressed else _say(str(trouble), trouble.exit_code)
        except KeyboardInterrupt:
            return STOPPED
        except BrokenPipeError:
            # Python would complain once more when it flushes standard output at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        except OSError as error:
            about = error.filename or "the system"
            return _say(f"cannot use {about}; {error.strerror or error}", FAILED)
        else:
            return code


@contextmanager
def _noticed() -> Iterator[list[int]]:
    """Keep what is pressed, beside the exception it raises; nothing where Ctrl-C is ignored or means something else."""
    pressed: list[int] = []

    def press(number: int, _: FrameType | None) -> None:
        pressed.append(number)
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        yield pressed
        return
    signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _say(message: str, code: int) -> int:
    print(f"contact-stream: {message}", file=sys.stderr)
    return code
