import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud023_swapped import CHECK
from holdgood.testing.check import check_check

N = 4000


def _blocks(seed=0, n=N):
    rng = np.random.default_rng(seed)
    rooms = np.round(rng.lognormal(7.6, 0.6, n)) + 2
    bedrooms = np.round(rooms * rng.lognormal(-1.6, 0.12, n)) + 1
    age, income = rng.integers(1, 53, n).astype(float), np.round(rng.lognormal(1.2, 0.45, n), 4)
    return {
        "rooms": rooms,
        "bedrooms": bedrooms,
        "age": age,
        "income": income,
        "longitude": rng.uniform(-124, -114, n).round(2),
        "latitude": rng.uniform(32, 42, n).round(2),
    }


def _swap(columns, one, two, share, seed=3):
    n = len(columns[one])
    at = np.random.default_rng(seed).choice(n, int(share * n), replace=False)
    columns = {k: np.array(v, dtype=object if np.array(v).dtype.kind == "U" else None) for k, v in columns.items()}
    out = {k: v.copy() for k, v in columns.items()}
    out[one][at], out[two][at] = columns[two][at], columns[one][at]
    return out, at


@pytest.mark.parametrize("share", [0.08, 0.015])
@pytest.mark.parametrize(("one", "two"), [("rooms", "bedrooms"), ("age", "income"), ("longitude", "latitude")])
def test_exchanged_numbers_are_found_and_counted(tables_of, one, two, share):
    columns, at = _swap(_blocks(), one, two, share)
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.level, sorted(finding.columns)) == ("issue", sorted((one, two)))
    assert 0.6 * len(at) <= finding.rows <= 1.1 * len(at)
    assert np.mean(np.isin(finding.examples, at)) >= 0.9


def test_columns_of_one_range_by_what_the_rest_of_the_row_says(tables_of):
    rng = np.random.default_rng(1)
    long, wide = rng.lognormal(1.7, 0.25, N), rng.lognormal(1.7, 0.25, N)
    columns = {
        "depth": (60 * long / wide * rng.lognormal(0, 0.003, N)).round(1),
        "table": rng.normal(57, 6, N).round(1),
        "long": long.round(2),
        "wide": wide.round(2),
    }
    assert CHECK.run(tables_of({"t": columns})) == []
    spoiled, at = _swap(columns, "depth", "table", 0.02)
    (finding,) = CHECK.run(tables_of({"t": spoiled}))
    assert finding.columns == ("depth", "table")
    assert 0.5 * len(at) <= finding.rows <= 1.1 * len(at)


def test_the_proposal_picks_the_exchanged_rows(tables_of):
    columns, at = _swap(_blocks(), "rooms", "bedrooms", 0.05)
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.proposal.repair, set(finding.proposal.columns)) == ("swap-columns", {"rooms", "bedrooms"})
    assert abs(finding.proposal.cells - 2 * len(at)) <= 4
    assert "abs(" in finding.proposal.parameters["where"]


def _people(n=N, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "work": rng.choice(["Private", "State", "Self", "?"], n, p=[0.6, 0.2, 0.14, 0.06]),
        "job": rng.choice(["Sales", "Craft", "Clerk", "Driver", "?"], n, p=[0.3, 0.3, 0.2, 0.14, 0.06]),
        "size": rng.choice(["small", "medium", "large"], n, p=[0.7, 0.2, 0.1]),
        "wish": rng.choice(["small", "medium", "large"], n, p=[0.1, 0.2, 0.7]),
    }


@pytest.mark.parametrize("share", [0.08, 0.005])
def test_exchanged_words_are_counted_exactly(tables_of, share):
    columns, at = _swap(_people(), "work", "job", share)
    wrong = (~np.isin(columns["work"], ["Private", "State", "Self", "?"])) & np.isin(
        columns["job"], ["Private", "State", "Self"]
    )
    (finding,) = CHECK.run(tables_of({"t": {k: pa.array(list(v)) for k, v in columns.items()}}))
    assert (finding.columns, finding.sure, finding.rows) == (("work", "job"), "certain", int(wrong.sum()))
    assert "'Sales'" in finding.proposal.parameters["where"]
    assert len(at) >= finding.rows


def test_two_questions_on_one_scale_are_honest(tables_of):
    columns = {k: pa.array(list(v)) for k, v in _people().items()}
    assert CHECK.run(tables_of({"t": columns})) == []


def _honest(seed):
    rng = np.random.default_rng(seed)
    n = 5000
    size = rng.lognormal(1.7, 0.25, n)
    low = rng.normal(10, 8, n)
    return {
        "x": (size * rng.lognormal(0, 0.01, n)).round(2),
        "y": (size * rng.lognormal(0, 0.01, n)).round(2),
        "z": (size * 0.62 * rng.lognormal(0, 0.01, n)).round(2),
        "low": low.round(1),
        "high": (low + rng.gamma(2, 3, n)).round(1),
        "age": rng.integers(17, 90, n),
        "hours": np.where(rng.random(n) < 0.47, 40, rng.integers(1, 99, n)),
        "money": rng.lognormal(5, 2, n).round(2),
        "debt": rng.lognormal(4, 2, n).round(2),
        "a": rng.integers(0, 16, n),
        "b": rng.integers(0, 16, n),
        "tail": rng.standard_cauchy(n),
        "sister": rng.standard_cauchy(n) * 50,
        "one": rng.integers(0, 2, n),
    }


@pytest.mark.parametrize("seed", range(5))
def test_pairs_of_one_range_and_heavy_tails_are_honest(tables_of, seed):
    assert CHECK.run(tables_of({"t": _honest(seed)})) == []
    assert CHECK.run(tables_of({"t": _blocks(seed)})) == []


def test_contract(tables_of):
    columns, _ = _swap(_blocks(n=1200), "rooms", "bedrooms", 0.05)
    words, _ = _swap(_people(n=900), "work", "job", 0.05)
    words = {k: pa.array(list(v)) for k, v in words.items()}
    check_check(CHECK, lambda: tables_of({"t": columns, "people": words}))


def test_not_applicable_to_a_single_column(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"x": np.arange(50.0)}}))
