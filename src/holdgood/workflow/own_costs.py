"""Costs of the user's own: what each answer costs on each row, by a plain function of the row, the truth and the answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from holdgood.core.errors import DeclarationError
from holdgood.core.table import Table
from holdgood.core.task import Task


class OwnCosts:
    """``function(rows, y, answer)`` over a table: ``rows`` a pandas frame, ``y`` and ``answer`` labels or values, (n,).

    It gives an amount of money a row. It must look at each row by itself, because it is asked about some at a time.
    """

    def __init__(self, name: str, function: Callable[..., Any], table: Table, task: Task, y: np.ndarray) -> None:
        self.name, self.function, self.table, self.task, self.y = name, function, table, task, y
        self.dearest = 0.0

    @cached_property
    def frame(self) -> Any:
        """The rows as pandas."""
        return self.table.data.to_pandas()

    def spend(self, answer: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """What answers (codes or values) cost on the table's rows at these positions; (n,) amounts."""
        y = self.y[rows]
        known = np.isfinite(y) if self.task.kind == "regression" else (y >= 0) & (y < self.task.n_classes)
        if known.all():
            return self._asked(rows, self._labels(y), self._labels(answer))
        # a class that development never saw has no label that the function could know: it costs as the dearest mistake
        found = np.full(len(rows), self.dearest)
        found[known] = self._asked(rows[known], self._labels(y[known]), self._labels(answer[known]))
        return found

    def average(self, rows: np.ndarray) -> np.ndarray:
        """Mean amount by true class and answer over some rows, as if each row's truth were each class; (k, k).

        What answers are weighed with where no row's own truth is known: a bundle keeps these numbers, and no function.
        """
        k = self.task.n_classes
        codes = [self._labels(np.full(len(rows), c)) for c in range(k)]
        found = [[float(np.mean(self._asked(rows, truth, answer))) for answer in codes] for truth in codes]
        self.dearest = float(np.max(found))
        return np.array(found)

    def _labels(self, codes: np.ndarray) -> np.ndarray:
        if self.task.kind == "regression":
            return codes
        labels: np.ndarray = np.array(self.task.classes)
        found: np.ndarray = labels[codes.astype(np.int64)]
        return found

    def _asked(self, rows: np.ndarray, y: np.ndarray, answer: np.ndarray) -> np.ndarray:
        try:
            found = np.asarray(self.function(self.frame.iloc[rows], y, answer), dtype=np.float64)
        except Exception as error:  # whatever a user's function raises ends the run before it spends more
            lines = str(error).splitlines()
            raise self._wrong(f"raised {type(error).__name__}: {lines[0] if lines else 'no message'}") from error
        if found.shape != (len(rows),):
            raise self._wrong(f"gave amounts of shape {found.shape} for {len(rows)} rows")
        if not np.isfinite(found).all():
            raise self._wrong(f"gave no finite amount for {int((~np.isfinite(found)).sum()):,} of {len(rows):,} rows")
        return found

    def _wrong(self, what: str) -> DeclarationError:
        return DeclarationError(
            f"the cost {self.name} {what}",
            "cost(rows, y, answer): a finite amount of money a row",
            "repair the function; it is asked about development rows before anything is spent",
        )
