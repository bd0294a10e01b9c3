"""What a run judges by: its metric, its costs and the weights of its classes, settled once on development rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from holdgood.core.task import DEFAULT_METRIC, Task
from holdgood.metrics import CostTable, Metric, metric, own_metric, resolve, tried
from holdgood.metrics.capacity import capped, day_of
from holdgood.metrics.custom import cannot_judge
from holdgood.workflow.functions import is_function, load_function
from holdgood.workflow.own_costs import OwnCosts
from holdgood.workflow.weights import class_weights
from holdgood.workflow.work import DEVELOPMENT, Work

AVERAGED_ROWS = 5_000
"""Rows that average amounts of a cost function are taken over: a mean of so many moves no decision."""


def settle(work: Work) -> None:
    """Load the user's own functions and try them on development rows, before anything is spent.

    DeclarationError where one is absent, changed, not trusted, or cannot judge the prior, and for a capacity a day without a time.
    """
    assert work.target is not None
    declared, task = work.declaration, work.target.task
    y, rows = work.outcomes(DEVELOPMENT), work.rows_of(DEVELOPMENT)
    work.metric, work.metric_note = _metric(work, task, y)
    if declared.costs.capacity is not None:
        day_of(work.split_time, declared.costs.capacity)
    if declared.costs.function:
        function = load_function(declared.costs.function, declared, work.project.path, work.functions)
        work.own_costs = OwnCosts(declared.costs.function, function, work.main, task, work.target.y)
        few = rows[np.linspace(0, len(rows) - 1, min(len(rows), AVERAGED_ROWS)).astype(np.int64)]
        if task.kind == "regression":
            work.own_costs.spend(work.target.y[few], few)
        else:
            work.average_costs = work.own_costs.average(few)


def _metric(work: Work, task: Task, y: np.ndarray) -> tuple[Metric, str]:
    spec = work.declaration.task
    if not is_function(spec.metric):
        return metric(task.metric, task), ""
    function = load_function(str(spec.metric), work.declaration, work.project.path, work.functions)
    weight = score_weight(work, DEVELOPMENT)
    made = own_metric(
        str(spec.metric), function, task, higher_is_better=spec.higher_is_better, weighted=weight is not None
    )
    why = tried(made, task, y, weight)
    if not why:
        return made, ""
    if spec.on_metric_error == "default":
        name = DEFAULT_METRIC[task.kind]
        return metric(name, task), f"the metric {spec.metric} {why} on the prior: {name} stands in, as declared"
    raise cannot_judge(str(spec.metric), why)


def class_weight(work: Work) -> np.ndarray | None:
    """Weights by class code, settled on development rows."""
    assert work.target is not None
    y, weight = work.outcomes(DEVELOPMENT), work.at(work.weight, DEVELOPMENT)
    return class_weights(work.declaration.task.class_weight, work.target.task, y, weight)


def score_weight(work: Work, part: int) -> np.ndarray | None:
    """How much each row of a part counts in scores."""
    of_class, weight = class_weight(work), work.at(work.weight, part)
    if of_class is None:
        return weight
    found: np.ndarray = of_class[work.outcomes(part).astype(np.int64)]
    return found if weight is None else found * weight


def costs(work: Work) -> CostTable:
    """Costs of the task: declared, averaged from a function, or assumed."""
    assert work.target is not None
    return resolve(work.declaration.costs, work.target.task, class_weight(work), work.average_costs)


def acted(work: Work, prediction: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """Answers of the rows that judge, of which only those within a declared capacity are acted on."""
    table = costs(work)
    if table.capacity is None:
        return answer
    return capped(table, prediction, answer, day_of(work.of_judged(work.split_time), table.capacity))


def spending(work: Work, rows: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray] | None:
    """What answers cost on some of the main rows (``rows``), by position among these; None where a table says it all."""
    own = work.own_costs
    return None if own is None else lambda answer, places: own.spend(answer, rows[places])
