import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from holdgood.audit.outoffold import FOLDS, local_spread, out_of_fold, usable
from holdgood.core.errors import NotApplicable
from holdgood.testing.check import rename, sample, shuffle

rng = np.random.default_rng(4)


def _context(target_of, kind="binary", **more):
    x = rng.normal(size=(1500, 3))
    amount = x[:, 0] + 0.5 * x[:, 1] + 0.5 * rng.normal(size=1500)
    y = amount if kind == "regression" else (amount > 0.5).astype(float)
    columns = {"a": x[:, 0], "b": x[:, 1], "c": np.where(x[:, 2] > 0, "left", "right"), "n": np.arange(1500)}
    return target_of(columns, y, kind, **more)


def test_quality_is_what_sklearn_says(target_of):
    told = out_of_fold(_context(target_of))
    assert told.quality() == pytest.approx(roc_auc_score(told.y, told.prediction[:, 1]))
    assert told.quality() > 0.85
    told = out_of_fold(_context(target_of, "regression"))
    assert told.quality() == pytest.approx(r2_score(told.y, told.prediction))


def test_every_row_with_an_outcome_is_predicted_once_and_out_of_fold(target_of):
    told = out_of_fold(_context(target_of))
    assert sorted(told.positions) == list(range(1500))
    assert set(told.fold) == set(range(FOLDS))
    assert np.isfinite(told.prediction).all()
    assert "n" not in told.names  # a running number only names the row


def test_a_group_is_not_parted(target_of):
    groups = np.arange(1500) // 10
    told = out_of_fold(_context(target_of), groups=groups)
    folds = {(g, f) for g, f in zip(groups[told.positions], told.fold, strict=True)}
    assert len(folds) == 150


def test_declared_groups_share_a_fold(target_of):
    x = rng.normal(size=(1200, 2))
    who = np.array([f"w{i}" for i in np.arange(1200) // 8])
    context = target_of({"a": x[:, 0], "who": who}, (x[:, 0] > 0).astype(float), split={"by": ["who"]})
    told = out_of_fold(context)
    assert len({(w, f) for w, f in zip(who[told.positions], told.fold, strict=True)}) == 150


def test_the_same_under_other_names_and_in_another_order():
    context = sample("target", rows=1200)
    first, other = out_of_fold(context), out_of_fold(shuffle(rename(context)))
    assert np.array_equal(first.y, other.y)
    assert np.array_equal(first.prediction, other.prediction)


def test_local_spread_follows_the_noise(target_of):
    x = rng.normal(size=(3000, 2))
    noise = np.where(x[:, 1] > 0, 3.0, 0.3)
    context = target_of({"a": x[:, 0], "b": x[:, 1]}, x[:, 0] + noise * rng.normal(size=3000), "regression")
    told = out_of_fold(context)
    spread = local_spread(context, told)
    loud = x[told.positions, 1] > 0
    assert np.median(spread[loud]) > 4 * np.median(spread[~loud])


def test_wide_tables_are_learnt_from_their_most_telling_columns(target_of):
    x = rng.normal(size=(400, 80))
    context = target_of({f"x{i}": x[:, i] for i in range(80)}, (x[:, 77] > 0).astype(float))
    names = usable(context)
    assert len(names) == 60
    assert "x77" in names


def test_a_small_budget_is_learnt_from_less(target_of):
    context = _context(target_of, budget={"run": "6s"})
    assert np.isfinite(out_of_fold(context).prediction).all()
    assert not np.array_equal(out_of_fold(context).prediction, out_of_fold(_context(target_of)).prediction)


def test_refused_where_there_is_nothing_to_learn(target_of):
    with pytest.raises(NotApplicable, match="100 rows"):
        out_of_fold(target_of({"a": rng.normal(size=60)}, [0, 1] * 30))
    with pytest.raises(NotApplicable, match="100 rows"):
        out_of_fold(target_of({"a": rng.normal(size=600)}, [1] * 600))
