import numpy as np
import pytest
from sklearn import metrics as sk

from holdgood.core.errors import DeclarationError
from holdgood.core.task import DEFAULT_METRIC
from holdgood.metrics import METRICS, loss_rows, metric


def test_binary_metrics_agree_with_sklearn(binary, scored):
    y, p = scored
    answer = (p >= 0.5).astype(int)
    expected = {
        "roc_auc": sk.roc_auc_score(y, p),
        "average_precision": sk.average_precision_score(y, p),
        "accuracy": sk.accuracy_score(y, answer),
        "balanced_accuracy": sk.balanced_accuracy_score(y, answer),
        "f1": sk.f1_score(y, answer),
    }
    for name, value in expected.items():
        assert metric(name, binary).score(binary, y, p) == pytest.approx(value), name


def test_multiclass_metrics_agree_with_sklearn(three, three_scored):
    y, p = three_scored
    answer = p.argmax(axis=1)
    expected = {
        "roc_auc": sk.roc_auc_score(y, p, multi_class="ovr", average="macro"),
        "accuracy": sk.accuracy_score(y, answer),
        "balanced_accuracy": sk.balanced_accuracy_score(y, answer),
        "f1": sk.f1_score(y, answer, average="macro"),
    }
    for name, value in expected.items():
        assert metric(name, three).score(three, y, p) == pytest.approx(value), name


def test_rows_rank_as_the_metric_does(binary, three, number, scored, three_scored):
    rng = np.random.default_rng(0)
    y, p = scored
    value = rng.normal(size=300)
    cases = [(binary, y, p, rng.permutation(p)), (number, value, value + rng.normal(size=300), np.zeros(300))]
    cases.append((three, three_scored[0], three_scored[1], three_scored[1][::-1]))
    for task, truth, one, two in cases:
        for m in METRICS.values():
            if task.kind in m.kinds and m.rows is not None:
                by_rows = m.rows(task, truth, one).mean() - m.rows(task, truth, two).mean()
                by_score = m.score(task, truth, one) - m.score(task, truth, two)
                assert np.sign(by_rows) == (-1 if m.higher_is_better else 1) * np.sign(by_score), m.name


def test_the_ladder_compares_by_log_loss_and_squared_error(binary, number, scored):
    y, p = scored
    assert loss_rows(binary, y, p).mean() == pytest.approx(sk.log_loss(y, np.clip(p, 1e-15, 1 - 1e-15)))
    assert loss_rows(number, y, p).mean() == pytest.approx(sk.mean_squared_error(y, p))


def test_defaults_are_known():
    assert {n for n in DEFAULT_METRIC.values() if n not in METRICS} == set()


def test_unknown_and_unsuited_names_are_told(binary, number):
    with pytest.raises(DeclarationError, match="did you mean 'roc_auc'"):
        metric("rocauc", binary)
    with pytest.raises(DeclarationError, match="says nothing about a regression task"):
        metric("roc_auc", number)
