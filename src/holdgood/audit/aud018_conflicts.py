"""AUD018: the same row with different outcomes. Where rows meet by chance they may differ as honest noise does.

How much that is, rows tell that are equal in all columns but one: equal rows that differ no more often are no finding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit.aud011_identifiers import identifiers
from holdgood.audit.found import counted, found, percent
from holdgood.audit.rows import column_hash, copies, row_hashes
from holdgood.audit.twins import twins
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table

ROWS = 10
SHARE = 0.001
COLUMNS = 40
PAIRS = 30
MARGIN, SIGMAS, TIMES = 0.1, 4.0, 2.0


class Conflicts:
    """Counts rows that equal another in every feature and differ from it in the class."""

    code: ClassVar[str] = "AUD018"
    title: ClassVar[str] = "conflicting outcomes"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at development rows of a classification."""
        main, y = context.main, context.y
        if main is None or y is None or context.task is None or context.task.kind not in ("binary", "multiclass"):
            raise NotApplicable("only for classes")
        known = np.flatnonzero(~np.isnan(y))
        spec = context.spec(main.name)
        gone = {*spec.key, *spec.ids, *context.target_columns, *identifiers(main)}
        names = tuple(n for n in main.names if n not in gone)
        if len(known) < 2 or not names:
            raise NotApplicable("no rows to compare")
        hashes = row_hashes(main, names)[known]
        classes = y[known].astype(np.int64)
        met = _groups(hashes, classes)
        if met.conflicting < max(ROWS, SHARE * len(known)):
            return []
        noise = None
        if copies(main, names).by_chance:
            # rows that meet by chance differ as honest noise does: as often as rows that differ in one column
            noise = _noise(main, names, known, hashes, classes)
            if noise is None or met.apart < TIMES * noise * _by_chance(main, names) + SIGMAS * math.sqrt(met.apart):
                return []
            if not _beyond(met.pairs, met.apart, noise):
                return []
        usual = (
            ""
            if noise is None
            else f" ({percent(met.apart, met.pairs)} of the pairs; of pairs that differ in one column {percent(noise, 1.0)})"
        )
        message = (
            f"{counted(met.conflicting, 'row')} of {len(known):,} ({percent(met.conflicting, len(known))}) equal another row in all {len(names)} columns "
            f"but have another outcome{usual}; whatever a model answers, {met.wrong:,} of them are wrong: look for label errors"
        )
        evidence = {
            "rows": met.conflicting,
            "unavoidably_wrong": met.wrong,
            "share": round(met.conflicting / len(known), 6),
            "honest_noise": None if noise is None else round(noise, 6),
        }
        columns = [c for c in context.target_columns if c in main.names]
        return [
            found(
                self,
                "tip",
                "medium",
                main.name,
                columns,
                message,
                rows=met.conflicting,
                evidence=evidence,
                sure="certain" if noise is None else "likely",
                examples=known[np.argsort(met.order, kind="stable")[: met.conflicting]],
            )
        ]


@dataclass(frozen=True)
class _Groups:
    """Equal rows: how many conflict, the least wrong answers, and of groups of two rows the pairs and those apart.

    ``order``: one number a row, groups with the most even conflict first, rows without conflict last.
    """

    conflicting: int
    wrong: int
    pairs: int
    apart: int
    order: np.ndarray


def _groups(hashes: np.ndarray, classes: np.ndarray) -> _Groups:
    _, group = np.unique(hashes, return_inverse=True)
    k = int(classes.max()) + 1
    # rows a class and group, in sparse form: the best answer to a group is its largest class
    cell, cell_rows = np.unique(group.astype(np.int64) * k + classes, return_counts=True)
    size = np.bincount(group)
    largest = np.zeros(len(size), dtype=np.int64)
    np.maximum.at(largest, cell // k, cell_rows)
    mixed = largest < size
    two = size == 2
    order = np.where(mixed, largest / size, 2.0)[group]
    return _Groups(int(size[mixed].sum()), int((size - largest).sum()), int(two.sum()), int((two & mixed).sum()), order)


def _noise(
    table: Table, names: tuple[str, ...], known: np.ndarray, hashes: np.ndarray, classes: np.ndarray
) -> float | None:
    """How often rows have different classes that are equal in all columns but one; None where hardly any are."""
    pairs = apart = 0
    picked = np.unique(np.linspace(0, len(names) - 1, min(len(names), COLUMNS)).astype(int))
    for position in picked:
        without = hashes - column_hash(table, names[position], int(position))[known]
        _, group, size = np.unique(without, return_inverse=True, return_counts=True)
        in_two = np.flatnonzero(size[group] == 2)
        in_two = in_two[np.argsort(group[in_two], kind="stable")]
        one, two = in_two[::2], in_two[1::2]
        differ = hashes[one] != hashes[two]
        pairs += int(differ.sum())
        apart += int((classes[one] != classes[two])[differ].sum())
    return apart / pairs if pairs >= PAIRS else None


def _by_chance(table: Table, names: tuple[str, ...]) -> float:
    """Pairs of rows that chance makes equal, from those that differ in one and in two columns.

    Where columns are independent, a pair that differs in i is o_i times as common as an equal one: of N₀ equal pairs N₀o_i differ in
    i and N₀o_io_j in i and j, so N₀ = Σ N_i N_j / N₂ over i < j. A table that copies were taken out of keeps the pairs with
    different outcomes only, and has no other ones to compare them with.
    """
    kept = set(names)
    met = twins(table.drop([n for n in table.names if n not in kept]))
    one = met.differ.sum(axis=1) == 1
    single, two = met.weight[one] @ met.differ[one], met.level(2)
    return float((single.sum() ** 2 - (single**2).sum()) / (2.0 * two)) if two > 0 else 0.0


def _beyond(pairs: int, apart: int, noise: float) -> bool:
    """Whether equal rows are apart more often than noise explains, by a margin that matters and four standard errors."""
    if pairs < ROWS:
        return False
    error = math.sqrt(max(noise * (1.0 - noise), 1.0 / pairs) / pairs)
    return apart / pairs - noise >= max(MARGIN, SIGMAS * error)


CHECK = Conflicts()
