"""What the steps of a forecasting run hand on in memory, beside what every run has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.panel import Paths
from holdgood.core.records import ForecastEvaluation, PanelReport
from holdgood.evaluation.forecasts import PastForecasts
from holdgood.features.panels.reader import ReadPanel
from holdgood.workflow.forecasting.model import Model
from holdgood.workflow.forecasting.output import Answers


@dataclass
class Forecasting:
    """``read``: the panel; ``alive``: positions of the series that get a forecast; ``drawn``: paths of a few series for pictures."""

    read: ReadPanel
    report: PanelReport
    alive: np.ndarray
    model: Model | None = None
    past: PastForecasts | None = None
    dropped: tuple[int, ...] = ()
    evaluation: ForecastEvaluation | None = None
    answers: Answers | None = None
    drawn: Paths | None = None
