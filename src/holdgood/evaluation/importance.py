"""Permutation importance: how much worse the loss gets when one fact is shuffled among the holdout rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.frame import Frame
from holdgood.core.records import Importance
from holdgood.core.task import Task
from holdgood.evaluation.origins import facts, replaced
from holdgood.metrics.interval import mean_interval
from holdgood.metrics.score import loss_rows

CAVEAT = (
    "Importance shuffles one fact at a time. Facts that tell the same thing stand in for each other, so each of them "
    "looks less important than it is, and shuffling makes rows that never occur."
)


class Importances(NamedTuple):
    """Most important first, and what a reader should know."""

    importance: tuple[Importance, ...]
    notes: tuple[str, ...]


def permutation_importance(
    predict: Callable[[Frame], np.ndarray],
    frame: Frame,
    y: np.ndarray,
    task: Task,
    *,
    clusters: np.ndarray | None = None,
    repeats: int = 3,
    max_rows: int = 5000,
    seed: int = 0,
    seconds: float = math.inf,
) -> Importances:
    """Loss increase a row (log loss in nats, or squared error) with a 95% interval, a fact at a time (Breiman 2001).

    A fact is all features of the same raw columns, shuffled together. ``repeats`` shuffles are averaged row by row
    before the interval is taken; ``max_rows`` rows are drawn from the holdout; ``clusters`` (n,) are rows that belong
    together. Facts are tried in the order of the schema until ``seconds`` have passed; what was left untried is said.
    Raises DataError where rows and outcomes do not fit together.
    """
    if len(frame) != len(y) or len(y) == 0:
        raise DataError(
            f"{len(frame):,} rows of features and {len(y):,} outcomes", "as many of one as of the other, not none"
        )
    started = time.monotonic()
    notes = [CAVEAT]
    if len(y) > max_rows:
        rows = np.sort(np.random.default_rng([seed, 0]).choice(len(y), max_rows, replace=False))
        frame, y, clusters = frame.take(rows), y[rows], None if clusters is None else clusters[rows]
        notes.append(f"Importance was measured on {max_rows:,} holdout rows drawn at random.")
    base = loss_rows(task, y, predict(frame))
    found: list[Importance] = []
    everything = facts(frame)
    for position, fact in enumerate(everything):
        if time.monotonic() - started > seconds:
            untried = len(everything) - position
            notes.append(f"Time was out: importance is not known for the last {untried} of {len(everything)} facts.")
            break
        rng = np.random.default_rng([seed, 1, position])
        increase = np.zeros(len(y))
        for _ in range(repeats):
            shuffled = replaced(frame, fact, frame.take(rng.permutation(len(y))))
            increase += loss_rows(task, y, predict(shuffled)) - base
        names = tuple(frame.features[i].name for i in fact.features)
        interval = mean_interval(increase / repeats, clusters)
        found.append(Importance(name=fact.name, features=names, loss_increase=interval))
    # sorted is stable: equals stay in the order of the schema
    return Importances(tuple(sorted(found, key=lambda i: -i.loss_increase.value)), tuple(notes))
