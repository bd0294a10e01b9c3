"""A finding as the page shows it: words, evidence, picture, rows to look at, and the command that mends it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from holdgood.core.records import Finding
from holdgood.reports.format import count, known, number, percent
from holdgood.reports.picture import draw_picture
from holdgood.reports.stake import example_words

SURE = {
    "certain": "certain: counted, not estimated",
    "likely": "likely: stands on a statistical test",
    "possible": "possible: a person should look",
}
_SHARES = ("share", "fraction", "rate")


@dataclass(frozen=True)
class Card:
    """One finding, ready to be shown."""

    finding: Finding
    sure: str
    evidence: Sequence[tuple[str, str]]
    rows: str
    picture: Markup
    repair: str
    command: str
    ignore: str


def cards(findings: Sequence[Finding], sources: Mapping[str, str], *, pictures: bool = True) -> list[Card]:
    """``sources``: for each table what ``holdgood clean`` is called with; without one the command of a project is told."""
    return [_card(f, sources, pictures) for f in findings]


def _card(finding: Finding, sources: Mapping[str, str], pictures: bool) -> Card:
    return Card(
        finding=finding,
        sure=SURE[finding.sure],
        evidence=[(name.replace("_", " "), _told(name, value)) for name, value in finding.evidence.items()],
        rows=example_words(finding),
        picture=draw_picture(finding.picture) if pictures and finding.picture is not None else Markup(""),
        repair=_repair(finding),
        command=_command(finding, sources),
        ignore=_ignore(finding),
    )


def _told(name: str, value: float | int | str | None) -> str:
    if isinstance(value, str):
        return value
    if known(value) and name.rsplit("_", 1)[-1] in _SHARES and 0 <= float(value or 0) <= 1:
        return percent(value)
    return number(value)


def _repair(finding: Finding) -> str:
    """What the proposed repair would do, with its cells where the sentence does not count them."""
    if finding.proposal is None:
        return ""
    said, cells = finding.proposal.sentence or finding.proposal.repair, finding.proposal.cells
    return said if not cells or f"{cells:,} cell" in said else f"{said} ({count(cells, 'cell')})"


def _command(finding: Finding, sources: Mapping[str, str]) -> str:
    if finding.proposal is None:
        return ""
    source = sources.get(finding.proposal.table or finding.table, "")
    return f"holdgood clean {shlex.quote(source) + ' ' if source else ''}--apply {finding.code}"


def _ignore(finding: Finding) -> str:
    table = f" --table {shlex.quote(finding.table)}" if finding.table else ""
    # many columns: the code and the table say enough, and the line stays readable
    some = 0 < len(finding.columns) <= 3 and not any("," in c for c in finding.columns)
    columns = f" --columns {shlex.quote(','.join(finding.columns))}" if some else ""
    return f"holdgood ignore {finding.code}{table}{columns} --accept --who NAME --why TEXT"
