"""The report of an audit: can these tables be trusted, what matters first, how every check ended."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from holdgood.core.records import AuditReport, Profile
from holdgood.reports import format as words
from holdgood.reports.cards import cards
from holdgood.reports.declared import without_secrets
from holdgood.reports.page import render_page
from holdgood.reports.shapes import shown_tables
from holdgood.reports.stake import by_severity, decided, first_and_rest, found_words, ordered

CONTENTS = (("findings", "Findings"), ("tables", "Tables"), ("next", "What next"))
# So many findings are shown with their pictures; further ones are lines of a table, and beyond that only counted.
_CARDS, _LINES = 100, 500


def render_audit(
    report: AuditReport, profiles: Sequence[Profile] = (), title: str = "", *, target: AuditReport | None = None
) -> str:
    """The audit as one HTML text; write it as UTF-8. No network, no row's values. ``target``: the second pass, if it was made."""
    reports = [report] if target is None else [report, target]
    # written as the shell wants it where a command is shown, as it is elsewhere
    sources = {t.name: without_secrets(t.source) for t in report.tables if t.source}
    findings = ordered(reports)
    first = next(iter(first_and_rest(reports)[0]), None)
    return render_page(
        "audit.html",
        charts=False,
        title=title or f"Audit of {words.listed((t.name for t in report.tables), 3)}",
        contents=CONTENTS,
        report=report,
        seconds=sum(r.seconds for r in reports),
        shown=shown_tables(profiles, findings),
        findings=findings_view(reports, sources),
        summary=_summary(reports),
        ignore=cards([first], sources, pictures=False)[0].ignore if first else "",
        again="holdgood audit " + " ".join(shlex.quote(s) for s in sources.values()) if sources else "",
    )


def findings_view(reports: Sequence[AuditReport], sources: Mapping[str, str]) -> dict[str, Any]:
    """What the macro ``findings`` shows: the first three, the rest by severity, and how every check ended."""
    first, rest = first_and_rest(reports)
    folded, lines = rest[:_CARDS], rest[_CARDS : _CARDS + _LINES]
    return {
        "first": cards(first, sources),
        "rest": [(severity, cards(group, sources)) for severity, group in by_severity(folded)],
        "lines": lines,
        "hidden": len(rest) - len(folded) - len(lines),
        "outcomes": [o for r in reports for o in r.outcomes],
        "decided": decided(reports),
        "words": found_words(reports),
        "rows_said": any(f.examples for f in first + folded),
    }


def _summary(reports: Sequence[AuditReport]) -> str:
    rows = words.count(sum(t.rows for t in reports[0].tables), "row")
    return f"{found_words(reports)}, in {rows}."
