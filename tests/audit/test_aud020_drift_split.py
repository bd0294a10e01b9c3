import numpy as np

from holdgood.audit.aud020_drift_split import CHECK

rng = np.random.default_rng(13)


def _sides(n, m, shift=0.0):
    def side(k, by):
        words = rng.choice(list("abc"), k, p=np.array([0.5 - by / 4, 0.3, 0.2 + by / 4]))
        return {"x": rng.normal(by, 1, k), "w": words, "b": rng.random(k) < 0.5, "same": rng.normal(size=k)}

    return side(n, 0.0), side(m, shift)


def test_shifted_columns_are_told_strongest_first(target_of):
    dev, hold = _sides(2000, 700, 0.8)
    (finding,) = CHECK.run(target_of(dev, rng.integers(0, 2, 2000), holdout=hold))
    assert (finding.level, finding.columns) == ("tip", ("x", "w"))


def test_a_difference_too_small_to_matter_is_no_finding(target_of):
    dev, hold = _sides(20_000, 20_000, 0.1)
    assert CHECK.run(target_of(dev, rng.integers(0, 2, 20_000), holdout=hold)) == []


def test_no_more_false_alarms_than_promised(target_of):
    alarms = 0
    for _ in range(100):
        dev, hold = _sides(200, 80)
        alarms += bool(CHECK.run(target_of(dev, rng.integers(0, 2, 200), holdout=hold)))
    assert alarms <= 1


def test_columns_that_follow_the_clock_differ_by_design(target_of):
    dev, hold = (
        {"month": np.repeat(np.arange(6), 50), "x": rng.normal(size=300)},
        {"month": np.repeat([6, 7], 50), "x": rng.normal(size=100)},
    )
    context = target_of(dev, rng.integers(0, 2, 300), holdout=hold, decision_time=np.arange(300, dtype=np.int64))
    assert CHECK.run(context) == []
    assert CHECK.run(target_of(dev, rng.integers(0, 2, 300), holdout=hold))[0].columns == ("month",)


def test_not_applicable_for_few_rows(target_of, refuses):
    assert "50 rows" in refuses(CHECK, target_of({"x": [1, 2]}, [0, 1], holdout={"x": [1]}))


def test_a_value_a_day_tells_the_time_and_is_no_drift(target_of):
    day = np.repeat(np.arange(50), 40)
    columns = {"x": np.random.default_rng(1).normal(size=2000), "of_the_month": day % 31}
    held = {"x": np.random.default_rng(2).normal(size=400), "of_the_month": np.full(400, 25)}
    context = target_of(columns, [0, 1] * 1000, holdout=held, decision_time=day.astype(np.int64) * 86400 * 10**6)
    assert CHECK.run(context) == []
