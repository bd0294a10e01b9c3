"""A changed LightGBM text is refused before the library sees it: it would read outside its memory."""

import json
import re
import subprocess
import sys

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import BundleError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Parts
from holdgood.core.task import Task
from holdgood.models.tabular import model_text
from holdgood.models.tabular.booster import Booster
from holdgood.models.tabular.lightgbm import Boosting


def _made():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    x[:, 3] = rng.integers(0, 9, 300)
    x[rng.random(x.shape) < 0.1] = np.nan
    y = (np.nan_to_num(x[:, 0]) + (np.nan_to_num(x[:, 3]) % 3 == 1) > 0.4).astype(float)
    context = FitContext(Task(kind="binary", classes=(0, 1)), rounds=6)
    return Boosting({"num_leaves": 5}).fit(Matrix(x, ("a", "b", "c", "g"), (3,)), y, None, context).to_parts()


PARTS = _made()
TEXT = PARTS.files["model.txt"].decode()
ASKED = {"columns": 4, "per_iteration": 1, "objectives": ("binary sigmoid:1",)}

CHANGES = {
    "column that is not there": (r"split_feature=\d+", "split_feature=99999999"),
    "column below zero": (r"split_feature=\d+", "split_feature=-1"),
    "child outside": (r"left_child=-?\d+", "left_child=50000000"),
    "leaf outside": (r"left_child=-?\d+", "left_child=-50000000"),
    "circle": (r"left_child=-?\d+", "left_child=0"),
    "leaf used twice": (r"right_child=-?\d+ -?\d+", "right_child=-1 -1"),
    "tree sizes": (r"tree_sizes=\d+", "tree_sizes=88000000"),
    "leaves": (r"num_leaves=\d+", "num_leaves=2000000000"),
    "fewer leaves": (r"num_leaves=\d+", "num_leaves=2"),
    "no leaves": (r"num_leaves=\d+", "num_leaves=0"),
    "leaf values": (r"leaf_value=\S+ \S+", "leaf_value=1"),
    "no number": (r"leaf_value=\S+", "leaf_value=abc"),
    "nan": (r"leaf_value=\S+", "leaf_value=nan"),
    "overflow": (r"leaf_value=\S+", "leaf_value=1e999"),
    "infinite leaf": (r"leaf_value=\S+", "leaf_value=inf"),
    "underscore": (r"leaf_count=\d", "leaf_count=1_0"),
    "classes": (r"num_class=\d+", "num_class=1000000000"),
    "features": (r"max_feature_idx=\d+", "max_feature_idx=400000"),
    "names": (r"feature_names=\S+", "feature_names="),
    "objective": (r"objective=\S+", "objective=custom"),
    "decision": (r"decision_type=\d+", "decision_type=64"),
    "number as category": (r"decision_type=\d+", "decision_type=1"),
    "category set": (r"cat_boundaries=0 \d+", "cat_boundaries=0 77777"),
    "category words": (r"cat_threshold=\d+", "cat_threshold=99999999999"),
    "category count": (r"num_cat=\d+", "num_cat=123456"),
    "linear leaves": (r"is_linear=0", "is_linear=1"),
    "unknown line": (r"shrinkage=", "linear_forest="),
    "twice": (r"shrinkage=\S+", "is_linear=0"),
    "tree number": (r"Tree=1", "Tree=7"),
    "version": (r"version=v4", "version=v9"),
    "empty line": (r"\nshrinkage", "\n\nshrinkage"),
    "not ascii": (r"shrinkage=\S+", "shrinkage=\u0661"),
}


def _with_sizes(text):
    """The text with its tree sizes made right again, as a forger would."""
    head, *trees = text[: -len(model_text.END)].split("Tree=")
    head = re.sub(r"tree_sizes=.*", "tree_sizes=" + " ".join(str(5 + len(t)) for t in trees), head)
    return head + "".join("Tree=" + t for t in trees) + model_text.END


def test_own_texts_pass(make_rows, task):
    assert model_text.check(TEXT, **ASKED) == 6
    matrix, y = make_rows(task)
    model = Boosting({}).fit(matrix, y, None, FitContext(task, rounds=40))
    assert np.array_equal(Booster.from_parts(model.to_parts()).predict(matrix), model.predict(matrix))


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_refused(change):
    pattern, value = CHANGES[change]
    changed = re.sub(pattern, value, TEXT, count=1)
    assert changed != TEXT
    for text in {changed, changed if change == "tree sizes" else _with_sizes(changed)}:
        with pytest.raises(BundleError):
            model_text.check(text, **ASKED)


@pytest.mark.parametrize(
    "text", ["", "tree\n", "tree\nend of trees\n", TEXT[:-1], TEXT[: len(TEXT) // 2], TEXT + "x", "\0" + TEXT]
)
def test_cut_or_empty_texts_are_refused(text):
    with pytest.raises(BundleError):
        model_text.check(text, **ASKED)


def test_size_is_bounded(monkeypatch):
    monkeypatch.setattr(model_text, "MAX_BYTES", 100)
    with pytest.raises(BundleError, match="at most"):
        model_text.check(TEXT, **ASKED)


SCORE = """
import sys, json, lightgbm, numpy as np
from holdgood.core.errors import BundleError
from holdgood.models.tabular import model_text
rows = np.array([[0.0, 1.0, -1.0, 3.0], [np.nan] * 4, [9.0, -9.0, 0.5, 50.0]])
for text in json.load(sys.stdin):
    try:
        model_text.check(text, columns=4, per_iteration=1, objectives=("binary sigmoid:1",))
    except BundleError:
        continue
    try:
        lightgbm.Booster(model_str=text).predict(rows, num_threads=1)
    except lightgbm.basic.LightGBMError:
        continue
print("alive")
"""


def test_what_passes_the_check_never_kills_the_library():
    """Many random changes, sizes made right again; those that pass are given to LightGBM in another process."""
    rng = np.random.default_rng(0)
    marks = "0123456789 -.e=\nabc"
    texts = []
    for _ in range(3000):
        changed = list(TEXT)
        for _ in range(rng.integers(1, 4)):
            at = rng.integers(0, len(changed))
            changed[at] = marks[rng.integers(0, len(marks))]
        texts.append("".join(changed))
    texts += [_with_sizes(t) for t in texts[:1500] if t.endswith(model_text.END)]
    done = subprocess.run(
        [sys.executable, "-c", SCORE], input=json.dumps(texts), capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.strip().endswith("alive")


@settings(max_examples=50, deadline=None)
@given(at=st.integers(0, len(TEXT) - 1), piece=st.text(alphabet="0123456789-. \n=", max_size=4))
def test_any_inserted_piece_is_refused_or_harmless(at, piece):
    text = TEXT[:at] + piece + TEXT[at:]
    try:
        model_text.check(text, **ASKED)
    except BundleError:
        return
    # Only digits of single numbers can differ.
    assert re.sub(r"[\d.\s+-]", "", text) == re.sub(r"[\d.\s+-]", "", TEXT)
    assert len(text.split()) == len(TEXT.split())


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "nonsense"},
        {"columns": 0},
        {"columns": "x"},
        {"n_classes": 3},
        {"scale": float("nan")},
        {"rounds": "x"},
        {"plain": True},
    ],
)
def test_json_that_does_not_fit_is_refused(change):
    with pytest.raises(BundleError):
        Booster.from_parts(Parts(PARTS.json | change, PARTS.arrays, PARTS.files))


def test_missing_pieces_are_refused():
    for parts in (Parts(PARTS.json), Parts({}, {}, PARTS.files), Parts(PARTS.json, {}, {"model.txt": b"\xff\xfe"})):
        with pytest.raises(BundleError):
            Booster.from_parts(parts)


def test_the_librarys_own_refusal_is_told_in_our_words(monkeypatch):
    def refuse(*args, **kwargs):
        raise lightgbm.basic.LightGBMError("no")

    monkeypatch.setattr(lightgbm, "Booster", refuse)
    with pytest.raises(BundleError, match="refuses"):
        Booster.from_parts(PARTS).predict(Matrix(np.zeros((1, 4)), ("a", "b", "c", "g")))
