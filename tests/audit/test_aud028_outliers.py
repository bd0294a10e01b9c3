import numpy as np
import pytest

from holdgood.audit.aud028_outliers import CHECK
from holdgood.testing.check import check_check

N = 4000


def _stones(seed=0, n=N):
    rng = np.random.default_rng(seed)
    carat = np.round(rng.lognormal(-0.4, 0.5, n).clip(0.2), 2)
    side = np.round(6.4 * carat ** (1 / 3) * rng.lognormal(0, 0.008, n), 2)
    return {
        "carat": carat,
        "x": side,
        "y": np.round(side * rng.lognormal(0, 0.008, n), 2),
        "price": np.round(3500 * carat**1.7 * rng.lognormal(0, 0.15, n)),
        "age": rng.integers(17, 90, n),
        "hours": np.where(rng.random(n) < 0.47, 40, rng.integers(1, 99, n)),
    }


def _spoil(columns, name, share, change, seed=4):
    at = np.sort(np.random.default_rng(seed).choice(len(columns[name]), int(share * len(columns[name])), replace=False))
    out = {k: np.array(v, dtype=float) for k, v in columns.items()}
    out[name][at] = [change(v) for v in columns[name][at]]
    return out, at


@pytest.mark.parametrize("factor", [10.0, 0.1])
@pytest.mark.parametrize("share", [0.05, 0.005])
@pytest.mark.parametrize("column", ["carat", "x", "price"])
def test_a_slipped_digit_in_its_context(tables_of, factor, share, column):
    columns, at = _spoil(_stones(), column, share, lambda v: round(v * factor, 4))
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.level, finding.columns) == ("issue", (column,))
    assert finding.evidence["factor"] == pytest.approx(factor)
    assert abs(finding.rows - len(at)) <= 0.15 * len(at) + 2


@pytest.mark.parametrize("share", [0.02, 0.01])
def test_a_slipped_digit_with_nothing_beside_it_is_known_by_its_last_zero(tables_of, share):
    columns, at = _spoil(_stones(), "age", share, lambda v: v * 10)
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert finding.columns == ("age",)
    assert abs(finding.rows - len(at)) <= 0.2 * len(at)
    assert finding.proposal.repair == "scale-values"


def _exchange(value, rng):
    text = f"{value:.2f}"
    spots = [i for i in range(len(text) - 1) if text[i] != text[i + 1] and "." not in text[i : i + 2]]
    if not spots:
        return value
    i = int(rng.choice(spots))
    return float(text[:i] + text[i + 1] + text[i] + text[i + 2 :])


@pytest.mark.parametrize("share", [0.03, 0.01])
def test_exchanged_digits_are_found(tables_of, share):
    rng = np.random.default_rng(0)
    columns, at = _spoil(_stones(), "x", share, lambda v: _exchange(v, rng))
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert finding.columns == ("x",)
    assert "digits exchanged" in finding.message
    assert finding.evidence["fits"] <= len(at) + 3
    assert np.mean(np.isin(finding.examples, at)) >= 0.8


def test_lost_signs(tables_of):
    rng = np.random.default_rng(2)
    columns = {"depth": rng.normal(60, 5, N).round(1), "balance": rng.normal(20, 30, N).round()}
    columns["depth"][:7] *= -1
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.columns, finding.rows) == (("depth",), 7)
    assert finding.proposal.parameters == {"factor": -1.0, "high": 0}


def test_what_nothing_leads_up_to_is_a_tip(tables_of):
    rng = np.random.default_rng(3)
    columns = {"level": rng.normal(100, 3, N), "other": rng.normal(0, 1, N)}
    columns["level"][:9] = 100 + np.linspace(177, 403, 9)
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.level, finding.sure, finding.columns, finding.rows) == ("tip", "possible", ("level",), 9)
    columns["other"][:9] = np.linspace(77, 99, 9)  # far off in several columns at once: something happened
    assert CHECK.run(tables_of({"t": columns})) == []


def _honest(seed):
    rng = np.random.default_rng(seed)
    n = 5000
    size = rng.lognormal(0, 0.5, n)
    return {
        **_stones(seed, n),
        "money": np.round(rng.lognormal(5, 2.0, n), 2),
        "pareto": np.round((rng.pareto(1.1, n) + 1) * 100),
        "rounded": np.round(rng.lognormal(8, 1, n), -1),
        "digits": np.array([float(f"{v:.3g}") for v in rng.lognormal(3, 2.5, n)]),
        "t": rng.standard_t(2, n),
        "size": size,
        "clustered": np.where(rng.random(n) < 0.1, size * 3, size) * rng.lognormal(0, 0.02, n),
        "percent": np.round(rng.beta(1, 3, n) * 100),
        "gain": np.where(
            rng.random(n) < 0.08, np.where(rng.random(n) < 0.05, 99999, rng.gamma(2, 4000, n).round()), 0.0
        ),
        "profit": rng.normal(500, 300, n).round(),
    }


@pytest.mark.parametrize("seed", range(6))
def test_heavy_tails_rounding_and_clusters_are_honest(tables_of, seed):
    assert [f.message for f in CHECK.run(tables_of({"t": _honest(seed)}))] == []


def test_another_unit_is_another_checks(tables_of):
    columns, _ = _spoil(_stones(), "x", 0.03, lambda v: v * 1000)
    assert CHECK.run(tables_of({"t": columns})) == []


def test_contract(tables_of):
    columns, _ = _spoil(_stones(n=1500), "x", 0.03, lambda v: v * 10)
    rng = np.random.default_rng(0)
    other, _ = _spoil(_stones(n=1500), "x", 0.05, lambda v: _exchange(v, rng))
    check_check(CHECK, lambda: tables_of({"t": columns, "u": other}))


def test_not_applicable_without_numbers(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"word": ["a", "b"]}}))


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("column", ["tension", "turnover", "stock"])
def test_single_absurd_values_are_found(tables_of, column, rows):
    rng = np.random.default_rng(7)
    columns = {
        "tension": rng.normal(230, 4, N).round(1),
        "turnover": rng.lognormal(4, 0.8, N).round(2),
        "stock": rng.poisson(80, N).astype(float),
        "other": rng.normal(0, 1, N).round(3),
    }
    at = rng.choice(np.flatnonzero(columns[column] >= np.median(columns[column])), rows, replace=False)
    columns[column][at] *= 1000
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.level, finding.columns, finding.rows) == ("tip", (column,), rows)
    assert set(finding.examples) == set(at.tolist())
    assert finding.evidence["times_further"] >= 10
    assert finding.proposal.repair == "out-of-range-to-missing"
    assert finding.proposal.cells == rows


def test_a_row_of_another_kind_and_a_code_are_no_absurd_values(tables_of):
    rng = np.random.default_rng(8)
    columns = {name: rng.normal(50, 4, N).round(1) for name in ("a", "b", "c")}
    columns["a"][17] = columns["b"][17] = 90_000.5  # the whole row is of another kind
    columns["c"][[3, 99]] = 99_999.0  # a code that comes again
    assert CHECK.run(tables_of({"t": columns})) == []


@pytest.mark.parametrize("seed", range(8))
def test_heavy_tails_of_small_tables_have_no_absurd_values(tables_of, seed):
    rng = np.random.default_rng(seed)
    n = 600
    columns = {f"pareto{i}": np.round((rng.pareto(1.0, n) + 1) * 100, 1) for i in range(6)}
    columns |= {f"lognormal{i}": np.round(rng.lognormal(6, 2.5, n), 1) for i in range(6)}
    columns |= {
        f"mostly_zero{i}": np.where(rng.random(n) < 0.15, rng.lognormal(3, 1.5, n).round(1), 0) for i in range(6)
    }
    assert [f.message for f in CHECK.run(tables_of({"t": columns}))] == []
