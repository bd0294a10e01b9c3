"""Names that the server makes: the system's randomness, drawn for many of them at once."""

from __future__ import annotations

import os
import time

_AT_ONCE = 256
_ID, _REQUEST = 12, 8
_ids: list[str] = []
_requests: list[str] = []


def fresh_id() -> str:
    """A name for an answer that the caller did not name: 96 bits of the system's randomness, which nobody can guess, behind the time.

    Whoever knows an id may write an outcome under it (``/feedback``): a counter or a clock alone would let strangers name others' answers. The
    time (milliseconds, 12 digits) only keeps neighbours together, so that the journal's index grows at its end.
    """
    return f"{time.time_ns() // 1_000_000:012x}{_one(_ids, _ID)}"


def request_id() -> str:
    """A name for a request, by which its keeper finds it in the log."""
    return _one(_requests, _REQUEST)


def _one(left: list[str], size: int) -> str:
    """So many random bytes as hex digits, given out once: ``pop`` is one step, whatever threads ask."""
    try:
        return left.pop()
    except IndexError:
        drawn, digits = os.urandom(size * _AT_ONCE).hex(), 2 * size
        left += [drawn[at : at + digits] for at in range(digits, len(drawn), digits)]
        return drawn[:digits]


def _forget() -> None:
    """A process that was split off draws its own."""
    _ids.clear()
    _requests.clear()


os.register_at_fork(after_in_child=_forget)
