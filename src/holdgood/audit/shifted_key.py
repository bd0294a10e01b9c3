"""Tables that meet by a moment in time, hours apart: on a regular clock every hour finds a partner, only not its own.

What both tables state (columns that agree row by row) tells how far the clocks are apart: the agreement is perfect at one shift.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.links import key_hash
from holdgood.audit.profile import profile
from holdgood.audit.rows import column_hash
from holdgood.audit.sample import sample
from holdgood.core.table import Table

LONGEST = 14
_ROWS = 1_500
_FEWEST = 100
_COLUMNS = 40
_AGREE = 0.95
_BEFORE = 0.75
_HOUR = 3600 * 10**6


def shifted_key(child: Table, parent: Table, on: tuple[tuple[str, str], ...]) -> float:
    """Hours by which the parent's times must be moved for the two tables to agree; 0 where they agree as they are, or never do."""
    timed = [(a, b) for a, b in on if columns.is_moment(child, a) and columns.is_moment(parent, b)]
    if len(timed) != 1 or child.rows < _FEWEST or parent.rows < _FEWEST:
        return 0.0
    here, there = tuple(a for a, _ in on), tuple(b for _, b in on)
    some = child.take(sample(child, _ROWS))
    hashes = key_hash(parent, there)
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    best, at_zero = (0, 0.0), 0.0
    for hours in sorted(range(-LONGEST, LONGEST + 1), key=abs):
        rows, theirs = _met(some, timed[0][0], here, ordered, order, hours)
        if len(rows) < _FEWEST:
            continue
        agreement = _agreement(some.take(rows), parent.take(theirs), set(here), set(there))
        if hours == 0:
            at_zero = agreement
            if at_zero > _BEFORE:
                return 0.0
        if agreement > best[1]:
            best = (hours, agreement)
    return float(-best[0]) if best[1] >= _AGREE else 0.0


def _met(
    some: Table, time: str, here: tuple[str, ...], ordered: np.ndarray, order: np.ndarray, hours: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose key, moved by so many hours, is among the parent's, and the parent's rows."""
    moved = pc.add(some.data.column(time).cast(pa.int64()), hours * _HOUR).cast(pa.timestamp("us"))
    at = some.data.schema.get_field_index(time)
    table = some.with_data(some.data.set_column(at, time, moved))
    wanted = key_hash(table, here)
    place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    rows = np.flatnonzero(ordered[place] == wanted)
    return rows, order[place[rows]]


def _agreement(one: Table, two: Table, keyed_here: set[str], keyed_there: set[str]) -> float:
    """The highest share of equal cells of a pair of columns that would hardly agree by chance."""
    left = [c.name for c in profile(one).columns if c.name not in keyed_here and c.distinct >= 10][:_COLUMNS]
    right = [c.name for c in profile(two).columns if c.name not in keyed_there and c.distinct >= 10][:_COLUMNS]
    best = 0.0
    theirs = {name: _hashed(two, name) for name in right}
    for a in left:
        x, there = _hashed(one, a)
        for b in right:
            y, also = theirs[b]
            both = there & also
            if one.data.schema.field(a).type != two.data.schema.field(b).type or both.sum() < _FEWEST:
                continue
            best = max(best, float((x[both] == y[both]).mean()))
    return best


def _hashed(table: Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    return column_hash(table, name, 0), ~columns.missing(table, name)
