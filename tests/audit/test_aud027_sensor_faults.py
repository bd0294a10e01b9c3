import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud027_sensor_faults import CHECK
from holdgood.cleaning import installed
from holdgood.testing.check import check_check

N = 6000
HOUR = 3600 * 10**6


def _when(n=N):
    return np.datetime64("2023-01-01", "us") + (np.arange(n) * HOUR).astype("timedelta64[us]")


def _smooth(rng, n, width):
    return np.convolve(rng.normal(0, 1, n + width - 1), np.ones(width) / np.sqrt(width), "valid")


def _station(seed=0, n=N):
    """Air and water follow one sun; rain is mostly nothing; the wind is rounded and often calm; light is dark at night."""
    rng = np.random.default_rng(seed)
    hours = np.arange(n)
    sun = 6 * np.sin(2 * np.pi * (hours % 24) / 24) + 3 * _smooth(rng, n, 60)
    return {
        "when": pa.array(_when(n)),
        "air": (15 + sun + rng.normal(0, 0.4, n)).round(1),
        "water": (12 + 0.6 * sun + rng.normal(0, 0.3, n)).round(1),
        "rain": np.where(rng.random(n) < 0.06, rng.gamma(0.5, 4, n).round(1), 0.0),
        "wind": np.maximum(0, np.round(3 + 2 * _smooth(rng, n, 6))),
        "light": np.maximum(0, np.sin(2 * np.pi * (hours % 24) / 24) * rng.gamma(5, 100, n)).round(),
        "code": rng.integers(0, 5, n),
    }


def _found(context):
    return [(f.columns, f.rows) for f in CHECK.run(context)]


@pytest.mark.parametrize("seed", range(4))
def test_calm_nights_and_rain_are_honest(tables_of, seed):
    assert _found(tables_of({"t": _station(seed)})) == []


@pytest.mark.parametrize("rows", [480, 100, 40])
def test_a_stuck_sensor_is_found_with_its_rows(tables_of, rows):
    columns = _station()
    columns["air"][2000 : 2000 + rows] = columns["air"][2000]
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert finding.columns == ("air",)
    assert rows <= finding.rows <= rows + 2
    assert finding.evidence["longest_run"] == finding.rows
    assert finding.proposal.repair == "where-to-missing"
    assert finding.proposal.cells == finding.rows - 1


@pytest.mark.parametrize("rows", [60, 18, 6])
def test_single_spikes_are_found(tables_of, rows):
    columns = _station()
    at = np.sort(np.random.default_rng(1).choice(np.arange(10, N - 10), rows, replace=False))
    columns["water"][at] += (
        40.0 * np.random.default_rng(2).choice([-1, 1], rows) * np.random.default_rng(3).uniform(0.8, 1.2, rows)
    )
    columns["water"] = columns["water"].round(1)
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert finding.columns == ("water",)
    assert rows - 2 <= finding.rows <= rows + 2  # two spikes side by side are none
    assert set(finding.examples[:rows]) <= set(at.tolist())


def test_a_leap_of_several_columns_at_once_is_an_event(tables_of):
    columns = _station()
    at = np.arange(100, N - 100, 300)
    columns["air"][at] += 60.0 + np.arange(len(at))
    columns["water"][at] += 60.0 + np.arange(len(at))
    assert _found(tables_of({"t": columns})) == []


@pytest.mark.parametrize("share", [0.2, 0.07])
def test_a_flat_top_is_found_and_a_natural_bound_is_not(tables_of, share):
    columns = _station()
    bound = float(np.quantile(columns["air"], 1 - share))
    columns["humid"] = np.minimum(100.0, (90 + 8 * _smooth(np.random.default_rng(5), N, 30)).round(1))
    assert _found(tables_of({"t": columns})) == []
    columns["air"] = np.minimum(columns["air"], bound)
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.columns, finding.rows) == (("air",), int((columns["air"] == bound).sum()))
    assert finding.evidence["bound"] == bound
    assert finding.proposal.parameters["high"] < bound


@pytest.mark.parametrize("size", [3.0, 1.5])
def test_a_creeping_sensor_against_the_other_columns(tables_of, size):
    columns = _station()
    late = np.arange(2 * N // 3, N)
    columns["air"][late] += np.linspace(0, size * columns["air"].std(), len(late))
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert "air" in finding.columns
    assert finding.columns[0] in ("air", "water")
    assert finding.picture.x_is_time
    assert 0.4 * N * 0.5 <= finding.rows <= 0.5 * N


def _sisters(seed=0, n=1500):
    rng = np.random.default_rng(seed)
    base = 15 + 6 * np.sin(2 * np.pi * (np.arange(n) % 24) / 24) + 3 * _smooth(rng, n, 60)
    parts = [(base + rng.normal(0, 0.5, n)).round(1) for _ in range(4)]
    return {
        "site": np.repeat(["a", "b", "c", "d"], n),
        "when": pa.array(np.tile(_when(n), 4)),
        "air": np.concatenate(parts),
    }


def test_a_creeping_sensor_against_its_sisters_is_named_alone(tables_of):
    columns, n = _sisters(), 1500
    assert _found(tables_of({"t": columns})) == []
    columns["air"][n + 1000 : 2 * n] += np.linspace(0, 10, 500)
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert finding.columns == ("air",)
    assert min(finding.examples) >= n + 900
    assert max(finding.examples) < 2 * n


def test_a_stuck_series_among_sisters_says_which(tables_of):
    columns = _sisters()
    columns["air"][3200:3300] = columns["air"][3200]
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert abs(finding.rows - 100) <= 2
    assert "\"site\" = 'c'" in finding.proposal.parameters["where"]


@pytest.mark.parametrize("names", [["o'n", None], [dt.datetime(2020, 1, 1), dt.datetime(2021, 1, 1)], [True, False]])
def test_the_repair_of_a_stuck_series_applies_whatever_names_the_series(tables_of, names):
    half = 1000
    when = np.tile(np.datetime64("2024-01-01", "us") + np.arange(half) * np.timedelta64(1, "h"), 2)
    air = np.cumsum(np.random.default_rng(0).normal(size=2 * half)) + 20
    air[1100:1400] = air[1100]
    columns = {"when": when, "unit": [n for n in names for _ in range(half)], "air": air}
    context = tables_of({"t": columns}, specs={"t": {"time": '"when"', "series": ["unit"]}})
    stuck = next(f for f in CHECK.run(context) if "stands still" in f.message)
    repair = stuck.proposal
    out, entry = installed()[repair.repair].apply(context.tables["t"], repair.columns, dict(repair.parameters))
    assert entry.cells_changed == repair.cells == 299
    assert out.data.column("air").slice(1101, 299).null_count == 299


def test_steps_prices_and_counters_are_honest(tables_of):
    rng = np.random.default_rng(0)
    weeks = np.repeat(rng.choice([1.99, 2.49, 2.99, 3.49], N // 100), 100)
    columns = {
        "when": pa.array(_when()),
        "price": weeks + np.repeat(np.arange(N // 100) % 9, 100) * 0.01,
        "total": np.cumsum(rng.poisson(4, N)),
        "heavy": rng.standard_t(1.5, N),
        "sales": rng.poisson(np.where(np.arange(N) % 168 == 0, 30, 3)),
    }
    assert _found(tables_of({"t": columns})) == []


def test_the_order_of_rows_does_not_matter(tables_of):
    columns = _station(n=2000)
    columns["air"][500:560] = columns["air"][500]
    check_check(CHECK, lambda: tables_of({"t": columns}))
    order = np.random.default_rng(0).permutation(2000)
    mixed = {k: v.take(pa.array(order)) if isinstance(v, pa.Array) else v[order] for k, v in columns.items()}
    assert _found(tables_of({"t": mixed})) == _found(tables_of({"t": columns}))


def test_not_applicable_without_a_clock(tables_of, refuses):
    assert "order in time" in refuses(CHECK, tables_of({"t": {"x": np.arange(500.0)}}))


def _held(values, lengths):
    return np.repeat(values, lengths)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("form", ["published", "price", "route", "ordinary"])
def test_what_stands_still_by_nature_is_no_stuck_sensor(tables_of, form, seed):
    rng = np.random.default_rng(seed)
    if form == "published":  # a monthly figure in weekly rows
        values = _held((60 + np.cumsum(rng.choice([-2, -1, 0, 1, 2], 200))) / 10, rng.choice([4, 5], 200))
    elif form == "price":  # set anew now and then, sometimes for long
        values = _held(rng.integers(10, 90, 300) / 10, np.maximum(1, rng.lognormal(2, 1.2, 300).astype(int)))
    elif form == "route":  # what each of many series has as a property, changed once or twice
        values = np.concatenate([np.full(n, rng.integers(100, 3000)) for n in rng.integers(15, 260, 80)])
    else:  # many ordinary runs, the longest of hundreds
        values = _held(rng.integers(0, 60, 3000), np.minimum(40, rng.geometric(0.35, 3000)))
    columns = {"when": pa.array(_when(len(values))), "figure": values.astype(float)}
    assert _found(tables_of({"t": columns})) == []


def test_a_series_with_one_value_only_has_it_as_a_property(tables_of):
    rng = np.random.default_rng(0)
    columns = _sisters()
    columns["load"] = np.where(columns["site"] == "c", 55.5, rng.normal(50, 5, len(columns["site"])).round(1))
    assert _found(tables_of({"t": columns})) == []


def test_a_slow_sensor_that_mostly_repeats_can_be_stuck(tables_of):
    rng = np.random.default_rng(0)
    slow = (10 * np.sin(np.arange(N) / 230) + rng.normal(0, 0.02, N)).round(1)
    assert np.mean(slow[1:] == slow[:-1]) > 0.5
    columns = {"when": pa.array(_when()), "oil": slow}
    assert _found(tables_of({"t": columns})) == []
    columns["oil"][3000:3300] = columns["oil"][3000]
    ((_, rows),) = _found(tables_of({"t": columns}))
    assert 300 <= rows <= 330


def test_the_longest_run_elsewhere_is_told_as_it_is(tables_of):
    columns = _station()
    columns["air"][2000:2100] = columns["air"][2000]
    (finding,) = CHECK.run(tables_of({"t": columns}))
    rest = np.delete(columns["air"], np.arange(1990, 2110))
    ends = np.flatnonzero(np.r_[rest[1:] != rest[:-1], True])
    longest = int(np.diff(np.r_[-1, ends]).max())
    assert abs(finding.evidence["longest_elsewhere"] - longest) <= 1
    assert finding.evidence["longest_elsewhere"] > 1


def _year(seed, n=8000):
    """Heat, pressure and dew of nearly a year, each with the season and weather of its own."""
    rng = np.random.default_rng(seed)
    hours = np.arange(n)
    season, weather = np.sin(2 * np.pi * hours / 8766 + rng.uniform(0, 6)), 5 * _smooth(rng, n, 120)
    heat = 12 * season + weather + 3 * np.sin(2 * np.pi * hours / 24) + rng.normal(0, 0.5, n)
    return {
        "when": pa.array(_when(n)),
        "heat": heat.round(1),
        "press": (1015 - 9 * season - 0.8 * weather + 2 * _smooth(rng, n, 80)).round(1),
        "dew": (14 * season + 1.2 * weather + 3 * _smooth(rng, n, 50) + rng.normal(0, 0.5, n)).round(1),
    }


@pytest.mark.parametrize(
    ("name", "seed", "at"),
    [("heat", 2, 3600), ("dew", 2, 3600), ("press", 4, 4400), ("press", 7, 5600), ("heat", 7, 5600), ("dew", 7, 5600)],
)
def test_a_break_of_one_column_is_no_creeping_of_the_others(tables_of, name, seed, at):
    columns = _year(seed)
    columns[name][at:] += 3 * columns[name].std() * (1 if seed % 2 else -1)
    assert _found(tables_of({"t": columns})) == []
