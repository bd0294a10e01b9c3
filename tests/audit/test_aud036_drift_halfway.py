import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud036_drift_halfway import CHECK
from holdgood.audit.timeline import DAY, HOUR
from holdgood.core.declaration import parse
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table

START = np.datetime64("2021-01-04", "us")
N = 10_000
RAMP = np.maximum(np.linspace(-1, 1, N), 0)


def _days(n=N, of=730):
    return START + (np.arange(n) * of // n * DAY).astype("timedelta64[us]")


def _run(columns):
    return CHECK.run(AuditContext({"t": Table.of(pa.table(columns), "t")}, parse({"tables": {"t": {}}})))


def test_columns_that_drift_are_ranked():
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, N))
    (finding,) = _run({"when": pa.array(_days()), "a": a + RAMP, "b": b - 2 * RAMP, "c": c})
    assert finding.columns == ("b", "a")
    assert finding.evidence["size"] == pytest.approx(-1.85, abs=0.3)
    assert finding.level == "issue"


def test_a_level_that_takes_over_is_found():
    rng = np.random.default_rng(1)
    kind = rng.choice(["a", "b", "c"], N, p=[0.5, 0.3, 0.2])
    kind[rng.random(N) < 0.5 * RAMP] = "c"
    (finding,) = _run({"when": pa.array(_days()), "kind": kind})
    assert finding.columns == ("kind",)
    assert "`c` in `kind`" in finding.message


def test_trends_seasons_and_steps_are_no_drift():
    rng = np.random.default_rng(2)
    t = np.linspace(0, 1, N)
    noise = rng.normal(size=(4, N))
    columns = {
        "growth": 3 * t + noise[0],
        "season": 2 * np.sin(2 * np.pi * 2 * t) + noise[1],
        "step": 2 * (t > 0.6) + noise[2],
        "inflation": 100 * 1.08 ** (2 * t) + noise[3],
    }
    assert _run({"when": pa.array(_days()), **columns}) == []


def test_less_than_two_years_of_weather_tell_nothing():
    hours = START + (np.arange(N) * HOUR).astype("timedelta64[us]")
    for first in range(0, 360, 30):
        season = -15 * np.cos(2 * np.pi * (np.arange(N) / 24 + first) / 365.25)
        rng = np.random.default_rng(first)
        weather = np.repeat(np.cumsum(rng.normal(size=420)) * 0.0 + rng.normal(0, 3, 420), 24)[:N]
        assert _run({"when": pa.array(hours), "v": season + weather}) == [], first


def test_two_columns_that_come_apart_are_told_together():
    hours = START + (np.arange(N) * HOUR).astype("timedelta64[us]")
    rng = np.random.default_rng(3)
    season = -15 * np.cos(2 * np.pi * np.arange(N) / 24 / 365.25) + np.repeat(rng.normal(0, 3, 420), 24)[:N]
    one, two = season + rng.normal(0, 0.5, N), 1.1 * season + rng.normal(0, 0.5, N)
    findings = _run({"when": pa.array(hours), "one": one + 20 * RAMP, "two": two})
    assert [set(f.columns) for f in findings] == [{"one", "two"}]
    assert _run({"when": pa.array(hours), "one": one, "two": two}) == []


def test_a_running_number_serves_where_there_is_no_time():
    rng = np.random.default_rng(4)
    order = rng.permutation(N)
    v = rng.normal(size=N) + 2 * RAMP
    (finding,) = _run({"id": np.arange(N)[order], "v": v[order]})
    assert finding.columns == ("v",)
    assert "`id`" in finding.message
    assert _run({"id": np.arange(N)[order], "v": rng.normal(size=N)}) == []


def test_not_applicable_without_time_or_number(tables_of, refuses):
    assert "running number" in refuses(CHECK, tables_of({"t": {"v": np.random.default_rng(0).normal(size=2000)}}))


def _weather(seed):
    """A year of a plant's readings by the hour: warmth, with the moisture and the load that follow it loosely."""
    rng = np.random.default_rng(seed)
    n, first = 24 * 400, rng.uniform(0, 365)
    spells = np.zeros((3, n))
    for k in range(3):
        shocks = np.repeat(rng.normal(size=n // 24), 24)
        for i in range(1, n):
            spells[k, i] = 0.98 * spells[k, i - 1] + 0.1 * shocks[i]
    season = -np.cos(2 * np.pi * (np.arange(n) / 24 + first) / 365.25)
    warm = 10 * season + 5 * spells[0] + rng.normal(0, 1, n)
    moist = 60 - warm + 4 * spells[1] + rng.normal(0, 1, n)
    load = 0.5 * warm - 0.2 * moist + 4 * spells[2] + rng.normal(0, 1, n)
    ramp = np.maximum(np.linspace(-1, 1, n), 0)
    return START + (np.arange(n) * HOUR).astype("timedelta64[us]"), {"warm": warm, "moist": moist, "load": load}, ramp


def test_a_drift_is_told_from_a_season_that_other_columns_share():
    found = 0
    for seed in range(6):
        when, columns, ramp = _weather(seed)
        assert _run({"when": pa.array(when), **columns}) == [], seed
        drifted = columns | {"load": columns["load"] + 2.5 * columns["load"].std() * ramp}
        found += any("load" in f.columns for f in _run({"when": pa.array(when), **drifted}))
    assert found >= 5


def test_a_small_share_that_grows_from_the_middle_is_told_from_growth():
    found = grown = 0
    for seed in range(12):
        rng = np.random.default_rng(100 + seed)
        n = 3000
        when = START + rng.integers(0, 730, n) * np.int64(DAY)
        place = np.argsort(np.argsort(when, kind="stable"), kind="stable") / n
        kind = rng.choice(["a", "b", "c", "d"], n, p=[0.3, 0.3, 0.2, 0.2])
        late, steady = kind.copy(), kind.copy()
        late[rng.random(n) < 0.3 * np.clip(2 * place - 1, 0, 1)] = "a"
        steady[rng.random(n) < 0.3 * place] = "a"
        found += bool(_run({"when": pa.array(when), "kind": late}))
        grown += bool(_run({"when": pa.array(when), "kind": steady}))
        assert _run({"when": pa.array(when), "kind": kind}) == [], seed
    assert found >= 8
    assert grown <= 2
