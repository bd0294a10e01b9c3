"""A small booster for the monitoring's own questions: are these rows from now or from before, how large is the loss."""

from __future__ import annotations

import numpy as np

from holdgood.core import plugins
from holdgood.core.chain import Chain
from holdgood.core.frame import Frame
from holdgood.core.protocols import FitContext, Learner
from holdgood.core.task import Task
from holdgood.features.encode.for_needs import encoder_for

ROUNDS = 40
_SMALL = {"num_leaves": 12, "learning_rate": 0.1, "min_data_in_leaf": 20}


def learner(kind: str) -> Learner:
    """``binary`` or ``regression``."""
    family = plugins.load("holdgood.models", "lightgbm")
    task = Task(kind="binary", classes=(0, 1)) if kind == "binary" else Task(kind="regression", metric="rmse")

    def learn(frame: Frame, y: np.ndarray) -> Chain:
        chain = Chain(encoder_for("codes"), family.make(_SMALL))
        return chain.fit(frame, y, None, FitContext(task=task, rounds=ROUNDS))

    return learn
