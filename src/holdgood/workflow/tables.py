"""Audit and clean single files, before there is a project."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdgood.audit import audit, installed, profile
from holdgood.cleaning import clean, propose
from holdgood.connectors import read_table, write_table
from holdgood.core import plugins
from holdgood.core.declaration import Declaration, TableSpec
from holdgood.core.errors import DeclarationError, HoldgoodError, did_you_mean
from holdgood.core.events import Listener, silent
from holdgood.core.protocols import AuditContext, Connector
from holdgood.core.records import AuditReport, CleanLog
from holdgood.core.records.envelope import read, write, write_bytes
from holdgood.core.table import Table
from holdgood.reports import render_audit
from holdgood.workflow.named import check_rows


@dataclass(frozen=True)
class Looked:
    """An audit of some files, and where its report lies."""

    report: AuditReport
    seconds: float
    path: Path | None


def audit_files(
    sources: Sequence[str], *, report: Path | None = None, write: bool = True, listener: Listener = silent
) -> Looked:
    """Read, look, and write the HTML report beside the first file (or where asked)."""
    begun = time.perf_counter()
    tables = _read_all(sources)
    declared = Declaration(tables={n: TableSpec() for n in tables})
    found = audit(
        AuditContext(tables=tables, declaration=declared), "tables", checks=installed("tables"), listener=listener
    )
    path = None
    if write:
        beside = _beside(sources[0], next(iter(tables)), ".audit.html")
        path = beside if report is None else report / beside.name if report.is_dir() else report
        for source in sources:
            _not_the_source(path, source)
        profiles = tuple(profile(t) for t in tables.values())
        write_bytes(path, render_audit(found, profiles, title=", ".join(tables)).encode())
    return Looked(found, time.perf_counter() - begun, path)


def _read_all(sources: Sequence[str]) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for source in sources:
        table = check_rows(read_table(source))
        name, number = table.name, 2
        while name in tables:
            name, number = f"{table.name}_{number}", number + 1
        tables[name] = table if name == table.name else read_table(source, name=name)
    return tables


def _beside(source: str, table: str, suffix: str) -> Path:
    """A path beside a file, its known suffix replaced; for a database the table's name in the current folder.

    Never made from a URL, which may hold a password.
    """
    if "://" in source:
        return Path(("".join(c if c.isalnum() or c in "-_" else "_" for c in table) or "table") + suffix)
    path = Path(source).expanduser()
    connectors: dict[str, Connector] = plugins.load_all("holdgood.connectors")
    known = [s for c in connectors.values() for s in c.suffixes if path.name.lower().endswith(s)]
    longest = max(known, key=len, default="")
    return path.with_name(path.name[: len(path.name) - len(longest)] + suffix)


def _not_the_source(path: Path, source: str) -> None:
    if "://" in source:
        return
    read_from = Path(source).expanduser()
    # the same place, or another name (a link, another case) of the same file
    if path.resolve() == read_from.resolve() or (path.exists() and read_from.exists() and path.samefile(read_from)):
        raise DeclarationError(
            f"{path} would be written over its own source", "another file", "name one with --to or --report"
        )


@dataclass(frozen=True)
class Cleaned:
    """What the repairs did, and where the new file lies (None for a preview)."""

    log: CleanLog
    path: Path | None


def clean_file(
    source: str, codes: Sequence[str], *, to: Path | None = None, preview: bool = False, force: bool = False
) -> Cleaned:
    """Apply proposed repairs to one table and write a new file with its log; the source is never changed.

    Without codes every proposal is shown and nothing is written. A file that is there already is replaced only where an
    earlier clean of the same rows wrote it, or with ``force``; DeclarationError otherwise.
    """
    table = check_rows(read_table(source))
    declared = Declaration(tables={table.name: TableSpec()})
    checks = installed("tables")
    found = audit(AuditContext(tables={table.name: table}, declaration=declared), "tables", checks=checks)
    wanted = sorted({c.upper() for c in codes})
    unknown = [c for c in wanted if c != "ALL" and c not in checks]
    if unknown:
        raise DeclarationError(
            f"no check has the code {unknown[0]!r}",
            "one of: " + ", ".join(sorted(checks)),
            did_you_mean(unknown[0], checks) or "see: holdgood audit",
        )
    # Without codes every proposal is shown; nothing is written unasked.
    every, preview = "ALL" in wanted or not wanted, preview or not wanted
    repairs = [r for r in propose(found) if every or any(r.why.startswith(c) for c in wanted)]
    tables, log = clean({table.name: table}, repairs, plugins.load_all("holdgood.repairs"))
    if preview or not log.entries:
        return Cleaned(log, None)
    beside = _beside(source, table.name, ".clean.parquet")
    path = beside if to is None else to / beside.name if to.is_dir() else to
    for target in (path, _log_of(path)):
        _not_the_source(target, source)
    if path.exists() and not force and not _ours(path, log):
        raise DeclarationError(
            f"{path} is there already, and no earlier clean of these rows wrote it",
            "a new file",
            "name another with --to, or replace it with --force",
        )
    write_table(tables[table.name].data, path)
    write(_log_of(path), log)
    return Cleaned(log, path)


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + ".log.json")


def _ours(path: Path, log: CleanLog) -> bool:
    """Whether the log beside a file says that it was made from the very same rows."""
    try:
        return list(read(_log_of(path), CleanLog).before.values()) == list(log.before.values())
    except HoldgoodError:
        return False
