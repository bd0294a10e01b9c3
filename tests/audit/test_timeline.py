import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.timeline import DAY, HOUR, duration, modes, timeline, timelines

START = np.datetime64("2023-01-02", "us")


def _hours(n, step=1):
    return START + (np.arange(n) * step * HOUR).astype("timedelta64[us]")


def _line(tables_of, columns, **spec):
    context = tables_of({"t": columns}, specs={"t": spec})
    return timeline(context, context.tables["t"])


def test_a_single_clock(tables_of):
    line = _line(tables_of, {"v": np.arange(500.0), "when": pa.array(_hours(500))})
    assert (line.columns, line.series, line.step, line.exact) == (("when",), None, HOUR, True)


def test_series_are_discovered_whatever_they_are_called(tables_of):
    at = np.tile(_hours(200), 3)
    place = np.repeat(["a", "b", "c"], 200)
    rng = np.random.default_rng(0)
    order = rng.permutation(600)
    columns = {"noise": rng.integers(0, 9, 600), "when": pa.array(at[order]), "place": place[order]}
    line = _line(tables_of, columns)
    assert (line.series_columns, line.count, line.step) == (("place",), 3, HOUR)
    assert [sorted(set(place[order][line.series == k])) for k in range(3)] == [["a"], ["b"], ["c"]]


def test_two_columns_may_name_a_series(tables_of):
    at = np.tile(_hours(100, 24), 6)
    shop, item = np.repeat(["a", "b"], 300), np.tile(np.repeat(["x", "y", "z"], 100), 2)
    line = _line(tables_of, {"when": pa.array(at), "shop": shop, "item": item})
    assert (set(line.series_columns), line.count, line.step) == ({"shop", "item"}, 6, DAY)


def test_months_have_no_fixed_length(tables_of):
    months = (np.datetime64("2015-01", "M") + np.arange(60)).astype("datetime64[us]")
    line = _line(tables_of, {"when": pa.array(months)})
    assert (line.months, line.step) == (True, 1)


def test_events_have_no_step(tables_of):
    rng = np.random.default_rng(1)
    at = START + (rng.integers(0, 300, 3000) * DAY).astype("timedelta64[us]")
    line = _line(tables_of, {"when": pa.array(at), "kind": rng.choice(["a", "b"], 3000)})
    assert (line.step, line.series) == (0, None)


def test_what_merely_recurs_is_no_series(tables_of):
    rng = np.random.default_rng(2)
    number, day = np.meshgrid(np.arange(300), np.arange(40))
    at = START + (day.ravel() * DAY + (number.ravel() % 24) * HOUR).astype("timedelta64[us]")
    keep = rng.random(len(at)) < 0.9
    line = _line(tables_of, {"when": pa.array(at[keep]), "number": number.ravel()[keep]})
    assert line.step == 0


def test_a_clock_that_trembles_has_a_step_that_is_not_exact(tables_of):
    rng = np.random.default_rng(3)
    at = _hours(400) + (rng.integers(-60, 60, 400) * 10**6).astype("timedelta64[us]")
    line = _line(tables_of, {"when": pa.array(at)})
    assert not line.exact
    assert line.step == pytest.approx(HOUR, rel=0.02)


def test_what_is_declared_counts(tables_of):
    columns = {"day": pa.array([f"2023-01-{1 + i % 28:02d}" for i in range(84)]), "x": np.repeat([1, 2, 3], 28)}
    line = _line(tables_of, columns, time="CAST(day AS TIMESTAMP)", series=["x"], every="1 day")
    assert (line.columns, line.series_columns, line.count, line.step, line.declared) == (("day",), ("x",), 3, DAY, True)


def test_a_large_table_is_judged_by_stretches(tables_of):
    n = 250_000
    rng = np.random.default_rng(4)
    order = rng.permutation(n)
    line = _line(tables_of, {"when": pa.array(_hours(n)[order]), "v": np.arange(n)[order] * 0.5})
    assert (line.step, line.exact) == (HOUR, True)


def test_a_table_without_moments_has_no_line(tables_of):
    assert timelines(tables_of({"t": {"a": list(range(100))}, "u": {"when": pa.array(_hours(5))}})) == []


def test_modes_against_a_loop():
    rng = np.random.default_rng(5)
    owner, values = rng.integers(0, 5, 200), rng.integers(0, 4, 200)
    out = modes(owner, values)
    for k in range(5):
        seen = values[owner == k]
        assert set(out[owner == k]) == {max(range(4), key=lambda v: ((seen == v).sum(), -v))}


@pytest.mark.parametrize(("micros", "said"), [(HOUR, "1 hour"), (36 * HOUR, "1.5 days"), (800 * DAY, "2.2 years")])
def test_lengths_in_words(micros, said):
    assert duration(micros) == said
