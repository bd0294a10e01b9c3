"""The contract of a repair. A new repair is done when ``check_repair`` is silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from holdgood.core.protocols import Repair
from holdgood.core.table import Table


def check_repair(repair: Repair, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> None:
    """Hold a repair to the contract on a table where it has something to do; AssertionError says what broke.

    The input stays untouched, other columns keep every cell, rows keep their order, the counts are true, a second
    application changes nothing, and tables without rows are left as they are.
    """
    assert repair.name, "a repair needs a name"
    assert repair.name == repair.name.lower(), "names are written in small letters"
    assert repair.title, "a repair needs a title in plain words"
    before = table.fingerprint()
    given = dict(parameters)
    out, entry = repair.apply(table, tuple(columns), parameters)
    assert table.fingerprint() == before, "the repair changed its input"
    assert dict(parameters) == given, "the repair changed its parameters"
    assert (entry.repair, entry.table) == (repair.name, table.name), "the entry names another repair or table"
    assert entry.sentence, "an entry without a sentence"
    assert out.name == table.name, "the repaired table has another name"
    assert entry.cells_changed > 0 or entry.rows_removed > 0, (
        "nothing was changed: give a table where there is something to do"
    )
    _counts(table, out, columns, entry.cells_changed, entry.rows_removed)
    again, second = (
        repair.apply(out, tuple(c for c in columns if c in out.names), parameters)
        if _left(columns, out)
        else (out, None)
    )
    assert again.fingerprint() == out.fingerprint(), "a second application changed something"
    assert second is None or (second.cells_changed, second.rows_removed) == (0, 0), (
        "a second application counts changes"
    )
    nothing = table.take(np.arange(0, dtype=np.int64))
    empty, told = repair.apply(nothing, tuple(columns), parameters)
    assert (empty.rows, told.cells_changed, told.rows_removed) == (0, 0, 0), "an empty table is changed"


def _left(columns: Sequence[str], table: Table) -> bool:
    return not columns or any(c in table.names for c in columns)


def _counts(before: Table, after: Table, columns: Sequence[str], cells: int, removed: int) -> None:
    """Compare cell by cell, in plain Python: another road than the repair's own."""
    assert after.rows == before.rows - removed, (
        f"{before.rows} rows became {after.rows}, but {removed} are told as removed"
    )
    was, now = _rows(before, after.names), _rows(after, after.names)
    if removed:
        kept = iter(was)
        for row in now:
            assert any(row == other for other in kept), "rows were changed or their order was"
        assert cells == removed * len(before.columns), "cells of removed rows are miscounted"
        return
    gone = [c for c in before.names if c not in after.names]
    assert not [c for c in gone if c not in columns], f"columns were taken out that nobody named: {gone}"
    changed = sum(v is not None for c in gone for v in before.data.column(c).to_pylist())
    for position, name in enumerate(after.names):
        unlike = sum(_unlike(a[position], b[position]) for a, b in zip(was, now, strict=True))
        assert unlike == 0 or not columns or name in columns, f"column {name!r} was changed, which nobody named"
        changed += unlike
    assert changed == cells, f"{changed} cells differ, {cells} are told"


def _rows(table: Table, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(*[table.data.column(n).to_pylist() for n in names], strict=True)) if names else []


def _unlike(a: Any, b: Any) -> bool:
    return type(a) is not type(b) or a != b
