"""The same declaration on new data: the project's rows, further files, and what the journal knows, folded into one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.connectors import read_table, write_table
from holdgood.core.declaration import Declaration, TableSpec
from holdgood.core.declared_policy import PolicySpec
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.records import CleanLog
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.sql import columns_in
from holdgood.core.table import Table
from holdgood.core.text import counted
from holdgood.journal.outcomes import Outcomes
from holdgood.workflow.folder import Project
from holdgood.workflow.live.in_use import column_of, known_columns
from holdgood.workflow.live.outcome_columns import typed
from holdgood.workflow.live.told import DAY
from holdgood.workflow.predict import Predictor
from holdgood.workflow.rows import later, moments

NEWEST_LABEL = "newest-label"


@dataclass(frozen=True, eq=False)
class Folded:
    """Tables on disk, the declaration that reads them, and what was folded in. ``rows``: that are left within the memory, ``from_journal``
    of them from there; ``log``: outcomes that were corrected, counted.
    """

    project: Project
    rows: int
    added: int
    from_journal: int
    log: CleanLog


def fold(
    folder: Path,
    model: Predictor,
    project: Project | None,
    policy: PolicySpec,
    *,
    new: Sequence[str] = (),
    related: Mapping[str, Sequence[str]] | None = None,
    known: Outcomes | None = None,
    now: datetime | None = None,
) -> Folded:
    """Write the tables of a retraining under ``folder`` and return its project.

    ``project``: whose rows the champion learned from (its declaration and its runs folder are used); without one the bundle's own
    declaration speaks, and ``new`` and ``related`` are all there is. ``known``: labelled predictions with their facts. Of rows with the
    same key the one that came last counts, and of outcomes the newest: what that changed is counted in ``log``. ``now``: where the newest
    rows end, however a row is dated.
    """
    declared = model.declaration if project is None else project.declaration
    main, others = declared.main, dict(related or {})
    spec = declared.tables[main]
    parts: list[Table] = []
    if project is not None and spec.source:
        parts.append(_declared(project, spec, main))
    parts += [model.as_read(source) for source in new]
    given = sum(p.rows for p in parts)
    if known is not None and len(known):
        parts.append(_from_journal(known, model, declared, {n for p in parts for n in p.names}))
    if not parts:
        raise DataError(
            "no rows to learn from", "a project, files of new rows, or labelled predictions", "add --new FILE"
        )
    targets = _target_columns(declared, parts)
    whole, log, at = _newest(parts, spec, main, targets, journal=known is not None and len(known) > 0)
    if policy.memory_days is not None and spec.time:
        when = moments(spec.time, whole, purpose="the main table's time")
        kept = np.flatnonzero(when >= _newest_moment(when, now) - int(policy.memory_days * DAY))
        whole, at = whole.take(kept), at[kept]
    if known is not None and len(known):
        # What no request had to say (a late fact, mostly) is missing in the journal's rows, where no audit can find out why.
        beyond = [n for n in whole.names if n not in known_columns(model) and n not in targets and n not in spec.ignore]
        spec = spec.model_copy(update={"ignore": [*spec.ignore, *beyond]})
    tables = {main: _at(folder, whole, spec)}
    for name, table in declared.tables.items():
        if name != main:
            tables[name] = _other(folder, model, project, table, name, others.get(name, ()))
    changed = _divided(declared.model_copy(update={"tables": tables}), whole, policy, now)
    where = folder if project is None else project.path
    from_journal = int((at >= given).sum())
    return Folded(Project(where, changed), whole.rows, given - (parts[0].rows if project else 0), from_journal, log)


def foldable(known: Outcomes, target: str) -> bool:
    """Whether labels say what the target's columns hold: the target is a column, or the labels are mappings."""
    return target.isidentifier() or all(isinstance(label, Mapping) for label in known.label)


def _declared(project: Project, spec: TableSpec, name: str) -> Table:
    return read_table(spec.source, name=name, options=dict(spec.options), types=dict(spec.types), base=project.path)


def _target_columns(declared: Declaration, parts: Sequence[Table]) -> list[str]:
    names = sorted({n for p in parts for n in p.names})
    return list(columns_in(declared.task.target, names))


def _from_journal(known: Outcomes, model: Predictor, declared: Declaration, beside: set[str]) -> Table:
    """Facts as they were asked about, with the columns of the target from the label. ``beside``: columns that the other rows have."""
    target, spec = declared.task.target, declared.tables[declared.main]
    columns = beside.union(known_columns(model), spec.key, spec.ids)
    rows: list[dict[str, Any]] = []
    for asked, label in zip(known.facts, known.label, strict=True):
        facts = {n: v for n, v in asked.items() if n in columns}  # what callers add beside them is never learned from
        if isinstance(label, Mapping):
            rows.append({**facts, **label})
        elif target.isidentifier():
            rows.append({**facts, target: label})
        else:
            raise DeclarationError(
                f"labels of the journal are outcomes, and the target {target!r} is computed",
                'labels that are the target\'s columns, for example {"minutes_late": 42}, or files',
                "give rows with their outcome: --new FILE",
            )
    names = list(dict.fromkeys(n for row in rows for n in row))
    told = typed([{n: row.get(n) for n in model.outcome} for row in rows], model) if model.outcome else None
    data = pa.table(
        {
            n: column_of([row.get(n) for row in rows]) if told is None or n not in told.names else told.data.column(n)
            for n in names
        }
    )
    return model.as_read(data)


def _newest(
    parts: Sequence[Table], spec: TableSpec, name: str, targets: Sequence[str], *, journal: bool
) -> tuple[Table, CleanLog, np.ndarray]:
    """All rows, the last of each key; how many outcomes were changed by a later word on the same row; and where the rows stood.

    A row that does not say its whole key (a caller need not send one) is a row of its own. Nothing is rounded to fit the first table.
    """
    data = pa.concat_tables(_alike([p.data for p in parts]), promote_options="permissive")
    # what a column without a value is called says nothing
    empty = [(p, c) for p in reversed(parts) for c in p.columns if p.data.column(c.name).null_count == p.rows]
    told = [(p, c) for p in reversed(parts) for c in p.columns if p.data.column(c.name).null_count < p.rows]
    types = {c.name: c.type for _, c in (*empty, *told)}
    key = _key(parts[0].data, spec)
    corrected, keep = 0, np.arange(data.num_rows)
    if key and all(k in data.column_names for k in key):
        named = _named(data, key)
        place = pa.array(np.flatnonzero(named))
        last = data.select(key).take(place).append_column("\x00at", place).group_by(key)
        last = last.aggregate([("\x00at", "max"), ("\x00at", "min")])
        first, newest = (last.column(f"\x00at_{end}") for end in ("min", "max"))
        twice = pc.not_equal(first, newest)
        for column in targets:
            old, new = (data.column(column).take(each.filter(twice)) for each in (first, newest))
            corrected += int(pc.sum(pc.fill_null(pc.not_equal(old, new), False)).as_py() or 0)
        keep = np.sort(np.concatenate([newest.to_numpy(), np.flatnonzero(~named)]))
        data = data.take(pa.array(keep))
    entry = RepairEntry(
        repair=NEWEST_LABEL, table=name, columns=tuple(targets), cells_changed=corrected,
        why="the newest word on an outcome counts" + (", the journal's last" if journal else ""),
        sentence=f"{counted(corrected, 'outcome')} corrected by a later word on the same row",
    )  # fmt: skip
    table = Table.of(data, name, types={n: t for n, t in types.items() if n in data.column_names})
    return table, CleanLog(entries=(entry,), after={name: table.fingerprint()}), keep


def _key(data: pa.Table, spec: TableSpec) -> list[str]:
    """What tells rows apart: the declared key, or columns that identify where no two rows share them (an order, not its customer)."""
    if spec.key or not spec.ids or any(c not in data.column_names for c in spec.ids):
        return list(spec.key)
    named = data.select(list(spec.ids)).filter(pa.array(_named(data, spec.ids)))
    return list(spec.ids) if named.group_by(list(spec.ids)).aggregate([]).num_rows == named.num_rows else []


def _named(data: pa.Table, key: Sequence[str]) -> np.ndarray:
    """Rows whose key is known, (n,) bool."""
    return np.logical_and.reduce([np.asarray(pc.is_valid(data.column(k))) for k in key])


def _alike(parts: Sequence[pa.Table]) -> list[pa.Table]:
    """Each column in one type in all parts: that of the first with values in it where nothing is lost, else decimals, else text."""
    found = list(parts)
    for name in dict.fromkeys(n for p in parts for n in p.column_names):
        there = [i for i, p in enumerate(found) if name in p.column_names]
        kinds = [found[i].schema.field(name).type for i in there]
        if len(set(kinds)) > 1:
            cast = _cast([found[i].column(name) for i in there])
            for i, column in zip(there, cast, strict=True):
                found[i] = found[i].set_column(found[i].column_names.index(name), name, column)
    return found


def _cast(columns: Sequence[pa.ChunkedArray]) -> list[pa.ChunkedArray]:
    first = next((c.type for c in columns if c.null_count < len(c)), columns[0].type)
    for kind in (first, pa.float64()):
        with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return [c.cast(kind) for c in columns]
    return [c.cast(pa.string()) for c in columns]


def _other(
    folder: Path, model: Predictor, project: Project | None, spec: TableSpec, name: str, more: Sequence[str]
) -> TableSpec:
    """A table that is joined: as declared, with further rows behind; a row that is there twice counts once."""
    if not more and project is not None:
        where = spec.source if "://" in spec.source else str((project.path / spec.source).resolve())
        return spec.model_copy(update={"source": where})
    parts = [] if project is None or not spec.source else [_declared(project, spec, name)]
    parts += [model.as_read(source, name) for source in more]
    if not parts:
        raise DataError(f"the model joins {name}, which is not given", "its rows", f"add --table {name}=FILE")
    whole, _, _ = _newest(parts, spec, name, (), journal=False)
    return _at(folder, whole, spec)


def _at(folder: Path, table: Table, spec: TableSpec) -> TableSpec:
    """Write a table; the name holds its content, so that the same rows are the same declaration."""
    file = folder / f"{table.name}-{table.fingerprint()[:12]}.parquet"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_table(table.data, file)
    types = {c.name: c.type for c in table.columns}
    return spec.model_copy(update={"source": str(file.resolve()), "options": {}, "types": {**types, **spec.types}})


def _newest_moment(when: np.ndarray, now: datetime | None) -> int:
    """The newest row; one that is dated into the future (a slip of the pen) does not make all others old."""
    newest = int(when.max())
    return newest if now is None else min(newest, max(int(when.min()), round(now.timestamp() * 1e6)))


def _divided(declared: Declaration, table: Table, policy: PolicySpec, now: datetime | None) -> Declaration:
    """Under a split by time the newest rows are held out; other divisions stay as they are declared."""
    spec = declared.tables[declared.main]
    split = declared.split
    if not spec.time or split.kind not in ("auto", "time") or split.holdout == "none":
        return declared
    when = moments(spec.time, table, purpose="the main table's time")
    newest = _newest_moment(when, now)
    cutoff = np.datetime64(newest - int(policy.days("hold_out") * DAY), "us")
    if int(later(when, split.gap).min()) >= int(cutoff.astype(np.int64)):
        return declared.model_copy(update={"split": split.model_copy(update={"cutoff": None, "end": None})})
    changed = split.model_copy(update={"kind": "time", "holdout": None, "cutoff": str(cutoff), "end": None})
    return declared.model_copy(update={"split": changed})
