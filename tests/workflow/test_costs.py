"""A matrix of costs for several classes: every answer is the one of least expected cost, wherever it is given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import holdgood as hg
from holdgood.core.errors import DeclarationError
from holdgood.workflow.estimator import HoldgoodClassifier
from holdgood.workflow.predict import Predictor
from holdgood.workflow.status import status

N = 600
MATRIX = {
    "ok": {"worn": 2.0, "broken": 5.0},
    "worn": {"ok": 10.0, "broken": 3.0},
    "broken": {"ok": 200.0, "worn": 90.0},
}
ORDER = ["broken", "ok", "worn"]
TABLE = np.array([[MATRIX[t].get(a, 0.0) for a in ORDER] for t in ORDER])
CHEAP = {"budget": "trials=2", "models": ("prior", "linear"), "workers": 0, "split": {"folds": 3}}


def table(seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=N)
    state = np.array(["ok", "worn", "broken"])[np.digitize(1.5 * a + rng.logistic(size=N), [0.5, 3.0])]
    return pd.DataFrame({"a": a, "b": rng.normal(size=N), "state": state})


def test_in_a_run_on_its_holdout_and_in_its_bundle(tmp_path):
    made = hg.run(
        table(),
        "state",
        costs=hg.Costs(matrix=MATRIX, currency="EUR"),
        declaration={
            "split": {"kind": "stratified", "folds": 3},
            "budget": {"trials": 2, "workers": 1, "models": ["linear"]},
        },
        project=tmp_path,
    )
    held = pq.read_table(made.folder.find("evaluate").path / "predictions.parquet").to_pandas()
    p, truth = held[[f"prediction_{k}" for k in range(3)]].to_numpy(), held.y.to_numpy().astype(int)
    best = (p @ TABLE).argmin(axis=1)
    assert (best != p.argmax(axis=1)).mean() > 0.1, "the matrix changes answers"
    assert Predictor.load(made.bundle).answers(p).tolist() == [ORDER[k] for k in best]
    against = next(c for c in made.holdout.money_against if c.second.startswith("always"))
    constant = ORDER.index(against.second.removeprefix("always answering "))
    assert against.difference == pytest.approx((TABLE[truth, constant] - TABLE[truth, best]).sum())
    assert "your matrix" in made.holdout.money_sentence
    counts = np.array(made.holdout.confusion.counts)
    assert counts.sum(axis=0).tolist() == np.bincount(best, minlength=3).tolist()


@pytest.mark.parametrize(("target", "named"), [("state", "matrix"), ("a", "over and under"), ("many", "matrix")])
def test_undeclared_costs_are_asked_for_by_the_names_that_the_task_takes(tmp_path, target, named):
    cheap = {"split": {"kind": "random"}, "budget": {"trials": 1, "workers": 1, "models": ["linear"]}}
    rows = table().assign(many=[f"k{i % 45}" for i in range(N)])  # more classes than a report counts one by one
    made = hg.run(rows, target, declaration=cheap, project=tmp_path)
    assert status(made.project)[3].command == f"declare [costs] {named}"
    assert f"declare {named} under [costs]" in made.holdout.money_sentence


def test_in_an_estimator():
    data = table()
    X = data[["a", "b"]]
    made = HoldgoodClassifier(costs=hg.Costs(matrix=MATRIX), **CHEAP).fit(X, data.state)
    p = made.predict_proba(X)
    assert made.classes_.tolist() == ORDER
    assert made.predict(X).tolist() == [ORDER[k] for k in (p @ TABLE).argmin(axis=1)]
    alone = [made.predict(X.iloc[[i]])[0] for i in range(20)]
    assert alone == made.predict(X)[:20].tolist()
    late = data.state == "broken"
    two = HoldgoodClassifier(costs=hg.Costs(miss=50, false_alarm=1), **CHEAP).fit(X, late)
    assert two.predict(X).mean() > 2 * late.mean()
    assert two.predict(X).dtype == bool


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ok": {"worn": 1.0}}, "does not say what answering"),
        ({**MATRIX, "lost": {"ok": 1.0}}, "names the class 'lost'"),
        ({**MATRIX, "ok": {"worn": float("nan"), "broken": 1.0}}, "is nan"),
        ({**MATRIX, "ok": {"worn": float("inf"), "broken": 1.0}}, "is inf"),
    ],
)
def test_a_matrix_with_gaps_is_refused_before_anything_is_spent(change, said):
    data = table()
    with pytest.raises(DeclarationError, match=said):
        HoldgoodClassifier(costs=hg.Costs(matrix=change), **CHEAP).fit(data[["a"]], data.state)
