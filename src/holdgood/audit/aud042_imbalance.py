"""AUD042: classes with so few rows that neither a model nor its score can be trusted: what is there, what it gives, what is needed.

Precision is that of a share with a 95% interval (Wilson 1927): with m rows of a class in the holdout or a fold, its hit rate is
known to about ±1.96 · 0.5 / sqrt(m) at worst.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit.found import Evidence, counted, found, number, percent
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Picture, Severity
from holdgood.core.task import Task

FEW = 50
VERY_FEW = 5
RARE = 0.02
ENOUGH = 400  # rows of the rarer class from which its hit rate is known to ±0.05
FOLDS = 5
HALF = 0.05
Z95 = 1.959963984540054
SHOWN = 20


class Imbalance:
    """Counts development rows by class, and says what the rarest one allows."""

    code: ClassVar[str] = "AUD042"
    title: ClassVar[str] = "rare classes"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at the target of the development rows of a classification."""
        if context.main is None or context.y is None or context.task is None:
            raise NotApplicable("no rows with a target")
        if context.task.kind not in ("binary", "multiclass"):
            raise NotApplicable("only for classes")
        known = context.y[~np.isnan(context.y)].astype(np.int64)
        if len(known) == 0:
            raise NotApplicable("no row has an outcome")
        counts = np.bincount(known, minlength=max(2, context.task.n_classes))
        columns = [c for c in context.target_columns if c in context.main.names]
        if len(counts) > 2:
            return self._several(context, context.task, counts, columns)
        return self._two(context, context.task, counts, columns)

    def _two(self, context: AuditContext, task: Task, counts: np.ndarray, columns: list[str]) -> list[Finding]:
        rows, fewest = int(counts.sum()), int(counts.min())
        share = fewest / rows
        if fewest >= FEW and (share >= RARE or (fewest >= 2 * ENOUGH and share >= RARE / 2.0)):
            return []
        folds = context.declaration.split.folds or FOLDS
        a_fold = fewest / folds
        half = Z95 * 0.5 / math.sqrt(max(1.0, fewest))
        needed = math.ceil(Z95**2 * 0.25 / HALF**2)
        told = [
            f"the rarer class {_named(task, int(counts.argmin()))} is {percent(fewest, rows)} of the rows ({counted(fewest, 'row')} of {rows:,}), "
            f"{number(round(a_fold, 1))} in each of {folds} folds: how many of its rows a model finds is known to ±{min(half, 0.5):.2f} over all of them, "
            f"to ±{min(0.5, Z95 * 0.5 / math.sqrt(max(1.0, a_fold))):.2f} in one fold",
            f"about {math.ceil(needed / max(share, 1e-9)):,} rows like these (with {needed:,} of the class) would tell it to ±{HALF:g}"
            if fewest < needed
            else "",
            f"a model that always gives the other answer is right in {percent(rows - fewest, rows)}: accuracy says nothing here",
            self._money(context, counts, share),
        ]
        evidence: Evidence = {
            "minority_rows": fewest,
            "minority_share": round(share, 6),
            "a_fold": round(a_fold, 2),
            "half_width": round(min(half, 0.5), 4),
            "rows_needed": math.ceil(needed / max(share, 1e-9)),
        }
        few = fewest < FEW
        severity: Severity = "high" if fewest < VERY_FEW else "medium" if few else "low"
        level: Literal["issue", "tip"] = "issue" if few else "tip"
        return [
            found(
                self,
                level,
                severity,
                self._table(context),
                columns,
                "; ".join(t for t in told if t),
                rows=fewest,
                evidence=evidence,
                picture=_bars(task, counts),
            )
        ]

    def _money(self, context: AuditContext, counts: np.ndarray, share: float) -> str:
        """With declared costs: from which share of the rarer class on it pays to warn of every row."""
        costs = context.declaration.costs
        if not costs.declared or costs.miss is None or costs.false_alarm is None:
            return ""
        saved, lost = costs.miss - costs.hit, costs.false_alarm - costs.quiet
        if saved <= 0 or lost <= 0:
            return ""
        even = lost / (saved + lost)
        rate = float(counts[1]) / float(counts.sum())
        money = f"with the declared costs a warning pays from a chance of {percent(even, 1.0)} on"
        if rate < even / 10.0:
            return f"{money}, {even / max(rate, 1e-9):,.0f} times the usual rate: only rows that stand far out can pay, so ranking matters"
        return f"{money}, against a usual rate of {percent(rate, 1.0)}: rarity by itself does not decide here"

    def _several(self, context: AuditContext, task: Task, counts: np.ndarray, columns: list[str]) -> list[Finding]:
        thin = [int(k) for k in np.flatnonzero(counts < FEW)]
        if not thin:
            return []
        rows = int(counts[thin].sum())
        hopeless = int((counts < VERY_FEW).sum())
        half = Z95 * 0.5 / math.sqrt(max(1, int(counts[thin].min())))
        message = (
            f"{len(thin)} of {len(counts)} classes have fewer than {FEW} rows each ({counted(rows, 'row')} in all): "
            f"the hit rate of the rarest is known to ±{min(half, 0.5):.2f} only"
        )
        message += f"; {hopeless} of them have fewer than {VERY_FEW}: no fold can hold them" if hopeless else ""
        evidence: Evidence = {
            "thin_classes": len(thin),
            "hopeless_classes": hopeless,
            "fewest": int(counts.min()),
            "half_width": round(min(half, 0.5), 4),
        }
        level: Literal["issue", "tip"] = "issue" if hopeless else "tip"
        severity: Severity = "medium" if hopeless else "low"
        return [
            found(
                self,
                level,
                severity,
                self._table(context),
                columns,
                message,
                rows=rows,
                evidence=evidence,
                picture=_bars(task, counts),
            )
        ]

    def _table(self, context: AuditContext) -> str:
        assert context.main is not None
        return context.main.name


def _named(task: Task, code: int) -> str:
    return f"`{task.classes[code]}`" if code < task.n_classes else f"number {code}"


def _bars(task: Task, counts: np.ndarray) -> Picture:
    """Rows a class; of many the 20 rarest."""
    order = sorted(range(len(counts)), key=lambda k: (int(counts[k]), k))[:SHOWN]
    labels = tuple(str(task.classes[k]) if k < task.n_classes else str(k) for k in order)
    return Picture(
        title="Rows a class",
        form="bars",
        y=tuple(float(counts[k]) for k in order),
        labels=labels,
        marks=tuple(i for i, k in enumerate(order) if counts[k] < FEW),
        y_name="rows",
    )


CHECK = Imbalance()
