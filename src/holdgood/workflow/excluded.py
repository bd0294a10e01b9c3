"""Columns that the audit keeps out of the features, each with its reason: what is known too late, and what only names a row."""

from __future__ import annotations

from collections.abc import Sequence

from holdgood.core.declaration import Declaration
from holdgood.core.records import AuditReport

Reasons = dict[str, dict[str, str]]
"""By table and column."""


def excluded(declared: Declaration, target_columns: Sequence[str], target_audit: AuditReport) -> Reasons:
    """What nothing may touch: the target's own columns, and late facts unless ``audit.exclude_late`` is off.

    Of several columns that a target is computed from, those that are declared as known (a promised date, beside the date of
    delivery) stay; where all of them are, none does, or there would be nothing to predict.
    """
    known = declared.tables[declared.main].known
    closed = [c for c in target_columns if known.get(c, "after") == "after"] or target_columns
    found: Reasons = {declared.main: dict.fromkeys(closed, "the target is computed from it")}
    if declared.task.weight:  # where it is an expression, no column has that name
        found[declared.main].setdefault(declared.task.weight, "it is how much a row counts")
    if declared.audit.exclude_late:
        for table, column in target_audit.late:
            found.setdefault(table, {}).setdefault(column, "known only after the moment of decision (AUD014)")
    return found


def identifiers(tables_audit: AuditReport) -> Reasons:
    """Columns that were found to name rows: no features, but joins may use them."""
    found: Reasons = {}
    for finding in tables_audit.issues + tables_audit.tips:
        if finding.code == "AUD011":
            for column in finding.columns:
                found.setdefault(finding.table, {})[column] = "it names the row (AUD011)"
    return found
