"""Was the planted error found? What else is new? A finding is compared with those of the clean case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from kind import Kind, Truth

from holdgood.core.records.audit import Finding

Spot = tuple[str, str, str]
"""Code, table and column; the column is empty where a finding names none."""


Counts = dict[str, float]


def spots(findings: Iterable[Finding]) -> dict[Spot, Counts]:
    """Every place that is complained about, with the counts that are given: rows, and the numbers in evidence."""
    out: dict[Spot, Counts] = {}
    for f in findings:
        for column in f.columns or ("",):
            mine = out.setdefault((f.code, f.table, column), {})
            for name, value in _counts(f).items():
                mine[name] = max(mine.get(name, 0.0), value)
    return out


def _counts(finding: Finding) -> Counts:
    numbers = {k: float(v) for k, v in finding.evidence.items() if isinstance(v, (int, float)) and v == v}
    return {**numbers, "": float(finding.rows)}


@dataclass
class Score:
    """``found``: a new (or grown) finding with a code of the kind that names a planted place; ``other_name``: none, but one with a
    code that describes the same fault; ``beside``: other new codes at planted places; ``strays``: new complaints elsewhere.
    ``pointed``: share of the rows that the finding points at that were planted (None where it points at none).
    """

    found: str = ""
    other_name: str = ""
    sure: str = ""
    pointed: float | None = None
    beside: list[str] = field(default_factory=list)
    strays: list[Spot] = field(default_factory=list)


def score(kind: Kind, truth: Truth, clean: dict[Spot, Counts], findings: Iterable[Finding]) -> Score:
    """Hold the findings of a planted case against the truth and against the clean case's."""
    out = Score()
    tables = {truth.table, *(t for t, _ in truth.others)}
    places = {(truth.table, c) for c in truth.columns} | set(truth.others)
    for f in findings:
        columns = f.columns or ("",)
        named = [c for c in columns if (f.table, c) in places]
        # errors of whole rows show in any column: a fitting code in the table is enough
        whole = f.table in tables and (
            not truth.columns or (truth.level == "table" and (not f.columns or f.code in kind.codes + kind.also))
        )
        here = list(columns) if whole or _by_message(f, places) else named
        grown = any(_is_new(f, c, clean, truth.size or len(truth.rows)) for c in here)
        if grown and f.code in kind.codes:
            if not out.found or f.code < out.found:
                out.found, out.sure, out.pointed = f.code, f.sure, _pointed(f, truth)
        elif grown and f.code in kind.also:
            out.other_name = min(filter(None, (out.other_name, f.code)))
        elif grown:
            out.beside.append(f.code)
        elif not here:
            out.strays += [(f.code, f.table, c) for c in columns if (f.code, f.table, c) not in clean]
    out.beside = sorted(set(out.beside))
    return out


def _is_new(finding: Finding, column: str, clean: dict[Spot, Counts], planted: int) -> bool:
    """Not there on the clean case, or some count has grown by half of what was planted."""
    before = clean.get((finding.code, finding.table, column))
    if before is None:
        return True
    more = max(1, planted // 2)
    return planted > 0 and any(n in before and value >= before[n] + more for n, value in _counts(finding).items())


def _by_message(finding: Finding, places: set[tuple[str, str]]) -> bool:
    """Findings between tables name the other table's column in their text only."""
    return any(t != finding.table and f"`{t}`" in finding.message and f"`{c}`" in finding.message for t, c in places)


def _pointed(finding: Finding, truth: Truth) -> float | None:
    if not finding.examples or not len(truth.rows) or finding.table != truth.table:
        return None
    return round(float(np.isin(list(finding.examples), list(truth.rows)).mean()), 3)
