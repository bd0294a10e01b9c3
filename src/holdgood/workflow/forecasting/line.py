"""The line of a forecasting task, in order."""

from __future__ import annotations

from holdgood.workflow import steps
from holdgood.workflow.forecasting import steps as own
from holdgood.workflow.step import Step

FORECAST_LINE: tuple[Step, ...] = (
    Step("read", steps.read_tables, None, (), ("connectors", "workflow"), ("tables", "task")),
    Step("audit-tables", steps.audit_tables, steps.load_audit_tables, ("read",), ("audit",), ("audit", "fairness")),
    Step("clean", steps.clean_tables, None, ("read",), ("cleaning",), ("repairs",)),
    Step("panel", own.make_panel, None, ("clean",), ("features",), ("forecast",)),
    Step(
        "train",
        own.train_forecasters,
        own.load_forecasters,
        ("panel",),
        ("training", "models", "features", "scale", "bundle", "evaluation", "workflow"),
        ("budget", "task", "forecast"),
    ),
    Step("evaluate", own.judge_backtest, own.load_backtest, ("train",), ("evaluation",), ("forecast.service_level",)),
    Step("forecast", own.make_forecast, None, ("train",), ("workflow",), ("forecast",)),
    Step("bundle", own.make_forecast_bundle, None, ("evaluate", "forecast"), ("bundle", "workflow"), ("name",)),
    Step("report", own.report_forecast, None, ("bundle",), ("reports", "workflow")),
)
