"""AUD007: numbers and words that stand for "no value": -999, 9999, a lonely zero, "?", "n/a"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.found import found, listed, number, percent
from holdgood.audit.profile import profile
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

ROWS = 5
SHARE = 0.0005
STRONG = (
    "?",
    "n/a",
    "#n/a",
    "nan",
    "null",
    "missing",
    "not available",
    "-",
    "--",
    "---",
    "<na>",
    "n.a.",
    "(null)",
    "#null!",
)
WEAK = ("unknown", "na", "unk", "undefined", "not known", "not specified", "unspecified")
_NINES = tuple(float("9" * n) for n in range(2, 10))


@dataclass(frozen=True)
class Lonely:
    """A value at the edge of a column, how often it comes and where the next value lies."""

    column: str
    value: float
    rows: int
    next: float
    certain: bool


class Sentinels:
    """A sentinel is frequent and far outside everything else; a word for 'missing' is one of a short list."""

    code: ClassVar[str] = "AUD007"
    title: ClassVar[str] = "sentinel values"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at columns of numbers and of categories."""
        if not any(t.of_type("number", "category") for t in context.tables.values()):
            raise NotApplicable("no column of numbers or categories")
        return [f for t in context.tables.values() for f in self._numbers(t) + self._words(t)]

    def _numbers(self, table: Table) -> list[Finding]:
        out = []
        for c in profile(table).columns:
            if columns.is_numeric(table, c.name) and c.distinct > 2 and _has_candidate(c):
                out += [self._tell(table, lonely) for lonely in _at_the_edges(table, c)]
        return out

    def _tell(self, table: Table, it: Lonely) -> Finding:
        low, high = sorted((it.value, it.next))
        message = (
            f"{listed([it.column])} holds {number(it.value)} in {it.rows:,} rows ({percent(it.rows, table.rows)}), "
            f"and nothing between {number(low)} and {number(high)}"
        )
        value = int(it.value) if it.value == int(it.value) else it.value
        proposal = Proposal(
            repair="sentinel-to-missing",
            table=table.name,
            columns=(it.column,),
            parameters={"values": [value]},
            cells=it.rows,
            sentence=f"{number(it.value)} in {it.column} becomes missing, {it.rows:,} cells",
        )
        evidence = {"value": it.value, "rows": it.rows, "share": round(it.rows / table.rows, 6), "next_value": it.next}
        level: Literal["issue", "tip"] = "issue" if it.certain else "tip"
        severity: Literal["medium", "low"] = "medium" if it.certain else "low"
        return found(
            self, level, severity, table.name, [it.column], message, rows=it.rows, evidence=evidence, proposal=proposal
        )

    def _words(self, table: Table) -> list[Finding]:
        """One finding for each spelling, over all columns that hold it."""
        holding: dict[str, list[tuple[str, int]]] = {}
        for name in table.of_type("category"):
            if not columns.is_text(table, name):
                continue
            levels = columns.levels(table, name)
            for text, rows in levels:
                plain = text.strip().casefold()
                if len(plain) > 14 or rows < ROWS or len(levels) < 3:
                    continue
                if plain in STRONG or (plain in WEAK and rows < 0.5 * table.rows):
                    holding.setdefault(text, []).append((name, rows))
        out = []
        for text, where in sorted(holding.items(), key=lambda h: (-sum(r for _, r in h[1]), h[0])):
            names, cells = [n for n, _ in where], sum(r for _, r in where)
            certain = text.strip().casefold() in STRONG
            message = f"{listed(names)} {'hold' if len(names) > 1 else 'holds'} {text!r} in {cells:,} cells"
            message += ", which reads as missing" if certain else ", which may mean missing"
            proposal = Proposal(
                repair="sentinel-to-missing",
                table=table.name,
                columns=tuple(names),
                parameters={"values": [text]},
                cells=cells,
                sentence=f"{text!r} becomes missing, {cells:,} cells",
            )
            level: Literal["issue", "tip"] = "issue" if certain else "tip"
            evidence = {"cells": cells, "columns": len(names)}
            out.append(
                found(self, level, "low", table.name, names, message, rows=cells, evidence=evidence, proposal=proposal)
            )
        return out


def _has_candidate(c: ColumnProfile) -> bool:
    return c.low in (-1.0, 0.0) or -c.low in _NINES or c.high in _NINES


def _at_the_edges(table: Table, c: ColumnProfile) -> list[Lonely]:
    values = columns.numbers(table, c.name)
    values = values[np.isfinite(values)]
    enough = max(ROWS, SHARE * len(values))
    out = []
    for _ in range(2):  # a second sentinel can hide behind the first
        distinct, counts = np.unique(values, return_counts=True)
        if len(distinct) < 3:
            break
        hit = _low_edge(c.name, distinct, counts, enough) or _high_edge(c.name, distinct, counts, enough)
        if hit is None:
            break
        out.append(hit)
        values = values[values != hit.value]
    return out


def _low_edge(name: str, distinct: np.ndarray, counts: np.ndarray, enough: float) -> Lonely | None:
    low, after, rows = float(distinct[0]), float(distinct[1]), int(counts[0])
    top = float(distinct[-1])
    if -low in _NINES and rows >= enough:
        alone = low <= -999 and after >= 0
        if alone or (after >= low * (0.5 if low <= -999 else 0.1) and top < -20 * low):
            return Lonely(name, low, rows, after, certain=True)
    if low == -1 and rows >= enough and after >= 0 and len(distinct) > 20 and top >= 50:
        return Lonely(name, low, rows, after, certain=False)
    # Zero means "none" in most columns; only where all else keeps far away from it, and it is rare, is it odd.
    rest = np.repeat(distinct[1:], counts[1:]) if low == 0 and len(distinct) > 20 else np.empty(0)
    if len(rest) and rows >= 3 and rows <= 0.05 * counts.sum() and after >= 0.5 * float(np.median(rest)):
        return Lonely(name, low, rows, after, certain=False)
    return None


def _high_edge(name: str, distinct: np.ndarray, counts: np.ndarray, enough: float) -> Lonely | None:
    high, before, rows = float(distinct[-1]), float(distinct[-2]), int(counts[-1])
    if high not in _NINES or rows < enough:
        return None
    if before <= 0.2 * high:
        return Lonely(name, high, rows, before, certain=True)
    return Lonely(name, high, rows, before, certain=False) if high >= 999 and before <= 0.5 * high else None


CHECK = Sentinels()
