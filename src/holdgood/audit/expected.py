"""What a number should be, by the other numbers of its row and by its neighbours in time: the context of a wrong cell.

A column of one sign is looked at in logarithms, because units and slips of digits multiply. Three roads lead to an
expectation: ``alone`` (the column's median), ``others`` (a robust regression on the columns that go along with it, on broken
lines, so that it bends) and ``time`` (the median of the four nearest moments). The fit is made on a sample and shrugs off
a tenth of wrong rows: predictors are clipped, and rows are weighted by Tukey's bisquare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.bench import CORRELATED, LEAST_ROWS, PREDICTORS, Bench, Scale, basis, bench, season_of
from holdgood.audit.memory import Memory
from holdgood.audit.profile import profile
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table
from holdgood.core.threads import thread_limit

DISTINCT = 10
_FIT_ROWS = 8_000
_WIDE = 60

Road = Literal["alone", "others", "time"]


@dataclass(frozen=True)
class Model:
    """A robust regression of one column on others: predicts on the column's scale for any rows."""

    target: int
    predictors: tuple[int, ...]
    weights: np.ndarray

    def guess(self, z: np.ndarray, season: np.ndarray) -> np.ndarray:
        """Predictions from clipped predictors (in the order of ``predictors``) and waves."""
        features = basis(z.astype(np.float64))
        if len(season):
            features = np.concatenate([features, season.T], axis=1)
        prediction: np.ndarray = features @ self.weights
        return prediction


@dataclass(frozen=True)
class View:
    """One column by one road on some rows: the ``cells`` as they stand, ``value`` and ``guess`` on the column's scale, and how
    far apart these usually are.
    """

    scale: Scale
    road: Road
    rows: np.ndarray
    cells: np.ndarray
    value: np.ndarray
    guess: np.ndarray
    spread: float
    model: Model | None = None

    @property
    def residual(self) -> np.ndarray:
        """Value less guess; NaN where one is missing."""
        difference: np.ndarray = self.value - self.guess
        return difference


_views: Memory[dict[int, list[View]]] = Memory()


def views(context: AuditContext, table: Table) -> dict[int, list[View]]:
    """Every road for every column with enough distinct values, by position in the bench's scales. Remembered."""
    spec = context.spec(table.name)
    return _views.get(table.data, ("views", spec.time or "", tuple(spec.series)), lambda: _quietly(context, table))


def _quietly(context: AuditContext, table: Table) -> dict[int, list[View]]:
    with thread_limit(1, "blas"):  # many small products: threads that wait for each other cost ten times as much
        return _all_views(context, table)


def _all_views(context: AuditContext, table: Table) -> dict[int, list[View]]:
    made = bench(context, table)
    if made is None:
        return {}
    distinct = {c.name: c.distinct for c in profile(table).columns}
    targets = [i for i, s in enumerate(made.scales) if distinct[s.name] >= DISTINCT]
    fitted = _worth_fitting(made, targets)
    places = _places(made, made.rows)
    out = {}
    for i in targets:
        value = made.scales[i].of(made.values[i])
        roads = [_alone(made, i, value)] if len(targets) <= _WIDE or _strays(value) else []
        if i in fitted:
            roads.append(_others(made, i, value))
        if places is not None:
            roads.append(_in_time(made, i, value, places))
        out[i] = [r for r in roads if r is not None]
    return out


def _worth_fitting(made: Bench, targets: list[int]) -> set[int]:
    """All columns of a narrow table; in a wide one those that stray furthest from the column that is most like them."""
    if len(targets) <= _WIDE:
        return set(targets)
    best = np.abs(made.near).argmax(axis=1)
    rho = made.near[np.arange(len(best)), best]
    some = made.z[:, :2_000]
    stray = np.abs(some - rho[:, None] * some[best])
    usual = np.median(stray, axis=1)
    score = np.where(np.abs(rho) >= 0.3, (stray > 8 * usual[:, None] + 1e-9).mean(axis=1), 0.0)
    order = sorted(targets, key=lambda i: (-score[i], i))[:_WIDE]
    return {i for i in order if score[i] > 0}


def spread_of(residual: np.ndarray) -> float:
    """A robust standard deviation that a tenth of wrong rows on one side does not move much; 0 where most are equal."""
    there = residual[np.isfinite(residual)]
    if len(there) < LEAST_ROWS:
        return float("nan")
    low, quarter, three, high = np.quantile(there, (0.12, 0.25, 0.75, 0.88))
    return float(max((three - quarter) / 1.349, min(high - low, 3 * (three - quarter)) / 2.35))


def _strays(value: np.ndarray) -> bool:
    """Whether anything lies so far out that it could be a slip of a digit: ten times the median, or some middle halves away."""
    there = value[np.isfinite(value)]
    if len(there) < LEAST_ROWS:
        return False
    some = there[:1_000]
    low, middle, high = np.sort(some)[[len(some) // 4, len(some) // 2, 3 * len(some) // 4]]
    reach = max(5 * float(high - low), 1e-12)
    return bool(there.max() - middle > reach or middle - there.min() > reach)


def _alone(made: Bench, i: int, value: np.ndarray) -> View | None:
    if np.isfinite(value).sum() < LEAST_ROWS:
        return None
    guess = np.full(len(value), float(np.nanmedian(value)))
    return _view(made, i, "alone", value, guess)


def _view(
    made: Bench, i: int, road: Road, value: np.ndarray, guess: np.ndarray, model: Model | None = None
) -> View | None:
    spread = spread_of(value - guess)
    return View(made.scales[i], road, made.rows, made.values[i], value, guess, spread, model) if spread > 0 else None


def fit(made: Bench, i: int, value: np.ndarray, without: Sequence[int] = ()) -> Model | None:
    """Fit one column on those that go along with it, but for some; None where nothing does."""
    strength = np.abs(made.near[i]).copy()
    strength[list(without)] = 0.0
    order = np.argsort(-strength, kind="stable")[:PREDICTORS]
    predictors = tuple(int(j) for j in order if strength[j] >= CORRELATED)
    if not predictors and not len(made.season):
        return None
    there = np.flatnonzero(np.isfinite(value))
    if len(there) < LEAST_ROWS:
        return None
    there = there[:: max(1, len(there) // _FIT_ROWS)]
    features = basis(made.z[list(predictors)][:, there].astype(np.float64))
    if len(made.season):
        features = np.concatenate([features, made.season[:, there].T], axis=1)
    y = value[there]
    low, high = np.quantile(y, (0.25, 0.75))
    reach = 3 * (high - low) if high > low else np.inf
    y = np.clip(y, low - reach, high + reach)
    weight, weights = np.ones(len(y)), np.zeros(features.shape[1])
    ridge = 1e-4 * len(y) * np.eye(features.shape[1])
    ridge[4 * len(predictors), 4 * len(predictors)] = 1e-9
    for _ in range(4):
        heavy = features * weight[:, None]
        weights = np.linalg.solve(heavy.T @ features + ridge, heavy.T @ y)
        residual = y - features @ weights
        usual = max(float(np.median(np.abs(residual))) / 0.6745, 1e-12)
        weight = np.square(np.maximum(0.0, 1 - np.square(residual / (6 * usual))))
    return Model(i, predictors, weights)


def _others(made: Bench, i: int, value: np.ndarray, without: Sequence[int] = ()) -> View | None:
    model = fit(made, i, value, without)
    if model is None:
        return None
    view = _view(made, i, "others", value, model.guess(made.z[list(model.predictors)], made.season), model)
    # worth a road of its own only where it is nearer than the median
    return view if view is not None and view.spread < 0.8 * spread_of(value) else None


def without(context: AuditContext, table: Table, view: View, left_out: Sequence[int]) -> View | None:
    """The same column by the road of the others, some of them left out; None where the rest says too little."""
    made = bench(context, table)
    if made is None or view.model is None:
        return None
    return _others(made, view.model.target, view.value, left_out)


def whole(context: AuditContext, table: Table, view: View) -> View:
    """The same view on all rows of the table, with the spread found on the sample."""
    made = bench(context, table)
    if made is None or view.rows is not made.rows:
        return view
    rows = np.arange(table.rows)
    cells = columns.numbers(table, view.scale.name)
    value = view.scale.of(cells)
    if view.model is not None:
        names = [made.scales[j] for j in view.model.predictors]
        z = np.array([s.clipped(columns.numbers(table, s.name)) for s in names], dtype=np.float32)
        season = season_of(made.clock, table, rows)
        guess = view.model.guess(z.reshape(len(names), table.rows), season)
    elif view.road == "time":
        guess = _around(view.scale, cells, _places(made, rows))
    else:
        guess = np.full(table.rows, view.guess[0])
    return View(view.scale, view.road, rows, cells, value, guess, view.spread, view.model)


def _places(made: Bench, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """For each of the rows the positions of its four nearest neighbours in time, and whether each is one."""
    if made.clock is None:
        return None
    order, joined = made.clock.order, made.clock.joined
    place = np.full(made.table.rows, -1)
    place[order] = np.arange(len(order))
    mine = place[rows]
    linked = np.concatenate([[False], joined, [False]])  # linked[p]: p - 1 and p are neighbours
    near, real = [], []
    last = len(order) - 1
    one_back, one_on = linked[np.maximum(mine, 0)], linked[np.minimum(mine + 1, len(order))]
    for offset, is_real in (
        (-1, one_back),
        (1, one_on),
        (-2, one_back & linked[np.maximum(mine - 1, 0)]),
        (2, one_on & linked[np.minimum(mine + 2, len(order))]),
    ):
        near.append(order[np.clip(mine + offset, 0, last)])
        real.append(is_real & (mine >= 0))
    return np.array(near), np.array(real)


def _around(scale: Scale, cells: np.ndarray, places: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
    """The median of the neighbours in time where there are two or more, else NaN; ``cells`` of the whole column."""
    if places is None:
        return np.full(len(cells), np.nan)
    near, real = places
    around = np.sort(np.where(real, scale.of(cells[near]), np.nan), axis=0)  # NaN sorts last
    seen = np.isfinite(around).sum(axis=0)
    at = np.arange(around.shape[1])
    low, high = around[np.maximum(seen - 1, 0) // 2, at], around[np.minimum(seen // 2, 3), at]
    middle: np.ndarray = np.where(seen >= 2, (low + high) / 2, np.nan)
    return middle


def plainly(context: AuditContext, table: Table, view: View) -> View | None:
    """The road of the others again, on the plain scale: for quantities that add, such as degrees."""
    made = bench(context, table)
    if made is None or view.model is None:
        return None
    i, scale = view.model.target, Scale(view.scale.name, False, 0.0, 0.0, 1.0)
    with thread_limit(1, "blas"):
        model = fit(made, i, made.values[i])
        if model is None:
            return None
        guess = model.guess(made.z[list(model.predictors)], made.season)
    spread = spread_of(made.values[i] - guess)
    return (
        View(scale, "others", made.rows, made.values[i], made.values[i], guess, spread, model) if spread > 0 else None
    )


def _in_time(made: Bench, i: int, value: np.ndarray, places: tuple[np.ndarray, np.ndarray]) -> View | None:
    guess = _around(made.scales[i], columns.numbers(made.table, made.scales[i].name), places)
    view = _view(made, i, "time", value, guess) if np.isfinite(guess).sum() >= LEAST_ROWS else None
    return view if view is not None and view.spread < 0.5 * spread_of(value) else None
