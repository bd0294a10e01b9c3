"""Orders on their way: when they truly arrive, and what a policy is shown of them."""

from __future__ import annotations

import numpy as np

from holdgood.core.inventory import Stock, Terms


class Certain:
    """Every order takes the lead time of its item. What is shown is what will come."""

    def __init__(self, stock: Stock, terms: Terms, steps: int) -> None:
        self._lead = terms.lead.astype(np.int64)
        self._shown = max(int(self._lead.max(initial=0)), stock.arriving.shape[1])
        self._due = np.zeros((steps + self._shown + 2, len(stock)))
        self._due[: stock.arriving.shape[1]] = stock.arriving.T
        self._same = int(self._lead[0]) if len(self._lead) and (self._lead == self._lead[0]).all() else None
        self._rows = np.arange(len(stock))

    def arriving(self, step: int) -> np.ndarray:
        """(rows, k) as known at the end of the step before ``step``; column 0 arrives with it."""
        return np.asarray(self._due[step : step + self._shown].T)

    def order(self, step: int, units: np.ndarray) -> None:
        """Placed at the end of the step before ``step``."""
        if self._same is not None:
            self._due[step + self._same] += units
        else:
            self._due[step + self._lead, self._rows] += units

    def receive(self, step: int) -> np.ndarray:
        """Units (rows,) that arrive at the start of ``step``."""
        return np.asarray(self._due[step])

    def open(self, step: int) -> np.ndarray:
        """Units (rows,) on order after the arrivals of ``step``."""
        return np.asarray(self._due[step + 1 :].sum(axis=0))


class Uncertain:
    """Orders take what ``leads`` (rows, steps) says, which nobody is told: shown are open orders by when they are due; what is overdue,
    or will never come, stands in the first column.
    """

    def __init__(self, stock: Stock, terms: Terms, leads: np.ndarray) -> None:
        rows, steps = leads.shape
        self._expected = np.ceil(terms.lead).astype(np.int64)
        self._shown = max(int(self._expected.max(initial=0)), stock.arriving.shape[1], 1)
        self._due = np.zeros((steps + self._shown + 2, rows))
        self._due[: stock.arriving.shape[1]] = stock.arriving.T
        self._given = np.zeros((steps + stock.arriving.shape[1] + 1, rows))
        self._given[: stock.arriving.shape[1]] = stock.arriving.T
        self._overdue = np.zeros(rows)
        self._leads = np.ascontiguousarray(leads.T)
        finite = leads[np.isfinite(leads)]
        self._longest = min(int(finite.max(initial=0)), steps)
        self._orders = np.zeros((steps, rows))
        self._rows = np.arange(rows)

    def arriving(self, step: int) -> np.ndarray:
        """(rows, k) as known at the end of the step before ``step``."""
        shown = self._due[step : step + self._shown].T.copy()
        shown[:, 0] += self._overdue
        return np.asarray(shown)

    def order(self, step: int, units: np.ndarray) -> None:
        """Placed at the end of the step before ``step``."""
        self._orders[step] = units
        self._due[step + self._expected, self._rows] += units

    def receive(self, step: int) -> np.ndarray:
        """Units (rows,) that arrive at the start of ``step``."""
        received = self._given[step].copy() if step < len(self._given) else np.zeros(len(self._rows))
        self._due[step] -= received
        for placed in range(max(0, step - self._longest), step + 1):
            here = np.where(self._leads[placed] == step - placed, self._orders[placed], 0.0)
            if not here.any():
                continue
            received += here
            late = placed + self._expected < step
            self._overdue -= np.where(late, here, 0.0)
            self._due[np.where(late, step, placed + self._expected), self._rows] -= np.where(late, 0.0, here)
        self._overdue += self._due[step]
        self._due[step] = 0.0
        return np.asarray(received)

    def open(self, step: int) -> np.ndarray:
        """Units (rows,) on order after the arrivals of ``step``, with those that never arrive."""
        return np.asarray(self._overdue + self._due[step + 1 :].sum(axis=0))
