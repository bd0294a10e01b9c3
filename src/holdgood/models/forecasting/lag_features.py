"""The matrix that trees learn from: what was seen before an origin, and what is known of a step behind it.

One row is one origin and one step ahead (direct forecasts with the step as a column). All amounts are in units of the
series' recent level, so that large and small series teach each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.core.panel import Panel
from holdgood.core.protocols import Json
from holdgood.models.forecasting import calendar
from holdgood.models.forecasting.lag_base import ALPHAS, Base, base_of, mean_of
from holdgood.models.forecasting.origins import Origins, at, history
from holdgood.models.forecasting.seasons import Seasons

_LAST = 5
_PHASES = 3
_FEW = 4
"""With so few known covariates the step before the target is looked at too."""


@dataclass(frozen=True)
class LagPlan:
    """What is looked at: seasons, how far back, the columns by name. Fixed at the fit and stored with the model."""

    frequency: str
    short: int
    long: int
    back: int
    span: int
    signed: bool
    known: tuple[str, ...]
    past: tuple[str, ...]
    static: tuple[str, ...]
    categories: tuple[str, ...]

    @classmethod
    def of(cls, panel: Panel, seasons: Seasons) -> LagPlan:
        """By the panel's seasons, lengths and columns."""
        short = seasons.short
        span = short * max(1, round(8 / short))
        whole = int(np.clip(round(60 / short), 3, 8)) * short if short > 1 else 24
        return cls(
            panel.frequency,
            short,
            seasons.long,
            max(whole, 2 * span),
            span,
            bool((panel.y < 0).any()),
            tuple(sorted(panel.known)),
            tuple(sorted(panel.past)),
            tuple(sorted(panel.static)),
            tuple(sorted(panel.categories)),
        )

    def expect(self, panel: Panel) -> None:
        """DataError where the panel lacks a column that was learned from."""
        there = {*panel.known, *panel.past, *panel.static}
        lost = sorted({*self.known, *self.past, *self.static} - there)
        if lost:
            raise DataError(f"a panel without {lost}", "the columns that were learned from", "add these columns")

    def to_json(self) -> dict[str, Json]:
        """Plain values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, found: Mapping[str, Json]) -> LagPlan:
        """Rebuild; BundleError for sizes that cannot be."""
        try:
            short, long, back, span = (int(found[k]) for k in ("short", "long", "back", "span"))
            lists = [tuple(str(n) for n in found[k]) for k in ("known", "past", "static", "categories")]
            plan = cls(str(found["frequency"]), short, long, back, span, bool(found["signed"]), *lists)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"a lag plan without {error}", "its seasons and columns", "the bundle is damaged"
            ) from error
        if not (1 <= plan.short <= plan.back <= 100_000 and 0 <= plan.long <= 100_000 and 1 <= plan.span <= plan.back):
            raise BundleError(
                f"a lag plan of {dict(found)}", "seasons within what is looked at", "the bundle is damaged"
            )
        return plan


@dataclass(frozen=True)
class Seen:
    """Origins with what they see: ``columns`` (n,) each by name, ``base`` the simple forecast."""

    panel: Panel
    y: np.ndarray
    origins: Origins
    base: Base
    columns: Mapping[str, np.ndarray]


def seen_from(plan: LagPlan, panel: Panel, y: np.ndarray, origins: Origins, stand_in: np.ndarray | None = None) -> Seen:
    """Features of origins that do not depend on the step: lags, windows, trend, shares of zeros, past covariates, statics.

    ``y`` (n,): the panel's values, hidden ones taken out. Lags and windows are without the season, in units of the level.
    ``stand_in`` (series,): taken as the last value where nothing is seen within the window.
    """
    past = history(panel, y, origins, plan.back)
    if stand_in is not None:
        empty = np.isnan(past).all(axis=1)
        past[empty, -1] = stand_in[origins.series[empty]]
    base = base_of(past, plan.short, plan.span, signed=plan.signed)
    unit = base.scale[:, None]
    flat = base.flat / unit
    columns = {f"lag {lag}": flat[:, -lag] for lag in range(1, min(_LAST, plan.back) + 1)}
    columns |= {f"level {alpha}": base.levels[:, k] / base.scale for k, alpha in enumerate(ALPHAS)}
    short = max(plan.short, 4)
    for width in sorted({min(w, plan.back) for w in (3, short, 2 * short, 4 * short, plan.back)}):
        columns[f"mean of {width}"] = mean_of(flat[:, -width:])
    for width in sorted({plan.span, plan.back}):
        window = flat[:, -width:]
        columns[f"spread of {width}"] = np.sqrt(np.maximum(mean_of(window**2) - mean_of(window) ** 2, 0.0))
        columns[f"zeros in {width}"] = mean_of(np.where(np.isnan(window), np.nan, window == 0))
    columns["slope"] = slope(flat[:, -2 * plan.span :])
    columns["size"] = np.log(base.scale)
    columns["age"] = np.minimum(origins.end - panel.indptr[origins.series], 4 * plan.back).astype(np.float64)
    columns["since sale"] = _since_sale(past)
    for name in plan.past:
        before = history(panel, panel.past[name], origins, plan.span)
        columns |= {f"{name}, last": before[:, -1], f"{name}, change": before[:, -1] - mean_of(before)}
    columns |= {name: panel.static[name][origins.series] for name in plan.static}
    return Seen(panel, y, origins, base, columns)


def rows_ahead(plan: LagPlan, seen: Seen, which: np.ndarray, steps: np.ndarray) -> Matrix:
    """The matrix of pairs (origin ``which`` of seen, step from 1): a row a pair.

    A row looks at no step behind its own, so that the first steps of a longer forecast are those of a shorter one.
    """
    panel, base = seen.panel, seen.base
    series, end = seen.origins.series[which], seen.origins.end[which]
    target = end + steps - 1
    unit = base.scale[which]
    columns = {"step": steps.astype(np.float64), "simple forecast": base.at(which, steps) / unit}
    columns |= {name: values[which] for name, values in seen.columns.items()}
    if plan.short > 1:
        columns["profile"] = base.profile[which, (steps - 1) % plan.short]
        whole = plan.short * -(-steps // plan.short)  # so many steps back is the same phase, and known
        same = at(panel, seen.y, series, target[:, None] - whole[:, None] - plan.short * np.arange(_PHASES)[None, :])
        columns |= {f"season {k + 1} ago": same[:, k] / unit for k in range(_PHASES)}
        columns["mean of seasons"] = mean_of(same) / unit
    if plan.long:
        columns |= _long_ago(plan, seen, which, steps)
    dates = calendar.of(at_times(panel, series, target), plan.frequency)
    columns |= dict(zip(calendar.names(plan.frequency), dates.T, strict=True))
    columns |= _covariates(plan, panel, series, end, steps)
    codes = tuple(i for i, name in enumerate(columns) if name in plan.categories)
    return Matrix(np.ascontiguousarray(np.column_stack(list(columns.values()))), tuple(columns), codes)


def at_times(panel: Panel, series: np.ndarray, place: np.ndarray) -> np.ndarray:
    """``ds`` at positions of series; NaT outside."""
    inside = (place >= panel.indptr[series]) & (place < panel.indptr[series + 1])
    return np.where(inside, panel.ds[np.where(inside, place, 0)], np.datetime64("NaT", "us"))


def _long_ago(plan: LagPlan, seen: Seen, which: np.ndarray, steps: np.ndarray) -> dict[str, np.ndarray]:
    """Values one and two long seasons before the target, those around them, and both against the level of that time."""
    series, end = seen.origins.series[which], seen.origins.end[which]
    unit, columns, ratios = seen.base.scale[which], {}, []
    near = max(1, min(3, plan.long // 20)) if plan.short < 4 else plan.short // 2
    for times in (1, 2):
        ago = plan.long * (times - 1 + -(-steps // plan.long))
        place = (end + steps - 1 - ago)[:, None] + np.arange(-near, near + 1)[None, :]
        then = at(seen.panel, seen.y, series, np.where(place < end[:, None], place, -1))  # only what is known
        level = mean_of(at(seen.panel, seen.y, series, (end - ago)[:, None] - np.arange(1, plan.span + 1)[None, :]))
        level = np.where(level > 0, level, np.nan)
        ratios.append(then[:, near] / level)
        columns[f"{times} x {plan.long} ago"] = then[:, near] / unit
        columns[f"{times} x {plan.long} ago, to its level"] = ratios[-1]
        columns[f"around {times} x {plan.long} ago, to its level"] = mean_of(then) / level
    ratio = mean_of(np.column_stack(ratios))
    columns["to their level"] = ratio
    columns["level as then"] = ratio * mean_of(seen.base.flat[which, -plan.span :]) / unit
    return columns


def _covariates(
    plan: LagPlan, panel: Panel, series: np.ndarray, end: np.ndarray, steps: np.ndarray
) -> dict[str, np.ndarray]:
    """Known covariates at the target, their change against the recent past, and the step before it where they are few."""
    target = end + steps - 1
    recent = end[:, None] - np.arange(1, plan.span + 1)[None, :]
    columns = {}
    for name in plan.known:
        values = panel.known[name]
        columns[name] = at(panel, values, series, target[:, None])[:, 0]
        if name not in plan.categories:
            columns[f"{name}, change"] = columns[name] - mean_of(at(panel, values, series, recent))
        if len(plan.known) <= _FEW:
            columns[f"{name}, step before"] = at(panel, values, series, target[:, None] - 1)[:, 0]
    return columns


def slope(window: np.ndarray) -> np.ndarray:
    """Least-squares slope a step of what is seen; 0 where fewer than three are."""
    seen = ~np.isnan(window)
    count = seen.sum(axis=1)
    age = np.arange(window.shape[1], dtype=np.float64)[None, :]
    filled = np.where(seen, window, 0.0)
    mean_age = (seen * age).sum(axis=1) / np.maximum(count, 1)
    away = np.where(seen, age - mean_age[:, None], 0.0)
    spread = (away**2).sum(axis=1)
    result: np.ndarray = np.where(count >= 3, (away * filled).sum(axis=1) / np.maximum(spread, 1e-12), 0.0)
    return result


def _since_sale(past: np.ndarray) -> np.ndarray:
    """Steps since the last value that is not zero, at most the window."""
    sold = np.nan_to_num(past[:, ::-1]) != 0
    result: np.ndarray = np.where(sold.any(axis=1), sold.argmax(axis=1), past.shape[1]).astype(np.float64)
    return result
