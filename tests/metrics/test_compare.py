import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from holdgood.core.errors import DataError
from holdgood.metrics import delong, holm, paired


def test_symmetric_differences_give_the_paired_t():
    away = np.arange(-15.0, 16.0) + 4.0
    found = paired(np.zeros(31), away, first="new", second="old", unit="nats")
    known = stats.ttest_1samp(away, 0)
    assert found.difference == pytest.approx(4.0)
    assert found.p == pytest.approx(known.pvalue, rel=1e-6)
    assert (found.low, found.high) == tuple(pytest.approx(c) for c in known.confidence_interval())
    assert (found.verdict, found.n, found.unit) == ("better", 31, "nats")
    back = paired(away, np.zeros(31), first="old", second="new")
    assert (back.verdict, back.difference, back.p) == ("worse", -4.0, pytest.approx(found.p))


def test_the_same_model_twice_is_not_proven():
    rows = np.random.default_rng(0).random(50)
    found = paired(rows, rows, first="a", second="b")
    assert (found.difference, found.low, found.high, found.p, found.verdict) == (0, 0, 0, 1.0, "not proven")


def test_a_constant_gain_needs_six_rows():
    assert paired(np.zeros(5), np.ones(5), first="a", second="b").verdict == "not proven"
    assert paired(np.zeros(6), np.ones(6), first="a", second="b").verdict == "better"


@pytest.mark.parametrize("shape", ["normal", "skewed", "clusters"])
def test_paired_holds_its_level(shape, acceptable):
    rng = np.random.default_rng(21)
    codes = np.repeat(np.arange(25), 4) if shape == "clusters" else None
    wrong = 0
    for _ in range(600):
        away = rng.normal(size=100) if shape == "normal" else rng.exponential(size=100) - 1.0
        if codes is not None:
            away = np.repeat(rng.normal(size=25), 4) + rng.normal(size=100)
        wrong += paired(np.zeros(100), away, first="a", second="b", clusters=codes).verdict != "not proven"
    assert acceptable(wrong, 600, 0.05)


def test_paired_has_the_power_of_the_t_test():
    rng = np.random.default_rng(22)
    ours = plain = 0
    for _ in range(400):
        away = rng.normal(size=100) + 0.3
        ours += paired(np.zeros(100), away, first="a", second="b").verdict == "better"
        plain += stats.ttest_1samp(away, 0).pvalue < 0.05
    assert ours >= plain - 20


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30))
@settings(max_examples=50, deadline=None)
def test_interval_and_p_agree(values):
    found = paired(np.zeros(len(values)), np.array(values), first="a", second="b")
    if found.low < found.high and abs(found.p - 0.05) > 1e-6:
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_losses_of_other_rows_are_refused():
    with pytest.raises(DataError, match="same rows"):
        paired(np.zeros(3), np.zeros(4), first="a", second="b")
    assert paired(np.zeros(0), np.zeros(0), first="a", second="b").verdict == "not proven"
    assert math.isnan(paired(np.zeros(1), np.ones(1), first="a", second="b").p)


def test_delong_agrees_with_the_textbook(scored):
    y, p = scored
    q = np.clip(p + np.random.default_rng(0).normal(0, 0.4, len(p)), 0, 1)
    found = delong(y, p, q)
    assert found.difference == pytest.approx(roc_auc_score(y, p) - roc_auc_score(y, q))
    # structural components by brute force, both classes, then the covariance of DeLong et al.
    v10, v01 = [], []
    for s in (p, q):
        gaps = s[y == 1][:, None] - s[y == 0][None, :]
        psi = (gaps > 0) + 0.5 * (gaps == 0)
        v10.append(psi.mean(axis=1))
        v01.append(psi.mean(axis=0))
    s10, s01 = np.cov(v10), np.cov(v01)
    cov = s10 / (y == 1).sum() + s01 / (y == 0).sum()
    error = math.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1])
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.02)
    assert delong(y, p, p).p == 1.0
    assert delong(y, p, q, clusters=np.arange(len(y))).high == pytest.approx(found.high, rel=0.05)


@pytest.mark.parametrize("few", [2, 5, 6, 40])
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_rankings_without_spread_are_told_apart_by_the_smaller_class(few, level):
    y = np.r_[np.ones(few), np.zeros(300)]
    found = delong(y, y, np.full(len(y), 0.3), level=level)
    assert found.difference == 0.5
    assert found.p == pytest.approx(min(1.0, 2.0 ** (1 - few)))
    assert found.verdict == ("better" if found.p < 1 - level else "not proven")
    assert (found.low > 0) == (found.verdict == "better")
    # the bound of Clopper and Pearson for a share that was never missed, from its quantile
    assert found.low == pytest.approx(0.5 - (1 - stats.beta.ppf((1 - level) / 2, few, 1)))
    assert delong(y, np.full(len(y), 0.3), y, level=level).difference == -0.5
    opposite = delong(y, y, -y, level=level)
    assert (opposite.low > 0) == (opposite.verdict == "better") == (found.verdict == "better")
    assert delong(y, y, 2 * y, level=level).p == 1.0


def test_one_cluster_proves_no_ranking_better():
    y = np.r_[np.ones(30), np.zeros(30)]
    assert delong(y, y, np.full(60, 0.5), clusters=np.zeros(60, int)).verdict == "not proven"
    assert delong(y, y, np.full(60, 0.5), clusters=np.arange(60) % 20).verdict == "better"


def test_delong_holds_its_level(acceptable):
    rng = np.random.default_rng(23)
    y = np.r_[np.ones(40), np.zeros(60)]
    wrong = 0
    for _ in range(400):
        shared = rng.normal(size=100) + y
        wrong += delong(y, shared + rng.normal(size=100), shared + rng.normal(size=100)).verdict != "not proven"
    assert acceptable(wrong, 400, 0.05)


@given(st.lists(st.floats(0, 1), max_size=12))
@settings(max_examples=40, deadline=None)
def test_holm_by_definition(p):
    ours = holm(p)
    order = sorted(range(len(p)), key=lambda i: p[i])
    highest = 0.0
    for step, i in enumerate(order):
        highest = max(highest, min(1.0, p[i] * (len(p) - step)))
        assert ours[i] == pytest.approx(highest)


def test_holm_leaves_out_what_is_missing():
    assert holm([0.02, math.nan, 0.03]).tolist()[::2] == pytest.approx([0.04, 0.04])
    assert math.isnan(holm([0.02, math.nan])[1])
