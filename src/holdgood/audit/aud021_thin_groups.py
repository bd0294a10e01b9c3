"""AUD021: declared groups of which there are too few rows to say whether they are treated alike."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.found import counted, found
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table

Z95 = 1.959963984540054


class ThinGroups:
    """Counts rows (and positives) of each declared group, and says how many would tell."""

    code: ClassVar[str] = "AUD021"
    title: ClassVar[str] = "thin groups"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at the declared group columns that the main table has; numbers with many values are not groups yet."""
        main, y = context.main, context.y
        if main is None or y is None:
            raise NotApplicable("no rows with a target")
        attributes = [g for g in context.declaration.fairness.groups if g in main.names]
        if not attributes:
            raise NotApplicable("no group of the main table is declared")
        return [f for g in attributes for f in self._look(context, main, y, g)]

    def _look(self, context: AuditContext, main: Table, y: np.ndarray, name: str) -> list[Finding]:
        rules = context.declaration.fairness
        known = ~np.isnan(y)
        codes, n = columns.codes(main, name)
        codes = codes[known]
        if n == 0 or n > max(50, known.sum() / rules.min_rows):
            return []
        binary = context.task is not None and context.task.kind == "binary"
        positive = y[known] == 1
        sizes = np.bincount(codes[codes >= 0], minlength=n)
        positives = np.bincount(codes[(codes >= 0) & positive], minlength=n)
        rate = float(positive.mean()) if binary and len(positive) else 0.5
        # a 95% interval for a rate no wider on either side than half the gap that matters
        needed = math.ceil(Z95**2 * max(rate * (1 - rate), 0.05) / (rules.max_gap / 2) ** 2)
        needed = max(needed, rules.min_rows, math.ceil(rules.min_positives / rate) if binary and rate > 0 else 0)
        thin = (sizes > 0) & ((sizes < rules.min_rows) | ((positives < rules.min_positives) if binary else False))
        groups = int(thin.sum())
        if groups == 0:
            return []
        rows = int(sizes[thin].sum())
        fewest = int(sizes[thin].min())
        half = Z95 * math.sqrt(max(rate * (1 - rate), 0.05) / max(1, fewest))
        few = f"fewer than {rules.min_rows} rows" + (f" or {rules.min_positives} positives" if binary else "")
        message = (
            f"{counted(groups, 'group')} of `{name}` {'has' if groups == 1 else 'have'} {few} "
            f"({counted(rows, 'row')} in all): in the smallest, with {counted(fewest, 'row')}, a rate is known to ±{min(half, 1.0):.2f} only; "
            f"{needed:,} rows would tell a gap of {rules.max_gap:g}"
        )
        evidence = {
            "groups": groups,
            "rows": rows,
            "fewest": fewest,
            "half_width": round(min(half, 1.0), 4),
            "rows_needed": needed,
        }
        return [found(self, "tip", "low", main.name, [name], message, rows=rows, evidence=evidence)]


CHECK = ThinGroups()
