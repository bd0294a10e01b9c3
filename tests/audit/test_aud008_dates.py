from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit.aud008_dates import CHECK
from holdgood.audit.dates_written import dates
from holdgood.audit.written import vocabulary
from holdgood.core.table import Table
from holdgood.testing.check import check_check

rng = np.random.default_rng(4)
DAY = 86400 * 10**6


def _days(first, n):
    return np.datetime64(first, "us") + (rng.integers(0, 700, n) * DAY).astype("timedelta64[us]")


@pytest.mark.parametrize(
    ("odd", "side"), [("1803-05-01", "early"), ("2199-01-01", "late"), ("9999-12-31", "late"), ("1900-01-01", "early")]
)
@pytest.mark.parametrize("cells", [1, 7, 60])
def test_dates_far_away_are_counted(tables_of, odd, side, cells):
    when = _days("2021-01-01", 500)
    when[:cells] = np.datetime64(odd, "us")
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(when)}}))
    assert (finding.rows, finding.evidence[side]) == (cells, cells)
    assert finding.proposal.repair == "out-of-range-to-missing"
    assert set(finding.examples) <= set(range(cells))
    assert finding.picture.marks


def test_scattered_future_dates_on_a_dense_bulk(tables_of):
    when = np.datetime64("2021-01-01", "us") + (np.arange(5000) * 3600 * 10**6).astype("timedelta64[us]")
    odd = rng.choice(5000, 60, replace=False)
    when[odd] = when.max() + (rng.uniform(365, 3650, 60) * DAY).astype("timedelta64[us]")
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(when)}}))
    assert finding.evidence["late"] == 60
    low, high = np.datetime64("2021-07-28", "us"), np.datetime64("2022-08-01", "us")
    assert low < np.datetime64(finding.proposal.parameters["high"]) < high + np.timedelta64(400, "D")


def test_a_pile_on_the_zero_day_is_found_and_an_honest_1970_is_not(tables_of):
    when = _days("1985-01-01", 500)
    when[:9] = np.datetime64("1970-01-01", "us")
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(when)}}))
    assert finding.rows == 9
    assert CHECK.run(tables_of({"t": {"when": pa.array(_days("1969-06-01", 500))}})) == []


def test_open_ends_may_be_most_of_the_rows(tables_of):
    when = _days("2021-01-01", 500)
    when[:400] = np.datetime64("9999-12-31", "us")
    (finding,) = CHECK.run(tables_of({"t": {"until": pa.array(when)}}))
    assert finding.rows == 400


def test_honest_histories_are_no_errors(tables_of):
    n = 4000
    day = np.timedelta64(DAY, "us")
    born = np.datetime64("1960-01-01", "us") + (rng.normal(0, 6000, n).astype(int)) * day
    since = np.datetime64("2024-01-01", "us") - (rng.exponential(900, n).astype(int)) * day
    first = np.datetime64("2024-01-01", "us") - (rng.lognormal(6, 0.8, n).astype(int)) * day
    stopped = np.sort(np.concatenate([np.arange(0, 500), np.arange(1400, 1600)]))
    paused = np.datetime64("2020-01-01", "us") + rng.choice(stopped, n) * day
    few = np.datetime64("2020-01-01", "us") + rng.choice([0, 30, 61, 91, 365], n) * day
    for values in (_days("1850-01-01", n), born, since, first, paused, few):
        assert CHECK.run(tables_of({"t": {"when": pa.array(values)}})) == []


def test_an_end_before_its_beginning(tables_of):
    start = _days("2021-01-01", 3000)
    end = start + (rng.gamma(2, 5 * DAY, 3000)).astype("timedelta64[us]")
    late = start + (rng.normal(5 * DAY, 3 * DAY, 3000)).astype("timedelta64[us]")
    assert CHECK.run(tables_of({"t": {"a": pa.array(start), "b": pa.array(end), "c": pa.array(late)}})) == []
    odd = rng.choice(3000, 40, replace=False)
    start[odd], end[odd] = end[odd], start[odd]
    (finding,) = CHECK.run(tables_of({"t": {"a": pa.array(start), "b": pa.array(end)}}))
    assert (finding.columns, finding.rows) == (("a", "b"), int((end < start).sum()))
    assert set(finding.examples) <= set(odd.tolist())
    assert f"lies before `a` in {finding.rows} of 3,000 rows that have both" in finding.message
    (other,) = CHECK.run(tables_of({"t": {"b": pa.array(end), "a": pa.array(start)}}))
    assert other.columns == ("a", "b")


SPOILED = {
    "no date": (lambda d: "soon", "no_date"),
    "blank": (lambda d: "31/02/2021", "no_such_day"),
    "month 13": (lambda d: "2021-13-05", "no_such_day"),
    "dotted": (lambda d: d.strftime("%d.%m.%Y"), "written_otherwise"),
    "two digits": (lambda d: d.strftime("%d.%m.%y"), "written_otherwise"),
    "named": (lambda d: d.strftime("%b %d, %Y"), "written_otherwise"),
    "slashed": (lambda d: d.strftime("%d/%m/%Y"), "written_otherwise"),
}


@pytest.mark.parametrize("how", sorted(SPOILED))
def test_malformed_and_mixed_dates_are_counted(tables_of, how):
    spoil, where = SPOILED[how]
    moments = [datetime(2021, 1, 13) + timedelta(days=int(d)) for d in rng.integers(0, 600, 500)]
    texts = [m.strftime("%Y-%m-%d") for m in moments]
    odd = rng.choice(500, 40, replace=False)
    for at in odd:
        texts[at] = spoil(moments[at])
    (finding,) = CHECK.run(tables_of({"t": {"when": texts}}))
    assert (finding.level, finding.rows, finding.evidence[where]) == ("issue", 40, 40)
    assert finding.proposal.repair == "parse-dates"
    assert finding.proposal.parameters["formats"][0] == "%Y-%m-%d"
    assert set(finding.examples) <= set(odd.tolist())


def test_day_and_month_in_both_orders_are_told(tables_of):
    texts = [f"{m:02d}/{d:02d}/2021" for m in range(1, 13) for d in range(1, 28)] + [
        "25/12/2021",
        "28/03/2021",
        "03/04/2021",
    ]
    (finding,) = CHECK.run(tables_of({"t": {"when": texts}}))
    assert finding.proposal.parameters["formats"] == ["%m/%d/%Y", "%d/%m/%Y"]
    assert finding.evidence["written_otherwise"] == 2
    assert finding.evidence["open"] > 100


def test_dates_all_written_alike_are_left_alone(tables_of):
    moments = _days("2021-01-01", 400).astype("datetime64[D]").astype(object)
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%Y-%m-%d %H:%M"):
        assert CHECK.run(tables_of({"t": {"when": [m.strftime(form) for m in moments]}})) == []


def test_far_off_dates_in_text(tables_of):
    texts = [str(d) for d in _days("2021-01-01", 500).astype("datetime64[D]")]
    texts[:6] = ["1900-01-01"] * 6
    (finding,) = CHECK.run(tables_of({"t": {"when": texts}}))
    assert (finding.rows, finding.proposal.repair) == (6, "parse-dates")


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%d %b %y", "%B %d, %Y %I:%M %p", "%Y%m%d"]),
)
@settings(max_examples=50, deadline=None)
def test_dates_are_read_as_python_reads_them(moment, form):
    text = moment.strftime(form)
    expected = datetime.strptime(text, form)
    seen = dates(vocabulary(Table.of(pa.table({"x": [text]}), "t"), "x"))
    assert seen.valid.tolist() == [True]
    assert seen.at[0] == int(pd.Timestamp(expected).value // 1000)


def test_zones_are_brought_to_utc():
    seen = dates(vocabulary(Table.of(pa.table({"x": ["2021-01-01T05:00:00+05:30"]}), "t"), "x"))
    assert np.datetime64(int(seen.at[0]), "us") == np.datetime64("2020-12-31T23:30:00")


def test_the_contract_on_a_table_of_bad_dates(tables_of):
    when, end = _days("2021-01-01", 600), _days("2024-01-01", 600)
    texts = [str(d) for d in when.astype("datetime64[D]")]
    texts[:20] = ["31.12.2021"] * 10 + ["31/02/2021"] * 10
    when[:9] = np.datetime64("1900-01-01", "us")
    end[50:60] = np.datetime64("2020-01-01", "us")
    check_check(CHECK, lambda: tables_of({"t": {"a": pa.array(when), "b": pa.array(end), "c": texts}}))


def test_not_applicable_without_dates(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1]}})) == "no column of dates"
