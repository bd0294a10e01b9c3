"""What is usual for a model, taken from its run: development rows, out-of-fold answers, and those on the rows that judged it."""

from __future__ import annotations

import numpy as np

from holdgood.core.protocols import Persistable
from holdgood.features.usual import Usual
from holdgood.workflow.work import DEVELOPMENT, Work


def usual(work: Work) -> dict[str, Persistable]:
    """The part of the bundle, by name; none where ``[watch] rows = 0``."""
    rows = work.declaration.watch.rows
    folder = work.run.find("train")
    if rows == 0 or folder is None:
        return {}
    assert work.target is not None
    assert work.holdout_prediction is not None
    time = work.decision_time
    development, judged = work.rows_of(DEVELOPMENT), work.judged()
    learned = development[np.load(folder.path / "oof_rows.npy")]
    prediction = np.load(folder.path / "oof.npy")
    if work.outer is not None:  # the same rows judged: once is enough
        learned, prediction = learned[:0], prediction[:0]
    places = np.concatenate([learned, judged])
    return {
        "usual": Usual.of(
            work.frame(DEVELOPMENT),
            None if time is None else time[development],
            prediction=np.concatenate([prediction, work.holdout_prediction]),
            outcome=np.asarray(work.target.y[places], np.float64),
            answered=None if time is None else time[places],
            held=np.arange(len(places)) >= len(learned),
            rows=rows,
            seed=work.declaration.budget.seed,
        )
    }
