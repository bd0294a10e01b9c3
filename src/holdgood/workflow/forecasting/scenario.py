"""What if prices or promotions were others, and what planners know better: named, with a reason, kept apart from the model's forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.panel import Future
from holdgood.core.sql import evaluate
from holdgood.core.table import Table
from holdgood.features.panels.moments import moments_of
from holdgood.features.panels.reader import ReadPanel
from holdgood.features.panels.series import names_of
from holdgood.workflow.forecasting.result import Forecasts

KINDS = ("factor", "add", "set")


@dataclass(frozen=True)
class Scenario:
    """Other values of columns that are known ahead: SQL expressions over these columns, such as ``price * 0.9``."""

    name: str
    why: str
    changes: Mapping[str, str]


def under(forecasts: Forecasts, scenario: Scenario) -> Forecasts:
    """The same model from the same history, with the future as the scenario has it. DeclarationError for an unknown column."""
    if not scenario.name.strip() or not scenario.why.strip():
        raise DeclarationError("a scenario without a name or a reason", "both", "add --scenario NAME --why TEXT")
    return replace(forecasts, read=_changed(forecasts.read, scenario))


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


def adjusted(steps: pa.Table, table: Table, read: ReadPanel) -> pa.Table:
    """The model's steps with planners' changes beside them: ``adjusted``, ``adjusted_by``, ``adjusted_why``.

    ``table``: id columns (some of them: it counts for all series that they name), the time column or none (every step), one of
    ``factor``, ``add`` and ``set``, and ``who`` and ``why``. DataError with rows for what cannot be applied.
    """
    kinds = [k for k in KINDS if k in table.names]
    lacking = [c for c in ("who", "why") if c not in table.names]
    if len(kinds) != 1 or lacking:
        raise DataError(
            f"the adjustments {table.name!r} have the columns {', '.join(table.names)}",
            "one of factor, add, set; who, why; id columns; the time column where it is not for every step",
            "name who changed the forecast, and why",
        )
    ids, plan = [c for c in read.plan.id if c in table.names], read.plan
    forecast = np.array(steps.column("forecast").to_numpy(zero_copy_only=False), float)
    value, who, why = forecast.copy(), np.full(len(forecast), None, object), np.full(len(forecast), None, object)
    moments = plan.moments(moments_of(table, plan.time)) if plan.time in table.names else None
    numbers = None if moments is None else plan.grid.number(moments)
    ahead = plan.grid.number(read.future.ds.ravel().astype("M8[us]").astype(np.int64))
    change = np.array(table.data.column(kinds[0]).to_numpy(zero_copy_only=False), float)
    nobody = np.empty(0, np.int64)
    asked = _keys(table.data.select(ids), numbers, table.rows)
    places = _places(_keys(steps.select(ids), None if numbers is None else ahead, len(forecast)))
    for k in range(table.rows):
        at = places.get(asked[k], nobody)
        said = {c: table.data.column(c)[k].as_py() for c in ("who", "why")}
        if not len(at) or not all(said.values()) or np.isnan(change[k]):
            raise DataError(
                f"adjustment {k + 1} of {table.name!r} cannot be applied",
                "a series and step of the forecast, a number, who and why",
                "correct this row, or take it out",
            )
        if any(w is not None for w in who[at]):
            raise DataError(
                f"adjustment {k + 1} of {table.name!r} changes what another has changed",
                "one a step",
                "keep one of them",
            )
        value[at] = {
            "factor": forecast[at] * change[k],
            "add": forecast[at] + change[k],
            "set": np.full(len(at), change[k]),
        }[kinds[0]]
        who[at], why[at] = said["who"], said["why"]
    out = steps
    for name, column in (
        ("adjusted", pa.array(value)),
        ("adjusted_by", pa.array(who, pa.string())),
        ("adjusted_why", pa.array(why, pa.string())),
    ):
        out = out.append_column(name, column)
    return out


def _keys(ids: pa.Table, numbers: np.ndarray | None, rows: int) -> list[tuple[str, int]]:
    """By row its series and the number of its step; what is not there counts for all."""
    names = names_of(ids).tolist() if ids.num_columns else [""] * rows
    return list(zip(names, [0] * rows if numbers is None else numbers.tolist(), strict=True))


def _places(keys: list[tuple[str, int]]) -> dict[tuple[str, int], np.ndarray]:
    found: dict[tuple[str, int], list[int]] = {}
    for k, key in enumerate(keys):
        found.setdefault(key, []).append(k)
    return {key: np.array(at, np.int64) for key, at in found.items()}
