"""``holdgood.forecast``: from a frame to forecasts in one call, without a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdgood.connectors import read_table
from holdgood.core.budget import Budget, Clock
from holdgood.core.declaration import Declaration, parse
from holdgood.core.events import Listener, silent
from holdgood.evaluation.forecasts import evaluate_forecasts
from holdgood.workflow.forecasting.fit import fit_panel, metric_of
from holdgood.workflow.forecasting.guess import guess
from holdgood.workflow.forecasting.result import Forecasts
from holdgood.workflow.forecasting.tables import alive, panel_of, report_of
from holdgood.workflow.named import check_rows

_HISTORY, _FUTURE, _ITEMS = "history", "future", "items"


def forecast(
    data: Any,
    horizon: int | None = None,
    *,
    target: str | None = None,
    id: str | Sequence[str] | None = None,
    time: str | None = None,
    frequency: str | None = None,
    future: Any = None,
    items: Any = None,
    budget: str | float | Budget | None = None,
    models: Sequence[str] = (),
    prefer: str | None = None,
    seed: int = 0,
    declaration: Declaration | Mapping[str, Any] | None = None,
    listener: Listener = silent,
    **more: Any,
) -> Forecasts:
    """Forecast every series of a frame or file ``horizon`` steps ahead, with quantiles and joint paths.

    ``id``, ``time`` and ``target`` are guessed where they are not named. ``future``: a frame with the steps ahead and the columns that
    are ``known``; ``items``: one row a series with attributes, also of items without history. Further words are those of
    ``[forecast]`` in the declaration (``known``, ``past``, ``static``, ``fill``, ``country``, ``in_stock``, ``lead_times`` …), or give
    a ``declaration``. ``prefer``: simple, balanced or best; default what is declared, else best.
    Default budget: a minute. Raises DataError with the rows that it is about.
    """
    table = check_rows(read_table(data, name=_HISTORY))
    declared = _declared(declaration, table, horizon, target, id, time, frequency, more)
    tables = {declared.main: table}
    changes: dict[str, Any] = {}
    for role, given in ((_FUTURE, future), (_ITEMS, items)):
        if given is not None:
            name = getattr(declared.forecast, role) or role
            tables[name] = check_rows(read_table(given, name=name))
            changes[role] = name
    spec = declared.forecast.model_copy(update=changes)
    said = {"models": list(models), "prefer": prefer or _preferred(declared), "seed": seed}
    spent = declared.budget.model_copy(update={k: v for k, v in said.items() if v})
    declared = declared.model_copy(update={"forecast": spec, "budget": spent})
    metric_of(declared)
    clock = Clock(Budget.parse(budget, "60s"))
    read = panel_of(declared, tables)
    going = alive(read)
    left = clock.budget if clock.budget.seconds is None else Budget(seconds=max(3.0, 0.95 * clock.left()))
    fitted = fit_panel(read, going, declared, left, listener)
    evaluation = evaluate_forecasts(fitted.past, metric=metric_of(declared), service_level=spec.service_level)
    return Forecasts(
        fitted.model, read.take(going), report_of(read), spec.levels_out, tuple(spec.lead_times), spec.samples,
        declared.budget.seed, table.native, fitted.leaderboard, evaluation,
    )  # fmt: skip


def _preferred(declared: Declaration) -> str:
    return declared.budget.prefer if "prefer" in declared.budget.model_fields_set else "best"


def _declared(
    given: Declaration | Mapping[str, Any] | None,
    table: Any,
    horizon: int | None,
    target: str | None,
    id: str | Sequence[str] | None,
    time: str | None,
    frequency: str | None,
    more: Mapping[str, Any],
) -> Declaration:
    base = (given if isinstance(given, Declaration) else parse(given)) if given is not None else Declaration()
    changes = base.model_dump(mode="json", exclude_unset=True)
    if not changes.get("tables"):
        changes["tables"] = {_HISTORY: {}}
    said = {"horizon": horizon, "id": [id] if isinstance(id, str) else id, "time": time, "frequency": frequency, **more}
    spec = {**changes.get("forecast", {}), **{k: v for k, v in said.items() if v is not None}}
    task = {**changes.get("task", {}), "kind": "forecast"}
    if target is not None:
        task["target"] = target
    known = spec.get("known", [])
    ids, moment, goal = guess(
        table, spec.get("id"), spec.get("time"), task.get("target"), [known] if isinstance(known, str) else known
    )
    spec |= {"id": ids, "time": moment}
    task |= {"target": goal}
    return parse({**changes, "forecast": spec, "task": task}, where="holdgood.forecast")
