import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn import metrics as sk

from holdgood.metrics import ranking

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=60)


@given(ROWS)
@settings(max_examples=50, deadline=None)
def test_area_and_precision_by_brute_force(rows):
    y = np.array([r[0] for r in rows], float)
    s = np.array([r[1] for r in rows], float)
    assert ranking.midranks(s) == pytest.approx(rankdata(s))
    if 0 < y.sum() < len(y):
        gaps = s[y == 1][:, None] - s[y == 0][None, :]
        assert ranking.roc_auc(y, s) == pytest.approx(np.mean((gaps > 0) + 0.5 * (gaps == 0)))
        assert ranking.average_precision(y, s) == pytest.approx(sk.average_precision_score(y, s))


def test_one_class_has_no_area():
    assert math.isnan(ranking.roc_auc(np.ones(5), np.arange(5.0)))
    assert math.isnan(ranking.average_precision(np.zeros(5), np.arange(5.0)))
    assert math.isnan(ranking.roc_auc(np.zeros(0), np.zeros(0)))


def test_curves_agree_with_sklearn_and_are_thinned(scored):
    y, p = scored
    fpr, tpr, cuts = ranking.roc_curve(y, p)
    far, tar, tax = sk.roc_curve(y, p, drop_intermediate=False)
    assert fpr == pytest.approx(far)
    assert tpr == pytest.approx(tar)
    assert cuts == pytest.approx(tax)
    recall, precision, _ = ranking.pr_curve(y, p)
    prec, rec, _ = sk.precision_recall_curve(y, p)
    assert recall == pytest.approx(rec[:-1][::-1])
    assert precision == pytest.approx(prec[:-1][::-1])

    rng = np.random.default_rng(0)
    big, chance = (rng.random(20_000) < 0.1).astype(float), rng.random(20_000)
    fpr, tpr, cuts = ranking.roc_curve(big, chance)
    assert len(fpr) <= 400
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert np.all(np.diff(fpr) >= 0)
    assert np.all(np.diff(tpr) >= 0)
    assert len(ranking.pr_curve(big, chance)[0]) <= 400
