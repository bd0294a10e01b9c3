"""The audit's own page: findings first, no charts, no row's values."""

from holdgood.core.records import AuditReport
from holdgood.reports import render_audit


def test_findings_come_gravest_first_and_repairs_can_be_copied(declared):
    report = declared.audit_tables
    tables = tuple(t.model_copy(update={"name": "planes", "source": "planes.csv"}) for t in report.tables[:1])
    html = render_audit(report.model_copy(update={"tables": tables}), declared.profiles)
    assert "<h1>Audit of planes</h1>" in html
    assert html.index("A sentinel stands for missing") < html.index("Some rows find no partner")
    assert "holdgood clean planes.csv --apply AUD007" in html
    assert "<code>year</code> holds 0" in html
    assert "UNITED-LEVEL" not in html
    assert "4983" not in html


def test_all_statuses_are_counted(declared):
    html = render_audit(declared.audit_tables, title="My tables")
    assert "<h1>My tables</h1>" in html
    for status in ("issue", "tip", "passed", "not applicable", "skipped", "ignored"):
        assert status in html
    assert "2 of 8 checks found 2 things: 1 issue and 1 tip, in 192,273 rows." in html


def test_secrets_in_sources_are_hidden(declared):
    html = render_audit(declared.audit_tables)
    assert "s3cret" not in html
    assert "(hidden)" in html


def test_an_empty_audit_says_so():
    html = render_audit(AuditReport(scope="tables", tables=(), outcomes=()))
    assert "0 checks looked and found nothing to deal with, in 0 rows." in html
    assert "No table was read." in html
    assert len(html) < 60_000
