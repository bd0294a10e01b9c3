"""LightGBM on lags: one model for all series that corrects a simple forecast by lags, windows, calendar, covariates and attributes."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import lightgbm
import numpy as np

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Forecaster, Json, PanelContext, Parts
from holdgood.models.forecasting.drivers import LEVEL, SEASON, of_factors
from holdgood.models.forecasting.lag_features import LagPlan, Seen, rows_ahead, seen_from
from holdgood.models.forecasting.lag_groups import groups
from holdgood.models.forecasting.lag_training import Pairs, draw
from holdgood.models.forecasting.newcomers import Newcomers, unseen
from holdgood.models.forecasting.origins import demand, with_future
from holdgood.models.forecasting.seasons import seasons_of
from holdgood.models.tabular.booster import Booster
from holdgood.models.tabular.model_text import scoring_only
from holdgood.models.tabular.rounds import USUAL, boost

_MOST_ROWS = 150_000
_ROWS_A_SECOND = 5_000
_FEWEST = 60
_MOST_ROUNDS = 1_000
_BLOCK = 100_000
_FLOOR = 1e-3
_WIDEST = 5.0
_SLOW = 0.3
"""Share of zeros from which on the median says little and the mean is what is learned."""
_OBJECTIVE = {"median": "regression_l1", "mean": "poisson"}
_METRIC = {"median": "l1", "mean": "poisson"}


class LightgbmLags:
    """Direct forecasts: a row is an origin and a step ahead; the step is a column.

    The trees correct a simple forecast (exponentially weighted level times the profile of the season; see ``lag_base``):
    they add to it in units of the recent level (``aim`` "median", absolute error), or multiply it (``aim`` "mean",
    Poisson likelihood, for slow movers). Without gain over it on the last windows the simple forecast stands as it is.
    ``aim`` "auto": the mean where more than three in ten values are zero. Other parameters are LightGBM's own names.
    """

    part: ClassVar[str] = "lightgbm-lags"

    def __init__(self, aim: str = "auto", most_rows: int = _MOST_ROWS, **parameters: Json) -> None:
        if aim not in ("auto", *_OBJECTIVE):
            raise DataError(f"aim {aim!r}", "auto, median or mean", "choose one of these")
        self.aim, self.most_rows, self.parameters = aim, most_rows, parameters
        self.failed: Mapping[str, str] = {}
        self.rounds = 0
        self.finished = 1.0
        self.columns: tuple[str, ...] = ()
        self.plan: LagPlan | None = None
        self.newcomers: Newcomers | None = None
        self.booster: Booster | None = None

    def fit(self, panel: Panel, context: PanelContext) -> LightgbmLags:
        """Boost on the history before the last windows, keep the rounds that were best on these, refit on all of it."""
        deadline = time.monotonic() + context.seconds
        y = demand(panel)
        plan = self.plan = LagPlan.of(panel, seasons_of(panel))
        self.newcomers = Newcomers.learn(panel, y, plan.span, context.seed)
        seen = ~np.isnan(y)
        if self.aim == "auto":
            slow = bool(seen.any()) and float((y[seen] == 0).mean()) > _SLOW
            self.aim = "mean" if slow and not plan.signed else "median"
        elif self.aim == "mean" and plan.signed:
            raise DataError("values below zero with aim 'mean'", "values of zero and more", "use aim 'median'")
        most = int(min(self.most_rows, max(1_000, _ROWS_A_SECOND * context.seconds)))
        drawn = draw(panel, y, plan, context.horizon, most, context.seed)
        if drawn.early.sum() < _FEWEST or not len(drawn.held):
            return self
        matrix, label, start = self._rows(panel, y, drawn.learn)
        held = self._rows(panel, y, drawn.held)
        self.columns = matrix.names
        zero = _loss(self.aim, held[1], held[2])
        if not label[drawn.early].any() or time.monotonic() > deadline:  # nothing to correct, or no time
            return self
        settings = self._settings(int(drawn.early.sum()), context)
        rate = float(settings["learning_rate"])
        early = drawn.early
        data = _dataset(matrix.take(early), label[early], start[early], settings)
        booster = lightgbm.Booster(settings, data)
        booster.add_valid(_dataset(*held, settings, like=data), "held")
        least = [math.inf]

        def loss() -> float:
            now = float(booster.eval_valid()[0][2])
            least[0] = min(least[0], now)
            return now

        def hurry(factor: float) -> None:
            booster.reset_parameter({"learning_rate": min(0.3, rate * factor)})
            settings["learning_rate"] = min(0.3, rate * factor)

        began = time.monotonic()
        half = began + (deadline - began) / 2 if math.isfinite(deadline) else deadline
        patience = round(max(20, 2 / rate))
        best, self.finished = boost(booster.update, _MOST_ROUNDS, half, loss, patience, hurry, USUAL / rate)
        if least[0] >= zero:
            return self
        if (
            time.monotonic() - began < deadline - time.monotonic()
        ):  # as much again is there: learn from the last windows too
            whole = lightgbm.Booster(settings, _dataset(matrix, label, start, settings))
            done, share = boost(whole.update, best, deadline)
            booster, best = (whole, done) if share == 1.0 else (booster, best)
        self.rounds = best
        self.booster = Booster(
            _raw(scoring_only(booster.model_to_string(num_iteration=best), len(matrix.names))),
            kind="regression",
            n_classes=0,
            columns=len(matrix.names),
            rounds=best,
            plain=True,
        )
        return self

    def predict(self, panel: Panel, future: Future) -> np.ndarray:
        """(series, horizon), in blocks of series; new series too. NaN only where nothing at all was learned."""
        if self.plan is None or self.newcomers is None:
            raise DataError("a forecaster that has not been fitted", "a fitted one", "call fit first")
        out = np.empty((len(panel), future.horizon))
        step = max(1, _BLOCK // max(1, future.horizon))
        for begin in range(0, len(panel), step):
            rows = np.arange(begin, min(begin + step, len(panel)))
            out[rows] = self._block(panel.take(rows), future.take(rows))
        return out

    def _block(self, panel: Panel, future: Future) -> np.ndarray:
        seen, which, steps = self._ahead(panel, future)
        simple, unit = seen.base.at(which, steps), seen.base.scale[which]
        if self.booster is not None:
            raw = self.booster.predict(rows_ahead(self._plan, seen, which, steps))
            raw[seen.base.still[which]] = 0.0  # what has never moved is continued
            if self.aim == "mean":
                simple = np.maximum(simple, _FLOOR * unit) * np.exp(np.clip(raw, -_WIDEST, _WIDEST))
            else:
                simple = simple + unit * raw
        if not self._plan.signed:
            simple = np.maximum(simple, 0.0)
        return simple.reshape(len(panel), future.horizon)

    def contributions(self, panel: Panel, future: Future) -> tuple[tuple[str, ...], np.ndarray]:
        """What moved each forecast: names (columns,) and (series, horizon, columns), by SHAP values of the trees.

        In units of the series for aim "median" (they add up with the simple forecast), in log factors for aim "mean".
        The last name is "usual", what the trees say to everyone. DataError where the simple forecast stands alone.
        """
        if self.booster is None:
            raise DataError(
                "a forecaster without trees", "one whose trees gained", "the simple forecast explains itself"
            )
        seen, which, steps = self._ahead(panel, future)
        matrix = rows_ahead(self._plan, seen, which, steps)
        shares = np.asarray(self.booster.native.predict(matrix.values, pred_contrib=True, num_threads=1))
        if self.aim == "median":
            shares = shares * seen.base.scale[which][:, None]
        return (*matrix.names, "usual"), shares.reshape(len(panel), future.horizon, -1)

    def drivers(self, panel: Panel, future: Future) -> tuple[tuple[str, ...], np.ndarray]:
        """The simple forecast's level and season, and what the trees add: by what was sold lately, season, calendar, each covariate."""
        seen, which, steps = self._ahead(panel, future)
        level, shape = seen.base.level[which], (len(panel), future.horizon)
        own = np.stack([level.reshape(shape), (seen.base.at(which, steps) - level).reshape(shape)], axis=2)
        if self.booster is None:
            return (LEVEL, SEASON), own
        columns, shares = self.contributions(panel, future)
        shares = np.where(seen.base.still[:, None, None], 0.0, shares)
        if self.aim == "mean":
            shares = of_factors(own.sum(axis=2), self.predict(panel, future), shares)
        found, place = groups(self._plan, columns)
        names = (LEVEL, SEASON, *(n for n in found if n != SEASON))
        values = np.zeros((*shape, len(names)))
        values[:, :, :2] = own
        for column, k in enumerate(place):
            values[:, :, names.index(found[k])] += shares[:, :, column]
        return names, values

    @property
    def _plan(self) -> LagPlan:
        if self.plan is None:
            raise DataError("a forecaster that has not been fitted", "a fitted one", "call fit first")
        return self.plan

    def _ahead(self, panel: Panel, future: Future) -> tuple[Seen, np.ndarray, np.ndarray]:
        plan = self._plan
        plan.expect(panel)
        longer, origins = with_future(panel, future)
        y = demand(longer)
        stand_in = unseen(longer, y, self.newcomers) if self.newcomers is not None else None
        seen = seen_from(plan, longer, y, origins, stand_in)
        which = np.repeat(np.arange(len(panel)), future.horizon)
        return seen, which, np.tile(np.arange(1, future.horizon + 1), len(panel))

    def _rows(self, panel: Panel, y: np.ndarray, pairs: Pairs) -> tuple[Matrix, np.ndarray, np.ndarray]:
        """Matrix, labels and starts of some pairs; pairs whose origin sees nothing are of no use and get no correction."""
        seen = seen_from(self._plan, panel, y, pairs.origins)
        simple, unit = seen.base.at(pairs.which, pairs.steps), seen.base.scale[pairs.which]
        outcome = y[pairs.target]
        simple = np.where(np.isnan(simple), outcome, simple)
        matrix = rows_ahead(self._plan, seen, pairs.which, pairs.steps)
        if self.aim == "mean":
            return matrix, outcome / unit, np.log(np.maximum(simple / unit, _FLOOR))
        return matrix, np.clip((outcome - simple) / unit, -100.0, 100.0), np.zeros(len(outcome))

    def _settings(self, rows: int, context: PanelContext) -> dict[str, Any]:
        settings: dict[str, Any] = {"learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 20}
        settings |= {"feature_fraction": 0.7, "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 1.0}
        settings |= self.parameters
        settings["min_data_in_leaf"] = max(2, min(int(settings["min_data_in_leaf"]), rows // 20))
        return settings | {
            "objective": _OBJECTIVE[self.aim],
            "metric": _METRIC[self.aim],
            "seed": context.seed % 2**31,
            "num_threads": context.threads,
            "deterministic": True,
            "force_row_wise": True,
            "feature_pre_filter": False,
            "verbosity": -1,
        }

    def to_parts(self) -> Parts:
        """The plan, what newcomers are compared with, and LightGBM's text (none where the simple forecast stands)."""
        if self.newcomers is None:
            raise DataError("a forecaster that has not been fitted", "a fitted one", "call fit first")
        inner = Parts() if self.booster is None else self.booster.to_parts()
        json = {"plan": self._plan.to_json(), "aim": self.aim, "columns": list(self.columns)}
        return Parts(json | {"booster": inner.json or None}, self.newcomers.to_arrays(), inner.files)

    @classmethod
    def from_parts(cls, parts: Parts) -> LightgbmLags:
        """Rebuild; BundleError where something does not fit together."""
        aim, plan, columns = parts.json.get("aim"), parts.json.get("plan"), parts.json.get("columns")
        if aim not in ("auto", *_OBJECTIVE) or not isinstance(plan, dict) or not isinstance(columns, list):
            raise BundleError(f"a lag model with aim {aim!r}", "its aim, plan and columns", "the bundle is damaged")
        model = cls(aim)
        model.plan, model.columns = LagPlan.from_json(plan), tuple(str(c) for c in columns)
        model.newcomers = Newcomers.from_arrays(model.plan.static, parts.arrays)
        inner = parts.json.get("booster")
        if inner is not None:
            model.booster = Booster.from_parts(Parts(inner, {}, parts.files))
            model.rounds = model.booster.rounds or 0
            if model.booster.columns != len(columns) or model.booster.kind != "regression" or not model.booster.plain:
                raise BundleError(
                    f"trees on {model.booster.columns} columns for {len(columns)}", "as many", "the bundle is damaged"
                )
        return model


def _raw(text: str) -> str:
    """The text without its objective, so that scores are raw ones."""
    return "\n".join(line for line in text.split("\n") if not line.startswith("objective="))


def _loss(aim: str, label: np.ndarray, start: np.ndarray) -> float:
    """What LightGBM's metric says of the simple forecast alone."""
    if aim == "median":
        return float(np.abs(label).mean())
    return float((np.exp(start) - label * start).mean())


def _dataset(
    matrix: Matrix,
    label: np.ndarray,
    start: np.ndarray,
    settings: Mapping[str, Any],
    like: lightgbm.Dataset | None = None,
) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        matrix.values,
        label,
        init_score=start,
        categorical_feature=list(matrix.categorical),
        params=dict(settings),
        reference=like,
    )


class LightgbmLagsFamily:
    """One set of trees for all series; the fourth rung."""

    name: ClassVar[str] = "lightgbm-lags"
    rung: ClassVar[int] = 4
    local: ClassVar[bool] = False

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """The default, a shallow one, and for values that never are negative the other aim; none where there is too little."""
        if int(np.maximum(panel.lengths - 1, 0).sum()) < _FEWEST:
            return []
        shallow = {"num_leaves": 8, "min_data_in_leaf": 50, "feature_fraction": 0.5, "lambda_l2": 5.0}
        named: list[tuple[str, Mapping[str, Json]]] = [("lightgbm-lags", {}), ("lightgbm-lags-shallow", shallow)]
        seen = panel.y[~np.isnan(panel.y)]
        if len(seen) and not (seen < 0).any():
            other = "median" if float((seen == 0).mean()) > _SLOW else "mean"
            named.append((f"lightgbm-lags-{other}", {"aim": other}))
        return named

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return LightgbmLags(**parameters)


FAMILY = LightgbmLagsFamily
