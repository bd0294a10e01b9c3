"""AUD014: columns that are known only after the moment of decision.

Five kinds of proof, each enough by itself: the declaration says so; the outcome is computed from the column; the column
comes into being together with the outcome; its dates lie after the decision and move with the outcome (columns that are
filled in exactly with such a date share its fate); it is a copy of the outcome. Joined tables are searched as well: dates
of the very fact that a row would see. A date after the decision without such a proof may be a plan: where its distance is as
irregular as that of an event it is a tip, row by row. What is declared ``known = "before"`` is taken at the user's word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.chance import log_hypergeometric_tail
from holdgood.audit.copied import exact_relations, pure_flags
from holdgood.audit.found import Evidence, counted, found, is_are, listed, percent
from holdgood.audit.joined import NO_PARTNER, known_at, partners
from holdgood.audit.memory import Memory
from holdgood.audit.power import Rows, bin_numbers, bins_of, explained, power, powers, rows_of
from holdgood.audit.ties import PARTNERS, TELLING_AUC, TELLING_R2, strongest_tie
from holdgood.audit.yardstick import persistence
from holdgood.core import sql
from holdgood.core.budget import seconds_of
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
THERE_BEFORE = 0.9
COPY_AUC, COPY_R2 = 0.97, 0.95
COPY_EXPLAINED, CERTAIN_AUC = 0.7, 0.99  # a rare class can be ranked well by an honest sensor; a copy also explains it
DESCRIBES = 0.5  # tie to other telling columns, given the outcome
DATE_AUC, DATE_R2 = 0.70, 0.25
EVENT_ROWS, EVENT_SHARE = 10, 0.005
EVENT_DISTANCES = 30  # different distances from the decision: a plan keeps to a few
TOGETHER = 0.995
SAME_INSTANT = 0.01
ABOVE_THE_PAST = 0.01
ABOVE_MISSING = 0.05


class LateFacts:
    """Proves columns to be late; what is suspicious but not proven is told by AUD015."""

    code: ClassVar[str] = "AUD014"
    title: ClassVar[str] = "late facts"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at the development rows, at those without an outcome too."""
        if context.main is None or context.y is None or context.main.rows == 0:
            raise NotApplicable("no rows with a target")
        return self.of_main(context) + self._joined(context, context.main)

    def of_main(self, context: AuditContext) -> list[Finding]:
        """What the main table says by itself, and what is declared."""
        assert context.main is not None
        assert context.y is not None
        main, y = context.main, context.y
        out = self._declared(context, main) + self._sources(context, main, y)
        done = {c for f in out for c in f.columns if f.table == main.name} | set(context.target_columns)
        vouched = {c for c, when in context.spec(main.name).known.items() if when != "after"}
        for look in (self._born_together, self._dates, self._copies, self._relations):
            names = [c for c in main.names if c not in done and c not in vouched]
            more = look(context, main, y, names)
            done |= {c for f in more if f.late for c in f.columns}
            out += more
        told_after = {c for f in out if f.late for c in f.columns}
        return [f for f in out if f.late or not told_after & set(f.columns)]

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

    def _sources(self, context: AuditContext, main: Table, y: np.ndarray) -> list[Finding]:
        """Columns that a target expression reads. A target that is a plain column is no feature anyway, and no news.

        Of several, those are late that are waited for: what is there while another one is still missing, such as a promise
        before the delivery, came into being before the outcome. At least one is late, or there would be nothing to predict.
        """
        sources = [c for c in context.target_columns if c in main.names]
        if not sources or context.declaration.task.target.strip().strip('"') in sources:
            return []
        known = context.spec(main.name).known
        open_ones = [c for c in sources if known.get(c, "after") == "after"]
        late = [c for c in open_ones if known.get(c) or not _there_before(context, main, y, c, sources)] or open_ones
        if not late:
            return []
        message = f"the outcome is computed from {listed(late)}, which {is_are(late)} not known at the decision"
        if early := [c for c in sources if c not in late]:
            message += f" ({listed(early)}, which it is computed from too, {is_are(early)} known before)"
        elif len(late) > 1:
            message += f'; for one that is: tables.{main.name}.known = {{ COLUMN = "before" }}'
        return [self._late(main.name, late, message, {"columns": len(late)})]

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
        for name in names:
            if not columns.is_moment(main, name):
                continue
            at, there = columns.moments(main, name)
            ahead = _ahead(context, at, there)
            if ahead is None:
                continue
            with_it = [n for n in names if n != name and _filled_together(main, n, there)]
            finding = self._moment(main.name, [name, *with_it], ahead, "")
            out += [] if finding is None else [finding]
        return out

    def _joined(self, context: AuditContext, main: Table) -> list[Finding]:
        """Dates of joined facts that lie after the decision of the row that would see them, and facts of the same instant."""
        out: list[Finding] = []
        if context.decision_time is None:
            return out
        for name, table in context.tables.items():
            spec = context.spec(name)
            if name == main.name or spec.join is None or (met := partners(context, table)) is None:
                continue
            seen = met.rows != NO_PARTNER
            taken = np.where(seen, met.rows, 0)
            moments = known_at(table, spec.time, "0s") if spec.time else None
            clock = None if moments is None else columns.numbers_of(moments)
            for column in table.names:
                if not columns.is_moment(table, column) or spec.known.get(column) or column in spec.ignore:
                    continue
                at, there = columns.moments(table, column)
                if clock is not None and np.array_equal(np.where(there, at, np.nan), clock, equal_nan=True):
                    continue  # the declared moment itself
                ahead = _ahead(context, at[taken], there[taken] & seen)
                if ahead is None:
                    continue
                if clock is None and column in spec.join.on.values():
                    out.append(self._looked_up(name, column, ahead, main))
                    continue
                with_it = [n for n in table.names if n != column and _filled_together(table, n, there)]
                finding = self._moment(
                    name, [column, *with_it], ahead, f" of the fact that a row of {main.name} would see"
                )
                out += [] if finding is None else [finding]
            if met.same_instant >= max(EVENT_ROWS, SAME_INSTANT * main.rows) and seconds_of(spec.delay) == 0:
                n = met.same_instant
                message = (
                    f"{counted(n, 'row')} of {main.name} ({percent(n, main.rows)}) would see a fact of {name} that is stamped with the very moment of "
                    "decision; if it is measured then, it arrives too late: declare a `delay`, or a zero delay is taken at its word"
                )
                evidence = {"same_instant": n, "share": round(n / main.rows, 6)}
                out.append(found(self, "tip", "low", name, (), message, rows=n, evidence=evidence, sure="possible"))
        return out

    def _looked_up(self, table: str, column: str, ahead: _Ahead, main: Table) -> Finding:
        """A table that is joined by a moment that lies after the decision: a calendar may be, measurements may not."""
        n = int(ahead.after.sum())
        message = (
            f"{counted(n, 'row')} of {main.name} ({percent(n, main.rows)}) look up {table} at `{column}`, which lies after their decision: unless it is a "
            f'calendar or a plan, what it says of that moment is not known yet; declare `time = "{column}"` and join by the other keys'
        )
        evidence: Evidence = {"after": n, "there": ahead.there}
        return found(self, "tip", "medium", table, [column], message, rows=n, evidence=evidence, sure="possible")

    def _moment(self, table: str, names: list[str], ahead: _Ahead, of: str) -> Finding | None:
        """Proven late by the outcome, a tip where it is an irregular moment, else a plan and no finding."""
        name, n = names[0], int(ahead.after.sum())
        days = float(np.median(ahead.distance[ahead.after])) / 86400e6
        also = f"; {listed(names[1:])} {is_are(names[1:])} filled in with it" if names[1:] else ""
        said = f"`{name}`{of} lies after the decision in {percent(n, ahead.there)} of its rows (by {days:.3g} days in the median)"
        evidence: Evidence = {"after": n, "there": ahead.there, "median_days": round(days, 6)}
        latest = np.argsort(-np.where(ahead.after, ahead.distance, -np.inf), kind="stable")[:n]
        if ahead.strength >= (DATE_AUC if ahead.measure == "auc" else DATE_R2):
            message = f"{said}, and how far moves with the outcome ({_shown(ahead.measure, ahead.strength)}){also}"
            evidence = {**evidence, ahead.measure: round(ahead.strength, 4)}
            return self._late(table, names, message, evidence, n)
        if ahead.distances < EVENT_DISTANCES:
            return None
        message = (
            f"{said}, at {ahead.distances:,} different distances, as events do and plans seldom{also}; "
            'in these rows it is not known yet unless it is a plan: declare `known` for it ("after", "before", or the moment)'
        )
        evidence = {**evidence, "distances": ahead.distances}
        return found(
            self,
            "tip",
            "medium",
            table,
            names,
            message,
            rows=n,
            evidence=evidence,
            sure="possible",
            examples=latest if not of else (),
        )

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
        out = []
        for name in suspects:
            past = persistence(context, name)
            if alone[name] < past + ABOVE_THE_PAST:
                continue
            if alone[name] < CERTAIN_AUC and _describes(main, name, names, alone, rows):
                continue  # it describes the same thing as others do, which a copy of the outcome does not
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


def _there_before(context: AuditContext, main: Table, y: np.ndarray, column: str, sources: list[str]) -> bool:
    """Whether a column is there in nearly all rows that have no outcome because another of its sources is missing.

    What is itself missing in most rows without an outcome is waited for, however seldom the other is; and a moment that moves
    with the outcome is an event, no plan.
    """
    gone, none = columns.missing(main, column), np.isnan(y)
    others = [columns.missing(main, c) for c in sources if c != column]
    waiting = none & np.logical_or.reduce(others) if others else np.zeros(len(none), dtype=bool)
    n = int(waiting.sum())
    if n < NO_OUTCOME_ROWS or int((waiting & ~gone).sum()) < THERE_BEFORE * n or gone[none].mean() >= BORN_MISSING:
        return False
    if context.decision_time is None or not columns.is_moment(main, column):
        return True
    ahead = _ahead(context, *columns.moments(main, column))
    return ahead is None or ahead.strength < (DATE_AUC if ahead.measure == "auc" else DATE_R2)


@dataclass(frozen=True)
class _Ahead:
    """A date against the decision, a row of the main table: which lie after it, by how much (µs), and how telling that is."""

    after: np.ndarray
    distance: np.ndarray
    there: int
    distances: int
    strength: float
    measure: str


def _ahead(context: AuditContext, at: np.ndarray, there: np.ndarray) -> _Ahead | None:
    """None where hardly any row's date lies after its decision."""
    distance = (at - np.asarray(context.decision_time)).astype(np.float64)
    after = there & (distance > 0)
    n, present = int(after.sum()), int(there.sum())
    if n < max(EVENT_ROWS, EVENT_SHARE * present):
        return None
    rows = rows_of(context)
    strength = 0.0
    if n > 0.5 * present and len(rows.y) >= 2 * NO_OUTCOME_ROWS:
        strength = power(*bin_numbers(np.where(there, distance, np.nan)[rows.positions]), rows)
    distances = len(np.unique(_on_grid(at, np.asarray(context.decision_time))[after]))
    return _Ahead(after, distance, present, distances, strength, "auc" if rows.classes else "r2")


def _on_grid(at: np.ndarray, decision: np.ndarray) -> np.ndarray:
    """Distances in the date's own steps (days, hours, minutes …): what the decision is stated finer says nothing of the date."""
    step = next(s for s in _STEPS if s == 1 or not (at % s).any())
    return np.asarray(at // step - decision // step)


_STEPS = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1)


def _filled_together(table: Table, column: str, there: np.ndarray) -> bool:
    """Whether a column is filled in (almost) exactly where the date is, and both are missing often enough to tell."""
    missing = table.data.column(column).null_count
    if (
        missing < EVENT_ROWS
        or len(there) - missing < EVENT_ROWS
        or abs(missing - int((~there).sum())) > len(there) // 100
    ):
        return False
    return bool((columns.missing(table, column) == ~there).mean() >= TOGETHER)


def late_columns(context: AuditContext) -> tuple[str, ...]:
    """Columns of the main table that are proven to be late, in its order; remembered."""
    assert context.main is not None
    main = context.main
    y = None if context.y is None else context.y.tobytes()
    times = None if context.decision_time is None else context.decision_time.tobytes()
    key = (context.declaration.model_dump_json(), context.target_columns, y, times)

    def made() -> tuple[str, ...]:
        late = {c for f in CHECK.of_main(context) if f.late and f.table == main.name for c in f.columns}
        return tuple(n for n in main.names if n in late)

    return _late.get(main.data, key, made)


_late: Memory[tuple[str, ...]] = Memory()


def _describes(main: Table, name: str, names: list[str], alone: dict[str, float], rows: Rows) -> bool:
    """Whether a column goes with other telling columns among rows of the same outcome by its values, not by being there."""
    missing = columns.missing(main, name)[rows.positions].astype(np.int64)
    if rows.classes and missing.any() and power(missing, 2, rows) >= alone[name] - ABOVE_MISSING:
        return False
    telling = [n for n in names if n != name and alone.get(n, 0.0) >= (TELLING_AUC if rows.classes else TELLING_R2)]
    return (strongest_tie(main, name, telling[:PARTNERS], rows) or 0.0) > DESCRIBES


def _shown(measure: str, value: float) -> str:
    return f"AUC {value:.3f}" if measure == "auc" else f"R² {value:.3f}"


CHECK = LateFacts()
