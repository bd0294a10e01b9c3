import numpy as np
import pandas as pd

from holdgood.audit.aud018_conflicts import CHECK

rng = np.random.default_rng(11)


def test_copies_with_other_labels_are_counted_as_pandas_counts_them(target_of):
    frame = pd.DataFrame({f"x{i}": rng.normal(size=600).round(2) for i in range(4)})
    frame = pd.concat([frame, frame.iloc[:40]], ignore_index=True)
    y = rng.integers(0, 2, 600).astype(float)
    y = np.r_[y, np.where(np.arange(40) < 25, 1 - y[:40], y[:40])]
    (finding,) = CHECK.run(target_of({n: frame[n].to_numpy() for n in frame}, y))
    groups = frame.assign(y=y).groupby(list(frame.columns)).y.agg(["nunique", "size"])
    assert finding.rows == groups.loc[groups["nunique"] > 1, "size"].sum() == 50
    assert finding.evidence["unavoidably_wrong"] == 25
    assert finding.level == "tip"


def test_noise_among_rows_that_meet_by_chance_is_no_finding(target_of):
    few = {"a": rng.integers(0, 4, 900), "b": rng.integers(0, 3, 900)}
    assert CHECK.run(target_of(few, rng.integers(0, 2, 900))) == []


def test_not_applicable_for_amounts(target_of, refuses):
    assert refuses(CHECK, target_of({"x": [1.0, 2.0]}, [0.1, 0.2], "regression")) == "only for classes"


def _crowded(n=4000):
    """Rows of few values that meet by chance, with a label that is honestly noisy."""
    columns = {
        "a": rng.integers(0, 25, n),
        "b": rng.integers(0, 25, n),
        "c": rng.integers(0, 15, n),
        "d": rng.choice(list("pqr"), n),
    }
    y = (rng.random(n) < np.where(columns["a"] > 12, 0.9, 0.1)).astype(float)
    return columns, y


def test_conflicts_beyond_honest_noise_are_told_where_rows_meet_by_chance(target_of):
    columns, y = _crowded()
    assert CHECK.run(target_of(columns, y)) == []
    again = {n: np.r_[v, v[:500]] for n, v in columns.items()}
    (finding,) = CHECK.run(target_of(again, np.r_[y, 1 - y[:500]]))
    assert finding.sure == "likely"
    assert 0.1 < finding.evidence["honest_noise"] < 0.35
    assert finding.rows >= 1000


def test_copies_with_the_same_label_are_no_conflict(target_of):
    columns, y = _crowded()
    again = {n: np.r_[v, v[:500]] for n, v in columns.items()}
    assert CHECK.run(target_of(again, np.r_[y, y[:500]])) == []


def test_the_most_even_conflicts_come_first(target_of):
    x = {
        "x": np.r_[np.full(21, 1.25), np.full(20, 2.5), rng.normal(size=600)],
        "z": np.r_[np.full(21, 7.5), np.full(20, 8.5), rng.normal(size=600)],
    }
    y = np.r_[np.ones(20), 0.0, np.ones(10), np.zeros(10), rng.integers(0, 2, 600)]
    (finding,) = CHECK.run(target_of(x, y))
    assert set(finding.examples) == set(range(21, 41))
