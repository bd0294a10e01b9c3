"""AUD017: development rows that come again in the holdout, whole or nearly, and declared entities that stand on both sides."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.aud011_identifiers import identifiers
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.rows import meetings, row_hashes
from holdgood.audit.twins import twins
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Severity
from holdgood.core.table import Table

MANY = 0.01
MORE_SHARE, MORE_SIGMAS = 0.003, 4.0
NEAR_ROWS, NEAR_SHARE, NEAR_TIMES, NEAR_SIGMAS = 8.0, 0.003, 0.5, 4.0
FEWEST_COLUMNS, COMPARED = 4, 48


class Overlap:
    """Compares development and holdout by content; looks at no outcome of the holdout."""

    code: ClassVar[str] = "AUD017"
    title: ClassVar[str] = "overlap with the holdout"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at both sides of the split."""
        main, holdout = context.main, context.holdout
        if main is None or holdout is None or main.rows == 0 or holdout.rows == 0:
            raise NotApplicable("there is no holdout")
        spec = context.spec(main.name)
        out = []
        if spec.key and all(n in main.names and n in holdout.names for n in spec.key):
            out += self._entities(main, holdout, list(spec.key), "the same key")
        by = [n for n in context.declaration.split.by if n in main.names and n in holdout.names]
        for name in by:
            out += self._entities(main, holdout, [name], "values that were to stay together")
        return out + self._rows(context, main, holdout)

    def _entities(self, main: Table, holdout: Table, names: list[str], what: str) -> list[Finding]:
        there = np.ones(holdout.rows, dtype=bool)
        for name in names:
            there &= ~columns.missing(holdout, name)
        rows = int((np.isin(row_hashes(holdout, tuple(names)), row_hashes(main, tuple(names))) & there).sum())
        if rows == 0:
            return []
        message = (
            f"{counted(rows, 'row')} of the holdout ({percent(rows, holdout.rows)}) have {what} as development rows, by {listed(names)}: "
            "the holdout is not new to the model"
        )
        evidence = {"rows": rows, "share": round(rows / holdout.rows, 6)}
        return [found(self, "issue", "high", main.name, names, message, rows=rows, evidence=evidence)]

    def _rows(self, context: AuditContext, main: Table, holdout: Table) -> list[Finding]:
        """Whole rows, without what only names them: declared keys and ids, running numbers, texts that never repeat."""
        spec = context.spec(main.name)
        gone = {*spec.key, *spec.ids, *context.target_columns, *identifiers(main)}
        shared = set(holdout.names) - gone
        names = tuple(n for n in main.names if n in shared)
        if not names:
            return []
        met = meetings(main, holdout, names)
        out = []
        if met.rows and (not met.by_chance or _beyond_chance(main, holdout, names)):
            many = met.rows >= MANY * holdout.rows
            message = (
                f"{counted(met.rows, 'row')} of the holdout ({percent(met.rows, holdout.rows)}) equal a development row in all {len(names)} columns: "
                "copies make the holdout look easier than new data"
            )
            evidence = {
                "rows": met.rows,
                "share": round(met.rows / holdout.rows, 6),
                "nearly_equal": round(met.near, 1),
            }
            level: Literal["issue", "tip"] = "issue" if many else "tip"
            severity: Severity = "medium" if many else "low"
            there = np.isin(row_hashes(main, names), row_hashes(holdout, names))
            out.append(
                found(
                    self,
                    level,
                    severity,
                    main.name,
                    (),
                    message,
                    rows=met.rows,
                    evidence=evidence,
                    examples=np.flatnonzero(there),
                )
            )
        return out + self._nearly(main, holdout, names)

    def _nearly(self, main: Table, holdout: Table, names: tuple[str, ...]) -> list[Finding]:
        """Holdout rows that differ from a development row in one or two columns, more often than development rows from each other.

        Rows that are alike by nature are so on both sides of the wall; what goes beyond was carried across.
        """
        if len(names) > COMPARED:
            names = tuple(names[int(i)] for i in np.unique(np.linspace(0, len(names) - 1, COMPARED).astype(int)))
        both = _one_table(main, holdout, names)
        if both is None:
            return []
        met = twins(both)
        differing = met.differ.sum(axis=1)
        near = (differing == 1) | (differing == 2)
        inside = near & (met.second < main.rows)
        across = near & (met.first < main.rows) & (met.second >= main.rows)
        expected = float(met.weight[inside].sum()) * 2.0 * holdout.rows / max(1.0, main.rows - 1.0)
        seen = float(met.weight[across].sum())
        beyond = seen - expected
        if beyond < max(NEAR_ROWS, NEAR_SHARE * holdout.rows, NEAR_TIMES * expected, NEAR_SIGMAS * math.sqrt(seen)):
            return []
        pairs = np.flatnonzero(across)
        order = pairs[np.lexsort((met.first[pairs], differing[pairs]))]
        columns_hit = [c for c, hit in zip(met.compared, np.asarray(met.differ[pairs].any(axis=0)), strict=True) if hit]
        many = beyond >= MANY * holdout.rows
        rows = min(holdout.rows, round(beyond))
        message = (
            f"about {counted(rows, 'row')} of the holdout ({percent(rows, holdout.rows)}) are nearly a development row: all but one or two "
            f"of {len(met.compared)} compared columns are equal ({listed(columns_hit)} differ), far more often than among development rows; "
            "near copies make the holdout look easier than new data"
        )
        evidence = {"rows": rows, "share": round(rows / holdout.rows, 6), "compared": len(met.compared)}
        return [
            found(
                self,
                "issue" if many else "tip",
                "medium" if many else "low",
                main.name,
                columns_hit,
                message,
                rows=rows,
                evidence=evidence,
                sure="likely",
                examples=dict.fromkeys(int(r) for r in met.first[order]),
            )
        ]


def _beyond_chance(main: Table, holdout: Table, names: tuple[str, ...]) -> bool:
    """Whether holdout rows find an equal development row more often than development rows find one among the others.

    Where rows meet by chance both shares are alike; a difference of four standard errors and 0.3% says that rows were copied.
    """
    one, two = row_hashes(main, names), row_hashes(holdout, names)
    values, counts = np.unique(one, return_counts=True)
    inside = float((counts[counts > 1]).sum()) / main.rows
    across = float(np.isin(two, values).mean())
    pooled = (inside * main.rows + across * holdout.rows) / (main.rows + holdout.rows)
    error = math.sqrt(max(pooled * (1.0 - pooled), 1e-12) * (1.0 / main.rows + 1.0 / holdout.rows))
    return across - inside >= max(MORE_SHARE, MORE_SIGMAS * error)


def _one_table(main: Table, holdout: Table, names: tuple[str, ...]) -> Table | None:
    """Both sides under one another, development first; None where their columns are of different kinds."""
    first, second = main.data.select(list(names)), holdout.data.select(list(names))
    if first.schema.types != second.schema.types or len(names) < FEWEST_COLUMNS:
        return None
    kept = set(names)
    columns_of = tuple(c for c in main.columns if c.name in kept)
    return Table(main.name, pa.concat_tables([first, second]), columns_of)


CHECK = Overlap()
