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
