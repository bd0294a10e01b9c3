"""The same fact in two tables: columns that agree for rows that share a key, as they are, in another unit, or hours apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.links import first_look, partners
from holdgood.audit.memory import Memory
from holdgood.audit.profile import profile
from holdgood.audit.rows import column_hash
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

ROWS = 30
SAME = 0.85
MIX = 0.002
MIX_ROWS = 5
FACTORS = (
    (1000.0, "a factor of 1,000 (kilo)"),
    (1_000_000.0, "a factor of 1,000,000"),
    (100.0, "a factor of 100"),
    (10.0, "a factor of 10"),
    (60.0, "a factor of 60"),
    (3600.0, "a factor of 3,600"),
    (24.0, "a factor of 24"),
    (25.4, "25.4 (inches and millimetres)"),
    (2.54, "2.54 (inches and centimetres)"),
    (0.3048, "0.3048 (feet and metres)"),
    (1.609344, "1.609 (miles and kilometres)"),
    (1.852, "1.852 (nautical miles and kilometres)"),
    (0.45359237, "0.4536 (pounds and kilograms)"),
    (28.349523125, "28.35 (ounces and grams)"),
    (3.785411784, "3.785 (gallons and litres)"),
    (3.6, "3.6 (m/s and km/h, or MJ and kWh)"),
    (0.44704, "0.447 (mph and m/s)"),
    (6.894757, "6.895 (psi and kPa)"),
    (1.01325, "1.013 (atmospheres and bar)"),
    (33.8638866667, "33.86 (inches of mercury and hPa)"),
    (4.184, "4.184 (calories and joules)"),
)
TEMPERATURES = (
    (1.8, 32.0, "degrees Celsius and Fahrenheit"),
    (1.0 / 1.8, -32.0 / 1.8, "degrees Fahrenheit and Celsius"),
    (1.0, 273.15, "degrees Celsius and kelvin"),
    (1.0, -273.15, "kelvin and degrees Celsius"),
)
_COLUMNS = 60
_RUNS_ALONG = 0.6
_TIGHT = 0.012
_LOOSE = 0.06
_HOUR = 3600 * 10**6
_LONGEST_SHIFT = 14
Kind = Literal["same", "unit", "units mixed", "shift", "shifts mixed"]


@dataclass(frozen=True)
class SameFact:
    """A column of one table and a column of the other that state one fact.

    ``compared`` rows have both; ``wrong``: positions in the first table of rows that do not agree (``same``), or that are in the
    other unit or zone (mixed). ``factor``: second = factor x first, in words in ``named``; ``hours``: second minus first.
    ``spread``: how tightly the two hang together (0 = exactly); of several candidates for one column the tightest is kept.
    """

    kind: Kind
    here: str
    there: str
    compared: int
    wrong: tuple[int, ...] = ()
    factor: float = 1.0
    named: str = ""
    hours: float = 0.0
    spread: float = 0.0


_found: Memory[Memory[tuple[SameFact, ...]]] = Memory()


def same_facts(first: Table, second: Table, on: tuple[tuple[str, str], ...]) -> tuple[SameFact, ...]:
    """Facts that both tables state about the rows that share a key; remembered while both live."""
    inner: Memory[tuple[SameFact, ...]] = _found.get(first.data, (first.columns, on), Memory)
    return inner.get(second.data, second.columns, lambda: tuple(_facts(first, second, on)))


def _facts(first: Table, second: Table, on: tuple[tuple[str, str], ...]) -> list[SameFact]:
    keyed_here, keyed_there = {a for a, _ in on}, {b for _, b in on}
    left = [c for c in profile(first).columns if c.name not in keyed_here and _usable(c)][:_COLUMNS]
    right = [c for c in profile(second).columns if c.name not in keyed_there and _usable(c)][:_COLUMNS]
    if not left or not right:
        return []
    suspects = [(a, b) for a, b, _ in _stated(first_look(first), second, on, [(a, b) for a in left for b in right])]
    found = [fact for _, _, fact in _stated(first, second, on, suspects)] if suspects else []
    return [f for f in found if f.spread <= min(g.spread for g in found if f.here == g.here or f.there == g.there)]


def _stated(
    first: Table, second: Table, on: tuple[tuple[str, str], ...], pairs: list[tuple[ColumnProfile, ColumnProfile]]
) -> list[tuple[ColumnProfile, ColumnProfile, SameFact]]:
    """The pairs of columns that state one fact, on the rows of the first table that find a partner."""
    here, there = partners(first, second, on)
    if len(here) < ROWS:
        return []
    one = _narrow(first, [a for a, _ in pairs]).take(here)
    two = _narrow(second, [b for _, b in pairs]).take(there)
    return [(a, b, fact) for a, b in pairs if (fact := _compare(one, two, a, b, here)) is not None]


def _narrow(table: Table, kept: list[ColumnProfile]) -> Table:
    names = {c.name for c in kept}
    return table.drop([n for n in table.names if n not in names])


def _usable(c: ColumnProfile) -> bool:
    return c.type not in ("other", "boolean") and c.distinct >= 3


def _compare(one: Table, two: Table, a: ColumnProfile, b: ColumnProfile, rows: np.ndarray) -> SameFact | None:
    if columns.is_moment(one, a.name) and columns.is_moment(two, b.name):
        return _moments(one, two, a, b, rows)
    if columns.is_numeric(one, a.name) and columns.is_numeric(two, b.name):
        x, y = columns.numbers(one, a.name), columns.numbers(two, b.name)
        return _numbers(x, y, a, b, rows)
    if columns.is_text(one, a.name) and columns.is_text(two, b.name):
        x, y = column_hash(one, a.name, 0), column_hash(two, b.name, 0)
        there = ~(columns.missing(one, a.name) | columns.missing(two, b.name))
        return _equal(x, y, there, a, b, rows)
    return None


def _equal(
    x: np.ndarray, y: np.ndarray, there: np.ndarray, a: ColumnProfile, b: ColumnProfile, rows: np.ndarray
) -> SameFact | None:
    """Both say the same in most rows, and far more often than two columns of these values would by chance."""
    n = int(there.sum())
    if n < ROWS:
        return None
    same = (x == y) & there
    share = same.sum() / n
    if share < SAME or share < 1.0 - 0.5 * (1.0 - _by_chance(x[there], y[there])):
        return None
    return SameFact("same", a.name, b.name, n, tuple(int(r) for r in rows[there & ~same]))


def _by_chance(x: np.ndarray, y: np.ndarray) -> float:
    """How often two columns of these values would agree if they had nothing to do with each other."""
    values, counts = np.unique(x, return_counts=True)
    others, theirs = np.unique(y, return_counts=True)
    _, at, where = np.intersect1d(values, others, return_indices=True)
    return float((counts[at] / len(x) * theirs[where] / len(y)).sum())


def _numbers(x: np.ndarray, y: np.ndarray, a: ColumnProfile, b: ColumnProfile, rows: np.ndarray) -> SameFact | None:
    there = np.isfinite(x) & np.isfinite(y)
    if there.sum() < ROWS or not _related(x, y):
        return None
    n = int(there.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        equal = np.abs(x - y) <= 1e-9 * np.maximum(np.abs(x), np.abs(y))
        ratio = np.where(there & (x != 0), y / x, np.nan)
    usable = np.isfinite(ratio) & (ratio > 0)
    if usable.sum() < ROWS:
        return None
    log = np.where(usable, np.log(np.where(usable, ratio, 1.0)), np.nan)
    varied = min(a.distinct, b.distinct) >= 10
    centre = float(np.nanmedian(log))
    spread = float(np.nanquantile(np.abs(log - centre), 0.8))
    if varied and abs(centre) <= _TIGHT and spread <= _LOOSE:
        mixed = _mixed(log, spread, usable, a, b, rows)
        if mixed is not None:
            return mixed
    if equal[there].mean() >= SAME and (wrong := _equal(x, y, there, a, b, rows)) is not None:
        return wrong
    if varied and spread <= _LOOSE and (hit := _factor(centre, spread, usable.sum())) is not None:
        return SameFact("unit", a.name, b.name, n, (), hit[0], hit[1], spread=spread)
    return _degrees(x, y, there, a, b) if varied else None


def _related(x: np.ndarray, y: np.ndarray) -> bool:
    """The ranks run together, or most cells are equal; else nothing links the columns."""
    there = np.isfinite(x) & np.isfinite(y)
    x, y = x[there], y[there]
    if len(x) < ROWS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return False
    rank = np.corrcoef(_ranks(x), _ranks(y))[0, 1]
    return bool(rank >= _RUNS_ALONG or (x == y).mean() >= SAME)


def _ranks(x: np.ndarray) -> np.ndarray:
    _, back, counts = np.unique(x, return_inverse=True, return_counts=True)
    upto = np.cumsum(counts)
    return np.asarray((upto - (counts - 1) / 2.0)[back])


def _factor(centre: float, spread: float, n: int) -> tuple[float, str] | None:
    """The known factor (or its inverse) that the middle of the ratios is."""
    if abs(centre) < 2.0 * spread or abs(centre) < 0.01:
        return None
    tolerance = max(0.002, min(_TIGHT, 4.0 * spread / np.sqrt(n)))
    for factor, named in FACTORS:
        for sign in (1.0, -1.0):
            if abs(centre - sign * np.log(factor)) <= tolerance:
                return float(factor**sign), named
    return None


def _mixed(
    log: np.ndarray, spread: float, usable: np.ndarray, a: ColumnProfile, b: ColumnProfile, rows: np.ndarray
) -> SameFact | None:
    """Most rows agree and some differ by one known factor."""
    width = max(0.002, 4.0 * spread)
    far = usable & (np.abs(log) > 2.0 * width)
    best: tuple[int, float, str, np.ndarray] | None = None
    for factor, named in FACTORS:
        for sign in (1.0, -1.0):
            at = sign * np.log(factor)
            if abs(at) <= 2.0 * width:
                continue
            hit = far & (np.abs(log - at) <= width)
            n = int(hit.sum())
            if n >= max(MIX_ROWS, MIX * usable.sum(), 0.3 * far.sum()) and (best is None or n > best[0]):
                best = (n, float(factor**sign), named, hit)
    if best is None:
        return None
    n = int(usable.sum())
    wrong = tuple(int(r) for r in rows[best[3]])
    return SameFact("units mixed", a.name, b.name, n, wrong, best[1], best[2], spread=spread)


def _degrees(x: np.ndarray, y: np.ndarray, there: np.ndarray, a: ColumnProfile, b: ColumnProfile) -> SameFact | None:
    scale = float(np.std(y[there]))
    for slope, offset, named in TEMPERATURES:
        off = np.abs(y[there] - slope * x[there] - offset)
        if (
            scale > 0
            and np.quantile(off, 0.8) <= 0.1 * scale
            and abs(np.median(y[there] - slope * x[there] - offset)) <= 0.5
        ):
            return SameFact(
                "unit", a.name, b.name, int(there.sum()), (), slope, named, spread=float(np.median(off)) / scale
            )
    return None


def _moments(one: Table, two: Table, a: ColumnProfile, b: ColumnProfile, rows: np.ndarray) -> SameFact | None:
    """Two moments that are mostly equal, mostly the same whole number of hours apart, or some of each."""
    (x, here), (y, there) = columns.moments(one, a.name), columns.moments(two, b.name)
    both = here & there
    n = int(both.sum())
    if n < ROWS:
        return None
    apart = y[both] - x[both]
    values, counts = np.unique(apart, return_counts=True)
    usual = int(values[np.argmax(counts)])
    share = counts.max() / n
    if usual == 0:
        if share < SAME:
            return None
        if share == 1.0:
            return SameFact("same", a.name, b.name, n)
        hours = [(int(v), int(c)) for v, c in zip(values, counts, strict=True) if _whole_hours(int(v))]
        shifted = sum(c for _, c in hours)
        wrong = rows[both][apart != 0]
        if shifted >= max(MIX_ROWS, MIX * n, 0.5 * len(wrong)):
            most = max(hours, key=lambda h: (h[1], h[0]))[0]
            at = rows[both][np.isin(apart, [v for v, _ in hours])]
            return SameFact("shifts mixed", a.name, b.name, n, tuple(int(r) for r in at), hours=most / _HOUR)
        return SameFact("same", a.name, b.name, n, tuple(int(r) for r in wrong))
    zones = counts[[_whole_hours(int(v)) for v in values]].sum() / n
    near = counts[np.abs(values - usual) <= _HOUR].sum() / n  # summer and winter time are an hour apart
    if share >= 0.4 and _whole_hours(usual) and zones >= SAME and near >= SAME and len(np.unique(x[both])) >= 10:
        return SameFact("shift", a.name, b.name, n, hours=usual / _HOUR)
    return None


def _whole_hours(gap: int) -> bool:
    """A difference as between time zones: up to 14 hours, in steps of a quarter of an hour and at least one hour."""
    return gap % (_HOUR // 4) == 0 and _HOUR <= abs(gap) <= _LONGEST_SHIFT * _HOUR
