"""What each declared group gets, on the rows that judge."""

from __future__ import annotations

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.records import (
    FairnessReport,
)
from holdgood.core.records.envelope import read
from holdgood.fairness import by_group
from holdgood.metrics.cost import answers
from holdgood.workflow.bands import answered
from holdgood.workflow.folder import StepFolder
from holdgood.workflow.judging import acted, costs
from holdgood.workflow.rows import labels, number_labels
from holdgood.workflow.work import DEVELOPMENT, Work


def compare_groups(work: Work, folder: StepFolder) -> FairnessReport:
    """What each declared group gets, on the holdout."""
    assert work.target and work.leaderboard and work.holdout_prediction is not None
    declared, task = work.declaration, work.target.task
    attributes = {name: _labels(work, name) for name in declared.fairness.groups}
    work.fairness = by_group(
        task,
        work.target.y[work.judged()],
        work.holdout_prediction,
        _answered(work, work.holdout_prediction),
        attributes,
        declared.fairness,
        clusters=work.units(),
        seed=declared.budget.seed,
    )
    return work.fairness


def load_fairness(work: Work, folder: StepFolder) -> None:
    """Restore the groups' measures."""
    work.fairness = read(folder.record, FairnessReport)


def _answered(work: Work, prediction: np.ndarray) -> np.ndarray:
    """What was answered on the rows that judge."""
    assert work.leaderboard is not None
    if work.outer is not None:
        return acted(work, prediction, work.outer.answer)
    moved = answered(work.bands, "chosen", prediction)
    if moved is not None:
        return moved
    return acted(work, prediction, answers(costs(work), prediction, work.leaderboard.threshold))


def _labels(work: Work, name: str) -> np.ndarray:
    """A group's labels on the holdout rows: a column of the main table, or a joined one as table.column."""
    if name in work.main.names or "." not in name:
        work.main.type_of(name)
        return labels(work.main.data.column(name), work.rows_of(DEVELOPMENT))[work.judged()]
    development, holdout = work.frame(DEVELOPMENT), work.judged_frame()
    if name not in holdout.names:
        raise DataError(
            f"the fairness group {name!r} is no column and no joined feature",
            "a column of the main table, or table.column of a joined one",
            "correct fairness.groups",
        )
    values, seen = holdout.column(name), development.column(name)
    if values.dtype == object:
        return values
    both = number_labels(np.concatenate([seen, values]), np.arange(len(seen)))
    return both[len(seen) :]
