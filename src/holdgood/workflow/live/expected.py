"""The loss of amounts before outcomes are known: by a model of what predictions like these were wrong by."""

from __future__ import annotations

import numpy as np

from holdgood.core.records import Interval
from holdgood.features.usual import Usual
from holdgood.metrics.score import loss_rows
from holdgood.monitoring.estimate import from_losses
from holdgood.workflow.live.in_use import prediction_frame
from holdgood.workflow.live.learner import learner
from holdgood.workflow.live.traffic import Gathered
from holdgood.workflow.predict import Predictor

FEWEST = 200


def expected_loss(predictor: Predictor, usual: Usual | None, gathered: Gathered, begins: int) -> Interval | None:
    """Of the answers since ``begins`` (microseconds); None for classes, without a reference, or with too few rows.

    Outcomes do not stand beside facts in a bundle: the loss is told from the prediction alone.
    """
    if usual is None or predictor.task.kind != "regression" or len(usual.outcome) < FEWEST:
        return None
    here = (gathered.traffic.when >= begins) & np.isfinite(gathered.prediction)
    if not here.any():
        return None
    losses = loss_rows(predictor.task, usual.outcome, usual.prediction)
    reference, current = (prediction_frame(predictor.task, p) for p in (usual.prediction, gathered.prediction[here]))
    return from_losses(learner("regression"), reference, losses, current)
