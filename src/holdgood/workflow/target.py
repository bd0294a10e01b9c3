"""The target: a column or an expression becomes a task and coded outcomes. Rows without an outcome are NaN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.declaration import TaskSpec
from holdgood.core.errors import DeclarationError, TargetError, did_you_mean
from holdgood.core.sql import columns_in, evaluate
from holdgood.core.table import Table
from holdgood.core.task import DEFAULT_METRIC, LEARNABLE, Label, Task, TaskKind
from holdgood.core.text import counted

# Integers with at most this many distinct values are read as classes; more, or fractions, as an amount.
_CLASS_LIMIT = 10
_AS_EXPRESSION = "write an expression, such as date_diff('hour', ordered_at, delivered_at)"
_AS_VALUES = "give the time between two moments as a number, such as (y - began) / pandas.Timedelta(hours=1)"
"""What to do with a target that is a point in time, where it is declared and where its values are given."""


@dataclass(frozen=True)
class Target:
    """``y``: float64, coded as Task says, NaN where there is no outcome. ``columns``: what it was computed from."""

    task: Task
    y: np.ndarray
    columns: tuple[str, ...]
    sentence: str


def resolve(spec: TaskSpec, table: Table, seen: np.ndarray | None = None) -> Target:
    """Evaluate the target over the main table and settle the task.

    ``seen``: positions of the development rows. Kind, classes and the positive class are settled on these alone; a
    class that only other rows have is coded -1. Without it every row counts (for dividing rows, before there is a wall).
    """
    if not spec.target:
        raise DeclarationError(
            "no target is declared",
            f"task.target: a column of {table.name!r} or an SQL expression",
            'write for example target = "late" under [task], or pass --target',
        )
    if spec.kind == "forecast" or spec.kind == "failure":
        raise DeclarationError(
            f"task.kind = {spec.kind!r}",
            "binary, multiclass or regression in this version",
            "forecasting and failure times come with their own release",
        )
    values, columns = _evaluated(spec, table)
    return _settle(spec, values, columns, seen)


def outcomes(spec: TaskSpec, table: Table, task: Task) -> np.ndarray:
    """Outcomes of further rows, coded as a settled task says: NaN without one, -1 for a class that it does not know."""
    values, _ = _evaluated(spec, table)
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    if task.kind == "regression":
        if not (
            pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_boolean(values.type)
        ):
            raise TargetError(
                f"the target {spec.target!r} holds {values.type}", "numbers, as in training", "check these rows"
            )
        y = values.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float)
        return np.where(np.isfinite(y), y, np.nan)
    codes = {label: code for code, label in enumerate(task.classes)}
    codes |= {str(label): code for label, code in codes.items()}  # 1 and "1" are one class, whatever file they come in
    found = [np.nan if v is None or v != v else codes.get(v, codes.get(str(v), -1)) for v in values.to_pylist()]
    return np.array(found, dtype=float)


def _evaluated(spec: TaskSpec, table: Table) -> tuple[pa.ChunkedArray, tuple[str, ...]]:
    """The target over a table, and the columns that it is computed from."""
    columns = columns_in(spec.target, table.names)
    if not columns:
        raise TargetError(
            f"table {table.name!r} has no column for the target {spec.target!r}",
            "one of: " + ", ".join(table.names[:12]) + (" …" if len(table.names) > 12 else ""),
            did_you_mean(spec.target, table.names) or "check the target's name",
        )
    if spec.target in table.names:
        return table.data.column(spec.target), columns
    return evaluate(spec.target, table.data, purpose="the target"), columns


def from_values(
    values: pa.ChunkedArray, kind: str = "auto", positive: Label | None = None, metric: str | None = None
) -> Target:
    """Settle the task for outcomes given directly (``fit(X, y)``)."""
    spec = TaskSpec.model_validate({"kind": kind, "positive": positive, "metric": metric, "target": "y"})
    return _settle(spec, values, ("y",), None, of_moments=_AS_VALUES)


def _settle(
    spec: TaskSpec,
    values: pa.ChunkedArray,
    columns: tuple[str, ...],
    seen: np.ndarray | None,
    of_moments: str = _AS_EXPRESSION,
) -> Target:
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    rows = len(values) if seen is None else len(seen)
    present = (values if seen is None else values.take(pa.array(seen))).drop_null()
    if pa.types.is_floating(values.type):
        present = present.filter(pc.is_finite(present))
    if rows == 0 or len(present) == 0:
        raise TargetError(
            f"the target {spec.target!r} has no value in {counted(rows, 'row')}",
            "rows with an outcome",
            "check the column or the expression",
        )
    levels = _levels(present)
    if len(levels) == 1:
        raise TargetError(
            f"the target {spec.target!r} is {levels[0]!r} in all {counted(len(present), 'row')} with an outcome",
            "at least two different outcomes",
            "nothing can be learned from one outcome (one class); check the expression or the selection of rows",
        )
    kind = _kind(spec, values.type, levels, of_moments)
    if kind == "regression":
        if not (
            pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_boolean(values.type)
        ):
            raise TargetError(
                f"the target {spec.target!r} holds {values.type}",
                "numbers for a regression",
                of_moments if pa.types.is_timestamp(values.type) else 'set task.kind = "binary" or "multiclass"',
            )
        y = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(float)
        y = np.where(np.isfinite(y), y, np.nan)
        task = Task(kind=kind, metric=spec.metric or DEFAULT_METRIC[kind], target=spec.target)
        return Target(task, y, columns, f"an amount between {np.nanmin(y):,.6g} and {np.nanmax(y):,.6g}")
    classes = _order(spec, levels, present, kind)
    lookup = {label: code for code, label in enumerate(classes)}
    y = np.array([np.nan if v is None else lookup.get(v, -1) for v in values.to_pylist()], dtype=float)
    task = Task(kind=kind, classes=classes, metric=spec.metric or DEFAULT_METRIC[kind], target=spec.target)
    said = f"the positive class is {classes[1]!r}" if kind == "binary" else f"{len(classes)} classes"
    return Target(task, y, columns, said)


def _levels(present: pa.ChunkedArray) -> list[Label]:
    found = pc.unique(present).to_pylist()
    return sorted(found, key=lambda v: (str(type(v)), v))


def _kind(spec: TaskSpec, type_: pa.DataType, levels: list[Label], of_moments: str) -> TaskKind:
    if spec.kind in LEARNABLE:
        kind: TaskKind = spec.kind
        if kind == "binary" and len(levels) != 2:
            raise TargetError(
                f"the target {spec.target!r} has {len(levels):,} different values",
                "two for a binary task",
                'set task.kind = "multiclass" or write a condition, such as "amount > 30"',
            )
        if kind == "multiclass" and len(levels) > 1000:
            raise TargetError(
                f"the target {spec.target!r} has {len(levels):,} classes",
                "at most 1,000",
                'set task.kind = "regression" or group the classes',
            )
        return kind
    if len(levels) == 2:
        return "binary"
    if pa.types.is_string(type_):
        if len(levels) > 1000:
            raise TargetError(
                f"the target {spec.target!r} is a text with {len(levels):,} values",
                "at most 1,000 classes",
                "is this an identifier? name another column",
            )
        return "multiclass"
    if pa.types.is_timestamp(type_):
        raise TargetError(
            f"the target {spec.target!r} is a point in time",
            "a class or an amount",
            of_moments,
        )
    if len(levels) <= _CLASS_LIMIT and all(float(v).is_integer() for v in levels):
        return "multiclass"
    return "regression"


def _order(spec: TaskSpec, levels: list[Label], present: pa.ChunkedArray, kind: TaskKind) -> tuple[Label, ...]:
    if kind != "binary":
        return tuple(levels)
    positive = spec.positive
    if positive is not None:
        match = [v for v in levels if v == positive or str(v) == str(positive)]
        if not match:
            raise TargetError(
                f"task.positive = {positive!r} is not among the outcomes",
                f"one of {levels}",
                did_you_mean(str(positive), [str(v) for v in levels]) or "correct task.positive",
            )
        chosen = match[0]
    elif all(isinstance(v, (bool, int, float)) for v in levels):
        chosen = max(levels)
    else:
        # Of two words the rarer is taken as the one worth finding; said in the record, changed by task.positive.
        counts = {str(c["values"]): int(c["counts"]) for c in pc.value_counts(present).to_pylist()}
        chosen = min(levels, key=lambda v: (counts[str(v)], str(v)))
    other = next(v for v in levels if v != chosen)
    return (other, chosen)
