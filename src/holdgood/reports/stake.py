"""What matters first: findings by what is at stake and how sure they are, and how all checks ended, in words.

The terminal and the pages use the same choice and the same words, so that they never contradict each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdgood.core.records import AuditReport, Finding, Outcome
from holdgood.core.records.audit import Status
from holdgood.reports.format import count

FIRST = 3
_LEVELS = {"issue": 0, "tip": 1}
_SEVERITIES = {"high": 0, "medium": 1, "low": 2}
_SURE = {"certain": 0, "likely": 1, "possible": 2}
# Two findings of which at least this share of columns is the same are taken for two sights of one cause.
_SAME_CAUSE = 0.5
_CLOSED: tuple[Status, ...] = ("passed", "not applicable", "skipped", "ignored")
_MOST_EXAMPLES = 5


def ordered(reports: Sequence[AuditReport]) -> list[Finding]:
    """Open findings of one or both passes: issues before tips, grave before light, sure before doubtful, many rows first.

    Ties keep the order of checks and of columns in the table; names never decide.
    """
    rows = _rows(reports)
    live = [f for r in reports for o in r.outcomes if o.status in ("issue", "tip") for f in o.findings]
    return sorted(live, key=lambda f: _stake(f, rows))


def _rows(reports: Sequence[AuditReport]) -> dict[str, int]:
    # the first pass saw every row, the second only some of them
    return {t.name: t.rows for r in reversed(reports) for t in r.tables}


def _stake(finding: Finding, rows: dict[str, int]) -> tuple[int, int, int, float]:
    # a fact that comes too late spoils every model trained on it: nothing of the same level goes before it
    severity = -1 if finding.late else _SEVERITIES[finding.severity]
    share = min(1.0, finding.rows / max(rows.get(finding.table, 0), 1))
    return _LEVELS[finding.level], severity, _SURE[finding.sure], -share


def first_and_rest(reports: Sequence[AuditReport], most: int = FIRST) -> tuple[list[Finding], list[Finding]]:
    """The findings to show first, and all others in order of stake.

    One cause is shown once (findings on mostly the same columns), and a code that was shown already counts as one step
    less grave, so that three sights of one kind do not hide another kind.
    """
    left = ordered(reports)
    if len(left) <= most:
        return left, []
    rows = _rows(reports)
    first: list[Finding] = []
    while left and len(first) < most:
        fresh = [f for f in left if not any(_one_cause(f, g) for g in first)] or left

        def rank(finding: Finding) -> tuple[int, int, int, float]:
            level, severity, sure, share = _stake(finding, rows)
            return level, severity + sum(g.code == finding.code for g in first), sure, share

        chosen = min(fresh, key=rank)
        first.append(chosen)
        left = [f for f in left if f is not chosen]
    return first, left


def _one_cause(one: Finding, other: Finding) -> bool:
    if one.table != other.table or not one.columns or not other.columns:
        return False
    mine, its = set(one.columns), set(other.columns)
    return len(mine & its) >= _SAME_CAUSE * max(len(mine), len(its))


def by_severity(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    """The findings in groups, grave first; empty groups are left out."""
    groups = {s: [f for f in findings if f.severity == s] for s in _SEVERITIES}
    return [(severity, group) for severity, group in groups.items() if group]


def found_words(reports: Sequence[AuditReport]) -> str:
    """Checks and findings are two things, and both are counted: "3 of 45 checks found 5 things: 4 issues and 1 tip"."""
    outcomes = [o for r in reports for o in r.outcomes]
    live = [f for o in outcomes if o.status in ("issue", "tip") for f in o.findings]
    checks = sum(o.status in ("issue", "tip") for o in outcomes)
    if not live:
        looked = sum(o.status not in ("not applicable", "skipped") for o in outcomes)
        who = fraction(looked, len(outcomes)) if looked < len(outcomes) else count(looked, "check")
        return f"{who} looked and found nothing to deal with"
    issues = sum(f.level == "issue" for f in live)
    kinds = [count(n, word) for n, word in ((issues, "issue"), (len(live) - issues, "tip")) if n]
    return f"{fraction(checks, len(outcomes))} found {count(len(live), 'thing')}: {' and '.join(kinds)}"


def fraction(some: int, all_of: int) -> str:
    """A count out of all checks.

    >>> fraction(3, 45), fraction(1, 1)
    ('3 of 45 checks', '1 of 1 check')
    """
    return f"{some:,} of {count(all_of, 'check')}"


def ended_words(reports: Sequence[AuditReport]) -> str:
    """How the checks ended that have nothing open: "40 passed · 1 not applicable · 0 skipped · 1 ignored"."""
    return " · ".join(f"{sum(r.count(w) for r in reports):,} {w}" for w in _CLOSED)


def decided(reports: Sequence[AuditReport]) -> list[Outcome]:
    """Outcomes about which somebody decided something: wholly (status ignored), in part, or in vain (a stale rule)."""
    return [o for r in reports for o in r.outcomes if o.ignored_by]


def example_words(finding: Finding) -> str:
    """Where to look: numbers of rows counted from 1, as they come in the source; empty where none are pointed at.

    Rows that follow each other are told as a stretch: "rows 17, 203 to 205, …".
    """
    if not finding.examples:
        return ""
    stretches: list[tuple[int, int]] = []
    for row in finding.examples:
        if stretches and row == stretches[-1][1] + 1:
            stretches[-1] = (stretches[-1][0], row)
        else:
            stretches.append((row, row))
    shown = [f"{a + 1:,} to {b + 1:,}" if b > a else f"{a + 1:,}" for a, b in stretches[:_MOST_EXAMPLES]]
    whole = len(stretches) <= _MOST_EXAMPLES and finding.rows <= len(finding.examples)
    return f"{'row' if len(finding.examples) == 1 else 'rows'} {', '.join(shown)}{'' if whole else ', …'}"
