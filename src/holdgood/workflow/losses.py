"""A small model of what a model's own answers cost it: loss from coarse facts, learned where the model itself had not."""

from __future__ import annotations

import numpy as np

from holdgood.core.chain import Chain
from holdgood.core.frame import Frame
from holdgood.workflow.live.learner import learner

FEWEST = 400
MOST = 20_000
FOLDS = 5
"""What rows were expected to lose must be about as sharp as what the model that learned from all of them says: half of them made it duller."""


def losses_model(frame: Frame, losses: np.ndarray, seed: int) -> tuple[Chain, np.ndarray] | None:
    """The model, and what it expects of each row (n,) when it had learned from the other folds; None for too few rows.

    Outcomes that stand beside facts teach it here and are not kept.
    """
    if len(losses) < FEWEST:
        return None
    learn, rng = learner("regression"), np.random.default_rng(seed)
    fold = rng.permutation(len(losses)) % FOLDS
    expected = np.zeros(len(losses))
    for f in range(FOLDS):
        rows, others = _some(np.flatnonzero(fold != f), rng), np.flatnonzero(fold == f)
        expected[others] = learn(frame.take(rows), losses[rows]).predict(frame.take(others))
    rows = _some(np.arange(len(losses)), rng)
    chain = learn(frame.take(rows), losses[rows])
    assert isinstance(chain, Chain)
    return chain, expected


def _some(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= MOST else np.sort(rng.permutation(rows)[:MOST])
