import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud034_stale import CHECK, Stale
from holdgood.audit.timeline import DAY, HOUR

START = np.datetime64("2023-01-02", "us")
NOW = int((np.datetime64("2024-01-02", "us")).astype("int64"))


def _at(n, step=HOUR, first=0):
    return START + ((first + np.arange(n)) * step).astype("timedelta64[us]")


def test_the_declared_age_is_held_against_the_clock_that_is_given(tables_of):
    table = {"when": pa.array(_at(360, DAY)), "v": np.arange(360.0)}
    spec = {"t": {"time": "when", "fresh": "3 days"}}
    late = Stale(now=lambda: NOW)
    (finding,) = late.run(tables_of({"t": table}, specs=spec))
    assert finding.evidence == {
        "audit_at": "2024-01-02",
        "newest": "2023-12-27",
        "age_seconds": 6 * 86400,
        "allowed_seconds": 3 * 86400.0,
    }
    assert Stale(now=lambda: NOW - 4 * DAY).run(tables_of({"t": table}, specs=spec)) == []


def test_moments_in_the_future_make_nothing_fresh(tables_of):
    at = _at(360, DAY)
    at[-1] = np.datetime64("2031-01-01", "us")
    (finding,) = Stale(now=lambda: NOW).run(
        tables_of({"t": {"when": pa.array(at)}}, specs={"t": {"time": "when", "fresh": "3 days"}})
    )
    assert finding.evidence["newest"] == "2023-12-26"


def test_without_a_declaration_the_clock_is_not_asked(tables_of):
    def never():
        raise AssertionError("the clock was asked")

    assert Stale(now=never).run(tables_of({"t": {"when": pa.array(_at(360, DAY))}})) == []


def test_a_feed_that_ends_before_the_other_is_found(tables_of):
    rng = np.random.default_rng(0)
    events = START + (rng.integers(0, 2000, 3000) * HOUR).astype("timedelta64[us]")
    (finding,) = CHECK.run(tables_of({"events": {"at": pa.array(events)}, "feed": {"when": pa.array(_at(1800))}}))
    assert (finding.table, finding.evidence["late_seconds"]) == ("feed", pytest.approx(200 * 3600, rel=0.02))
    assert CHECK.run(tables_of({"events": {"at": pa.array(events)}, "feed": {"when": pa.array(_at(1990))}})) == []


def test_tables_of_other_times_are_not_compared(tables_of):
    tables = {"old": {"at": pa.array(_at(1000))}, "new": {"at": pa.array(_at(1000, first=900))}}
    assert CHECK.run(tables_of(tables)) == []


def test_few_series_that_end_early_are_a_tip(tables_of):
    lengths = [300] * 9 + [200]
    at = np.concatenate([_at(n, DAY) for n in lengths])
    shop = np.repeat([f"s{k}" for k in range(10)], lengths)
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(at), "shop": shop}}))
    assert (finding.level, finding.evidence["series_early"]) == ("tip", 1)
    assert at[finding.examples[0]] == _at(300, DAY)[199]
    anyhow = np.concatenate([_at(n, DAY) for n in (300, 250, 200, 150, 100)])
    assert (
        CHECK.run(
            tables_of({"t": {"when": pa.array(anyhow), "shop": np.repeat(list("abcde"), (300, 250, 200, 150, 100))}})
        )
        == []
    )


def test_columns_that_stop_are_found_whatever_the_order_of_rows(tables_of):
    rng = np.random.default_rng(1)
    v, w, u = rng.normal(size=1000), rng.normal(size=1000), rng.normal(size=1000)
    w[900:] = w[899]
    u[rng.random(1000) < 0.2] = np.nan
    v[850:] = np.nan
    order = rng.permutation(1000)
    columns = {"when": pa.array(_at(1000)[order])} | {
        k: pa.array(x[order], from_pandas=True) for k, x in zip("vwu", (v, w, u), strict=True)
    }
    empty, stuck = CHECK.run(tables_of({"t": columns}))
    assert (empty.columns, empty.rows) == (("v",), 150)
    assert (stuck.columns, stuck.rows) == (("w",), 101)


def test_not_applicable_without_a_time(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1.0] * 50}})) == "no table has a time"
