"""Apply declared repairs in order, and propose repairs from an audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from holdgood.cleaning.order import ordered
from holdgood.core import plugins
from holdgood.core.declaration import RepairSpec
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.protocols import Repair
from holdgood.core.records.audit import AuditReport
from holdgood.core.records.cleaning import CleanLog, RepairEntry
from holdgood.core.table import Table

GROUP = "holdgood.repairs"


def installed() -> dict[str, Repair]:
    """Every repair that is registered, ours and guests', by name."""
    return dict(plugins.load_all(GROUP))


def clean(
    tables: Mapping[str, Table], repairs: Sequence[RepairSpec], available: Mapping[str, Repair]
) -> tuple[dict[str, Table], CleanLog]:
    """Apply the declared repairs in the declared order. The tables given are left as they are.

    A repair that names no table takes the only one there is. Raises DeclarationError, before anything is done, for an
    unknown repair or table, and in turn for an unknown column.
    """
    out, entries = apply(tables, repairs, available)
    before = {name: table.fingerprint() for name, table in tables.items()}
    changed = dict.fromkeys(_table_of(spec, tables, available) for spec in repairs)
    after = {name: table.fingerprint() if name in changed else before[name] for name, table in out.items()}
    return out, CleanLog(entries=entries, before=before, after=after)


def apply(
    tables: Mapping[str, Table], repairs: Sequence[RepairSpec], available: Mapping[str, Repair]
) -> tuple[dict[str, Table], tuple[RepairEntry, ...]]:
    """``clean`` without the fingerprints before and after, which cost more than the repairs where rows are few."""
    named = [_table_of(spec, tables, available) for spec in repairs]
    out, entries = dict(tables), []
    for spec, name in zip(repairs, named, strict=True):
        table = out[name]
        for column in spec.columns:
            if column not in table.names:
                raise DeclarationError(
                    f"repair {spec.repair!r}: table {name!r} has no column {column!r}",
                    "one of: " + ", ".join(table.names[:12]) + (" …" if len(table.names) > 12 else ""),
                    did_you_mean(column, table.names) or "check the name, and whether an earlier repair took it out",
                )
        out[name], entry = available[spec.repair].apply(table, tuple(spec.columns), dict(spec.parameters))
        entries.append(entry.model_copy(update={"why": spec.why}))
    return out, tuple(entries)


def _table_of(spec: RepairSpec, tables: Mapping[str, Table], available: Mapping[str, Repair]) -> str:
    if spec.repair not in available:
        raise DeclarationError(
            f"no repair named {spec.repair!r}",
            "one of: " + ", ".join(sorted(available)),
            did_you_mean(spec.repair, sorted(available)) or "check the spelling",
        )
    if spec.table is None and len(tables) == 1:
        return next(iter(tables))
    if spec.table is None or spec.table not in tables:
        raise DeclarationError(
            f"repair {spec.repair!r} names {'no table' if spec.table is None else f'the table {spec.table!r}'}",
            "one of: " + ", ".join(tables),
            did_you_mean(spec.table or "", tables) or "add table = ...",
        )
    return spec.table


def propose(report: AuditReport, codes: Sequence[str] = ()) -> list[RepairSpec]:
    """The repairs that an audit's issues and tips propose, in an order that makes sense; only of the codes given, if any are."""
    found = [
        RepairSpec(
            repair=f.proposal.repair,
            table=f.proposal.table,
            columns=list(f.proposal.columns),
            parameters=dict(f.proposal.parameters),
            why=f"{f.code}: {f.message}",
        )
        for f in [*report.issues, *report.tips]
        if f.proposal is not None and (not codes or f.code in codes)
    ]
    return ordered(found)
