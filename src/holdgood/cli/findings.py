"""What an audit says in the terminal: the three findings that matter first, the next command, how every check ended.

On a terminal long lines are wrapped under their finding and long names are cut; in a pipe or a file a finding is one whole line.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from typing import TYPE_CHECKING

from rich.text import Text

from holdgood.cli.draw import COLOURS, out
from holdgood.core.text import counted, one_line

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from collections.abc import Sequence

    from holdgood.core.records import AuditReport, Finding

_MARGIN = 7
_LONGEST_NAME = 40
_NARROWEST = 40
_TITLE = 30
_CODES_SHOWN = 4
_LEFT_OUT = ("bad-lines", "title-lines")
_NAMED = re.compile(r"`([^`]*)`")


def audit_text(
    reports: Sequence[AuditReport], *, every: bool = False, most: int = 3, seconds: float | None = None
) -> None:
    """The findings that matter first, the rest counted (``every`` shows it by severity), every outcome counted."""
    from holdgood.reports.stake import ended_words, first_and_rest, found_words

    tables = {t.name: t for r in reversed(reports) for t in r.tables}  # the first pass saw every row
    for table in tables.values():
        took = f" · {seconds:.1f} s" if seconds is not None and len(tables) == 1 else ""
        out.print(
            f"{table.source or table.name} · {counted(table.rows, 'row')} · {counted(table.columns, 'column')}{took}"
        )
    first, rest = first_and_rest(reports, most)
    several = len(tables) > 1
    _findings(first, several)
    if every:
        _by_severity(rest, several)
    elif rest:
        out.print(f"  …     and {len(rest):,} more (--all shows them)", style="dim")
    if any(f.examples for f in (first + rest if every else first)):
        left_out = any(f.evidence.get("note") in _LEFT_OUT for f in first + rest)
        beside = "a header, and lines that were left out," if left_out else "a header"
        _said(f"rows are counted from 1 as they come in the source, {beside} not counted")
    _said(f"{found_words(reports)} · {ended_words(reports)}")
    _outcomes(reports, every=every)


def _by_severity(rest: Sequence[Finding], several: bool) -> None:
    from holdgood.reports.stake import by_severity

    for severity, group in by_severity(rest):
        out.print(f" {severity} severity, {len(group):,} more", style="dim")
        _findings(group, several)


def _outcomes(reports: Sequence[AuditReport], *, every: bool) -> None:
    """What did not end with a plain yes or no: skipped, ignored and accepted, decided in vain."""
    for outcome in (o for r in reports for o in r.outcomes):
        if outcome.status == "skipped":
            out.print(f" skipped {outcome.code}  {outcome.reason}", style="yellow")
        elif outcome.status == "ignored":
            out.print(f" ignored {outcome.code}  by {outcome.ignored_by}: {outcome.reason}", style="dim")
            if every:
                for finding in outcome.findings:
                    _said(finding.message)
        elif outcome.ignored_by:
            out.print(f" decided {outcome.code}  by {outcome.ignored_by}: {outcome.reason}", style="dim")


def repairs_text(report: AuditReport) -> None:
    """The repairs that the findings propose: one command a file, since every call starts from the source."""
    from holdgood.reports.stake import ordered

    sources = {t.name: t.source or t.name for t in report.tables}
    cells: dict[tuple[str, str], int] = {}
    for finding in ordered([report]):
        if finding.proposal is not None:
            table = finding.proposal.table or finding.table
            asked = (sources.get(table, table), finding.code)
            cells[asked] = cells.get(asked, 0) + finding.proposal.cells
    for source in dict.fromkeys(source for source, _ in cells):
        codes = [code for at, code in cells if at == source]
        changed = sum(n for (at, _), n in cells.items() if at == source)
        said = f"   ({counted(changed, 'cell')})" if changed else ""
        applied = " ".join(f"--apply {code}" for code in codes)
        if len(codes) > _CODES_SHOWN:
            applied, said = (
                "--apply all",
                f"   ({counted(changed, 'cell')} by {len(codes)} repairs; --preview shows them first)",
            )
        out.print(f" repair: holdgood clean {shlex.quote(source)} {applied}{said}", style="cyan")


def decision_text(reports: Sequence[AuditReport]) -> None:
    """The command that settles the first finding where it is right as it is."""
    from holdgood.reports.stake import first_and_rest

    first, rest = first_and_rest(reports)
    # that a file cannot be read is nothing to live with
    first = [f for f in (*first, *rest) if f.evidence.get("note") != "unread"]
    if first:
        source = {t.name: t.source for r in reports for t in r.tables}.get(first[0].table, "")
        table = first[0].table if "://" in source else source or first[0].table
        at = f" --table {shlex.quote(table)}" if table else ""
        out.print(f" known and fine? holdgood ignore {first[0].code}{at} --accept --who NAME --why TEXT", style="dim")


def finding_text(finding: Finding, *, several: bool = False, width: int = _TITLE) -> None:
    """One finding: level, code, title, the table where there are several, message, rows to look at."""
    from holdgood.reports.stake import example_words

    where = f"{_cut(finding.table)}: " if several and f"`{finding.table}`" not in finding.message else ""
    unsure = "" if finding.sure == "certain" else f" ({finding.sure})"
    rows = example_words(finding)
    said = one_line(where + finding.message + unsure + (f" [{rows}]" if rows else ""))
    head = Text.assemble(
        (f" {finding.level:<6}", COLOURS[finding.level]), f"{finding.code}  ", (f"{finding.title:<{width}}", "bold")
    )
    if not out.is_terminal:
        out.print(head.append(f"  {said}"))
        return
    out.print(head)
    for line in textwrap.wrap(_NAMED.sub(lambda m: f"`{_cut(m[1])}`", said), max(out.width - _MARGIN, _NARROWEST)):
        out.print(" " * _MARGIN + line)


def _findings(findings: Sequence[Finding], several: bool) -> None:
    width = min(max((len(f.title) for f in findings), default=0), _TITLE)
    for finding in findings:
        finding_text(finding, several=several, width=width)


def _said(text: str) -> None:
    """A quiet line, wrapped on a terminal."""
    lines = textwrap.wrap(text, max(out.width - _MARGIN, _NARROWEST)) if out.is_terminal else [text]
    for line in lines:
        out.print(" " * _MARGIN + line, style="dim")


def _cut(name: str) -> str:
    """A long name keeps its two ends, which tell apart names made by one rule.

    >>> _cut("a" * 30 + "b" * 30)
    'aaaaaaaaaaaaaaaaaaaa…bbbbbbbbbbbbbbbbbbb'
    """
    if len(name) <= _LONGEST_NAME:
        return name
    half = _LONGEST_NAME // 2
    return f"{name[:half]}…{name[-(half - 1) :]}"
