"""AUD019: values that are missing more often where the outcome is one way than where it is the other."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.chance import chi2_of_table, holm, normal_tail
from holdgood.audit.found import found, listed
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table

ALPHA = 0.001
CRAMER = 0.1
DISTANCE = 0.3  # of a standard deviation
ROWS = 20


class MissingAndTarget:
    """χ² for classes, a z-test of means for amounts; Holm over the columns, and an effect that matters."""

    code: ClassVar[str] = "AUD019"
    title: ClassVar[str] = "missingness depends on the outcome"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at columns with at least 20 missing and 20 present values among rows with an outcome."""
        main, y = context.main, context.y
        if main is None or y is None or context.task is None:
            raise NotApplicable("no rows with a target")
        known = ~np.isnan(y)
        marks = {}
        for name in main.names:
            if name in context.target_columns or main.data.column(name).null_count < ROWS:
                continue
            gone = columns.missing(main, name)[known]
            if ROWS <= gone.sum() <= len(gone) - ROWS:
                marks[name] = gone
        if not marks:
            raise NotApplicable("no column misses enough values")
        classes = context.task.kind in ("binary", "multiclass")
        tests = [(_by_class if classes else _by_amount)(gone, y[known]) for gone in marks.values()]
        return self._tell(
            main,
            list(marks),
            tests,
            CRAMER if classes else DISTANCE,
            "Cramér's V" if classes else "standard deviations",
        )

    def _tell(
        self, main: Table, names: list[str], tests: list[tuple[float, float]], bar: float, unit: str
    ) -> list[Finding]:
        adjusted = holm([p for p, _ in tests])
        telling = [(n, e) for n, p, (_, e) in zip(names, adjusted, tests, strict=True) if p < ALPHA and e >= bar]
        if not telling:
            return []
        telling.sort(key=lambda t: -t[1])
        listed_names = [n for n, _ in telling]
        message = (
            f"whether {listed(listed_names)} {'is' if len(telling) == 1 else 'are'} missing goes with the outcome "
            f"(strongest: {telling[0][1]:.2f} {unit}): a value that is missing is itself a sign, and may be a late one"
        )
        evidence = {"columns": len(telling), "strongest": round(telling[0][1], 4)}
        return [found(self, "tip", "low", main.name, listed_names, message, evidence=evidence, sure="likely")]


def _by_class(gone: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    k = int(y.max()) + 1
    cells = np.bincount(gone.astype(np.int64) * k + y.astype(np.int64), minlength=2 * k).reshape(2, k)
    return chi2_of_table(cells)


def _by_amount(gone: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Welch's statistic against the normal (at least 20 rows a side), and the distance in standard deviations."""
    one, two = y[gone], y[~gone]
    sd = float(y.std())
    error = math.sqrt(float(one.var(ddof=1)) / len(one) + float(two.var(ddof=1)) / len(two))
    apart = abs(float(one.mean() - two.mean()))
    return (normal_tail(apart / error), apart / sd) if error > 0 and sd > 0 else (1.0, 0.0)


CHECK = MissingAndTarget()
