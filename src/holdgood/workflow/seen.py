"""Whether a run has seen some rows: its own table is read again and held against them, fact by fact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq

from holdgood.connectors import read_table
from holdgood.core.declaration import TableSpec
from holdgood.core.errors import HoldgoodError
from holdgood.core.sql import columns_in, connect, quote
from holdgood.core.table import Table
from holdgood.core.urls import mask
from holdgood.workflow.result import Run
from holdgood.workflow.rows import canonical_order
from holdgood.workflow.work import DEVELOPMENT, HOLDOUT

DISTINCT = 0.9
"""Where fewer of a run's rows differ from all others, that a new row is like one of them says nothing."""
SHARED = 0.5
"""Share of a run's columns that new rows must have to be recognised by."""


@dataclass(frozen=True)
class Seen:
    """New rows (n,) among a run's development rows, and among those that it held out; None with the reason in ``why``."""

    tuned_on: np.ndarray | None
    held_out: np.ndarray | None
    why: str = ""


def seen_by(run: Run, rows: Table, fingerprint: str) -> Seen:
    """Which of some rows a run was tuned on. ``fingerprint``: of its main table as it was read.

    A row is known by all columns that both tables have with the same type, but the target's: a corrected outcome does not
    make it new. What cannot be checked is said, and nothing is assumed.
    """
    declared = run.folder.declaration() or run.model.declaration
    found = run.folder.find("split")
    if found is None or not (found.path / "split.parquet").exists():
        return _unknown("its division of rows is not there any more")
    try:
        table = _table(run, declared.tables[declared.main], declared.main)
    except HoldgoodError as error:
        return _unknown(f"its table cannot be read again ({error.came})")
    if table is None:
        return _unknown("it was given its rows from Python")
    if fingerprint and table.take(canonical_order(table)).fingerprint() != fingerprint:
        return _unknown("its table has changed since")
    targets = columns_in(declared.task.target or "", table.names)
    facts = [n for n in table.names if n not in targets]
    shared = [n for n in facts if n in rows.names and rows.data.column(n).type == table.data.column(n).type]
    if not shared or len(shared) < SHARED * len(facts):
        return _unknown(f"only {len(shared)} of its {len(facts)} columns are in the new rows")
    own, new = _prints(table, shared), _prints(rows, shared)
    if len(np.unique(own)) < DISTINCT * len(own):
        return _unknown("many of its rows are alike, so that a new row may well be like one of them")
    split = pq.read_table(found.path / "split.parquet")
    places, part = split.column("row").to_numpy(), split.column("part").to_numpy()
    tuned_on, held_out = (np.isin(new, own[places[part == which]]) for which in (DEVELOPMENT, HOLDOUT))
    return Seen(tuned_on, held_out)


def _unknown(why: str) -> Seen:
    return Seen(None, None, why)


def _table(run: Run, spec: TableSpec, name: str) -> Table | None:
    """The main table as the run read it; None where it was given as a frame."""
    now = run.project.declaration.tables.get(name)
    # the run's own copy of the declaration has no passwords
    source = now.source if now is not None and mask(now.source) == spec.source else spec.source
    if not source:
        return None
    return read_table(source, name=name, options=dict(spec.options), types=dict(spec.types), base=run.project.path)


def _prints(table: Table, columns: list[str]) -> np.ndarray:
    """A number a row that is the same for the same values of some columns."""
    connection = connect({"t": table.data}, threads=1)
    try:
        listed = ", ".join(quote(n) for n in columns)
        hashes = connection.sql(f"SELECT hash({listed}) AS h FROM t").fetchnumpy()["h"]
    finally:
        connection.close()
    return np.asarray(hashes)
