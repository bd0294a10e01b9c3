"""AUD018: the same row with different outcomes. Where rows meet by chance that is noise, and no finding."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit.aud011_identifiers import identifiers
from holdgood.audit.found import counted, found, percent
from holdgood.audit.rows import copies, row_hashes
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding

ROWS = 10
SHARE = 0.001


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
        _, group = np.unique(hashes, return_inverse=True)
        classes = y[known].astype(np.int64)
        k = int(classes.max()) + 1
        # rows a class and group, in sparse form: the best answer to a group is its largest class
        cell, cell_rows = np.unique(group.astype(np.int64) * k + classes, return_counts=True)
        size = np.bincount(group)
        largest = np.zeros(len(size), dtype=np.int64)
        np.maximum.at(largest, cell // k, cell_rows)
        wrong = int((size - largest).sum())
        conflicting = int(size[largest < size].sum())
        if conflicting < max(ROWS, SHARE * len(known)) or copies(main, names).by_chance:
            return []
        message = (
            f"{counted(conflicting, 'row')} of {len(known):,} ({percent(conflicting, len(known))}) equal another row in all {len(names)} columns "
            f"but have another outcome; whatever a model answers, {wrong:,} of them are wrong: look for label errors"
        )
        evidence = {"rows": conflicting, "unavoidably_wrong": wrong, "share": round(conflicting / len(known), 6)}
        return [found(self, "tip", "medium", main.name, (), message, rows=conflicting, evidence=evidence)]


CHECK = Conflicts()
