"""One candidate at one origin: fitted on what lies before the cut, scored on what comes after. Local families are divided over workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from holdgood.core.panel import Future, Panel
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


@dataclass(frozen=True)
class Fitted:
    """What came of a fit: forecasts (series, horizon), CPU seconds of fit and prediction, failures by id, the forecaster."""

    point: np.ndarray
    fit_seconds: float
    predict_seconds: float
    failed: Mapping[str, str]
    forecaster: Forecaster | None = None


def fit_predict(
    candidate: PanelCandidate, panel: Panel, future: Future, context: PanelContext, keep: bool = False
) -> Fitted:
    """Fit on ``panel`` and forecast ``future``. Runs in a worker: everything in it can be sent."""
    begun = time.process_time()
    made = candidate.make().fit(panel, context)
    fitted = time.process_time()
    point = made.predict(panel, future)
    done = time.process_time()
    return Fitted(point, fitted - begun, done - fitted, dict(made.failed), made if keep else None)
