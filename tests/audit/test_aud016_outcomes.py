import numpy as np

from holdgood.audit.aud016_outcomes import CHECK


def test_rows_without_an_outcome_are_counted(target_of):
    y = np.r_[np.full(30, np.nan), np.zeros(500), np.ones(470)]
    (finding,) = CHECK.run(target_of({"x": np.arange(1000)}, y))
    assert (finding.level, finding.rows, finding.evidence["share"]) == ("tip", 30, 0.03)
    y[:600] = np.nan
    (finding,) = CHECK.run(target_of({"x": np.arange(1000)}, y))
    assert (finding.level, finding.severity, finding.rows) == ("issue", "high", 600)


def test_quiet_where_every_row_has_one(target_of):
    assert CHECK.run(target_of({"x": [1, 2, 3]}, [0, 1, 0])) == []


def test_not_applicable_without_rows(target_of, refuses):
    assert refuses(CHECK, target_of({"x": np.array([], float)}, [])) == "no rows with a target"
