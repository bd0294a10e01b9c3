"""The audit's second pass: target and split, right of the wall, on development rows; for a run's steps and for files alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from holdgood.audit import audit
from holdgood.audit.unread import with_reading
from holdgood.core.declaration import Declaration
from holdgood.core.errors import DataError
from holdgood.core.events import Listener, silent
from holdgood.core.protocols import AuditContext, Check
from holdgood.core.records import AuditReport
from holdgood.core.table import Table
from holdgood.splitting import divide
from holdgood.splitting.divide import DEVELOPMENT, HOLDOUT, NO_OUTCOME
from holdgood.workflow.places import in_source
from holdgood.workflow.readable import left_out, moments_there, readable
from holdgood.workflow.rows import canonical_order
from holdgood.workflow.target import Target, resolve


def second_pass(
    tables: Mapping[str, Table], declared: Declaration, *, checks: Mapping[str, Check], listener: Listener = silent
) -> AuditReport:
    """Divide the main table as a run would, and look at target and split. Example rows are places in the main table given.

    Raises DeclarationError, TargetError or SplitError where the target, a time or the rows do not allow it.
    """
    name, seed = declared.main, declared.budget.seed
    whole_table, spec = tables[name], declared.tables[name]
    expression = declared.task.decision_time
    asked = [(e, p) for e, p in ((spec.time, "the main table's time"), (expression, "the moment of decision")) if e]
    read = [moments_there(e, whole_table, purpose=p) for e, p in asked]
    there = np.logical_and.reduce([t for _, t in read]) if read else np.ones(whole_table.rows, dtype=bool)
    if not there.any():
        raise DataError(
            "no row has a time", "rows with " + " and ".join(e for e, _ in asked), "repair these rows first"
        )
    places = canonical_order(whole_table)
    places = places[there[places]]
    main = whole_table.take(places)
    times = read[0][0][places] if read else None
    decided = read[-1][0][places] if read else None
    told = [left_out(whole_table, t, e) for (e, _), (_, t) in zip(asked, read, strict=True) if not t.all()]
    whole = resolve(declared.task, main)
    part = divide(declared.split, whole.task, whole.y, time=times, seed=seed).part
    target = resolve(declared.task, main, np.flatnonzero(part == DEVELOPMENT))
    others = {n: t for n, t in tables.items() if n != name}
    context, rows = context_of(main, others, declared, target, part, times=times, decided=decided)
    report = in_source(look(context, checks=checks, listener=listener), name, places[rows])
    return report.model_copy(update={"outcomes": with_reading(report.outcomes, told, "target")})


def look(context: AuditContext, *, checks: Mapping[str, Check], listener: Listener = silent) -> AuditReport:
    """Run the checks of the second pass, texts that are dates but for a few cells read as such."""
    context, told = readable(context)
    found = audit(context, "target", checks=checks, listener=listener)
    return found.model_copy(update={"outcomes": with_reading(found.outcomes, told, "target")})


def context_of(
    main: Table,
    others: Mapping[str, Table],
    declared: Declaration,
    target: Target,
    part: np.ndarray,
    *,
    times: np.ndarray | None,
    decided: np.ndarray | None,
) -> tuple[AuditContext, np.ndarray]:
    """What the checks of the second pass may look at, and the positions of those rows in the main table.

    ``part``: of each main row the part that it belongs to; ``times`` orders rows, ``decided`` is when decisions are taken.
    """
    rows = rows_to_look_at(part, times)
    context = AuditContext(
        tables=others,
        declaration=declared,
        main=main.take(rows),
        y=target.y[rows],
        task=target.task,
        decision_time=None if decided is None else decided[rows],
        holdout=main.take(np.flatnonzero(part == HOLDOUT)).drop(target.columns),
        target_columns=target.columns,
        seed=declared.budget.seed,
    )
    return context, rows


def rows_to_look_at(part: np.ndarray, times: np.ndarray | None) -> np.ndarray:
    """Development rows, and the rows without an outcome from the same stretch of time (``times``: microseconds, or None).

    Without a time, the share of outcome-less rows that belongs to development is drawn by position in the canonical order,
    so that nothing of the holdout's neighbourhood is looked at.
    """
    development, missing = np.flatnonzero(part == DEVELOPMENT), np.flatnonzero(part == NO_OUTCOME)
    if times is not None and len(development):
        missing = missing[times[missing] <= times[development].max()]
    else:
        usable = len(development) + int((part == HOLDOUT).sum())
        missing = missing[: round(len(missing) * len(development) / max(usable, 1))]
    return np.sort(np.concatenate([development, missing]))
