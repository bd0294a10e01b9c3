import numpy as np

from holdgood.audit.aud015_leaks import CHECK

rng = np.random.default_rng(9)


def test_a_column_far_ahead_of_all_others_is_a_tip(target_of):
    y = (rng.random(3000) < 0.3).astype(float)
    columns = {"ahead": y * 2.2 + rng.normal(size=3000)} | {f"x{i}": rng.normal(size=3000) for i in range(4)}
    (finding,) = CHECK.run(target_of(columns, y))
    assert (finding.level, finding.columns, finding.late) == ("tip", ("ahead",), False)
    assert 0.9 < finding.evidence["alone"] < 0.96


def test_what_is_late_already_is_not_told_twice(target_of):
    y = (rng.random(1000) < 0.3).astype(float)
    assert CHECK.run(target_of({"copy": y, "x": rng.normal(size=1000)}, y)) == []


def test_an_identifier_that_predicts_is_a_tip(target_of):
    y = np.r_[np.ones(400), np.zeros(600)]
    y[rng.random(1000) < 0.2] = 0
    (finding,) = CHECK.run(target_of({"n": np.arange(1000), "x": rng.normal(size=1000)}, y))
    assert finding.columns == ("n",)
    assert CHECK.run(target_of({"n": rng.permutation(1000), "x": rng.normal(size=1000)}, y)) == []


def test_good_features_are_honest(target_of):
    x = rng.normal(size=(2000, 3))
    y = (x.sum(1) + 0.3 * rng.normal(size=2000) > 0).astype(float)
    assert CHECK.run(target_of({f"x{i}": x[:, i] for i in range(3)}, y)) == []


def test_not_applicable_for_few_outcomes(target_of, refuses):
    assert "40 rows" in refuses(CHECK, target_of({"x": [1.0] * 30}, [0, 1] * 15))
