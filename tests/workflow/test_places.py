"""Examples of findings point into the source."""

import numpy as np

from holdgood.core.records import AuditReport, Finding, Outcome
from holdgood.workflow.places import in_source


def about(table, *examples):
    return Finding(code="AUD007", title="t", level="tip", severity="low", table=table, message="m", examples=examples)


def test_rows_of_the_main_table_are_told_by_their_place_and_others_stay():
    outcome = Outcome(
        code="AUD007", title="t", scope="tables", status="tip", findings=(about("main", 2, 0), about("other", 2))
    )
    report = in_source(AuditReport(scope="tables", tables=(), outcomes=(outcome,)), "main", np.array([70, 10, 40]))
    assert [f.examples for f in report.tips] == [(40, 70), (2,)]
