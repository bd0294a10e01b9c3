import numpy as np
import pytest

from holdgood.core.errors import DataError
from holdgood.core.frame import Feature, Frame
from holdgood.evaluation import explain_rows
from holdgood.evaluation.explain import SAMPLE


def test_a_linear_model_is_explained_by_its_own_terms(regression):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=200), rng.normal(size=200)
    frame = Frame((Feature("a", "number", ("t.a",)), Feature("b", "number", ("t.b",))), (a, b))

    def predict(f):
        return 2.0 * f.column("a") - 5.0 * f.column("b")

    background = frame.take(np.arange(100, 150))
    (one,) = explain_rows(predict, frame.take(np.array([3])), background, regression.task)
    changes = dict(one)
    assert changes["t.a"] == pytest.approx(2.0 * (a[3] - a[100:150].mean()))
    assert changes["t.b"] == pytest.approx(-5.0 * (b[3] - b[100:150].mean()))
    assert abs(one[0][1]) >= abs(one[1][1])


def test_a_row_is_explained_the_same_alone_and_among_others(binary):
    rows = binary.frame.take(np.arange(1500))
    together = explain_rows(binary.predict, rows, binary.frame, binary.task, seed=4)
    for i in (0, 700, 1499):
        alone = explain_rows(binary.predict, rows.take(np.array([i])), binary.frame, binary.task, seed=4)
        assert alone[0] == together[i]


def test_unused_facts_change_nothing_and_top_cuts(binary):
    rows = binary.frame.take(np.arange(3))
    everything = explain_rows(binary.predict, rows, binary.frame, binary.task)
    assert [name for name, _ in everything[0]] == ["t.strong", "t.noise", "t.site"]
    assert everything[0][1][1] == 0.0
    assert all(len(e) == 1 for e in explain_rows(binary.predict, rows, binary.frame, binary.task, top=1))


def test_multiclass_speaks_of_the_likeliest_class(multiclass):
    rows = multiclass.frame.take(np.arange(5))
    found = explain_rows(multiclass.predict, rows, multiclass.frame, multiclass.task)
    likeliest = np.argmax(multiclass.prediction[:5], axis=1)
    for row, k in zip(found, likeliest):
        assert dict(row)[f"t.x{k}"] > 0


def test_nothing_to_explain_and_nothing_to_compare_with(binary):
    assert explain_rows(binary.predict, binary.frame.take(np.arange(0)), binary.frame, binary.task) == []
    with pytest.raises(DataError, match="background"):
        explain_rows(binary.predict, binary.frame, binary.frame.take(np.arange(0)), binary.task)
    assert SAMPLE == 64
