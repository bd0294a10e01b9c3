"""The steps of a forecasting run, one function each, and what restores them. Their order stands in line.py."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from holdgood.bundle import load as load_bundle
from holdgood.bundle import save as save_bundle
from holdgood.bundle import verify as verify_bundle
from holdgood.connectors import write_table
from holdgood.core.budget import Budget
from holdgood.core.errors import BundleError
from holdgood.core.records import Bundle, Forecast, ForecastEvaluation, Leaderboard, PanelReport
from holdgood.core.records.envelope import read, write_array, write_bytes
from holdgood.core.task import Task
from holdgood.evaluation.forecasts import PastForecasts, evaluate_forecasts
from holdgood.evaluation.item_cover import ItemChance
from holdgood.reports.forecast_report import ForecastView, render_forecast
from holdgood.reports.series_view import series_views
from holdgood.training.panels.segments import NAMES
from holdgood.workflow.folder import StepFolder, versions
from holdgood.workflow.forecasting.explained import explained
from holdgood.workflow.forecasting.fit import fit_panel, metric_of
from holdgood.workflow.forecasting.output import drawn, readable, write_all
from holdgood.workflow.forecasting.parts import model_of, parts_of
from holdgood.workflow.forecasting.shown import shown
from holdgood.workflow.forecasting.state import Forecasting
from holdgood.workflow.forecasting.tables import alive, panel_of, report_of
from holdgood.workflow.predict import for_bundle
from holdgood.workflow.work import Work

# Share of the budget kept for paths, bundle and report, and the seconds below which it never falls.
_RESERVE_SHARE, _RESERVE_SECONDS = 0.15, 5.0
PAST = ("y", "points", "naive", "scale", "segment", "square_scale", "pit", "crps", "quantile_loss")
"""What is kept of a backtest, by its names."""
PATHS, QUANTILES, TOTALS, LEVELS = "paths.parquet", "forecast", "lead_times", "levels"


def state(work: Work) -> Forecasting:
    """What the panel step has made."""
    assert work.forecasting is not None
    return work.forecasting


def make_panel(work: Work, folder: StepFolder) -> PanelReport:
    """The cleaned table as a panel, and everything that is odd about it."""
    metric_of(work.declaration)  # what is declared wrongly is told before the work, not after
    found = panel_of(work.declaration, work.tables, work.row_numbers)
    work.forecasting = Forecasting(found, report_of(found), alive(found))
    return work.forecasting.report


def train_forecasters(work: Work, folder: StepFolder) -> Leaderboard:
    """Try forecasters at past origins within what is left of the budget; keep the best and what it would have said."""
    now = state(work)
    fitted = fit_panel(now.read, now.alive, work.declaration, _left(work), work.listener)
    now.model, now.past, now.dropped = fitted.model, fitted.past, fitted.dropped
    work.leaderboard = fitted.leaderboard
    save_bundle(
        folder.path / "model",
        name="training",
        parts=parts_of(fitted.model),
        records={},
        task=_task(work),
        run=work.run.id,
    )
    arrays = {n: v for n in PAST if (v := getattr(fitted.past, n)) is not None}
    if fitted.past.items is not None:
        arrays["items"] = fitted.past.items.table
    arrays |= {f"lead-{n}": v for n, v in fitted.past.lead_pits.items()}
    for name, values in arrays.items():
        write_array(folder.path / f"past-{name}.npy", values)
    level = None if fitted.past.level is None else [str(v) for v in fitted.past.level]
    noted = {"dropped": list(fitted.dropped), "ids": [str(i) for i in fitted.past.ids], "level": level}
    write_bytes(folder.path / "past.json", json.dumps(noted).encode())
    return work.leaderboard


def load_forecasters(work: Work, folder: StepFolder) -> None:
    """Restore the leaderboard, the fitted model and the backtest."""
    now = state(work)
    work.leaderboard = read(folder.record, Leaderboard)
    now.model = model_of(load_bundle(folder.path / "model").parts)
    noted = json.loads((folder.path / "past.json").read_text(encoding="utf-8"))
    found = {
        p.stem.removeprefix("past-"): np.load(p, allow_pickle=False) for p in sorted(folder.path.glob("past-*.npy"))
    }
    leads = {int(n.removeprefix("lead-")): found.pop(n) for n in [k for k in found if k.startswith("lead-")]}
    items = found.pop("items", None)
    now.past = PastForecasts(np.array(noted["ids"], str), **found, segments=NAMES, lead_pits=leads,
        items=None if items is None else ItemChance(items),
        level=None if noted["level"] is None else np.array(noted["level"], str),
    )  # fmt: skip
    now.dropped = tuple(noted["dropped"])


def judge_backtest(work: Work, folder: StepFolder) -> ForecastEvaluation:
    """Accuracy over the naive, by kind of demand and step, and the cover of intervals."""
    now = state(work)
    assert now.past is not None
    declared = work.declaration.forecast
    now.evaluation = evaluate_forecasts(
        now.past, metric=metric_of(work.declaration), service_level=declared.service_level
    )
    return now.evaluation


def load_backtest(work: Work, folder: StepFolder) -> None:
    """Restore the evaluation."""
    state(work).evaluation = read(folder.record, ForecastEvaluation)


def make_forecast(work: Work, folder: StepFolder) -> Forecast:
    """Joint paths for every series that goes on; quantiles and sums over lead times in the user's columns."""
    now, declared = state(work), work.declaration.forecast
    assert now.model is not None and work.leaderboard is not None
    going = now.read.take(now.alive)
    seed = work.declaration.budget.seed
    now.answers = write_all(
        folder.path / PATHS, now.model, going, levels=declared.levels_out, leads=declared.lead_times,
        samples=declared.samples, seed=seed,
    )  # fmt: skip
    for name, table in ((QUANTILES, now.answers.steps), (TOTALS, now.answers.totals), (LEVELS, now.answers.levels)):
        if table is not None:
            write_table(table, folder.path / f"{name}.parquet")
            write_table(readable(table), folder.path / f"{name}.csv", for_people=True)
    last = now.read.panel.ds.max() if len(now.read.panel.ds) else np.datetime64("NaT")
    return Forecast(
        paths=PATHS, series=len(now.alive), horizon=now.read.plan.horizon, samples=declared.samples,
        frequency=now.read.panel.frequency, cutoff=str(last)[:19], method=work.leaderboard.chosen,
    )  # fmt: skip


def make_forecast_bundle(work: Work, folder: StepFolder) -> Bundle:
    """Save, verify, load again, and hold its forecasts of some series against the run's: the same, or nothing is delivered."""
    now = state(work)
    assert now.model is not None and now.evaluation is not None and work.leaderboard is not None
    target = work.run.path / "bundle"
    declared = for_bundle(work.declaration)
    save_bundle(
        target, name=work.declaration.name, parts={"plan": now.read.plan, **parts_of(now.model)},
        records={"leaderboard": work.leaderboard, "forecast-evaluation": now.evaluation, "panel": now.report},
        task=_task(work), run=work.run.id, data_fingerprint=work.main.fingerprint(),
        extra_json={"declaration": declared.model_dump(mode="json"), "last": now.report.last,
            "series": [str(i) for i in now.read.panel.ids[now.alive][now.read.panel.lengths[now.alive] > 0]],
        },
    )  # fmt: skip
    work.bundle = verify_bundle(target)
    again = model_of(load_bundle(target).parts)
    some = now.read.take(now.alive if now.model.coherent else now.alive[:20])
    first, second = (m.paths(some, 20, 0) for m in (now.model, again))
    if not np.array_equal(first.y, second.y, equal_nan=True) or not np.array_equal(
        first.point, second.point, equal_nan=True
    ):
        raise BundleError(
            "the saved bundle forecasts differently from the run",
            "the same to the bit",
            "nothing is delivered; please report it",
        )
    return work.bundle


def report_forecast(work: Work, folder: StepFolder) -> None:
    """One HTML file for the planner."""
    now = state(work)
    assert (
        now.model is not None and now.evaluation is not None and now.past is not None and work.leaderboard is not None
    )
    going = now.read.take(now.alive)
    picked = shown(going.panel, now.past, metric_of(work.declaration))
    places = np.array([place for place, _ in picked], np.int64)
    seed, samples, whole = (
        work.declaration.budget.seed,
        work.declaration.forecast.samples,
        now.model.coherent is not None,
    )
    some = going.take(places)
    found = list(drawn(now.model, going if whole else some, samples=samples, seed=seed))
    driven = explained(now.model, going if whole else some, found[0].point) if found else None
    driven = driven.take(places) if whole and driven else driven
    paths = [found[0].take(places)] if whole and found else found
    view = ForecastView(
        declaration=work.declaration, run_id=work.run.id, created_utc=str(work.run.status().get("started_utc", "")),
        panel=now.report, leaderboard=work.leaderboard, evaluation=now.evaluation, audit=work.audit_tables,
        series=series_views(some.panel, paths[0], [why for _, why in picked], now.past, now.dropped,
            (driven.names, driven.values) if driven else None) if paths else (),
        versions=versions(), steps=tuple(work.seconds),
    )  # fmt: skip
    write_bytes(work.run.path / "report.html", render_forecast(view).encode())


def _task(work: Work) -> Task:
    return Task(kind="forecast", metric=metric_of(work.declaration), target=work.declaration.task.target)


def _left(work: Work) -> Budget:
    """What training may spend of the whole."""
    if work.clock.budget.seconds is None:
        return work.clock.budget
    kept = max(_RESERVE_SHARE * work.clock.budget.seconds, _RESERVE_SECONDS)
    return replace(work.clock.budget, seconds=max(3.0, work.clock.left() - kept))
