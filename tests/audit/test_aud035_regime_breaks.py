import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdgood.audit.aud035_regime_breaks import CHECK
from holdgood.audit.breaks import breaks, differences
from holdgood.audit.timeline import DAY, HOUR, timeline
from holdgood.audit.traces import traces
from holdgood.core.declaration import parse
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table

START = np.datetime64("2021-01-04", "us")
N = 24 * 700
T = np.arange(N)


def _hours(n=N):
    return START + (np.arange(n) * HOUR).astype("timedelta64[us]")


def _honest(seed):
    """A day, a year, a trend, weather that lasts, heavy tails."""
    rng = np.random.default_rng(seed)
    weather = np.zeros(N)
    noise = rng.standard_t(5, N)
    for i in range(1, N):
        weather[i] = 0.98 * weather[i - 1] + 0.2 * noise[i]
    return 3 * np.sin(2 * np.pi * T / 24) + 6 * np.sin(2 * np.pi * T / (365.25 * 24)) + T / N + weather


def _run(columns):
    return CHECK.run(AuditContext({"t": Table.of(pa.table(columns), "t")}, parse({"tables": {"t": {}}})))


@pytest.mark.parametrize("size", [6.0, -8.0])
def test_a_level_that_moves_for_good_is_found_where_it_moved(size):
    v = _honest(0)
    v[9000:] += size
    (finding,) = _run({"when": pa.array(_hours()), "v": v, "w": _honest(1)})
    assert finding.columns[0] == "v"
    assert finding.evidence["size"] == pytest.approx(size, rel=0.35)
    assert abs(np.datetime64(finding.evidence["from"].replace(" ", "T")) - _hours()[9000]) <= np.timedelta64(5, "D")
    assert finding.picture is not None


def test_honest_movement_is_silent():
    columns = {f"v{k}": _honest(10 + k) for k in range(6)}
    rng = np.random.default_rng(2)
    price = 100 * np.exp(np.cumsum(rng.normal(0.0001, 0.004, N)))  # inflation and a random walk
    rain = np.where(rng.random(N) < 0.1, rng.gamma(1, 2, N), 0.0)
    month = (_hours().astype("datetime64[M]").astype(int)) % 12
    assert _run({"when": pa.array(_hours()), "price": price, "rain": rain, "month": month, **columns}) == []


def test_a_bump_that_passes_is_no_regime():
    v = _honest(3)
    v[9000:9200] += 8
    assert _run({"when": pa.array(_hours()), "v": v}) == []


def test_a_spread_that_changes_is_found():
    rng = np.random.default_rng(4)
    v = rng.normal(size=N)
    v[8000:] *= 2.5
    (finding,) = _run({"when": pa.array(_hours()), "v": v})
    assert "spreads" in finding.message
    assert finding.evidence["size"] == pytest.approx(2.5, rel=0.2)


def test_a_break_between_columns_that_run_together_is_found():
    base = _honest(5) + np.cumsum(np.random.default_rng(6).normal(0, 0.3, N))
    rng = np.random.default_rng(7)
    one, two, three = (base + rng.normal(0, 0.3, N) for _ in range(3))
    two[10_000:] += 0.4 * base.std()
    findings = _run({"when": pa.array(_hours()), "one": one, "two": two, "three": three})
    assert len(findings) == 1
    assert "two" in findings[0].columns


def test_every_series_counts_for_itself():
    rng = np.random.default_rng(8)
    at = np.tile(START + (np.arange(400) * DAY).astype("timedelta64[us]"), 20)
    level = np.repeat(rng.uniform(10, 10_000, 20), 400)
    v = level * (1 + 0.1 * rng.normal(size=8000))
    day = np.tile(np.arange(400), 20)
    columns = {"when": pa.array(at), "shop": np.repeat([f"s{k}" for k in range(20)], 400)}
    assert _run({**columns, "v": v}) == []
    (finding,) = _run({**columns, "v": v * np.where(day >= 250, 1.3, 1.0)})
    assert finding.columns == ("v",)


def test_a_level_of_a_vocabulary_that_vanishes_is_a_tip():
    rng = np.random.default_rng(9)
    kind = rng.choice(["a", "b", "c", "d"], N, p=[0.5, 0.3, 0.17, 0.03])
    kind[12_000:][kind[12_000:] == "d"] = "a"
    (finding,) = _run({"when": pa.array(_hours()), "kind": kind})
    assert (finding.level, finding.columns) == ("tip", ("kind",))
    assert "`d` is gone" in finding.message
    season = np.array(["winter", "spring", "summer", "autumn"])[np.minimum(T * 4 // N, 3)]
    assert _run({"when": pa.array(_hours()), "season": season}) == []


def test_false_alarms_are_rare_over_many_columns():
    rng = np.random.default_rng(10)
    n = 6000
    walk = np.cumsum(rng.normal(size=(n, 60)), axis=0)
    columns = {f"w{k}": walk[:, k] for k in range(60)} | {f"e{k}": rng.normal(size=n) for k in range(60)}
    assert len(_run({"when": pa.array(_hours(n)), **columns})) <= 1


def test_differences_against_a_loop():
    v = np.random.default_rng(11).normal(size=(30, 2))
    out = differences(v, 4)
    for b in range(4, 27):
        assert out[b - 4] == pytest.approx(v[b : b + 4].mean(0) - v[b - 4 : b].mean(0))


def test_not_applicable_without_a_long_time(tables_of, refuses):
    assert "long enough" in refuses(CHECK, tables_of({"t": {"when": pa.array(_hours(20)), "v": np.arange(20.0)}}))


@pytest.mark.data
@pytest.mark.parametrize("name", ["quality/vic_elec", "tabular/beijing_pm25", "forecast/walmart_45stores"])
def test_real_seasons_are_silent(shared_data, name):
    file = shared_data / f"{name}.parquet"
    if not file.exists():
        pytest.skip(f"shared data not found: {file.name}")
    table = Table.of(pq.read_table(file), "t")
    context = AuditContext({"t": table}, parse({"tables": {"t": {}}}))
    assert CHECK.run(context) == []
    t = traces(timeline(context, table))
    assert t is not None
    assert breaks(t) == []
