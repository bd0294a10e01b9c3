"""What if prices or promotions were others: named, with a reason, kept apart from the model's forecast. What changes nothing says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.panel import Future
from holdgood.core.records import PanelNote
from holdgood.core.sql import evaluate
from holdgood.features.panels.reader import ReadPanel
from holdgood.workflow.forecasting.result import Forecasts


@dataclass(frozen=True)
class Scenario:
    """Other values of columns that are known ahead: SQL expressions over these columns, such as ``price * 0.9``."""

    name: str
    why: str
    changes: Mapping[str, str]


def under(forecasts: Forecasts, scenario: Scenario) -> Forecasts:
    """The same model from the same history, with the future as the scenario has it. DeclarationError for an unknown column.

    A column by which no forecast changes has a note in ``panel``.
    """
    if not scenario.name.strip() or not scenario.why.strip():
        raise DeclarationError("a scenario without a name or a reason", "both", "add --scenario NAME --why TEXT")
    changed = _changed(forecasts.read, scenario)
    report = forecasts.panel
    notes = (*report.notes, *_without_effect(forecasts, changed, scenario))
    return replace(forecasts, read=changed, panel=report.model_copy(update={"notes": notes}))


def _without_effect(forecasts: Forecasts, changed: ReadPanel, scenario: Scenario) -> list[PanelNote]:
    """A note on each column that changes no forecast: it is so already, the model does not read it, or it makes no difference to it."""
    model, read, notes = forecasts.model, forecasts.read, []

    def points(name: str, values: np.ndarray) -> np.ndarray:
        other = replace(read, future=Future(read.future.ds, {**read.future.known, name: values}))
        return model.paths(other, 1, forecasts.seed).point

    for name in scenario.changes:
        before, after = read.future.known[name], changed.future.known[name]
        if np.array_equal(before, after, equal_nan=True):
            said = f"{name} is so already in every step"
        else:
            own = points(name, before)
            if not np.array_equal(own, points(name, after), equal_nan=True):
                continue
            tries = _tries(before, after)
            if any(not np.array_equal(own, points(name, t), equal_nan=True) for t in tries):
                said = f"the model reads {name}, but forecasts the same at these values"
            else:
                said = f"the model does not read {name} (holdgood show ladder says why)"
        message = f"scenario {scenario.name!r} changes nothing by {name}: {said}"
        notes.append(PanelNote(code="without-effect", level="issue", message=message))
    return notes


def _tries(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, ...]:
    """Values of a column (series, horizon) at which a model that reads it would forecast otherwise: far off both ways, unknown, in turns."""
    both = np.concatenate([before.ravel(), after.ravel()])
    seen = both[np.isfinite(both)]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
    turns = np.where(np.arange(before.size).reshape(before.shape) % 2, low, high if high > low else high + 1.0)
    return np.full_like(before, low - 1.0), np.full_like(before, high + 1.0), np.full_like(before, np.nan), turns


def _changed(read: ReadPanel, scenario: Scenario) -> ReadPanel:
    plan, known = read.plan, dict(read.future.known)
    for name in scenario.changes:
        if name not in plan.known:
            raise DeclarationError(
                f"scenario {scenario.name!r} changes {name!r}, which is not declared as known ahead",
                "one of: " + (", ".join(plan.known) or "none is declared"),
                did_you_mean(name, plan.known) or "declare it under `known` in [forecast] and run again",
            )
    shape = read.future.ds.shape
    rows = pa.table({n: _words(read.future.known[n].ravel(), plan.levels.get(n)) for n in plan.known})
    for name, expression in scenario.changes.items():
        found = evaluate(expression, rows, purpose=f"scenario {scenario.name!r}: {name}").to_pylist()
        known[name] = _codes(found, plan.levels.get(name), name).reshape(shape)
    return replace(read, future=Future(read.future.ds, known))


def _words(values: np.ndarray, levels: tuple[str, ...] | None) -> pa.Array:
    if levels is None:
        return pa.array(values, from_pandas=True)
    return pa.array([None if np.isnan(v) else levels[int(v)] for v in values], pa.string())


def _codes(values: list[Any], levels: tuple[str, ...] | None, name: str) -> np.ndarray:
    if levels is None:
        wrong = next((v for v in values if v is not None and not isinstance(v, (bool, int, float, Decimal))), None)
        if wrong is not None:
            raise DataError(f"{name!r} becomes {wrong!r}", "a number", "correct the scenario")
        return np.array([np.nan if v is None else float(v) for v in values])
    places = {word: float(k) for k, word in enumerate(levels)}
    unknown = sorted({str(v) for v in values if v is not None and str(v).lower() not in {w.lower() for w in places}})
    if unknown:
        raise DataError(
            f"{name!r} has never been {unknown[0]!r}", "one of: " + ", ".join(levels[:12]), "correct the scenario"
        )
    lower = {w.lower(): k for w, k in places.items()}
    return np.array([np.nan if v is None else lower[str(v).lower()] for v in values])
