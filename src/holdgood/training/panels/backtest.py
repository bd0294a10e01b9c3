"""One candidate: fitted on what lies before the oldest origin, forecasting from every later one without refitting."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
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
    """What came of a fit: forecasts (series, horizon) from each later history, CPU seconds, failures by id, the forecaster."""

    points: tuple[np.ndarray, ...]
    fit_seconds: float
    predict_seconds: float
    failed: Mapping[str, str]
    forecaster: Forecaster | None = None


def fit_predict(
    candidate: PanelCandidate,
    history: Panel,
    later: Sequence[tuple[Panel, Future]],
    context: PanelContext,
    keep: bool = False,
) -> Fitted:
    """Fit on ``history``, forecast from each of ``later`` without refitting. Runs in a worker: everything in it can be sent."""
    begun = time.process_time()
    made = candidate.make().fit(history, context)
    fitted = time.process_time()
    failed = dict(made.failed)
    points = tuple(made.predict(panel, future) for panel, future in later)
    return Fitted(points, fitted - begun, time.process_time() - fitted, failed, made if keep else None)
