"""The systems of the forecasting benchmark, each in its own environment: history in, points and quantiles out.

Every function gets the history, the rows to come, and the job (frequency, season, horizon, columns, budget), and returns a frame with
unique_id, point and one column a level, `horizon` rows a series in order of time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

LEVELS = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975]
THREADS = 2


def holdgood(train: pd.DataFrame, future: pd.DataFrame, job: dict[str, Any]) -> pd.DataFrame:
    import holdgood as hg

    more = {k: job[k] for k in ("known", "static") if job[k]}
    found = hg.forecast(
        train, horizon=job["horizon"], target="y", id="unique_id", time="ds", frequency=job["frequency"],
        future=future if job["known"] else None, budget=job["budget"], declaration={"task": {"metric": job["metric"]}},
        seasons=job["seasons"] or ([job["season"]] if job["season"] > 1 else None), keep_ended=True, **more,
    )  # fmt: skip
    paths = found.paths
    quantiles = paths.quantile(np.array(LEVELS))
    ids = np.repeat(np.asarray(paths.ids), paths.horizon)
    out = pd.DataFrame(quantiles.reshape(len(ids), -1), columns=[str(v) for v in LEVELS])
    job["said"] = {"chosen": found.leaderboard.chosen, "members": found.leaderboard.members}
    return out.assign(unique_id=ids, point=paths.point.ravel())


def statsforecast_median(train: pd.DataFrame, future: pd.DataFrame, job: dict[str, Any]) -> pd.DataFrame:
    """The median of ETS, Theta and CES (Petropoulos & Svetunkov 2020), with the mean of their intervals."""
    from statsforecast import StatsForecast
    from statsforecast.models import AutoCES, AutoETS, AutoTheta, SeasonalNaive

    m, h = job["season"], job["horizon"]
    models = [AutoETS(season_length=m), AutoTheta(season_length=m), AutoCES(season_length=m)]
    fitter = StatsForecast(models, job["frequency"], n_jobs=THREADS, fallback_model=SeasonalNaive(season_length=m))
    got = fitter.forecast(df=train[["unique_id", "ds", "y"]], h=h, level=[50, 80, 90, 95])
    names = ["AutoETS", "AutoTheta", "CES"]
    out = pd.DataFrame({"unique_id": got["unique_id"].to_numpy(), "point": got[names].median(axis=1).to_numpy()})
    for level in LEVELS:
        side, width = ("lo" if level < 0.5 else "hi"), round(abs(2 * level - 1) * 100)
        columns = names if level == 0.5 else [f"{n}-{side}-{width}" for n in names]
        out[str(level)] = got[columns].median(axis=1).to_numpy()
    return out


def mlforecast_lightgbm(train: pd.DataFrame, future: pd.DataFrame, job: dict[str, Any]) -> pd.DataFrame:
    """LightGBM on lags, windows and calendar, first differences, conformal intervals; covariates that are known ahead."""
    import lightgbm as lgb
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean
    from mlforecast.target_transforms import Differences, LocalStandardScaler
    from mlforecast.utils import PredictionIntervals

    m, h = job["season"], job["horizon"]
    lags = list(range(1, max(m, 6) + 1)) + ([52, 53] if job["frequency"].startswith("W") else [])
    shortest = int(train.groupby("unique_id").size().min())
    lags = [v for v in lags if v < shortest - 2 * h - 2] or [1]
    keep = ["unique_id", "ds", "y", *job["known"], *job["static"]]
    data = _without_gaps(train[keep], job)
    for column in (*job["known"], *job["static"]):
        if data[column].dtype == object or str(data[column].dtype) == "category":
            codes = {v: i for i, v in enumerate(pd.unique(pd.concat([data[column], future[column]]).astype(str)))}
            data[column] = data[column].astype(str).map(codes)
            future = future.assign(**{column: future[column].astype(str).map(codes)})
    parts = {"D": ["dayofweek", "month"], "W": ["week"], "M": ["month"], "Q": ["quarter"]}.get(job["frequency"][0], [])
    fitter = MLForecast(
        models={"lgb": lgb.LGBMRegressor(n_estimators=300, learning_rate=0.05, num_leaves=31, n_jobs=THREADS, verbosity=-1)},
        freq=job["frequency"], lags=lags, lag_transforms={1: [RollingMean(min(max(m, 4), max(lags)))]}, date_features=parts,
        target_transforms=[Differences([1]), LocalStandardScaler()], num_threads=THREADS,
    )  # fmt: skip
    intervals = PredictionIntervals(n_windows=2, h=h) if shortest > 3 * h + max(lags) + 3 else None
    fitter.fit(data, static_features=list(job["static"]), prediction_intervals=intervals)
    x = None
    if job["known"]:
        x = fitter.make_future_dataframe(h).merge(
            future[["unique_id", "ds", *job["known"]]], how="left", on=["unique_id", "ds"]
        )
        x[list(job["known"])] = x.groupby("unique_id")[list(job["known"])].ffill().bfill()
    got = fitter.predict(h, X_df=x, level=[50, 80, 90, 95] if intervals else None)
    out = pd.DataFrame({"unique_id": got["unique_id"].to_numpy(), "point": got["lgb"].to_numpy()})
    for level in LEVELS if intervals else ():
        side, width = ("lo" if level < 0.5 else "hi"), round(abs(2 * level - 1) * 100)
        out[str(level)] = got["lgb" if level == 0.5 else f"lgb-{side}-{width}"].to_numpy()
    return out


def _without_gaps(train: pd.DataFrame, job: dict[str, Any]) -> pd.DataFrame:
    """Steps that are missing inside a history, filled with what was there before: mlforecast refuses gaps."""
    from utilsforecast.preprocessing import fill_gaps

    data = fill_gaps(train, freq=job["frequency"], start="per_serie", end="per_serie")
    if len(data) > len(train):
        rest = [c for c in data.columns if c not in ("unique_id", "ds")]
        data[rest] = data.groupby("unique_id")[rest].ffill()
    return data.reset_index(drop=True)


def autogluon(train: pd.DataFrame, future: pd.DataFrame, job: dict[str, Any]) -> pd.DataFrame:
    """AutoGluon-TimeSeries, medium quality, without models whose weights are downloaded."""
    from autogluon.timeseries import TimeSeriesDataFrame, TimeSeriesPredictor

    known = list(job["known"])
    data = TimeSeriesDataFrame.from_data_frame(
        train[["unique_id", "ds", "y", *known]], id_column="unique_id", timestamp_column="ds"
    )
    predictor = TimeSeriesPredictor(
        prediction_length=job["horizon"], target="y", freq=job["frequency"], known_covariates_names=known or None,
        quantile_levels=LEVELS, path=f"{job['folder']}/ag", verbosity=0, eval_metric="MASE",
    )  # fmt: skip
    predictor.fit(
        data, presets="medium_quality", time_limit=job["budget"],
        excluded_model_types=["Chronos", "Chronos2", "Toto2"],
    )  # fmt: skip
    ahead = None
    if known:
        ahead = predictor.make_future_data_frame(data).merge(
            future.rename(columns={"unique_id": "item_id", "ds": "timestamp"})[["item_id", "timestamp", *known]],
            how="left", on=["item_id", "timestamp"],
        )  # fmt: skip
        ahead[known] = ahead.groupby("item_id")[known].ffill().bfill()
        ahead = TimeSeriesDataFrame.from_data_frame(ahead)
    got = predictor.predict(data, known_covariates=ahead).reset_index()
    out = got.rename(columns={"item_id": "unique_id", "mean": "point"})
    return out[["unique_id", "point", *[str(v) for v in LEVELS]]]


def neural_lstm(train: pd.DataFrame, future: pd.DataFrame, job: dict[str, Any]) -> pd.DataFrame:
    """neuralforecast's LSTM with a quantile loss, as many steps as the budget allows (500 at most)."""
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MQLoss
    from neuralforecast.models import LSTM

    h = job["horizon"]
    model = LSTM(
        h=h, input_size=max(2 * h, 3 * job["season"]), loss=MQLoss(quantiles=LEVELS), scaler_type="robust", max_steps=500,
        enable_progress_bar=False, logger=False, accelerator="cpu", max_time={"seconds": int(job["budget"])}, start_padding_enabled=True,
    )  # fmt: skip
    fitter = NeuralForecast(models=[model], freq=job["frequency"])
    fitter.fit(train[["unique_id", "ds", "y"]])
    got = fitter.predict()
    got = got.reset_index() if "unique_id" not in got else got
    columns = [c for c in got.columns if c.startswith("LSTM")]
    out = pd.DataFrame(np.sort(got[columns].to_numpy(), axis=1), columns=[str(v) for v in LEVELS])
    return out.assign(unique_id=got["unique_id"].to_numpy(), point=out["0.5"])


System = Callable[[pd.DataFrame, pd.DataFrame, dict[str, Any]], pd.DataFrame]
SYSTEMS: dict[str, tuple[str, System]] = {
    "holdgood": ("", holdgood),
    "statsforecast median": ("nixtla", statsforecast_median),
    "mlforecast LightGBM": ("nixtla", mlforecast_lightgbm),
    "AutoGluon-TS medium": ("timeseries", autogluon),
    "neuralforecast LSTM": ("neural", neural_lstm),
}
