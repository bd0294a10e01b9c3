"""What the mean of demand some weeks ahead is learned from: the pair's share of its department, the department's course, levels, last year.

There are two views. Plain: a level is what a pair usually sold. By trade: each week is divided by how its department sold then, so that a Christmas just gone
is not taken for the pair's own, and the first guess follows the department as it moved in the years before. Each is wrong at other times.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from panel import Sales

YEAR = 52
SPANS = (1, 2, 4, 8, 13, 26, 52)
SMOOTHINGS = (0.02, 0.05, 0.12, 0.25)
"""Weights of the last week in exponential smoothing of the pair's sales: from years to a month."""
BULK = 3.0
"""Weeks beyond so many times the smoothed level count as no more than that in the level without bulk sales."""
LEAN_ON_ALL = 1.0
"""How much a department's course leans on that of all departments together."""


def features(sales: Sales, ahead: Sequence[int], by_trade: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each number of weeks ahead: what is known at the end of the last week, (n, columns), and a first guess of the mean, (n,).

    by_trade: levels in weeks of usual trade, and the guess follows the course of the department; otherwise plain levels.
    """
    units, t = sales.units, sales.units.shape[1]
    own = np.where(np.isnan(units), _mean(units[:, -YEAR:], 0.0, None)[:, None], units)
    everyone = np.zeros(len(units), int)
    groups = [(own, 4.0)]
    for code, lean in ((sales.product, 2.0), (sales.department, 1.0), (sales.store, 1.0), (everyone, 0.0)):
        groups.append((grouped(own, code), lean))
    trade = _trade(groups[2][0], groups[4][0]) if by_trade else np.ones_like(own)
    base = level(units / trade)
    standing = np.column_stack(_standing(units, trade, base))
    smooth = smoothed(units)
    recent = np.column_stack([c for of, _ in groups for c in _recent(of)])
    codes = np.column_stack([sales.department, sales.store]).astype(float)
    out = []
    for h in ahead:
        factor = _ahead(trade, t, h)
        week = float(sales.week[-1] - 1 + h) % YEAR
        when = np.column_stack([np.full(len(units), float(h)), np.full(len(units), week), factor])
        course = np.column_stack([c for of, lean in groups for c in _course(of, t, h, lean)])
        guess = base * factor
        levels = np.log(smooth / guess[:, None])
        out.append((np.column_stack([when, standing, recent, course, codes, levels]).astype(np.float32), guess))
    return out


def grouped(filled: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Units of a pair's whole group, (n, t)."""
    total = np.zeros((code.max() + 1, filled.shape[1]))
    np.add.at(total, code, filled)
    return np.asarray(total[code])


def level(units: np.ndarray) -> np.ndarray:
    """Usual demand a week (n,): means of 8, 26 and 52 weeks, leaning on the year, and on all pairs a little."""
    year = units[:, -YEAR:]
    parts = (
        (0.4, _mean(units[:, -8:], 0.5, year)),
        (0.35, _mean(units[:, -26:], 0.5, year)),
        (0.25, _mean(year, 0.0, None)),
    )
    return np.asarray(sum(weight * mean for weight, mean in parts))


def smoothed(units: np.ndarray) -> np.ndarray:
    """Levels (n, k) from sales as they stand, whatever the season: smoothed at each speed over the weeks seen, then a year's mean without bulk sales.

    With weeks empty for long the fast ones lean on half a unit.
    """
    seen = ~np.isnan(units)
    age = np.arange(units.shape[1])[::-1]
    columns = []
    for speed in SMOOTHINGS:
        weight = np.where(seen, (1 - speed) ** age, 0.0)
        columns.append(((np.nan_to_num(units) * weight).sum(1) + 0.02) / (weight.sum(1) + 0.04))
    year, known = units[:, -YEAR:], seen[:, -YEAR:].sum(1)
    usual = np.nansum(np.minimum(year, BULK * np.maximum(columns[0], 0.7)[:, None]), axis=1)
    columns.append(np.where(known > 0, usual / np.maximum(known, 1), columns[0]))
    return np.column_stack(columns)


def _mean(units: np.ndarray, lean: float, on: np.ndarray | None) -> np.ndarray:
    """Mean of what was seen; ``lean`` weeks of the mean of ``on``, or a fifth of a week of the mean of all pairs."""
    count, total = (~np.isnan(units)).sum(1), np.nansum(units, axis=1)
    if on is None:
        lean, prior = 0.2, np.full(len(units), np.nansum(units) / max(1, int(count.sum())))
    else:
        prior = _mean(on, 0.0, None)
    return np.asarray(np.maximum((total + lean * prior) / (count + lean), 0.02))


def _trade(department: np.ndarray, everyone: np.ndarray) -> np.ndarray:
    """How each week's trade compares with the usual week of the last year, (n, t)."""
    one, all_ = (of / np.maximum(of[:, -YEAR:].mean(1, keepdims=True), 1e-3) for of in (department, everyone))
    # small departments say little of themselves
    size = np.sqrt(
        department[:, -YEAR:].mean(1, keepdims=True) / np.maximum(everyone[:, -YEAR:].mean(1, keepdims=True), 1e-3)
    )
    return np.asarray(np.clip((size * one + LEAN_ON_ALL * 0.3 * all_) / (size + LEAN_ON_ALL * 0.3), 0.2, 5.0))


def _ahead(trade: np.ndarray, t: int, h: int) -> np.ndarray:
    """Trade (n,) expected in the week ``h`` weeks ahead: as it stands, moved in part as it moved in the years before.

    One year alone is trusted less: what was an event then need not be a season.
    """
    now = trade[:, -6:].mean(1)
    moves = []
    for years in (1, 2):
        at, end = t - 1 + h - YEAR * years, t - YEAR * years
        if end - 6 < 0:
            continue
        then = 0.25 * trade[:, at - 1] + 0.5 * trade[:, at] + 0.25 * trade[:, at + 1]
        moves.append(np.log(np.clip(then / np.maximum(trade[:, end - 6 : end].mean(1), 0.05), 0.3, 3.0)))
    return np.asarray(now * np.exp(np.mean(moves, axis=0) * (0.6 if len(moves) == 1 else 0.85)))


def _standing(units: np.ndarray, trade: np.ndarray, base: np.ndarray) -> list[np.ndarray]:
    """Facts of a pair that do not depend on the week that is asked for."""
    columns = [np.log(base)]
    for span in SPANS:
        recent = units[:, -span:] / trade[:, -span:]
        columns.append((np.nansum(recent, axis=1) + base) / ((~np.isnan(recent)).sum(1) + 1) / base)
    for span in (13, YEAR):
        recent = units[:, -span:]
        seen = ~np.isnan(recent)
        columns.append((seen & (recent == 0)).sum(1) / np.maximum(seen.sum(1), 1))
    year = units[:, -YEAR:]
    columns.append(np.nan_to_num(units[:, -13:]).max(1) / base)
    columns.append(np.where(np.isnan(year), base[:, None], year).std(1) / base)
    columns.append(np.isnan(year).mean(1))
    columns.append(np.isnan(units[:, -4:]).mean(1))
    columns.append(np.argmax(np.nan_to_num(units[:, ::-1]) > 0, axis=1).astype(float))
    return columns


def _recent(of: np.ndarray) -> list[np.ndarray]:
    """Recent weeks against the usual of a year."""
    usual = np.maximum(of[:, -YEAR:].mean(1), 1e-3)
    return [of[:, -k:].mean(1) / usual for k in (1, 4, 13)]


def _course(of: np.ndarray, t: int, ahead: int, lean: float) -> list[np.ndarray]:
    """The week that is asked for in earlier years, against the weeks that were recent then."""
    usual = np.maximum(of[:, -YEAR:].mean(1), 1e-3)
    out = []
    for years in (1, 2):
        at = t - 1 + ahead - YEAR * years
        for near in (0, 1, 3):
            low, high = at - near, at + near + 1
            if low < 0 or t - YEAR * years - 13 < 0:
                out.append(np.full(len(of), np.nan))
                continue
            then = of[:, t - YEAR * years - 13 : t - YEAR * years].mean(1)
            out.append((of[:, low : min(high, t)].mean(1) + lean * usual / 4) / (then + lean * usual / 4 + 1e-3))
    return out
