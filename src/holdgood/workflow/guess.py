"""Guesses from data alone: never from what a column is called, except that equal names in two tables suggest a join."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.sql import connect
from holdgood.core.table import Table
from holdgood.workflow.rows import numbered

# A join is worth proposing where at least this share of main rows finds a partner.
_MATCH = 0.5
# Keys of several columns are looked for among so many columns and up to so many at once.
_KEY_COLUMNS, _KEY_SIZE = 8, 3
_MOST_LEVELS = 20
# Rows are written in the order of a date where so many follow; so many others are named.
_NEARLY, _NAMED = 0.99, 6


@dataclass(frozen=True)
class JoinGuess:
    """A join: main column = other column, the other table's time (None: static), and the share of main rows with a partner; ``why``: that time
    of several, in words.
    """

    on: dict[str, str]
    time: str | None
    share: float
    why: str = ""


def _distinct(connection: duckdb.DuckDBPyConnection, columns: Sequence[int]) -> int:
    """Distinct combinations of values in some columns, by their places, of the numbered table ``t`` of a connection."""
    picked = ", ".join(f"c{c}" for c in columns)
    found = connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT {picked} FROM t)").fetchone()
    return int(found[0]) if found else 0


def _codes(table: Table) -> list[str]:
    """Columns that can be part of a key: no missing values, no fractions, no prose."""
    found = []
    for column in table.columns:
        data = table.data.column(column.name)
        if data.null_count or column.type in ("text", "boolean", "other") or pa.types.is_floating(data.type):
            continue
        found.append(column.name)
    return found


def guess_key(table: Table) -> list[str]:
    """The fewest columns that name every row, in file order; empty where none are found."""
    if table.rows < 2:
        return []
    codes = _codes(table)
    # One pass by Arrow: a query a column would take minutes for ten thousand columns.
    counts = {c: pc.count_distinct(table.data.column(c)).as_py() for c in codes}
    unique = [c for c in codes if counts[c] == table.rows]
    if unique:
        return unique[:1]
    best = sorted(codes, key=lambda c: -counts[c])[:_KEY_COLUMNS]  # a stable sort: equal counts in file order
    connection = connect({"t": numbered(table.data.select(best))}, threads=1)
    try:
        for size in range(2, _KEY_SIZE + 1):
            for places in combinations(range(len(best)), size):
                picked = [best[i] for i in places]
                possible = math.prod(counts[c] for c in picked)
                if possible >= table.rows and _distinct(connection, places) == table.rows:
                    return sorted(picked, key=codes.index)
    finally:
        connection.close()
    return []


def guess_identifiers(table: Table) -> list[str]:
    """Columns that only identify: text or whole numbers, different in (nearly) every row of at least fifty."""
    if table.rows < 50:
        return []
    found = []
    for column in table.columns:
        data = table.data.column(column.name)
        whole = pa.types.is_integer(data.type)
        if column.type != "category" and not whole:
            continue
        present = table.rows - data.null_count
        distinct = pc.count_distinct(data.drop_null()).as_py() if present else 0
        if present and distinct >= 0.99 * present and (column.type == "category" or _consecutive(data)):
            found.append(column.name)
    return found


def _consecutive(data: pa.ChunkedArray) -> bool:
    """Whole numbers that fill their range almost without gaps: a running number."""
    bounds = pc.min_max(data).as_py()
    return bounds["max"] is not None and bounds["max"] - bounds["min"] < 1.1 * len(data)


@dataclass(frozen=True)
class TimeGuess:
    """When a row happened: the column, the other complete dates of its table, and whether rows are written in its order."""

    column: str
    others: tuple[str, ...] = ()
    in_order: bool = False

    @property
    def why(self) -> str:
        """What was taken instead of what, in words; empty where there was nothing to choose."""
        if not self.others:
            return ""
        many = f"{len(self.others) + 1} complete dates"
        said = f"rows are written in its order, alone of {many}" if self.in_order else f"the first of {many}"
        named = ", ".join(self.others[:_NAMED]) + (" …" if len(self.others) > _NAMED else "")
        return f"{said}; others: {named}"


def guess_time(table: Table, exclude: Sequence[str] = ()) -> TimeGuess | None:
    """Of the dates and times without missing values that are not nearly constant: the one in whose order rows are written, where that
    is one alone; else the first. Never the latest for being the latest: a date that is set for later (when it is due, when it was
    delivered) would let facts be known that were not.
    """
    found = [c for c in table.of_type("datetime") if c not in exclude and _tells_rows_apart(table, c)]
    if not found:
        return None
    ordered = [c for c in found if _written_in_order(table, c)]
    taken = ordered[0] if len(ordered) == 1 else found[0]
    return TimeGuess(taken, tuple(c for c in found if c != taken), len(ordered) == 1)


def _written_in_order(table: Table, name: str) -> bool:
    if table.rows < 2:
        return False
    moments = table.data.column(name).cast(pa.int64()).to_numpy()
    forward = float(np.mean(moments[1:] >= moments[:-1]))
    return max(forward, float(np.mean(moments[1:] <= moments[:-1]))) >= _NEARLY


def _tells_rows_apart(table: Table, name: str) -> bool:
    data = table.data.column(name)
    return data.null_count == 0 and table.rows > 0 and pc.count_distinct(data).as_py() > min(20, 0.5 * table.rows)


def guess_target(table: Table) -> str:
    """The last column that could be an outcome: two to twenty levels, or else the last number; empty where nothing fits."""
    last = list(reversed(table.columns))
    levels = {c.name: pc.count_distinct(table.data.column(c.name).drop_null()).as_py() for c in last}
    final = last[0] if last else None
    if final and (
        (final.type in ("number", "boolean") and levels[final.name] > 1)
        or (final.type == "category" and 2 <= levels[final.name] <= _MOST_LEVELS)
    ):
        return final.name
    for column in last:
        if column.type in ("boolean", "category") and 2 <= levels[column.name] <= _MOST_LEVELS:
            return column.name
    numbers = [c.name for c in last if c.type == "number" and levels[c.name] > 1]
    return numbers[0] if numbers else ""


def guess_join(main: Table, other: Table) -> JoinGuess | None:
    """How another table joins the main one: on columns of equal name, or on values that agree.

    Without a unique key in the other table it needs a time, and the join is as of the decision.
    """
    guessed = guess_time(other)
    time = None if guessed is None else guessed.column
    key = guess_key(other)
    if len(key) == 1:
        best = _partner(main, other, key[0])
        if best is not None:
            return JoinGuess({best[0]: key[0]}, None, best[1])
    here = set(main.of_type("category"))
    shared = [c for c in other.of_type("category") if c in here and c != time]
    if shared:
        share = _share(main, other, shared, shared)
        connection = connect({"t": numbered(other.data.select(shared))}, threads=1)
        try:
            unique = _distinct(connection, range(len(shared))) == other.rows
        finally:
            connection.close()
        if share >= _MATCH and (unique or time is not None):
            why = "" if unique or guessed is None else guessed.why
            return JoinGuess({c: c for c in shared}, None if unique else time, share, why)
    return None


def _partner(main: Table, other: Table, column: str) -> tuple[str, float] | None:
    """The main column whose values are found in a key: the same name first, else the best match of at least half."""
    kind = other.type_of(column)
    same = [c for c in main.names if c == column and main.type_of(c) == kind]
    if same and (share := _share(main, other, same, [column])) >= _MATCH:
        return same[0], share
    if kind != "category":
        return None
    keys = other.data.column(column).combine_chunks()
    found = [(_share_in(main.data.column(c), keys), c) for c in main.of_type("category")]
    good = [(share, c) for share, c in found if share >= _MATCH]
    if not good:
        return None
    top = max(share for share, _ in good)
    # Several columns may hold such codes: the one with more different values tells more.
    close = [c for share, c in good if share >= top - 0.1]
    chosen = max(close, key=lambda c: pc.count_distinct(main.data.column(c), mode="only_valid").as_py())
    return chosen, next(share for share, c in good if c == chosen)


def _share_in(values: pa.ChunkedArray, keys: pa.Array) -> float:
    """The share of values that occur among the keys; a missing one never does."""
    found = pc.sum(pc.is_in(values, value_set=keys, skip_nulls=True)).as_py()
    return float(found) / len(values) if found else 0.0


def _share(main: Table, other: Table, left: Sequence[str], right: Sequence[str]) -> float:
    both = {"m": numbered(main.data.select(left)), "o": numbered(other.data.select(right))}
    connection = connect(both, threads=1)
    try:
        on = " AND ".join(f"m.c{i} = o.c{i}" for i in range(len(left)))
        found = connection.execute(f"SELECT count(*) FROM m WHERE EXISTS (SELECT 1 FROM o WHERE {on})").fetchone()
    finally:
        connection.close()
    return int(found[0]) / main.rows if found and main.rows else 0.0
