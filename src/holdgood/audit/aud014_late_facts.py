"""AUD014: columns that are known only after the moment of decision.

Five kinds of proof, each enough by itself: the declaration says so; the outcome is computed from the column; the column
comes into being together with the outcome; its dates lie after the decision and move with the outcome; it is a copy of the
outcome. A column that the user declared as ``known = "before"`` is taken at the user's word.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.chance import log_hypergeometric_tail
from holdgood.audit.copied import exact_relations, pure_flags
from holdgood.audit.found import Evidence, counted, found, is_are, listed, percent
from holdgood.audit.power import bin_numbers, bins_of, explained, power, powers, rows_of
from holdgood.audit.yardstick import persistence
from holdgood.core import sql
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table

NO_OUTCOME_ROWS = 10
BORN_MISSING = 0.5
BORN_PRESENT = 0.01
BORN_RATIO = 20.0
BORN_CHANCE = math.log(1e-6)
EMPTY_ROW = 0.6
COPY_AUC, COPY_R2 = 0.97, 0.95
COPY_EXPLAINED, CERTAIN_AUC = 0.7, 0.99  # a rare class can be ranked well by an honest sensor; a copy also explains it
DATE_AUC, DATE_R2 = 0.70, 0.25
ABOVE_THE_PAST = 0.01


class LateFacts:
    """Proves columns to be late; what is suspicious but not proven is told by AUD015."""

    code: ClassVar[str] = "AUD014"
    title: ClassVar[str] = "late facts"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at the development rows, at those without an outcome too."""
        if context.main is None or context.y is None or context.main.rows == 0:
            raise NotApplicable("no rows with a target")
        main, y = context.main, context.y
        out = self._declared(context, main) + self._sources(context, main)
        done = {c for f in out for c in f.columns if f.table == main.name} | set(context.target_columns)
        vouched = {c for c, when in context.spec(main.name).known.items() if when != "after"}
        for look in (self._born_together, self._dates, self._copies, self._relations):
            names = [c for c in main.names if c not in done and c not in vouched]
            more = look(context, main, y, names)
            done |= {c for f in more for c in f.columns}
            out += more
        return out

    def _late(self, table: str, names: list[str], message: str, evidence: Evidence, rows: int = 0) -> Finding:
        return found(self, "issue", "high", table, names, message, rows=rows, evidence=evidence, late=True)

    def _declared(self, context: AuditContext, main: Table) -> list[Finding]:
        out = []
        for name, spec in context.declaration.tables.items():
            table = main if name == main.name else context.tables.get(name)
            after = [c for c, when in spec.known.items() if when == "after" and (table is None or c in table.names)]
            if after:
                message = f"{listed(after)} {is_are(after)} declared as known only afterwards"
                out.append(self._late(name, after, message, {"declared": len(after)}))
        if context.decision_time is None:
            return out
        for column, when in context.spec(main.name).known.items():
            if when in ("before", "after") or column in context.target_columns:
                continue
            known = sql.evaluate(when, main.data, purpose=f"when {column} is known")
            if not pa.types.is_timestamp(known.type):
                continue
            at, there = columns.moments(main.with_data(pa.table({column: known.cast(pa.timestamp("us"))})), column)
            late = there & (at > context.decision_time)
            if late.any():
                n = int(late.sum())
                message = f"`{column}` is known only after the decision in {counted(n, 'row')} ({percent(n, main.rows)}), as its declared moment says"
                out.append(
                    self._late(main.name, [column], message, {"late_rows": n, "share": round(n / main.rows, 6)}, n)
                )
        return out

    def _sources(self, context: AuditContext, main: Table) -> list[Finding]:
        """Columns that a target expression reads. A target that is a plain column is no feature anyway, and no news."""
        sources = [c for c in context.target_columns if c in main.names]
        if not sources or context.declaration.task.target.strip().strip('"') in sources:
            return []
        message = f"the outcome is computed from {listed(sources)}, which {is_are(sources)} not known at the decision"
        return [self._late(main.name, sources, message, {"columns": len(sources)})]

    def _born_together(self, context: AuditContext, main: Table, y: np.ndarray, names: list[str]) -> list[Finding]:
        """Missing in most rows without an outcome, and (almost) never where there is one: both come from the same event."""
        none = np.isnan(y)
        n_none, n_some = int(none.sum()), int((~none).sum())
        if n_none < NO_OUTCOME_ROWS or n_some < NO_OUTCOME_ROWS:
            return []
        hits: list[tuple[str, int, int]] = []
        for name in names:
            if main.data.column(name).null_count < BORN_MISSING * n_none:
                continue
            gone = columns.missing(main, name)
            with_none, with_some = int((gone & none).sum()), int((gone & ~none).sum())
            share_none, share_some = with_none / n_none, with_some / n_some
            if share_none < BORN_MISSING or share_some > BORN_PRESENT or share_none < BORN_RATIO * share_some:
                continue
            chance = log_hypergeometric_tail(with_none, n_none, with_none + with_some, n_none + n_some)
            if chance + math.log(len(main.columns)) < BORN_CHANCE:
                hits.append((name, with_none, with_some))
        # Rows that are empty altogether (a cut-off file, a failed join) prove nothing about single columns.
        if not hits or len(hits) > EMPTY_ROW * len(names):
            return []
        late = [n for n, _, _ in hits]
        lowest = min(hits, key=lambda h: h[1])
        most_present = max(h[2] for h in hits)
        at_least = f"at least {percent(lowest[1], n_none)}" if lowest[1] < n_none else "all"
        at_most = f"at most {percent(most_present, n_some)}" if most_present else "none"
        message = (
            f"{listed(late)} {is_are(late)} missing in {at_least} of the {n_none:,} rows without an outcome, "
            f"and in {at_most} of the {n_some:,} rows with one: the fact and the outcome come into being together"
        )
        evidence = {
            "no_outcome_rows": n_none,
            "outcome_rows": n_some,
            "missing_without_outcome": round(lowest[1] / n_none, 6),
            "missing_with_outcome": round(most_present / n_some, 6),
        }
        return [self._late(main.name, late, message, evidence, n_none)]

    def _dates(self, context: AuditContext, main: Table, y: np.ndarray, names: list[str]) -> list[Finding]:
        """Dates after the decision. A schedule lies after it too, but its distance does not move with the outcome."""
        if context.decision_time is None:
            return []
        out = []
        rows = rows_of(context)
        for name in names:
            if not columns.is_moment(main, name):
                continue
            at, there = columns.moments(main, name)
            ahead = (at - context.decision_time).astype(np.float64)
            after = there & (ahead > 0)
            if there.sum() < NO_OUTCOME_ROWS or after.sum() <= 0.5 * there.sum():
                continue
            bins, n = bin_numbers(np.where(there, ahead, np.nan)[rows.positions])
            strength = power(bins, n, rows) if len(rows.y) >= 2 * NO_OUTCOME_ROWS else 0.0
            if strength < (DATE_AUC if rows.classes else DATE_R2):
                continue
            measure = "auc" if rows.classes else "r2"
            days = float(np.median(ahead[after])) / 86400e6
            message = (
                f"`{name}` lies after the decision in {percent(int(after.sum()), int(there.sum()))} of its rows (by {days:.3g} days in the median), "
                f"and how far moves with the outcome ({_shown(measure, strength)})"
            )
            evidence = {"after": int(after.sum()), "median_days": round(days, 6), measure: round(strength, 4)}
            out.append(self._late(main.name, [name], message, evidence, int(after.sum())))
        return out

    def _copies(self, context: AuditContext, main: Table, y: np.ndarray, names: list[str]) -> list[Finding]:
        """One column that predicts the outcome as no honest column does, better by far than the outcome's own past."""
        rows = rows_of(context)
        bar, measure = (COPY_AUC, "auc") if rows.classes else (COPY_R2, "r2")
        alone = powers(context)
        suspects = [
            n
            for n in names
            if alone.get(n, 0.0) >= bar
            and (alone[n] >= CERTAIN_AUC or explained(*bins_of(main, n, rows.positions), rows) >= COPY_EXPLAINED)
        ]
        past = persistence(context) if suspects else 0.0
        out = []
        for name in suspects:
            if alone[name] < past + ABOVE_THE_PAST:
                continue
            message = f"`{name}` alone tells the outcome ({_shown(measure, alone[name])} out of fold): it is a copy of it, or a consequence"
            evidence: Evidence = {measure: round(alone[name], 4), "past_of_the_outcome": round(past, 4)}
            out.append(self._late(main.name, [name], message, evidence, int((~np.isnan(y)).sum())))
        return out

    def _relations(self, context: AuditContext, main: Table, y: np.ndarray, names: list[str]) -> list[Finding]:
        """The outcome put together from columns: a difference, a sum, a product, or flags of which one is always set."""
        out = []
        for first, sign, second in exact_relations(context, main, names):
            message = f"the outcome is exactly `{first}` {sign} `{second}`: at least one of the two is known only with the outcome"
            out.append(self._late(main.name, [first, second], message, {"relation": sign}, int((~np.isnan(y)).sum())))
        if not out and (flags := pure_flags(context, main, names)) is not None:
            message = (
                f"{listed(flags.names)}: wherever one of them is set the outcome is the same ({percent(flags.purity, 1.0)}), "
                f"and together they make up {percent(flags.covered, 1.0)} of it: they are parts of the outcome"
            )
            evidence = {
                "purity": round(flags.purity, 4),
                "covered": round(flags.covered, 4),
                "columns": len(flags.names),
            }
            out.append(self._late(main.name, list(flags.names), message, evidence, flags.rows))
        return out


def _shown(measure: str, value: float) -> str:
    return f"AUC {value:.3f}" if measure == "auc" else f"R² {value:.3f}"


CHECK = LateFacts()
