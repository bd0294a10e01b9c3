"""Who is acted on within a capacity a day, over pieces: of each day the rows of most expected gain, whatever piece they are in."""

from __future__ import annotations

import numpy as np

from holdgood.metrics.capacity import within_capacity


class Acted:
    """Takes what deserves action piece by piece, in the order of the rows, and keeps of each day the best so far.

    What it holds is bounded by days times ``capacity``. The best of all rows are among the best of the parts, so that the end
    is that of all rows at once; equal gains go to the earlier row.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._rows = np.zeros(0, np.int64)
        self._gain = np.zeros(0)
        self._day = np.zeros(0, np.int64)

    def add(self, rows: np.ndarray, gain: np.ndarray, day: np.ndarray) -> None:
        """Rows (positions in the table, ascending, after all that came before) that deserve action, their gains and days."""
        rows, gain = np.concatenate([self._rows, rows]), np.concatenate([self._gain, gain])
        day = np.concatenate([self._day, day])
        kept = within_capacity(gain, day, self._capacity, np.ones(len(rows), bool))
        self._rows, self._gain, self._day = rows[kept], gain[kept], day[kept]

    def rows(self) -> np.ndarray:
        """Positions of the rows that are acted on, ascending."""
        return self._rows
