import numpy as np
import pytest
from scipy.stats import binom

from holdgood.fairness.gaps import clusters_worth, largest_gap, summed
from holdgood.fairness.measures import Ratio


def gap_of(hits, codes, groups, *, limit=0.1, level=0.95, clusters=None, share=True, seed=0):
    ratio = Ratio("selection_rate", hits.astype(float), np.ones(len(hits)), share)
    table = summed(ratio, codes, groups, clusters)
    names = [f"g{i}" for i in range(groups)]
    return largest_gap(ratio, table, names, limit=limit, level=level, clustered=clusters is not None, seed=seed)


def test_sums_by_hand_and_rows_outside_are_left_out():
    ratio = Ratio("r", np.array([1.0, 0, 1, 1]), np.ones(4))
    table = summed(ratio, np.array([0, 0, 1, -1]), 2, None)
    assert table.tops.tolist() == [1.0, 1.0]
    assert table.bottoms.tolist() == [2.0, 1.0]
    assert table.covariance[0, 0] == pytest.approx(0.25)  # s²/n of (1, 0)


def test_covariance_of_single_row_clusters_is_that_of_rows():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 900)
    ratio = Ratio("r", (rng.random(900) < 0.4).astype(float), np.ones(900))
    rows, clusters = summed(ratio, codes, 3, None), summed(ratio, codes, 3, np.arange(900))
    assert np.diag(clusters.covariance) == pytest.approx(np.diag(rows.covariance), rel=0.01)
    assert np.abs(clusters.covariance - np.diag(np.diag(clusters.covariance))).max() < 1e-12


@pytest.mark.parametrize("clustered", [False, True])
def test_no_true_gap_above_the_limit_is_called_a_gap_at_most_at_the_level(clustered):
    """The hardest case: eight groups, the highest and the lowest exactly at the limit; and the interval covers it."""
    rng = np.random.default_rng(5)
    groups, each, runs = 8, 150, 300
    truth = np.where(np.arange(groups) % 2 == 0, 0.35, 0.45)
    codes = np.repeat(np.arange(groups), each)
    false, covered = 0, 0
    for run in range(runs):
        hits = rng.random(groups * each) < truth[codes]
        clusters = np.tile(np.arange(each), groups) if clustered else None
        found = gap_of(hits, codes, groups, clusters=clusters, seed=run)
        false += found.verdict == "gap"
        covered += found.largest.low <= 0.1 <= found.largest.high
    assert binom.sf(false - 1, runs, 0.05) > 0.001
    assert binom.cdf(covered, runs, 0.95) > 0.001


def test_equal_groups_are_hardly_ever_called_a_gap_even_with_a_tiny_limit():
    rng = np.random.default_rng(6)
    codes, runs = np.repeat(np.arange(10), 120), 200
    false = sum(gap_of(rng.random(1200) < 0.3, codes, 10, limit=1e-6, seed=s).verdict == "gap" for s in range(runs))
    assert binom.sf(false - 1, runs, 0.05) > 0.001


def test_clusters_that_cross_groups_hold_the_level():
    """Days shift every group alike: paired differences are sharper than rows would say, single groups are not."""
    rng = np.random.default_rng(7)
    runs, false = 200, 0
    for run in range(runs):
        day = np.repeat(np.arange(40), 30)
        codes = np.tile(np.arange(3), 400)
        alike = rng.normal(0, 0.3, (40, 3))[day, codes]  # each day moves each group by itself
        hits = rng.random(1200) < np.clip(0.4 + alike, 0, 1)
        false += gap_of(hits, codes, 3, limit=1e-6, clusters=day, seed=run).verdict == "gap"
    assert binom.sf(false - 1, runs, 0.05) > 0.001


def test_a_large_gap_is_found_and_a_small_one_is_within():
    codes = np.repeat([0, 1], 5000)
    wide = np.r_[np.arange(5000) < 3000, np.arange(5000) < 1500]
    found = gap_of(wide, codes, 2)
    assert found.verdict == "gap"
    assert found.between == ("g0", "g1")
    assert found.largest.value == pytest.approx(0.3)
    assert "g0 is higher than g1" in found.sentence
    narrow = np.r_[np.arange(5000) < 3000, np.arange(5000) < 2950]
    assert gap_of(narrow, codes, 2).verdict == "within"
    few = np.repeat([0, 1], 60)
    assert gap_of(np.r_[np.arange(60) < 30, np.arange(60) < 22], few, 2).verdict == "cannot tell"


def test_all_or_nothing_is_not_certainty():
    codes = np.repeat([0, 1], 25)
    for clusters in (None, np.arange(50)):
        found = gap_of(np.zeros(50, bool), codes, 2, clusters=clusters)
        assert found.largest.value == 0.0
        assert found.largest.high > 0.02
        assert found.verdict == "cannot tell"
        assert "no difference seen" in found.sentence


def test_one_group_has_no_gap():
    assert gap_of(np.ones(10, bool), np.zeros(10, int), 1) is None


def separate(rng, clusters_a_group, each, sd):
    """Rows of clusters that lie in one group each; every cluster has a rate of its own around 0.4."""
    sizes = [each] * sum(clusters_a_group)
    codes = np.repeat(np.repeat(np.arange(len(clusters_a_group)), clusters_a_group), sizes)
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    rate = np.clip(0.4 + sd * rng.standard_normal(len(sizes)), 0.01, 0.99)
    return rng.random(len(codes)) < rate[clusters], codes, clusters


@pytest.mark.parametrize("clusters_a_group", [(8, 100), (8,) * 6])
def test_a_group_of_few_clusters_holds_the_level(clusters_a_group):
    """Degrees of freedom are those of the group's own clusters, not of all that there are."""
    rng = np.random.default_rng(8)
    runs, false = 200, 0
    for run in range(runs):
        hits, codes, clusters = separate(rng, clusters_a_group, 40, 0.2)
        false += gap_of(hits, codes, len(clusters_a_group), limit=1e-6, clusters=clusters, seed=run).verdict == "gap"
    assert binom.sf(false - 1, runs, 0.05) > 0.001


def test_few_days_that_cross_many_groups_hold_the_level():
    rng = np.random.default_rng(9)
    days, groups, runs, false = 8, 8, 200, 0
    for run in range(runs):
        day, codes = np.repeat(np.arange(days), groups * 25), np.tile(np.repeat(np.arange(groups), 25), days)
        own = rng.normal(0, 0.2, (days, groups))[day, codes] + rng.normal(0, 0.1, days)[day]
        hits = rng.random(len(day)) < np.clip(0.4 + own, 0, 1)
        false += gap_of(hits, codes, groups, limit=1e-6, clusters=day, seed=run).verdict == "gap"
    assert binom.sf(false - 1, runs, 0.05) > 0.001


def test_clusters_are_worth_their_number_where_equal_and_one_where_one_is_all():
    codes = np.repeat([0, 1, 2, -1], 100)
    clusters = np.r_[np.arange(100) // 10, np.zeros(99), 1, np.full(100, 5), np.arange(100)]
    worth = clusters_worth(np.ones(400), codes, 4, clusters)
    assert worth == pytest.approx([10.0, 100**2 / (99**2 + 1), 1.0, 0.0])
    assert clusters_worth((codes == 0) * 1.0, codes, 3, clusters)[1] == 0.0
