"""A metric and a cost of one's own: given in Python, or named by path and hash and trusted by a person."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import fbeta_score

import holdgood as hg
from holdgood.core.errors import DeclarationError
from holdgood.workflow.estimator import HoldgoodClassifier, HoldgoodRegressor
from holdgood.workflow.functions import declared_functions, load_function, trust, trust_file
from holdgood.workflow.predict import Predictor

N = 700
CHEAP = {"budget": "trials=3", "models": ("prior", "linear", "tree"), "workers": 0, "split": {"folds": 3}}


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def table(seed=0, classes=2):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=N), rng.normal(size=N)
    frame = pd.DataFrame({"a": a, "b": b, "stake": rng.gamma(2.0, 50.0, N).round(2)})
    score = 1.5 * a + np.abs(b) - 1.0
    if classes == 2:
        return frame.assign(late=rng.random(N) < 1 / (1 + np.exp(-score)))
    return frame.assign(state=np.digitize(score + rng.logistic(size=N), [-0.5, 1.5]).astype(str))


def hits_among_the_likeliest(y, p, weight=None):
    """Share of positives among the tenth that is thought likeliest: no mean of rows."""
    weight = np.ones(len(y)) if weight is None else weight
    top = np.argsort(-p, kind="stable")[: max(1, len(p) // 10)]
    return np.average(y[top], weights=weight[top])


def stake_lost(rows, y, answer):
    """A miss costs the row's stake, a false alarm ten."""
    return np.where(y & ~answer, rows["stake"].to_numpy(), np.where(answer & ~y, 10.0, 0.0))


def walk(folder, frame, target="late", declaration=None, **given):
    return hg.run(
        frame,
        target,
        declaration={
            "split": {"kind": "stratified"},
            "budget": {"trials": 3, "workers": 1, "models": ["linear", "tree"]},
            **(declaration or {}),
        },
        project=folder,
        **given,
    )


def kept(made, frame):
    held = pq.read_table(made.folder.find("evaluate").path / "predictions.parquet").to_pandas()
    return held, frame.iloc[held.row].reset_index(drop=True)


def test_a_metric_and_a_cost_as_plain_functions(tmp_path):
    frame = table()
    made = walk(
        tmp_path, frame, metric=hits_among_the_likeliest, higher_is_better=True, cost=stake_lost,
        costs=hg.Costs(currency="EUR"), prefer="best",
    )  # fmt: skip
    name = made.holdout.metric
    assert name.endswith(":hits_among_the_likeliest")
    held, rows = kept(made, frame)
    found = made.holdout.metrics[name]
    assert found.value == pytest.approx(hits_among_the_likeliest(held.y.to_numpy(), held.prediction.to_numpy()))
    assert found.low < found.value < found.high
    assert made.leaderboard.metric == name
    assert made.leaderboard.higher_is_better
    assert made.leaderboard.ladder[1].gain.unit == name
    # the money is what the function says, row by row, at a threshold that it chose on development rows
    act, truth = held.prediction.to_numpy() >= made.leaderboard.threshold, held.y.to_numpy() == 1
    saved = stake_lost(rows, truth, np.zeros(len(rows), bool)) - stake_lost(rows, truth, act)
    assert made.holdout.money.amount.value == pytest.approx(saved.sum())
    assert not made.holdout.money.assumed
    assert "stake_lost" in made.holdout.money_sentence
    # the bundle answers without any function
    model = Predictor.load(made.bundle)
    assert model.answers(np.array([0.0, 1.0])).tolist() == [False, True]
    inside = b"".join(f.read_bytes() for f in made.bundle.rglob("*") if f.is_file())
    assert b"def stake_lost" not in inside
    assert b"np.where" not in inside


def test_a_threshold_follows_costs_by_row():
    """Where a stake is large only among the unlikely, acting early pays; a table of averages would not see it."""
    from holdgood.metrics import best_threshold, resolve

    rng = np.random.default_rng(0)
    p = rng.random(2000)
    y = (rng.random(2000) < p).astype(float)
    worth = np.where(y == 1, np.where(p < 0.3, 100.0, 1.0), -1.0)
    task = hg.fit(p[:, None], y.astype(int), budget="trials=1", models=("prior",), workers=0).task_
    found = best_threshold(resolve(hg.Costs(miss=1, false_alarm=1), task), y, p, worth=worth)
    cuts = np.r_[0.0, np.sort(p), 1.1]
    gains = [worth[p >= c].sum() for c in cuts]
    assert worth[p >= found].sum() == pytest.approx(max(gains))
    assert found < 0.1


def test_several_classes_are_answered_by_average_costs(tmp_path):
    frame = table(classes=3)
    price = {"0": 0.0, "1": 1.0, "2": 20.0}

    def too_low(rows, y, answer):
        off = np.array([price[t] for t in y]) - np.array([price[a] for a in answer])
        return np.where(off > 0, off, -0.2 * off) * (1 + rows["stake"].to_numpy() / 1000)

    made = walk(tmp_path, frame, "state", cost=too_low, costs=hg.Costs(currency="EUR"))
    model = Predictor.load(made.bundle)
    p = np.array([[0.6, 0.3, 0.1], [1.0, 0.0, 0.0]])
    expected = p @ model.average_costs
    assert model.answers(p).tolist() == [str(k) for k in expected.argmin(axis=1)]
    assert model.average_costs[2, 0] > model.average_costs[0, 2] > 0
    held, rows = kept(made, frame)
    stated = held[[f"prediction_{k}" for k in range(3)]].to_numpy()
    spent = too_low(rows, held.y.astype(int).astype(str), model.answers(stated))
    constant = model.answers(np.tile(np.bincount(held.y.astype(int), minlength=3) / len(held), (len(held), 1)))
    assert made.holdout.money.amount.value == pytest.approx(
        (too_low(rows, held.y.astype(int).astype(str), constant) - spent).sum(), rel=0.2
    )


def raises(y, p):
    raise ZeroDivisionError("nothing to divide by")


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (raises, "raised ZeroDivisionError: nothing to divide by"),
        (lambda y, p: float("nan"), "gave nan"),
        (lambda y, p: np.corrcoef(y, p)[0, 1] if np.ptp(p) else np.nan, "gave nan on the prior"),
        (lambda y, p: "high", "raised ValueError"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_metric_that_cannot_judge_stops_before_anything_is_spent(tmp_path, metric, said):
    with pytest.raises(DeclarationError, match=said):
        walk(tmp_path, table(), metric=metric, higher_is_better=True)
    assert not (tmp_path / "runs" / "0001" / "07-train" / "trials").exists()
    with pytest.raises(DeclarationError, match=said):
        HoldgoodClassifier(metric=metric, higher_is_better=True, **CHEAP).fit(table()[["a", "b"]], table().late)


def test_or_the_default_stands_in_where_that_is_declared(tmp_path):
    made = walk(
        tmp_path, table(), metric=raises, higher_is_better=True, declaration={"task": {"on_metric_error": "default"}}
    )
    assert made.holdout.metric == "log_loss"
    assert "log_loss stands in, as declared" in " ".join(made.leaderboard.notes)


def test_what_a_metric_cannot_score_later_comes_last_and_is_told():
    def picky(y, p):
        if len(np.unique(p)) > 50:
            raise ValueError("too many chances for me")
        return float(np.mean((p - y) ** 2))

    data = table()
    made = HoldgoodClassifier(metric=picky, higher_is_better=False, prefer="best", **CHEAP).fit(
        data[["a", "b"]], data.late
    )
    linear = next(t for t in made.leaderboard_.trials if t.family == "linear")
    assert np.isnan(linear.score.value)
    assert made.leaderboard_.chosen != linear.name
    assert "too many chances for me" in " ".join(made.leaderboard_.notes)


def test_what_is_chosen_follows_the_metric():
    """Ranked by how well the largest amounts are met, the best candidate is another than by squared error."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=600)
    y = np.where(x > 1.2, 30.0, 0.0) + 3.0 * x + rng.normal(size=600)
    data = pd.DataFrame({"x": x})

    def flatness(truth, prediction):
        return float(np.std(prediction))

    best = {"prefer": "best", **CHEAP}
    low = HoldgoodRegressor(metric=flatness, higher_is_better=False, **best).fit(data, y)
    high = HoldgoodRegressor(metric=flatness, higher_is_better=True, **best).fit(data, y)
    assert low.leaderboard_.chosen == "prior"
    assert high.leaderboard_.chosen != "prior"


def test_directions_and_weights_are_asked_for():
    data = table()
    with pytest.raises(DeclarationError, match="which way is better"):
        HoldgoodClassifier(metric=raises, **CHEAP).fit(data[["a"]], data.late)
    with pytest.raises(DeclarationError, match="takes no weights"):
        HoldgoodClassifier(metric=lambda y, p: 0.5, higher_is_better=True, class_weight="balanced", **CHEAP).fit(
            data[["a"]], data.late
        )
    weighted = HoldgoodClassifier(
        metric=lambda y, p, w: fbeta_score(y, p >= 0.3, beta=2, sample_weight=w), higher_is_better=True, **CHEAP
    )
    assert weighted.fit(data[["a", "b"]], data.late, sample_weight=data.stake).leaderboard_.metric.endswith("lambda")


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        (lambda rows, y, answer: 1 / 0, "raised ZeroDivisionError"),
        (lambda rows, y, answer: 3.0, r"shape \(\)"),
        (lambda rows, y, answer: np.full(len(y), np.nan), "no finite amount"),
        (lambda rows, y, answer: rows["price"], "raised KeyError"),
    ],
)
def test_a_cost_that_is_none_stops_before_anything_is_spent(tmp_path, cost, said):
    with pytest.raises(DeclarationError, match=said):
        walk(tmp_path, table(), cost=cost)


SOURCE = "def hits(y, p):\n    return float(((p >= 0.5) == y).mean())\n"


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    table().to_parquet(folder / "t.parquet")
    (folder / "scoring.py").write_text(SOURCE)
    digest = hashlib.sha256(SOURCE.encode()).hexdigest()
    (folder / "holdgood.toml").write_text(
        f"""
[tables.t]
source = "t.parquet"
[task]
target = "late"
metric = "scoring:hits"
higher_is_better = true
[split]
kind = "stratified"
[budget]
trials = 2
workers = 1
models = ["linear"]
[code]
"scoring:hits" = "sha256:{digest}"
"""
    )
    return folder


def loaded(folder):
    declaration = hg.Project.at(folder).declaration
    return load_function("scoring:hits", declaration, folder, {})


def test_anothers_project_asks_for_trust_and_a_change_asks_again(project):
    with pytest.raises(DeclarationError, match="nobody here has trusted it"):
        hg.run(project=project)
    trust(declared_functions(hg.Project.at(project).declaration, project))
    assert len(json.loads(trust_file().read_text())) == 1
    assert hg.run(project=project).holdout.metric == "scoring:hits"
    (project / "scoring.py").write_text(SOURCE + "# changed\n")
    with pytest.raises(DeclarationError, match="has changed since its hash was declared"):
        loaded(project)


def test_absent_undeclared_and_broken_functions_are_refused(project):
    declaration = hg.Project.at(project).declaration
    trust(declared_functions(declaration, project))
    with pytest.raises(DeclarationError, match="has no hash in the declaration"):
        load_function("scoring:hits", declaration.model_copy(update={"code": {}}), project, {})
    with pytest.raises(DeclarationError, match="did you mean 'hits'"):
        load_function(
            "scoring:hit", declaration.model_copy(update={"code": {"scoring:hit": declaration.code["scoring:hits"]}}),
            project, {},
        )  # fmt: skip
    with pytest.raises(DeclarationError, match="no path of a function"):
        load_function("../../etc:passwd", declaration, project, {})
    (project / "scoring.py").unlink()
    with pytest.raises(DeclarationError, match="no file scoring.py"):
        loaded(project)


def test_nothing_of_a_project_is_executed_before_it_is_trusted(project):
    (project / "scoring.py").write_text("raise SystemExit('executed')\n" + SOURCE)
    declaration = hg.Project.at(project).declaration
    found = declared_functions(declaration, project)[0].found
    changed = declaration.model_copy(update={"code": {"scoring:hits": found}})
    with pytest.raises(DeclarationError, match="nobody here has trusted it"):
        load_function("scoring:hits", changed, project, {})
