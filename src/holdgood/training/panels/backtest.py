"""One candidate: fitted on what lies before the oldest origin, forecasting from every later one without refitting."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, Json, PanelContext


@dataclass(frozen=True)
class PanelCandidate:
    """A configuration of a family of forecasters and how to make one; ``rung`` orders families, simplest is 0."""

    name: str
    family: str
    rung: int
    local: bool
    make: Callable[[], Forecaster]
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Plan:
    """What every candidate is asked: series, where the history of each ends (steps before its end), and the later cuts.

    ``alone`` (series,): for local families; ``together``: for global ones. A worker gets this once and slices for itself.
    """

    panel: Panel
    alone: np.ndarray
    together: int
    cuts: tuple[int, ...]
    horizon: int

    @classmethod
    def whole(cls, panel: Panel, horizon: int) -> Plan:
        """All of the history, and nothing to forecast yet."""
        return cls(panel, np.zeros(len(panel), np.int64), 0, (), horizon)


@dataclass(frozen=True)
class Fitted:
    """What came of a fit: forecasts (series, horizon) from each later cut, CPU seconds, failures by id, the forecaster."""

    points: tuple[np.ndarray, ...]
    fit_seconds: float
    predict_seconds: float
    failed: Mapping[str, str]
    forecaster: Forecaster | None = None


def fit_predict(
    candidate: PanelCandidate, plan: Plan, rows: np.ndarray, context: PanelContext, keep: bool = False
) -> Fitted:
    """Fit some series of a plan, forecast from each later cut without refitting. Runs in a worker."""
    begun = time.process_time()
    panel = plan.panel.take(rows)
    made = candidate.make().fit(panel.until(plan.alone[rows] if candidate.local else plan.together), context)
    fitted = time.process_time()
    failed = dict(made.failed)
    points = tuple(made.predict(panel.until(cut), panel.ahead(plan.horizon, cut)[1]) for cut in plan.cuts)
    return Fitted(points, fitted - begun, time.process_time() - fitted, failed, made if keep else None)
