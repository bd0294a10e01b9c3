"""Do intervals hold for each item? How many items lie outside what chance explains, and which.

An item is judged at a few origins, whose steps go together: a share of 60% inside an 80% interval may be one bad month. What chance
explains is therefore asked of the joint paths themselves: as if the truth were one of them at each origin, drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.records.forecast_evaluation import ItemCover, ItemOutside

LEVEL = 0.8
ALPHA = 0.05
"""Both sides together."""
DRAWS = 400
MOST_PATHS = 100
MOST_OUTSIDE = 50


@dataclass(frozen=True, eq=False)
class ItemChance:
    """``table`` (series, 6), NaN where not judged: steps, inside; chance of as few inside, of as many; and how often chance alone
    comes below half of ALPHA on either side (counts are steps: not always exactly so).
    """

    table: np.ndarray

    def take(self, series: np.ndarray) -> ItemChance:
        """Some series, in that order."""
        return ItemChance(self.table[series])


class ItemCount:
    """Counts outcomes inside the interval, origin by origin, and what the paths themselves would have counted."""

    def __init__(self, series: int) -> None:
        self._steps, self._inside = np.zeros(series, np.int64), np.zeros(series, np.int64)
        self._drawn = np.zeros((series, DRAWS), np.int32)

    def add(self, series: np.ndarray, pit: np.ndarray, paths: np.ndarray, random: np.random.Generator) -> None:
        """At one origin: PIT values (n, horizon), NaN where nothing came, of paths (n, samples, horizon)."""
        there = ~np.isnan(pit)
        self._steps[series] += there.sum(axis=1)
        self._inside[series] += (np.abs(pit - 0.5) <= LEVEL / 2).sum(axis=1)
        some = paths[:, :MOST_PATHS]
        size = np.abs(some).max(axis=(1, 2), initial=0.0, where=np.isfinite(some))
        # ties are parted at random, as the PIT values of counts are
        some = some + 1e-9 * np.maximum(size, 1e-9)[:, None, None] * random.random(some.shape)
        low, high = np.quantile(some, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
        held = (some >= low[:, None]) & (some <= high[:, None]) & there[:, None]
        count = held.sum(axis=2)
        which = random.integers(0, count.shape[1], (len(count), DRAWS))
        self._drawn[series] += np.take_along_axis(count, which, axis=1).astype(np.int32)

    def chances(self) -> ItemChance:
        """What the counts say."""
        table = np.full((len(self._steps), 6), np.nan)
        for s in np.flatnonzero(self._steps).tolist():
            drawn, inside = self._drawn[s], self._inside[s]
            few, many = _chance(drawn, inside), _chance(-drawn, -inside)
            table[s] = self._steps[s], inside, few, many, _size(drawn), _size(-drawn)
        return ItemChance(table)


def _chance(drawn: np.ndarray, seen: int) -> float:
    return (1 + int((drawn <= seen).sum())) / (len(drawn) + 1)


def _size(drawn: np.ndarray) -> float:
    """How often a draw is as rare as half of ALPHA among the draws."""
    order = np.sort(drawn)
    rank = np.searchsorted(order, drawn, side="right")
    return float(np.mean((1 + rank) / (len(drawn) + 1) <= ALPHA / 2))


def item_cover(chance: ItemChance, ids: np.ndarray) -> ItemCover | None:
    """The record; None where no item was judged."""
    judged = np.flatnonzero(~np.isnan(chance.table[:, 0]))
    if not len(judged):
        return None
    steps, inside, few, many, by_few, by_many = chance.table[judged].T
    narrow, wide = few <= ALPHA / 2, many <= ALPHA / 2
    share = inside / steps
    outside = np.flatnonzero(narrow | wide)
    # what orders too little comes before what orders too much
    order = outside[np.lexsort((share[outside], ~narrow[outside]))]
    return ItemCover(
        level=LEVEL, items=len(judged), too_narrow=int(narrow.sum()), too_wide=int(wide.sum()),
        narrow_by_chance=float(by_few.sum()), wide_by_chance=float(by_many.sum()),
        worst=tuple(
            ItemOutside(
                series=str(ids[judged[k]]), steps=int(steps[k]), inside=float(share[k]),
                chance=float(min(1.0, 2 * min(few[k], many[k]))),
            )
            for k in order[:MOST_OUTSIDE].tolist()
        ),
    )  # fmt: skip
