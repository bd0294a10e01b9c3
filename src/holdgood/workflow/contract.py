"""The contract of a project or bundle: what it expects of the tables it is given, and the verdict on each row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from holdgood.audit.contract_rules import infer
from holdgood.audit.verdicts import Verdicts, verdicts
from holdgood.core.declaration import Declaration
from holdgood.core.errors import DataError, did_you_mean
from holdgood.core.records import Contract, TableContract
from holdgood.core.sql import columns_in
from holdgood.core.table import Table
from holdgood.features.builders.plan import FeaturePlan
from holdgood.workflow.contract_file import FILE_NAME, read


def contract_of(
    declaration: Declaration, raw: Mapping[str, Table], plan: FeaturePlan, reviewed: Contract | None = None
) -> Contract:
    """Rules of the columns that the plan reads, as their sources deliver them; the others are not asked for.

    ``raw``: the tables as read, before repairs, the main one's development rows only. ``reviewed``: a contract that people
    keep; its rules stand for the columns that it has, and its row rules where all their columns are read.
    """
    needed = columns_needed(declaration, plan, {n: t.names for n, t in raw.items()})
    kept = {t.name: t for t in reviewed.tables} if reviewed else {}
    tables = []
    for name, table in raw.items():
        wanted = needed.get(name, set())
        if not wanted and name != declaration.main:
            continue
        made = infer(table, sorted(wanted), key=declaration.tables[name].key)
        tables.append(_with_reviewed(made, kept[name], wanted) if name in kept else made)
    signed = {f: getattr(reviewed, f) for f in ("version", "reviewed_by", "reviewed_on")} if reviewed else {}
    return Contract(tables=tuple(tables), **signed)


def _with_reviewed(made: TableContract, kept: TableContract, wanted: set[str]) -> TableContract:
    rules = {c.name: c for c in kept.columns}
    every = list(rules)
    rows = [r for r in kept.rules if set(columns_in(r.rule, every)) <= wanted]
    columns = tuple(rules.get(c.name, c) for c in made.columns)
    return made.model_copy(update={"columns": columns, "rules": tuple(rows), "key": kept.key or made.key})


def reviewed_contract(project: Path) -> Contract | None:
    """The project's own ``contract.toml``, if it keeps one."""
    path = project / FILE_NAME
    return read(path) if path.exists() else None


def lost_cells(table: Table) -> dict[str, np.ndarray]:
    """By column the rows whose cell was there but not of the declared type, as the reader noted it."""
    marks: dict[str, np.ndarray] = {}
    for note in table.notes:
        if note.code == "changed-type" and note.rows:
            marks[note.columns[0]] = np.isin(np.arange(table.rows), np.asarray(note.rows))
    return marks


def judge(table: Table, contract: Contract) -> Verdicts:
    """The verdict on each row of a table as it was read with its frozen types."""
    rules = next((t for t in contract.tables if t.name == table.name), None)
    if rules is None:
        known = [t.name for t in contract.tables]
        raise DataError(
            f"the contract has no table {table.name!r}",
            "one of: " + ", ".join(known),
            did_you_mean(table.name, known) or "name the table: NAME=FILE",
        )
    return verdicts(table, rules, lost_cells(table))


def columns_needed(
    declaration: Declaration, plan: FeaturePlan, names: Mapping[str, tuple[str, ...]]
) -> dict[str, set[str]]:
    """Columns that features, joins and moments are computed from, by table."""
    main = declaration.main
    expressions = [*plan.expressions.values(), plan.decision or "", *(c.known or "" for c in plan.inputs)]
    found = {main: {c.name for c in plan.inputs} | {a for j in plan.joins for a, _ in j.on}}
    found[main] |= {c for e in expressions if e for c in columns_in(e, names[main])}
    for join in plan.joins:
        moments = [join.time or "", *(c.known or "" for c in join.columns)]
        found[join.table] = {b for _, b in join.on} | {c.name for c in join.columns}
        found[join.table] |= {c for e in moments if e for c in columns_in(e, names[join.table])}
    return found
