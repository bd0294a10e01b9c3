"""What a model answered and what came of it, as arrays of its task: predictions and coded outcomes, by event time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.task import Task
from holdgood.journal.outcomes import Outcomes
from holdgood.workflow.live.outcome_columns import computed
from holdgood.workflow.predict import Predictor

DAY = 86_400_000_000
"""Microseconds."""


@dataclass(frozen=True, eq=False)
class Told:
    """One row an answer that was given (n,). ``moment``: int64 microseconds (UTC); ``prediction``: (n,) or (n, classes).

    ``y``: the outcome as the task codes it, NaN where none is settled: no label yet, one that may still change, or one that is only
    known in part; NaN too where the label is none of the task's classes.
    """

    id: np.ndarray
    place: np.ndarray
    digest: np.ndarray
    moment: np.ndarray
    prediction: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.id)

    @property
    def days(self) -> np.ndarray:
        """Moments in days since the epoch, (n,) float."""
        return self.moment / DAY

    def where(self, keep: np.ndarray) -> Told:
        """The rows of a mask or of positions."""
        return Told(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})


def told(found: Outcomes, model: Predictor) -> Told:
    """Rows that were answered; refused ones have no prediction and are left out."""
    there = np.array([bool(a) for a in found.answer], bool) & (found.verdict != "refused")
    rows = found.where(there)
    settled = rows.labelled & rows.final & ~rows.censored
    y = np.full(len(rows), np.nan)
    y[settled] = coded(list(rows.label[settled]), model)
    return Told(
        id=rows.id,
        place=rows.place,
        digest=rows.digest,
        moment=rows.event_time.astype("datetime64[us]").astype(np.int64),
        prediction=predictions(list(rows.answer), model.task),
        y=y,
    )


def predictions(answers: Sequence[Mapping[str, Any]], task: Task) -> np.ndarray:
    """What answers say, in the shapes of Task. DataError for answers of another kind of task."""
    if task.kind == "multiclass":
        columns = [[_chance(a, str(c)) for a in answers] for c in task.classes]
        return np.array(columns, np.float64).T.reshape(len(answers), len(columns))
    name = "probability" if task.kind == "binary" else "prediction"
    return np.array([_number(a, name) for a in answers], np.float64)


def _chance(answer: Mapping[str, Any], name: str) -> float:
    """Of one of several classes: by its name, as a server answers, or in a column of a table."""
    chances = answer.get("probabilities")
    return _number(chances, name) if isinstance(chances, Mapping) else _number(answer, f"probability_{name}")


def _number(answer: Mapping[str, Any], name: str) -> float:
    # a tail of underscores was added where a key of the row has the name already
    found = next((answer[k] for k in (name, f"{name}_", f"{name}__") if isinstance(answer.get(k), (int, float))), None)
    if found is None:
        raise DataError(
            f"an answer in the journal has no {name!r}: it has {', '.join(map(str, answer)) or 'nothing'}",
            "answers of this model's task",
            "check which model the journal speaks of",
        )
    return float(found)


def coded(labels: Sequence[Any], model: Predictor) -> np.ndarray:
    """Labels as the task codes them (n,), NaN for what is none of its classes.

    A label is the outcome itself, or a mapping with the columns that the target is computed from.
    """
    task, y = model.task, np.full(len(labels), np.nan)
    given = [i for i, label in enumerate(labels) if isinstance(label, Mapping)]
    if given:
        y[given] = computed([labels[i] for i in given], model)
    lookup = {_word(c): float(code) for code, c in enumerate(task.classes)}
    for i, label in enumerate(labels):
        if isinstance(label, Mapping) or label is None:
            continue
        y[i] = _amount(label) if task.kind == "regression" else lookup.get(_word(label), np.nan)
    return np.where(y >= 0, y, np.nan) if task.kind != "regression" else y


def meant(label: Any, task: Task) -> Any:
    """A plain label as the task spells it (a class, or a finite number); None where it is none of them."""
    if task.kind == "regression":
        return None if isinstance(label, bool) or not np.isfinite(_amount(label)) else label
    return next((c for c in task.classes if _word(c) == _word(label)), None)


def stray(label: Any, task: Task) -> str | None:
    """What is wrong with a plain label that the task cannot mean; None where it can, or where the task knows no outcomes of its own.

    Labels told as columns are tried by the target's own expression instead.
    """
    if isinstance(label, Mapping) or not (task.classes or task.kind == "regression"):
        return None
    if meant(label, task) is not None:
        return None
    if task.kind == "regression":
        return f"{str(label)[:60]!r} is no finite number, which an outcome of this model is"
    named = ", ".join(str(c).lower() if isinstance(c, bool) else str(c) for c in task.classes[:20])
    more = ", …" if len(task.classes) > 20 else ""
    return f"{str(label)[:60]!r} is none of the model's classes: {named}{more}"


def no_bound(task: Task) -> str | None:
    """What is wrong with an outcome of which only a lower bound is known (``censored``), where the task has none; None where it has."""
    if task.kind not in ("binary", "multiclass"):
        return None
    return (
        "censored: true, which says that the value is a lower bound, and an outcome of this model is a class, which has none; "
        "where it may still change say final: false instead, and where it is known leave censored out"
    )


def _word(value: Any) -> str:
    """``true``, ``True`` and True are one class; 1 and 1.0 too."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return text.lower() if text in ("True", "False") else text


def _amount(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")
    return number if np.isfinite(number) else float("nan")


def moment_of(text: str) -> datetime:
    """A time of the journal; without a zone UTC is meant."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def us_of(when: datetime | str) -> int:
    """Microseconds since the epoch (UTC)."""
    moment = moment_of(when if isinstance(when, str) else when.isoformat())
    return round(moment.timestamp() * 1e6)
