"""Both passes of the audit over a case, through the library's own functions, as workflow/steps calls them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from case import Case

from holdgood.audit import audit
from holdgood.audit.run import GROUP
from holdgood.core import plugins
from holdgood.core.declaration import Declaration, parse
from holdgood.core.errors import HoldgoodError
from holdgood.core.protocols import AuditContext, Check
from holdgood.core.records import AuditReport
from holdgood.core.records.audit import Finding
from holdgood.splitting import divide
from holdgood.workflow.rows import moments
from holdgood.workflow.target import resolve


def _checks() -> tuple[dict[str, Check], dict[str, str]]:
    """Every registered check that can be loaded, and what those said that cannot: one broken file must not stop the others."""
    loaded, broken = {}, {}
    for code in plugins.names(GROUP):
        try:
            loaded[code] = plugins.load(GROUP, code)
        except Exception as error:  # told in the results: nothing is passed over in silence
            broken[code] = f"{type(error).__name__}: {error}"
    return loaded, broken


CHECKS, BROKEN = _checks()


@dataclass(frozen=True)
class Looked:
    """What both passes found; one that was not run is None."""

    tables: AuditReport | None
    target: AuditReport | None = None
    refused: str = ""

    @property
    def reports(self) -> list[AuditReport]:
        """The passes that were run."""
        return [r for r in (self.tables, self.target) if r is not None]

    @property
    def findings(self) -> list[Finding]:
        """Issues and tips of both passes."""
        return [f for r in self.reports for f in (*r.issues, *r.tips)]

    @property
    def skipped(self) -> list[str]:
        """Checks that broke down, with what they said."""
        return [f"{o.code}: {o.reason}" for r in self.reports for o in r.outcomes if o.status == "skipped"]


def look(
    case: Case, *, declared: bool, target: bool, first: bool = True, codes: tuple[str, ...] | None = None
) -> Looked:
    """Audit a case. ``declared``: the tables pass is told times, keys and joins; else the names of tables alone, as in
    ``holdgood audit FILE…``. ``target``: the second pass as well (it always knows what is declared); ``first=False``: that one alone.
    ``codes``: these checks alone, else all (a check never looks at what another one found).
    """
    checks = CHECKS if codes is None else {c: check for c, check in CHECKS.items() if c in codes}
    tables = case.as_tables()
    whole = {k: v for k, v in case.declared.items() if not k.startswith("_")}
    full = parse({**whole, "tables": {n: whole.get("tables", {}).get(n, {}) for n in tables}})
    told = full if declared else parse({"tables": {n: {} for n in tables}})
    one = audit(AuditContext(tables=tables, declaration=told), "tables", checks=checks) if first else None
    if not target:
        return Looked(one)
    try:
        context = _target_context(case, full, tables)
    except HoldgoodError as error:
        # what was planted breaks the declaration (a decision time over a column that is text now): a run would end here
        return Looked(one, refused=str(error).splitlines()[0])
    return Looked(one, audit(context, "target", checks=checks))


def _target_context(case: Case, declared: Declaration, tables: dict[str, Any]) -> AuditContext:
    """The second pass, as workflow/steps/wall.py prepares it: development rows, and the holdout without its outcome."""
    main = tables[case.main]
    task, spec = declared.task, declared.tables[case.main]
    time = moments(spec.time, main, purpose="time") if spec.time else None
    decided = task.decision_time or spec.time
    decision = moments(decided, main, purpose="task.decision_time") if decided else None
    whole = resolve(task, main)
    part = case.part if case.part is not None else divide(declared.split, whole.task, whole.y, time=time).part
    target = resolve(task, main, np.flatnonzero(part == 0))
    rows = np.flatnonzero(part == 0)
    return AuditContext(
        tables={n: t for n, t in tables.items() if n != case.main},
        declaration=declared,
        main=main.take(rows),
        y=target.y[rows],
        task=target.task,
        decision_time=None if decision is None else decision[rows],
        holdout=main.take(np.flatnonzero(part == 1)).drop(target.columns),
        target_columns=target.columns,
    )
