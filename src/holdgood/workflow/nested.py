"""Nested folds: an honest estimate of the whole procedure where no row can be spared for a holdout (Varma & Simon 2006).

Each outer fold walks through training as a run does: candidates, inner folds, choice, threshold, all on its own training
rows. What it then says of its validation rows judges the procedure; the model delivered has learned from all rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.frame import Frame
from holdgood.core.protocols import Fold
from holdgood.core.task import Task
from holdgood.metrics.cost import CostTable, answers
from holdgood.training import Trained
from holdgood.workflow.bands import AnyBand, Bands

_OPTIONAL = ("simple", "simple_answer", "prior_answer", "low", "high", "quantiles")


@dataclass(frozen=True, eq=False)
class Outer:
    """What models said of development rows that they had not seen. ``rows``: positions among these, ascending.

    ``prediction``, ``prior`` and ``simple`` in the shapes of Task; ``answer``, ``simple_answer`` and ``prior_answer`` as
    each outer fold settled them for itself; ``low`` and ``high``: intervals of a regression; ``quantiles``: (rows, levels).
    ``chosen``: the trial that each fold chose.
    """

    rows: np.ndarray
    prediction: np.ndarray
    prior: np.ndarray
    answer: np.ndarray
    simple: np.ndarray | None = None
    simple_answer: np.ndarray | None = None
    prior_answer: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    quantiles: np.ndarray | None = None
    chosen: tuple[str, ...] = ()

    def arrays(self) -> dict[str, np.ndarray]:
        """For a file of arrays."""
        named = {n: getattr(self, n) for n in ("rows", "prediction", "prior", "answer", *_OPTIONAL)}
        return {n: a for n, a in named.items() if a is not None}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray], chosen: Sequence[str]) -> Outer:
        """Rebuild; BundleError where arrays are missing."""
        if not {"rows", "prediction", "prior", "answer"} <= set(arrays):
            raise BundleError("outer folds without their predictions", "four arrays", "run again with --fresh")
        return cls(**arrays, chosen=tuple(chosen))


def outer_folds(
    folds: Sequence[Fold],
    fit: Callable[[int, np.ndarray], tuple[Trained, Bands]],
    frame: Frame,
    task: Task,
    table: CostTable,
) -> Outer:
    """Train on each fold's training rows (``fit``: number of the fold, positions; also bands) and predict its validation rows."""
    pieces: dict[str, list[np.ndarray]] = {}
    chosen, climbed = [], False
    for number, (train, valid) in enumerate(folds):
        (trained, own), rows = fit(number, train), frame.take(valid)
        # where the choice is the simplest rung above the prior, it is compared with itself
        simple = trained.simple or trained.chain
        cut = trained.threshold if trained.simple is None else trained.simple_threshold
        said = {"prediction": trained.chain.predict(rows), "prior": trained.prior.predict(rows)}
        said["simple"] = simple.predict(rows)
        said["answer"] = _answers(table, task, said["prediction"], trained.threshold)
        said["simple_answer"] = _answers(table, task, said["simple"], cut)
        if own:
            said["answer"] = own["chosen"].answer(said["prediction"])
            said["simple_answer"] = own["chosen" if trained.simple is None else "simple"].answer(said["simple"])
            said["prior_answer"] = own["prior"].answer(said["prior"])
            said["low"], said["high"] = _ends(own["chosen"], said["prediction"], rows)
            if own["chosen"].wanted:
                said["quantiles"] = own["chosen"].at_levels(said["prediction"], rows)
        for name, values in ({"rows": valid} | said).items():
            pieces.setdefault(name, []).append(values)
        chosen.append(trained.leaderboard.chosen)
        climbed |= trained.simple is not None
    whole = {name: np.concatenate(parts) for name, parts in pieces.items()}
    if not climbed:  # every fold chose its simplest rung: nothing to compare
        whole = {name: values for name, values in whole.items() if name not in ("simple", "simple_answer")}
    order = np.argsort(whole["rows"], kind="stable")
    return Outer(**{name: values[order] for name, values in whole.items()}, chosen=tuple(chosen))


def _ends(own: AnyBand, prediction: np.ndarray, rows: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Ends of intervals; infinite where none is declared."""
    if own.level is None:
        return np.full(len(prediction), -np.inf), np.full(len(prediction), np.inf)
    return own.interval(prediction, rows)


def _answers(table: CostTable, task: Task, prediction: np.ndarray, threshold: float) -> np.ndarray:
    return answers(table, prediction, None if task.kind != "binary" or math.isnan(threshold) else threshold)
