import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import r2_score, roc_auc_score

from holdgood.audit.power import FOLDS, Rows, auc_of_counts, bin_numbers, explained, power, powers, straight

rng = np.random.default_rng(14)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=4, max_size=60))
@settings(max_examples=50, deadline=None)
def test_auc_from_counts_agrees_with_sklearn(pairs):
    score, y = np.array(pairs).T
    if 0 < y.sum() < len(y):
        assert auc_of_counts(score.astype(float), y.astype(float), 1.0 - y) == pytest.approx(roc_auc_score(y, score))


@pytest.mark.parametrize("classes", [0, 2])
def test_power_agrees_with_a_slow_road(classes):
    n = 500
    bins, fold = rng.integers(0, 6, n), rng.integers(0, FOLDS, n)
    y = (rng.random(n) < 0.1 + 0.12 * bins).astype(float) if classes else bins + rng.normal(size=n)
    pull = 5.0 if classes else 1.0
    centre = 0.0 if classes else y.mean()
    guess = np.empty(n)
    for i in range(n):
        train = fold != fold[i]
        same = train & (bins == bins[i])
        prior = (y[train] - centre).mean()
        guess[i] = centre + ((y[same] - centre).sum() + pull * prior) / (same.sum() + pull)
    expected = roc_auc_score(y, guess) if classes else r2_score(y, guess)
    rows = Rows(np.arange(n), y, fold, classes)
    assert power(bins, 6, rows) == pytest.approx(expected)
    assert explained(bins, 6, rows) <= 1.0


def test_bins_keep_order_equal_values_and_missing_apart():
    values = np.r_[rng.normal(size=300), np.full(100, 7.0), np.full(20, np.nan)]
    bins, n = bin_numbers(values)
    assert set(bins[np.isnan(values)]) == {n - 1}
    assert len(set(bins[values == 7.0])) == 1
    there = ~np.isnan(values)
    order = np.argsort(values[there], kind="stable")
    assert np.all(np.diff(bins[there][order]) >= 0)


def test_noise_has_no_power_and_shuffled_rows_have_the_same(target_of):
    y = rng.integers(0, 2, 3000).astype(float)
    columns = {
        "x": rng.normal(size=3000),
        "c": rng.choice([f"l{i}" for i in range(500)], 3000),
        "good": y + rng.normal(size=3000),
    }
    context = target_of(columns, y)
    alone = powers(context)
    assert all(abs(alone[c] - 0.5) < 0.05 for c in ("x", "c"))
    order = rng.permutation(3000)
    mixed = powers(target_of({n: v[order] for n, v in columns.items()}, y[order]))
    assert mixed == pytest.approx(alone, abs=1e-12)


def test_a_straight_line_is_seen_through_heavy_tails_but_one_outlier_makes_none():
    y = rng.lognormal(0, 3, 2000)
    assert straight(2 * y + 1, y) == pytest.approx(1.0)
    x = rng.normal(size=2000)
    x[0] = y[0] = 1e9
    assert straight(x, y) < 0.1
