"""Findings point at rows of the source, not at positions in the canonical order or among the development rows."""

from __future__ import annotations

import numpy as np

from holdgood.core.records import AuditReport, Finding


def in_source(report: AuditReport, table: str, places: np.ndarray) -> AuditReport:
    """The report with each example row of one table told by its place in the source.

    ``places``: for each row of the table that was looked at its place in the source. The order of the examples stays.
    """

    def placed(finding: Finding) -> Finding:
        if finding.table != table or not finding.examples:
            return finding
        there = tuple(int(places[r]) for r in finding.examples if 0 <= r < len(places))
        return finding.model_copy(update={"examples": there})

    outcomes = tuple(o.model_copy(update={"findings": tuple(map(placed, o.findings))}) for o in report.outcomes)
    return report.model_copy(update={"outcomes": outcomes})
