"""Run the checks of one pass. A check that fails is told as skipped; it never takes the audit down."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from holdgood.audit.long_texts import shortened
from holdgood.audit.settled import accepted_late, settle
from holdgood.audit.unread import with_unread
from holdgood.core import plugins
from holdgood.core.declaration import IgnoreSpec
from holdgood.core.errors import DeclarationError, HoldgoodError, NotApplicable, did_you_mean
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
    context: AuditContext,
    scope: Scope,
    *,
    checks: Mapping[str, Check],
    listener: Listener = silent,
    unread: Mapping[str, HoldgoodError] = MappingProxyType({}),
) -> AuditReport:
    """Run the checks of one pass over the tables of the context; each ends as exactly one outcome.

    ``unread``: sources that could not be read, by name, and why; each becomes a finding. Raises DeclarationError where
    ``audit.ignore`` names a check that does not exist.
    """
    _refuse_unknown(context.declaration.audit.ignore, checks)
    started = time.perf_counter()
    chosen = [checks[code] for code in sorted(checks) if checks[code].scope == scope]
    outcomes = []
    whole, context = context, shortened(context)
    for position, check in enumerate(chosen):
        listener(Event("progress", "audit", f"{check.code} {check.title}", position / len(chosen)))
        outcomes.append(_outcome(check, context, scope))
    looked_at = whole.tables if scope == "tables" or whole.main is None else {whole.main.name: whole.main}
    return AuditReport(
        scope=scope,
        tables=tuple(_summary(t) for t in looked_at.values()),
        outcomes=with_unread(outcomes, unread, scope),
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
            accepted_late=late,
            seconds=time.perf_counter() - started,
        )

    rules = [i for i in context.declaration.audit.ignore if i.code == check.code]
    late: tuple[tuple[str, str], ...] = ()
    try:
        findings = tuple(check.run(context))
    except NotApplicable as reason:
        stale = settle((), rules)
        return ended("not applicable", "; ".join(r for r in (str(reason), stale.reason) if r), by=stale.who)
    except Exception as error:  # a guest's check may raise anything; the reason is shown, the audit goes on
        return ended("skipped", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}")
    settled, late = settle(findings, rules), accepted_late(findings, rules)
    if settled.wholly:
        return ended("ignored", settled.reason, settled.gone, settled.who)
    if not settled.live:
        return ended("passed", settled.reason, by=settled.who)
    status: Status = "issue" if any(f.level == "issue" for f in settled.live) else "tip"
    return ended(status, settled.reason, settled.live, settled.who)


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
