"""A source that could not be read is a finding; the rest of the audit still comes."""

from holdgood.audit import audit, installed
from holdgood.core.errors import ReadError

FAULT = ReadError("b.csv is empty (0 bytes)", "a file with at least a header line", "export it again")


def test_it_is_the_first_issue_of_the_reading_check(tables_of):
    context = tables_of({"t": {"a": [1, 2, 3]}})
    report = audit(context, "tables", checks=installed("tables"), unread={"b.csv": FAULT})
    (outcome,) = [o for o in report.outcomes if o.code == "AUD012"]
    assert outcome.status == "issue"
    (finding,) = outcome.findings
    assert (finding.table, finding.severity) == ("b.csv", "high")
    for part in ("`b.csv` was not audited", "0 bytes", "expected: a file", "do this: export it again"):
        assert part in finding.message
    assert len(report.outcomes) == len(installed("tables"))
    assert [t.name for t in report.tables] == ["t"]


def test_without_the_reading_check_it_is_told_all_the_same(tables_of):
    report = audit(tables_of({"t": {"a": [1]}}), "tables", checks={}, unread={"b.csv": FAULT})
    assert [(o.code, o.status) for o in report.outcomes] == [("AUD012", "issue")]
