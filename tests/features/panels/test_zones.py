"""Times with a zone: a day is the day that people had there, and the zone is given back."""

import io

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import holdgood
from holdgood.connectors import read_table, write_table
from holdgood.core.table import Table
from holdgood.features.panels.reader import read_panel, settle

BERLIN = "Europe/Berlin"


def shown(read):
    return pd.Series(read.plan.shown(read.future.ds).to_pandas())


@pytest.mark.parametrize("frequency", [None, "D"])
def test_days_of_a_zone_stay_these_days(sales, panel, frequency):
    pytest.importorskip("holidays")
    frame = sales(("a",), 300, start="2023-02-27").assign(day=lambda t: t.day.dt.tz_localize(BERLIN))
    assert frame.day.max() == pd.Timestamp("2023-12-23", tz=BERLIN)
    read = panel(frame, country="DE", frequency=frequency)
    assert shown(read).tolist() == [pd.Timestamp(f"2023-12-{d}", tz=BERLIN) for d in (24, 25, 26)]
    assert read.future.known["public_holidays"].tolist() == [[0, 1, 1]]
    assert not {"off-grid", "zones"} & {n.code for n in read.notes}
    assert read.panel.lengths.tolist() == [300]


@pytest.mark.parametrize("freq", ["MS", "W-MON", "QS"])
def test_longer_steps_are_found_on_the_wall_clock(sales, panel, freq):
    frame = sales(("a",), 40, freq=freq)
    read = panel(frame.assign(day=frame.day.dt.tz_localize(BERLIN)))
    naive = panel(frame)
    assert read.plan.grid == naive.plan.grid
    assert np.array_equal(read.panel.ds, naive.panel.ds)


def test_hours_are_counted_in_utc_and_no_hour_comes_twice(sales, panel):
    pytest.importorskip("holidays")
    frame = sales(("a",), 24 * 61 - 1, freq="h", start="2023-10-25 00:00")
    frame["day"] = frame.day.dt.tz_localize("UTC").dt.tz_convert(BERLIN)
    read = panel(frame, country="DE")
    assert read.panel.lengths.tolist() == [24 * 61 - 1]
    assert read.filled == 0
    # the evening of Christmas Eve in UTC is Christmas in Berlin
    assert shown(read)[0] == pd.Timestamp("2023-12-25 00:00", tz=BERLIN)
    assert read.future.known["public_holidays"].tolist() == [[1, 1, 1]]


def test_texts_with_the_offsets_of_winter_and_summer(sales, panel, tmp_path):
    frame = sales(("a",), 300, start="2023-02-27").assign(day=lambda t: t.day.dt.tz_localize(BERLIN))
    frame.to_csv(tmp_path / "sales.csv", index=False)
    table = read_table(tmp_path / "sales.csv")
    assert table.zone_of("day") == "+02:00"
    read = panel(table.data.set_column(1, "day", pa.array(frame.day.astype(str))))
    for one in (read, read_panel(read.plan, table)):
        assert shown(one).astype(str).tolist() == ["2023-12-24", "2023-12-25", "2023-12-26"]


def test_the_future_and_new_history_may_be_written_otherwise(sales, panel, declared):
    frame = sales(("a",), 60).assign(price=1.0)
    zoned = frame.assign(day=frame.day.dt.tz_localize(BERLIN))
    ahead = pd.DataFrame({"item": "a", "day": pd.date_range("2024-03-01", periods=3), "price": [2.0, 3.0, 4.0]})
    for days in (ahead.day, ahead.day.dt.tz_localize(BERLIN), ahead.day.dt.tz_localize(BERLIN).dt.tz_convert("UTC")):
        read = panel(zoned, future=ahead.assign(day=days), known="price")
        assert read.future.known["price"].tolist() == [[2, 3, 4]]
    plan = settle(declared(known="price"), Table.of(zoned, "sales"))
    again = read_panel(plan, Table.of(frame, "sales"), future=Table.of(ahead, "future"))
    assert np.array_equal(again.panel.ds, read.panel.ds)
    naive = settle(declared(known="price"), Table.of(frame, "sales"))
    other = read_panel(naive, Table.of(zoned, "sales"), future=Table.of(ahead, "future"))
    assert np.array_equal(other.panel.ds, read.panel.ds)


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_a_frame_keeps_its_zone_on_the_way_in_and_out(sales, kind):
    frame = sales(("a",), 30).assign(day=lambda t: t.day.dt.tz_localize(BERLIN))
    given = {"pandas": frame, "polars": pl.from_pandas(frame), "arrow": pa.Table.from_pandas(frame)}[kind]
    made = holdgood.forecast(given, 2, target="sold", id="item", time="day", models=["naive"], budget="trials=2")
    found = made.frame.to_pandas() if kind != "pandas" else made.frame
    assert found.day.tolist() == [pd.Timestamp("2024-01-31", tz=BERLIN), pd.Timestamp("2024-02-01", tz=BERLIN)]


def test_moments_with_a_zone_are_written_so_that_they_are_read_again(tmp_path):
    data = pa.table({"day": pa.array(pd.date_range("2024-03-30", periods=3, tz=BERLIN))})
    for ending in ("csv", "parquet", "jsonl", "xlsx"):
        write_table(data, tmp_path / f"t.{ending}", for_people=True)
    back = read_table(tmp_path / "t.parquet")
    assert back.zone_of("day") == BERLIN
    assert read_table(tmp_path / "t.csv").data.column("day").to_pylist() == back.data.column("day").to_pylist()
    sheet = pd.read_excel(io.BytesIO((tmp_path / "t.xlsx").read_bytes()))
    assert sheet.day.astype(str).tolist() == ["2024-03-30", "2024-03-31", "2024-04-01"]
