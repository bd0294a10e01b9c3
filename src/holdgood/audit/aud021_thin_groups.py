"""AUD021: declared groups of which there are too few rows to say whether they are treated alike."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.found import counted, found
from holdgood.audit.joined import NO_PARTNER, partners
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Picture

Z95 = 1.959963984540054
SHOWN = 20


class ThinGroups:
    """Counts rows (and positives) of each declared group, and says how many would tell."""

    code: ClassVar[str] = "AUD021"
    title: ClassVar[str] = "thin groups"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at the declared group columns of the main table and of joined ones; numbers with many values are not groups yet."""
        main, y = context.main, context.y
        if main is None or y is None:
            raise NotApplicable("no rows with a target")
        here, joined = [], []
        for name in context.declaration.fairness.groups:
            other, _, column = name.partition(".")
            if name in main.names:
                here.append(name)
            elif other in context.tables and column in context.tables[other].names and other != main.name:
                joined.append((context.tables[other], column))
        met = [(t, c, p) for t, c in joined if (p := partners(context, t)) is not None]
        if not here and not met:
            raise NotApplicable("no group of the main table, or of a joined one, is declared")
        out = [self._look(context, y, main.name, g, *columns.codes(main, g)) for g in here]
        for table, column, found_ in met:
            codes, n = columns.codes(table, column)
            seen = np.where(found_.rows == NO_PARTNER, -1, codes[np.maximum(found_.rows, 0)])
            out.append(self._look(context, y, table.name, column, seen, n))
        return [f for f in out if f is not None]

    def _look(
        self, context: AuditContext, y: np.ndarray, table: str, name: str, codes: np.ndarray, n: int
    ) -> Finding | None:
        rules = context.declaration.fairness
        known = ~np.isnan(y)
        codes = codes[known]
        if n == 0 or n > max(50, known.sum() / rules.min_rows):
            return None
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
            return None
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
        sizes_told = sorted(int(s) for s in sizes[sizes > 0])[:SHOWN]
        picture = Picture(
            title="Rows a group, smallest first",
            form="bars",
            y=tuple(float(s) for s in sizes_told),
            labels=tuple(str(i + 1) for i in range(len(sizes_told))),
            marks=tuple(i for i, s in enumerate(sizes_told) if s < rules.min_rows),
            y_name="rows",
        )
        return found(self, "tip", "low", table, [name], message, rows=rows, evidence=evidence, picture=picture)


CHECK = ThinGroups()
