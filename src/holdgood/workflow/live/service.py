"""The watch as a service: a plain loop that takes each look when it is due, and goes on after a kill where it was."""

from __future__ import annotations

import math
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from holdgood.core.errors import HoldgoodError
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.watch import Watched, due, watch

JITTER = 0.02
"""Share of the time between looks by which a look may be late: several services do not all ask at once."""

LONGEST_SLEEP = 3600.0

NAP = 1.0
"""Seconds after which a service that was asked to end while it slept knows it, at most."""


class Ending:
    """Whether the service was asked to end."""

    def __init__(self) -> None:
        self.asked = False

    def sleep(self, seconds: float) -> None:
        """Sleep, but not past the moment at which the end is asked for."""
        until = time.monotonic() + seconds
        while not self.asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, NAP))


@contextmanager
def ended_by_sigterm() -> Iterator[Ending]:
    """SIGTERM asks for the end. The first process of a container must take the signal: nothing else would end it but a kill."""
    ending = Ending()

    def ask(*_: object) -> None:
        ending.asked = True

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield ending
    finally:
        signal.signal(signal.SIGTERM, before)


def run(
    live: Live,
    models: Sequence[str],
    said: Callable[[str, Watched | HoldgoodError], None],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    rounds: int | None = None,
    ended: Callable[[], bool] = lambda: False,
) -> None:
    """Watch for ever (or ``rounds`` looks, or until ``ended``; a look that was begun is finished).

    A look has the time at which it was due, so that one that was cut off is taken up, not repeated. What fails (a database that is away) is
    said and tried again at the next look; the loop goes on.
    """
    gap = timedelta(days=live.settings.watch.days)
    jitter = random.Random(0)
    taken = 0
    next_at = {model: due(live, model, now()) for model in models}
    while (rounds is None or taken < rounds) and not ended():
        model = min(next_at, key=lambda m: next_at[m])
        late = timedelta(seconds=jitter.random() * JITTER * gap.total_seconds())
        while (wait := (next_at[model] + late - now()).total_seconds()) > 0:
            if (
                wait > 2.0 * gap.total_seconds()
            ):  # the clock was set back: nobody would look for as long as it had been ahead
                next_at[model] = due(live, model, now())
                continue
            sleep(min(wait, LONGEST_SLEEP))
            if ended():
                return
        # Looks that were missed are not made up for one by one: the newest that is due covers their rows by its longer windows.
        missed = max(0, math.floor((now() - next_at[model]) / gap))
        at = next_at[model] + missed * gap
        try:
            said(model, watch(live, model, at=at))
        except HoldgoodError as error:
            said(model, error)
        next_at[model] = at + gap
        taken += 1
