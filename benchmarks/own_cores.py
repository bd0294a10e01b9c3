"""What is measured runs on cores of its own, ahead of whatever else the machine does."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable


def own_cores(cores: Iterable[int]) -> None:
    """Keep this process and its children to ``cores``, in real time where this user may ask for it.

    A raised priority is not enough on a shared machine: who waits for another thread or a socket many times a second is woken late each time,
    so that some systems get half of the CPU time that they take on a quiet machine, and others all of it.
    """
    os.sched_setaffinity(0, set(cores))
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def scheduled() -> str:
    """How processes are run by ``own_cores`` here: "real time", or "as others" where this user may not ask for that."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        return "as others"
    os.sched_setscheduler(0, *before)
    return "real time"
