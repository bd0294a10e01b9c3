import math

import numpy as np
import pytest

from holdgood.core.declaration import Costs
from holdgood.core.errors import DataError
from holdgood.core.records import Evaluation, envelope
from holdgood.evaluation import evaluate
from holdgood.evaluation.evaluate import UNSEEN, WORN_AFTER
from holdgood.metrics.units import DAY

COSTS = Costs(miss=300, false_alarm=40, currency="€")


def run(case, **more):
    arguments = {"prior": case.prior, "simple": case.simple, "seed": 3}
    return evaluate(case.task, case.y, case.prediction, **(arguments | more))


def test_a_binary_evaluation_is_complete(binary, tmp_path):
    found = run(binary, costs=COSTS, threshold=0.12, threshold_low=0.1, threshold_high=0.15)
    assert found.against_prior.verdict == "better"
    assert found.against_simple.verdict == "better"
    assert set(found.baselines) == {"prior", "the simplest rule"}
    assert found.threshold.value == 0.12
    assert "0.1 to 0.15" in found.threshold.sentence
    assert sum(map(sum, found.confusion.counts)) == len(binary.y)
    assert found.confusion.counts[1][1] == int(np.sum((binary.prediction >= 0.12) & (binary.y == 1)))
    assert not found.worn
    names = {c.name for c in found.curves}
    assert {"ROC", "precision and recall", "money against the threshold", "money at the threshold in use"} <= names
    assert all(len(c.x) == len(c.y) <= 200 for c in found.curves)
    written = envelope.write(tmp_path / "e.json", found)
    assert envelope.read(written, Evaluation).money_sentence == found.money_sentence


def test_the_money_curve_meets_the_amount_at_the_threshold(binary):
    found = run(binary, costs=COSTS, threshold=0.12)
    curve = {c.name: c for c in found.curves}
    assert curve["money at the threshold in use"].y[0] == pytest.approx(found.money.amount.value)
    at = curve["money against the threshold"]
    assert at.y[at.x.index(0.12)] == pytest.approx(found.money.amount.value)


def test_the_prior_does_not_beat_itself(binary):
    found = evaluate(binary.task, binary.y, binary.prior, prior=binary.prior)
    assert found.against_prior.difference == 0.0
    assert found.against_prior.verdict == "not proven"
    assert found.against_simple is None


def test_without_a_threshold_the_costs_decide(binary):
    found = run(binary, costs=COSTS)
    assert found.threshold.value == pytest.approx(40 / 340)
    assert any("Bayes threshold" in n for n in found.notes)


def test_the_same_predictions_at_the_same_threshold_differ_by_exactly_nothing(binary):
    """A simple rule that is the model must not lose money to it."""
    for given in ({"simple_threshold": 0.12}, {}):
        found = run(binary, simple=binary.prediction, costs=COSTS, threshold=0.12, **given)
        against = found.money_against[-1]
        assert against.second == "the simplest rule"
        assert (against.difference, against.low, against.high) == (0.0, 0.0, 0.0)
        assert any("acts at the model's, 0.12" in n for n in found.notes) == (not given)


def test_the_simple_rule_acts_at_its_own_threshold(binary):
    """Its chances are shifted; at a threshold that suits them it answers as the model does."""
    found = run(binary, simple=binary.prediction / 2, costs=COSTS, threshold=0.12, simple_threshold=0.06)
    assert found.money_against[-1].difference == 0.0
    handicapped = run(binary, simple=binary.prediction / 2, costs=COSTS, threshold=0.12)
    assert handicapped.money_against[-1].difference != 0.0


def test_multiclass_with_classes_that_development_never_saw(multiclass):
    y = multiclass.y.copy()
    y[:5] = [-1, 3, 7, -1, 3]
    found = evaluate(multiclass.task, y, multiclass.prediction, prior=multiclass.prior)
    plain = run(multiclass, simple=None)
    assert found.confusion.labels[-1] == UNSEEN
    assert sum(found.confusion.counts[-1]) == 5
    assert any(n.startswith("5 holdout rows hold a class never seen") for n in found.notes)
    extra = 5 * -math.log(1e-15) + np.log(multiclass.prediction[np.arange(5), multiclass.y[:5].astype(int)]).sum()
    gained = (found.metrics["log_loss"].value - plain.metrics["log_loss"].value) * len(y)
    assert gained == pytest.approx(extra)


def test_an_unseen_class_of_a_binary_task_is_not_positive(binary):
    y = binary.y.copy()
    y[0] = 2.0
    found = evaluate(binary.task, y, binary.prediction, prior=binary.prior)
    assert any("counted as not yes" in n for n in found.notes)
    assert sum(found.confusion.counts[1]) == int(np.sum(y == 1))


def test_regression(regression):
    found = run(regression)
    assert found.threshold is None
    assert found.confusion is None
    (residuals,) = found.curves
    assert len(residuals.low) == len(residuals.x) <= 200
    assert np.average(residuals.y) == pytest.approx(np.mean(regression.y - regression.prediction), abs=0.05)


def test_time_joins_days_and_widens_what_hangs_together(binary):
    n = len(binary.y)
    order = np.argsort(binary.prediction)  # neighbours in time are alike
    time = np.empty(n, np.int64)
    time[order] = np.arange(n) * DAY // 50
    together, alone = run(binary, time=time), run(binary)
    assert any("blocks of" in note for note in together.notes)
    wide, narrow = together.metrics["log_loss"], alone.metrics["log_loss"]
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert together.money.per == "month"


def test_worn_after_several_openings(binary):
    assert run(binary, openings=WORN_AFTER + 1).worn
    assert not run(binary, openings=WORN_AFTER).worn


def test_one_class_and_few_rows_are_said(binary):
    lone = evaluate(binary.task, np.zeros(40), binary.prediction[:40], prior=binary.prior[:40])
    assert any("one class only" in n for n in lone.notes)
    assert any("No value could be computed for roc auc" in n for n in lone.notes)
    few = evaluate(binary.task, np.r_[np.ones(4), np.zeros(96)], binary.prediction[:100], prior=binary.prior[:100])
    assert any(n.startswith("Only 4 holdout rows of class yes") for n in few.notes)
    evaluate(binary.task, np.ones(1), binary.prediction[:1], prior=binary.prior[:1])


@pytest.mark.parametrize(
    ("y", "prediction", "said"),
    [
        (np.zeros(0), np.zeros(0), "no rows"),
        (np.array([0.0, np.nan]), np.array([0.1, 0.2]), "without an outcome"),
        (np.array([0.0, 1.0]), np.array([0.1, np.nan]), "not numbers"),
        (np.array([0.0, 1.0]), np.array([0.1]), "shape"),
    ],
)
def test_bad_input_is_told_in_three_lines(binary, y, prediction, said):
    with pytest.raises(DataError, match=said) as error:
        evaluate(binary.task, y, prediction, prior=np.full(len(y), 0.5))
    assert error.value.expected
    assert error.value.do


def test_same_seed_same_record(binary):
    assert run(binary, costs=COSTS) == run(binary, costs=COSTS)
