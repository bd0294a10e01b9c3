"""Memory that was freed goes back to the system: glibc keeps it, and a worker that compiled a network once would hold it to the end."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import psutil

GROWTH = 32_000_000
"""Bytes that a process holds more than when it last gave back: for less it isn't worth the while."""


class _Level:
    """What this process held after it last gave back."""

    own = 0


def own_memory(process: psutil.Process) -> int:
    """Bytes that a process holds for itself: files that it maps together with others do not count."""
    info = process.memory_info()
    return int(info.rss - getattr(info, "shared", 0))


def give_back() -> bool:
    """Give free memory of this process back where it has grown; whether that was done (elsewhere than on glibc: never)."""
    trim, me = _trim(), psutil.Process()
    if trim is None or own_memory(me) < _Level.own + GROWTH:
        return False
    trim(0)
    _Level.own = own_memory(me)
    return True


@cache
def _trim() -> Callable[[int], Any] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return None
