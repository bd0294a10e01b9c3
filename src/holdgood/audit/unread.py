"""What was found while reading is told in the report, among the findings of the reading check: first of all a source that could not
be read; the other tables are still audited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from holdgood.audit.aud012_reading import CHECK
from holdgood.audit.found import found
from holdgood.core.errors import HoldgoodError
from holdgood.core.records.audit import Finding, Outcome, Scope


def with_unread(outcomes: Sequence[Outcome], unread: Mapping[str, HoldgoodError], scope: Scope) -> tuple[Outcome, ...]:
    """The outcomes, with one finding for each source (by the name its table would have had) in that of the reading check."""
    if not unread:
        return tuple(outcomes)
    return with_reading(outcomes, [_finding(name, error) for name, error in unread.items()], scope)


def with_reading(outcomes: Sequence[Outcome], findings: Sequence[Finding], scope: Scope) -> tuple[Outcome, ...]:
    """The outcomes, with findings put before those of the reading check."""
    if not findings:
        return tuple(outcomes)
    if not any(o.code == CHECK.code for o in outcomes):
        outcomes = [Outcome(code=CHECK.code, title=CHECK.title, scope=scope, status="passed"), *outcomes]
    return tuple(o if o.code != CHECK.code else _with(o, findings) for o in outcomes)


def _finding(name: str, error: HoldgoodError) -> Finding:
    said = "; ".join(
        part
        for part in (error.came, error.expected and f"expected: {error.expected}", error.do and f"do this: {error.do}")
        if part
    )
    message = f"`{name}` was not audited: {said}"
    return found(CHECK, "issue", "high", name, (), message, evidence={"note": "unread"})


def _with(outcome: Outcome, findings: Sequence[Finding]) -> Outcome:
    # what somebody decided to ignore stays ignored: only the new findings are live then
    before = outcome.findings if outcome.status in ("issue", "tip") else ()
    live = (*findings, *before)
    status = "issue" if any(f.level == "issue" for f in live) else "tip"
    return outcome.model_copy(update={"status": status, "reason": "", "findings": live})
