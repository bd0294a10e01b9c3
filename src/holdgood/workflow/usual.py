"""What is usual for a model, taken from its run: development rows, out-of-fold answers, and those on the rows that judged it."""

from __future__ import annotations

import numpy as np

from holdgood.core.frame import Frame
from holdgood.core.protocols import Persistable
from holdgood.features.coarse import like, maps_of
from holdgood.features.usual import Usual
from holdgood.metrics.score import loss_rows
from holdgood.workflow.losses import losses_model
from holdgood.workflow.work import DEVELOPMENT, Work


def usual(work: Work) -> dict[str, Persistable]:
    """Parts of the bundle, by name; none where ``[watch] rows = 0``.

    ``losses``, a model of the model's losses, only where chances do not say by themselves what loss to expect.
    """
    rows = work.declaration.watch.rows
    folder = work.run.find("train")
    if rows == 0 or folder is None:
        return {}
    assert work.target is not None
    assert work.holdout_prediction is not None
    time = work.decision_time
    development, judged = work.rows_of(DEVELOPMENT), work.judged()
    mine = np.load(folder.path / "oof_rows.npy")
    prediction = np.load(folder.path / "oof.npy")
    if work.outer is not None:  # the same rows judged: once is enough
        mine, prediction = mine[:0], prediction[:0]
    places = np.concatenate([development[mine], judged])
    prediction = np.concatenate([prediction, work.holdout_prediction])
    outcome = np.asarray(work.target.y[places], np.float64)
    frame, seed = work.frame(DEVELOPMENT), work.declaration.budget.seed
    learned = None
    if work.target.task.kind != "binary":
        coarse = like(maps_of(frame), _both(frame.take(mine), work.judged_frame()))
        learned = losses_model(coarse, loss_rows(work.target.task, outcome, prediction), seed)
    kept = Usual.of(
        frame,
        None if time is None else time[development],
        prediction=prediction,
        outcome=outcome,
        answered=None if time is None else time[places],
        held=np.arange(len(places)) >= len(mine),
        rows=rows,
        seed=seed,
        expected=None if learned is None else learned[1],
    )
    return {"usual": kept} if learned is None else {"usual": kept, "losses": learned[0]}


def _both(first: Frame, second: Frame) -> Frame:
    pairs = zip(first.arrays, second.arrays, strict=True)
    return Frame(first.features, tuple(np.concatenate([a, b]) for a, b in pairs))
