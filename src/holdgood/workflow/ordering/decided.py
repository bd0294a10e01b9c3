"""A sheet that came back: final orders as a table, decisions and overrides as a record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from holdgood.connectors import write_table
from holdgood.connectors.order_sheet import read_sheet
from holdgood.core.records import DecidedOrders, OrderPlan
from holdgood.core.records.envelope import read, write
from holdgood.workflow.ordering.kept import Kept, keep_decided

FILE = "decided.json"


@dataclass(frozen=True)
class ReadBack:
    """``decided``: the record, which lies at ``path``; ``kept``: what lay there before, where it was somebody else's."""

    decided: DecidedOrders
    path: Path
    kept: tuple[Kept, ...] = ()


def read_decided(
    sheet: Path, plan: Path, *, who: str | None = None, accept_rest: bool = False, to: Path | None = None, record: Path | None = None
) -> ReadBack:  # fmt: skip
    """Read a sheet back against its plan; write the record, and the final orders to ``to``. Another record in its place is kept."""
    decided = read_sheet(sheet, read(plan, OrderPlan), who=who, accept_rest=accept_rest)
    path = record or plan.parent / FILE
    kept = keep_decided(decided, path)
    write(path, decided)
    if to is not None:
        write_table(orders_table(decided), to, for_people=not to.name.lower().endswith((".parquet", ".jsonl")))
    return ReadBack(decided, path, kept)


def orders_table(decided: DecidedOrders) -> pa.Table:
    """One row an order, those of nothing left out: supplier, item, quantity, arrives, decided_by."""
    orders = sorted((o for o in decided.orders if o.quantity > 0), key=lambda o: o.supplier)
    return pa.table(
        {
            "supplier": pa.array([o.supplier for o in orders], pa.string()),
            "item": pa.array([o.item for o in orders], pa.string()),
            "quantity": pa.array([o.quantity for o in orders], pa.float64()),
            "arrives": _dates([o.arrives for o in orders]),
            "decided_by": pa.array([o.by for o in orders], pa.string()),
        }
    )


def _dates(texts: list[str]) -> pa.Array:
    """Days as dates, with hours as moments; as they are where one of them is neither."""
    known = [t for t in texts if t]
    try:
        if all(len(t) == 10 for t in known):
            return pa.array([date.fromisoformat(t) if t else None for t in texts], pa.date32())
        return pa.array([datetime.fromisoformat(t) if t else None for t in texts], pa.timestamp("s"))
    except ValueError:
        return pa.array(texts, pa.string())
