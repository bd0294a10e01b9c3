"""The row of a joined table that a row of the main table sees: its partner by key, as known at the moment of decision."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.rows import row_hashes
from holdgood.core import sql
from holdgood.core.budget import seconds_of
from holdgood.core.errors import DeclarationError
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table

NO_PARTNER = -1


@dataclass(frozen=True)
class Partners:
    """``rows`` (main rows,): positions in the joined table, -1 for none.

    ``timed``: whether facts have a declared moment; ``same_instant``: main rows whose partner is known at the very moment of
    decision. Of several facts of one key (and moment) the one with the lowest content hash stands for all.
    """

    rows: np.ndarray
    timed: bool
    same_instant: int


def partners(context: AuditContext, table: Table) -> Partners | None:
    """Partners of the main table's rows in a table that a join is declared for; None where the join cannot be made."""
    main, spec = context.main, context.spec(table.name)
    if main is None or spec.join is None or main.rows == 0 or table.rows == 0:
        return None
    on = dict(spec.join.on)
    if not on or any(n not in main.names for n in on) or any(n not in table.names for n in on.values()):
        return None
    if spec.time and context.decision_time is None:
        return None
    return _partners(context, main, table, on, spec.time, spec.delay)


def _partners(
    context: AuditContext, main: Table, table: Table, on: dict[str, str], time: str | None, delay: str
) -> Partners | None:
    here = {f"k{i}": main.data.column(n) for i, n in enumerate(on)} | {"i": pa.array(np.arange(main.rows))}
    there = {f"k{i}": table.data.column(n) for i, n in enumerate(on.values())} | {
        "j": pa.array(np.arange(table.rows)),
        "h": pa.array(row_hashes(table, table.names)),
    }
    keys = ", ".join(f"k{i}" for i in range(len(on)))
    if time:
        known = known_at(table, time, delay)
        if known is None:
            return None
        here["moment"] = pa.array(np.asarray(context.decision_time, dtype=np.int64))
        there["moment"] = known
        one = f"SELECT {keys}, moment, arg_min(j, h) AS j FROM there WHERE moment IS NOT NULL GROUP BY {keys}, moment"
        query = (
            f"SELECT here.i, t.j, t.moment = here.moment AS same FROM here ASOF JOIN ({one}) t "
            f"ON {' AND '.join(f'here.k{i} = t.k{i}' for i in range(len(on)))} AND here.moment >= t.moment"
        )
    else:
        one = f"SELECT {keys}, arg_min(j, h) AS j FROM there GROUP BY {keys}"
        query = f"SELECT here.i, t.j, false AS same FROM here JOIN ({one}) t USING ({keys})"
    connection = sql.connect({"here": pa.table(here), "there": pa.table(there)})
    try:
        met = connection.sql(query).to_arrow_table()
    except duckdb.Error:
        return None  # keys of different kinds cannot meet; AUD005 and AUD013 tell what is wrong with a join
    finally:
        connection.close()
    rows = np.full(main.rows, NO_PARTNER, dtype=np.int64)
    rows[met.column("i").to_numpy()] = met.column("j").to_numpy()
    return Partners(rows, bool(time), int(met.column("same").to_numpy().sum()) if time else 0)


def known_at(table: Table, time: str, delay: str) -> pa.ChunkedArray | None:
    """When each row of a table is known (int64 microseconds, null where it is not said); None where that is no moment."""
    try:
        at = sql.evaluate(time, table.data, purpose=f"the time of {table.name}")
        moment = at.cast(pa.timestamp("us")).cast(pa.int64())
    except (DeclarationError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return pc.add(moment, pa.scalar(round(seconds_of(delay) * 1e6), pa.int64()))
