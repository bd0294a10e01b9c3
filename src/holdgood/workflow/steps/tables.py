"""Left of the wall: read every table, audit it without its target, apply the declared repairs."""

from __future__ import annotations

import json

import numpy as np

from holdgood.audit import audit, installed, profile
from holdgood.cleaning import installed as repairs_installed
from holdgood.core.protocols import AuditContext
from holdgood.core.records import (
    AuditReport,
    CleanLog,
)
from holdgood.core.records.envelope import read, write, write_bytes
from holdgood.workflow.folder import StepFolder
from holdgood.workflow.places import in_source
from holdgood.workflow.predict import with_tables
from holdgood.workflow.read import read_declared
from holdgood.workflow.repairs import repair
from holdgood.workflow.work import Work


def read_tables(work: Work, folder: StepFolder) -> None:
    """Read every declared table; sort the main one canonically."""
    work.tables, work.row_numbers = read_declared(work.declaration, work.sources, work.project.path)
    work.raw, work.kept = dict(work.tables), np.arange(work.main.rows)
    work.profiles = tuple(profile(t) for t in work.tables.values())
    for one in work.profiles:
        write(folder.path / f"profile-{_safe(one.table)}.json", one)
    noted = {
        n: {"rows": t.rows, "columns": len(t.columns), "source": t.source, "fingerprint": t.fingerprint()}
        for n, t in work.tables.items()
    }
    write_bytes(folder.record, json.dumps({"kind": "tables", "payload": noted}, indent=1).encode())


def audit_tables(work: Work, folder: StepFolder) -> AuditReport:
    """Left of the wall: look at the tables, not at the target."""
    context = AuditContext(
        tables=work.tables,
        declaration=work.declaration,
        seed=work.declaration.budget.seed,
        contract=work.contract,
    )
    found = audit(context, "tables", checks=installed("tables"), listener=work.listener)
    work.audit_tables = in_source(found, work.declaration.main, work.row_numbers)
    return work.audit_tables


def load_audit_tables(work: Work, folder: StepFolder) -> None:
    """Restore the first pass."""
    work.audit_tables = read(folder.record, AuditReport)


def clean_tables(work: Work, folder: StepFolder) -> CleanLog:
    """Apply the declared repairs, in order. Where one removes rows of the main table, what is left is followed."""
    available, entries = repairs_installed(), []
    for spec in with_tables(work.declaration):
        name = str(spec.table)
        work.tables[name], entry, left = repair(work.tables[name], spec, available, work.declaration.tables[name].time)
        entries.append(entry)
        if name == work.declaration.main:
            work.row_numbers, work.kept = work.row_numbers[left], work.kept[left]
    prints = {n: t.fingerprint() for n, t in work.raw.items()}
    changed = {n: t.fingerprint() for n, t in work.tables.items()} if entries else prints
    work.clean = CleanLog(entries=tuple(entries), before=prints, after=changed)
    work.forget_times()
    return work.clean


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
