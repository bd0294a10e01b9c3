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
from holdgood.evaluation.origins import Fact, facts
from holdgood.metrics.interval import mean_interval
from holdgood.metrics.score import loss_rows

CAVEAT = (
    "Importance shuffles one fact at a time. Facts that tell the same thing stand in for each other, so each of them "
    "looks less important than it is, and shuffling makes rows that never occur."
)

MOST_CELLS = 500_000
"""Facts tried times features of the frame: every prediction walks over all features, so 10,000 columns allow 50 facts."""
FEWEST_TRIED = 50


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
    together. Where a frame is so wide that not every fact can be tried, or time may run out, those that the prediction
    goes along with most are tried first; what was left untried after ``seconds`` is said.
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
    plain = predict(frame)
    base = loss_rows(task, y, plain)
    found: list[tuple[int, Importance]] = []
    everything = facts(frame)
    most = max(FEWEST_TRIED, MOST_CELLS // max(1, len(frame.features)))
    order = np.arange(len(everything))
    if most < len(everything) or seconds < math.inf:
        order = np.argsort([-_follows(frame, fact, plain) for fact in everything], kind="stable")[:most]
    for tried, position in enumerate(order):
        if time.monotonic() - started > seconds:
            notes.append(
                f"Time was out: importance is not known for {len(everything) - tried} of {len(everything)} facts."
            )
            break
        fact = everything[position]
        rng = np.random.default_rng([seed, 1, int(position)])
        increase = np.zeros(len(y))
        for _ in range(repeats):
            rows = rng.permutation(len(y))
            increase += loss_rows(task, y, predict(_shuffled(frame, fact, rows))) - base
        names = tuple(frame.features[i].name for i in fact.features)
        interval = mean_interval(increase / repeats, clusters)
        found.append((int(position), Importance(name=fact.name, features=names, loss_increase=interval)))
    else:
        if most < len(everything):
            left = len(everything) - most
            notes.append(
                f"With {len(everything):,} facts only the {most:,} that the prediction goes along with most were tried; "
                f"importance is not known for {left:,}."
            )
    # equals stay in the order of the schema
    ranked = sorted(found, key=lambda i: (-i[1].loss_increase.value, i[0]))
    return Importances(tuple(i for _, i in ranked), tuple(notes))


def _shuffled(frame: Frame, fact: Fact, rows: np.ndarray) -> Frame:
    """The frame with one fact's features taken from other rows."""
    arrays = list(frame.arrays)
    for position in fact.features:
        arrays[position] = arrays[position][rows]
    return Frame(frame.features, tuple(arrays))


def _follows(frame: Frame, fact: Fact, prediction: np.ndarray) -> float:
    """How closely the prediction goes along with a fact, 0 to 1: a cheap guess of what is worth shuffling first."""
    answers = (prediction if prediction.ndim == 2 else prediction[:, None]) - prediction.mean(axis=0)
    size = np.square(answers).sum(axis=0)
    best = 0.0
    for position in fact.features:
        values = frame.arrays[position]
        if frame.features[position].type == "number":
            known = np.where(np.isfinite(values), values, np.nan)
            centred = np.nan_to_num(known - (np.nanmean(known) if np.isfinite(known).any() else 0.0))
            explained = np.square(centred @ answers) / max(float(np.square(centred).sum()), 1e-300)
        elif frame.features[position].type == "category":
            codes = np.unique(np.array([v or "" for v in values], dtype=str), return_inverse=True)[1]
            sums = np.array([np.bincount(codes, a) for a in answers.T])
            explained = (np.square(sums) / np.bincount(codes)).sum(axis=1)
        else:
            return 1.0  # what a text says cannot be guessed so cheaply: it comes first
        best = max(best, float(np.max(explained / np.maximum(size, 1e-300))))
    return best
