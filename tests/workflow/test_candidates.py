"""Families whose library is not installed: left out with a note, refused when they were asked for, needed by nobody else."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from holdgood.core.errors import DeclarationError, MissingExtra
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext
from holdgood.core.task import Task
from holdgood.governance.lessons import configured
from holdgood.models.tabular.catboost import SymmetricBoosting
from holdgood.models.tabular.cbm_booster import CbmBooster
from holdgood.models.tabular.ubj_booster import UbjBooster
from holdgood.models.tabular.xgboost import HistogramBoosting
from holdgood.workflow.candidates import by_lessons, candidates, left_out, portfolio
from holdgood.workflow.estimator import fit

BINARY = Task(kind="binary", classes=("no", "yes"))
MATRIX = Matrix(np.linspace(0, 1, 60)[:, None], ("a",))
Y = (MATRIX.values[:, 0] > 0.4).astype(float)
FRAME = pd.DataFrame({"a": np.linspace(0, 1, 80), "b": list("xy") * 40})


@pytest.fixture
def without(monkeypatch):
    def hide(*libraries):
        for name in libraries:
            monkeypatch.setitem(sys.modules, name, None)

    return hide


def families(*asked):
    return {c.family for c in candidates(BINARY, 500, 4, asked)}


def test_all_families_that_are_there_are_candidates():
    assert {"catboost", "xgboost", "lightgbm", "linear", "prior"} <= families()
    assert left_out() == ()
    found = candidates(BINARY, 500, 4)
    assert found[0].family == "prior"
    assert len({c.name for c in found}) == len(found)
    with pytest.raises(DeclarationError, match="did you mean 'catboost'"):
        families("catbost")


def test_a_family_without_its_library_is_left_out_with_a_note(without):
    without("catboost")
    assert "catboost" not in families()
    assert "xgboost" in families()
    assert left_out() == ("catboost was left out: pip install 'holdgood[boost]'",)
    assert left_out(("linear",)) == ()
    made = fit(FRAME, FRAME.a > 0.4, budget="trials=2", workers=1)
    assert made.leaderboard_.notes == ("catboost was left out: pip install 'holdgood[boost]'",)


def test_a_family_that_was_asked_for_is_refused_without_its_library(without):
    without("catboost", "xgboost")
    for name in ("catboost", "xgboost"):
        with pytest.raises(MissingExtra, match=r"holdgood\[boost\]") as caught:
            fit(FRAME, FRAME.a > 0.4, budget="trials=2", workers=1, models=("linear", name))
        assert caught.value.exit_code == 5
    for model in (SymmetricBoosting({}), HistogramBoosting({})):
        with pytest.raises(MissingExtra):
            model.fit(MATRIX, Y, None, FitContext(BINARY))


def test_a_saved_model_needs_catboost_and_does_not_need_xgboost(without):
    context = FitContext(BINARY, rounds=5)
    symmetric = SymmetricBoosting({}).fit(MATRIX, Y, None, context).to_parts()
    model = HistogramBoosting({}).fit(MATRIX, Y, None, context)
    without("catboost", "xgboost")
    with pytest.raises(MissingExtra, match="catboost"):
        CbmBooster.from_parts(symmetric)
    assert np.array_equal(UbjBooster.from_parts(model.to_parts()).predict(MATRIX), model.predict(MATRIX))


USE = """
import sys
import numpy as np, pandas as pd
import holdgood as hg
frame = pd.DataFrame({"a": np.linspace(0, 1, 80), "b": list("xy") * 40})
made = hg.fit(frame, frame.a > 0.4, budget="trials=2", workers=1)
made.predict(frame)
assert not {"catboost", "xgboost"} & set(sys.modules), "imported without need"
print("done")
"""


def test_neither_library_is_imported_where_its_family_is_not_fitted():
    done = subprocess.run([sys.executable, "-c", USE], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "done", done.stderr[-500:]


@pytest.mark.parametrize("family", ["catboost", "xgboost"])
def test_both_walk_through_training(family):
    made = fit(FRAME, FRAME.a > 0.4, budget="trials=2", workers=1, models=(family,), prefer="best", split={"folds": 3})
    trial = made.leaderboard_.trials[1]
    assert (trial.family, trial.status) == (family, "ok")
    assert (made.predict(FRAME) == (FRAME.a > 0.4)).mean() > 0.9


def test_lessons_change_the_order_and_nothing_else():
    usual = portfolio(BINARY, 5_000, 10)
    names = [c.name for c in usual.candidates]
    told = {"lightgbm": 0.9, "tree": 0.1, "prior": 0.0, "linear": 0.0}
    second = next(c for c in usual.candidates if c.family == "lightgbm" and c.name != "lightgbm")
    after = by_lessons(
        usual, told, {configured(second.name, second.parameters): 0.8, configured(second.name, {"other": 1}): -9.0}
    )
    found = [c.name for c in after.candidates]
    assert sorted(found) == sorted(names)
    assert after.spaces is usual.spaces
    families = list(dict.fromkeys(c.family for c in after.candidates))
    assert families[:3] == ["prior", "linear", "lightgbm"], "what is simple stays in front"
    assert families[-1] == "tree"
    assert found[2] == second.name, "a proven configuration is the first of its family"
    assert [c.name for c in by_lessons(usual, {}, {}).candidates][:2] == names[:2]


def test_lightgbm_is_tried_once_more_on_crosses_last_of_all():
    found = candidates(Task(kind="regression"), 5_000, 10)
    last = found[-1]
    plain = next(c for c in found if c.name == "lightgbm")
    assert (last.name, last.family, last.parameters) == (
        "lightgbm-crosses",
        "lightgbm",
        {**plain.parameters, "crosses": True},
    )
    assert last.make_encoder().crossed
    assert not plain.make_encoder().crossed
    assert last.make_model().parameters == plain.make_model().parameters
    assert all("crosses" not in c.name for c in candidates(Task(kind="regression"), 5_000, 10, ["linear"]))
