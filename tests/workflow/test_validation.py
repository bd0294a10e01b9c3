"""Folds as declared, from a project and from Python; nested folds judge the whole procedure where there is no holdout."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.model_selection import GroupKFold, KFold

import holdgood as hg
from holdgood.core.declaration import SplitSpec, parse
from holdgood.core.errors import DeclarationError, HoldgoodWarning, SplitError
from holdgood.core.records import Leaderboard
from holdgood.core.records.envelope import read
from holdgood.training import train
from holdgood.workflow import estimator
from holdgood.workflow.estimator import HoldgoodClassifier, HoldgoodRegressor
from holdgood.workflow.folder import Project
from holdgood.workflow.run import run
from holdgood.workflow.validation import fold_kind

N = 500
CHEAP = {"budget": "trials=2", "models": ("prior", "linear"), "workers": 0}


def table(seed=0, shuffled=False):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=N)
    late = rng.random(N) < 1 / (1 + np.exp(-(2 * a - 1)))
    frame = pd.DataFrame({"a": a, "kind": rng.choice(list("xyz"), N), "late": late})
    frame["at"] = pd.date_range("2024-01-01", periods=N, freq="h")
    return frame.assign(late=rng.permutation(late)) if shuffled else frame


def nested(folder, frame, **split):
    return hg.run(
        frame,
        declaration={
            "task": {"target": "late"},
            "tables": {"table": {"time": "at"}},
            "split": {"holdout": "none", "outer": 3, "kind": "stratified", "folds": 3, **split},
            "costs": {"miss": 9, "false_alarm": 2, "currency": "EUR"},
            "budget": {"trials": 3, "workers": 1, "models": ["linear", "tree"]},
            "fairness": {"groups": ["kind"]},
        },
        project=folder,
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return nested(tmp_path_factory.mktemp("nested"), table())


def test_without_a_holdout_every_row_is_learned_from_and_every_row_judged(done):
    assert (done.split.holdout, done.split.development, done.split.outer) == (0, N, 3)
    assert done.holdout.rows == N
    assert done.holdout.openings == 0
    held = pq.read_table(done.folder.find("evaluate").path / "predictions.parquet").to_pandas()
    assert sorted(held.row) == list(range(N))
    assert done.holdout.against_prior.verdict == "better"
    assert "rows that the models had not seen" in done.holdout.money_sentence
    assert "sealed holdout" not in done.verdict.model_dump_json()
    assert "500 rows in outer folds" in " ".join(done.verdict.sentences)
    assert hg.verify(done.bundle).digest
    assert "What the outer folds said" in done.report.read_text()


def test_what_judges_is_not_what_was_chosen_by(done):
    """Pooled out-of-fold scores of the choice flatter it; outer folds see it choose."""
    held = pq.read_table(done.folder.find("evaluate").path / "predictions.parquet").to_pandas()
    folder = done.folder.find("train").path
    inner = pd.DataFrame({"row": np.load(folder / "oof_rows.npy"), "p": np.load(folder / "oof.npy")})
    assert len(inner) == len(held)
    assert not np.array_equal(np.sort(inner.p), np.sort(held.prediction))
    assert read(done.folder.find("train").record, Leaderboard).rows == N


def test_a_nested_run_replays_and_resumes_to_the_bit(done, tmp_path):
    again = nested(tmp_path, table())
    assert again.holdout.metrics == done.holdout.metrics
    (done.folder.find("evaluate").path / "step.json").unlink()
    resumed = nested(done.folder.path.parents[1], table())
    assert resumed.folder.find("train").done()["fingerprint"] == done.folder.find("train").done()["fingerprint"]
    assert resumed.holdout.metrics == done.holdout.metrics


def test_a_shuffled_target_scores_as_chance_in_outer_folds(tmp_path):
    made = nested(tmp_path, table(shuffled=True))
    assert made.holdout.against_prior.verdict != "better"
    assert made.holdout.metrics["roc_auc"].low < 0.55


def test_folds_in_time_can_be_nested(tmp_path):
    made = nested(tmp_path, table(), kind="time", validation="time")
    assert 0 < made.holdout.rows < N
    assert made.leaderboard.fold_kind == "time"


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"holdout": "none", "cutoff": "2024-01-03"}, "no `cutoff`"),
        ({"holdout": 1.5}, "a share between 0 and 0.9"),
        ({"validation": "loo"}, "validation"),
        ({"outcome_after": "soon"}, "duration"),
        ({"repeats": 0}, "greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(split, said):
    with pytest.raises(DeclarationError, match=said):
        parse({"split": split})


def test_folds_follow_the_wall_unless_declared():
    assert fold_kind(SplitSpec(), "time") == "time"
    assert fold_kind(SplitSpec(), "random") == "stratified"
    assert fold_kind(SplitSpec(validation="purged"), "time") == "purged"


def test_the_wall_waits_for_outcomes(project):
    declared = project.declaration
    plain = run(project, until="split").split
    spec = declared.split.model_copy(update={"outcome_after": "10 days", "validation": "purged", "embargo": "1 day"})
    made = run(Project(project.path, declared.model_copy(update={"split": spec})), until="split").split
    assert made.cutoff == plain.cutoff
    assert made.unused > plain.unused
    assert made.holdout == plain.holdout


X, Y = table()[["a", "kind"]], table().late


def test_python_takes_the_same_words():
    when = table()["at"]
    purged = HoldgoodClassifier(split={"validation": "purged", "outcome_after": "5h", "folds": 4}, **CHEAP)
    assert purged.fit(X, Y, time=when).leaderboard_.rows == N
    forward = HoldgoodClassifier(split=SplitSpec(folds=4), **CHEAP).fit(X, Y, time=when)
    assert forward.leaderboard_.rows < N
    with pytest.raises(DeclarationError, match="did you mean 'validation'"):
        HoldgoodClassifier(split={"validaton": "purged"}, **CHEAP).fit(X, Y)
    with pytest.raises(SplitError, match="without times"):
        HoldgoodClassifier(split={"validation": "purged"}, **CHEAP).fit(X, Y)


@pytest.mark.parametrize(("split", "hours"), [({"gap": "2h", "outcome_after": "5h"}, 7), ({}, 0)])
def test_early_fits_are_ended_by_rows_as_far_away_as_the_folds_keep(monkeypatch, split, hours):
    told = []
    monkeypatch.setattr(
        estimator, "train", lambda *given, **named: told.append(named["apart"]) or train(*given, **named)
    )
    HoldgoodClassifier(split={"folds": 4, **split}, **CHEAP).fit(X, Y, time=table()["at"])
    HoldgoodClassifier(split={"folds": 4, **split}, **CHEAP).fit(X, Y)  # folds at random keep no distance
    assert told == [hours * 3_600_000_000, 0]


def test_repeats_are_as_declared_and_recorded(tmp_path):
    found = {}
    for repeats in (1, 2, None):
        split = {"kind": "stratified", "folds": 3, **({} if repeats is None else {"repeats": repeats})}
        made = hg.run(
            table(),
            declaration={
                "task": {"target": "late"},
                "split": split,
                "budget": {"trials": 20, "workers": 1, "models": ["linear"]},
            },
            project=tmp_path / str(repeats),
        )
        found[repeats] = made.leaderboard
        assert read(made.folder.find("train").record, Leaderboard).repeats == made.leaderboard.repeats
        assert not any("split.repeats" in n for n in made.leaderboard.notes)
        evaluated = made.holdout.model_dump_json() + made.report.read_text()
        assert ("2 times over" in evaluated) == (repeats == 2)
    assert (found[1].repeats, found[2].repeats) == (1, 2)
    assert found[None].repeats > 2  # 375 rows: up to five where nothing is declared
    assert found[2].division == "3 stratified folds, 2 times over"
    assert found[1].division == "3 stratified folds"


def test_repeats_that_the_budget_does_not_reach_are_told():
    few = HoldgoodClassifier(split={"repeats": 6, "folds": 3}, **CHEAP).fit(X, Y).leaderboard_
    assert few.repeats == 1
    assert "split.repeats is 6; the choice rests on 1" in " ".join(few.notes)
    more = HoldgoodClassifier(split={"repeats": 2}, cv=3, **{**CHEAP, "budget": "trials=12"}).fit(X, Y).leaderboard_
    assert (more.folds, more.repeats) == (3, 2)


@pytest.mark.parametrize("split", [{"kind": "time"}, {"kind": "stratified", "validation": "purged"}])
def test_folds_in_time_are_not_repeated_and_that_is_said_before_anything_is_trained(tmp_path, split):
    declared = {
        "task": {"target": "late"},
        "tables": {"table": {"time": "at"}},
        "split": {**split, "repeats": 2},
        "budget": {"trials": 2, "workers": 1, "models": ["linear"]},
    }
    with pytest.raises(SplitError, match="there is one past"):
        hg.run(table(), declaration=declared, project=tmp_path)
    assert not list(tmp_path.rglob("leaderboard.json"))
    with pytest.raises(SplitError, match="repeats = 3"):
        HoldgoodClassifier(split={"repeats": 3}, **CHEAP).fit(X, Y, time=table()["at"])


def test_folds_may_be_scikit_learns_own():
    splitter = KFold(3, shuffle=True, random_state=5)
    one = HoldgoodClassifier(cv=splitter, **CHEAP).fit(X, Y)
    two = HoldgoodClassifier(cv=list(splitter.split(X)), **CHEAP).fit(X, Y)
    assert one.leaderboard_.folds == 3
    assert one.leaderboard_.trials[-1].score == two.leaderboard_.trials[-1].score
    assert HoldgoodClassifier(cv=4, **CHEAP).fit(X, Y).leaderboard_.folds == 4
    groups = np.arange(N) % 10
    grouped = HoldgoodClassifier(cv=GroupKFold(2), **CHEAP).fit(X, Y, groups=groups)
    assert grouped.leaderboard_.folds == 2
    gone = Y.astype(object).where(np.arange(N) % 9 > 0, None)
    with pytest.warns(HoldgoodWarning, match="56 of 500 rows have no outcome"):
        known = HoldgoodClassifier(cv=splitter, **CHEAP).fit(X, gone)
    assert known.leaderboard_.rows == int(gone.notna().sum())
    for wrong in ([([0, 1], [10_000])], "five", [(1, 2, 3)]):
        with pytest.raises(SplitError):
            HoldgoodClassifier(cv=wrong, **CHEAP).fit(X, Y)


def test_a_class_with_one_row_is_learned_and_never_validated():
    y = np.where(np.arange(N) % 2 == 0, "a", "b").astype(object)
    y[7] = "rare"
    made = HoldgoodClassifier(**CHEAP).fit(X, y)
    assert made.classes_.tolist() == ["a", "b", "rare"]
    assert made.leaderboard_.rows == N - 1
    assert HoldgoodRegressor(**CHEAP).fit(X, np.arange(N, dtype=float)).leaderboard_.rows == N
