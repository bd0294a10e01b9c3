"""Acting on at most so many rows a day: of those that deserve it, the ones with the largest expected gain."""

from __future__ import annotations

import numpy as np

from holdgood.core.errors import DeclarationError
from holdgood.metrics.cost import CostTable, as_they_are
from holdgood.metrics.units import DAY


def day_of(time: np.ndarray | None, capacity: int) -> np.ndarray:
    """Day (UTC) of each time in microseconds, (n,); DeclarationError where no time is known."""
    if time is None:
        raise DeclarationError(
            f"a capacity of {capacity:,} a day, and no time that says which rows share a day",
            "a time of the main table, or task.decision_time",
            "declare it, or take costs.capacity away",
        )
    return np.asarray(time) // DAY


def gain_of_acting(table: CostTable, prediction: np.ndarray) -> np.ndarray:
    """Binary: what acting on a row saves on average against leaving it alone, if stated chances are true; (n,) amounts."""
    stated = as_they_are(table, prediction)
    return np.asarray(stated * table.act_on_event - (1.0 - stated) * table.act_on_quiet)


def within_capacity(gain: np.ndarray, day: np.ndarray, capacity: int, among: np.ndarray) -> np.ndarray:
    """Of each day's rows ``among`` (n,) bool the ``capacity`` of largest ``gain``, as (n,) bool; equal gains go to the earlier row."""
    days = np.unique(day, return_inverse=True)[1]
    rows = np.flatnonzero(among)
    order = rows[np.lexsort((rows, -gain[rows], days[rows]))]
    ordered = days[order]
    first = np.searchsorted(ordered, ordered, side="left")
    kept = np.zeros(len(gain), bool)
    kept[order[np.arange(len(order)) - first < capacity]] = True
    return kept


def capped(table: CostTable, prediction: np.ndarray, answer: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Answers (0 or 1) of which only those within the capacity of the table are acted on; as they are without one."""
    if table.capacity is None:
        return answer
    kept = within_capacity(gain_of_acting(table, prediction), day, table.capacity, answer == 1)
    return kept.astype(np.int64)


def reachable(table: CostTable, prediction: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Predictions, -1 where a row is never acted on at any threshold, because too many of its day come before it."""
    if table.capacity is None:
        return prediction
    everyone = np.ones(len(prediction), bool)
    kept = within_capacity(gain_of_acting(table, prediction), day, table.capacity, everyone)
    return np.where(kept, prediction, -1.0)
