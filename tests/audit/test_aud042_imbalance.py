import numpy as np
import pytest

from holdgood.audit.aud042_imbalance import CHECK


def _two(target_of, ones, zeros, **declared):
    return CHECK.run(target_of({"x": np.arange(ones + zeros)}, np.r_[np.ones(ones), np.zeros(zeros)], **declared))


@pytest.mark.parametrize(
    ("ones", "zeros", "level", "severity"),
    [(4, 5000, "issue", "high"), (40, 5000, "issue", "medium"), (90, 8000, "tip", "low")],
)
def test_a_rare_class_is_told_with_its_weight(target_of, ones, zeros, level, severity):
    (finding,) = _two(target_of, ones, zeros)
    assert (finding.level, finding.severity, finding.rows) == (level, severity, ones)
    assert finding.evidence["a_fold"] == pytest.approx(ones / 5, abs=0.01)


def test_precision_and_rows_needed_are_those_of_a_share(target_of):
    (finding,) = _two(target_of, 100, 9900)
    assert finding.evidence["half_width"] == pytest.approx(1.96 * 0.5 / 10, abs=1e-3)
    assert finding.evidence["rows_needed"] == pytest.approx(385 / 0.01, rel=1e-6)  # 1.96² · ¼ / 0.05² of the class
    assert finding.picture.y == (100.0, 9900.0)


@pytest.mark.parametrize(("ones", "zeros"), [(200, 1800), (4000, 1000), (1200, 98_000)])
def test_enough_rows_of_either_class_are_quiet(target_of, ones, zeros):
    assert _two(target_of, ones, zeros) == []


def test_declared_costs_say_whether_rarity_matters(target_of):
    (matters,) = _two(target_of, 60, 9940, costs={"miss": 10, "false_alarm": 10})
    assert "pays from a chance of 50.0% on, 83 times the usual rate" in matters.message
    (not_so,) = _two(target_of, 60, 9940, costs={"miss": 990, "false_alarm": 10})
    assert "rarity by itself does not decide" in not_so.message


def test_folds_that_are_declared_are_counted_with(target_of):
    (finding,) = _two(target_of, 90, 8000, split={"folds": 9})
    assert finding.evidence["a_fold"] == 10.0


def test_thin_classes_among_several(target_of):
    y = np.repeat([0.0, 1.0, 2.0], [500, 30, 3])
    (finding,) = CHECK.run(target_of({"x": np.arange(533)}, y, "multiclass"))
    assert (finding.level, finding.rows, finding.evidence["hopeless_classes"]) == ("issue", 33, 1)
    y = np.repeat([0.0, 1.0, 2.0], [500, 60, 70])
    assert CHECK.run(target_of({"x": np.arange(630)}, y, "multiclass")) == []


def test_not_applicable_for_amounts_and_without_outcomes(target_of, refuses):
    assert refuses(CHECK, target_of({"x": [1.0, 2.0]}, [0.1, 0.2], "regression")) == "only for classes"
    assert refuses(CHECK, target_of({"x": [1.0, 2.0]}, [np.nan, np.nan])) == "no row has an outcome"
