"""AUD020: features that lie differently in the holdout than in development."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.aud011_identifiers import identifiers
from holdgood.audit.chance import chi2_of_table, holm, ks
from holdgood.audit.found import found
from holdgood.audit.power import ranks
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table

ALPHA = 0.001
DISTANCE = 0.1  # KS distance, or total variation between shares
ROWS = 50
KEPT = 20_000
LEVELS = 200
CLOCK = 0.9


class DriftAcrossSplit:
    """KS for numbers, χ² on the contingency table for levels; Holm over the columns, and a distance that matters."""

    code: ClassVar[str] = "AUD020"
    title: ClassVar[str] = "development and holdout differ"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every feature column that both sides have; columns that follow the clock differ by design."""
        main, holdout = context.main, context.holdout
        if main is None or holdout is None or min(main.rows, holdout.rows) < ROWS:
            raise NotApplicable(f"development or holdout has fewer than {ROWS} rows")
        spec = context.spec(main.name)
        gone = {*spec.key, *spec.ids, *context.target_columns, *identifiers(main)}
        shared = set(holdout.names)
        names, tests = [], []
        for c in main.columns:
            if c.name in gone or c.name not in shared or c.type in ("datetime", "text", "other"):
                continue
            result = _compare(main, holdout, c.name)
            if result is not None:
                names.append(c.name)
                tests.append(result)
        if not tests:
            raise NotApplicable("no column can be compared")
        adjusted = holm([p for p, _ in tests])
        apart = [
            (n, d)
            for n, p, (_, d) in zip(names, adjusted, tests, strict=True)
            if p < ALPHA
            and d >= DISTANCE
            and not (columns.is_numeric(main, n) and _follows_the_clock(context, main, n))
        ]
        if not apart:
            return []
        apart.sort(key=lambda a: -a[1])
        told = ", ".join(f"`{n}` ({d:.2f})" for n, d in apart[:4]) + (
            f" and {len(apart) - 4} more" if len(apart) > 4 else ""
        )
        message = f"development and holdout differ in {told}: share of the distribution that lies elsewhere; scores may move with it"
        evidence = {"columns": len(apart), "largest": round(apart[0][1], 4), "compared": len(names)}
        return [
            found(self, "tip", "low", main.name, [n for n, _ in apart], message, rows=holdout.rows, evidence=evidence)
        ]


def _compare(main: Table, holdout: Table, name: str) -> tuple[float, float] | None:
    """p-value and distance, or None where there is nothing to compare. Missing counts as a level, not as a number."""
    if columns.is_numeric(main, name) and columns.is_numeric(holdout, name):
        one, two = _thinned(columns.numbers(main, name)), _thinned(columns.numbers(holdout, name))
        return ks(one, two) if min(len(one), len(two)) >= ROWS else None
    codes, n = columns.codes_of(pa.chunked_array([*main.data.column(name).chunks, *holdout.data.column(name).chunks]))
    joined, levels = np.where(codes < 0, n, codes), n + 1
    if levels < 2 or levels > LEVELS:
        return None
    first, second = joined[: main.rows], joined[main.rows :]
    table = np.stack([np.bincount(first, minlength=levels), np.bincount(second, minlength=levels)]).astype(np.float64)
    p, _ = chi2_of_table(table)
    shares = table / table.sum(1, keepdims=True)
    return p, float(np.abs(shares[0] - shares[1]).sum() / 2.0)


def _thinned(values: np.ndarray) -> np.ndarray:
    """Finite values, of many every k-th in order of size: the same distribution, the same for any order of rows."""
    kept = np.sort(values[np.isfinite(values)])
    return kept[:: max(1, len(kept) // KEPT)]


def _follows_the_clock(context: AuditContext, main: Table, name: str) -> bool:
    """Whether the column's ranks run with the decision time, as years, months and running numbers do."""
    if context.decision_time is None:
        return False
    values = columns.numbers(main, name)
    there = np.isfinite(values)
    if there.sum() < ROWS:
        return False
    a, b = ranks(values[there]), ranks(np.asarray(context.decision_time, dtype=np.float64)[there])
    if a.std() == 0 or b.std() == 0:
        return True
    return abs(float(np.corrcoef(a, b)[0, 1])) >= CLOCK


CHECK = DriftAcrossSplit()
