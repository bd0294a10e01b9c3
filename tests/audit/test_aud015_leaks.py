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


def _causes(n=4000, noise=1.0):
    x = rng.normal(size=(n, 3))
    return x, (x.sum(1) + noise * rng.normal(size=n) > 0.5).astype(float)


def test_a_noisy_copy_is_told_beside_good_features(target_of):
    x, y = _causes()
    flipped = np.where(rng.random(len(y)) < 0.1, 1 - y, y)
    columns = {f"x{i}": x[:, i] for i in range(3)} | {"copy": flipped}
    (finding,) = CHECK.run(target_of(columns, y))
    assert (finding.columns, finding.late, finding.sure) == (("copy",), False, "likely")
    assert finding.evidence["strongest_tie"] < 0.1


def test_a_noisy_copy_of_an_amount(target_of):
    x = rng.normal(size=(4000, 3))
    y = x.sum(1) + 0.5 * rng.normal(size=4000)
    columns = {f"x{i}": x[:, i] for i in range(3)} | {"copy": 3 + y + 0.7 * rng.normal(size=4000)}
    (finding,) = CHECK.run(target_of(columns, y, "regression"))
    assert finding.columns == ("copy",)


def test_the_best_of_honest_columns_is_quiet(target_of):
    x = rng.normal(size=(4000, 2))
    y = (3 * x[:, 0] + x[:, 1] + 0.8 * rng.normal(size=4000) > 0.5).astype(float)
    other = x[:, 0] + rng.normal(size=4000)
    assert CHECK.run(target_of({"best": x[:, 0], "b": x[:, 1], "other": other}, y)) == []


def test_several_columns_that_tell_nearly_all_are_one_finding(target_of):
    size = rng.normal(size=3000)
    columns = {f"side{i}": size + 0.3 * rng.normal(size=3000) for i in range(3)}
    (finding,) = CHECK.run(target_of(columns, (size > 0.5).astype(float)))
    assert sorted(finding.columns) == ["side0", "side1", "side2"]
    assert finding.sure == "possible"


def test_lags_follow_the_past(target_of):
    walk = np.cumsum(rng.normal(size=3000))
    hour = np.arange(3000) % 24
    columns = {"yesterday": np.r_[np.nan, walk[:-1]], "hour": hour, "x": walk + 5 * rng.normal(size=3000)}
    context = target_of(columns, walk, "regression", decision_time=np.arange(3000, dtype=np.int64) * 10**9)
    assert [f for f in CHECK.run(context) if "yesterday" in f.columns] == []


def test_a_clock_tells_the_outcome_only_as_far_as_time_does(target_of):
    time = np.arange(3000, dtype=np.int64) * 10**9
    y = np.linspace(0, 5, 3000) + rng.normal(size=3000)
    columns = {"at": time.astype("datetime64[us]"), "x": y + 2 * rng.normal(size=3000)}
    assert CHECK.run(target_of(columns, y, "regression", decision_time=time)) == []
