import numpy as np
import pytest

from holdgood.core.errors import DataError
from holdgood.core.frame import Feature, Frame
from holdgood.evaluation import permutation_importance


def test_what_matters_comes_first_and_what_does_not_is_zero(binary):
    found = permutation_importance(binary.predict, binary.frame, binary.y, binary.task, seed=1)
    assert found.importance[0].name == "t.strong"
    assert found.importance[0].loss_increase.low > 0.1
    assert all(i.loss_increase.value == 0.0 for i in found.importance[1:])
    assert "shuffles one fact at a time" in found.notes[0]


def test_parts_of_one_column_are_shuffled_together(binary):
    x = binary.frame.column("strong")
    features = (Feature("half", "number", ("t.d",)), Feature("other half", "number", ("t.d",)), Feature("z", "number"))
    frame = Frame(features, (x / 2, x / 2, x * 0))

    def predict(f):
        return 1 / (1 + np.exp(1.2 - 1.5 * (f.column("half") + f.column("other half"))))

    found = permutation_importance(predict, frame, binary.y, binary.task, seed=1)
    whole = permutation_importance(binary.predict, binary.frame, binary.y, binary.task, seed=1)
    assert found.importance[0].features == ("half", "other half")
    # the same shuffle of the same fact: seeds go by position, not by name
    assert found.importance[0].loss_increase == whole.importance[0].loss_increase
    assert found.importance[1].name == "z"


def test_names_do_not_matter(binary):
    renamed = Frame(
        tuple(Feature(f"c{9 - i}", f.type, (f"t.c{9 - i}",)) for i, f in enumerate(binary.frame.features)),
        binary.frame.arrays,
    )
    one = permutation_importance(binary.predict, binary.frame, binary.y, binary.task, seed=2)
    two = permutation_importance(
        lambda f: 1 / (1 + np.exp(1.2 - 1.5 * f.arrays[0])), renamed, binary.y, binary.task, seed=2
    )
    assert [i.loss_increase.value for i in one.importance] == pytest.approx(
        [i.loss_increase.value for i in two.importance]
    )


def test_rows_are_drawn_and_time_limits_are_said(binary):
    found = permutation_importance(binary.predict, binary.frame, binary.y, binary.task, max_rows=500, seed=1)
    assert found.importance[0].loss_increase.n == 500
    assert any("500 holdout rows drawn at random" in n for n in found.notes)
    none = permutation_importance(binary.predict, binary.frame, binary.y, binary.task, seconds=-1)
    assert none.importance == ()
    assert any("not known for 3 of 3 facts" in n for n in none.notes)


def test_clusters_and_numbers(regression):
    clusters = np.arange(len(regression.y)) // 10
    found = permutation_importance(
        regression.predict, regression.frame, regression.y, regression.task, clusters=clusters
    )
    assert found.importance[0].loss_increase.value == pytest.approx(18.0, rel=0.2)  # 2 * 9 * var(x)
    assert "clusters" in found.importance[0].loss_increase.method


def test_mismatched_rows_are_refused(binary):
    with pytest.raises(DataError, match="outcomes"):
        permutation_importance(binary.predict, binary.frame, binary.y[:5], binary.task)


def test_of_a_wide_frame_the_facts_that_the_prediction_follows_are_tried_first(binary):
    rows = 120
    draw = np.random.default_rng(0)
    noise = [draw.normal(size=rows) for _ in range(3000)]
    kind = np.array(["a", "b", None], dtype=object)[draw.integers(0, 3, rows)]
    features = (
        *(Feature(f"v{i}", "number", (f"t.v{i}",)) for i in range(3000)),
        Feature("kind", "category", ("t.kind",)),
        Feature("strong", "number", ("t.strong",)),
    )
    frame = Frame(features, (*noise, kind, draw.normal(size=rows)))

    def predict(f):
        return 1 / (1 + np.exp(-2 * f.arrays[3001] - (f.arrays[3000] == "a")))

    y = (draw.random(rows) < predict(frame)).astype(float)
    found = permutation_importance(predict, frame, y, binary.task, seed=1)
    assert {found.importance[0].name, found.importance[1].name} == {"t.strong", "t.kind"}
    assert len(found.importance) == 166
    assert any("3,002 facts only the 166" in n for n in found.notes)
    late = permutation_importance(predict, frame, y, binary.task, seed=1, seconds=1e9)
    assert late.importance == found.importance
