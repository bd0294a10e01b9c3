"""Names that two tables write differently: the same once upper and lower case, padding zeros, spaces or signs are set aside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.profile import profile
from holdgood.core.table import Table

LEAST_NAMES = 10
MOST_NAMES = 50_000
LEAST_ROWS = 3
MET = 0.9
UNIQUE = 0.9
_SIGNS = re.compile(r"[\W_]+")


def _case(text: str) -> str:
    return text.casefold()


def _zeros(text: str) -> str:
    return (text.lstrip("0") or "0") if text.isdigit() else text


def _signs(text: str) -> str:
    return _SIGNS.sub("", text)


def _all(text: str) -> str:
    return _zeros(_signs(text).casefold())


# simplest first: the first that makes the names meet says how they differ
_WAYS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("upper and lower case", _case),
    ("padding zeros", _zeros),
    ("spaces and signs", _signs),
    ("case, padding zeros, spaces and signs", _all),
)
_AS_NUMBER = "one is kept as text, the other as a number"


@dataclass(frozen=True)
class Written:
    """``here`` of the child names rows of the parent by ``there``, written otherwise in ``rows`` (positions in the child).

    ``exact``: rows that meet as they are; ``mapping``: the child's way to the parent's, empty where the types differ.
    """

    here: str
    there: str
    how: str
    exact: int
    rows: tuple[int, ...]
    mapping: tuple[tuple[str, str], ...]


def written_otherwise(child: Table, parent: Table) -> tuple[Written, ...]:
    """Pairs of columns whose names meet only when both are written in one way; in the order of the child's columns."""
    keys = list(_names_of_rows(parent))
    if not keys:
        return ()
    out = []
    for here in _columns(child):
        for there, names in keys:
            found = _between(child, here, there, names)
            if found is not None:
                out.append(found)
    return tuple(out)


def _columns(table: Table) -> Iterator[str]:
    for c in profile(table).columns:
        text, whole = columns.is_text(table, c.name), pa.types.is_integer(table.data.schema.field(c.name).type)
        if (text or whole) and LEAST_NAMES <= c.distinct <= MOST_NAMES:
            yield c.name


def _names_of_rows(parent: Table) -> Iterator[tuple[str, list[str]]]:
    """Text columns of the parent whose values (nearly) name its rows."""
    for c in profile(parent).columns:
        if (
            columns.is_text(parent, c.name)
            and LEAST_NAMES <= c.distinct <= MOST_NAMES
            and c.distinct >= UNIQUE * (c.rows - c.missing)
        ):
            yield c.name, [v for v, _ in columns.levels(parent, c.name)]


def _between(child: Table, here: str, there: str, names: list[str]) -> Written | None:
    values = child.data.column(here).drop_null()
    if not columns.is_text(child, here):
        return _number(child, here, there, names)
    counted = pc.value_counts(values)
    own, rows = counted.field("values").to_pylist(), np.asarray(counted.field("counts"))
    known = set(names)
    exact = int(sum(n for v, n in zip(own, rows, strict=True) if v in known))
    if exact == len(values):
        return None
    for how, fold in _WAYS:
        folded = {fold(v): v for v in names}
        if len(folded) < len(names):
            continue  # what is set aside tells names apart
        mapping = {v: folded[fold(v)] for v in own if v not in known and fold(v) in folded}
        met = exact + int(sum(n for v, n in zip(own, rows, strict=True) if v in mapping))
        if met < MET * len(values) or met - exact < LEAST_ROWS:
            continue
        marks = pc.is_in(child.data.column(here), value_set=pa.array(list(mapping), pa.string()))
        at = np.flatnonzero(np.asarray(marks.to_numpy(), dtype=bool))
        return Written(here, there, how, exact, tuple(at.tolist()), tuple(sorted(mapping.items())))
    return None


def _number(child: Table, here: str, there: str, names: list[str]) -> Written | None:
    """Whole numbers against names that are digits."""
    digits = {int(v) for v in names if v.isascii() and v.isdigit() and len(v) <= 18}
    if len(digits) < max(LEAST_NAMES, MET * len(names)):
        return None
    column = child.data.column(here)
    met = pc.fill_null(pc.is_in(column, value_set=pa.array(sorted(digits), pa.int64())), False)
    at = np.flatnonzero(np.asarray(met.to_numpy(), dtype=bool))
    distinct = pc.count_distinct(column.filter(met)).as_py()
    if len(at) < MET * (len(column) - column.null_count) or distinct < LEAST_NAMES or len(at) < LEAST_ROWS:
        return None
    # small counts lie within any dense run of numbers; they name it only where they use much of it
    dense = len(digits) > 0.5 * (max(digits) - min(digits) + 1)
    if dense and distinct < 0.5 * len(digits):
        return None
    return Written(here, there, _AS_NUMBER, 0, tuple(at.tolist()), ())
