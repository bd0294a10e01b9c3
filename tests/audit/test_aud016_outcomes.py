import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud016_outcomes import CHECK


@pytest.mark.parametrize(("none", "level"), [(30, "tip"), (600, "issue")])
def test_rows_without_outcome_are_counted(target_of, none, level):
    y = np.r_[[np.nan] * none, [0.0, 1.0] * ((1000 - none) // 2)]
    (finding,) = CHECK.run(target_of({"x": np.arange(1000)}, y))
    assert (finding.level, finding.rows) == (level, none)


@pytest.mark.parametrize(("rare", "n", "level"), [(3, 1000, "issue"), (40, 1000, "issue"), (60, 10_000, "tip")])
def test_rare_classes(target_of, rare, n, level):
    y = np.r_[np.ones(rare), np.zeros(n - rare)]
    (finding,) = CHECK.run(target_of({"x": np.arange(n)}, y))
    assert (finding.level, finding.rows) == (level, rare)


def test_thin_classes_of_several(target_of):
    y = np.r_[np.zeros(500), np.ones(500), np.full(3, 2), np.full(20, 3)]
    (finding,) = CHECK.run(target_of({"x": np.arange(len(y))}, y, "multiclass"))
    assert (finding.level, finding.evidence) == ("issue", {"thin_classes": 2, "hopeless_classes": 1, "fewest": 3})


def test_quiet_on_balance_not_applicable_without_rows(target_of, refuses):
    assert CHECK.run(target_of({"x": np.arange(1000)}, [0, 1] * 500)) == []
    assert CHECK.run(target_of({"x": np.arange(10)}, np.arange(10.0), "regression")) == []
    assert refuses(CHECK, target_of({"x": pa.nulls(0, pa.int64())}, []))
