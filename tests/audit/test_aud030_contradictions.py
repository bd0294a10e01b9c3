import numpy as np
import pytest

from holdgood.audit.aud030_contradictions import CHECK
from holdgood.testing.check import check_check

rng = np.random.default_rng(2)


def _copies(n=1_200, k=30, keyed=True):
    columns = {f"x{i}": rng.normal(100, 20, n).round(2) for i in range(6)} | {"kind": rng.choice(list("abc"), n)}
    if keyed:
        columns["nr"] = np.array([f"R{v}" for v in rng.choice(np.arange(10_000, 99_999), n, replace=False)])
    rows = rng.choice(n, k, replace=False)
    out = {c: np.concatenate([v, v[rows]]) for c, v in columns.items()}
    out["x2"][n:] += rng.choice([-90, 90], k)
    out["x4"][n:] *= 3
    return out


@pytest.mark.parametrize(("k", "level"), [(60, "issue"), (8, "tip")])
def test_rows_of_one_name_that_state_other_values(tables_of, k, level):
    (finding,) = CHECK.run(tables_of({"t": _copies(k=k)}))
    assert (finding.level, finding.rows) == (level, k)
    assert set(finding.columns) == {"x2", "x4"}
    assert len(finding.examples) == min(20, 2 * k)


def test_a_declared_key_serves_as_well(tables_of):
    (finding,) = CHECK.run(tables_of({"t": _copies()}, specs={"t": {"key": ["nr"]}}))
    assert finding.rows == 30


def test_a_panel_of_one_value(tables_of):
    unit, day = np.repeat([f"u{i}" for i in range(50)], 40), np.tile(np.arange(40), 50)
    value = rng.normal(50, 9, 2_000).round(1)
    again = np.r_[np.arange(2_000), 100:140]
    value = value[again]
    value[2_000:] += 25
    columns = {"unit": unit[again], "day": day[again], "value": value, "other": rng.integers(0, 5, 2_000)[again]}
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.rows, finding.columns) == (40, ("value",))


def test_two_tables_that_tell_one_fact_differently(tables_of):
    names = [f"M{i:03d}" for i in range(400)]
    town = rng.choice(["Lyon", "Porto", "Bern", "Graz", "Gent"], 400)
    other = town.copy()
    other[:15] = np.where(town[:15] == "Lyon", "Porto", "Lyon")
    tables = {
        "main": {"machine": names, "town": town, "x": rng.normal(size=400)},
        "machines": {"id": names, "place": other, "age": rng.integers(1, 30, 400)},
    }
    findings = CHECK.run(tables_of(tables))
    told = {(f.table, f.columns[0], f.rows) for f in findings}
    assert ("main", "town", 15) in told
    assert all(f.rows == 15 for f in findings)


def test_quiet_where_copies_agree_or_rows_are_different_things(tables_of):
    honest = {c: v[:1_200] for c, v in _copies().items()}
    assert CHECK.run(tables_of({"t": honest})) == []
    names = rng.integers(0, 200, 1_200)
    assert CHECK.run(tables_of({"t": honest | {"nr": names}})) == []


def test_contract_and_refusal(tables_of, refuses):
    columns = _copies()
    check_check(CHECK, lambda: tables_of({"t": columns}))
    assert "two rows" in refuses(CHECK, tables_of({"t": {"a": [1]}}))
