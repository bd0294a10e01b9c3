"""Audit and clean single files, before there is a project."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from holdgood.audit import audit, installed, profile
from holdgood.connectors import read_table, write_table
from holdgood.core.declaration import AuditSpec, Declaration, TableSpec, TaskSpec
from holdgood.core.errors import DeclarationError, HoldgoodError, did_you_mean
from holdgood.core.events import Listener, silent
from holdgood.core.protocols import AuditContext, Check
from holdgood.core.records import AuditReport
from holdgood.core.records.envelope import write_bytes
from holdgood.core.table import Table
from holdgood.core.urls import is_url, mask
from holdgood.reports import render_audit
from holdgood.workflow.beside import beside, not_the_source
from holdgood.workflow.cells import cells_told
from holdgood.workflow.decided import rules_for
from holdgood.workflow.named import free_name
from holdgood.workflow.read import read_or_say_why
from holdgood.workflow.second_pass import second_pass


@dataclass(frozen=True)
class Looked:
    """An audit of some files, and where its report lies; ``unread``: files that could not be read, and why.

    ``target``: the second pass, where a target was named.
    """

    report: AuditReport
    seconds: float
    path: Path | None
    cells: Path | None = None
    unread: Mapping[str, HoldgoodError] = field(default_factory=dict)
    target: AuditReport | None = None

    @property
    def passes(self) -> list[AuditReport]:
        """One report, or two."""
        return [self.report] if self.target is None else [self.report, self.target]


def audit_files(
    sources: Sequence[str],
    *,
    report: Path | None = None,
    write: bool = True,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    target: str = "",
    happened: str = "",
    decided: str = "",
    cells: Path | None = None,
    listener: Listener = silent,
) -> Looked:
    """Read, look, and write the HTML report beside the first file (or where asked).

    A source that cannot be read becomes a finding and the others are audited; the error is raised where none can be read.
    What was decided about findings beside the files (or in the project here) is obeyed. ``only``, ``skip``: codes of checks.

    ``target``: what is to be predicted, for the second pass, on the table that has it (else the first); ``happened``,
    ``decided``: when its rows happen and when the decision is taken. All three are columns or SQL expressions.
    ``cells``: a file to list every cell in that is told wrong (see ``workflow.cells``).
    """
    begun = time.perf_counter()
    checks = _chosen(only, skip)
    tables, unread, places = _read_all(sources)
    declared = Declaration(tables={n: TableSpec() for n in tables}, audit=AuditSpec(ignore=rules_for(places, Path())))
    found = audit(
        AuditContext(tables=tables, declaration=declared),
        "tables",
        checks={c: check for c, check in checks.items() if check.scope == "tables"},
        listener=listener,
        unread=unread,
    )
    second = None
    if target:
        second = second_pass(
            tables, _asked(declared, tables, target, happened, decided), checks=checks, listener=listener
        )
    path = None
    if write:
        place = beside(places[next(iter(tables))], next(iter(tables)), ".audit.html")
        path = place if report is None else report / place.name if report.is_dir() else report
        for source in sources:
            not_the_source(path, source)
        profiles = tuple(profile(t) for t in tables.values())
        write_bytes(path, render_audit(found, profiles, title=", ".join(tables), target=second).encode())
    if cells is not None:
        for source in sources:
            not_the_source(cells, source)
        write_table(cells_told(tables, found), cells, for_people=True)
    return Looked(found, time.perf_counter() - begun, path, cells, unread, second)


def _asked(declared: Declaration, tables: Mapping[str, Table], target: str, happened: str, decided: str) -> Declaration:
    main = next((n for n, t in tables.items() if target in t.names), next(iter(tables)))
    specs = {**declared.tables, main: TableSpec(time=happened or None)}
    task = TaskSpec(table=main, target=target, decision_time=decided or None)
    return declared.model_copy(update={"tables": specs, "task": task})


def _chosen(only: Sequence[str], skip: Sequence[str]) -> dict[str, Check]:
    """Checks by code; DeclarationError for a code that no check has."""
    checks = installed()
    for code in [*only, *skip]:
        if code.upper() not in checks:
            raise DeclarationError(
                f"no check has the code {code!r}",
                "one of: " + ", ".join(sorted(checks)),
                did_you_mean(code.upper(), checks) or "look the code up in the report",
            )
    wanted, left_out = {c.upper() for c in only}, {c.upper() for c in skip}
    return {c: check for c, check in checks.items() if (not wanted or c in wanted) and c not in left_out}


def _read_all(sources: Sequence[str]) -> tuple[dict[str, Table], dict[str, HoldgoodError], dict[str, str]]:
    """Tables by name, what could not be read, and each table's source; a name that comes again is numbered."""
    tables: dict[str, Table] = {}
    places: dict[str, str] = {}
    unread: dict[str, HoldgoodError] = {}
    for source in sources:
        table = read_or_say_why(partial(read_table, source))
        if isinstance(table, HoldgoodError):
            unread[free_name(mask(source) if is_url(source) else Path(source).name, unread)] = table
            continue
        name = free_name(table.name, tables)
        places[name] = source
        tables[name] = replace(table, name=name)
    if unread and not tables:
        raise next(iter(unread.values()))
    return tables, unread, places
