"""Two policies on the same futures: what one saves against the other, with its interval."""

from __future__ import annotations

from typing import Literal

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.records import Comparison
from holdgood.decisions.simulator.outcome import Outcome
from holdgood.metrics.compare import paired


def saved(
    first: Outcome, second: Outcome, *, over: Literal["items", "scenarios"] | None = None, level: float = 0.95
) -> Comparison:
    """Money that ``first`` saves against ``second``; above zero: the first is better. Stock left at the end is worth what it cost.

    over: what else could have come. ``items``: others like these, mean an item; ``scenarios``: other futures of these items, mean a scenario of all
    items together. None: items, or scenarios where there is one item. Both must come from one world.
    """
    if first.loss.shape != second.loss.shape or not np.array_equal(first.units.demand, second.units.demand):
        raise DataError(
            f"{first.policy} and {second.policy} met different demand", "the same futures", "simulate both in one world"
        )
    items = len(first.loss) > 1 if over is None else over == "items"
    one, two = (o.settled.mean(axis=1) if items else o.settled.sum(axis=0) for o in (first, second))
    unit = "money an item" if items else "money a scenario"
    return paired(one, two, first=first.policy, second=second.policy, unit=unit, level=level)
