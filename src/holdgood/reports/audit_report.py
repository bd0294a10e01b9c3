"""The report of an audit: can these tables be trusted, what matters first, how every check ended."""

from __future__ import annotations

from collections.abc import Sequence

from holdgood.core.records import AuditReport, Profile
from holdgood.reports import format as words
from holdgood.reports.declared import without_secrets
from holdgood.reports.page import render_page

CONTENTS = (("findings", "Findings"), ("tables", "Tables"), ("next", "What next"))


def render_audit(report: AuditReport, profiles: Sequence[Profile] = (), title: str = "") -> str:
    """The audit as one HTML text; write it as UTF-8. No network, no row's values, no charts."""
    sources = {t.name: without_secrets(t.source) for t in report.tables if t.source}
    return render_page(
        "audit.html",
        charts=False,
        title=title or f"Audit of {words.listed((t.name for t in report.tables), 3)}",
        contents=CONTENTS,
        report=report,
        profiles=profiles,
        found=[*report.issues, *report.tips],
        sources=sources,
        summary=_summary(report),
    )


def _summary(report: AuditReport) -> str:
    issues, tips = len(report.issues), len(report.tips)
    rows = words.count(sum(t.rows for t in report.tables), "row")
    looked = f"{words.count(len(report.outcomes), 'check')} looked at {rows}"
    if not issues and not tips:
        return f"{looked} and found nothing to deal with."
    found = " and ".join(
        text for n, text in ((issues, words.count(issues, "issue")), (tips, words.count(tips, "tip"))) if n
    )
    return f"{looked}: {found}."
