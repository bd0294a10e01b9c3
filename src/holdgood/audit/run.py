"""Run the checks of one pass. A check that fails is told as skipped; it never takes the audit down."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

from holdgood.core import plugins
from holdgood.core.declaration import IgnoreSpec
from holdgood.core.errors import DeclarationError, NotApplicable, did_you_mean
from holdgood.core.events import Event, Listener, silent
from holdgood.core.protocols import AuditContext, Check
from holdgood.core.records.audit import AuditReport, Finding, Outcome, Status, TableSummary
from holdgood.core.table import Table

GROUP = "holdgood.checks"
Scope = Literal["tables", "target"]


def installed(scope: Scope | None = None) -> dict[str, Check]:
    """Every check that is registered, ours and guests', by code; of one pass or of both."""
    checks = plugins.load_all(GROUP)
    return {code: check for code, check in checks.items() if scope is None or check.scope == scope}


def audit(
    context: AuditContext, scope: Scope, *, checks: Mapping[str, Check], listener: Listener = silent
) -> AuditReport:
    """Run the checks of one pass over the tables of the context; each ends as exactly one outcome.

    Raises DeclarationError where ``audit.ignore`` names a check that does not exist.
    """
    _refuse_unknown(context.declaration.audit.ignore, checks)
    started = time.perf_counter()
    chosen = [checks[code] for code in sorted(checks) if checks[code].scope == scope]
    outcomes = []
    for position, check in enumerate(chosen):
        listener(Event("progress", "audit", f"{check.code} {check.title}", position / len(chosen)))
        outcomes.append(_outcome(check, context, scope))
    looked_at = context.tables if scope == "tables" or context.main is None else {context.main.name: context.main}
    return AuditReport(
        scope=scope,
        tables=tuple(_summary(t) for t in looked_at.values()),
        outcomes=tuple(outcomes),
        seconds=time.perf_counter() - started,
    )


def _outcome(check: Check, context: AuditContext, scope: Scope) -> Outcome:
    started = time.perf_counter()

    def ended(status: Status, reason: str = "", findings: tuple[Finding, ...] = (), by: str = "") -> Outcome:
        return Outcome(
            code=check.code,
            title=check.title,
            scope=scope,
            status=status,
            reason=reason,
            findings=findings,
            ignored_by=by,
            seconds=time.perf_counter() - started,
        )

    try:
        findings = tuple(check.run(context))
    except NotApplicable as reason:
        return ended("not applicable", str(reason))
    except Exception as error:  # a guest's check may raise anything; the reason is shown, the audit goes on
        return ended("skipped", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}")
    rules = [i for i in context.declaration.audit.ignore if i.code == check.code]
    live = tuple(f for f in (_without_ignored(f, rules) for f in findings) if f is not None)
    if findings and not live:
        return ended(
            "ignored",
            "; ".join(dict.fromkeys(r.why for r in rules)),
            findings,
            ", ".join(dict.fromkeys(r.who for r in rules)),
        )
    if not live:
        return ended("passed")
    status: Status = "issue" if any(f.level == "issue" for f in live) else "tip"
    return ended(status, findings=live)


def _without_ignored(finding: Finding, rules: list[IgnoreSpec]) -> Finding | None:
    """The finding without the columns that somebody decided to ignore; None where nothing is left."""
    if any(not r.columns for r in rules):
        return None
    gone = {c: r.who for r in rules for c in r.columns}
    hit = [c for c in finding.columns if c in gone]
    if not hit:
        return finding
    kept = tuple(c for c in finding.columns if c not in gone)
    if not kept:
        return None
    said = ", ".join(f"`{c}` ignored by {gone[c]}" for c in hit)
    return finding.model_copy(update={"columns": kept, "message": f"{finding.message} ({said})"})


def _refuse_unknown(rules: list[IgnoreSpec], checks: Mapping[str, Check]) -> None:
    known = sorted({*plugins.names(GROUP), *checks})
    for rule in rules:
        if rule.code not in known:
            raise DeclarationError(
                f"audit.ignore names the check {rule.code!r}, which does not exist",
                "one of: " + ", ".join(known),
                did_you_mean(rule.code, known) or "look the code up in the audit's report",
            )


def _summary(table: Table) -> TableSummary:
    return TableSummary(
        name=table.name,
        source=table.source,
        rows=table.rows,
        columns=len(table.columns),
        megabytes=round(table.data.nbytes / 1e6, 3),
    )
