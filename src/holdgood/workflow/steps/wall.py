"""The wall: divide the rows, settle the task on the development rows alone, audit the target behind it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holdgood.audit import installed
from holdgood.connectors import write_table
from holdgood.core.errors import DataError, did_you_mean
from holdgood.core.records import (
    AuditReport,
    Split,
)
from holdgood.core.records.envelope import read
from holdgood.core.task import Task
from holdgood.fairness.measures import gate_measure
from holdgood.metrics import metric
from holdgood.metrics.cost import resolve as resolve_costs
from holdgood.splitting import Openings, divide
from holdgood.workflow.folder import StepFolder
from holdgood.workflow.functions import is_function
from holdgood.workflow.judging import settle
from holdgood.workflow.places import in_source
from holdgood.workflow.second_pass import context_of, look
from holdgood.workflow.target import resolve
from holdgood.workflow.validation import fold_kind
from holdgood.workflow.weights import class_weights, row_weights
from holdgood.workflow.work import DEVELOPMENT, Work


def divide_rows(work: Work, folder: StepFolder) -> Split:
    """Build the wall, then settle the task on the development rows alone."""
    declared = work.declaration
    whole = resolve(declared.task, work.main)
    _check_declared(work, whole.task)
    work.weight = row_weights(declared.task.weight, work.main, whole.y)
    class_weights(declared.task.class_weight, whole.task, whole.y[np.isfinite(whole.y)])
    division = divide(
        declared.split,
        whole.task,
        whole.y,
        time=work.split_time,
        groups=work.groups,
        weight=work.weight,
        seed=declared.budget.seed,
    )
    fold_kind(declared.split, division.split.how)
    work.part = division.part
    work.target = resolve(declared.task, work.main, work.rows_of(DEVELOPMENT))
    settle(work)
    # Any division of the same facts looks at the same facts: openings are counted for the main table as it was read.
    fingerprint = work.raw[declared.main].fingerprint()
    work.split = division.split.model_copy(
        update={
            "table": declared.main,
            "holdout_fingerprint": fingerprint,
            "openings": Openings(work.project.openings).count(fingerprint),
            "by": tuple(declared.split.by),
        }
    )
    write_table(pa.table({"row": work.row_numbers, "part": work.part}), folder.path / "split.parquet")
    return work.split


def load_split(work: Work, folder: StepFolder) -> None:
    """Restore the wall."""
    work.split = read(folder.record, Split)
    work.part = pq.read_table(folder.path / "split.parquet").column("part").to_numpy()
    work.weight = row_weights(work.declaration.task.weight, work.main, resolve(work.declaration.task, work.main).y)
    work.target = resolve(work.declaration.task, work.main, work.rows_of(DEVELOPMENT))
    settle(work)


def _check_declared(work: Work, task: Task) -> None:
    """What is declared for later rooms is checked before anything is spent or opened."""
    declared = work.declaration
    if not is_function(declared.task.metric):
        metric(task.metric, task)
    if declared.costs.function is None:
        resolve_costs(declared.costs, task)
    if declared.fairness.groups:
        gate_measure(declared.fairness, task)
    for name in declared.fairness.groups:
        table, _, column = name.partition(".")
        known = [*work.main.names, *(f"{n}.{c}" for n, t in work.others.items() for c in t.names)]
        if name in work.main.names or (table in work.others and column in work.others[table].names):
            continue
        raise DataError(
            f"fairness.groups names {name!r}, which no table has",
            "a column of the main table, or table.column of a joined one",
            did_you_mean(name, known) or "correct fairness.groups",
        )


def audit_target(work: Work, folder: StepFolder) -> AuditReport:
    """Right of the wall, development rows only (rows without an outcome from the same stretch of time included)."""
    assert work.target is not None
    context, rows = context_of(
        work.main,
        work.others,
        work.declaration,
        work.target,
        work.part,
        times=work.split_time,
        decided=work.decision_time,
    )
    found = look(context, checks=installed("target"), listener=work.listener)
    work.audit_target = in_source(found, work.declaration.main, work.row_numbers[rows])
    return work.audit_target


def load_audit_target(work: Work, folder: StepFolder) -> None:
    """Restore the second pass."""
    work.audit_target = read(folder.record, AuditReport)
