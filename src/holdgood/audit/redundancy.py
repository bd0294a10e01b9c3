"""Groups of columns of which each tells all the others: exact copies, linear copies, recodings, and nearly so.

One-to-one relations need no pairs: number the values of a column in the order in which they first come, and two columns that
stand for each other have the same numbers, row by row. Numbers that are not quite copies are found by correlation on a sample,
categories by how well each level of one predicts the other. What is suspected is counted on all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.memory import Memory
from holdgood.audit.profile import profile
from holdgood.audit.rows import content
from holdgood.audit.sample import sample
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

CORRELATED = 0.999
AGREE = 0.985
TIED = 20
_LOOK = 4_000
_CORRELATE = 1_500
_CELLS = 3_000_000
_PAIRS = 600
_LEVELS = 300
_JUDGED = 60
_CELLS_JUDGED = 10_000_000
_EXACT = 1e-9
_CODES = 20

Kind = Literal["copy", "linear", "codes", "nearly", "correlated"]


@dataclass(frozen=True)
class Redundant:
    """Columns in schema order, how they say the same, and the lowest share of rows in which they do."""

    kind: Kind
    columns: tuple[str, ...]
    agree: float


_found: Memory[tuple[Redundant, ...]] = Memory()


def redundant(table: Table) -> tuple[Redundant, ...]:
    """Groups of columns that say the same; remembered while the table's data lives."""
    return _found.get(table.data, table.columns, lambda: tuple(_redundant(table)))


def _redundant(table: Table) -> list[Redundant]:
    able = [c for c in profile(table).columns if c.type != "other" and c.distinct > 1]
    able = [c for c in able if table.rows - c.missing >= TIED]
    if len(able) < 2:
        return []
    some = table.take(sample(table, _LOOK))
    pairs = _one_to_one(some, able) + _correlated(some, able) + _recoded(some, able)
    found, tied = {}, _Tied()
    for a, b in list(dict.fromkeys(pairs))[: max(_JUDGED, _CELLS_JUDGED // table.rows)]:
        if not tied.together(a.name, b.name) and (kind := _judge(table, a, b)) is not None:
            found[a.name, b.name] = kind
            tied.tie(a.name, b.name)
    return _grouped(table, found, tied)


class _Tied:
    """Which columns hang together by ties found so far: of many copies not every pair need be judged."""

    def __init__(self) -> None:
        self._head: dict[str, str] = {}

    def head(self, name: str) -> str:
        """The column that stands for the group."""
        while (above := self._head.get(name, name)) != name:
            name = above
        return name

    def together(self, a: str, b: str) -> bool:
        """Whether two columns are in one group."""
        return self.head(a) == self.head(b)

    def tie(self, a: str, b: str) -> None:
        """Put two groups together."""
        self._head[self.head(b)] = self.head(a)


def _one_to_one(some: Table, able: list[ColumnProfile]) -> list[tuple[ColumnProfile, ColumnProfile]]:
    """Neighbouring columns among those whose values come and go together in every row of the sample."""
    seen: dict[bytes, ColumnProfile] = {}
    out = []
    for c in able:
        codes = columns.codes_of(some.data.column(c.name))[0]
        there = codes[codes >= 0]
        levels = np.unique(there, return_counts=True)[1]
        if len(there) - len(levels) < TIED or len(there) - levels.max() < TIED:
            continue  # all different, or (almost) all alike: they agree with many
        mark = _in_order(codes).tobytes()
        if mark in seen:
            out.append((seen[mark], c))
        else:
            seen[mark] = c
    return out


def _in_order(codes: np.ndarray) -> np.ndarray:
    """Codes renumbered by first appearance, missing among them."""
    _, start, back = np.unique(codes, return_index=True, return_inverse=True)
    return np.asarray(start[back].astype(np.int32))


def _correlated(some: Table, able: list[ColumnProfile]) -> list[tuple[ColumnProfile, ColumnProfile]]:
    """Pairs of numbers (or moments) that lie on one line in the sample, and pairs of which the ranks do."""
    numeric = [c for c in able if c.type in ("number", "datetime") and c.distinct > 2 and _varied(some, c)]
    if len(numeric) < 2:
        return []
    rows = min(some.rows, max(200, _CORRELATE if len(numeric) <= 500 else _CELLS // len(numeric)))
    kept = some.take(np.arange(rows)) if rows < some.rows else some
    ranks = np.empty((rows, len(numeric)), dtype=np.float32)
    for k, c in enumerate(numeric):
        ranks[:, k] = _standard(_ranked(columns.numbers(kept, c.name)))
    together = np.abs(ranks.T @ ranks) / rows
    first, second = np.nonzero(np.triu(together >= 0.97, 1))
    order = np.argsort(-together[first, second], kind="stable")[:_PAIRS]
    out, tied = [], _Tied()
    for i, j in zip(first[order], second[order], strict=True):
        a, b = numeric[int(i)], numeric[int(j)]
        if (
            not tied.together(a.name, b.name)
            and _line(columns.numbers(some, a.name), columns.numbers(some, b.name)) is not None
        ):
            out.append((a, b))
            tied.tie(a.name, b.name)
    return out


def _varied(some: Table, c: ColumnProfile) -> bool:
    return bool(some.data.column(c.name).null_count <= 0.5 * some.rows)


def _ranked(values: np.ndarray) -> np.ndarray:
    """Average ranks; missing in the middle."""
    there = np.isfinite(values)
    out = np.full(len(values), np.nan)
    distinct, back, counts = np.unique(values[there], return_inverse=True, return_counts=True)
    if len(distinct):
        out[there] = (np.cumsum(counts) - (counts - 1) / 2.0)[back]
    return np.where(there, out, np.nanmean(out) if len(distinct) else 0.0)


def _standard(values: np.ndarray) -> np.ndarray:
    sd = values.std()
    return np.asarray((values - values.mean()) / sd if sd > 0 else np.zeros_like(values))


def _recoded(some: Table, able: list[ColumnProfile]) -> list[tuple[ColumnProfile, ColumnProfile]]:
    """Pairs of columns of few levels that tell each other nearly always: levels of about the same sizes, then their table."""
    few = [c for c in able if 1 < c.distinct <= _LEVELS]
    described = []
    for c in few:
        codes, levels = columns.codes_of(some.data.column(c.name))
        there = codes[codes >= 0]
        counts = np.sort(np.bincount(there, minlength=max(1, levels)))[::-1] / max(1, len(codes))
        if len(there) - levels < TIED:
            continue  # (almost) all different: every two such columns tell each other
        if 1.0 - counts.max() >= 0.02:
            described.append((float((counts**2).sum()), c, codes, levels))
    described.sort(key=lambda d: d[0])
    out: list[tuple[ColumnProfile, ColumnProfile]] = []
    for i, (size, a, x, levels) in enumerate(described):
        for other, b, y, others in described[i + 1 : i + 60]:
            if other - size > 0.03:
                break
            if len(out) < _PAIRS and _told(x, y, levels, others) >= AGREE:
                out.append((a, b))
    return out


def _told(x: np.ndarray, y: np.ndarray, levels: int, others: int) -> float:
    """The share of rows in which the best one-to-one matching of levels holds, missing a level of its own."""
    table = np.bincount((x + 1) * (others + 1) + y + 1, minlength=(levels + 1) * (others + 1)).reshape(
        levels + 1, others + 1
    )
    best = table.argmax(axis=1)
    mutual = table.argmax(axis=0)[best] == np.arange(levels + 1)
    return float(table[np.arange(levels + 1)[mutual], best[mutual]].sum()) / max(1, len(x))


def _judge(table: Table, a: ColumnProfile, b: ColumnProfile) -> tuple[Kind, float] | None:
    """How two suspected columns say the same, on all rows; None where they do not."""
    x, y = content(table, a.name), content(table, b.name)
    alike_kept = table.data.schema.field(a.name).type == table.data.schema.field(b.name).type
    if alike_kept:
        agree = float((x == y).mean())
        if agree >= AGREE and _more_than_chance(table, a, b, agree):
            return ("copy", 1.0) if agree == 1.0 else ("nearly", agree)
    if a.type in ("number", "datetime") and b.type in ("number", "datetime") and min(a.distinct, b.distinct) > 2:
        u, v = columns.numbers(table, a.name), columns.numbers(table, b.name)
        line = _line(u, v)
        if line is not None and (line[0] != "linear" or min(a.distinct, b.distinct) > _CODES):
            return line
    if max(a.distinct, b.distinct) > max(_LEVELS, 0.5 * table.rows):
        return None
    codes_a, levels_a = columns.codes(table, a.name)
    codes_b, levels_b = columns.codes(table, b.name)
    if np.array_equal(_in_order(codes_a), _in_order(codes_b)):
        return ("codes", 1.0)
    if levels_a <= _LEVELS and levels_b <= _LEVELS:
        agree = _told(codes_a, codes_b, levels_a, levels_b)
        if agree >= AGREE and _more_than_chance(table, a, b, agree):
            return ("nearly", agree)
    return None


def _more_than_chance(table: Table, a: ColumnProfile, b: ColumnProfile, agree: float) -> bool:
    """The rows outside the commonest level agree too: two columns that are mostly zero always agree mostly."""
    least = min(_outside(table, a), _outside(table, b))
    return 1.0 - agree <= 0.1 * least


def _outside(table: Table, c: ColumnProfile) -> float:
    """The share of rows that are not the commonest value."""
    counts = pc.value_counts(table.data.column(c.name)).field("counts")
    return 1.0 - float(pc.max(counts).as_py()) / table.rows


def _line(u: np.ndarray, v: np.ndarray) -> tuple[Kind, float] | None:
    """Whether numbers lie on one line: exactly (but for rounding), or but for 1.5% of the rows, or with a correlation of 0.999."""
    there = np.isfinite(u) & np.isfinite(v)
    if there.sum() < TIED or abs(int(np.isnan(u).sum()) - int(np.isnan(v).sum())) > (1 - AGREE) * len(u):
        return None
    if there.mean() < 0.5 or (np.isnan(u) != np.isnan(v)).mean() > 1 - AGREE:
        return None
    x, y = u[there], v[there]
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    slope, middle = _steady(x, y)
    if slope == 0.0:
        return None
    off = np.abs(y - slope * x - middle)
    scale = float(np.quantile(np.abs(y - np.median(y)), 0.9)) or float(np.std(y))
    exact = off <= max(_EXACT, 0.002) * scale
    agree = float(exact.mean())
    most = max(np.unique(x, return_counts=True)[1].max(), np.unique(y, return_counts=True)[1].max()) / len(x)
    if most > 0.98:
        return None
    if agree >= 1.0 - 1e-12 and there.all():
        return ("copy", 1.0) if slope == 1.0 and middle == 0.0 and bool((off == 0).all()) else ("linear", 1.0)
    if agree >= AGREE and 1.0 - agree <= 0.1 * (1.0 - most):
        return ("linear", agree) if agree == 1.0 else ("nearly", agree)
    straight = min(_correlation(x, y), _correlation(_ranked(x), _ranked(y)))
    return ("correlated", straight) if straight >= CORRELATED else None


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    return abs(float(np.mean(_standard(x) * _standard(y))))


def _steady(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and intercept through the middles of the lower and the upper third: a few wrong cells do not move them."""
    low, high = np.quantile(x, (1 / 3, 2 / 3))
    below, above = x <= low, x >= high
    if low == high or not below.any() or not above.any():
        return _least_squares(x, y)
    x0, x1 = float(np.median(x[below])), float(np.median(x[above]))
    y0, y1 = float(np.median(y[below & (x == x0)] if (x[below] == x0).any() else y[below])), 0.0
    y1 = float(np.median(y[above & (x == x1)] if (x[above] == x1).any() else y[above]))
    if x1 == x0:
        return _least_squares(x, y)
    slope = (y1 - y0) / (x1 - x0)
    return _refined(x, y, slope, y0 - slope * x0)


def _least_squares(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    variance = float(np.var(x))
    slope = float(np.mean((x - x.mean()) * (y - y.mean()))) / variance if variance > 0 else 0.0
    return slope, float(y.mean() - slope * x.mean())


def _refined(x: np.ndarray, y: np.ndarray, slope: float, middle: float) -> tuple[float, float]:
    """Least squares over the rows that lie near the first line."""
    off = np.abs(y - slope * x - middle)
    near = off <= max(float(np.quantile(off, 0.5)) * 3.0, 1e-12 * float(np.abs(y).max()))
    if near.sum() < TIED or np.ptp(x[near]) == 0:
        return slope, middle
    return _least_squares(x[near], y[near])


def _grouped(table: Table, found: dict[tuple[str, str], tuple[Kind, float]], tied: _Tied) -> list[Redundant]:
    """Connected columns as groups, in schema order; a group is as loose as its loosest tie."""
    inside = {name for pair in found for name in pair}
    rank: dict[Kind, int] = {"copy": 0, "linear": 1, "codes": 2, "nearly": 3, "correlated": 4}
    out = []
    for head in dict.fromkeys(tied.head(name) for name in table.names if name in inside):
        ties = [v for (a, _), v in found.items() if tied.head(a) == head]
        kind = max((k for k, _ in ties), key=lambda k: rank[k])
        members = tuple(name for name in table.names if name in inside and tied.head(name) == head)
        out.append(Redundant(kind, members, min(v for k, v in ties if k == kind)))
    return out
