"""What the LSTM sees: the scaled history with its calendar and covariates, and the features of each step ahead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import Json
from holdgood.models.forecasting import calendar
from holdgood.models.forecasting.lag_base import mean_of
from holdgood.models.forecasting.lag_features import LagPlan, Seen
from holdgood.models.forecasting.origins import history

_MOST_STEPS = 72
_MOST_CODES = 24
_WIDEST = 5.0
_PERIOD = {"hour": 24, "weekday": 7, "month_day": 31, "days_to_month_end": 31, "year_day": 366, "month": 12}


@dataclass(frozen=True)
class LstmInputs:
    """``center``, ``unit`` (columns,) standardise the matrix of a step; ``codes`` lists the codes of each code column that
    get an input of their own; ``drivers`` has center and unit of each covariate of the history.
    """

    plan: LagPlan
    names: tuple[str, ...]
    center: np.ndarray
    unit: np.ndarray
    codes: Mapping[str, tuple[int, ...]]
    drivers: Mapping[str, tuple[float, float]]

    @classmethod
    def learn(cls, plan: LagPlan, seen: Seen, matrix: Matrix) -> LstmInputs:
        """Means and spreads of training rows; the most frequent codes of each code column."""
        center = np.nan_to_num(mean_of(matrix.values, axis=0))
        spread = np.sqrt(np.nan_to_num(mean_of((matrix.values - center) ** 2, axis=0)))
        unit = np.where(spread > 1e-9 * (1 + np.abs(center)), spread, 1.0)
        codes = {}
        for column in matrix.categorical:
            values = matrix.values[:, column]
            found, count = np.unique(values[~np.isnan(values)], return_counts=True)
            often = found[np.argsort(-count, kind="stable")][:_MOST_CODES]
            codes[matrix.names[column]] = tuple(int(c) for c in sorted(often))
        drivers = {}
        for name in (*plan.known, *plan.past):
            values = {**seen.panel.past, **seen.panel.known}[name][None, :]
            if name not in plan.categories:
                middle = float(np.nan_to_num(mean_of(values))[0])
                wide = float(np.sqrt(np.nan_to_num(mean_of((values - middle) ** 2)))[0])
                drivers[name] = (middle, wide or 1.0)
        return cls(plan, matrix.names, center, unit, codes, drivers)

    @property
    def steps(self) -> int:
        """How far back the encoder looks."""
        return min(self.plan.back, _MOST_STEPS)

    @property
    def channels(self) -> int:
        """Inputs of each step of the history."""
        return 3 + 2 * len(calendar.names(self.plan.frequency)) + len(self.drivers)

    @property
    def features(self) -> int:
        """Inputs of each step ahead."""
        return len(self.names) + sum(map(len, self.codes.values())) - len(self.codes)

    def context(self, seen: Seen) -> np.ndarray:
        """(origins, steps, channels) float32: value with and without season, whether seen, calendar, covariates."""
        panel, origins, steps = seen.panel, seen.origins, self.steps
        past = history(panel, seen.y, origins, steps)
        unit = seen.base.scale[:, None]
        there = ~np.isnan(past)
        shown = [_within(past / unit), _within(seen.base.flat[:, -steps:] / unit), there.astype(np.float64)]
        place = np.clip(origins.end[:, None] - np.arange(steps, 0, -1)[None, :], 0, max(len(panel.ds) - 1, 0))
        names = calendar.names(self.plan.frequency)
        if names:
            dates = calendar.of(panel.ds[place].ravel(), self.plan.frequency)
            for k, name in enumerate(names):
                angle = (2 * np.pi / _PERIOD[name]) * dates[:, k].reshape(place.shape)
                shown += [_within(np.sin(angle)), _within(np.cos(angle))]
        columns = {**panel.past, **panel.known}
        for name, (middle, wide) in self.drivers.items():
            shown.append(_within((history(panel, columns[name], origins, steps) - middle) / wide))
        return np.stack(shown, axis=2).astype(np.float32)

    def step(self, matrix: Matrix) -> np.ndarray:
        """(rows, features) float32: numbers standardised and clipped, missing as zero; an input for each frequent code."""
        standard = _within((matrix.values - self.center) / self.unit)
        shown = [standard[:, [i for i, name in enumerate(self.names) if name not in self.codes]]]
        for name, codes in self.codes.items():
            values = matrix.values[:, self.names.index(name)]
            shown.append(values[:, None] == np.array(codes, dtype=np.float64)[None, :])
        return np.concatenate(shown, axis=1).astype(np.float32)

    def to_json(self) -> dict[str, Json]:
        """All but the arrays."""
        codes = {name: list(c) for name, c in self.codes.items()}
        drivers = {name: list(d) for name, d in self.drivers.items()}
        return {"plan": self.plan.to_json(), "names": list(self.names), "codes": codes, "drivers": drivers}

    @classmethod
    def from_parts(cls, json: Mapping[str, Json], arrays: Mapping[str, np.ndarray]) -> LstmInputs:
        """Rebuild; BundleError where something does not fit together."""
        try:
            plan, names = LagPlan.from_json(json["plan"]), tuple(str(n) for n in json["names"])
            codes = {str(k): tuple(int(c) for c in v) for k, v in json["codes"].items()}
            drivers = {str(k): (float(v[0]), float(v[1])) for k, v in json["drivers"].items()}
            center, unit = arrays["center"], arrays["unit"]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"inputs without {error}", "plan, names, codes, scales", "the bundle is damaged"
            ) from error
        fits = all(a.shape == (len(names),) and a.dtype == np.float64 and np.isfinite(a).all() for a in (center, unit))
        if (
            not fits
            or not (unit > 0).all()
            or not {*codes} <= {*names}
            or any(wide == 0 for _, wide in drivers.values())
        ):
            raise BundleError(f"scales for {len(names)} columns that do not fit", "one each", "the bundle is damaged")
        return cls(plan, names, center, unit, codes, drivers)


def _within(values: np.ndarray) -> np.ndarray:
    """Softly within ±5, missing as zero."""
    known = np.nan_to_num(values, nan=0.0, posinf=1e9, neginf=-1e9)
    result: np.ndarray = known / np.sqrt(1.0 + np.square(known / _WIDEST))
    return result
