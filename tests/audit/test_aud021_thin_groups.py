import numpy as np

from holdgood.audit.aud021_thin_groups import CHECK


def test_thin_groups_are_counted_with_the_n_that_would_tell(target_of):
    site = ["A"] * 500 + ["B"] * 60 + ["C"] * 500
    (finding,) = CHECK.run(target_of({"site": site}, [0, 1] * 530, fairness={"groups": ["site"]}))
    assert (finding.level, finding.rows, finding.evidence["groups"]) == ("tip", 60, 1)
    assert finding.evidence["rows_needed"] == 385  # 1.96² · ¼ / 0.05²


def test_groups_with_few_positives_are_thin_too(target_of):
    y = np.r_[np.ones(60), np.zeros(440), np.ones(5), np.zeros(495)]
    (finding,) = CHECK.run(target_of({"site": ["A"] * 500 + ["B"] * 500}, y, fairness={"groups": ["site"]}))
    assert finding.rows == 500


def test_quiet_on_large_groups_not_applicable_without_groups(target_of, refuses):
    context = target_of({"site": ["A", "B"] * 400}, [0, 0, 1, 1] * 200, fairness={"groups": ["site", "elsewhere.town"]})
    assert CHECK.run(context) == []
    assert refuses(CHECK, target_of({"site": ["A"]}, [1]))
