import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from holdgood.metrics import interval as iv


def test_symmetric_rows_give_the_t_interval():
    rows = np.r_[np.arange(-20.0, 21.0)]
    found = iv.mean_interval(rows)
    low, high = stats.t.interval(0.95, 40, loc=0, scale=stats.sem(rows))
    assert (found.low, found.high, found.n) == (pytest.approx(low), pytest.approx(high), 41)


def test_clusters_of_one_change_nothing_and_copies_widen():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=60)
    alone = iv.mean_interval(rows)
    assert iv.mean_interval(rows, np.arange(60)).high == pytest.approx(alone.high)
    copied = iv.mean_interval(np.repeat(rows, 5), np.repeat(np.arange(60), 5))
    assert (copied.low, copied.high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    assert iv.mean_interval(np.repeat(rows, 5)).high < copied.high


def test_bad_input_has_no_interval():
    assert math.isnan(iv.mean_interval(np.zeros(0)).value)
    one = iv.mean_interval(np.array([3.0]))
    assert (one.value, one.low, one.high) == (3.0, -math.inf, math.inf)
    assert math.isnan(iv.wilson(0, 0).value)
    assert math.isnan(iv.auc_interval(np.ones(4), np.arange(4.0)).low)


@pytest.mark.parametrize(
    "draw",
    [
        lambda r, n: r.normal(size=n),
        lambda r, n: r.exponential(size=n) - 1.0,
        lambda r, n: r.choice([-1.0, 0.0, 3.0], size=n, p=[0.2, 0.74, 0.06]) + 0.02,
    ],
    ids=["normal", "exponential", "rare money"],
)
def test_mean_interval_covers(draw, acceptable):
    rng = np.random.default_rng(11)
    missed = 0
    for _ in range(600):
        found = iv.mean_interval(draw(rng, 80))
        missed += not found.low <= 0.0 <= found.high
    assert acceptable(missed, 600, 0.05)


def test_clustered_interval_covers(acceptable):
    rng = np.random.default_rng(12)
    codes = np.repeat(np.arange(30), 8)
    missed = naive = 0
    for _ in range(500):
        rows = np.repeat(rng.normal(size=30), 8) + rng.normal(size=240)
        found, alone = iv.mean_interval(rows, codes), iv.mean_interval(rows)
        missed += not found.low <= 0.0 <= found.high
        naive += not alone.low <= 0.0 <= alone.high
    assert acceptable(missed, 500, 0.05)
    assert naive > 100  # what the clusters are for


def test_clusters_of_one_size_have_as_many_degrees_of_freedom_as_clusters_less_one():
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(20), 7)
    rows = rng.normal(size=20)[codes] + rng.normal(size=140)
    sums = np.bincount(codes, weights=rows - rows.mean()) / 140
    error, df = iv.clustered((rows - rows.mean()) / 140, codes)
    assert error == pytest.approx(math.sqrt(np.sum(sums**2) * 20 / 19))
    assert df == pytest.approx(19)


def test_few_clusters_that_hold_most_rows_leave_few_degrees_of_freedom():
    rng = np.random.default_rng(1)
    codes = np.r_[np.zeros(500, int), np.repeat(np.arange(1, 51), 10)]
    alike = rng.normal(size=51)[codes] + 0.1 * rng.normal(size=1000)
    apart = rng.normal(size=1000)
    few, many = (iv.clustered((r - r.mean()) / 1000, codes)[1] for r in (alike, apart))
    assert few < 1.5 < many < 10
    assert math.isnan(iv.clustered(alike / 1000, np.zeros(1000, int))[0])


def test_intervals_over_clusters_of_unequal_size_cover(acceptable):
    rng = np.random.default_rng(15)
    weight = 1 / np.arange(1, 41) ** 0.7
    codes = np.searchsorted(np.round(np.cumsum(weight) / weight.sum() * 400).astype(int), np.arange(400), side="right")
    missed = missed_area = 0
    truth = stats.norm.cdf(1.0 / math.sqrt(2))
    for _ in range(400):
        rows = rng.normal(size=40)[codes] + rng.normal(size=400)
        found = iv.mean_interval(rows, codes)
        missed += not found.low <= 0.0 <= found.high
        y = (rng.random(400) < 0.3).astype(float)
        area = iv.auc_interval(
            y, math.sqrt(0.2) * rng.normal(size=40)[codes] + math.sqrt(0.8) * rng.normal(size=400) + y, codes
        )
        missed_area += not area.low <= truth <= area.high
    assert acceptable(missed, 400, 0.05)
    assert acceptable(missed_area, 400, 0.05)


def test_moving_blocks_cover_where_neighbours_are_alike(acceptable):
    rng = np.random.default_rng(13)
    missed = naive = 0
    for _ in range(400):
        x = np.zeros(250)
        for i, e in enumerate(rng.normal(size=250)):
            x[i] = 0.5 * x[i - 1] + e
        found, alone = iv.mean_interval(x[50:], blocks=0), iv.mean_interval(x[50:])
        missed += not found.low <= 0.0 <= found.high
        naive += not alone.low <= 0.0 <= alone.high
    assert acceptable(missed, 400, 0.06)  # serial correlation is estimated: a point is allowed for it
    assert naive > 60


def test_root_mean_interval_is_the_root():
    rows = np.random.default_rng(0).normal(size=100) ** 2
    found, inner = iv.root_mean_interval(rows), iv.mean_interval(rows)
    assert found.value**2 == pytest.approx(inner.value)
    assert found.low**2 == pytest.approx(max(0, inner.low))


@given(st.integers(1, 200), st.data())
@settings(max_examples=40, deadline=None)
def test_wilson_agrees_with_scipy(n, data):
    hits = data.draw(st.integers(0, n))
    found, known = iv.wilson(hits, n), stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == (pytest.approx(known.low, abs=1e-9), pytest.approx(known.high, abs=1e-9))


def test_share_interval_counts_clusters_not_copies():
    hits = (np.random.default_rng(1).random(80) < 0.3).astype(float)
    plain = iv.share_interval(hits)
    assert plain.high == iv.wilson(hits.sum(), 80).high
    copies = iv.share_interval(np.repeat(hits, 6), np.repeat(np.arange(80), 6))
    assert copies.value == plain.value
    assert copies.high - copies.low >= 0.98 * (plain.high - plain.low)
    assert iv.share_interval(np.ones(50), np.repeat(np.arange(10), 5)).low == pytest.approx(iv.wilson(10, 10).low)


def test_auc_interval_covers(acceptable):
    rng = np.random.default_rng(14)
    truth = stats.norm.cdf(1.2 / math.sqrt(2))
    missed = 0
    for _ in range(400):
        y = np.r_[np.ones(40), np.zeros(80)]
        found = iv.auc_interval(y, rng.normal(size=120) + 1.2 * y)
        missed += not found.low <= truth <= found.high
    assert acceptable(missed, 400, 0.05)


def test_near_a_perfect_ranking_few_rows_carry_the_variance():
    rng = np.random.default_rng(2)
    y = np.r_[np.ones(60), np.zeros(240)]
    usual, near = (iv.auc_spread(y, iv.auc_parts(y, rng.normal(size=300) + d * y)[1], None)[1] for d in (0.5, 3.0))
    assert near < 0.5 * usual
    assert usual < 300


def test_auc_interval_value_clusters_and_perfection(scored):
    y, p = scored
    found = iv.auc_interval(y, p)
    assert found.value == pytest.approx(roc_auc_score(y, p))
    twice = iv.auc_interval(np.tile(y, 3), np.tile(p, 3), np.tile(np.arange(400), 3))
    assert twice.high == pytest.approx(found.high, abs=0.002)
    perfect = iv.auc_interval(np.r_[np.ones(10), np.zeros(30)], np.r_[np.ones(10), np.zeros(30)])
    assert perfect.value == 1.0
    assert perfect.low == pytest.approx(iv.wilson(10, 10).low)


@given(
    st.lists(st.integers(-3, 30), min_size=1, max_size=30), st.sampled_from([np.int64, np.int32, np.float64, np.str_])
)
@settings(max_examples=50, deadline=None)
def test_cluster_codes_are_the_ranks_of_the_content(values, kind):
    clusters = np.array(values).astype(kind)
    assert iv.cluster_codes(clusters).tolist() == np.unique(clusters, return_inverse=True)[1].tolist()


def test_clusters_are_drawn_whole():
    clusters = np.repeat(np.arange(6), 3)
    drawn = np.array(list(iv.resample_counts(18, clusters, 0, 50)))
    assert np.all(drawn.sum(axis=1) == 18)
    assert np.all(drawn.reshape(50, 6, 3).std(axis=2) == 0)
    assert np.array_equal(drawn, np.array(list(iv.resample_counts(18, clusters, 0, 50))))
