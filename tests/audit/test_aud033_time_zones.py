from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdgood.audit.aud033_time_zones import CHECK
from holdgood.audit.clock_runs import REGIONS, sundays
from holdgood.audit.timeline import HOUR
from holdgood.core.declaration import parse
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table

N = 24 * 500
UTC_HOURS = pd.date_range("2022-01-10", periods=N, freq="h")


def _run(frame, **spec):
    return CHECK.run(AuditContext({"t": Table.of(frame, "t")}, parse({"tables": {"t": spec}})))


def _measured(clock, seed=0):
    """Something with a daily profile, by the hours of a clock."""
    rng = np.random.default_rng(seed)
    hour = clock.hour.to_numpy()
    return np.where((hour >= 7) & (hour < 20), 10.0 + (hour - 7) * 0.3, 2.0) + rng.normal(0, 0.5, len(hour))


def test_an_honest_clock_is_silent():
    assert _run(pd.DataFrame({"when": UTC_HOURS, "v": _measured(UTC_HOURS)})) == []


@pytest.mark.parametrize(
    ("zone", "region"),
    [("Europe/Paris", "Europe"), ("America/New_York", "North America"), ("Australia/Melbourne", "Australia")],
)
def test_a_local_clock_is_found(zone, region):
    local = UTC_HOURS.tz_localize("UTC").tz_convert(zone).tz_localize(None)
    (finding,) = _run(pd.DataFrame({"when": local, "v": _measured(local)}))
    assert region in finding.message
    assert (finding.level, finding.evidence["nights"]) == ("issue", 3)
    (told,) = _run(pd.DataFrame({"when": local, "v": _measured(local)}), timezone=zone)
    assert told.level == "tip"


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Melbourne", "Pacific/Auckland"])
def test_change_days_are_those_of_the_zone_database(zone):
    region = {"Europe/Paris": "Europe", "America/New_York": "North America", "Australia/Melbourne": "Australia"}
    low, high = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) * 10**6 for y in (2014, 2022))
    ours = sorted(sundays(REGIONS[region.get(zone, "New Zealand")][0], low, high))
    hours = pd.date_range("2014-01-01", "2022-01-01", freq="h", tz="UTC").tz_convert(ZoneInfo(zone))
    offset = np.array([t.utcoffset().total_seconds() for t in hours])
    forward = hours[1:][np.diff(offset) > 0]
    assert [pd.Timestamp(t, unit="us").date() for t in ours] == [t.date() for t in forward]


@pytest.mark.parametrize("hours", [5, -7])
def test_a_stretch_in_another_zone_is_found(hours):
    when = UTC_HOURS.to_series(index=range(N))
    when.iloc[3000:4500] += pd.Timedelta(hours=hours)
    (finding,) = _run(pd.DataFrame({"when": when, "v": np.random.default_rng(0).normal(size=N)}))
    assert finding.evidence["hours"] == hours
    assert abs(finding.rows - 1500) <= 2 * abs(hours)


def test_single_rows_in_another_zone_are_found():
    rng = np.random.default_rng(3)
    when = UTC_HOURS.to_series(index=range(N))
    moved = rng.choice(np.arange(20, N - 20), 400, replace=False)
    when.iloc[moved] += pd.Timedelta(hours=-6)
    (finding,) = _run(pd.DataFrame({"when": when, "v": rng.normal(size=N)}))
    assert finding.evidence["hours"] == -6
    assert 300 <= finding.rows <= 400


def test_a_second_clock_tells_the_rows_exactly_and_proposes_the_repair():
    rng = np.random.default_rng(4)
    when = pd.Series(pd.Timestamp("2023-02-01") + pd.to_timedelta(rng.integers(0, 200 * 24, 6000), unit="h"))
    frame = pd.DataFrame({"when": when, "hour": when.dt.hour, "v": rng.normal(size=6000)})
    moved = rng.choice(6000, 60, replace=False)
    frame.loc[moved, "when"] += pd.Timedelta(hours=3)
    (finding,) = _run(frame)
    assert (finding.rows, finding.evidence["hours"], finding.columns) == (60, 3.0, ("when", "hour"))
    assert set(finding.examples) <= set(moved)
    assert finding.proposal.parameters == {"hours": -3.0, "where": '(hour("when") - "hour" + 24) % 24 IN (3)'}


def test_local_hours_beside_a_universal_clock_are_honest():
    local = UTC_HOURS.tz_localize("UTC").tz_convert("America/New_York")
    frame = pd.DataFrame({"when": UTC_HOURS, "hour": local.hour, "v": np.random.default_rng(5).normal(size=N)})
    assert _run(frame) == []


def test_what_follows_local_clocks_is_a_tip():
    local = UTC_HOURS.tz_localize("UTC").tz_convert("Europe/Paris")
    (finding,) = _run(pd.DataFrame({"when": UTC_HOURS, "v": _measured(local)}))
    assert (finding.level, finding.columns) == ("tip", ("when", "v"))
    assert "Europe" in finding.message


def test_a_clock_set_forward_for_good_is_found():
    when = UTC_HOURS.to_series(index=range(N)).copy()
    v = _measured(UTC_HOURS)
    when.iloc[6000:] += pd.Timedelta(hours=4)
    (finding,) = _run(pd.DataFrame({"when": when, "v": v}))
    assert (finding.evidence["hours"], finding.rows) == (4.0, N - 6000)


def test_a_series_that_runs_behind_is_found():
    rng = np.random.default_rng(6)
    weather = np.cumsum(rng.normal(size=3000))
    frames = []
    for k, name in enumerate("abcde"):
        shift = 3 if name == "c" else 0
        at = UTC_HOURS[20 + shift : 2920 + shift]
        frames.append(pd.DataFrame({"when": at, "place": name, "v": weather[20:2920] + rng.normal(0, 0.2, 2900) + k}))
    (finding,) = _run(pd.concat(frames, ignore_index=True))
    assert (finding.evidence["hours"], finding.evidence["series"], finding.rows) == (3.0, 1, 2900)
    assert finding.sure == "possible"


def test_rows_written_twice_are_no_time_zone():
    frame = pd.DataFrame({"when": UTC_HOURS, "v": _measured(UTC_HOURS)})
    assert _run(pd.concat([frame, frame.iloc[100:106]], ignore_index=True)) == []


def test_not_applicable_to_days(tables_of, refuses):
    days = np.datetime64("2023-01-01", "us") + (np.arange(90) * 24 * HOUR).astype("timedelta64[us]")
    assert refuses(CHECK, tables_of({"t": {"when": pa.array(days)}})) == "no table has a time with hours"


@pytest.mark.data
def test_victoria_uses_local_clocks_and_its_table_does_not(shared_data):
    file = shared_data / "quality" / "vic_elec.parquet"
    if not file.exists():
        pytest.skip(f"shared data not found: {file.name}")
    (finding,) = _run(pq.read_table(file))
    assert (finding.level, finding.evidence["change_days"]) == ("tip", 6)
    assert "Australia" in finding.message
