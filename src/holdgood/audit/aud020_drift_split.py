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
from holdgood.audit.sample import sample
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table

ALPHA = 0.001
DISTANCE = 0.15  # KS distance, or total variation between shares
ROWS = 50
KEPT, FEW_KEPT, WIDE = 20_000, 5_000, 200
LEVELS = 200
CLOCK = 0.9
ONE_A_DAY = 0.98
_DAY = 86_400_000_000


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
            found(
                self,
                "tip",
                "low",
                main.name,
                [n for n, _ in apart],
                message,
                rows=holdout.rows,
                evidence=evidence,
                sure="likely",
            )
        ]


def _compare(main: Table, holdout: Table, name: str) -> tuple[float, float] | None:
    """p-value and distance, or None where there is nothing to compare. Missing counts as a level, not as a number."""
    if columns.is_numeric(main, name) and columns.is_numeric(holdout, name):
        one, two = _finite(main, name), _finite(holdout, name)
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


def _finite(table: Table, name: str) -> np.ndarray:
    """Finite values of a sample of the rows, by content: the same for any order of rows."""
    values = columns.numbers(table, name)[sample(table, KEPT if len(table.names) <= WIDE else FEW_KEPT)]
    there: np.ndarray = values[np.isfinite(values)]
    return there


def _follows_the_clock(context: AuditContext, main: Table, name: str) -> bool:
    """Whether the column tells the time: its ranks run with it, as years and running numbers do, or it is one value a day."""
    if context.decision_time is None:
        return False
    values = columns.numbers(main, name)
    there = np.isfinite(values)
    if there.sum() < ROWS:
        return False
    day = np.asarray(context.decision_time)[there] // _DAY
    order = np.lexsort((values[there], day))
    same_day = day[order][1:] == day[order][:-1]
    if same_day.mean() >= 0.5 and (values[there][order][1:] == values[there][order][:-1])[same_day].mean() >= ONE_A_DAY:
        return True
    a, b = ranks(values[there]), ranks(np.asarray(context.decision_time, dtype=np.float64)[there])
    if a.std() == 0 or b.std() == 0:
        return True
    return abs(float(np.corrcoef(a, b)[0, 1])) >= CLOCK


CHECK = DriftAcrossSplit()
