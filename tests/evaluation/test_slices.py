import numpy as np
import pytest

from holdgood.core.frame import Feature, Frame
from holdgood.core.task import Task
from holdgood.evaluation import weak_slices
from holdgood.evaluation.slices import benjamini_hochberg


def data(seed, broken=False, n=2400):
    rng = np.random.default_rng(seed)
    site = np.array(["A", "B", "C", "D"], dtype=object)[rng.integers(0, 4, n)]
    age = rng.normal(50, 10, n)
    age[rng.random(n) < 0.1] = np.nan
    p = rng.beta(2, 3, n)
    truth = np.where(site == "C", 1 - p, p) if broken else p
    y = (rng.random(n) < truth).astype(float)
    text = np.array(["long text"] * n, dtype=object)
    frame = Frame((Feature("site", "category"), Feature("age", "number"), Feature("note", "text")), (site, age, text))
    return frame, y, p, Task(kind="binary", classes=(0, 1))


def test_a_broken_slice_is_found_and_described():
    found = weak_slices(*data(1, broken=True), seed=1)
    assert found.slices[0].name == "site is C"
    assert found.slices[0].n == pytest.approx(300, abs=60)
    assert found.slices[0].loss.low > 0.7
    assert "looked at" in found.notes[0]


def test_where_nothing_is_wrong_little_is_told():
    told = sum(len(weak_slices(*data(s), seed=s).slices) > 0 for s in range(20))
    assert told <= 6


def test_numbers_are_cut_into_quarters_and_missing_is_a_slice():
    rng = np.random.default_rng(0)
    n = 4000
    age = rng.normal(50, 10, n)
    age[rng.random(n) < 0.2] = np.nan
    p = np.full(n, 0.1)
    wrong = np.isnan(age) | (age > 57)
    y = (rng.random(n) < np.where(wrong, 0.6, 0.05)).astype(float)
    found = weak_slices(Frame((Feature("age", "number"),), (age,)), y, p, Task(kind="binary", classes=(0, 1)))
    names = [s.name for s in found.slices]
    assert "age is missing" in names
    assert any(name.startswith("age from 5") for name in names)


def test_clusters_stay_whole_and_few_rows_are_left_alone():
    frame, y, p, task = data(2, broken=True)
    clusters = np.arange(len(y)) // 8
    assert weak_slices(frame, y, p, task, clusters=clusters, seed=0).slices[0].name == "site is C"
    few = weak_slices(frame.take(np.arange(100)), y[:100], p[:100], task)
    assert few.slices == ()
    assert "too few" in few.notes[0]


def test_benjamini_hochberg_against_scipy():
    from scipy.stats import false_discovery_control

    p = np.random.default_rng(0).random(50) ** 2
    assert benjamini_hochberg(list(p)) == pytest.approx(false_discovery_control(p))
    assert benjamini_hochberg([]) == []
