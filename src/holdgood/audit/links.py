"""Links between tables: declared joins, and foreign keys found by their values.

A column of one table points to the key of another where (almost) all its values are found there. Texts seldom agree by
accident; small whole numbers always do. Numbers therefore count only where they reach most of the other table's keys, or
where those keys are scattered so thinly that hitting them is no accident; two running numbers prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.keys import ROWS, keys, repeats, whole
from holdgood.audit.memory import Memory
from holdgood.audit.profile import profile
from holdgood.audit.rows import column_hash
from holdgood.audit.sample import sample
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

NEARLY_UNIQUE = 0.8
TEXTS_FOUND = 0.5
NUMBERS_FOUND = 0.9
_FIRST_LOOK = 5_000
_POINTERS = 200
_TARGETS = 8
_FEWEST = 3
_FEWEST_NUMBERS = 10


@dataclass(frozen=True)
class Link:
    """Rows of ``child`` name a row of ``parent``: pairs (child's column, parent's column)."""

    child: str
    parent: str
    on: tuple[tuple[str, str], ...]
    declared: bool

    @property
    def here(self) -> tuple[str, ...]:
        """The child's columns."""
        return tuple(a for a, _ in self.on)

    @property
    def there(self) -> tuple[str, ...]:
        """The parent's columns."""
        return tuple(b for _, b in self.on)


_pairs: Memory[Memory[tuple[tuple[tuple[str, str], ...], ...]]] = Memory()


def links(context: AuditContext) -> list[Link]:
    """Declared joins first, then what is found between any two tables, in the order of the tables."""
    declared = declared_links(context)
    tables = [t for t in context.tables.values() if t.rows and t.columns]
    known = {(link.child, link.parent, a) for link in declared for a in link.here}
    found = []
    for child, parent in product(tables, tables):
        if child is parent:
            continue
        for on in found_between(child, parent):
            if not any((child.name, parent.name, a) in known for a, _ in on):
                found.append(Link(child.name, parent.name, on, False))
    return declared + found


def declared_links(context: AuditContext) -> list[Link]:
    """The joins that the declaration names and whose two tables are here and not empty."""
    main = context.tables.get(context.declaration.main) if context.declaration.tables else None
    if main is None:
        return []
    specs = [(name, context.spec(name).join) for name in context.tables]
    return [Link(main.name, name, tuple(join.on.items()), True) for name, join in specs if join is not None]


def need_two(context: AuditContext) -> None:
    """NotApplicable unless two tables have rows."""
    if sum(t.rows > 0 and len(t.columns) > 0 for t in context.tables.values()) < 2:
        raise NotApplicable("fewer than two tables have rows")


def found_between(child: Table, parent: Table) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Foreign keys found from one table to another; remembered while both live."""
    inner: Memory[tuple[tuple[tuple[str, str], ...], ...]] = _pairs.get(child.data, child.columns, Memory)
    return inner.get(parent.data, parent.columns, lambda: tuple(_found(child, parent)))


def _found(child: Table, parent: Table) -> list[tuple[tuple[str, str], ...]]:
    out: list[tuple[tuple[str, str], ...]] = []
    for target in _targets(parent):
        for pointer in _pointers(child):
            if _points(child, pointer, parent, target):
                out.append(((pointer.name, target.name),))
    if out:
        return out
    combined = next((k.columns for k in keys(parent) if len(k.columns) > 1), None)
    return [] if combined is None else _composite(child, parent, combined)


def _targets(parent: Table) -> list[ColumnProfile]:
    """Columns that (nearly) name the parent's rows: texts, whole numbers."""
    able = [
        c
        for c in profile(parent).columns
        if c.type != "other"
        and c.distinct >= max(_FEWEST, NEARLY_UNIQUE * parent.rows)
        and c.missing <= 0.02 * parent.rows
        and (columns.is_text(parent, c.name) or _names_by_number(parent, c))
    ]
    return able[:_TARGETS]


def _names_by_number(parent: Table, c: ColumnProfile) -> bool:
    if parent.rows < ROWS:
        return c.distinct == c.rows and whole(parent, c.name)
    return any(k.columns == (c.name,) for k in keys(parent)) and whole(parent, c.name)


def _pointers(child: Table, fewest: int = _FEWEST) -> list[ColumnProfile]:
    able = [c for c in profile(child).columns if c.type not in ("other", "boolean", "text") and c.distinct >= fewest]
    return able[:_POINTERS]


def _points(child: Table, pointer: ColumnProfile, parent: Table, target: ColumnProfile) -> bool:
    texts = columns.is_text(child, pointer.name)
    if texts != columns.is_text(parent, target.name) or columns.is_moment(child, pointer.name):
        return False
    values = distinct_values(parent, target.name)
    if share_in(first_look(child).data.column(pointer.name), values) < 0.5 * TEXTS_FOUND:
        return False
    if not texts and not whole(child, pointer.name):
        return False
    share = share_in(child.data.column(pointer.name), values)
    if texts:
        return share >= TEXTS_FOUND and _distinct_met(child, pointer.name, values) >= min(10, 0.5 * target.distinct)
    return share >= NUMBERS_FOUND and _no_accident(child, pointer, target, values)


def _no_accident(child: Table, pointer: ColumnProfile, target: ColumnProfile, values: pa.Array) -> bool:
    """Whole numbers that reach most keys of a dense range, without being a running number or a count themselves; or thin keys."""
    if pointer.distinct < _FEWEST_NUMBERS:
        return False
    own = distinct_values(child, pointer.name)
    low, high = pc.min(own).as_py(), pc.max(own).as_py()
    within = pc.and_(pc.greater_equal(values, low), pc.less_equal(values, high))
    density = pc.sum(within).as_py() / (high - low + 1.0)
    if density < 0.3:
        return True
    if pointer.distinct >= 0.9 * pointer.rows:  # its own running number
        return False
    met = pc.sum(pc.is_in(own, value_set=values)).as_py()
    return bool(met >= 0.5 * target.distinct and met >= 0.97 * len(own) and not _counts(child, pointer.name))


def _counts(child: Table, column: str) -> bool:
    """Whether low values are much more common than high ones, as with counts and quantities, unlike names."""
    values, often = np.unique(columns.numbers(child, column), return_counts=True)
    often = often[~np.isnan(values)]
    third = max(1, len(often) // 3)
    return bool(often[:third].sum() > 3 * often[-third:].sum())


def _composite(child: Table, parent: Table, there: tuple[str, ...]) -> list[tuple[tuple[str, str], ...]]:
    """The child's columns that hold the parts of the parent's combined key, if exactly these parts are found there."""
    if not any(columns.is_text(parent, name) or columns.is_moment(parent, name) for name in there):
        return []  # small whole numbers meet by accident, two of them as well
    options = []
    for name in there:
        values = distinct_values(parent, name)
        moment, texts = columns.is_moment(parent, name), columns.is_text(parent, name)
        fitting = [
            c.name
            for c in _pointers(child, 2)
            if columns.is_moment(child, c.name) == moment
            and columns.is_text(child, c.name) == texts
            and (moment or texts or whole(child, c.name))
            and share_in(first_look(child).data.column(c.name), values) >= NUMBERS_FOUND
        ]
        options.append(fitting[:4])
    best: tuple[float, tuple[tuple[str, str], ...]] | None = None
    for chosen in product(*options):
        if len(set(chosen)) < len(chosen):
            continue
        on = tuple(zip(chosen, there, strict=True))
        met, present = matched(child, parent, on)
        share = float(met.sum()) / max(1, int(present.sum()))
        named = key_hash(child, chosen)[met]
        reach = (len(named) - repeats(named)) / max(1, parent.rows)
        if share >= NUMBERS_FOUND and reach >= 0.05 and (best is None or share > best[0]):
            best = (share, on)
    return [] if best is None else [best[1]]


def first_look(table: Table) -> Table:
    """A few thousand rows, the same whatever their order."""
    return _looks.get(table.data, table.columns, lambda: table.take(sample(table, _FIRST_LOOK)))


_looks: Memory[Table] = Memory(size=lambda t: int(t.data.nbytes))


def distinct_values(table: Table, column: str) -> pa.Array:
    """The values that are there, each once; whole numbers as float64, so that 1 meets 1.0."""
    return _once.get(table.data, column, lambda: _as_one_kind(pc.unique(table.data.column(column).drop_null())))


_once: Memory[pa.Array] = Memory(size=lambda a: int(a.nbytes))


def _as_one_kind(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    numeric = pa.types.is_integer(array.type) or pa.types.is_floating(array.type)
    return array.cast(pa.float64(), safe=False) if numeric else array


def share_in(array: pa.ChunkedArray, values: pa.Array) -> float:
    """The share of the cells that are there whose value is among the values."""
    there = array.drop_null()
    there = _as_one_kind(there)
    if len(there) == 0 or there.type != values.type:
        return 0.0
    return float(pc.mean(pc.is_in(there, value_set=values)).as_py())


def _distinct_met(child: Table, column: str, values: pa.Array) -> int:
    return int(pc.sum(pc.is_in(distinct_values(child, column), value_set=values)).as_py() or 0)


def matched(child: Table, parent: Table, on: tuple[tuple[str, str], ...]) -> tuple[np.ndarray, np.ndarray]:
    """Boolean, one a row of the child: its key is in the parent; its key is there at all."""
    here, there = tuple(a for a, _ in on), tuple(b for _, b in on)
    present = np.ones(child.rows, dtype=bool)
    for name in here:
        present &= ~columns.missing(child, name)
    known = np.ones(parent.rows, dtype=bool)
    for name in there:
        known &= ~columns.missing(parent, name)
    met = np.isin(key_hash(child, here), key_hash(parent, there)[known]) & present
    return met, present


def key_hash(table: Table, names: tuple[str, ...]) -> np.ndarray:
    """uint64, one a row, of key columns; whole numbers and floats meet as floats."""
    return _hashes.get(table.data, names, lambda: _key_hash(table, names))


_hashes: Memory[np.ndarray] = Memory(size=lambda a: int(a.nbytes))


def _key_hash(table: Table, names: tuple[str, ...]) -> np.ndarray:
    data = table.data.select(list(dict.fromkeys(names)))
    for position, name in enumerate(data.column_names):
        if columns.is_numeric(table, name):
            data = data.set_column(position, name, data.column(name).cast(pa.float64(), safe=False))
    alike = table.with_data(data)
    total = np.zeros(table.rows, dtype=np.uint64)
    for position, name in enumerate(names):
        total += column_hash(alike, name, position)
    return total


def partners(child: Table, parent: Table, on: tuple[tuple[str, str], ...]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of child rows that find a partner, and of that partner (the first one, by position)."""
    met, _ = matched(child, parent, on)
    rows = np.flatnonzero(met)
    theirs = key_hash(parent, tuple(b for _, b in on))
    order = np.argsort(theirs, kind="stable")
    at = np.searchsorted(theirs[order], key_hash(child, tuple(a for a, _ in on))[rows])
    return rows, order[at]
