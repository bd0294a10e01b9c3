"""What the calendar explains: days of the week and the time of the year, learned from the reference.

A season that the reference has seen is no drift. What it has not seen (a reference shorter than a year says nothing of
next autumn) can't be taken out; ``explains`` says which parts were.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdgood.core.protocols import Clock

DAY = 86_400_000_000
"""Microseconds."""

YEAR_DAYS = 365.2425
_WEEKS_FOR_DAYS = 6
_HARMONICS = 4
"""As many as the highest rank score has turns: a wave in a number is a wave of four times its pace in the fourth score."""
_DAYS_FOR_YEAR = 350
_ROWS_A_TERM = 25
_STRETCHES_A_TERM = 3


@dataclass(frozen=True)
class Seasons:
    """Design matrices (rows, terms) with an intercept first; ``explains`` in words; ``blocks``: a stretch a row, none of both sides."""

    reference: np.ndarray
    current: np.ndarray
    blocks: np.ndarray
    blocks_now: np.ndarray
    explains: tuple[str, ...]

    def of(self, before: np.ndarray, now: np.ndarray) -> Seasons:
        """Some rows of each side (masks)."""
        rows = self.reference[before], self.current[now], self.blocks[before], self.blocks_now[now]
        return Seasons(*rows, self.explains)


def seasons(clock: Clock) -> Seasons:
    """The calendar as far as the reference has seen it, and its stretches as long as the window in use."""
    first, last = int(clock.reference.min()), int(clock.reference.max())
    days = (last - first) / DAY
    terms: list[tuple[np.ndarray, np.ndarray]] = []
    told = []
    n = len(clock.reference)
    if days >= _DAYS_FOR_YEAR and n >= _ROWS_A_TERM * 2 * _HARMONICS:
        terms += [_wave(clock, k, wave) for k in range(1, _HARMONICS + 1) for wave in (np.sin, np.cos)]
        told.append("time of the year")
    if days >= 7 * _WEEKS_FOR_DAYS and n >= _ROWS_A_TERM * 7:
        here, now = (_weekday(t) for t in (clock.reference, clock.current))
        present = np.unique(here)
        if len(present) > 1:
            # A day of the week that the reference never saw has no mean to compare with: it counts as the base day.
            terms += [((here == d).astype(np.float64), (now == d).astype(np.float64)) for d in present[1:]]
            told.append("day of the week")
    # Stretches as long as the window: how much their means vary beyond chance is how much a window's may. Shorter ones
    # where there would be too few beside the terms; a long window is then thought to vary as they do, which is cautious.
    window = (int(clock.current.max()) - int(clock.current.min())) / DAY + 1.0 / DAY
    length = max(1, min(math.ceil(window), int(days / (_STRETCHES_A_TERM * (1 + len(terms))))))
    blocks = (last - clock.reference) // (length * DAY)
    # A window as long as a stretch is one stretch, wherever it begins; one that is longer is divided from its end.
    blocks_now = -1 - (int(clock.current.max()) - clock.current) // (length * DAY)
    one = (np.ones(n), np.ones(len(clock.current)))
    before, now_terms = zip(one, *terms, strict=True)
    return Seasons(np.stack(before, axis=1), np.stack(now_terms, axis=1), blocks, blocks_now, tuple(told))


def _weekday(moment: np.ndarray) -> np.ndarray:
    return (moment // DAY + 3) % 7  # the epoch was a Thursday


def _wave(clock: Clock, k: int, wave: np.ufunc) -> tuple[np.ndarray, np.ndarray]:
    at = 2.0 * np.pi * k / (YEAR_DAYS * DAY)
    return wave(at * clock.reference), wave(at * clock.current)
