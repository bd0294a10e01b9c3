"""Keys found in the data: columns, or combinations of two or three, that name a row.

Unique values alone prove little: amounts in cents hardly repeat either. A column or combination is taken for a key where its
values repeat far less often than chance would have it: whole numbers and moments on a dense grid against their neighbours on
that grid, combinations against what their columns would give if they were independent. Codes in text name by their looks.
A few repeats (up to 12% of the rows) are allowed for: they are what a check wants to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.memory import Memory
from holdgood.audit.profile import profile
from holdgood.audit.rows import column_hash
from holdgood.audit.sample import sample
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

ROWS = 50
REPEATED = 0.12
RARER = 0.12
_EXPECTED = 50.0
_LOOKED_AT = 5_000
_SOME = 10_000
_COMBINED = 8
_TRIED = 8
_LONGEST = 3
_PART = 0.7
_ENOUGH = 60_000
_AMOUNT = r"^\s*[(]?[+-]?[$€£]?[0-9][0-9.,' ]*[.,][0-9]{1,4}\s*[%$€£]?[)-]?\s*$"
_MOSTLY = 0.95


@dataclass(frozen=True)
class Key:
    """Columns that name a row; ``repeats``: rows whose key an earlier row already has."""

    columns: tuple[str, ...]
    repeats: int


_found: Memory[tuple[Key, ...]] = Memory()


def keys(table: Table) -> tuple[Key, ...]:
    """Keys of a table of at least 50 rows, single columns in schema order, else the shortest combination; maybe none.

    Remembered while the table's data lives.
    """
    return _found.get(table.data, table.columns, lambda: _keys(table))


def _keys(table: Table) -> tuple[Key, ...]:
    if table.rows < ROWS:
        return ()
    described = profile(table).columns
    single = [c for c in described if c.missing == 0 and c.distinct >= (1 - REPEATED) * c.rows and _names(table, c)]
    if single:
        return tuple(Key((c.name,), c.rows - c.distinct) for c in single)
    if any(c.missing == 0 and c.distinct == c.rows and c.type == "category" for c in described):
        return ()  # rows have names of some kind, if not codes
    found = _combined(table, described)
    return () if found is None else (found,)


def repeated(table: Table, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of positions of rows that share all the columns given, none of them missing: each row with the one before it."""
    total = np.zeros(table.rows, dtype=np.uint64)
    present = np.ones(table.rows, dtype=bool)
    for position, name in enumerate(names):
        total += column_hash(table, name, position)
        present &= ~columns.missing(table, name)
    kept = np.flatnonzero(present)
    order = kept[np.argsort(total[kept], kind="stable")]
    same = total[order[1:]] == total[order[:-1]]
    return order[:-1][same], order[1:][same]


def repeats(hashes: np.ndarray) -> int:
    """How many repeat an earlier one; by sorting, which beats NumPy's hash table on many different values twenty times."""
    ordered = np.sort(hashes)
    return int((ordered[1:] == ordered[:-1]).sum())


def code_like(table: Table, column: str) -> bool:
    """Whether a text column holds codes: one word, with digits in it, or all of one length. Amounts are none."""
    some = _texts(table, column)
    if some is None:
        return False
    spaced = pc.mean(pc.match_substring(some, " ")).as_py()
    digits = pc.mean(pc.match_substring_regex(some, "[0-9]")).as_py()
    if spaced > 0.02 or not (digits >= 0.9 or _even(some)):
        return False
    return not amount_like(table, column)


def amount_like(table: Table, column: str) -> bool:
    """Whether a text column holds amounts with decimals, of differing length: 1.308,70 names nothing."""
    some = _texts(table, column)
    return some is not None and not _even(some) and pc.mean(pc.match_substring_regex(some, _AMOUNT)).as_py() > _MOSTLY


def _texts(table: Table, column: str) -> pa.ChunkedArray | None:
    """Some of the cells of a text column; None where there are none."""
    if not columns.is_text(table, column):
        return None
    some = table.data.column(column).take(pa.array(sample(table, _LOOKED_AT))).drop_null()
    return some if len(some) else None


def _even(some: pa.ChunkedArray) -> bool:
    length = pc.utf8_length(some)
    return bool(pc.min(length).as_py() == pc.max(length).as_py())


def whole(table: Table, column: str) -> bool:
    """Whether the cells are whole numbers, however they are kept."""
    if not columns.is_numeric(table, column):
        return False
    if pa.types.is_integer(table.data.schema.field(column).type):
        return True
    values = columns.numbers(table, column)
    with np.errstate(invalid="ignore"):
        return bool(np.all((values == np.floor(values)) | np.isnan(values)) and not np.isinf(values).any())


def _names(table: Table, c: ColumnProfile) -> bool:
    if c.type == "other":
        return False
    if columns.is_moment(table, c.name):
        return _on_a_grid(columns.numbers(table, c.name), usual=True)
    if columns.is_numeric(table, c.name):
        return c.infinite == 0 and whole(table, c.name) and _on_a_grid(columns.numbers(table, c.name), usual=False)
    return columns.is_text(table, c.name) and code_like(table, c.name)


def _on_a_grid(values: np.ndarray, *, usual: bool) -> bool:
    """Values lie densely on a grid and yet hardly meet. ``usual``: the grid is the most common gap, else the common divisor."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < 2:
        return False
    gaps = np.diff(distinct)
    if usual:
        sizes, often = np.unique(gaps, return_counts=True)
        step = float(sizes[np.argmax(often)])
    else:
        step = float(np.gcd.reduce(gaps.astype(np.int64)))
    beside = float((counts[:-1] * counts[1:])[gaps == step].sum()) / 2.0
    met = float((counts * (counts - 1.0) / 2.0).sum())
    return beside >= 10.0 and met <= 2.5 * REPEATED * beside


def _combined(table: Table, described: tuple[ColumnProfile, ...]) -> Key | None:
    """The shortest combination without repeats, else the one whose repeats are fewest against independent columns."""
    able = [
        (i, c)
        for i, c in enumerate(described)
        if c.missing == 0
        and c.type != "other"
        and 1 < c.distinct <= _PART * c.rows
        and (c.type == "boolean" or _discrete(table, c))
    ]
    # names are texts and moments more often than they are numbers
    able = sorted(able, key=lambda p: (columns.is_numeric(table, p[1].name), -p[1].distinct, p[0]))[:_COMBINED]
    if len(able) < 2:
        return None
    n = float(table.rows)
    rows = sample(table, _SOME)
    part = table.take(rows) if len(rows) < table.rows else table
    hashes = {c.name: column_hash(part, c.name, i) for i, c in able}
    meet = {c.name: _meet(hashes[c.name], c) for _, c in able}
    whole_table: dict[str, np.ndarray] = {}
    near: list[tuple[float, Key]] = []
    for length in range(2, _LONGEST + 1):
        tried = []
        for some in combinations([c for _, c in able], length):
            names = tuple(c.name for c in some)
            if np.prod([float(c.distinct) for c in some]) < (1 - REPEATED) * n:
                continue
            expected = n * (n - 1.0) / 2.0 * float(np.prod([meet[name] for name in names]))
            if expected < _EXPECTED:
                continue
            seen = _pairs(_together([hashes[name] for name in names]))
            if seen <= 2.5 * RARER * expected * (len(rows) / n) ** 2 + 3.0:
                tried.append((expected, names))
        for expected, names in sorted(tried, key=lambda t: -t[0])[:_TRIED]:
            for i, c in able:
                if c.name in names and c.name not in whole_table:
                    whole_table[c.name] = column_hash(table, c.name, i)
            together = _together([whole_table[name] for name in names])
            allowed = min(REPEATED * n, RARER * expected)
            if _repeats_about(together) > 1.5 * allowed:
                continue
            again = repeats(together)
            found = Key(tuple(name for name in table.names if name in names), again)
            if again == 0:
                return found
            if again <= allowed:
                near.append((again / expected, found))
    return min(near, key=lambda k: k[0])[1] if near else None


def _together(hashes: list[np.ndarray]) -> np.ndarray:
    total = np.zeros(len(hashes[0]), dtype=np.uint64)
    for one in hashes:
        total += one
    return total


def _repeats_about(hashes: np.ndarray) -> float:
    """How many rows repeat an earlier hash, estimated from the lowest hashes: equal ones are kept or left out together."""
    if len(hashes) <= _ENOUGH:
        return float(repeats(hashes))
    mixed = hashes * np.uint64(0x9E3779B97F4A7C15)
    share = _ENOUGH / len(hashes)
    low = mixed[mixed < np.uint64(share * 2.0**64)]
    return float(repeats(low)) / share


def _discrete(table: Table, c: ColumnProfile) -> bool:
    return columns.is_text(table, c.name) or columns.is_moment(table, c.name) or whole(table, c.name)


def _pairs(hashes: np.ndarray) -> float:
    counts = np.unique(hashes, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1.0) / 2.0).sum())


def _meet(hashes: np.ndarray, c: ColumnProfile) -> float:
    """The chance that two rows have the same value; where the sample hardly shows one, from the values of all rows."""
    m, n = float(len(hashes)), float(c.rows)
    pairs = _pairs(hashes)
    return pairs / (m * (m - 1.0) / 2.0) if pairs >= 10.0 else (n - c.distinct) / (n * (n - 1.0) / 2.0)
