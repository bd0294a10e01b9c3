"""Rows in which two columns of numbers hold each other's values.

Three roads. *Mirrored*: in most rows one column is larger by a factor that varies little, and in a few rows smaller by the
same. *Fitting*: rows that are odd by what the other columns say, and as they should be once the two values change places.
*Foreign*: values that one column hardly has and the other one has, on both sides of the same row, again and again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdgood.audit import columns, expected
from holdgood.audit.bench import Bench, bench
from holdgood.audit.expected import View
from holdgood.audit.factors import DENSER, LARGEST_SHARE, tail
from holdgood.audit.foreign import foreign
from holdgood.audit.memory import Memory
from holdgood.audit.profile import profile
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table
from holdgood.core.threads import thread_limit

ROWS = 5
SURPRISE = 4.0
MOST_COLUMNS = 60
FAR = 5.0
NEAR = 2.5
DISTINCT = 20
LEAST_SHARE = 0.1
ALONE_SHARE = 0.75
FITTING = 2.0
_CORE = 0.04
_PAIR_ROWS = 8_000
_DRAWN = 4_000
_HINT_ROWS = 500
_CONFIRMED = 20
_SAME = 0.3


@dataclass(frozen=True)
class Exchange:
    """Two columns, the rows (mask over the table) that hold each other's values, and how surprising they are.

    ``ratio``: a bound on first / second, and whether rows below it (or above it) are exchanged; None where there is none.
    """

    first: str
    second: str
    marks: NDArray[np.bool_]
    surprise: float
    ratio: tuple[float, bool] | None = None

    @property
    def rows(self) -> int:
        """How many rows."""
        return int(self.marks.sum())


_exchanges: Memory[list[Exchange]] = Memory()


def exchanges(context: AuditContext, table: Table) -> list[Exchange]:
    """Every pair of numbers that is exchanged in some rows, the most surprising first; a row is told once. Remembered."""
    spec = context.spec(table.name)
    key = ("exchanges", spec.time or "", tuple(spec.series))
    return _exchanges.get(table.data, key, lambda: _quietly(context, table))


def swapped_cells(context: AuditContext, table: Table, column: str) -> NDArray[np.bool_]:
    """Boolean, one a row: cells of a column that hold another column's value."""
    out: NDArray[np.bool_] = np.zeros(table.rows, dtype=bool)
    for one in exchanges(context, table):
        if column in (one.first, one.second):
            out |= one.marks
    return out


def _quietly(context: AuditContext, table: Table) -> list[Exchange]:
    with thread_limit(1, "blas"):  # as in ``expected``
        return _exchanges_of(context, table)


def _exchanges_of(context: AuditContext, table: Table) -> list[Exchange]:
    made = bench(context, table)
    if made is None or len(made.scales) < 2:
        return []
    some = _looked_at(made)
    bar = SURPRISE + math.log10(max(1, len(some) * (len(some) - 1) // 2))
    found = [e for n, i in enumerate(some) for j in some[n + 1 :] if (e := _mirrored(made, i, j)) is not None]
    found += _fitting(context, table, made, some, bar + FITTING)
    found += _foreign(made, some)
    found = [e for e in found if e.surprise >= bar]
    found.sort(key=lambda e: (e.ratio is None, -e.surprise, table.names.index(e.first), table.names.index(e.second)))
    kept: list[Exchange] = []
    for one in found:
        if one.rows >= ROWS and all(np.mean(k.marks[one.marks]) <= _SAME for k in kept):
            kept.append(one)
    return kept


def _looked_at(made: Bench) -> list[int]:
    """All columns; in wide tables those with the most values that are far out, at most 60."""
    whole = list(range(len(made.scales)))
    if len(whole) <= MOST_COLUMNS:
        return whole
    far = (np.abs(made.z[:, :_PAIR_ROWS]) > 3.5).sum(axis=1)
    return sorted(sorted((i for i in whole if far[i] >= 3), key=lambda i: (-far[i], i))[:MOST_COLUMNS])


def _mirrored(made: Bench, i: int, j: int) -> Exchange | None:
    """A hill at the mirror image of the logarithm of the ratio, beyond the valley at one.

    An exchange leaves the product of the two as it is; a wrong unit in one of them does not.
    """
    one, two = np.abs(made.values[i]), np.abs(made.values[j])
    some = slice(0, _PAIR_ROWS)
    with np.errstate(invalid="ignore"):
        larger, smaller = int((one[some] > two[some]).sum()), int((one[some] < two[some]).sum())
    if min(larger, smaller) < 3 or min(larger, smaller) > LARGEST_SHARE * (larger + smaller):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        side = 1.0 if larger > smaller else -1.0
        u = side * np.log(one / two)  # above zero in most rows
        product = np.log(one) + np.log(two)
    usable = np.isfinite(u)
    main = np.sort(u[usable & (u > 0)])
    if len(main) < 100:
        return None
    low, high = float(main[int(_CORE * len(main))]), float(main[int((1 - _CORE) * (len(main) - 1))])
    rim = max(0.1 * (high - low), 1e-6)
    low, high = low - rim, high + rim
    width = high - low
    if 2 * low < 0.6 * width:
        return None  # the two parts run into each other
    away = np.sort(-u[usable])
    rows = _between(away, low, high)
    if rows < max(ROWS, 0.6 * _between(away, 0.0, math.inf)):
        return None
    surprise = math.inf
    for left, right in ((max(-low, low - width), low), (high, high + width)):
        beside = _between(away, left, right)
        if rows / width < DENSER * (beside + 0.5) / (right - left):
            return None
        surprise = min(surprise, tail(rows, rows + beside, width / (width + right - left)))
    hit = usable & (-u >= low) & (-u <= high)
    sd = max(float(np.std(main)), 1e-9)
    off = abs(float(np.median(-u[hit])) - float(np.median(main)))
    moved = abs(float(np.median(product[hit])) - float(np.median(product[usable & (u > 0)])))
    if off > 0.5 * sd + 3 * sd / math.sqrt(rows) or moved > float(np.median(main)):
        return None
    names = made.scales[i].name, made.scales[j].name
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(columns.numbers(made.table, names[0]) / columns.numbers(made.table, names[1]))
        bound = math.exp(-side * low / 2)  # within the valley, nearer to one
        marks = ratio <= bound if side > 0 else ratio >= bound
    return Exchange(*names, marks & np.isfinite(ratio) & (ratio > 0), surprise, (bound, side > 0))


def _between(ranked: np.ndarray, low: float, high: float) -> int:
    return int(np.searchsorted(ranked, high, "right") - np.searchsorted(ranked, low))


def _fitting(context: AuditContext, table: Table, made: Bench, some: list[int], bar: float) -> list[Exchange]:
    """Pairs in which enough far rows of one column hold what it should be in the other, far more than draws of the other do."""
    roads = expected.views(context, table)
    distinct = {c.name: c.distinct for c in profile(table).columns}
    some = [i for i in some if distinct[made.scales[i].name] >= DISTINCT]
    hints: dict[tuple[int, int], float] = {}
    for i in some:
        for view in roads.get(i, []):
            residual = np.abs(view.residual)
            with np.errstate(invalid="ignore"):
                far = np.flatnonzero(residual > FAR * view.spread)
            if len(far) < ROWS or len(far) > LARGEST_SHARE * len(residual):
                continue
            turn = far[np.arange(_HINT_ROWS) * 7919 % len(far)]
            for j in some:
                if j != i:
                    surprise = _hint(view, made.values[j], far, turn)
                    key = (min(i, j), max(i, j))
                    if surprise >= max(bar, hints.get(key, 0.0)):
                        hints[key] = surprise
    likely = sorted(hints, key=lambda k: (-hints[k], k))[:_CONFIRMED]
    confirmed = [_confirmed(context, table, made, roads, *k) for k in likely]
    return [e for e in confirmed if e is not None and e.surprise >= bar]


def _hint(view: View, other: np.ndarray, far: np.ndarray, turn: np.ndarray) -> float:
    """How surprising it is that so many far rows hold in another column what is missed in this one."""
    with np.errstate(invalid="ignore"):
        rows = int((np.abs(view.scale.of(other[far]) - view.guess[far]) <= NEAR * view.spread).sum())
        if rows < max(ROWS, LEAST_SHARE * len(far)):
            return 0.0
        drawn = other[np.arange(_HINT_ROWS) * 104729 % len(other)]
        chance = float((np.abs(view.scale.of(drawn) - view.guess[turn]) <= NEAR * view.spread).mean())
    return tail(rows, len(far), min(1.0, chance + 0.02))


def _confirmed(
    context: AuditContext, table: Table, made: Bench, roads: dict[int, list[View]], i: int, j: int
) -> Exchange | None:
    """Both columns held against guesses in which neither takes part: odd before the exchange and ordinary after it."""
    first, second = _apart(context, table, roads, i, j), _apart(context, table, roads, j, i)
    if first is None or second is None:
        return None
    with np.errstate(invalid="ignore"):
        before = _odd(first, made.values[i], slice(None)) ** 2 + _odd(second, made.values[j], slice(None)) ** 2
        far = np.flatnonzero(before > FAR**2)
        usual = np.flatnonzero(before <= 2 * NEAR**2)
        if len(far) < ROWS or len(usual) < 100 or len(far) > LARGEST_SHARE * len(before):
            return None
        one, two = _odd(first, made.values[j][far], far), _odd(second, made.values[i][far], far)
        fits = (one <= NEAR) & (two <= NEAR)
        turn = np.arange(_DRAWN) * 7919
        drawn, at = usual[turn % len(usual)], far[turn % len(far)]
        chance = float(
            ((_odd(first, made.values[j][drawn], at) <= NEAR) & (_odd(second, made.values[i][at], at) <= NEAR)).mean()
        )
    rows = int(fits.sum())
    # a column that nothing goes along with takes nearly any value: then most of the far rows must fit
    least = LEAST_SHARE if "alone" not in (first.road, second.road) else ALONE_SHARE
    if rows < max(ROWS, least * len(far)) or not _mixed(made, i, j, far[fits]):
        return None
    marks = np.zeros(table.rows, dtype=bool)
    marks[first.rows[far[fits]]] = True
    return Exchange(made.scales[i].name, made.scales[j].name, marks, tail(rows, len(far), min(1.0, chance + 0.02)))


def _apart(context: AuditContext, table: Table, roads: dict[int, list[View]], i: int, j: int) -> View | None:
    """The closest view of ``i`` in which ``j`` takes no part."""
    best: View | None = None
    for view in roads.get(i, []):
        apart = expected.without(context, table, view, [j]) if view.model is not None else view
        if apart is not None and (best is None or apart.spread < best.spread):
            best = apart
    return best


def _odd(view: View, values: np.ndarray, at: np.ndarray | slice) -> np.ndarray:
    """How many spreads some values are from the guess of the rows given."""
    odd: np.ndarray = np.abs(view.scale.of(values) - view.guess[at]) / view.spread
    return odd


def _mixed(made: Bench, i: int, j: int, rows: np.ndarray) -> bool:
    """Whether no single value makes up the rows in either column: a code beside a number is no exchange."""
    tops = [np.unique(made.values[k][rows], return_counts=True)[1].max() for k in (i, j)]
    return bool(max(tops) <= max(2, 0.3 * len(rows)))


def _foreign(made: Bench, some: list[int]) -> list[Exchange]:
    found = []
    for (i, j), rows, surprise in foreign(made.values, some):
        if not _mixed(made, i, j, rows):
            continue
        marks = np.zeros(made.table.rows, dtype=bool)
        marks[made.rows[rows]] = True
        found.append(Exchange(made.scales[i].name, made.scales[j].name, marks, surprise))
    return found
