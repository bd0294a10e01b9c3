"""The sets of forecasting: history, the steps to come with what is known of them, and the scores. Fixed by the data's `split`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from holdgood.metrics import series

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("HOLDGOOD_DATA", ROOT.parent / "shared" / "data")) / "forecast"


@dataclass(frozen=True)
class Kind:
    """How a set is read: file, rows of it, season that scales errors, frequency, horizon, columns in their roles."""

    file: str
    season: int
    frequency: str
    horizon: int
    where: str = ""
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    sample: int = 0
    least: int = 0
    metric: str = "mase"
    seasons: tuple[int, ...] = ()
    """Said to holdgood where the frequency would say something else; peers get ``season``."""
    whole: str = ""
    """The length of a step, where some were never recorded: only series with all steps to come are taken."""


KINDS = {
    "m3_yearly": Kind("m3", 1, "YS", 6, "period == 'Yearly'", metric="smape"),
    "m3_quarterly": Kind("m3", 4, "QS", 8, "period == 'Quarterly'", metric="smape"),
    "m3_monthly": Kind("m3", 12, "MS", 18, "period == 'Monthly'", metric="smape"),
    "m3_other": Kind("m3", 1, "D", 8, seasons=(1,), where="period == 'Other'", metric="smape"),
    "m1_monthly": Kind("m1", 12, "MS", 18, "period == 'Monthly'"),
    "m1_quarterly": Kind("m1", 4, "QS", 8, "period == 'Quarterly'"),
    "m5_store_dept": Kind(
        "m5_store_dept", 7, "D", 28, known=("event_name_1", "event_type_1", "snap"), static=("store_id", "dept_id")
    ),
    "favorita_weekly": Kind("favorita_weekly_21stores", 1, "W-TUE", 13, sample=1000, static=("store", "item")),
    "carparts": Kind("carparts", 1, "MS", 12, sample=1000, least=24),
    "walmart": Kind("walmart_45stores", 1, "W-FRI", 13, known=("Holiday_Flag",)),
    "dominicks": Kind(
        "dominicks_oj", 1, "W-THU", 12, known=("own_price", "deal", "feat"), static=("store", "brand"), whole="7D"
    ),
    "tourism": Kind("australia_tourism", 4, "QS", 8, static=("Region", "State", "Purpose")),
}


@dataclass(frozen=True)
class Panel:
    """One set: rows to learn from, rows to come without their outcome, outcomes (series, horizon) by id."""

    name: str
    kind: Kind
    train: pd.DataFrame
    future: pd.DataFrame
    ids: np.ndarray
    y: np.ndarray


def load(name: str) -> Panel:
    """Read a set. Series that end before the others have NaN for the steps that they lack."""
    kind = KINDS[name]
    frame = pd.read_parquet(DATA / f"{kind.file}.parquet")
    if kind.where:
        frame = frame.query(kind.where)
    frame = frame.assign(unique_id=frame["unique_id"].astype(str)).sort_values(["unique_id", "ds"])
    if kind.sample:
        every = np.sort(frame["unique_id"].unique())
        frame = frame[frame["unique_id"].isin(np.random.default_rng(0).choice(every, kind.sample, replace=False))]
    train, test = frame[frame["split"] == "train"], frame[frame["split"] == "test"]
    if kind.whole:  # weeks that nobody recorded have no covariates either: only series with all steps to come
        steps = pd.date_range(train["ds"].max(), periods=kind.horizon + 1, freq=kind.whole)[1:]
        there = test[test["ds"].isin(steps)].groupby("unique_id").size()
        ends = train.groupby("unique_id")["ds"].max()
        keep = there.index[there == kind.horizon].intersection(ends.index[ends == train["ds"].max()])
        train, test = train[train["unique_id"].isin(keep)], test[test["unique_id"].isin(keep)]
    if kind.least:
        long = train.groupby("unique_id").size()
        train = train[train["unique_id"].isin(long[long >= kind.least].index)]
    columns = ["unique_id", "ds", "y", *kind.known, *kind.static]
    train = train[train["unique_id"].isin(test["unique_id"].unique())][columns].reset_index(drop=True)
    test = test[test["unique_id"].isin(train["unique_id"].unique())]
    ids = np.sort(train["unique_id"].unique())
    y = np.full((len(ids), kind.horizon), np.nan)
    place = pd.Index(ids).get_indexer(test["unique_id"])
    step = test.groupby("unique_id").cumcount().to_numpy()
    inside = step < kind.horizon
    y[place[inside], step[inside]] = test["y"].to_numpy(float)[inside]
    return Panel(name, kind, train, test[[c for c in columns if c != "y"]].reset_index(drop=True), ids, y)


def scores(panel: Panel, point: np.ndarray, quantiles: np.ndarray | None, levels: np.ndarray) -> dict[str, float]:
    """sMAPE over points, MASE over series, OWA against Naive2, WAPE, bias, RMSSE; with quantiles (series, horizon, levels)
    the mean weighted pinball loss and the cover of the central intervals."""
    history = [g.to_numpy(float) for _, g in panel.train.groupby("unique_id")["y"]]
    season = panel.kind.season
    scale = series.scales(history, season)
    yard = np.stack([series.naive2(h, season, panel.kind.horizon) for h in history])
    found = {
        "smape": float(np.nanmean(series.smape_points(panel.y, point))),
        "mase": float(np.nanmean(series.mase(panel.y, point, scale))),
        "rmsse": float(np.nanmean(series.rmsse(panel.y, point, series.scales(history, season, power=2)))),
        "wape": series.wape(panel.y, point),
        "bias": series.bias(panel.y, point),
    }
    smape2 = float(np.nanmean(series.smape_points(panel.y, yard)))
    mase2 = float(np.nanmean(series.mase(panel.y, yard, scale)))
    found["owa"] = 0.5 * (found["smape"] / smape2 + found["mase"] / mase2)
    if quantiles is not None:
        there = ~np.isnan(panel.y)
        loss = 2.0 * series.pinball(panel.y, quantiles, levels).mean(axis=-1)
        found["quantile_loss"] = float(loss[there].sum() / np.abs(panel.y[there]).sum())
        for one in (0.5, 0.8, 0.9, 0.95):
            low, high = (int(np.argmin(np.abs(levels - v))) for v in ((1 - one) / 2, (1 + one) / 2))
            inside = (panel.y >= quantiles[..., low]) & (panel.y <= quantiles[..., high])
            found[f"cover_{int(100 * one)}"] = float(inside[there].mean())
    return {k: round(v, 5) for k, v in found.items()}
