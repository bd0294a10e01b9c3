"""Ctrl-C in a Python session: the first ends a training with the best model so far, the next one gives up."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from holdgood.training.ending import Ending

HEARD = "\nholdgood: Ctrl-C was heard; the best model so far is being made ready. Once more gives up.\n"


@contextmanager
def ctrl_c(ending: Ending) -> Iterator[None]:
    """While inside, Ctrl-C first asks ``ending``; KeyboardInterrupt where that has nothing to give, or was asked before.

    Only in the main thread, and only where Ctrl-C is Python's own: whoever handles it themselves goes on doing so.
    """
    of_python = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if threading.current_thread() is not threading.main_thread() or not of_python:
        yield
        return

    def heard(number: int, frame: FrameType | None) -> None:
        if not ending.ask():
            raise KeyboardInterrupt
        with suppress(RuntimeError, OSError, ValueError):  # standard error is being written to right now, or closed
            sys.stderr.write(HEARD)

    signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
