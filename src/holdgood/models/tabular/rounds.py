"""Boosting round by round: ended by rows kept apart, by the clock, or after all that were asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

LOOK = 5
USUAL = 15.0
"""Boosting usually is at its best within this number of rounds divided by the learning rate."""
FASTEST = 0.25
"""The learning rate is raised to this at most where time is short: better coarse to the end than fine and cut off."""


def boost(
    update: Callable[[], bool],
    most: int,
    deadline: float,
    loss: Callable[[], float] | None = None,
    patience: int = 0,
    hurry: Callable[[float], None] | None = None,
    usual: float = 0.0,
    after: float = 0.0,
) -> tuple[int, float]:
    """Add up to ``most`` rounds. How many to keep, and the share that was done before the time was up (1.0 where it ended
    by itself).

    ``update`` adds a round and says whether nothing was left to split (that round adds nothing then). ``loss`` is that
    of the rows kept apart: the rounds that were best on these are kept, and ``patience`` rounds without a better one
    end it. ``deadline`` is by ``time.monotonic``; the first round is always made. ``hurry`` is told once, after a few
    rounds, by which factor the ``usual`` number of rounds is more than there is time for. ``after``: seconds that each round
    will still cost once boosting has ended, in bringing its trees into another form.
    """
    best, lowest, pace, began = 1, math.inf, 0.0, time.monotonic()
    for number in range(1, most + 1):
        started = time.monotonic()
        if number > 1 and started + pace + after * number > deadline:
            return best, (number - 1) / most
        if hurry is not None and number == LOOK + 1 and math.isfinite(deadline):
            each = max((started - began) / LOOK + after, 1e-9)
            bearable = max(1.0, (deadline - started) / each)
            if bearable < usual:
                hurry(usual / bearable)
        exhausted = update()
        made = max(1, number - 1) if exhausted else number
        pace = max(0.7 * pace, time.monotonic() - started)
        if loss is None:
            best = made
        else:
            now = loss()
            if now < lowest:
                best, lowest = made, now
            elif number - best >= patience:
                break
        if exhausted:
            break
    return best, 1.0
