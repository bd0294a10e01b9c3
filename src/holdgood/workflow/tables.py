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
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.events import Listener, silent
from holdgood.core.protocols import AuditContext
from holdgood.core.records import AuditReport, CleanLog
from holdgood.core.records.envelope import write, write_bytes
from holdgood.core.table import Table
from holdgood.reports import render_audit


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
        path = report or _beside(sources[0], ".audit.html")
        profiles = tuple(profile(t) for t in tables.values())
        write_bytes(path, render_audit(found, profiles, title=", ".join(tables)).encode())
    return Looked(found, time.perf_counter() - begun, path)


def _read_all(sources: Sequence[str]) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for source in sources:
        table = read_table(source)
        name, number = table.name, 2
        while name in tables:
            name, number = f"{table.name}_{number}", number + 1
        tables[name] = table if name == table.name else read_table(source, name=name)
    return tables


def _beside(source: str, suffix: str) -> Path:
    """A path beside a file; for a database, in the current folder."""
    if "://" in source:
        stem = "".join(c if c.isalnum() else "_" for c in source.split("=")[-1]) or "table"
        return Path(stem + suffix)
    path = Path(source)
    return path.with_name(path.name.split(".")[0] + suffix)


@dataclass(frozen=True)
class Cleaned:
    """What the repairs did, and where the new file lies (None for a preview)."""

    log: CleanLog
    path: Path | None


def clean_file(source: str, codes: Sequence[str], *, to: Path | None = None, preview: bool = False) -> Cleaned:
    """Apply proposed repairs to one table and write a new file with its log; the source is never changed."""
    table = read_table(source)
    declared = Declaration(tables={table.name: TableSpec()})
    checks = installed("tables")
    found = audit(AuditContext(tables={table.name: table}, declaration=declared), "tables", checks=checks)
    wanted = {c.upper() for c in codes}
    unknown = [c for c in wanted if c != "ALL" and c not in checks]
    if unknown:
        raise DeclarationError(
            f"no check has the code {unknown[0]!r}",
            "one of: " + ", ".join(sorted(checks)),
            did_you_mean(unknown[0], checks),
        )
    # A preview without codes shows every proposal; nothing is applied unasked.
    every = "ALL" in wanted or (preview and not wanted)
    repairs = [r for r in propose(found) if every or any(r.why.startswith(c) for c in wanted)]
    tables, log = clean({table.name: table}, repairs, plugins.load_all("holdgood.repairs"))
    if preview or not log.entries:
        return Cleaned(log, None)
    path = to or _beside(source, ".clean.parquet")
    write_table(tables[table.name].data, path)
    write(path.with_name(path.name + ".log.json"), log)
    return Cleaned(log, path)
