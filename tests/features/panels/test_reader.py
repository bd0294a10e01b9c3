import numpy as np
import pandas as pd
import pytest

from holdgood.bundle import load, save
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.table import Table
from holdgood.core.task import Task
from holdgood.features.panels.plan import PanelPlan
from holdgood.features.panels.reader import settle


def codes(read):
    return {n.code for n in read.notes}


def note(read, code):
    return next(n for n in read.notes if n.code == code)


def test_a_panel_is_the_table_by_another_road(sales, panel):
    frame = sales(("b", "a", "c"), 40).sample(frac=1, random_state=1)
    read = panel(frame)
    assert sorted(read.panel.ids) == ["a", "b", "c"]
    for i, name in enumerate(read.panel.ids):
        own = frame[frame.item == name].sort_values("day")
        part = slice(read.panel.indptr[i], read.panel.indptr[i + 1])
        assert np.array_equal(read.panel.y[part], own.sold)
        assert np.array_equal(read.panel.ds[part], own.day.to_numpy().astype("M8[us]"))
        assert read.keys.column("item")[i].as_py() == name
        assert read.future.ds[i].astype("M8[D]").tolist() == [
            (own.day.max() + pd.Timedelta(days=k)).date() for k in (1, 2, 3)
        ]
    assert read.panel.frequency == "D"
    assert read.panel.season == 7


def test_steps_without_a_row_are_missing_or_zero_as_declared(sales, panel):
    frame = sales(days=30)
    frame = frame[~((frame.item == "a") & (frame.day.dt.day.isin([5, 6, 29, 30])))]
    read = panel(frame)
    assert read.panel.lengths.tolist() == [28, 30]
    assert np.isnan(read.panel.y[4:6]).all()
    assert read.filled == 2
    assert "gaps" in codes(read)
    zero = panel(frame, fill="zero")
    assert zero.panel.lengths.tolist() == [30, 30]
    assert zero.panel.y[[4, 5, 28, 29]].tolist() == [0, 0, 0, 0]


def test_duplicates_are_refused_with_their_rows_or_made_one_as_declared(sales, panel):
    frame = pd.concat([sales(), sales().iloc[[7]]], ignore_index=True)
    with pytest.raises(DataError, match="rows 8 and 61") as caught:
        panel(frame)
    assert "'a' at 2024-01-08" in str(caught.value)
    summed = panel(frame, duplicates="sum")
    assert summed.panel.y[7] == 2 * frame.sold[7]
    assert panel(frame, duplicates="mean").panel.y[7] == frame.sold[7]
    assert note(summed, "duplicates").count == 1


def test_orders_at_any_moment_are_summed_onto_a_declared_step(panel):
    random = np.random.default_rng(0)
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(random.integers(0, 30 * 86_400, 500)), unit="s")
    frame = pd.DataFrame({"item": "a", "day": moments, "sold": 1.0})
    with pytest.raises(DataError):
        panel(frame)
    with pytest.raises(DataError, match="within one step"):
        panel(frame, frequency="D")
    read = panel(frame, frequency="D", duplicates="sum", fill="zero")
    expected = frame.groupby(frame.day.dt.floor("D")).sold.sum()
    assert np.array_equal(read.panel.y, expected)
    assert np.array_equal(read.panel.ds, expected.index.to_numpy().astype("M8[us]"))
    weeks = panel(frame, frequency="W", duplicates="sum")
    assert set(pd.DatetimeIndex(weeks.panel.ds).weekday) == {0}
    months = panel(frame, frequency="MS", duplicates="sum")
    assert months.panel.ds.astype("M8[D]").astype(str).tolist() == ["2024-01-01"]


def test_time_as_text_with_several_zones_is_told_and_counted_in_utc(sales, panel):
    frame = sales(("a",), 20)
    text = frame.day.dt.strftime("%Y-%m-%dT%H:%M:%S")
    frame["day"] = np.where(np.arange(20) % 2 == 0, text + "Z", text + "+01:00")
    read = panel(frame)
    assert note(read, "zones").level == "issue"
    assert "+01:00 (10 rows)" in note(read, "zones").message
    assert read.panel.lengths.tolist() == [20]


def test_years_as_numbers_are_years_and_other_numbers_are_refused(panel):
    frame = pd.DataFrame({"item": "a", "day": np.arange(1990, 2010), "sold": np.arange(20.0)})
    read = panel(frame)
    assert read.panel.frequency.startswith("YS")
    assert read.future.ds[0].astype("M8[Y]").astype(int).tolist() == [40, 41, 42]
    with pytest.raises(DataError, match="holds numbers"):
        panel(frame.assign(day=np.arange(20)))
    with pytest.raises(DataError, match="no date"):
        panel(frame.assign(day=["someday"] * 20))


def test_odd_outcomes_are_told_and_kept(sales, panel):
    frame = sales(("a", "b"), 100)
    frame.loc[3, "sold"], frame.loc[10, "sold"], frame.loc[12, "sold"] = -4, 2.5, np.inf
    read = panel(frame)
    assert note(read, "negative").rows == (4,)
    assert note(read, "fractions").rows == (11,)
    assert note(read, "infinite").rows == (13,)
    assert read.panel.y[3] == -4
    assert np.isnan(read.panel.y[12])


def test_odd_series_stand_side_by_side(sales, panel):
    frames = [
        sales(("long",), 7300, "2004-01-08"),
        sales(("short",), 21, "2023-12-14"),
        sales(("one",), 1, "2023-12-31"),
    ]
    frames += [sales(("zero",), 50, "2023-11-14").assign(sold=0.0), sales(("flat",), 50, "2023-11-14").assign(sold=2.0)]
    read = panel(pd.concat(frames))
    assert dict(zip(read.panel.ids.tolist(), read.panel.lengths.tolist(), strict=True)) == {
        "flat": 50, "long": 7300, "one": 1, "short": 21, "zero": 50,
    }  # fmt: skip
    for code, name in (("one-observation", "one"), ("all-zero", "zero"), ("constant", "flat")):
        assert note(read, code).series == (name,)
    assert "lengths" in codes(read)
    assert not read.ended.any()


def test_rows_without_id_or_time_are_left_out_and_told(sales, panel):
    frame = sales()
    frame.loc[2, "item"] = None
    frame.loc[40, "day"] = pd.NaT
    read = panel(frame)
    assert note(read, "no-id").rows == (3,)
    assert note(read, "no-time").rows == (41,)
    assert sorted(read.panel.ids) == ["a", "b"]


def test_only_what_is_declared_known_is_known_ahead(sales, panel):
    frame = sales().assign(price=2.0, profit=1.5, colour="red")
    frame.loc[frame.item == "b", "colour"] = "blue"
    future = sales(days=3, start="2024-01-31").drop(columns="sold").assign(price=[2.0, 2.1, 2.2] * 2)
    read = panel(frame, future=future, known="price")
    assert list(read.panel.known) == ["price"]
    assert list(read.panel.past) == ["profit"]
    assert read.panel.static["colour"].tolist() == [1.0, 0.0]
    assert read.panel.categories == {"colour"}
    assert read.future.known["price"].tolist() == [[2.0, 2.1, 2.2]] * 2
    assert panel(frame).panel.known == {}


def test_steps_ahead_without_their_known_columns_are_told(sales, panel):
    frame = sales().assign(price=2.0)
    future = sales(days=3, start="2024-01-31").drop(columns="sold").assign(price=2.0)
    with pytest.raises(DataError, match="lacks a value in 1 of 6 steps ahead: b at 2024-02-02"):
        panel(frame, future=future.iloc[:-1], known="price")
    with pytest.raises(DataError, match="lacks a value in 6 of 6"):
        panel(frame, known="price")
    with pytest.raises(DataError, match="lacks 'price'"):
        panel(frame, future=future.drop(columns="price"), known="price")


def test_an_empty_word_in_a_row_that_is_there_says_none(sales, panel):
    """An event column that is empty on most days: the row is there, so there is no event."""
    frame = sales().assign(event=None)
    frame.loc[frame.day.dt.day.isin([7, 14]), "event"] = "fair"
    future = sales(days=3, start="2024-01-31").drop(columns="sold").assign(event=[None, "fair", None] * 2)
    read = panel(frame, future=future, known="event")
    assert np.isnan(read.future.known["event"]).tolist() == [[True, False, True]] * 2
    with pytest.raises(DataError, match="lacks a value in 1 of 6 steps ahead: b at 2024-02-02"):
        panel(frame, future=future.iloc[:-1], known="event")


def test_rows_of_the_table_after_the_last_outcome_are_the_future(sales, panel):
    frame = sales(days=33).assign(price=lambda f: np.arange(len(f)) * 1.0)
    frame.loc[frame.day > "2024-01-30", "sold"] = np.nan
    read = panel(frame, known="price")
    assert read.panel.lengths.tolist() == [30, 30]
    assert read.future.known["price"].tolist() == [[30.0, 31.0, 32.0], [63.0, 64.0, 65.0]]


def test_new_items_come_from_the_table_of_items_or_the_future(sales, panel):
    items = pd.DataFrame({"item": ["a", "b", "n"], "group": ["x", "y", "x"], "size": [1.0, 2.0, 1.5]})
    future = sales(("a", "b", "n", "m"), 3, "2024-01-31").drop(columns="sold").assign(price=1.0)
    read = panel(sales().assign(price=1.0), items=items, future=future, known="price")
    assert read.panel.ids.tolist() == ["a", "b", "n", "m"]
    assert read.new.tolist() == [False, False, True, True]
    assert read.panel.static["group"][:3].tolist() == [0.0, 1.0, 0.0]
    assert np.isnan(read.panel.static["size"][3])
    assert (read.future.ds[2] == read.future.ds[0]).all()
    with pytest.raises(DataError, match="several rows for 'a'"):
        panel(sales(), items=pd.concat([items, items.iloc[[0]]]))


def test_items_that_ended_are_found_and_seasonal_ones_are_not(sales, panel):
    frame = sales(("alive", "gone", "rare"), 400)
    frame.loc[(frame.item == "gone") & (frame.day > "2024-05-01"), "sold"] = 0
    rare = frame.item == "rare"
    frame.loc[rare, "sold"] = np.where(np.arange(rare.sum()) % 40 == 5, 1.0, 0.0)
    read = panel(frame)
    assert read.ended.tolist() == [False, True, False]
    assert not panel(frame, keep_ended=True).ended.any()
    assert panel(frame, ended_after=20).ended.tolist() == [False, True, True]


def test_stock_outs_become_availability(sales, panel):
    frame = sales().assign(in_stock=True)
    frame.loc[4, "in_stock"] = False
    read = panel(frame, in_stock="in_stock")
    assert np.flatnonzero(~read.panel.available).tolist() == [4]
    assert "in_stock" not in read.panel.past


def test_holidays_of_a_country_are_known_ahead(sales, panel):
    pytest.importorskip("holidays")
    read = panel(sales(days=22, start="2023-12-01"), country="DE")
    assert read.future.known["public_holidays"].tolist() == [[0, 0, 1]] * 2
    assert read.future.known["day_before_holiday"].tolist() == [[0, 1, 1]] * 2
    monthly = sales(days=10, start="2023-01-31", freq="ME")
    assert panel(monthly, country="DE", horizon=2).future.known["public_holidays"].tolist() == [[0, 2]] * 2
    with pytest.raises(DeclarationError, match="Atlantis"):
        panel(sales(), country="Atlantis")


def test_several_id_columns_and_none(sales, panel, declared):
    frame = sales(("a", "b"), 20).assign(shop=1)
    both = pd.concat([frame, frame.assign(shop=2)])
    read = panel(both, id=["item", "shop"])
    assert read.panel.ids.tolist() == ["a / 1", "a / 2", "b / 1", "b / 2"]
    assert read.keys.column("shop").to_pylist() == [1, 2, 1, 2]
    single = panel(sales(("a",), 20).drop(columns="item"), id=[])
    assert len(single.panel) == 1


def test_what_is_declared_must_be_there(sales, panel):
    for words, match in (
        ({"known": "prize"}, "prize"),
        ({"id": "itm"}, "did you mean 'item'"),
        ({"time": "dya"}, "did you mean 'day'"),
    ):
        with pytest.raises(DataError, match=match):
            panel(sales(), **words)
    with pytest.raises(DeclarationError, match="no horizon"):
        panel(sales(), horizon=None)
    with pytest.raises(DataError, match="holds string"):
        panel(sales().assign(sold="much"))


def test_new_history_is_read_by_the_plan_of_a_bundle(sales, panel, declared, tmp_path):
    frame = sales(days=40).assign(
        kind=lambda f: np.where(f.item == "a", "x", "y"), weather=np.tile(["sun", "rain"], 40)
    )
    plan = settle(declared(), Table.of(frame, "sales"))
    task = Task(kind="forecast", metric="mase", target="sold")
    save(tmp_path / "b", name="b", parts={"plan": plan}, records={}, task=task)
    back = load(tmp_path / "b").parts["plan"]
    assert isinstance(back, PanelPlan)
    assert back == plan
    later = frame[frame.item == "b"].assign(weather="snow")
    read = panel(later, plan=back)
    assert read.panel.static["kind"].tolist() == [1.0]
    assert np.isnan(read.panel.past["weather"]).all()


def test_what_comes_after_the_cutoff_moves_nothing_before_it(sales, panel):
    frame = sales(days=30).assign(extra=1.0)
    plan = panel(frame).plan
    changed = frame.copy()
    late = changed.day > "2024-01-20"
    changed.loc[late, ["sold", "extra"]] = 99.0
    a, b = panel(frame, plan=plan).panel.until(10), panel(changed, plan=plan).panel.until(10)
    assert np.array_equal(a.y, b.y)
    assert np.array_equal(a.past["extra"], b.past["extra"])


def test_weeks_named_by_their_last_day_hold_the_days_before_it(panel):
    pytest.importorskip("holidays")
    days = pd.DataFrame({"item": "a", "day": pd.date_range("2023-10-02", "2023-12-24"), "sold": 1.0})
    resampled = days.resample("W-SUN", on="day").sold.sum().reset_index().assign(item="a")
    read = panel(resampled, country="DE", horizon=2)
    # the weeks of 25 December and of 1 January, named 31 December and 7 January
    assert read.future.ds.astype("M8[D]").astype(str).tolist() == [["2023-12-31", "2024-01-07"]]
    assert read.future.known["public_holidays"].tolist() == [[2, 1]]
    assert 'week = "start"' in note(read, "weeks").message
    starts = panel(resampled, country="DE", horizon=2, week="start")
    assert starts.future.known["public_holidays"].tolist() == [[1, 0]]
    mondays = resampled.assign(day=resampled.day - pd.Timedelta(days=6))
    assert panel(mondays, country="DE", horizon=2).future.known["public_holidays"].tolist() == [[2, 1]]
    summed = panel(days, frequency="W-SUN", duplicates="sum")
    assert summed.panel.y.tolist() == resampled.sold.tolist()
    assert summed.panel.ds.tolist() == resampled.day.to_numpy().astype("M8[us]").tolist()
    with pytest.raises(DeclarationError, match="steps of D"):
        panel(days, week="end")


def test_an_item_whose_rows_stop_has_ended_where_others_go_on(sales, panel):
    frame = sales(("gone", "on"), 60, start="2015-01-31", freq="ME").assign(price=1.0)
    frame = frame[(frame.item == "on") | (frame.day < "2016-01-01")]
    ahead = pd.DataFrame({"item": "on", "day": pd.date_range("2020-01-31", periods=3, freq="ME"), "price": 2.0})
    read = panel(frame, future=ahead, known="price")
    assert read.ended.tolist() == [True, False]
    assert note(read, "stopped").series == ("gone",)
    kept = panel(frame, keep_ended=True)
    assert not kept.ended.any()
    assert note(kept, "ragged").series == ("gone",)
    assert "48 steps" in note(kept, "ragged").message
    zero = frame.assign(sold=np.where(frame.item == "gone", 0.0, frame.sold))
    assert panel(zero).ended.tolist() == [True, False]
    assert (
        panel(frame[(frame.item == "on") | (frame.day < "2015-11-01")], ended_after=100).ended.tolist() == [False] * 2
    )


def test_series_of_different_times_each_have_their_own_end(sales, panel):
    frame = pd.concat([sales((f"s{k}",), 40, start=f"{1980 + 5 * k}-01-01", freq="MS") for k in range(5)])
    read = panel(frame)
    assert not read.ended.any()
    assert note(read, "ragged").count == 4
