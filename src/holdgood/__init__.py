"""holdgood turns a company's tables into decisions that it can defend.

The verbs and nouns for people who live in Python; everything heavy is imported when it is first used (PEP 562).

    import holdgood as hg
    run = hg.run(df, target="late", time="ordered_at", costs=hg.Costs(miss=300, false_alarm=40), groups=["site"])
    run.verdict, run.audit.issues, run.leaderboard, run.holdout.money, run.fairness
    model = run.model
    hg.fit(X, y, budget="60s")          # a scikit-learn estimator, nothing else
    hg.forecast(sales, horizon=12)      # every series of a frame, with quantiles and joint paths
    hg.plan_orders(bundle, sales, stock).plan   # what to order now, why, and what is at stake
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdgood.core.budget import Budget
    from holdgood.core.declaration import Costs, Declaration
    from holdgood.core.errors import HoldgoodError
    from holdgood.core.table import Table
    from holdgood.workflow.api import audit_tables, load, run, verify
    from holdgood.workflow.estimator import HoldgoodClassifier, HoldgoodRegressor, fit
    from holdgood.workflow.folder import Project
    from holdgood.workflow.forecasting.api import forecast
    from holdgood.workflow.ordering.api import plan_orders

__version__ = "0.1.0"

_HOME = {
    "Budget": "holdgood.core.budget",
    "Costs": "holdgood.core.declaration",
    "Declaration": "holdgood.core.declaration",
    "HoldgoodClassifier": "holdgood.workflow.estimator",
    "HoldgoodError": "holdgood.core.errors",
    "HoldgoodRegressor": "holdgood.workflow.estimator",
    "Project": "holdgood.workflow.folder",
    "Table": "holdgood.core.table",
    "audit_tables": "holdgood.workflow.api",
    "fit": "holdgood.workflow.estimator",
    "forecast": "holdgood.workflow.forecasting.api",
    "load": "holdgood.workflow.api",
    "plan_orders": "holdgood.workflow.ordering.api",
    "run": "holdgood.workflow.api",
    "verify": "holdgood.workflow.api",
}

__all__ = [
    "Budget",
    "Costs",
    "Declaration",
    "HoldgoodClassifier",
    "HoldgoodError",
    "HoldgoodRegressor",
    "Project",
    "Table",
    "__version__",
    "audit_tables",
    "fit",
    "forecast",
    "load",
    "plan_orders",
    "run",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'holdgood' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
