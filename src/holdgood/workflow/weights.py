"""What a row counts: a declared column or an array, and weights of classes. Zero leaves a row out, below zero is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.sql import evaluate
from holdgood.core.table import Table
from holdgood.core.task import Label, Task
from holdgood.core.text import counted


def amounts(values: pa.ChunkedArray, what: str) -> np.ndarray:
    """Weights as float64, (n,); DataError for anything but finite numbers of zero or more, some of them above zero."""
    numeric = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    if not numeric or values.null_count:
        raise DataError(
            f"{what} holds {values.type}"
            if not numeric
            else f"{what} is missing in {counted(values.null_count, 'row')}",
            "a number in every row: how much the row counts",
            "repair these rows, or leave them out",
        )
    weight: np.ndarray = values.cast(pa.float64(), safe=False).to_numpy()
    bad = ~np.isfinite(weight) | (weight < 0)
    if bad.any():
        raise DataError(
            f"{what} is negative or infinite in {int(bad.sum()):,} of {len(weight):,} rows",
            "finite weights of zero or more",
            "repair these rows; a weight of zero leaves a row out",
        )
    if not weight.any():
        raise DataError(f"{what} is zero in every row: all weights are zero", "some weights above zero", "check it")
    return weight


def row_weights(expression: str | None, table: Table, y: np.ndarray) -> np.ndarray | None:
    """What each row of a table counts, (n,), zero where it has no outcome; None where nothing is declared."""
    if not expression:
        return None
    there = np.isfinite(y)
    given = evaluate(expression, table.data, purpose="task.weight")
    found = np.zeros(len(y))
    found[there] = amounts(given.filter(pa.array(there)), f"task.weight = {expression!r}")
    return found


def class_weights(given: Any, task: Task, y: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray | None:
    """Weights by class code, shape (k,), or None where none are wanted.

    ``balanced``: rows / (classes x rows of the class), rows counted by ``weight``, so that all classes count the same
    together. A mapping names classes by label, in any spelling that TOML allows; what it leaves out counts 1.
    """
    if given is None or given == {}:
        return None
    if task.kind == "regression":
        raise DeclarationError(
            "class weights for a regression", "classes", "take class_weight away; weigh rows instead"
        )
    if given == "balanced":
        counts = np.bincount(y.astype(np.int64), weights=weight, minlength=task.n_classes)
        there = counts > 0
        return np.where(there, counts.sum() / (there.sum() * np.where(there, counts, 1.0)), 1.0)
    if not isinstance(given, Mapping):
        raise DeclarationError(f"class_weight = {given!r}", '"balanced", or a weight a class', "correct class_weight")
    position = {name: i for i, label in enumerate(task.classes) for name in spellings(label)}
    found = np.ones(task.n_classes)
    for label, amount in given.items():
        names = [n for n in spellings(label) if n in position]
        if not names:
            raise DeclarationError(
                f"class_weight names the class {label!r}",
                "one of: " + ", ".join(str(c) for c in task.classes),
                did_you_mean(str(label), position) or "check the spelling",
            )
        number = float(amount)
        if not (np.isfinite(number) and number > 0):
            raise DeclarationError(
                f"class_weight of {label!r} is {amount}",
                "a finite number above zero",
                "to learn without a class, leave its rows out",
            )
        found[position[names[0]]] = number
    return found


def spellings(label: Label | np.generic) -> tuple[str, ...]:
    """How a class may be written as a key."""
    value = label.item() if isinstance(label, np.generic) else label
    if isinstance(value, bool):
        return str(value).lower(), str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value)), str(value)
    return (str(value),)
