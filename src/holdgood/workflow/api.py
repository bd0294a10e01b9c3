"""The public verbs: run, audit_tables, load, verify. They take frames or files and need no project file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from holdgood.audit import audit, installed
from holdgood.bundle import verify as verify_bundle
from holdgood.connectors import read_table
from holdgood.core.budget import Budget
from holdgood.core.declaration import Costs, Declaration, TableSpec, parse
from holdgood.core.errors import DeclarationError, HoldgoodError
from holdgood.core.events import Listener, silent
from holdgood.core.protocols import AuditContext
from holdgood.core.records import AuditReport, Bundle
from holdgood.core.table import Table
from holdgood.workflow.folder import Project
from holdgood.workflow.forecasting.in_use import ForecastModel
from holdgood.workflow.functions import hash_of, name_of
from holdgood.workflow.mistaken import need_bundle
from holdgood.workflow.predict import Predictor
from holdgood.workflow.read import read_or_say_why
from holdgood.workflow.result import Run
from holdgood.workflow.run import run as walk


def run(
    data: Any = None,
    target: str | None = None,
    *,
    time: str | None = None,
    decision_time: str | None = None,
    costs: Costs | None = None,
    metric: str | Callable[..., Any] | None = None,
    higher_is_better: bool | None = None,
    cost: Callable[..., Any] | None = None,
    groups: str | Sequence[str] = (),
    holdout: float | Literal["none"] | None = None,
    cutoff: str | None = None,
    budget: str | float | Budget | None = None,
    prefer: str | None = None,
    seed: int | None = None,
    declaration: Declaration | Mapping[str, Any] | None = None,
    project: Path | str = ".",
    listener: Listener = silent,
    fresh: bool = False,
) -> Run:
    """Walk the whole line and return the run.

    ``data``: a frame, a file, or a mapping of table names to either (the first is the main one); None uses the project's
    ``holdgood.toml``. Other arguments are short for the same words of the declaration; ``declaration`` says everything.
    ``metric(y, prediction[, weight])`` with ``higher_is_better``, and ``cost(rows, y, answer)`` an amount a row, may be
    functions: see docs/how-to/money.md. Runs are kept under ``project``/runs.
    """
    tables: dict[str, Any] = dict(data) if isinstance(data, Mapping) else ({} if data is None else {_name(data): data})
    if declaration is None:
        declared = Project.at(project).declaration if data is None else Declaration()
    else:
        declared = declaration if isinstance(declaration, Declaration) else parse(declaration)
    changes = declared.model_dump(mode="json", exclude_unset=True)
    for name in tables:
        changes.setdefault("tables", {}).setdefault(name, {})
    if not changes.get("tables"):
        raise DeclarationError("no data", "a frame, a file, or a declaration with tables", "holdgood.run(df, target=…)")
    main = changes.get("task", {}).get("table") or next(iter(changes["tables"]))
    _put(changes, ("task", "target"), target)
    _put(changes, ("task", "decision_time"), decision_time)
    _put(changes, ("tables", main, "time"), time)
    _put(changes, ("fairness", "groups"), ([groups] if isinstance(groups, str) else list(groups)) or None)
    _put(changes, ("split", "holdout"), holdout)
    _put(changes, ("split", "cutoff"), cutoff)
    _put(changes, ("budget", "prefer"), prefer)
    _put(changes, ("budget", "seed"), seed)
    _put(changes, ("costs",), None if costs is None else costs.model_dump(mode="json", exclude_unset=True))
    functions: dict[str, Callable[..., Any]] = {}
    _put(changes, ("task", "metric"), _named(metric, functions))
    _put(changes, ("task", "higher_is_better"), higher_is_better)
    _put(changes, ("costs", "function"), _named(cost, functions))
    if functions:
        changes.setdefault("code", {}).update({path: hash_of(one) for path, one in functions.items()})
    if budget is not None:
        spent = Budget.parse(budget)
        changes.setdefault("budget", {}).update(
            {"trials": spent.trials, "run": None if spent.seconds is None else f"{spent.seconds}s"}
        )
    return walk(
        Project(Path(project).resolve(), parse(changes)),
        sources=tables,
        listener=listener,
        fresh=fresh,
        functions=functions,
    )


def _named(given: str | Callable[..., Any] | None, functions: dict[str, Callable[..., Any]]) -> str | None:
    """The name for the declaration; a function is put among ``functions`` under it."""
    if given is None or isinstance(given, str):
        return given
    path = name_of(given)
    functions[path] = given
    return path


def _put(where: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    if value is None:
        return
    for step in path[:-1]:
        where = where.setdefault(step, {})
    where[path[-1]] = value


def _name(data: Any) -> str:
    return Path(str(data)).stem if isinstance(data, (str, Path)) else "table"


def audit_tables(data: Any, *, declaration: Declaration | None = None, listener: Listener = silent) -> AuditReport:
    """Look at one table (or a mapping of several) before anything else: left of the wall, no target needed.

    A source that cannot be read, or has no rows, becomes a finding and the others are audited; the error is raised where
    none can be read.
    """
    sources = dict(data) if isinstance(data, Mapping) else {_name(data): data}
    declared = declaration or Declaration(tables={n: TableSpec() for n in sources})
    tables: dict[str, Table] = {}
    unread: dict[str, HoldgoodError] = {}
    for name, source in sources.items():
        spec = declared.tables.get(name) or TableSpec()
        options, types = dict(spec.options), dict(spec.types)
        table = read_or_say_why(partial(read_table, source, name=name, options=options, types=types))
        if isinstance(table, HoldgoodError):
            unread[name] = table
        else:
            tables[name] = table
    if unread and not tables:
        raise next(iter(unread.values()))
    context = AuditContext(tables=tables, declaration=declared)
    return audit(context, "tables", checks=installed("tables"), listener=listener, unread=unread)


def load(folder: Path | str) -> Predictor | ForecastModel:
    """Verify and load a bundle: a predictor of rows, or a forecaster."""
    path = Path(folder)
    need_bundle(path)
    if not (path / "manifest.json").exists() and (path / "bundle" / "manifest.json").exists():
        path = path / "bundle"
    if verify_bundle(path).task.get("kind") == "forecast":
        return ForecastModel.load(path)
    return Predictor.load(path)


def verify(folder: Path | str) -> Bundle:
    """Check every file of a bundle against its manifest; TamperedError names the first that differs."""
    path = Path(folder)
    if not (path / "manifest.json").exists() and (path / "bundle" / "manifest.json").exists():
        path = path / "bundle"
    return verify_bundle(path)
